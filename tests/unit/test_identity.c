/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <string.h>

#include "arm64/sysreg.h"
#include "machine_bench.h"
#include "unit.h"

/* Of ID_AA64ISAR0_EL1: AES 2, SHA1 1, Atomic 2. */
#define HOST_ISAR0 UINT64_C(0x200120)

static void say(struct cpu_model *model, const char *reg, const char *field, uint64_t value)
{
	int at = id_reg_find(reg);

	cpu_model_say(model, at, id_field_find(&id_regs[at], field), value);
}

static void host(struct fake_cpu *cpu)
{
	*cpu = (struct fake_cpu){
		.sysregs = {{SYSREG_ID_AA64ISAR0_EL1, HOST_ISAR0}, {SYSREG_MIDR_EL1, 0x414fd0b1}}};
	fake_host.cpu = cpu;
	fake_host.changes_ids = true;
	fake_host.id_mask = UINT64_MAX;
}

static const struct {
	const char *reg;
	const char *field;
	uint64_t value;
	uint64_t mask;
	uint64_t refused;
	uint64_t sticks;
	const char *says; /* NULL: it is so */
	bool old;         /* a host that changes nothing */
} rows[] = {
	{"ID_AA64ISAR0_EL1", "AES", 0, 0xf0, 0, 0, NULL, false},
	{"ID_AA64ISAR0_EL1", "AES", 1, 0xf0, 0, 0, NULL, false},
	/* As it is already: nothing has to be changed. */
	{"ID_AA64ISAR0_EL1", "AES", 2, 0, 0, 0, NULL, true},
	{"MIDR_EL1", "PartNum", 0xd0b, 0, 0, 0, NULL, true},
	{"MIDR_EL1", "PartNum", 0xd0c, UINT64_MAX, 0, 0, NULL, false},
	{"ID_AA64ISAR0_EL1", "AES", 0, 0, 0, 0,
	 "--cpu-model m: ID_AA64ISAR0_EL1.AES is to be 0x0, but this host's KVM keeps it at 0x2",
	 false},
	{"ID_AA64ISAR0_EL1", "AES", 0, 0x70, 0, 0, "KVM keeps it at 0x2", false},
	{"ID_AA64ISAR0_EL1", "AES", 0, 0, 0, 0,
	 "KVM keeps it at 0x2 (Linux changes ID registers from 6.7 on)", true},
	{"MIDR_EL1", "PartNum", 0xd0c, 0, 0, 0,
	 "MIDR_EL1.PartNum is to be 0xd0c, but this host's KVM keeps it at 0xd0b (Linux", true},
	{"ID_AA64ISAR0_EL1", "SM4", 1, UINT64_MAX, 0, 0,
	 "ID_AA64ISAR0_EL1.SM4 is to be 0x1, but this host's CPU has only 0x0", false},
	{"ID_AA64ISAR0_EL1", "Atomic", 1, UINT64_MAX, 0x100000, 0,
	 "ID_AA64ISAR0_EL1.Atomic is to be 0x1, but this host's KVM insists on 0x2", false},
	{"ID_AA64ISAR0_EL1", "SHA1", 0, UINT64_MAX, 0, 0x100,
	 "ID_AA64ISAR0_EL1.SHA1 is to be 0x0, but this host's KVM has made it 0x1", false},
};

START_TEST(test_rows)
{
	struct machine_bench bench;
	struct fake_cpu cpu;
	struct cpu_model model = {.name = "m"};
	struct hyp_vcpu *vcpu;
	uint64_t value = 0;
	int reg = id_reg_find(rows[_i].reg);
	int r;

	machine_bench_open(&bench);
	host(&cpu);
	fake_host.changes_ids = !rows[_i].old;
	fake_host.id_mask = rows[_i].mask;
	fake_host.id_refused = rows[_i].refused;
	fake_host.id_sticks = rows[_i].sticks;
	vcpu = machine_bench_build(&bench)->board.vcpus[0].hyp;
	say(&model, rows[_i].reg, rows[_i].field, rows[_i].value);
	r = identity_apply(&model, bench.machine->board.hyp, vcpu, &bench.err);
	if (rows[_i].says) {
		ck_assert_int_lt(r, 0);
		ck_assert_msg(strstr(bench.err.text, rows[_i].says), "%s", bench.err.text);
	} else {
		ck_assert_msg(r == 0, "%s", bench.err.text);
		hyp_vcpu_get_sysreg(vcpu, id_regs[reg].sysreg, &value);
		ck_assert_uint_eq(id_field_get(id_field_find(&id_regs[reg], rows[_i].field), value),
				  rows[_i].value);
	}
	machine_bench_close(&bench);
}
END_TEST

/* Each field is taken by itself, all together are not. */
START_TEST(test_together)
{
	struct machine_bench bench;
	struct fake_cpu cpu;
	struct cpu_model model = {.name = "m"};

	machine_bench_open(&bench);
	host(&cpu);
	machine_bench_build(&bench);
	say(&model, "ID_AA64ISAR0_EL1", "AES", 1);
	say(&model, "ID_AA64ISAR0_EL1", "SHA1", 0);
	ck_assert_int_eq(identity_apply(&model, bench.machine->board.hyp,
					bench.machine->board.vcpus[0].hyp, &bench.err),
			 0);
	ck_assert_uint_eq(cpu.sysregs[0].value, 0x200010);
	machine_bench_close(&bench);
}
END_TEST

/* A machine with a model: its vCPUs have what it says, and are made without the rest. */
START_TEST(test_machine)
{
	static const struct fake_step steps[] = {GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};
	struct machine_bench bench;
	struct cpu_model model = {.name = "m"};
	struct fake_cpu cpu;
	int midr = id_reg_find("MIDR_EL1");

	machine_bench_open(&bench);
	host(&cpu);
	fake_program(0, 0, steps, ARRAY_SIZE(steps));
	say(&model, "ID_AA64PFR0_EL1", "SVE", 0);
	if (_i & 1)
		say(&model, "ID_AA64DFR0_EL1", "PMUVer", 0xf);
	if (_i & 2) {
		say(&model, "ID_AA64ISAR1_EL1", "APA", 0);
		say(&model, "ID_AA64ISAR1_EL1", "API", 0);
		say(&model, "ID_AA64ISAR2_EL1", "APA3", 0);
	}
	/* A PMU that is no standard one: there is none in a host of zeroes. */
	cpu.sysregs[2] = (typeof(cpu.sysregs[2])){SYSREG_ID_AA64DFR0_EL1, 0xf00};
	if (_i & 4)
		cpu_model_say_all(&model, midr, 0x410fd0c0);
	bench.config.cpu = &model;
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(fake_find(FAKE_VCPU, 0, 0)->c,
			  (_i & 1 ? 0 : FAKE_FEATURE_PMU) | (_i & 2 ? 0 : FAKE_FEATURE_PAUTH));
	ck_assert_uint_eq(fake_count(FAKE_IDENTITY, FAKE_ANY), _i & 4 ? 1 : 0);
	ck_assert_uint_eq(cpu.sysregs[1].value, _i & 4 ? 0x410fd0c0 : 0x414fd0b1);
	machine_bench_close(&bench);
}
END_TEST

/* What is demanded by an option stays demanded; the registers then contradict. */
START_TEST(test_demanded)
{
	struct machine_bench bench;
	struct cpu_model model = {.name = "m"};
	struct fake_cpu cpu;

	machine_bench_open(&bench);
	host(&cpu);
	cpu.sysregs[2] = (typeof(cpu.sysregs[2])){SYSREG_ID_AA64PFR0_EL1, BIT(32)};
	fake_host.id_mask = 0;
	say(&model, "ID_AA64PFR0_EL1", "SVE", 0);
	bench.config.cpu = &model;
	bench.config.sve = CONFIG_ON;
	machine_bench_run_refused(&bench);
	ck_assert_ptr_nonnull(strstr(bench.err.text, "ID_AA64PFR0_EL1.SVE is to be 0x0"));
	machine_bench_close(&bench);
	ck_assert_uint_eq(fake_open_vms(), 0);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_rows, ARRAY_SIZE(rows)),
	UNIT_CASE(test_together),
	UNIT_LOOP(test_machine, 8),
	UNIT_CASE(test_demanded),
	{0},
};
const char unit_name[] = "identity";
