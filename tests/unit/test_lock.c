/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include <pthread.h>

#include "base/util.h"
#include "unit.h"

#define THREADS 4
#define ROUNDS  100000

struct counter {
	struct lock lock;
	unsigned count;
	unsigned inside;
};

static void *count_up(void *data)
{
	struct counter *counter = data;

	for (unsigned i = 0; i < ROUNDS; i++) {
		lock_take(&counter->lock);
		ck_assert_uint_eq(counter->inside++, 0);
		counter->count++;
		counter->inside--;
		lock_give(&counter->lock);
	}
	return NULL;
}

/* One at a time, and nobody is left waiting. */
START_TEST(test_threads)
{
	struct counter counter = {0};
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_up, &counter), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(counter.count, THREADS * ROUNDS);
	ck_assert(lock_try(&counter.lock));
}
END_TEST

START_TEST(test_try)
{
	struct lock lock = {0};

	ck_assert(lock_try(&lock));
	ck_assert(!lock_try(&lock));
	lock_give(&lock);
	ck_assert(lock_try(&lock));
	lock_give(&lock);
	lock_take(&lock);
	ck_assert(!lock_try(&lock));
	lock_give(&lock);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_threads),
	UNIT_CASE(test_try),
	{0},
};
const char unit_name[] = "lock";
