/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watchpoints of the guest's own debugger (Arm ARM DDI 0487, D2.10 "Watchpoint exceptions").
 * The hardware looks for them after stage 2 has let an access through; so for one that is
 * done by hand, nobody has. Any thread.
 */
#ifndef ARMLET_ARM64_WATCHPOINT_H
#define ARMLET_ARM64_WATCHPOINT_H

#include "base/util.h"
#include "core/types.h"

#define WATCHPOINTS_MAX 16

struct watchpoint {
	uint64_t wvr; /* DBGWVRn_EL1 */
	uint64_t wcr; /* DBGWCRn_EL1 */
};

struct watched_access {
	gva_t addr; /* without a tag */
	unsigned size;
	bool read;
	bool write;
	bool as_el0; /* with the rights of EL0 */
};

/* Whether watchpoint exceptions are taken at all, with these MDSCR_EL1 and PSTATE. */
bool watchpoints_enabled(uint64_t mdscr, uint64_t pstate);

/*
 * Whether @access hits @watchpoint; *ret_addr is then what FAR_EL1 gets. One that is linked
 * to a context breakpoint (WCR.WT) hits if @context, the answer of that, is true.
 */
bool watchpoint_hit(const struct watchpoint *watchpoint, const struct watched_access *access,
		    bool context, gva_t *ret_addr);

/* The number of the breakpoint that it is linked to, or -1. */
int watchpoint_link(const struct watchpoint *watchpoint);

/* Whether that breakpoint, by its DBGBCR and DBGBVR, is one of contexts and matches. */
bool watchpoint_context(uint64_t bcr, uint64_t bvr, uint64_t contextidr);

#endif
