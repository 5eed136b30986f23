/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <string.h>

#include "devices/pl011.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

static const struct {
	struct fault_config config;
	const char *says; /* NULL: it is a rule, of these */
	gpa_t base;
	uint64_t size;
} rules[] = {
	{{.where = "0x9000000", .action = FAULT_ZERO}, NULL, 0x9000000, 4},
	{{.where = "0x9000000-0x9000fff", .action = FAULT_ONES}, NULL, 0x9000000, 0x1000},
	{{.where = "5-5", .action = FAULT_DROP}, NULL, 5, 1},
	{{.where = "0-18446744073709551614", .action = FAULT_DROP}, NULL, 0, UINT64_MAX},
	{{.where = "serial0", .action = FAULT_ABORT}, NULL, LAYOUT_PL011, PL011_SIZE},
	{{.where = "serial0+0x18", .action = FAULT_ABORT}, NULL, LAYOUT_PL011 + 0x18, 4},
	{{.where = "serial0+4088-4095", .action = FAULT_SERROR}, NULL, LAYOUT_PL011 + 4088, 8},
	{{.where = "virtio0+0x70", .action = FAULT_ZERO},
	 "--fault virtio0+0x70: that is no function of PSCI, no",
	 0,
	 0},
	{{.where = "0-18446744073709551615", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "9-8", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "0x-5", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "-5", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "111111111111111111111111111-5", .action = FAULT_DROP},
	 "that is no function",
	 0,
	 0},
	{{.where = "", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "+5", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "serial0+", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "serial0+4093-4096", .action = FAULT_DROP},
	 "the device has only 0x1000 bytes",
	 0,
	 0},
	{{.where = "serial0+4096", .action = FAULT_DROP}, "the device has only 0x1000 bytes", 0, 0},
	{{.where = "serial", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "serial00", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "scratch0", .action = FAULT_DROP}, "that is no function", 0, 0},
	{{.where = "serial0", .action = FAULT_PASS},
	 "say what is to happen, by do= or delay=",
	 0,
	 0},
	{{.where = "serial0", .action = FAULT_PASS, .delay = 5}, NULL, LAYOUT_PL011, PL011_SIZE},
	{{.where = "serial0", .action = FAULT_PSCI_FIRST},
	 "PSCI's errors are for its functions",
	 0,
	 0},
	{{.where = "CPU_ON", .action = FAULT_PSCI_LAST}, NULL, 0, 0},
	{{.where = "CPU_ON", .action = FAULT_PASS, .delay = 5}, NULL, 0, 0},
	{{.where = "CPU_ON", .action = FAULT_ZERO},
	 "a call can fail with PSCI's errors, as do=DENIED",
	 0,
	 0},
	{{.where = "CPU_ON", .action = FAULT_PSCI_FIRST, .access = FAULT_OF_READS},
	 "neither read nor write",
	 0,
	 0},
	{{.where = NULL, .action = FAULT_ZERO}, "--fault: say where", 0, 0},
};

static const struct fake_step shut_down[] = {GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};

START_TEST(test_rules)
{
	struct machine_bench bench;
	const struct fault *fault;

	machine_bench_open(&bench);
	fake_host.caps.smccc_filter = true;
	bench.config.faults[0] = rules[_i].config;
	bench.config.fault_count = 1;
	if (rules[_i].says) {
		fake_program(0, 0, shut_down, 1);
		machine_bench_run_refused(&bench);
		ck_assert_msg(strstr(bench.err.text, rules[_i].says), "%s", bench.err.text);
	} else {
		fault = &machine_bench_build(&bench)->faults.rules[0];
		ck_assert_uint_eq(fault->base, rules[_i].base);
		ck_assert_uint_eq(fault->size, rules[_i].size);
	}
	machine_bench_close(&bench);
}
END_TEST

static struct vcpu *build(struct machine_bench *bench, const struct fault_config *config)
{
	machine_bench_open(bench);
	bench->config.faults[0] = *config;
	bench->config.fault_count = 1;
	return machine_bench_build(bench)->board.vcpus;
}

static const struct {
	uint32_t nth;
	uint32_t count;
	const char *due; /* of six accesses, a 1 for each that is meant */
} times[] = {
	{0, 0, "111111"}, {0, 2, "110000"}, {3, 0, "001000"}, {1, 0, "100000"},
	{2, 3, "011100"}, {6, 9, "000001"}, {7, 0, "000000"},
};

START_TEST(test_times)
{
	const struct fault_config config = {.where = "0x10000000",
					    .action = FAULT_ONES,
					    .nth = times[_i].nth,
					    .count = times[_i].count};
	struct machine_bench bench;
	struct vcpu *vcpu = build(&bench, &config);

	for (size_t i = 0; i < 6; i++) {
		struct vcpu_exit exit = {
			.reason = VCPU_EXIT_MMIO, .addr = 0x10000002, .size = 2, .value = 5};

		ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
		ck_assert_uint_eq(exit.value, times[_i].due[i] == '1' ? UINT64_MAX : 0);
		/* What is beside it does not count. */
		exit = (struct vcpu_exit){.reason = VCPU_EXIT_MMIO, .addr = 0x10000004, .size = 4};
		vcpu_handle_exit(vcpu, &exit);
		ck_assert_uint_eq(exit.value, 0);
	}
	machine_bench_close(&bench);
}
END_TEST

/* The counter of a rule that is met for ever stops, and does not begin anew. */
START_TEST(test_overflow)
{
	const struct fault_config config = {.where = "0x10000000", .action = FAULT_ABORT, .nth = 2};
	struct machine_bench bench;
	struct vcpu *vcpu = build(&bench, &config);

	atomic_store(&bench.machine->faults.rules[0].seen, UINT32_MAX - 3);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(fault_take(vcpu, 0x10000000, 4, false), FAULT_PASS);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_access)
{
	const struct fault_config config = {.where = "serial0",
					    .action = FAULT_ABORT,
					    .access = _i ? FAULT_OF_WRITES : FAULT_OF_READS};
	struct machine_bench bench;
	struct vcpu *vcpu = build(&bench, &config);
	struct vcpu_exit read = {.reason = VCPU_EXIT_MMIO, .addr = LAYOUT_PL011 + 0x24, .size = 4};
	struct vcpu_exit write = {
		.reason = VCPU_EXIT_MMIO, .addr = LAYOUT_PL011 + 0x24, .size = 4, .is_write = true};
	struct vcpu_exit halt = {.reason = VCPU_EXIT_INTERRUPTED};

	ck_assert_int_eq(vcpu_handle_exit(vcpu, &halt), VCPU_CONTINUE);
	ck_assert_int_eq(vcpu_handle_exit(vcpu, &read), VCPU_CONTINUE);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), _i ? 0 : 1);
	ck_assert_int_eq(vcpu_handle_exit(vcpu, &write), VCPU_CONTINUE);
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 1);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_serror)
{
	const struct fault_config config = {.where = "scratch0", .action = FAULT_SERROR};
	struct vcpu_exit write = {.reason = VCPU_EXIT_MMIO,
				  .addr = LAYOUT_SCRATCH,
				  .size = 4,
				  .is_write = true,
				  .value = 77};
	struct vcpu_exit read = {.reason = VCPU_EXIT_MMIO, .addr = LAYOUT_SCRATCH, .size = 4};
	struct machine_bench bench;
	struct vcpu *vcpu;

	machine_bench_open(&bench);
	bench.config.scratch = true;
	bench.config.faults[0] = config;
	bench.config.fault_count = 1;
	vcpu = machine_bench_build(&bench)->board.vcpus;
	vcpu_handle_exit(vcpu, &write);
	vcpu_handle_exit(vcpu, &read);
	ck_assert_uint_eq(fake_count(FAKE_SERROR, 0), 2);
	ck_assert_uint_eq(read.value, 77);
	machine_bench_close(&bench);
}
END_TEST

/* What a rule covers traps: the UART prints all the same, without shadow and ring. */
START_TEST(test_traps)
{
	static const struct fake_step covered[] = {
		GUEST_PRINTS_TIMES("0123456789", 100),
		GUEST_READS(LAYOUT_PL011 + 0x24, 4, 0),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	static const struct fake_step free[] = {
		GUEST_PRINTS_TIMES("0123456789", 100),
		GUEST_READS(LAYOUT_PL011 + 0x24, 4, 13),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct machine_bench bench;

	machine_bench_open(&bench);
	bench.config.faults[0] = (struct fault_config){.where = _i ? "serial0" : "0x10000000",
						       .action = FAULT_ZERO,
						       .access = FAULT_OF_READS};
	bench.config.fault_count = 1;
	fake_program(0, 0, _i ? covered : free, 3);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_uint_eq(bench.port.output_count, 1000);
	ck_assert_uint_eq(fake_count(FAKE_MAP, LAYOUT_PL011), _i ? 0 : 1);
	ck_assert_uint_eq(fake_count(FAKE_QUEUED, LAYOUT_PL011) > 0, !_i);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_rules, ARRAY_SIZE(rules)),
	UNIT_LOOP(test_times, ARRAY_SIZE(times)),
	UNIT_CASE(test_overflow),
	UNIT_LOOP(test_access, 2),
	UNIT_CASE(test_serror),
	UNIT_LOOP(test_traps, 2),
	{0},
};
const char unit_name[] = "fault";
