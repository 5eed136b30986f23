/* SPDX-License-Identifier: Apache-2.0 */
/* The window into a machine: inspect-translate and the others, on a fake hypervisor. */
#include <string.h>

#include "arm64/sysreg.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "qmp_private.h"
#include "unit.h"

static struct machine_bench bench;
static struct fake_cpu cpu;
static struct qmp_server server;

#define ROOT LAYOUT_RAM /* of stage 1, whose tables are made by hand */

static void open_machine(void)
{
	machine_bench_open(&bench);
	bench.config.cpus = 2;
	fake_host.cpu = &cpu;
	machine_bench_build(&bench);
	server.machine = bench.machine;
	server.options.config = &bench.config;
}

static void close_machine(void)
{
	machine_bench_close(&bench);
}

static void set_sysreg(unsigned index, uint16_t sysreg, uint64_t value)
{
	cpu.sysregs[index].sysreg = sysreg;
	cpu.sysregs[index].value = value;
}

/* 4 KiB, 39 bits, TTBR1: one block of 2 MiB, one page, one that is invalid, one device. */
static void map_something(void)
{
	uint64_t *tables = guest_mem_at(bench.machine->mem, ROOT, 16 * KIB);

	set_sysreg(0, SYSREG_SCTLR_EL1, SCTLR_M);
	set_sysreg(1, SYSREG_TCR_EL1, UINT64_C(25) << 16 | UINT64_C(2) << 30 | UINT64_C(5) << 32);
	set_sysreg(2, SYSREG_TTBR1_EL1, ROOT);
	set_sysreg(3, SYSREG_MAIR_EL1, 0xff04);
	tables[0] = (ROOT + 4096) | 3;                           /* level 1 */
	tables[512] = LAYOUT_RAM | BIT(54) | 0x701 | 1 << 2;     /* level 2: Normal, el1 rw */
	tables[513] = (ROOT + 8192) | 3;                         /* a table */
	tables[1024] = LAYOUT_PL011 | BIT(54) | BIT(53) | 0x403; /* level 3: Device */
	tables[1025] = (LAYOUT_RAM + 0x5000) | BIT(51) | 0xfc7;  /* of EL0, clean */
	tables[1026] = UINT64_C(0x0b000000) | 0x403;             /* nothing is there */
	tables[1027] = LAYOUT_GIC_DISTRIBUTOR | 0x403;
}

/* The answer, or the sentence, as text; the next call frees it. */
static const char *ask(const char *command, const char *arguments)
{
	static char *text;
	struct json_object *given = json_tokener_parse(arguments);
	struct qmp_call call = {.context = &server, .arguments = given};
	int r = qmp_dispatch(&qmp_machine_schema, command, &call);

	free(text);
	text = strdup(r < 0 ? call.error.text.text
			    : json_object_to_json_string_ext(
				      call.answer,
				      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(call.answer);
	json_object_put(given);
	return text;
}

static const struct {
	const char *address;
	const char *wanted[5]; /* in this order */
} rows[] = {
	{"0xffffff8000001234",
	 {"\"table\":\"TTBR1_EL1\"", "\"granule\":4096,\"bits\":39", "\"kind\":\"block\"",
	  "\"el0\":\"---\",\"el1\":\"rwx\",\"attributes\":\"Normal, write-back\"",
	  "\"ipa\":\"0x40001234\",\"size\":2097152,\"host\":"}},
	{"0xffffff8000200018",
	 {"\"level\":1,\"at\":\"0x40000000\"", "\"level\":2,\"at\":\"0x40001008\"",
	  "\"level\":3,\"at\":\"0x40002000\"", "\"attributes\":\"Device-nGnRE\"",
	  "\"ipa\":\"0x9000018\",\"size\":4096,\"device\":\"serial0\",\"offset\":\"0x18\","
	  "\"register\":\"UARTFR\""}},
	{"0xffffff8000201000",
	 {"\"el0\":\"r-x\"", "\"el1\":\"r-x\"",
	  "\"accessed\":true,\"dirty\":false,\"global\":false"}},
	{"0xffffff8000202000", {"\"ipa\":\"0xb000000\",\"size\":4096}"}},
	{"0xffffff8000203008", {"\"device\":\"gic distributor\",\"offset\":\"0x8\""}},
	{"0xffffff8000204000", {"\"kind\":\"invalid\"", "\"fault\":\"translation fault\""}},
	{"0xffffff8000400000", {"\"kind\":\"invalid\"", "\"fault\":\"translation fault\""}},
	{"0",
	 {"\"table\":\"TTBR0_EL1\"", "\"steps\":[]", "\"fault\":\"external abort on the walk\""}},
};

START_TEST(test_translate)
{
	char arguments[128];
	const char *rest;

	open_machine();
	map_something();
	snprintf(arguments, sizeof(arguments), "{\"address\":\"%s\"}", rows[_i].address);
	rest = ask("inspect-translate", arguments);
	for (unsigned i = 0; i < ARRAY_SIZE(rows[_i].wanted) && rows[_i].wanted[i]; i++) {
		const char *found = strstr(rest, rows[_i].wanted[i]);

		ck_assert_msg(found != NULL, "%s has no %s", rest, rows[_i].wanted[i]);
		rest = found + strlen(rows[_i].wanted[i]);
	}
	ck_assert(!pause_wanted(bench.machine));
	close_machine();
}
END_TEST

START_TEST(test_off)
{
	open_machine();
	ck_assert_ptr_nonnull(
		strstr(ask("inspect-translate", "{\"address\":\"0x40000010\",\"cpu\":1}"),
		       "\"mmu\":false,\"steps\":[],\"ipa\":\"0x40000010\",\"host\":"));
	ck_assert_str_eq(ask("inspect-translate", "{\"address\":\"0x40000010\",\"cpu\":2}"),
			 "the machine has no vCPU 2 at present");
	ck_assert_ptr_nonnull(
		strstr(ask("inspect-translate", "{\"address\":\"0x9000018\",\"brief\":true}"),
		       "{\"ipa\":\"0x9000018\",\"device\":\"serial0\",\"offset\":\"0x18\","
		       "\"register\":\"UARTFR\"}"));
	ck_assert_str_eq(ask("inspect-translate", "{\"address\":\"here\"}"),
			 "'here' is no address, as 0x40080000 is");
	ck_assert_str_eq(ask("inspect-registers", "{\"cpu\":7}"),
			 "the machine has no vCPU 7 at present");
	close_machine();
}
END_TEST

START_TEST(test_registers)
{
	const char *text;

	open_machine();
	cpu.regs[HYP_REG_X0 + 1] = 0x0123;
	cpu.regs[HYP_REG_X0 + 2] = UINT64_C(0xfedcba9800000001);
	set_sysreg(0, SYSREG_SCTLR_EL1, 0x30d0198);
	cpu.vectors[1][15] = 0x10;
	text = ask("inspect-registers", "{}");
	ck_assert_ptr_nonnull(
		strstr(text, "{\"X0\":\"0x0\",\"X1\":\"0x123\",\"X2\":\"0xfedcba9800000001\""));
	ck_assert_ptr_nonnull(strstr(text, "\"V1\":\"0x10000000000000000000000000000000\""));
	ck_assert_ptr_nonnull(strstr(text, "\"SCTLR_EL1\":\"0x30d0198\""));
	close_machine();
}
END_TEST

START_TEST(test_timers)
{
	open_machine();
	/* As KVM names them: the counter and the comparison are swapped. */
	set_sysreg(0, SYSREG(3, 3, 14, 3, 1), 1);
	set_sysreg(1, SYSREG(3, 3, 14, 3, 2), 1000);
	set_sysreg(2, SYSREG(3, 3, 14, 0, 2), 1000 + 62500000 / 2);
	ck_assert_ptr_nonnull(strstr(
		ask("inspect-timers", "{}"),
		"{\"cpu\":1,\"frequency\":62500000,\"counter\":\"0x3e8\",\"timers\":[{\"name\":"
		"\"virtual\",\"intid\":27,\"enabled\":true,\"masked\":false,\"expired\":false,"
		"\"compare\":\"0x1dcda38\",\"seconds-left\":0.5}"));
	close_machine();
}
END_TEST

START_TEST(test_gic)
{
	const char *text;

	open_machine();
	text = ask("inspect-gic", "{}");
	ck_assert_ptr_nonnull(strstr(text, "{\"version\":3,\"interrupts\":["));
	ck_assert_ptr_nonnull(
		strstr(text, "{\"intid\":27,\"cpu\":1,\"name\":\"virtual timer\",\"enabled\":"
			     "true,\"pending\":true,\"active\":false,\"trigger\":\"level\","
			     "\"priority\":160}"));
	ck_assert_ptr_nonnull(
		strstr(text, "{\"intid\":33,\"target\":\"0x0\",\"name\":\"serial0\""));
	ck_assert_ptr_nonnull(strstr(text, ",\"kvm\":\"a line\\n\"}"));
	close_machine();
}
END_TEST

START_TEST(test_devices)
{
	const char *text;

	open_machine();
	text = ask("inspect-devices", "{}");
	ck_assert_ptr_nonnull(
		strstr(text, "{\"name\":\"serial0\",\"type\":\"pl011\",\"base\":\"0x9000000\""));
	ck_assert_ptr_nonnull(strstr(text, "\"break_waiting\":false"));
	ck_assert_ptr_nonnull(strstr(text, "\"virtio.queues\":[{\"size\":"));
	text = ask("inspect-memory", "{}");
	ck_assert_ptr_nonnull(
		strstr(text, "{\"name\":\"ram\",\"kind\":\"memory\",\"base\":\"0x40000000\","
			     "\"size\":\"0x1000000\"}"));
	ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"serial0\",\"kind\":\"read-only\""));
	ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"gic distributor\",\"kind\":\"gic\""));
	close_machine();
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_translate, ARRAY_SIZE(rows)),
	UNIT_CASE(test_off),
	UNIT_CASE(test_registers),
	UNIT_CASE(test_timers),
	UNIT_CASE(test_gic),
	UNIT_CASE(test_devices),
	{0},
};
const char unit_name[] = "qmp_look";
