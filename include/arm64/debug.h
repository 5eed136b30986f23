/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debugging a CPU from outside of it (Arm ARM DDI 0487, D2 "AArch64 Self-hosted Debug"):
 * what breakpoint and watchpoint registers are set to, and one step at a time without the
 * interrupts that wait. Any thread.
 */
#ifndef ARMLET_ARM64_DEBUG_H
#define ARMLET_ARM64_DEBUG_H

#include "base/util.h"
#include "core/types.h"

/* ESR_ELx.EC of debug exceptions that come from a lower level (D24.2.40). */
enum {
	DEBUG_CLASS_BREAKPOINT = 0x30,
	DEBUG_CLASS_STEP = 0x32,
	DEBUG_CLASS_WATCHPOINT = 0x34,
	DEBUG_CLASS_BRK = 0x3c,
};

static inline unsigned debug_class(uint64_t esr)
{
	return (unsigned)(esr >> 26) & 0x3f;
}

/* BRK #0 (C6.2.42). */
#define DEBUG_BRK UINT32_C(0xd4200000)

/* A pair of value and control register, enabled, for EL0 and EL1. */
struct debug_pair {
	uint64_t value;
	uint64_t control;
};

/* DBGBVR and DBGBCR for the instruction at @addr, a multiple of 4. */
struct debug_pair debug_breakpoint(gva_t addr);

enum debug_watch { DEBUG_WATCH_READ = 1, DEBUG_WATCH_WRITE = 2, DEBUG_WATCH_BOTH = 3 };

/*
 * DBGWVR and DBGWCR for [@addr, @addr + @size): within eight aligned bytes, or a power of two
 * that @addr is a multiple of, up to 2 GiB. -EINVAL: no such pair does it.
 */
int debug_watchpoint(gva_t addr, uint64_t size, enum debug_watch watch, struct debug_pair *ret);

/*
 * A step during which interrupts are masked, which the CPU is not to see. debug_mask()
 * remembers @cpu, and sets the masks; after the step debug_unmask() makes @cpu as if they
 * had not been set, whatever the instruction was: one that reads or writes the masks, or
 * that was taken as an exception.
 */
struct debug_cpu {
	uint64_t pc;
	uint64_t pstate;
	uint64_t elr; /* of EL1, as the next two */
	uint64_t spsr;
	uint64_t vbar;
	uint64_t x; /* the register that debug_read_masks() tells of */
};

struct debug_step {
	uint64_t pc;
	uint32_t word;   /* the instruction; 0: not known */
	uint64_t masked; /* bits of PSTATE that were set for the step */
};

void debug_mask(struct debug_step *step, uint32_t word, struct debug_cpu *cpu);
void debug_unmask(const struct debug_step *step, struct debug_cpu *cpu);

/* The number of the register that the instruction reads the masks into, or -1. */
int debug_read_masks(const struct debug_step *step);

#endif
