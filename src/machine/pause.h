/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pausing a machine: its vCPUs wait outside the guest, its virtio devices leave
 * their queues alone. Time goes on for the guest. A debugger can have some vCPUs run alone
 * in a machine that is paused. Holding it is shorter: all vCPUs wait, those too, while the
 * main thread does something to them; the devices go on.
 *
 * A vCPU's thread says when it is @inside: from before it looks at machine->attention until
 * the exit has been answered. The main thread sets ATTEND_PAUSE or ATTEND_HOLD there before it
 * looks at @inside; so one of the two sees what the other has written (both are sequentially
 * consistent), and neither takes a lock as long as nothing is wanted.
 */
#ifndef ARMLET_MACHINE_PAUSE_H
#define ARMLET_MACHINE_PAUSE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/event_loop.h"

struct machine;
struct vcpu;

struct pause {
	pthread_mutex_t lock; /* alone: with none held, and none taken */
	pthread_cond_t changed;
	struct event_source soon; /* machine_pause_soon() */
	bool prelaunch;           /* the main thread's: it has not run yet */
};

void pause_init(struct machine *machine);
void pause_finish(struct machine *machine);

/* Before the vCPUs are started: the machine begins paused. */
void pause_freeze(struct machine *machine);

/* A vCPU's thread: return when it may go on, or the machine has ended. */
void pause_wait(const struct vcpu *vcpu);

/* A vCPU's thread is no longer @inside: tell who waits for that. */
void pause_outside(struct machine *machine);

/* The machine has ended: nobody waits any longer. */
void pause_end(struct machine *machine);

/* The boot that was paused has ended: the next is not. */
void pause_forget(struct machine *machine);

/*
 * The main thread: have the vCPUs outside the guest, and let them go on as before. False: they
 * are all paused or held already, or at their end, and pause_release() is not to be called.
 */
bool pause_hold(struct machine *machine);
void pause_release(struct machine *machine);

/* The main thread, with a device's lock held: pause in the next round of the loop. */
void machine_pause_soon(struct machine *machine);

#endif
