/* SPDX-License-Identifier: Apache-2.0 */
#include "restart.h"

#include "unit.h"

static const struct {
	enum restart_policy policy;
	int status;
	bool wanted;
} policies[] = {
	{RESTART_NEVER, 0, false},       {RESTART_NEVER, 255, false},
	{RESTART_ON_FAILURE, 0, false},  {RESTART_ON_FAILURE, 255, true},
	{RESTART_ON_FAILURE, 125, true}, {RESTART_ALWAYS, 0, true},
	{RESTART_ALWAYS, 255, true},
};

START_TEST(test_policy)
{
	const struct restart restart = {.policy = policies[_i].policy};

	ck_assert(restart_wanted(&restart, policies[_i].status) == policies[_i].wanted);
}
END_TEST

/* How long each life takes, and the delay behind it. */
static const struct {
	uint64_t ran_ms;
	uint64_t delay_ms;
} lives[] = {
	{0, 100},     {0, 200},   {9999, 400},       {10, 800},      {0, 1600},  {0, 3200},
	{0, 6400},    {0, 12800}, {0, 25600},        {0, 51200},     {0, 60000}, {0, 60000},
	{10000, 100}, {0, 200},   {UINT64_MAX, 100}, {3600000, 100},
};

START_TEST(test_delays)
{
	struct restart restart = {.policy = RESTART_ALWAYS};

	for (unsigned i = 0; i < ARRAY_SIZE(lives); i++) {
		ck_assert_uint_eq(restart_next(&restart, lives[i].ran_ms), lives[i].delay_ms);
		ck_assert_uint_eq(restart.delay_ms, lives[i].delay_ms);
		ck_assert_uint_eq(restart.count, i + 1);
	}
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_policy, ARRAY_SIZE(policies)),
	UNIT_CASE(test_delays),
	{0},
};
const char unit_name[] = "restart";
