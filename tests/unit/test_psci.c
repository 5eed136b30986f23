/* SPDX-License-Identifier: Apache-2.0 */
#include "psci.h"

#include <string.h>

#include "arm64/sysreg.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

#define CALL32(n) (0x84000000 | (n))
#define CALL64(n) (0xc4000000 | (n))

enum { VERSION = 0, CPU_SUSPEND, CPU_OFF, CPU_ON, AFFINITY_INFO };

/* CPU 0 of four calls: 1 is off, 2 is on, 3 is on its way; 1 and 3 are CPUs 1 and 3 of Aff0. */
static const struct {
	uint64_t function;
	uint64_t args[3];
	int64_t answer;
} rows[] = {
	{CALL32(VERSION), {0}, 0x10001},
	{CALL64(CPU_ON), {9, LAYOUT_RAM, 0}, -2},
	{CALL64(CPU_ON), {BIT(32) | 1, LAYOUT_RAM, 0}, -2},
	/* 32 bits are all that this one has. */
	{CALL32(CPU_ON), {BIT(32) | 1, LAYOUT_RAM, 0}, 0},
	{CALL64(CPU_ON), {1, LAYOUT_RAM, 0}, 0},
	{CALL64(CPU_ON), {1, LAYOUT_RAM + 2, 0}, -9},
	{CALL64(CPU_ON), {1, LAYOUT_PL011, 0}, -9},
	{CALL64(CPU_ON), {1, UINT64_MAX - 3, 0}, -9},
	{CALL64(CPU_ON), {0, LAYOUT_RAM, 0}, -4},
	{CALL64(CPU_ON), {2, LAYOUT_RAM, 0}, -4},
	{CALL64(CPU_ON), {3, LAYOUT_RAM, 0}, -5},
	{CALL64(AFFINITY_INFO), {0, 0}, 0},
	{CALL64(AFFINITY_INFO), {1, 0}, 1},
	{CALL64(AFFINITY_INFO), {3, 0}, 2},
	{CALL32(AFFINITY_INFO), {3, 0}, 2},
	{CALL64(AFFINITY_INFO), {7, 0}, -2},
	{CALL64(AFFINITY_INFO), {7, 1}, 0}, /* a cluster in which one is on */
	{CALL64(AFFINITY_INFO), {0x107, 1}, -2},
	{CALL64(AFFINITY_INFO), {0x107, 2}, 0},
	{CALL64(AFFINITY_INFO), {0xff00ffff07, 3}, -2},
	{CALL64(AFFINITY_INFO), {0xffff07, 3}, 0},
	{CALL64(AFFINITY_INFO), {0, 4}, -2},
	{CALL32(6), {0}, 2},  /* MIGRATE_INFO_TYPE */
	{CALL64(5), {0}, -1}, /* MIGRATE */
	{CALL64(7), {0}, -1}, /* MIGRATE_INFO_UP_CPU */
	{CALL32(10), {CALL64(CPU_ON)}, 0},
	{CALL32(10), {CALL32(CPU_OFF)}, 0},
	{CALL32(10), {0x80000000}, 0},
	{CALL32(10), {CALL64(14)}, -1}, /* this host leaves no suspend to us */
	{CALL32(10), {CALL32(31)}, -1},
	{CALL64(13), {0, 0}, 0}, /* NODE_HW_STATE */
	{CALL64(13), {1, 0}, 1},
	{CALL64(13), {3, 0}, 0},
	{CALL64(13), {0, 1}, -2},
	{CALL64(CPU_SUSPEND), {0x80000000}, -2},
	{CALL64(CPU_SUSPEND), {0x10000}, 0},
	{CALL64(18), {1}, -2}, /* SYSTEM_RESET2: types of reset that are not there */
	{CALL64(18), {BIT(31)}, -2},
	{CALL64(14), {LAYOUT_RAM}, -1},
	{CALL32(31), {0}, -1},
	{CALL32(0x15), {0}, -1},
};

static struct vcpu *open_bench(struct machine_bench *bench, struct fake_cpu *cpu)
{
	struct machine *machine;

	machine_bench_open(bench);
	bench->config.cpus = 4;
	bench->config.psci = CONFIG_PSCI_ARMLET;
	fake_host.caps.smccc_filter = true;
	*cpu = (struct fake_cpu){0};
	machine = machine_bench_build(bench);
	fake_host.cpu = cpu;
	machine->board.vcpus[2].psci.power = CPU_POWER_ON;
	machine->board.vcpus[3].psci.power = CPU_POWER_ON_PENDING;
	return machine->board.vcpus;
}

static int64_t call(struct vcpu *vcpu, struct fake_cpu *cpu, uint64_t function,
		    const uint64_t args[3])
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_HYPERCALL, .detail = function};

	cpu->regs[HYP_REG_X0] = function;
	memcpy(&cpu->regs[HYP_REG_X0 + 1], args, 3 * sizeof(*args));
	ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
	return (int64_t)cpu->regs[HYP_REG_X0];
}

START_TEST(test_rows)
{
	struct machine_bench bench;
	struct fake_cpu cpu;
	struct vcpu *vcpus = open_bench(&bench, &cpu);

	ck_assert_uint_eq(fake_find(FAKE_FORWARD, 0x84000000, 0)->b, 0x20);
	ck_assert_uint_eq(fake_find(FAKE_FORWARD, 0xc4000000, 0)->b, 0x20);
	ck_assert_int_eq(call(&vcpus[0], &cpu, rows[_i].function, rows[_i].args), rows[_i].answer);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_turn_on)
{
	static const uint64_t args[3] = {1, LAYOUT_RAM + 8, 0x1234567890};
	struct machine_bench bench;
	struct cpu_power_event event;
	struct machine_cpu info;
	struct fake_cpu cpu;
	struct vcpu *vcpus = open_bench(&bench, &cpu);
	unsigned resets = fake_count(FAKE_RESET, 1);

	/* A big-endian CPU turns on big-endian ones. */
	cpu.sysregs[0].sysreg = SYSREG_SCTLR_EL1;
	cpu.sysregs[0].value = SCTLR_EE | 1;
	ck_assert_int_eq(call(&vcpus[0], &cpu, CALL64(CPU_ON), args), 0);
	ck_assert(machine_cpu(bench.machine, 1, &info));
	ck_assert_int_eq(info.power, CPU_POWER_ON_PENDING);
	ck_assert_int_eq(call(&vcpus[0], &cpu, CALL64(CPU_ON), args), -5);
	psci_wait_on(&vcpus[1]);
	ck_assert(vcpus[1].inside);
	ck_assert_uint_eq(fake_count(FAKE_RESET, 1), resets + 1);
	ck_assert_uint_eq(cpu.regs[HYP_REG_PC], args[1]);
	ck_assert_uint_eq(cpu.regs[HYP_REG_X0], args[2]);
	ck_assert_uint_eq(cpu.sysregs[0].value, SCTLR_EE | 1);
	ck_assert(machine_cpu(bench.machine, 1, &info));
	ck_assert_int_eq(info.power, CPU_POWER_ON);
	ck_assert_uint_eq(info.mpidr, 1);

	ck_assert(machine_power_event(bench.machine, 0, &event));
	ck_assert(event.what == CPU_TURNED_ON && event.cpu == 1 && event.by == 0);
	ck_assert_uint_eq(event.entry, args[1]);
	ck_assert(machine_power_event(bench.machine, 1, &event));
	ck_assert(event.what == CPU_ON_REFUSED && event.refusal == -5);
	ck_assert(!machine_power_event(bench.machine, 2, &event));
	machine_bench_close(&bench);
}
END_TEST

/* The log keeps the last ones, however many a guest makes. */
START_TEST(test_log)
{
	static const uint64_t args[3] = {0, LAYOUT_RAM, 0};
	struct machine_bench bench;
	struct cpu_power_event event;
	struct fake_cpu cpu;
	struct vcpu *vcpus = open_bench(&bench, &cpu);

	for (unsigned i = 0; i < PSCI_EVENTS + 5; i++)
		ck_assert_int_eq(call(&vcpus[i % 2 ? 2 : 0], &cpu, CALL64(CPU_ON), args), -4);
	ck_assert(machine_power_event(bench.machine, 0, &event));
	ck_assert_uint_eq(event.by, 2); /* the fifth */
	ck_assert(machine_power_event(bench.machine, PSCI_EVENTS - 1, &event));
	ck_assert(!machine_power_event(bench.machine, PSCI_EVENTS, &event));
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_present)
{
	static const uint64_t args[3] = {1, LAYOUT_RAM, 0};
	struct machine_bench bench;
	struct error err = {0};
	struct fake_cpu cpu;
	struct vcpu *vcpus = open_bench(&bench, &cpu);

	ck_assert_int_eq(machine_set_cpu_present(bench.machine, 1, false, &err), 0);
	ck_assert_int_eq(call(&vcpus[0], &cpu, CALL64(CPU_ON), args), -3);
	ck_assert_int_eq(machine_set_cpu_present(bench.machine, 1, true, &err), 0);
	ck_assert_int_eq(call(&vcpus[0], &cpu, CALL64(CPU_ON), args), 0);
	ck_assert_int_eq(machine_set_cpu_present(bench.machine, 0, false, &err), -EINVAL);
	ck_assert_int_eq(machine_set_cpu_present(bench.machine, 0, true, &err), 0);
	ck_assert_int_eq(machine_set_cpu_present(bench.machine, 4, true, &err), -ENODEV);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_standby)
{
	static const uint64_t args[3] = {0};
	struct vcpu_exit wake = {.reason = VCPU_EXIT_WAKEUP};
	struct machine_bench bench;
	struct fake_cpu cpu;
	struct vcpu *vcpus = open_bench(&bench, &cpu);

	ck_assert_int_eq(call(&vcpus[0], &cpu, CALL64(_i ? CPU_SUSPEND : 12), args), 0);
	ck_assert_uint_eq(fake_count(FAKE_SUSPEND, 0), 1);
	ck_assert_int_eq(vcpu_handle_exit(&vcpus[0], &wake), VCPU_CONTINUE);
	ck_assert_uint_eq(fake_count(FAKE_RESUME, 0), 1);
	ck_assert_int_eq(vcpu_handle_exit(&vcpus[0], &wake), VCPU_CONTINUE);
	ck_assert_uint_eq(fake_count(FAKE_RESUME, 0), 1);
	machine_bench_close(&bench);
}
END_TEST

/* Whole machines: they end as the call says, with the other CPUs off. */
static const struct {
	uint64_t function;
	enum machine_outcome outcome;
} ends[] = {
	{CALL32(8), MACHINE_POWERED_OFF},
	{CALL32(9), MACHINE_RESET},
	{CALL32(18), MACHINE_RESET},
};

START_TEST(test_ends)
{
	const struct fake_step steps[] = {
		GUEST_EXITS_AT(VCPU_EXIT_HYPERCALL, 0, ends[_i].function)};
	struct machine_bench bench;
	struct fake_cpu cpu = {0};

	machine_bench_open(&bench);
	bench.config.cpus = 3;
	bench.config.cpus_present = 2;
	bench.config.no_reboot = true;
	fake_host.caps.smccc_filter = true;
	fake_host.cpu = &cpu;
	fake_program(0, 0, steps, 1);
	ck_assert_int_eq(machine_bench_run(&bench), ends[_i].outcome);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_refused)
{
	struct machine_bench bench;

	machine_bench_open(&bench);
	bench.config.cpus = 2;
	if (_i)
		bench.config.cpus_present = 1;
	else
		bench.config.psci = CONFIG_PSCI_ARMLET;
	machine_bench_run_refused(&bench);
	ck_assert_ptr_nonnull(strstr(bench.err.text, _i ? "--cpus-present: this host"
							: "--psci armlet: this host"));
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_not_ours)
{
	struct machine_bench bench;
	struct machine_cpu info;
	struct error err = {0};

	machine_bench_open(&bench);
	machine_bench_build(&bench);
	ck_assert(!machine_cpu(bench.machine, 0, &info));
	ck_assert_int_eq(machine_set_cpu_present(bench.machine, 0, true, &err), -EOPNOTSUPP);
	ck_assert_uint_eq(fake_count(FAKE_FORWARD, FAKE_ANY), 0);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_rows, ARRAY_SIZE(rows)),
	UNIT_CASE(test_turn_on),
	UNIT_CASE(test_log),
	UNIT_CASE(test_present),
	UNIT_LOOP(test_standby, 2),
	UNIT_LOOP(test_ends, ARRAY_SIZE(ends)),
	UNIT_LOOP(test_refused, 2),
	UNIT_CASE(test_not_ours),
	{0},
};
const char unit_name[] = "psci";
