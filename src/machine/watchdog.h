/* SPDX-License-Identifier: Apache-2.0 */
/* --watchdog: the devices that bite when the guest, or a vCPU of it, hangs. */
#ifndef ARMLET_MACHINE_WATCHDOG_H
#define ARMLET_MACHINE_WATCHDOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct machine;

struct watchdog {
	uint64_t counter_before; /* how far the host's counter is ahead of the guest's */
	atomic_uint seconds;     /* of the last bite, */
	atomic_int cpu;          /* and as of struct machine_hang */
	int64_t bitten_ns;       /* the main thread's: when that was seen to */
};

/* Part of board_build(): nothing, if there is to be none. -errno. */
int board_plug_watchdog(struct machine *machine);

/* The main thread: the machine is held, or goes on. */
void watchdog_hold(struct machine *machine, bool on);

/* The main thread: it has bitten. Tell of it, and do what the configuration says. */
void watchdog_act(struct machine *machine);

#endif
