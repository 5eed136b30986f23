/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of machines on a fake hypervisor: what is counted (src/control/qmp_trace.c), what is
 * in the file (src/cli/stats_trace.c), and names of functions (src/cli/stats_print.c).
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arm64/sysreg.h"
#include "devices/pl011.h"
#include "devices/pl031.h"
#include "machine/layout.h"
#include "machine/trace.h"
#include "machine_bench.h"
#include "qmp_private.h"
#include "stats.h"
#include "symbols.h"
#include "unit.h"

static struct machine_bench bench;
static char path[64];

static void open_machine(void)
{
	machine_bench_open(&bench);
	snprintf(path, sizeof(path), "trace.%d.fxt", (int)getpid());
}

static void close_machine(void)
{
	unlink(path);
	machine_bench_close(&bench);
}

static const struct fake_step reads_and_writes[] = {
	GUEST_READS(LAYOUT_PL031 + RTCMR, 4, 0),
	GUEST_READS(LAYOUT_PL031 + RTCCR, 4, 1),
	GUEST_WRITES(LAYOUT_PL031 + RTCMR, 4, 5),
	GUEST_READS(LAYOUT_PL031 + RTCMR, 4, 5),
	GUEST_READS(0x1000, 4, 0),
	GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
};

/* The row of @list of which @name is @value; its count. */
static int64_t count_of(struct json_object *profile, const char *list, const char *name,
			const char *value)
{
	struct json_object *rows, *found, *number;

	ck_assert(json_object_object_get_ex(profile, list, &rows));
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (json_object_object_get_ex(row, name, &found) &&
		    !strcmp(json_object_get_string(found), value)) {
			ck_assert(json_object_object_get_ex(row, "count", &number));
			return json_object_get_int64(number);
		}
	}
	return 0;
}

static struct json_object *run_traced(const char *what)
{
	struct json_object *profile = NULL;
	struct error err = {0};

	bench.config.trace = what;
	bench.config.trace_file = path;
	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
	ck_assert_int_eq(stats_read_trace(path, &profile, &err), 0);
	return profile;
}

START_TEST(test_exits)
{
	struct json_object *profile;

	open_machine();
	fake_program(0, 0, reads_and_writes, ARRAY_SIZE(reads_and_writes));
	profile = run_traced("exits");
	ck_assert_int_eq(count_of(profile, "exits", "reason", "SHUTDOWN"), 1);
	ck_assert_int_eq(count_of(profile, "exits", "reason", "MMIO"), 5);
	ck_assert_int_eq(count_of(profile, "reads", "register", "RTCMR"), 2);
	ck_assert_int_eq(count_of(profile, "reads", "register", "RTCCR"), 1);
	ck_assert_int_eq(count_of(profile, "reads", "address", "0x1000"), 1);
	ck_assert_int_eq(count_of(profile, "writes", "register", "RTCMR"), 1);
	ck_assert_int_eq(count_of(profile, "writes", "device", "rtc0"), 1);
	ck_assert_int_gt(count_of(profile, "pcs", "pc", "0xc0de0020"), 0);
	json_object_put(profile);
	close_machine();
}
END_TEST

static const struct {
	const char *what;
	int64_t accesses;
	int64_t shutdowns;
} whats[] = {
	{"exits", 5, 1}, {"mmio", 5, 0},          {"psci", 0, 1}, {"nisv", 0, 0},
	{"irq", 0, 0},   {"psci,mmio,irq", 5, 1}, {NULL, 5, 1},
};

START_TEST(test_what)
{
	struct json_object *profile;

	open_machine();
	fake_program(0, 0, reads_and_writes, ARRAY_SIZE(reads_and_writes));
	profile = run_traced(whats[_i].what);
	ck_assert_int_eq(count_of(profile, "exits", "reason", "MMIO"), whats[_i].accesses);
	ck_assert_int_eq(count_of(profile, "exits", "reason", "SHUTDOWN"), whats[_i].shutdowns);
	json_object_put(profile);
	close_machine();
}
END_TEST

/* The alarm of the clock: its line goes up, and is acknowledged. Printing is posted. */
START_TEST(test_irq_and_posted)
{
	static const struct fake_step steps[] = {
		GUEST_PRINTS_TIMES("line\n", 100),
		GUEST_WRITES(LAYOUT_PL031 + RTCIMSC, 4, 1),
		GUEST_WRITES(LAYOUT_PL031 + RTCMR, 4, 1000),
		GUEST_WRITES(LAYOUT_PL031 + RTCLR, 4, 1000),
		GUEST_WAITS_IRQ(LAYOUT_SPI_PL031, 1),
		GUEST_WRITES(LAYOUT_PL031 + RTCICR, 4, 1),
		GUEST_WAITS_IRQ(LAYOUT_SPI_PL031, 0),
		GUEST_EXITS(VCPU_EXIT_SHUTDOWN),
	};
	struct json_object *profile;

	open_machine();
	fake_program(0, 0, steps, ARRAY_SIZE(steps));
	profile = run_traced(NULL);
	ck_assert_int_eq(count_of(profile, "interrupts", "device", "rtc0"), 1);
	ck_assert_int_eq(count_of(profile, "posted", "register", "UARTDR") +
				 count_of(profile, "writes", "register", "UARTDR"),
			 500);
	ck_assert_int_gt(count_of(profile, "posted", "register", "UARTDR"), 100);
	json_object_put(profile);
	close_machine();
}
END_TEST

/* More registers than there are rows, and a buffer that is written many times. */
START_TEST(test_hostile)
{
	enum { COUNT = 3000 };
	struct fake_step *steps = calloc(COUNT + 1, sizeof(*steps));
	struct json_object *profile, *number;

	open_machine();
	capture_stderr();
	for (size_t i = 0; i < COUNT; i++)
		steps[i] = (struct fake_step)GUEST_WRITES(0x1000 + i * 8, 8, i);
	steps[COUNT] = (struct fake_step)GUEST_EXITS(VCPU_EXIT_SHUTDOWN);
	fake_program(0, 0, steps, COUNT + 1);
	profile = run_traced("mmio");
	captured_stderr();
	ck_assert_int_eq(count_of(profile, "exits", "reason", "MMIO"), COUNT);
	ck_assert(json_object_object_get_ex(profile, "reads-others", &number));
	ck_assert_int_gt(json_object_get_int64(number), COUNT / 2);
	ck_assert(json_object_object_get_ex(profile, "events", &number));
	ck_assert_int_eq(json_object_get_int64(number), COUNT);
	json_object_put(profile);
	close_machine();
	free(steps);
}
END_TEST

/* It goes on over resets, in one file. */
START_TEST(test_reset)
{
	static const struct fake_step first[] = {GUEST_READS(LAYOUT_PL031 + RTCCR, 4, 1),
						 GUEST_EXITS(VCPU_EXIT_RESET)};
	struct json_object *profile;

	open_machine();
	fake_program(0, 0, first, ARRAY_SIZE(first));
	fake_program(1, 0, reads_and_writes, ARRAY_SIZE(reads_and_writes));
	profile = run_traced("exits");
	ck_assert_int_eq(count_of(profile, "reads", "register", "RTCCR"), 2);
	ck_assert_int_eq(count_of(profile, "exits", "reason", "RESET"), 1);
	ck_assert_int_eq(count_of(profile, "exits", "reason", "SHUTDOWN"), 1);
	json_object_put(profile);
	close_machine();
}
END_TEST

/* A line that is up when the board goes is one interrupt of it, and no more is left of it. */
START_TEST(test_reset_with_line)
{
	static const struct fake_step steps[] = {
		GUEST_WRITES(LAYOUT_PL031 + RTCIMSC, 4, 1),
		GUEST_WRITES(LAYOUT_PL031 + RTCMR, 4, 1000),
		GUEST_WRITES(LAYOUT_PL031 + RTCLR, 4, 1000),
		GUEST_WAITS_IRQ(LAYOUT_SPI_PL031, 1),
		GUEST_EXITS(VCPU_EXIT_RESET),
	};
	struct json_object *profile;

	open_machine();
	fake_program(0, 0, steps, ARRAY_SIZE(steps));
	fake_program(1, 0, steps, ARRAY_SIZE(steps));
	fake_program(2, 0, reads_and_writes + 1, ARRAY_SIZE(reads_and_writes) - 1);
	profile = run_traced("irq,exits");
	ck_assert_int_eq(count_of(profile, "interrupts", "device", "rtc0"), 2);
	json_object_put(profile);
	close_machine();
}
END_TEST

static const struct {
	const char *what;
	const char *file;
	const char *sentence;
} refusals[] = {
	{"exit", NULL, "--trace: 'exit' cannot be traced"},
	{"exits,", NULL, "--trace: '' cannot be traced"},
	{"", NULL, "--trace: '' cannot be traced"},
	{"exits,irqs,mmio", NULL, "--trace: 'irqs' cannot be traced"},
	{"exits", "/nowhere/at/all", "the trace '/nowhere/at/all' cannot be made: No such file"},
	{"exits", "/", "the trace '/' cannot be made: Is a directory"},
	{"exits", "/dev/full", "the trace '/dev/full' cannot be written: No space left"},
};

START_TEST(test_refused)
{
	open_machine();
	bench.config.trace = refusals[_i].what;
	bench.config.trace_file = refusals[_i].file;
	machine_bench_run_refused(&bench);
	ck_assert_ptr_nonnull(strstr(bench.err.text, refusals[_i].sentence));
	close_machine();
}
END_TEST

/* ---- The commands of the socket ------------------------------------------------------------ */

static struct qmp_server server;

static const char *ask(const char *command, const char *arguments)
{
	static char *text;
	struct json_object *given = json_tokener_parse(arguments);
	struct qmp_call call = {.context = &server, .arguments = given};
	int r = qmp_dispatch(&qmp_machine_schema, command, &call);

	free(text);
	text = strdup(r < 0         ? call.error.text.text
		      : call.answer ? json_object_to_json_string_ext(
					      call.answer, JSON_C_TO_STRING_PLAIN |
								   JSON_C_TO_STRING_NOSLASHESCAPE)
				    : "");
	json_object_put(call.answer);
	json_object_put(given);
	return text;
}

static void touch(struct vcpu *vcpu, gpa_t addr)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_MMIO, .addr = addr, .size = 4};

	trace_exit(vcpu, &exit);
	ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
	trace_answered(vcpu, &exit);
}

START_TEST(test_commands)
{
	struct vcpu *vcpus;
	const char *text;

	open_machine();
	bench.config.cpus = 2;
	machine_bench_build(&bench);
	server.machine = bench.machine;
	server.options.config = &bench.config;
	vcpus = bench.machine->board.vcpus;
	ck_assert_str_eq(ask("query-trace", "{}"), "nothing was traced, or not of such a vCPU");
	ck_assert_ptr_nonnull(strstr(ask("trace-stop", "{}"), "there is no trace"));
	ck_assert_ptr_nonnull(
		strstr(ask("trace-start", "{\"what\":\"x\"}"), "'x' cannot be traced"));
	ck_assert_str_eq(ask("trace-start", "{\"what\":\"mmio,irq\",\"seconds\":100}"), "");
	ck_assert_ptr_nonnull(strstr(ask("trace-start", "{}"), "there is a trace already"));
	touch(&vcpus[0], LAYOUT_PL031 + RTCCR);
	touch(&vcpus[1], LAYOUT_PL031 + RTCCR);
	touch(&vcpus[1], LAYOUT_PL011 + UARTFR);
	text = ask("query-trace", "");
	ck_assert_ptr_nonnull(strstr(text, "\"active\":true,\"what\":[\"mmio\",\"irq\"]"));
	ck_assert_ptr_nonnull(strstr(text, "\"vcpus\":2"));
	ck_assert_ptr_nonnull(strstr(text, "\"exits\":[{\"count\":3,"));
	ck_assert_ptr_nonnull(strstr(text, "\"address\":\"0x901000c\",\"device\":\"rtc0\""));
	text = ask("query-trace", "{\"cpu\":1}");
	ck_assert_ptr_nonnull(strstr(text, "\"vcpus\":1"));
	ck_assert_ptr_nonnull(strstr(text, "\"exits\":[{\"count\":2,"));
	ck_assert_ptr_nonnull(strstr(text, "\"device\":\"serial0\",\"register\":\"UARTFR\""));
	ck_assert_str_eq(ask("query-trace", "{\"cpu\":2}"),
			 "nothing was traced, or not of such a vCPU");
	ck_assert_str_eq(ask("trace-stop", "{}"), "");
	/* What was counted stays, and no more is. */
	ck_assert_ptr_null(vcpus[0].trace);
	text = ask("query-trace", "");
	ck_assert_ptr_nonnull(strstr(text, "\"active\":false"));
	ck_assert_ptr_nonnull(strstr(text, "\"exits\":[{\"count\":3,"));
	/* Nor does one that cannot begin take it away. */
	ck_assert_ptr_nonnull(
		strstr(ask("trace-start", "{\"file\":\"/nowhere/x\"}"), "cannot be made"));
	ck_assert_ptr_nonnull(strstr(ask("query-trace", "{}"), "\"exits\":[{\"count\":3,"));
	/* A boot that is ending is not looked into. */
	ck_assert_str_eq(ask("trace-start", "{}"), "");
	bench.machine->outcome = MACHINE_POWERED_OFF;
	ck_assert_str_eq(ask("trace-stop", "{}"), "the machine does not run");
	ck_assert_str_eq(ask("query-trace", "{}"), "nothing was traced, or not of such a vCPU");
	bench.machine->outcome = MACHINE_RUNNING;
	ck_assert_str_eq(ask("trace-stop", "{}"), "");
	close_machine();
}
END_TEST

/* The PCs of a long trace are a sample, which stands for all. */
START_TEST(test_sample)
{
	enum { COUNT = TRACE_PCS_EXACT + 17 * TRACE_PC_INTERVAL };
	const char *text;
	char wanted[64];

	open_machine();
	machine_bench_build(&bench);
	server.machine = bench.machine;
	ck_assert_str_eq(ask("trace-start", "{}"), "");
	for (unsigned i = 0; i < COUNT; i++)
		touch(&bench.machine->board.vcpus[0], LAYOUT_PL031 + RTCCR);
	text = ask("query-trace", "");
	snprintf(wanted, sizeof(wanted), "\"pcs\":[{\"count\":%d,", COUNT);
	ck_assert_ptr_nonnull(strstr(text, wanted));
	ck_assert_ptr_nonnull(strstr(text, "\"pcs-estimated\":true"));
	close_machine();
}
END_TEST

/* ---- Names of the guest's functions --------------------------------------------------------- */

#define LIST                                           \
	"ffff800008000000 T _text\n"                   \
	"ffff800008010800 T vectors\n"                 \
	"ffff800008012000 t __bp_harden_el1_vectors\n" \
	"ffff800008020000 t pl011_write\n"             \
	"ffff800008020100 T readl\n"                   \
	"ffff800008020100 D no_function\n"             \
	"ffff800008020180 t $x\n"                      \
	"ffff80000a000000 t of_a_module\t[module]\n"

static const struct {
	const char *vectors; /* NULL: it is not told */
	const char *pc;
	const char *symbol; /* NULL: there is none */
} names[] = {
	{"0xffff800008010800", "0xffff800008020010", "pl011_write+0x10"},
	{"0xffff800008010800", "0xffff800008020104", "readl+0x4"},
	{"0xffff800008010800", "0xffff80000a000004", "of_a_module+0x4"},
	{"0xffff800008010800", "0xffff800007ffffff", NULL},
	{"0xffff800008010800", "0xffff80000b000000", "of_a_module+0x1000000"},
	{"0xffff800008010800", "0xffff80000b000001", NULL},
	{NULL, "0xffff800008020010", "pl011_write+0x10"},
	/* Moved by 2 MiB, by 64 KiB, and with each of the other vectors; modules are elsewhere. */
	{"0xffff800008210800", "0xffff800008220010", "pl011_write+0x10"},
	{"0xffff800008210800", "0xffff80000a200004", NULL},
	{"0xffff800008020800", "0xffff800008030010", "pl011_write+0x10"},
	{"0xffffa54008212000", "0xffffa54008220010", "pl011_write+0x10"},
	{"0xffffa54008212800", "0xffffa54008220010", "pl011_write+0x10"},
	{"0xffffa54008213000", "0xffffa54008220010", "pl011_write+0x10"},
	/* Of another kernel, or of the trampoline at EL0. */
	{"0xfffffdfffe001000", "0xffff800008020010", NULL},
};

START_TEST(test_names)
{
	struct json_object *profile = json_object_new_object();
	struct json_object *list = json_object_new_array(), *row = json_object_new_object(), *found;
	struct symbols *symbols = NULL;
	struct error err = {0};

	ck_assert_int_eq(symbols_read(LIST, strlen(LIST), "list", &symbols, &err), 0);
	if (names[_i].vectors)
		json_object_object_add(profile, "vectors",
				       json_object_new_string(names[_i].vectors));
	json_object_object_add(row, "pc", json_object_new_string(names[_i].pc));
	json_object_array_add(list, row);
	json_object_object_add(profile, "pcs", list);
	stats_name_pcs(profile, symbols);
	if (!names[_i].symbol) {
		ck_assert(!json_object_object_get_ex(row, "symbol", &found));
	} else {
		ck_assert(json_object_object_get_ex(row, "symbol", &found));
		ck_assert_str_eq(json_object_get_string(found), names[_i].symbol);
	}
	json_object_put(profile);
	symbols_free(symbols);
}
END_TEST

static const char *const no_symbols[] = {
	"",
	"\n\n",
	"text\n",
	"ffff800008000000 T \n",
	"ffff800008000000 D data\n",
	"zz T x\n",
	"\177ELF",
	"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0\1\0\0\0",
};

START_TEST(test_no_symbols)
{
	struct symbols *symbols = NULL;
	struct error err = {0};

	ck_assert_int_eq(symbols_read(no_symbols[_i], strlen(no_symbols[_i]), "it", &symbols, &err),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "'it' names no addresses"));
	ck_assert_ptr_null(symbols);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_exits),
	UNIT_LOOP(test_what, ARRAY_SIZE(whats)),
	UNIT_CASE(test_irq_and_posted),
	UNIT_CASE(test_hostile),
	UNIT_CASE(test_reset),
	UNIT_CASE(test_reset_with_line),
	UNIT_LOOP(test_refused, ARRAY_SIZE(refusals)),
	UNIT_CASE(test_commands),
	UNIT_CASE(test_sample),
	UNIT_LOOP(test_names, ARRAY_SIZE(names)),
	UNIT_LOOP(test_no_symbols, ARRAY_SIZE(no_symbols)),
	{0},
};

const char unit_name[] = "trace";
