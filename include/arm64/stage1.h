/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 of the EL1&0 translation regime: where a virtual address of the guest leads to,
 * by the guest's own tables (Arm ARM DDI 0487, D8 "The AArch64 Virtual Memory System
 * Architecture"). All granules, input sizes up to 52 bits, output sizes up to 52
 * (FEAT_LPA, FEAT_LVA, FEAT_LPA2), hierarchical permissions, PAN with EPAN, E0PD, hardware
 * management of the Access flag and of dirty state, permission indirection (FEAT_S1PIE).
 *
 * The tables are the guest's and change at any time: each descriptor is read once.
 * Any thread.
 */
#ifndef ARMLET_ARM64_STAGE1_H
#define ARMLET_ARM64_STAGE1_H

#include "core/guest_mem.h"

/* The registers that rule it, by their names at EL1. */
struct stage1 {
	uint64_t sctlr;
	uint64_t tcr;
	uint64_t ttbr[2];
	bool indirect; /* TCR2_EL1.PIE: the permissions are in these two */
	uint64_t pir;
	uint64_t pire0;
};

/* What is to be done there; a set. */
enum stage1_access {
	STAGE1_READ = 1,
	STAGE1_WRITE = 2,
	STAGE1_FETCH = 4, /* of what the CPU has fetched already: permission is not asked */
	STAGE1_EL0 = 8,   /* with the rights of EL0 */
	STAGE1_PAN = 16,  /* PSTATE.PAN */
};

/* An address of data without the tag that it may have: bits 63:56 are as bit 55 then. */
gva_t stage1_strip_tag(const struct stage1 *stage1, gva_t addr);

/*
 * @addr as it is once its pointer authentication code has been found to be right: with
 * copies of bit 55 in the code's place (DDI 0487, D8.10). A tag, if it may have one, stays.
 */
gva_t stage1_strip_code(const struct stage1 *stage1, gva_t addr);

/*
 * Translate @addr. Sets the Access flag and dirty state where the guest has the hardware do
 * so. -EFAULT: it faults; @ret_status is then the fault status code, as ESR_EL1.DFSC has it.
 */
int stage1_walk(const struct stage1 *stage1, const struct guest_mem *mem, gva_t addr,
		unsigned access, gpa_t *ret, unsigned *ret_status);

/* What such a walk looks at, from the first table to the page or block. */
#define STAGE1_LEVELS 5
struct stage1_step {
	int level; /* -1 to 3 */
	gpa_t at;
	uint64_t desc;
	bool leads; /* it is a table, a block or a page, whose address is @next */
	gpa_t next;
};

/* What may be done at the end of it, whatever PSTATE says; [0] by EL0, [1] by EL1. */
struct stage1_rights {
	bool read[2];
	bool write[2];
	bool execute[2];
};

struct stage1_path {
	bool flat;        /* stage 1 is off: there is no table */
	bool upper;       /* by TTBR1_EL1 */
	unsigned granule; /* log2 of its bytes */
	unsigned input;   /* bits of the address */
	unsigned count;   /* of steps */
	struct stage1_step steps[STAGE1_LEVELS];
	gpa_t addr;      /* that it leads to */
	uint64_t size;   /* bytes of the page or block */
	unsigned status; /* as stage1_walk() has it, if it leads nowhere */
	struct stage1_rights rights;
};

/*
 * Where @addr leads to, for somebody who only looks: permissions and the Access flag are not
 * asked for, and nothing is written. -EFAULT as of stage1_walk(); @ret says how far it came.
 */
int stage1_look(const struct stage1 *stage1, const struct guest_mem *mem, gva_t addr,
		struct stage1_path *ret);

/* Every page begins and ends at a multiple of this, whatever the granule. */
#define STAGE1_PAGE_MIN (4 * KIB)

#endif
