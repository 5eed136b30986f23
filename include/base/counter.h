/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters that one thread at a time counts with, and any may look at: some plain
 * instructions for the one, and never half a number for the others.
 */
#ifndef ARMLET_BASE_COUNTER_H
#define ARMLET_BASE_COUNTER_H

#include <stdint.h>

static inline uint64_t counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* The counting thread. */
static inline void counter_add(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, *counter + value, __ATOMIC_RELAXED);
}

#endif
