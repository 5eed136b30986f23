/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arm ARM (DDI 0487), D7.5 "Cache maintenance instructions": DC CVAC, which
 * Linux lets user space execute (SCTLR_EL1.UCI), and CTR_EL0 for the line size
 * (SCTLR_EL1.UCT, or emulated).
 */
#include "cache.h"

#include <stdint.h>

#define CTR_EL0_DMINLINE_SHIFT 16
#define CTR_EL0_DMINLINE_MASK  0xf
#define WORD_BYTES             4

/* Bytes of the smallest data cache line: DminLine is the log2 of its words. */
static uintptr_t line_size(void)
{
	uint64_t ctr_el0;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr_el0));
	return (uintptr_t)WORD_BYTES << (ctr_el0 >> CTR_EL0_DMINLINE_SHIFT & CTR_EL0_DMINLINE_MASK);
}

void cache_clean_poc(const void *data, size_t size)
{
	uintptr_t line = line_size();
	uintptr_t end = (uintptr_t)data + size;

	for (uintptr_t at = (uintptr_t)data & ~(line - 1); at < end; at += line)
		__asm__ volatile("dc cvac, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb sy" : : : "memory");
}
