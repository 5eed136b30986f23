/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest that cannot help itself lets us know by a device. The device tells from the
 * thread that it is in, with its lock held; what follows from it is the main thread's, a
 * round of the event loop later.
 */
#ifndef ARMLET_MACHINE_DISTRESS_H
#define ARMLET_MACHINE_DISTRESS_H

#include <stdatomic.h>

#include "core/event_loop.h"

struct machine;

struct distress {
	struct event_source soon; /* made when something is told first */
	atomic_uint told;         /* and not yet seen to */
	atomic_bool panicked;     /* in this boot */
	bool panic_told;          /* the main thread's: whoever listens knows */
};

void distress_begin(struct machine *machine);
void distress_finish(struct machine *machine); /* the vCPUs have been joined */

/* One more, behind those of pvpanic.h: a watchdog has bitten (watchdog.h). */
#define DISTRESS_HANG (1U << 8)

/* Such bits, with the device's lock held; @data is the machine. */
void distress_tell(void *data, unsigned events);

/* The main thread: the guest has panicked, if nobody knows yet. */
void distress_tell_panic(struct machine *machine);

#endif
