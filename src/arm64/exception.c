/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/exception.h"

#include "arm64/debug.h"
#include "arm64/sysreg.h"

/* Offsets into the vectors of synchronous exceptions (DDI 0487, D1.3.5.1). */
#define VECTOR_SP_EL0 0x000
#define VECTOR_SP_EL1 0x200
#define VECTOR_LOWER  0x400

/* ESR_EL1 (D24.2.40). */
#define ESR_EC(class)       ((uint64_t)(class) << 26)
#define ESR_IL              BIT(25) /* the instruction has 32 bits */
#define ESR_WNR             BIT(6)
#define EC_DATA_ABORT_LOWER 0x24
#define EC_WATCHPOINT_LOWER 0x34
#define EC_FROM_SAME        1 /* more, if it is taken from EL1 itself */

static uint64_t vector(const struct exception *exception)
{
	if (!(exception->pstate & PSTATE_EL))
		return VECTOR_LOWER;
	return (exception->pstate & PSTATE_M) == PSTATE_EL1H ? VECTOR_SP_EL1 : VECTOR_SP_EL0;
}

/* Bits that are of features which the CPU lacks are not there in @old, and are not set. */
static uint64_t entry_pstate(uint64_t old, uint64_t sctlr)
{
	uint64_t pstate = old & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN | PSTATE_TCO);

	pstate |= PSTATE_DAIF | PSTATE_EL1H;
	if (!(sctlr & SCTLR_SPAN))
		pstate |= PSTATE_PAN;
	if (sctlr & SCTLR_DSSBS)
		pstate |= PSTATE_SSBS;
	return pstate;
}

static void enter(struct exception *exception, uint64_t esr)
{
	exception->esr = esr;
	exception->elr = exception->pc;
	exception->spsr = exception->pstate;
	exception->pc = exception->vbar + vector(exception);
	exception->pstate = entry_pstate(exception->pstate, exception->sctlr);
}

void exception_take_abort(struct exception *exception, const struct abort *abort)
{
	unsigned class =
		abort->status == ABORT_WATCHPOINT ? EC_WATCHPOINT_LOWER : EC_DATA_ABORT_LOWER;

	if (exception->pstate & PSTATE_EL)
		class += EC_FROM_SAME;
	exception->far = abort->addr;
	enter(exception, ESR_EC(class) | ESR_IL | (abort->write ? ESR_WNR : 0) | abort->status);
}

void exception_take_debug(struct exception *exception, uint64_t esr)
{
	/* A breakpoint instruction has one class for all levels. */
	if (debug_class(esr) != DEBUG_CLASS_BRK && exception->pstate & PSTATE_EL)
		esr += ESR_EC(EC_FROM_SAME);
	enter(exception, esr);
}
