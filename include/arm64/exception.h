/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions that are taken to EL1 because we say so (Arm ARM DDI 0487, D1.3.6
 * "Exception entry"), and their syndromes. Any thread.
 */
#ifndef ARMLET_ARM64_EXCEPTION_H
#define ARMLET_ARM64_EXCEPTION_H

#include "base/util.h"
#include "core/types.h"

/* A data abort or a watchpoint, as ESR_EL1's ISS and FAR_EL1 tell of it (D24.2.40). */
struct abort {
	gva_t addr;
	unsigned status; /* DFSC; ABORT_WATCHPOINT: it is one */
	bool write;      /* WnR */
};

#define ABORT_WATCHPOINT 0x22

/* What of a CPU changes when it takes an exception, and what it depends on. */
struct exception {
	uint64_t pc;     /* in: of the instruction; out: of the vector */
	uint64_t pstate; /* in and out, as SPSR_EL1 has it */
	uint64_t vbar;
	uint64_t sctlr;
	uint64_t elr; /* out, and all below */
	uint64_t spsr;
	uint64_t esr;
	uint64_t far;
};

/* The CPU, in AArch64, takes @abort. */
void exception_take_abort(struct exception *exception, const struct abort *abort);

/*
 * The CPU, in AArch64, takes the debug exception that EL2 was told of by @esr (ESR_EL2), which
 * might as well have been taken to EL1. @exception->far stays what it is.
 */
void exception_take_debug(struct exception *exception, uint64_t esr);

#endif
