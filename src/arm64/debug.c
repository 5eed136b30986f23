/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/debug.h"

#include "arm64/sysreg.h"

/* DBGBCR_EL1 and DBGWCR_EL1 (DDI 0487, D24.3.2 and D24.3.12). */
#define CONTROL_ENABLE     BIT(0)
#define CONTROL_EL1_EL0    (UINT64_C(3) << 1) /* PMC, PAC */
#define CONTROL_LSC_SHIFT  3
#define CONTROL_BAS_SHIFT  5
#define CONTROL_MASK_SHIFT 24
#define BAS_WORD           UINT64_C(0xf)
#define BAS_ALL            UINT64_C(0xff)
#define MASK_MIN           3 /* eight bytes */
#define MASK_MAX           31

struct debug_pair debug_breakpoint(gva_t addr)
{
	return (struct debug_pair){.value = addr,
				   .control = CONTROL_ENABLE | CONTROL_EL1_EL0 |
					      BAS_WORD << CONTROL_BAS_SHIFT};
}

int debug_watchpoint(gva_t addr, uint64_t size, enum debug_watch watch, struct debug_pair *ret)
{
	uint64_t control = CONTROL_ENABLE | CONTROL_EL1_EL0 | (uint64_t)watch << CONTROL_LSC_SHIFT;
	unsigned offset = addr & 7;

	if (size > 0 && size <= 8 - offset) {
		control |= (BIT(size) - 1) << offset << CONTROL_BAS_SHIFT;
	} else {
		unsigned mask = size ? (unsigned)__builtin_ctzll(size) : 0;

		if (mask < MASK_MIN || mask > MASK_MAX || size != BIT(mask) ||
		    !is_aligned(addr, size))
			return -EINVAL;
		control |= BAS_ALL << CONTROL_BAS_SHIFT | (uint64_t)mask << CONTROL_MASK_SHIFT;
	}
	*ret = (struct debug_pair){.value = addr - offset, .control = control};
	return 0;
}

/* Instructions that have to do with PSTATE.DAIF (DDI 0487, C6.2 and C5.2.2). */
#define MSR_DAIFSET  UINT32_C(0xd50340df)
#define MSR_DAIFCLR  UINT32_C(0xd50340ff)
#define MSR_IMM_MASK UINT32_C(0xfffff0ff)
#define MSR_DAIF     UINT32_C(0xd51b4220)
#define MRS_DAIF     UINT32_C(0xd53b4220)
#define MRS_RT_MASK  UINT32_C(0xffffffe0)
#define ERET         UINT32_C(0xd69f03e0)
#define ERETAA       UINT32_C(0xd69f0bff)
#define ERETAB       UINT32_C(0xd69f0fff)

#define MASKS (PSTATE_I | PSTATE_F)

void debug_mask(struct debug_step *step, uint32_t word, struct debug_cpu *cpu)
{
	step->pc = cpu->pc;
	step->word = word;
	step->masked = MASKS & ~cpu->pstate;
	cpu->pstate |= MASKS;
}

int debug_read_masks(const struct debug_step *step)
{
	unsigned rt = step->word & 0x1f;

	return (step->word & MRS_RT_MASK) == MRS_DAIF && rt < 31 ? (int)rt : -1;
}

/* The instruction was not done: the CPU is at one of its vectors because of it. */
static bool was_taken(const struct debug_step *step, const struct debug_cpu *cpu)
{
	uint64_t offset = cpu->pc - cpu->vbar;

	return (cpu->elr == step->pc || cpu->elr == step->pc + 4) && offset < 0x800 &&
	       is_aligned(offset, 0x80);
}

/* Which of the bits that it found set it has set itself. */
static uint64_t set_by_itself(const struct debug_step *step, const struct debug_cpu *cpu)
{
	if (cpu->pc == step->pc)
		return 0;
	if ((step->word & MSR_IMM_MASK) == MSR_DAIFSET)
		return (uint64_t)(step->word >> 8 & 0xf) << 6;
	if ((step->word & MRS_RT_MASK) == MSR_DAIF || step->word == ERET || step->word == ERETAA ||
	    step->word == ERETAB)
		return cpu->pstate;
	return 0;
}

void debug_unmask(const struct debug_step *step, struct debug_cpu *cpu)
{
	if (was_taken(step, cpu)) {
		cpu->spsr &= ~step->masked;
		return;
	}
	if (cpu->pc != step->pc && debug_read_masks(step) >= 0)
		cpu->x &= ~step->masked;
	cpu->pstate &= ~step->masked | set_by_itself(step, cpu);
}
