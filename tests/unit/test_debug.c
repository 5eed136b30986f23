/* SPDX-License-Identifier: Apache-2.0 */
/* Debug registers, steps that mask interrupts, debug exceptions, names of registers. */
#include <string.h>

#include "arm64/debug.h"
#include "arm64/exception.h"
#include "arm64/sysreg_name.h"
#include "unit.h"

/* DBGWCR: enabled, EL1 and EL0, then what is watched. */
#define WCR(lsc, bas, mask) \
	(7 | (uint64_t)(lsc) << 3 | (uint64_t)(bas) << 5 | (uint64_t)(mask) << 24)

static const struct watch_row {
	gva_t addr;
	uint64_t size;
	enum debug_watch watch;
	int r;
	struct debug_pair pair;
} watch_rows[] = {
	{0x1000, 1, DEBUG_WATCH_WRITE, 0, {0x1000, WCR(2, 0x01, 0)}},
	{0x1003, 2, DEBUG_WATCH_READ, 0, {0x1000, WCR(1, 0x18, 0)}},
	{0x1004, 4, DEBUG_WATCH_BOTH, 0, {0x1000, WCR(3, 0xf0, 0)}},
	{0x1008, 8, DEBUG_WATCH_WRITE, 0, {0x1008, WCR(2, 0xff, 0)}},
	{0x1010, 16, DEBUG_WATCH_WRITE, 0, {0x1010, WCR(2, 0xff, 4)}},
	{0x80000000, UINT64_C(1) << 31, DEBUG_WATCH_BOTH, 0, {0x80000000, WCR(3, 0xff, 31)}},
	{0x1000, 0, DEBUG_WATCH_WRITE, -EINVAL, {0}},
	{0x1007, 2, DEBUG_WATCH_WRITE, -EINVAL, {0}},
	{0x1008, 16, DEBUG_WATCH_WRITE, -EINVAL, {0}},
	{0x1000, 24, DEBUG_WATCH_WRITE, -EINVAL, {0}},
	{0, UINT64_C(1) << 32, DEBUG_WATCH_WRITE, -EINVAL, {0}},
};

START_TEST(test_watchpoints)
{
	const struct watch_row *row = &watch_rows[_i];
	struct debug_pair pair = {0};

	ck_assert_int_eq(debug_watchpoint(row->addr, row->size, row->watch, &pair), row->r);
	ck_assert_uint_eq(pair.value, row->pair.value);
	ck_assert_uint_eq(pair.control, row->pair.control);
}
END_TEST

START_TEST(test_breakpoint)
{
	struct debug_pair pair = debug_breakpoint(0xffff800008001234);

	ck_assert_uint_eq(pair.value, 0xffff800008001234);
	ck_assert_uint_eq(pair.control, 0x1e7);
}
END_TEST

#define I    UINT64_C(0x80)
#define F    UINT64_C(0x40)
#define EL1H UINT64_C(5)
#define PC   UINT64_C(0x40001000)
#define VBAR UINT64_C(0x40008000)

/* What an instruction makes of PSTATE while I and F are set for the step. */
static const struct step_row {
	const char *what;
	uint32_t word;
	uint64_t before;        /* PSTATE before it */
	struct debug_cpu after; /* as the CPU leaves it */
	struct debug_cpu wanted;
} step_rows[] = {
	{"nop",
	 0xd503201f,
	 EL1H,
	 {PC + 4, EL1H | I | F, 0, 0, VBAR, 0},
	 {PC + 4, EL1H, 0, 0, VBAR, 0}},
	{"masked before",
	 0xd503201f,
	 EL1H | I,
	 {PC + 4, EL1H | I | F, 0, 0, VBAR, 0},
	 {PC + 4, EL1H | I, 0, 0, VBAR, 0}},
	{"not known",
	 0,
	 EL1H,
	 {PC + 4, EL1H | I | F, 0, 0, VBAR, 0},
	 {PC + 4, EL1H, 0, 0, VBAR, 0}},
	{"mrs x3, daif",
	 0xd53b4223,
	 EL1H,
	 {PC + 4, EL1H | I | F, 0, 0, VBAR, I | F},
	 {PC + 4, EL1H, 0, 0, VBAR, 0}},
	{"msr daifset, #2",
	 0xd50342df,
	 EL1H,
	 {PC + 4, EL1H | I | F, 0, 0, VBAR, 0},
	 {PC + 4, EL1H | I, 0, 0, VBAR, 0}},
	{"msr daifclr, #2",
	 0xd50342ff,
	 EL1H,
	 {PC + 4, EL1H | F, 0, 0, VBAR, 0},
	 {PC + 4, EL1H, 0, 0, VBAR, 0}},
	{"msr daif, x3",
	 0xd51b4223,
	 EL1H,
	 {PC + 4, EL1H | I, 0, 0, VBAR, 0},
	 {PC + 4, EL1H | I, 0, 0, VBAR, 0}},
	{"eret",
	 0xd69f03e0,
	 EL1H,
	 {0x1000, I, 0x1000, I, VBAR, 0},
	 {0x1000, I, 0x1000, I, VBAR, 0}},
	{"svc",
	 0xd4000001,
	 0,
	 {VBAR + 0x400, EL1H | I | F, PC + 4, I | F, VBAR, 0},
	 {VBAR + 0x400, EL1H | I | F, PC + 4, 0, VBAR, 0}},
	{"a fault",
	 0xf9400000,
	 EL1H,
	 {VBAR + 0x200, EL1H | I | F, PC, EL1H | I | F, VBAR, 0},
	 {VBAR + 0x200, EL1H | I | F, PC, EL1H, VBAR, 0}},
	{"not done",
	 0xd50342df,
	 EL1H,
	 {PC, EL1H | I | F, 0, 0, VBAR, 0},
	 {PC, EL1H, 0, 0, VBAR, 0}},
};

START_TEST(test_steps)
{
	const struct step_row *row = &step_rows[_i];
	struct debug_cpu cpu = {.pc = PC, .pstate = row->before, .vbar = VBAR};
	struct debug_step step;

	debug_mask(&step, row->word, &cpu);
	ck_assert_uint_eq(cpu.pstate, row->before | I | F);
	cpu = row->after;
	debug_unmask(&step, &cpu);
	ck_assert_msg(!memcmp(&cpu, &row->wanted, sizeof(cpu)),
		      "%s: PSTATE 0x%lx SPSR 0x%lx X 0x%lx", row->what, (unsigned long)cpu.pstate,
		      (unsigned long)cpu.spsr, (unsigned long)cpu.x);
	ck_assert_int_eq(debug_read_masks(&step), row->word == 0xd53b4223 ? 3 : -1);
}
END_TEST

static const struct {
	uint64_t pstate;
	uint64_t esr; /* ESR_EL2 */
	uint64_t wanted;
	uint64_t vector;
} exception_rows[] = {
	{EL1H, UINT64_C(0x3c) << 26 | BIT(25) | 0x800, UINT64_C(0x3c) << 26 | BIT(25) | 0x800,
	 0x200},
	{0, UINT64_C(0x3c) << 26 | BIT(25) | 1, UINT64_C(0x3c) << 26 | BIT(25) | 1, 0x400},
	{EL1H, UINT64_C(0x34) << 26 | 0x22, UINT64_C(0x35) << 26 | 0x22, 0x200},
	{0, UINT64_C(0x30) << 26 | 0x22, UINT64_C(0x30) << 26 | 0x22, 0x400},
};

START_TEST(test_exceptions)
{
	struct exception exception = {
		.pc = PC, .pstate = exception_rows[_i].pstate, .vbar = VBAR, .far = 0x77};

	exception_take_debug(&exception, exception_rows[_i].esr);
	ck_assert_uint_eq(exception.esr, exception_rows[_i].wanted);
	ck_assert_uint_eq(exception.pc, VBAR + exception_rows[_i].vector);
	ck_assert_uint_eq(exception.elr, PC);
	ck_assert_uint_eq(exception.spsr, exception_rows[_i].pstate);
	ck_assert_uint_eq(exception.far, 0x77);
	ck_assert_uint_eq(exception.pstate & (I | F | 0xf), I | F | EL1H);
}
END_TEST

static const struct {
	uint16_t sysreg;
	const char *name;
} name_rows[] = {
	{SYSREG_SCTLR_EL1, "SCTLR_EL1"},
	{SYSREG(2, 0, 0, 2, 0), "MDCCINT_EL1"},
	{SYSREG(3, 4, 5, 3, 0), "FPEXC32_EL2"},
	{SYSREG_DBGBVR_EL1(0), "DBGBVR0_EL1"},
	{SYSREG_DBGWCR_EL1(15), "DBGWCR15_EL1"},
	{SYSREG(3, 3, 14, 8, 0), "PMEVCNTR0_EL0"},
	{SYSREG(3, 3, 14, 11, 6), "PMEVCNTR30_EL0"},
	{SYSREG(3, 3, 14, 15, 6), "PMEVTYPER30_EL0"},
	{SYSREG(3, 3, 14, 15, 7), "PMCCFILTR_EL0"},
	{SYSREG(3, 0, 15, 2, 1), "S3_0_C15_C2_1"},
	{UINT16_MAX, "S3_7_C15_C15_7"},
};

START_TEST(test_names)
{
	char text[SYSREG_NAME_MAX];

	ck_assert_str_eq(sysreg_name(name_rows[_i].sysreg, text), name_rows[_i].name);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_watchpoints, ARRAY_SIZE(watch_rows)),
	UNIT_CASE(test_breakpoint),
	UNIT_LOOP(test_steps, ARRAY_SIZE(step_rows)),
	UNIT_LOOP(test_exceptions, ARRAY_SIZE(exception_rows)),
	UNIT_LOOP(test_names, ARRAY_SIZE(name_rows)),
	{0},
};
const char unit_name[] = "debug";
