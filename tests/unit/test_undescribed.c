/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses without syndrome, from the exit to the registers and the device, or an abort. */
#include <string.h>

#include "arm64/sysreg.h"
#include "devices/scratch.h"
#include "machine_bench.h"
#include "undescribed.h"
#include "unit.h"

#define CODE   (LAYOUT_RAM + 0x1000)
#define DATA   (LAYOUT_RAM + 0x2000)
#define TABLE  (LAYOUT_RAM + 0x10000)
#define DEVICE LAYOUT_SCRATCH

#define LDP_X1_X2_X0_POST UINT32_C(0xa8c10801) /* ldp x1, x2, [x0], #16 */
#define STP_X1_X2_X0      UINT32_C(0xa9000801)
#define LDXR_X1_X0        UINT32_C(0xc85f7c01)
#define STXR_W3_X1_X0     UINT32_C(0xc8037c01)
#define CLREX             UINT32_C(0xd5033f5f)
#define ADD_X1_X1_1       UINT32_C(0x91000421)
#define NOP               UINT32_C(0xd503201f)
#define LDADD_X1_X2_X0    UINT32_C(0xf8210002)

struct bench {
	struct machine_bench machine;
	struct vcpu *vcpu;
	struct fake_cpu cpu;
	struct vcpu_exit exit;
};

/* A vCPU at EL1, its MMU off, about to execute @words with the device's address in X0. */
static void begin(struct bench *bench, const uint32_t *words, size_t count)
{
	struct machine *machine;

	*bench = (struct bench){0};
	machine_bench_open(&bench->machine);
	bench->machine.config.scratch = true;
	machine = machine_bench_build(&bench->machine);
	bench->vcpu = &machine->board.vcpus[0];
	bench->cpu.regs[HYP_REG_X0] = DEVICE;
	bench->cpu.regs[HYP_REG_PC] = CODE;
	bench->cpu.regs[HYP_REG_PSTATE] = PSTATE_EL1H | PSTATE_BTYPE | PSTATE_SS | PSTATE_DAIF;
	fake_host.cpu = &bench->cpu;
	fake_host.extends_signs = false;
	guest_mem_write(machine->mem, CODE, words, count * sizeof(*words));
	bench->exit = (struct vcpu_exit){.reason = VCPU_EXIT_NO_SYNDROME, .addr = DEVICE};
	capture_stderr();
}

static void begin_one(struct bench *bench, uint32_t word)
{
	begin(bench, &word, 1);
}

static const char *end(struct bench *bench)
{
	const char *text = captured_stderr();

	fake_host.cpu = NULL;
	machine_bench_close(&bench->machine);
	return text;
}

static void answer(struct bench *bench)
{
	ck_assert_int_eq(vcpu_handle_exit(bench->vcpu, &bench->exit), VCPU_CONTINUE);
}

static void write_device(struct bench *bench, gpa_t addr, uint64_t value)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_MMIO,
				 .addr = addr,
				 .size = 8,
				 .is_write = true,
				 .value = value};

	ck_assert_int_eq(vcpu_handle_exit(bench->vcpu, &exit), VCPU_CONTINUE);
}

static uint64_t read_device(struct bench *bench, gpa_t addr)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_MMIO, .addr = addr, .size = 8};

	ck_assert_int_eq(vcpu_handle_exit(bench->vcpu, &exit), VCPU_CONTINUE);
	return exit.value;
}

START_TEST(test_load)
{
	struct bench bench;

	begin_one(&bench, LDP_X1_X2_X0_POST);
	write_device(&bench, DEVICE, 0x1122334455667788);
	write_device(&bench, DEVICE + 8, 0x99aabbccddeeff00);
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[1], 0x1122334455667788);
	ck_assert_uint_eq(bench.cpu.regs[2], 0x99aabbccddeeff00);
	ck_assert_uint_eq(bench.cpu.regs[0], DEVICE + 16);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + 4);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PSTATE], PSTATE_EL1H | PSTATE_DAIF);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 0);
	ck_assert_str_eq(end(&bench), "");
}
END_TEST

/* The stack pointer is SP_EL0 or SP_EL1 (DDI 0487, PSTATE.SP). */
START_TEST(test_stack_pointer)
{
	static const struct {
		uint64_t pstate;
		enum hyp_reg sp;
	} rows[] = {{0, HYP_REG_SP_EL0}, {4, HYP_REG_SP_EL0}, {5, HYP_REG_SP_EL1}};
	struct bench bench;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_one(&bench, 0xa8c10be1); /* ldp x1, x2, [sp], #16 */
		bench.cpu.regs[HYP_REG_PSTATE] = rows[i].pstate;
		bench.cpu.regs[rows[i].sp] = DEVICE;
		answer(&bench);
		ck_assert_uint_eq(bench.cpu.regs[rows[i].sp], DEVICE + 16);
		end(&bench);
	}
}
END_TEST

START_TEST(test_vectors_and_atomics)
{
	struct bench bench;

	begin_one(&bench, 0x3c810400); /* str q0, [x0], #16 */
	for (unsigned i = 0; i < 16; i++)
		bench.cpu.vectors[0][i] = (uint8_t)i;
	answer(&bench);
	ck_assert_uint_eq(read_device(&bench, DEVICE + 8), 0x0f0e0d0c0b0a0908);
	end(&bench);

	begin_one(&bench, LDADD_X1_X2_X0);
	write_device(&bench, DEVICE, 40);
	bench.cpu.regs[1] = 2;
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[2], 40);
	ck_assert_uint_eq(read_device(&bench, DEVICE), 42);
	/* Where nothing is, it adds to zero, and the log tells. */
	bench.cpu.regs[0] = 0x0b000000;
	bench.cpu.regs[HYP_REG_PC] = CODE;
	bench.exit.addr = 0x0b000000;
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[2], 0);
	ck_assert_ptr_nonnull(strstr(end(&bench), "no device at 0xb000000"));
}
END_TEST

/* The end of the RAM, and nothing behind it: each part goes where it belongs. */
START_TEST(test_straddles)
{
	struct bench bench;
	uint64_t value = 0x0807060504030201;
	gpa_t last;

	begin_one(&bench, LDP_X1_X2_X0_POST);
	last = LAYOUT_RAM + bench.machine.config.mem - 12;
	guest_mem_write(bench.machine.machine->mem, last, &value, 8);
	guest_mem_write(bench.machine.machine->mem, last + 8, &value, 4);
	bench.cpu.regs[0] = last;
	bench.exit.addr = last + 12;
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[1], value);
	ck_assert_uint_eq(bench.cpu.regs[2], 0x04030201);
	ck_assert_ptr_nonnull(strstr(end(&bench), "4 bytes read as zero"));
}
END_TEST

/* If what is there now has nothing to do with the fault, the vCPU tries again, but not for ever. */
START_TEST(test_retries)
{
	struct bench bench;
	const char *text;

	begin_one(&bench, LDP_X1_X2_X0_POST);
	bench.cpu.regs[0] = DATA;
	for (unsigned i = 0; i < 1000; i++)
		answer(&bench);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 0);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE);
	answer(&bench);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 1);
	text = end(&bench);
	ck_assert_ptr_nonnull(strstr(text,
				     "access to 0xc000000 by the instruction at PC 0x40001000 "
				     "(0xa8c10801), which is not emulated"));
}
END_TEST

START_TEST(test_refused)
{
	struct bench bench;

	begin_one(&bench, NOP);
	answer(&bench);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 1);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE);
	ck_assert_ptr_nonnull(strstr(end(&bench), "(0xd503201f), which is not emulated"));

	begin_one(&bench, LDP_X1_X2_X0_POST);
	bench.cpu.regs[HYP_REG_PSTATE] = PSTATE_NRW; /* AArch32, at EL0 */
	answer(&bench);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 1);
	end(&bench);

	begin_one(&bench, LDP_X1_X2_X0_POST);
	bench.cpu.regs[HYP_REG_PC] = 0x20000000; /* code where no memory is */
	for (unsigned i = 0; i < 1001; i++)
		answer(&bench);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 1);
	ck_assert_ptr_nonnull(strstr(end(&bench), "whose code is not to be found"));
}
END_TEST

/* Map the code, one page of the device and nothing behind it, by 4 KiB pages of 39 bits. */
static void map_device(struct bench *bench, gva_t va)
{
	struct guest_mem *mem = bench->machine.machine->mem;
	uint64_t table2 = (TABLE + 0x1000) | 3;
	uint64_t table3 = (TABLE + 0x2000) | 3;
	uint64_t page = DEVICE | BIT(10) | 3;
	uint64_t block = LAYOUT_RAM | BIT(10) | 1;

	guest_mem_write(mem, TABLE + 8 * (va >> 30), &table2, 8);
	guest_mem_write(mem, TABLE + 8 * (LAYOUT_RAM >> 30), &block, 8);
	guest_mem_write(mem, TABLE + 0x1000 + 8 * (va >> 21 & 511), &table3, 8);
	guest_mem_write(mem, TABLE + 0x2000 + 8 * (va >> 12 & 511), &page, 8);
	hyp_vcpu_set_sysreg(bench->vcpu->hyp, SYSREG_SCTLR_EL1, SCTLR_M | SCTLR_DSSBS);
	hyp_vcpu_set_sysreg(bench->vcpu->hyp, SYSREG_TCR_EL1, 25 | UINT64_C(5) << 32);
	hyp_vcpu_set_sysreg(bench->vcpu->hyp, SYSREG_TTBR0_EL1, TABLE);
	hyp_vcpu_set_sysreg(bench->vcpu->hyp, SYSREG_VBAR_EL1, LAYOUT_RAM + 0x800);
}

static uint64_t sysreg(struct bench *bench, uint16_t reg)
{
	uint64_t value = 0;

	hyp_vcpu_get_sysreg(bench->vcpu->hyp, reg, &value);
	return value;
}

/* A fault of stage 1 in the second half is that fault, with nothing done. */
START_TEST(test_second_page)
{
	static const struct {
		uint32_t word;
		uint64_t pstate;
		uint64_t esr;
		uint64_t vector;
	} rows[] = {
		{LDP_X1_X2_X0_POST, PSTATE_EL1H, 0x96000007, 0x200},
		{STP_X1_X2_X0, PSTATE_EL1H, 0x96000047, 0x200},
		{LDP_X1_X2_X0_POST, 4, 0x96000007, 0x000},
	};
	gva_t va = 0x80005000;
	struct bench bench;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_one(&bench, rows[i].word);
		map_device(&bench, va);
		bench.cpu.regs[HYP_REG_PSTATE] = rows[i].pstate | PSTATE_NZCV;
		bench.cpu.regs[0] = va + 0xff8;
		bench.exit.addr = DEVICE + 0xff8;
		write_device(&bench, DEVICE + 0xff8, 7);
		answer(&bench);
		ck_assert_uint_eq(bench.cpu.regs[0], va + 0xff8);
		ck_assert_uint_eq(bench.cpu.regs[1], 0);
		ck_assert_uint_eq(read_device(&bench, DEVICE + 0xff8), 7);
		ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], LAYOUT_RAM + 0x800 + rows[i].vector);
		ck_assert_uint_eq(bench.cpu.regs[HYP_REG_ELR_EL1], CODE);
		ck_assert_uint_eq(bench.cpu.regs[HYP_REG_SPSR_EL1], rows[i].pstate | PSTATE_NZCV);
		ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PSTATE], PSTATE_EL1H | PSTATE_DAIF |
									  PSTATE_PAN | PSTATE_SSBS |
									  PSTATE_NZCV);
		ck_assert_uint_eq(sysreg(&bench, SYSREG_ESR_EL1), rows[i].esr);
		ck_assert_uint_eq(sysreg(&bench, SYSREG_FAR_EL1), va + 0x1000);
		ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 0);
		end(&bench);
	}
}
END_TEST

/* Of EL0 what EL0 may: this page is not for it, so the tables have changed since the fault. */
START_TEST(test_el0)
{
	gva_t va = 0x80005000;
	struct bench bench;

	begin_one(&bench, LDP_X1_X2_X0_POST);
	map_device(&bench, va);
	bench.cpu.regs[HYP_REG_PSTATE] = 0;
	bench.cpu.regs[0] = va;
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 0);
	/* Big-endian data, of EL0 only. */
	hyp_vcpu_set_sysreg(bench.vcpu->hyp, SYSREG_SCTLR_EL1, SCTLR_E0E);
	bench.cpu.regs[0] = DEVICE;
	write_device(&bench, DEVICE, 0x0102030405060708);
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[1], 0x0807060504030201);
	bench.cpu.regs[0] = DEVICE;
	bench.cpu.regs[HYP_REG_PC] = CODE;
	bench.cpu.regs[HYP_REG_PSTATE] = PSTATE_EL1H;
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[1], 0x0102030405060708);
	end(&bench);
}
END_TEST

/* A watchpoint of the guest's own, by number: only on hosts that let it have so many. */
START_TEST(test_watchpoint)
{
	struct bench bench;

	begin_one(&bench, STP_X1_X2_X0);
	hyp_vcpu_set_sysreg(bench.vcpu->hyp, SYSREG_MDSCR_EL1, MDSCR_MDE | MDSCR_KDE);
	hyp_vcpu_set_sysreg(bench.vcpu->hyp, SYSREG_ID_AA64DFR0_EL1, 3 << ID_AA64DFR0_WRPS);
	hyp_vcpu_set_sysreg(bench.vcpu->hyp, SYSREG_DBGWVR_EL1(3), DEVICE + 8);
	hyp_vcpu_set_sysreg(bench.vcpu->hyp, SYSREG_DBGWCR_EL1(3), 0x1ff3);
	bench.cpu.regs[1] = 1;
	answer(&bench); /* PSTATE.D */
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + 4);
	bench.cpu.regs[HYP_REG_PC] = CODE;
	bench.cpu.regs[HYP_REG_PSTATE] = PSTATE_EL1H;
	bench.cpu.regs[1] = 2;
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], 0x200);
	ck_assert_uint_eq(sysreg(&bench, SYSREG_ESR_EL1), 0xd6000062);
	ck_assert_uint_eq(sysreg(&bench, SYSREG_FAR_EL1), DEVICE + 8);
	ck_assert_uint_eq(read_device(&bench, DEVICE), 1);
	end(&bench);
}
END_TEST

/* A copy's main part, from the RAM to the device: it comes forward, and is executed again. */
START_TEST(test_copy)
{
	static const uint64_t words[] = {0x1111222233334444, 0x5555666677778888, 0x99};
	struct bench bench;
	gpa_t from = CODE + 0x1000 - 8; /* over the end of a page */

	begin_one(&bench, 0x19410440); /* cpyfm [x0]!, [x1]!, x2! */
	guest_mem_write(bench.machine.machine->mem, from, words, sizeof(words));
	bench.cpu.regs[0] = DEVICE + 17;
	bench.cpu.regs[1] = from + 17;
	bench.cpu.regs[2] = (uint64_t)-17;
	answer(&bench);
	ck_assert_int_eq((int64_t)bench.cpu.regs[2], -9);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE);
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[2], 0);
	ck_assert_uint_eq(bench.cpu.regs[0], DEVICE + 17);
	ck_assert_uint_eq(read_device(&bench, DEVICE), words[0]);
	ck_assert_uint_eq(read_device(&bench, DEVICE + 8), words[1]);
	ck_assert_uint_eq(read_device(&bench, DEVICE + 16), words[2]);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE);
	/* The prologue leaves the form of the CPU's option. */
	end(&bench);
	begin_one(&bench, 0x19010440);
	fake_host.copy_option = 1;
	bench.cpu.regs[1] = from;
	bench.cpu.regs[2] = 5;
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + 4);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PSTATE], PSTATE_EL1H | PSTATE_DAIF | BIT(29));
	ck_assert_uint_eq(bench.cpu.regs[0], DEVICE);
	ck_assert_str_eq(end(&bench), "");
}
END_TEST

/* Signs. */

static const struct {
	uint64_t value;
	uint64_t x1;
	uint32_t word;
	uint8_t size;
	bool big_endian;
	bool by_host;
	bool done;
} signs[] = {
	{0x80, 0xffffffffffffff80, 0x39800001, 1, false, false, true}, /* ldrsb x1, [x0] */
	{0x80, 0xffffff80, 0x39c00001, 1, false, false, true},         /* ldrsb w1, [x0] */
	{0x7f, 0, 0x39800001, 1, false, false, false},
	{0x80, 0, 0x39400001, 1, false, false, false}, /* ldrb w1, [x0] */
	{0x80, 0, 0x39800001, 1, false, true, false},
	{0x8001, 0xffffffffffff8001, 0x79800001, 2, false, false, true},
	{0x0180, 0xffffffffffff8001, 0x79800001, 2, true, false, true},
	{0x8001, 0x0180, 0x79800001, 2, true, false, true},
	{0x80000001, 0xffffffff80000001, 0xb9800001, 4, false, false, true},
	{0x8001, 0, 0xb9800001, 2, false, false, false}, /* changed meanwhile */
	{UINT64_MAX, 0, 0xf9400001, 8, false, false, false},
};

START_TEST(test_signs)
{
	struct bench bench;

	begin_one(&bench, signs[_i].word);
	fake_host.extends_signs = signs[_i].by_host;
	hyp_vcpu_set_sysreg(bench.vcpu->hyp, SYSREG_SCTLR_EL1, signs[_i].big_endian ? SCTLR_EE : 0);
	write_device(&bench, DEVICE, signs[_i].value);
	bench.exit = (struct vcpu_exit){
		.reason = VCPU_EXIT_MMIO, .addr = DEVICE, .size = signs[_i].size};
	answer(&bench);
	ck_assert_uint_eq(bench.exit.value, signs[_i].value);
	ck_assert_int_eq(bench.cpu.read_done, signs[_i].done);
	ck_assert_uint_eq(bench.cpu.regs[1], signs[_i].x1);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + (signs[_i].done ? 4 : 0));
	ck_assert_str_eq(end(&bench), "");
}
END_TEST

/* A flag in the first byte is no sign for a little-endian guest; it may become another. */
START_TEST(test_flags)
{
	struct bench bench;

	begin_one(&bench, 0xb9800001); /* ldrsw x1, [x0] */
	write_device(&bench, DEVICE, 0x90);
	bench.exit = (struct vcpu_exit){.reason = VCPU_EXIT_MMIO, .addr = DEVICE, .size = 4};
	answer(&bench);
	ck_assert(!bench.cpu.read_done);
	ck_assert_uint_eq(bench.cpu.regs[1], 0);
	hyp_vcpu_set_sysreg(bench.vcpu->hyp, SYSREG_SCTLR_EL1, SCTLR_EE);
	answer(&bench);
	ck_assert(bench.cpu.read_done);
	ck_assert_uint_eq(bench.cpu.regs[1], 0xffffffff90000000);
	end(&bench);
}
END_TEST

/* Exclusives: step by step from the load to the store. */

static void step(struct bench *bench, bool stepping)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_DEBUG,
				 .detail = (uint64_t)DEBUG_CLASS_STEP << 26};

	ck_assert(bench->cpu.stepping);
	bench->cpu.regs[HYP_REG_PC] += 4;
	ck_assert_int_eq(vcpu_handle_exit(bench->vcpu, &exit), VCPU_CONTINUE);
	ck_assert_int_eq(bench->cpu.stepping, stepping);
}

START_TEST(test_exclusive)
{
	static const uint32_t words[] = {LDXR_X1_X0, ADD_X1_X1_1, NOP, STXR_W3_X1_X0};
	struct bench bench;

	begin(&bench, words, ARRAY_SIZE(words));
	write_device(&bench, DEVICE, 41);
	bench.cpu.regs[3] = 9;
	answer(&bench);
	ck_assert_uint_eq(bench.cpu.regs[1], 41);
	bench.cpu.regs[1]++;
	step(&bench, true);
	step(&bench, false);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + 16);
	ck_assert_uint_eq(bench.cpu.regs[3], 0);
	ck_assert_uint_eq(read_device(&bench, DEVICE), 42);
	ck_assert_uint_eq(bench.machine.machine->exclusives.watching, 0);
	end(&bench);
}
END_TEST

/* Nothing in between: no step at all. A write from elsewhere: it fails. */
START_TEST(test_exclusive_at_once)
{
	static const uint32_t words[] = {LDXR_X1_X0, STXR_W3_X1_X0, LDXR_X1_X0, NOP, STXR_W3_X1_X0};
	struct bench bench;

	begin(&bench, words, ARRAY_SIZE(words));
	bench.cpu.regs[3] = 9;
	answer(&bench);
	ck_assert(!bench.cpu.stepping);
	ck_assert_uint_eq(bench.cpu.regs[3], 0);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + 8);
	answer(&bench);
	ck_assert_uint_eq(bench.machine.machine->exclusives.watching, 1);
	write_device(&bench, DEVICE + 8, 1);
	ck_assert_uint_eq(bench.machine.machine->exclusives.watching, 1);
	write_device(&bench, DEVICE, 1);
	ck_assert_uint_eq(bench.machine.machine->exclusives.watching, 0);
	step(&bench, false);
	ck_assert_uint_eq(bench.cpu.regs[3], 1);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + 20);
	ck_assert_uint_eq(read_device(&bench, DEVICE), 1);
	end(&bench);
}
END_TEST

/* Nobody watches after a reset in the middle of it. */
START_TEST(test_exclusive_reset)
{
	static const uint32_t words[] = {LDXR_X1_X0, NOP};
	struct machine *machine;
	struct bench bench;

	begin(&bench, words, ARRAY_SIZE(words));
	machine = bench.machine.machine;
	answer(&bench);
	ck_assert_uint_eq(machine->exclusives.watching, 1);
	board_finish(machine);
	ck_assert_int_eq(board_build(machine, &bench.machine.err), 0);
	ck_assert_uint_eq(machine->exclusives.watching, 0);
	end(&bench);
}
END_TEST

/* What ends the watch: CLREX, an exception return, too many steps, another place. */
START_TEST(test_exclusive_given_up)
{
	uint32_t words[70] = {LDXR_X1_X0, NOP, CLREX, STXR_W3_X1_X0};
	struct vcpu_exit stray = {.reason = VCPU_EXIT_DEBUG};
	struct bench bench;

	begin(&bench, words, 4);
	answer(&bench);
	step(&bench, false);
	ck_assert_uint_eq(bench.machine.machine->exclusives.watching, 0);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + 8); /* the CPU does it */
	end(&bench);

	for (size_t i = 1; i < ARRAY_SIZE(words); i++)
		words[i] = NOP;
	begin(&bench, words, ARRAY_SIZE(words));
	answer(&bench);
	for (unsigned i = 0; i < 62; i++)
		step(&bench, true);
	step(&bench, false);
	/* A step that is none of ours is the end of the machine. */
	ck_assert_int_eq(vcpu_handle_exit(bench.vcpu, &stray), VCPU_END);
	end(&bench);

	words[2] = STXR_W3_X1_X0;
	begin(&bench, words, 3);
	answer(&bench);
	bench.cpu.regs[0] = DATA;
	step(&bench, false);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], CODE + 8);
	ck_assert_uint_eq(bench.machine.machine->exclusives.watching, 0);
	end(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_copy),
	UNIT_CASE(test_load),
	UNIT_CASE(test_stack_pointer),
	UNIT_CASE(test_vectors_and_atomics),
	UNIT_CASE(test_straddles),
	UNIT_CASE(test_retries),
	UNIT_CASE(test_refused),
	UNIT_CASE(test_second_page),
	UNIT_CASE(test_el0),
	UNIT_CASE(test_watchpoint),
	UNIT_LOOP(test_signs, ARRAY_SIZE(signs)),
	UNIT_CASE(test_flags),
	UNIT_CASE(test_exclusive),
	UNIT_CASE(test_exclusive_at_once),
	UNIT_CASE(test_exclusive_reset),
	UNIT_CASE(test_exclusive_given_up),
	{0},
};
const char unit_name[] = "undescribed";
