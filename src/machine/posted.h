/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: When writes are posted
 *
 * A device permits posting (core/mmio_shadow.h); whether it pays is decided
 * here. A range is active while there is traffic: its writes go to the ring
 * that the kernel shares with us, and a timer takes them out. After a while
 * without any the range is parked: its next write is an ordinary exit, which
 * makes it active again. So a byte never waits longer than one tick, and an
 * idle machine has no timer running.
 *
 * Ring entries are performed in order, and before any other exit is handled.
 *
 * Locks: taking entries (the drain lock) comes before device locks; the
 * ranges' own lock comes after them.
 */
#ifndef ARMLET_MACHINE_POSTED_H
#define ARMLET_MACHINE_POSTED_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/char_port.h"
#include "core/event_loop.h"
#include "core/mmio.h"
#include "hyp/hyp.h"

#define POSTED_RANGES     8
#define POSTED_BATCH      64
#define POSTED_TICK_NS    (10 * UINT64_C(1000000))
#define POSTED_IDLE_TICKS 20 /* without a write, until the ranges are parked */

struct posted_range {
	gpa_t addr;
	uint32_t size; /* 0: unused */
	bool active;
};

struct posted {
	struct machine *traced; /* optional: whose trace (trace.h) is to have the writes */
	struct hyp *hyp;
	const struct mmio_bus *bus;
	const struct char_port *console; /* settled after each drain */
	struct event_source timer;
	bool failed; /* the host has no such thing: all writes trap */

	pthread_mutex_t drain_lock;
	const struct mmio_region *last;
	atomic_uint idle_ticks; /* the main thread counts, any thread starts anew */

	pthread_mutex_t ranges_lock;
	struct posted_range ranges[POSTED_RANGES];
	bool ticking;
};

int posted_init(struct posted *posted, struct hyp *hyp, const struct mmio_bus *bus,
		struct event_loop *loop, const struct char_port *console);
void posted_finish(struct posted *posted);

/* Permit or forbid; for mmio_shadow_ops. */
int posted_permit(struct posted *posted, gpa_t addr, uint32_t size, bool on);

/* A write to @addr has trapped: if it is to a parked range, begin to post. */
void posted_trapped(struct posted *posted, gpa_t addr);

/* Perform what is in the ring; any thread, no locks held. Returns how many writes. */
unsigned posted_drain(struct posted *posted);

#endif
