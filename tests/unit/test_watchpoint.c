/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/watchpoint.h"

#include "arm64/sysreg.h"
#include "unit.h"

#define E       1
#define EL1     (1 << 1)
#define EL0     (1 << 2)
#define LOAD    (1 << 3)
#define STORE   (1 << 4)
#define BAS(n)  ((uint64_t)(n) << 5)
#define MASK(n) ((uint64_t)(n) << 24)
#define WT(n)   (BIT(20) | (uint64_t)(n) << 16)
#define ALL     (E | EL1 | EL0 | LOAD | STORE)

static const struct {
	struct watchpoint watchpoint;
	struct watched_access access;
	gva_t hit; /* 0: none */
} rows[] = {
	{{0x1000, ALL | BAS(0xff)}, {0x1000, 8, true, false, false}, 0x1000},
	{{0x1000, ALL | BAS(0xff)}, {0xff8, 16, true, false, false}, 0x1000},
	{{0x1000, ALL | BAS(0xff)}, {0xff8, 8, true, false, false}, 0},
	{{0x1000, ALL | BAS(0xff)}, {0x1007, 1, true, false, false}, 0x1007},
	{{0x1000, ALL | BAS(0xff)}, {0x1008, 8, true, false, false}, 0},
	{{0x1000, ALL | BAS(0xc)}, {0x1000, 2, true, false, false}, 0},
	{{0x1000, ALL | BAS(0xc)}, {0x1000, 4, true, false, false}, 0x1002},
	{{0x1004, ALL | BAS(0xff)}, {0x1000, 4, true, false, false}, 0},
	{{0x1004, ALL | BAS(0xff)}, {0x1000, 8, true, false, false}, 0x1004},
	{{0x1004, ALL | BAS(0xff)}, {0x1008, 4, true, false, false}, 0},
	{{0x1000, ALL | BAS(0xff) | MASK(12)}, {0x1ff8, 16, true, false, false}, 0x1ff8},
	{{0x1000, ALL | BAS(0xff) | MASK(12)}, {0xff8, 16, true, false, false}, 0x1000},
	{{0x1000, ALL | BAS(0xff) | MASK(12)}, {0x2000, 8, true, false, false}, 0},
	{{0x1000, ALL | BAS(0xff) | MASK(31)}, {0x7fffffff, 1, true, false, false}, 0x7fffffff},
	/* Direction, level, switch. */
	{{0x1000, (ALL & ~E) | BAS(0xff)}, {0x1000, 8, true, false, false}, 0},
	{{0x1000, (ALL & ~LOAD) | BAS(0xff)}, {0x1000, 8, true, false, false}, 0},
	{{0x1000, (ALL & ~LOAD) | BAS(0xff)}, {0x1000, 8, true, true, false}, 0x1000},
	{{0x1000, (ALL & ~STORE) | BAS(0xff)}, {0x1000, 8, false, true, false}, 0},
	{{0x1000, (ALL & ~EL1) | BAS(0xff)}, {0x1000, 8, true, false, false}, 0},
	{{0x1000, (ALL & ~EL1) | BAS(0xff)}, {0x1000, 8, true, false, true}, 0x1000},
	{{0x1000, (ALL & ~EL0) | BAS(0xff)}, {0x1000, 8, true, false, true}, 0},
	/* The last byte there is. */
	{{0xfffffffffffffff8, ALL | BAS(0x80)},
	 {0xfffffffffffffff8, 8, true, false, false},
	 UINT64_MAX},
};

START_TEST(test_rows)
{
	gva_t addr = 0;
	bool hit = watchpoint_hit(&rows[_i].watchpoint, &rows[_i].access, false, &addr);

	ck_assert_int_eq(hit, rows[_i].hit != 0);
	ck_assert_uint_eq(addr, rows[_i].hit);
}
END_TEST

START_TEST(test_linked)
{
	const struct watchpoint plain = {0x1000, ALL | BAS(0xff)};
	const struct watchpoint linked = {0x1000, ALL | BAS(0xff) | WT(5)};
	const struct watched_access access = {0x1000, 8, true, false, false};
	gva_t addr;

	ck_assert_int_eq(watchpoint_link(&plain), -1);
	ck_assert_int_eq(watchpoint_link(&linked), 5);
	ck_assert(!watchpoint_hit(&linked, &access, false, &addr));
	ck_assert(watchpoint_hit(&linked, &access, true, &addr));
	ck_assert(watchpoint_context(E | 3 << 20, 0x77, 0x100000077));
	ck_assert(watchpoint_context(E | 2 << 20, 0x77, 0x77));
	ck_assert(!watchpoint_context(E | 3 << 20, 0x77, 0x78));
	ck_assert(!watchpoint_context(E, 0x77, 0x77)); /* an address is no context */
	ck_assert(!watchpoint_context(3 << 20, 0x77, 0x77));
}
END_TEST

START_TEST(test_enabled)
{
	ck_assert(!watchpoints_enabled(0, 0));
	ck_assert(watchpoints_enabled(MDSCR_MDE, PSTATE_DAIF));
	ck_assert(!watchpoints_enabled(MDSCR_MDE, PSTATE_EL1H));
	ck_assert(watchpoints_enabled(MDSCR_MDE | MDSCR_KDE, PSTATE_EL1H));
	ck_assert(!watchpoints_enabled(MDSCR_MDE | MDSCR_KDE, PSTATE_EL1H | PSTATE_D));
	ck_assert(!watchpoints_enabled(MDSCR_KDE, PSTATE_EL1H));
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_rows, ARRAY_SIZE(rows)),
	UNIT_CASE(test_linked),
	UNIT_CASE(test_enabled),
	{0},
};
const char unit_name[] = "watchpoint";
