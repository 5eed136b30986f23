/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a machine that has ended begins anew, and how soon: as docker does it. What a
 * person has ended is ended, which is the caller's to know.
 *
 * A machine that ends over and over waits longer each time, from a tenth of a second to
 * a minute. One that has run for a while has found its way, and is not made to wait.
 */
#ifndef ARMLET_CLI_RESTART_H
#define ARMLET_CLI_RESTART_H

#include "base/util.h"

#define RESTART_FIRST_MS 100
#define RESTART_MAX_MS   60000
#define RESTART_WELL_MS  10000 /* who has run so long begins with the first delay again */

enum restart_policy {
	RESTART_NEVER,
	RESTART_ON_FAILURE, /* the status is not 0 */
	RESTART_ALWAYS,
};

struct restart {
	enum restart_policy policy;
	uint32_t count;    /* of restarts so far */
	uint64_t delay_ms; /* before the last one; 0: there was none */
};

/* Whether a machine that has ended with this status by itself begins anew. */
bool restart_wanted(const struct restart *restart, int status);

/* It does, after having run for @ran_ms: count that, and return the delay. */
uint64_t restart_next(struct restart *restart, uint64_t ran_ms);

#endif
