/* SPDX-License-Identifier: Apache-2.0 */
/* query-stats and what else is asked of a machine that counts, on a fake hypervisor. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine/stats.h"
#include "machine_bench.h"
#include "qmp_private.h"
#include "unit.h"

static struct machine_bench bench;
static struct qmp_server server;
static const char sectors[4096];

static void open_machine(void)
{
	machine_bench_open(&bench);
	bench.config.cpus = 2;
	bench.config.disk_count = 1;
	bench.config.disks[0].file = memory_file(sectors, sizeof(sectors));
	bench.config.disks[0].format = "raw";
	bench.config.disks[0].queues = 1;
	bench.config.console = "null";
	bench.config.port_count = 1;
	bench.config.ports[0] = "agent=null";
	machine_bench_build(&bench);
	server.machine = bench.machine;
	server.options.config = &bench.config;
}

/* The answer, or the sentence, as text that the caller frees. */
static char *ask(const char *command, const char *arguments)
{
	struct json_object *given = json_tokener_parse(arguments);
	struct qmp_call call = {.context = &server, .arguments = given};
	int r = qmp_dispatch(&qmp_machine_schema, command, &call);
	char *text;

	text = strdup(r < 0 ? call.error.text.text
			    : json_object_to_json_string_ext(
				      call.answer,
				      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(call.answer);
	json_object_put(given);
	return text;
}

#define KVM_VCPU(index, exits)                                                       \
	"{\"provider\":\"kvm\",\"qom-path\":\"/machine/cpu[" index "]\",\"stats\":[" \
	"{\"name\":\"exits\",\"value\":" exits                                       \
	"},{\"name\":\"halt_wait_ns\",\"value\":5000000000},"                        \
	"{\"name\":\"blocking\",\"value\":true},"                                    \
	"{\"name\":\"halt_wait_hist\",\"value\":[0,1,2,3]}]}"
#define KVM_ONLY "\"providers\":[{\"provider\":\"kvm\"}]"

static const struct {
	const char *arguments;
	const char *answer;
} rows[] = {
	{"{\"target\":\"vm\"," KVM_ONLY "}",
	 "[{\"provider\":\"kvm\",\"stats\":[{\"name\":\"remote_tlb_flush\",\"value\":17}]}]"},
	{"{\"target\":\"vcpu\"," KVM_ONLY "}",
	 "[" KVM_VCPU("0", "1000") "," KVM_VCPU("1", "1001") "]"},
	{"{\"target\":\"vcpu\",\"vcpus\":[\"/machine/cpu[1]\"]," KVM_ONLY "}",
	 "[" KVM_VCPU("1", "1001") "]"},
	{"{\"target\":\"vcpu\",\"vcpus\":[\"/machine/cpu[2]\",\"x\"]}", "[]"},
	{"{\"target\":\"vcpu\",\"vcpus\":[]}", "[]"},
	{"{\"target\":\"vm\",\"providers\":[]}", "[]"},
	{"{\"target\":\"vcpu\",\"providers\":[{\"provider\":\"kvm\",\"names\":[\"exits\",\"none\"]}"
	 "]}",
	 "[{\"provider\":\"kvm\",\"qom-path\":\"/machine/cpu[0]\",\"stats\":[{\"name\":\"exits\","
	 "\"value\":1000}]},{\"provider\":\"kvm\",\"qom-path\":\"/machine/cpu[1]\",\"stats\":[{"
	 "\"name\":\"exits\",\"value\":1001}]}]"},
	{"{\"target\":\"vm\",\"providers\":[{\"provider\":\"kvm\",\"names\":[\"exits\"]}]}", "[]"},
	{"{\"target\":\"vm\",\"providers\":[{\"provider\":\"armlet\",\"names\":[\"memory-size\"]},"
	 "{\"provider\":\"kvm\"}]}",
	 "[{\"provider\":\"armlet\",\"stats\":[{\"name\":\"memory-size\",\"value\":16777216}]},"
	 "{\"provider\":\"kvm\",\"stats\":[{\"name\":\"remote_tlb_flush\",\"value\":17}]}]"},
	{"{\"target\":\"vcpu\",\"vcpus\":[\"/machine/"
	 "cpu[0]\"],\"providers\":[{\"provider\":\"armlet\","
	 "\"names\":[\"exits\",\"exits-mmio\",\"exits-no-syndrome\",\"cpu-time\"]}]}",
	 "[{\"provider\":\"armlet\",\"qom-path\":\"/machine/"
	 "cpu[0]\",\"stats\":[{\"name\":\"cpu-time\","
	 "\"value\":0},{\"name\":\"exits\",\"value\":12},{\"name\":\"exits-mmio\",\"value\":7},"
	 "{\"name\":\"exits-no-syndrome\",\"value\":5}]}]"},
	/* What cannot be. */
	{"{}", "Parameter 'target' is missing"},
	{"{\"target\":\"cryptodev\"}", "Parameter 'target' does not accept value 'cryptodev'"},
	{"{\"target\":1}", "Invalid parameter type for 'target', expected: string"},
	{"{\"target\":\"vm\",\"vcpus\":[]}", "Parameter 'vcpus' is unexpected"},
	{"{\"target\":\"vcpu\",\"vcpus\":\"/machine/cpu[0]\"}",
	 "Invalid parameter type for 'vcpus', expected: array"},
	{"{\"target\":\"vcpu\",\"vcpus\":[0]}",
	 "Invalid parameter type for 'vcpus[0]', expected: string"},
	{"{\"target\":\"vm\",\"providers\":[\"kvm\"]}",
	 "Invalid parameter type for 'providers[0]', expected: object"},
	{"{\"target\":\"vm\",\"providers\":[{}]}", "Parameter 'providers[0].provider' is missing"},
	{"{\"target\":\"vm\",\"providers\":[{\"provider\":\"tcg\"}]}",
	 "Parameter 'providers[0].provider' does not accept value 'tcg'"},
	{"{\"target\":\"vm\",\"providers\":[{\"provider\":\"kvm\",\"names\":[\"a\",{}]}]}",
	 "Invalid parameter type for 'providers[0].names[1]', expected: string"},
	{"{\"target\":\"vm\",\"providers\":[{\"provider\":\"kvm\",\"name\":\"a\"}]}",
	 "Parameter 'providers[0].name' is unexpected"},
};

START_TEST(test_stats)
{
	char *text;

	open_machine();
	bench.machine->board.vcpus[0].exits[VCPU_EXIT_MMIO] = 7;
	bench.machine->board.vcpus[0].exits[VCPU_EXIT_NO_SYNDROME] = 5;
	/* The second time the counters are open already. */
	for (unsigned i = 0; i < 2; i++) {
		text = ask("query-stats", rows[_i].arguments);
		ck_assert_str_eq(text, rows[_i].answer);
		free(text);
	}
	ck_assert_uint_le(fake_count(FAKE_KICK, 0), 1);
	machine_bench_close(&bench);
}
END_TEST

/* As with QMP, a host that does not count is none of the providers. */
START_TEST(test_no_kvm)
{
	char *text;

	open_machine();
	fake_host.no_stats = true;
	text = ask("query-stats", rows[1].arguments);
	ck_assert_str_eq(text, "[]");
	free(text);
	text = ask("query-stats-schemas", "{\"provider\":\"kvm\"}");
	ck_assert_str_eq(text, "[]");
	free(text);
	text = ask("query-stats", "{\"target\":\"vm\"}");
	ck_assert_ptr_nonnull(strstr(text, "\"provider\":\"armlet\""));
	free(text);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_schemas)
{
	char *text;

	open_machine();
	text = ask("query-stats-schemas", "{\"provider\":\"kvm\"}");
	ck_assert_str_eq(
		text,
		"[{\"provider\":\"kvm\",\"target\":\"vm\",\"stats\":[{\"name\":\"remote_tlb_"
		"flush\","
		"\"type\":\"cumulative\",\"exponent\":0}]},{\"provider\":\"kvm\",\"target\":"
		"\"vcpu\","
		"\"stats\":[{\"name\":\"exits\",\"type\":\"cumulative\",\"exponent\":0},{\"name\":"
		"\"halt_wait_ns\",\"type\":\"cumulative\",\"unit\":\"seconds\",\"base\":10,"
		"\"exponent\":"
		"-9},{\"name\":\"blocking\",\"type\":\"instant\",\"unit\":\"boolean\",\"exponent\":"
		"0},"
		"{\"name\":\"halt_wait_hist\",\"type\":\"log2-histogram\",\"unit\":\"seconds\","
		"\"base\":"
		"10,\"exponent\":-9}]}]");
	free(text);
	text = ask("query-stats-schemas", "{}");
	ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"memory-resident\",\"type\":\"instant\","
					   "\"unit\":\"bytes\",\"exponent\":0}"));
	ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"exits-mmio\",\"type\":\"cumulative\","
					   "\"exponent\":0}"));
	free(text);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_blockstats)
{
	struct machine_disk_info disk;
	struct disk_counters *counters;
	char *text;

	open_machine();
	ck_assert(machine_disk(bench.machine, 0, &disk));
	counters = bench.machine->disks[0]->disk->counters;
	for (unsigned op = 0; op < DISK_OPS; op++)
		counters[op] = (struct disk_counters){10 + op, op, 1000 * (op + 1)};
	text = ask("query-blockstats", "{}");
	ck_assert_str_eq(text,
			 "[{\"device\":\"disk0\",\"stats\":{\"rd_bytes\":1000,\"wr_bytes\":7000,"
			 "\"unmap_bytes\":4000,\"rd_operations\":10,\"wr_operations\":25,"
			 "\"flush_operations\":12,\"unmap_operations\":13,"
			 "\"failed_rd_operations\":0,\"failed_wr_operations\":5,"
			 "\"failed_flush_operations\":2,\"failed_unmap_operations\":3}}]");
	free(text);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_chardev)
{
	static const char *const consoles[] = {NULL, "/run/armlet/x/console"};
	static const char *const names[] = {"stdio", "unix:/run/armlet/x/console"};
	char *text, *wanted = NULL;

	open_machine();
	server.options.console = consoles[_i];
	ck_assert(asprintf(&wanted,
			   "[{\"label\":\"serial0\",\"filename\":\"%s\",\"frontend-open\":true},"
			   "{\"label\":\"console0\",\"filename\":\"null\",\"frontend-open\":false},"
			   "{\"label\":\"agent\",\"filename\":\"null\",\"frontend-open\":false}]",
			   names[_i]) > 0);
	text = ask("query-chardev", "{}");
	ck_assert_str_eq(text, wanted);
	free(text);
	free(wanted);
	machine_bench_close(&bench);
}
END_TEST

static bool hold_it; /* pause it meanwhile */

static void await_inside(void)
{
	for (uint32_t i = 0; i < 2; i++) {
		while (!bench.machine->board.vcpus[i].inside)
			usleep(1000);
	}
}

/* What is counted while it runs, by its own thread. */
static void look(void *data)
{
	struct machine_usage usage;
	struct hyp_stats *stats = NULL;

	(void)data;
	await_inside();
	machine_usage(bench.machine, &usage);
	ck_assert_uint_gt(usage.cpu_time, 0);
	ck_assert_uint_gt(usage.resident, 0);
	ck_assert_uint_gt(machine_vcpu_cpu_time(bench.machine, 0), 0);
	ck_assert_uint_eq(machine_vcpu_cpu_time(bench.machine, 9), 0);
	ck_assert_uint_eq(machine_vcpu_exits(bench.machine, 0, VCPU_EXIT_REASONS), 0);
	ck_assert_int_eq(machine_vcpu_hyp_stats(bench.machine, 9, &stats), -ENODEV);
	if (hold_it)
		machine_pause(bench.machine);
	ck_assert_int_eq(machine_vcpu_hyp_stats(bench.machine, 0, &stats), 0);
	free(stats);
	ck_assert_int_eq(machine_paused(bench.machine), hold_it);
	if (hold_it)
		machine_resume(bench.machine);
	/* They are in the guest again, and no longer disturbed. */
	await_inside();
	ck_assert_int_eq(machine_vcpu_hyp_stats(bench.machine, 1, &stats), 0);
	free(stats);
	ck_assert_uint_eq(fake_count(FAKE_KICK, 0), 1);
	machine_stop(bench.machine);
}

static void on_timer(void *data, unsigned events)
{
	(void)events;
	look(data);
}

START_TEST(test_running)
{
	struct event_source timer = {.fd = -1, .callback = on_timer};

	hold_it = _i;
	open_machine();
	machine_destroy(bench.machine);
	bench.machine = NULL;
	machine_bench_create(&bench);
	ck_assert_int_eq(event_loop_add_timer(bench.loop, &timer, CLOCK_MONOTONIC), 0);
	event_timer_set(&timer, 20000000, 0);
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_STOPPED);
	event_source_remove(&timer);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_stats, ARRAY_SIZE(rows)),
	UNIT_CASE(test_no_kvm),
	UNIT_CASE(test_schemas),
	UNIT_CASE(test_blockstats),
	UNIT_LOOP(test_chardev, 2),
	UNIT_LOOP(test_running, 2),
	{0},
};
const char unit_name[] = "qmp_stats";
