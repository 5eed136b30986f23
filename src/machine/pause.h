/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holding a machine: its vCPUs wait outside the guest, its virtio devices leave
 * their queues alone. Time goes on for the guest.
 */
#ifndef ARMLET_MACHINE_PAUSE_H
#define ARMLET_MACHINE_PAUSE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/event_loop.h"

struct machine;

struct pause {
	atomic_bool wanted;
	pthread_mutex_t lock; /* alone: with none held, and none taken */
	pthread_cond_t changed;
	struct event_source soon; /* machine_pause_soon() */
};

void pause_init(struct machine *machine);
void pause_finish(struct machine *machine);

/* A vCPU's thread: return when the machine may go on, or has ended. */
void pause_wait(struct machine *machine);

/* The machine has ended: nobody waits any longer. */
void pause_end(struct machine *machine);

/* The main thread, with a device's lock held: pause in the next round of the loop. */
void machine_pause_soon(struct machine *machine);

#endif
