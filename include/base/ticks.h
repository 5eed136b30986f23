/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finest time that can be had in an instruction or two: on arm64 the virtual counter,
 * whose frequency is the machine's own (DDI 0487, D12.1), elsewhere nanoseconds.
 *
 * Threads: any.
 */
#ifndef ARMLET_BASE_TICKS_H
#define ARMLET_BASE_TICKS_H

#include "base/now.h"

#ifdef __aarch64__

static inline uint64_t ticks_now(void)
{
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}

static inline uint64_t ticks_frequency(void)
{
	uint64_t frequency;

	__asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
	return frequency;
}

#else

static inline uint64_t ticks_now(void)
{
	return (uint64_t)now_ns();
}

static inline uint64_t ticks_frequency(void)
{
	return UINT64_C(1000000000);
}

#endif

/* What so many ticks are in ns, if there are @frequency in a second (not 0). */
static inline uint64_t ticks_to_ns(uint64_t ticks, uint64_t frequency)
{
	return (uint64_t)((unsigned __int128)ticks * UINT64_C(1000000000) / frequency);
}

#endif
