/* SPDX-License-Identifier: Apache-2.0 */
/* The stub for gdb, by packets, on a machine whose vCPUs stop when the test says so. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control/gdb.h"
#include "gdb_private.h"
#include "machine/layout.h"
#include "machine/look.h"
#include "machine_bench.h"
#include "unit.h"

#define CODE LAYOUT_RAM

struct bench {
	struct machine_bench machine;
	struct fake_cpu cpu;
	struct gdb_server *server;
	char folder[32];
	char path[64];
	int fd;
	bool killed;
	char last[64 * 1024]; /* the last answer */
};

static void on_quit(void *data)
{
	struct bench *bench = data;

	bench->killed = true;
}

static void on_event(void *data, enum machine_event event)
{
	struct bench *bench = data;

	gdb_server_event(bench->server, event);
}

static void rounds(struct bench *bench, unsigned count)
{
	while (count--) {
		event_loop_stop(bench->machine.loop);
		event_loop_run(bench->machine.loop);
	}
}

static int connect_to(const struct bench *bench)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", bench->path);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void open_bench_with(struct bench *bench, unsigned breakpoints)
{
	struct gdb_options options = {.where = bench->path, .quit = on_quit, .data = bench};
	struct error err = {0};

	*bench = (struct bench){.folder = "/tmp/gdb.XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(bench->folder));
	snprintf(bench->path, sizeof(bench->path), "%s/gdb", bench->folder);
	machine_bench_open(&bench->machine);
	bench->machine.config.cpus = 2;
	bench->machine.event = on_event;
	bench->machine.event_data = bench;
	fake_host.cpu = &bench->cpu;
	fake_host.on = 1;
	fake_host.caps.hw_breakpoints = breakpoints;
	bench->cpu.regs[HYP_REG_PC] = CODE;
	bench->cpu.regs[HYP_REG_PSTATE] = 5;
	options.machine = machine_bench_build(&bench->machine);
	options.loop = bench->machine.loop;
	ck_assert_msg(gdb_server_create(&options, &bench->server, &err) == 0, "%s", err.text);
	ck_assert_str_eq(gdb_server_target(bench->server), bench->path);
	bench->fd = connect_to(bench);
	rounds(bench, 2);
}

static void open_bench(struct bench *bench)
{
	open_bench_with(bench, 2);
}

static void close_bench(struct bench *bench)
{
	gdb_server_destroy(bench->server);
	close(bench->fd);
	machine_bench_close(&bench->machine);
	ck_assert_int_eq(access(bench->path, F_OK), -1);
	rmdir(bench->folder);
}

static void send_packet(const struct bench *bench, const char *text)
{
	char packet[4096];
	uint8_t sum = 0;
	int size;

	for (const char *c = text; *c; c++)
		sum += (uint8_t)*c;
	size = snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
	ck_assert_int_eq(send(bench->fd, packet, (size_t)size, 0), size);
}

/* The next packet, or "" if there is none; without acknowledgements in front of it. */
static const char *receive(struct bench *bench)
{
	char raw[sizeof(bench->last)];
	ssize_t size;
	char *begin, *end;

	rounds(bench, 2);
	size = recv(bench->fd, raw, sizeof(raw) - 1, MSG_DONTWAIT);
	raw[size > 0 ? size : 0] = '\0';
	begin = strchr(raw, '$');
	end = begin ? strrchr(begin, '#') : NULL;
	bench->last[0] = '\0';
	if (end)
		snprintf(bench->last, sizeof(bench->last), "%.*s", (int)(end - begin - 1),
			 begin + 1);
	return bench->last;
}

static const char *ask(struct bench *bench, const char *text)
{
	send_packet(bench, text);
	return receive(bench);
}

static const struct {
	const char *packet;
	const char *answer;
} rows[] = {
	{"qSupported:multiprocess+",
	 "PacketSize=20000;QStartNoAckMode+;qXfer:features:read+;vContSupported+"},
	{"?", "T05thread:1;"},
	{"qC", "QC1"},
	{"qCRC:0,4", ""},
	{"qAttached", "1"},
	{"qfThreadInfo", "m1,2"},
	{"qsThreadInfo", "l"},
	{"T2", "OK"},
	{"T3", "E03"},
	{"Tx", "E03"},
	{"qThreadExtraInfo,1", "764350552030"},
	{"qThreadExtraInfo,2", "7643505520312c206f6666"},
	{"qThreadExtraInfo,9", "E03"},
	{"Hg2", "OK"},
	{"Hg0", "OK"},
	{"Hc-1", "OK"},
	{"Hg3", "E16"},
	{"H", "E16"},
	{"vMustReplyEmpty", ""},
	{"QStartNoAckMode", "OK"},
	{"vCont?", "vCont;c;C;s;S;r"},
	{"vCont", "E16"},
	{"vCont;", "E16"},
	{"vCont;x", "E16"},
	{"vCont;s:7", "E16"},
	{"vCont;r1", "E16"},
	{"p20", "0000004000000000"},
	{"p21", "05000000"},
	{"P20=0800004000000000", "OK"},
	{"P20=08", "E16"},
	{"P20", "E16"},
	{"pffff", "E16"},
	{"P21=zz000000", "E16"},
	{"m40000000,4", "00000000"},
	{"m40000000,0", ""},
	{"m0,4", "E0e"},
	{"m40fffffe,4", "0000"},
	{"m41000000,4", "E0e"},
	{"m4000", "E16"},
	{"mffffffffffffffff,8", "E0e"},
	{"M40000000,4:01020304", "OK"},
	{"M40000000,4:0102", "E16"},
	{"M0,1:01", "E0e"},
	{"M40000000,ffffffff:01", "E16"},
	{"X40000000,2:ab", "OK"},
	{"X40000000,3:ab", "E16"},
	{"Z0,40000001,4", "E16"},
	{"Z0,40000000", "E16"},
	{"Z5,40000000,4", ""},
	{"Zx", ""},
	{"Z2,40000000,18", "E16"},
	{"z0,40000000,4", "E16"},
	{"qXfer:features:read:target.xml:0,5", "m<?xml"},
	{"qXfer:features:read:target.xml:ffffffff,5", "l"},
	{"qXfer:features:read:other.xml:0,5", "E16"},
	{"qqemu.PhyMemMode", "0"},
	{"Qqemu.PhyMemMode:1", "OK"},
	{"qRcmd,zz", NULL},
	{"qRcmd,706879736963616c206f6e", "6164647265737365732061726520706879736963616c0a"},
	{"qRcmd,706879736963616c", "61646472657373657320617265207669727475616c0a"},
	{"qRcmd,", NULL},
	{"", ""},
	{"G", "OK"},
};

START_TEST(test_rows)
{
	struct bench bench;
	const char *answer;

	open_bench(&bench);
	ck_assert(machine_paused(bench.machine.machine));
	answer = ask(&bench, rows[_i].packet);
	if (rows[_i].answer)
		ck_assert_msg(!strcmp(answer, rows[_i].answer), "%s: '%s'", rows[_i].packet,
			      answer);
	else
		ck_assert_ptr_nonnull(
			strstr(answer, "6d6f6e69746f722072657365743a")); /* monitor reset: */
	close_bench(&bench);
}
END_TEST

/* The registers: what is written is read again, and in the description they are all. */
START_TEST(test_registers)
{
	struct bench bench;
	char packet[4096];
	size_t common;

	open_bench(&bench);
	bench.cpu.regs[HYP_REG_X0 + 5] = 0x1122334455667788;
	bench.cpu.regs[HYP_REG_SP_EL1] = 0x99;
	memset(bench.cpu.vectors[3], 0xa5, 16);
	ask(&bench, "g");
	/* X0 to X30, SP, PC, CPSR; V0 to V31, FPSR, FPCR. */
	common = 2 * (33 * 8 + 4 + 32 * 16 + 2 * 4);
	ck_assert_uint_eq(strlen(bench.last), common);
	ck_assert(!strncmp(bench.last + 2 * 5 * 8, "8877665544332211", 16));
	ck_assert(!strncmp(bench.last + 2 * 31 * 8, "99", 2));
	ck_assert(!strncmp(bench.last + 2 * (33 * 8 + 4 + 3 * 16), "a5a5a5a5", 8));
	snprintf(packet, sizeof(packet), "G%s", bench.last);
	memset(packet + 1, '7', 16);
	ck_assert_str_eq(ask(&bench, packet), "OK");
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_X0], 0x7777777777777777);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_X0 + 5], 0x1122334455667788);
	ask(&bench, "qXfer:features:read:target.xml:0,ffff");
	ck_assert_ptr_nonnull(strstr(bench.last, "<reg name=\"x0\" bitsize=\"64\" regnum=\"0\""));
	ck_assert_ptr_nonnull(strstr(bench.last, "org.gnu.gdb.aarch64.fpu"));
	ck_assert_ptr_nonnull(
		strstr(bench.last, "<reg name=\"SCTLR_EL1\" bitsize=\"64\" regnum=\"69\""));
	ck_assert_ptr_nonnull(strstr(bench.last, "DBGBVR3_EL1"));
	close_bench(&bench);
}
END_TEST

/* With SVE the vectors are Z registers. */
START_TEST(test_sve)
{
	struct bench bench;

	open_bench(&bench);
	bench.cpu.vector = 32;
	bench.cpu.p[1][3] = 0x5a;
	ask(&bench, "qXfer:features:read:target.xml:0,ffff");
	ck_assert_ptr_nonnull(strstr(bench.last, "org.gnu.gdb.aarch64.sve"));
	ck_assert_ptr_nonnull(strstr(bench.last, "<reg name=\"z31\" bitsize=\"256\""));
	ck_assert_ptr_nonnull(strstr(bench.last, "<reg name=\"ffr\" bitsize=\"32\""));
	ck_assert_str_eq(ask(&bench, "p45"), "0000005a"); /* p1: behind 34 and 34 others */
	ck_assert_str_eq(ask(&bench, "p55"), "0400000000000000");
	ck_assert_str_eq(ask(&bench, "P55=0500000000000000"), "E16");
	close_bench(&bench);
}
END_TEST

/* Breakpoints go to registers, then to memory; watchpoints to registers only. */
START_TEST(test_points)
{
	struct bench bench;
	const struct hyp_debug *debug = &bench.cpu.debug;

	open_bench(&bench);
	ck_assert(!bench.cpu.debugged);
	ck_assert_str_eq(ask(&bench, "Z0,40000100,4"), "OK");
	ck_assert_str_eq(ask(&bench, "Z1,40000104,4"), "OK");
	ck_assert_str_eq(ask(&bench, "Z1,40000108,4"), "E1c");
	ck_assert_uint_eq(debug->breakpoint_count, 2);
	ck_assert_str_eq(ask(&bench, "M4000010c,4:1f2003d5"), "OK");
	ck_assert_str_eq(ask(&bench, "Z0,4000010c,4"), "OK");
	ck_assert_str_eq(ask(&bench, "Z0,4000010c,4"), "OK");
	ck_assert_str_eq(ask(&bench, "m4000010c,4"), "000020d4");
	ck_assert_str_eq(ask(&bench, "Z0,0,4"), "E1c");
	ck_assert_uint_eq(debug->breakpoints[1].value, 0x40000104);
	ck_assert_str_eq(ask(&bench, "z0,40000100,4"), "OK");
	ck_assert_uint_eq(debug->breakpoint_count, 1);
	ck_assert_str_eq(ask(&bench, "z0,4000010c,4"), "OK");
	ck_assert_str_eq(ask(&bench, "m4000010c,4"), "1f2003d5");
	ck_assert_str_eq(ask(&bench, "Z2,40000200,8"), "OK");
	ck_assert_str_eq(ask(&bench, "Z3,40000204,4"), "OK");
	ck_assert_str_eq(ask(&bench, "Z4,40000208,4"), "E1c");
	ck_assert_uint_eq(debug->watchpoint_count, 2);
	ck_assert_uint_eq(debug->watchpoints[1].control, 7 | 1 << 3 | 0xf0 << 5);
	ck_assert_str_eq(ask(&bench, "D"), "OK");
	ck_assert(!bench.cpu.debugged);
	ck_assert(!machine_paused(bench.machine.machine));
	close_bench(&bench);
}
END_TEST

/* What the guest has written over a breakpoint stays. */
START_TEST(test_overwritten)
{
	struct bench bench;

	open_bench_with(&bench, 0);

	ck_assert_str_eq(ask(&bench, "Z0,40000100,4"), "OK");
	ck_assert_str_eq(ask(&bench, "m40000100,4"), "000020d4");
	ck_assert_str_eq(ask(&bench, "M40000100,4:11223344"), "OK");
	ck_assert_str_eq(ask(&bench, "z0,40000100,4"), "OK");
	ck_assert_str_eq(ask(&bench, "m40000100,4"), "11223344");
	close_bench(&bench);
}
END_TEST

/* ---- Stops ------------------------------------------------------------------ */

struct answer {
	struct vcpu *vcpu;
	struct vcpu_exit exit;
	pthread_t thread;
};

static void *take_exit(void *data)
{
	struct answer *answer = data;

	answer->vcpu->inside = true;
	ck_assert_int_eq(vcpu_handle_exit(answer->vcpu, &answer->exit), VCPU_CONTINUE);
	answer->vcpu->inside = false;
	pause_outside(answer->vcpu->machine);
	return NULL;
}

/* The vCPU leaves the guest for a debug exception of this class. */
static void leave(struct bench *bench, struct answer *answer, uint32_t cpu, unsigned class,
		  gva_t addr)
{
	*answer = (struct answer){.vcpu = &bench->machine.machine->board.vcpus[cpu],
				  .exit = {.reason = VCPU_EXIT_DEBUG,
					   .addr = addr,
					   .detail = (uint64_t) class << 26}};
	ck_assert_int_eq(pthread_create(&answer->thread, NULL, take_exit, answer), 0);
}

static const char *await_stop(struct bench *bench)
{
	for (unsigned i = 0; i < 1000 && !*receive(bench); i++)
		usleep(1000);
	return bench->last;
}

START_TEST(test_breakpoint)
{
	struct bench bench;
	struct answer answer;

	open_bench(&bench);
	ck_assert_str_eq(ask(&bench, "Z0,40000100,4"), "OK");
	ck_assert_str_eq(ask(&bench, "vCont;c"), "");
	ck_assert(!machine_paused(bench.machine.machine));
	bench.cpu.regs[HYP_REG_PC] = 0x40000100;
	leave(&bench, &answer, 1, DEBUG_CLASS_BREAKPOINT, 0);
	ck_assert_str_eq(await_stop(&bench), "T05thread:2;");
	ck_assert(machine_paused(bench.machine.machine));
	ck_assert_str_eq(ask(&bench, "?"), "T05thread:2;");
	ck_assert_str_eq(ask(&bench, "qC"), "QC2");
	pthread_join(answer.thread, NULL);
	ck_assert_str_eq(ask(&bench, "c"), "");
	ck_assert(!machine_paused(bench.machine.machine));
	close_bench(&bench);
}
END_TEST

START_TEST(test_watchpoint)
{
	struct bench bench;
	struct answer answer;

	open_bench(&bench);
	ck_assert_str_eq(ask(&bench, "Z2,40000200,8"), "OK");
	ck_assert_str_eq(ask(&bench, "Z3,40000300,8"), "OK");
	ask(&bench, "c");
	/* An access of 16 bytes that begins in front of what is watched. */
	leave(&bench, &answer, 0, DEBUG_CLASS_WATCHPOINT, 0x400001f8);
	ck_assert_str_eq(await_stop(&bench), "T05thread:1;watch:40000200;");
	pthread_join(answer.thread, NULL);
	ask(&bench, "c");
	leave(&bench, &answer, 0, DEBUG_CLASS_WATCHPOINT, 0x40000304);
	ck_assert_str_eq(await_stop(&bench), "T05thread:1;rwatch:40000300;");
	pthread_join(answer.thread, NULL);
	close_bench(&bench);
}
END_TEST

START_TEST(test_step)
{
	struct bench bench;
	struct answer answer;

	open_bench(&bench);
	ck_assert_str_eq(ask(&bench, "vCont;s:1;c"), "");
	ck_assert(bench.cpu.stepping);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PSTATE], 0xc5);
	bench.cpu.regs[HYP_REG_PC] += 4;
	leave(&bench, &answer, 0, DEBUG_CLASS_STEP, 0);
	ck_assert_str_eq(await_stop(&bench), "T05thread:1;");
	pthread_join(answer.thread, NULL);
	ck_assert(!bench.cpu.stepping);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PSTATE], 5);
	close_bench(&bench);
}
END_TEST

static void check_waits(const struct machine *machine, bool first, bool second)
{
	ck_assert_int_eq(pause_asks(&machine->board.vcpus[0], machine->attention), first);
	ck_assert_int_eq(pause_asks(&machine->board.vcpus[1], machine->attention), second);
}

/*
 * In a range it goes on by itself; alone, it goes on while the other waits, but for moments
 * in which the machine is held.
 */
START_TEST(test_range)
{
	struct machine *machine;
	struct bench bench;
	struct answer answer;

	open_bench(&bench);
	ck_assert_str_eq(ask(&bench, "vCont;r40000000,40000010:1"), "");
	machine = bench.machine.machine;
	ck_assert(machine_paused(machine));
	check_waits(machine, false, true);
	ck_assert(machine_hold(machine));
	ck_assert(!machine_hold(machine));
	ck_assert(machine_paused(machine));
	check_waits(machine, true, true);
	machine_release(machine, true);
	check_waits(machine, false, true);
	for (unsigned i = 0; i < 3; i++) {
		bench.cpu.regs[HYP_REG_PC] += 4;
		leave(&bench, &answer, 0, DEBUG_CLASS_STEP, 0);
		pthread_join(answer.thread, NULL);
		ck_assert_str_eq(receive(&bench), "");
		ck_assert(bench.cpu.stepping);
	}
	bench.cpu.regs[HYP_REG_PC] += 4;
	leave(&bench, &answer, 0, DEBUG_CLASS_STEP, 0);
	ck_assert_str_eq(await_stop(&bench), "T05thread:1;");
	pthread_join(answer.thread, NULL);
	ck_assert(machine_paused(machine));
	check_waits(machine, true, true);
	ck_assert(!machine_hold(machine));
	close_bench(&bench);
}
END_TEST

/* A breakpoint instruction of the guest's own is its own. */
START_TEST(test_given_back)
{
	struct bench bench;
	struct answer answer;

	open_bench(&bench);
	ck_assert_str_eq(ask(&bench, "Z0,40000100,4"), "OK");
	ask(&bench, "c");
	leave(&bench, &answer, 0, DEBUG_CLASS_BRK, 0);
	pthread_join(answer.thread, NULL);
	ck_assert_str_eq(receive(&bench), "");
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_ELR_EL1], CODE);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PC], 0x200);
	close_bench(&bench);
}
END_TEST

START_TEST(test_interrupt)
{
	struct bench bench;

	open_bench(&bench);
	ask(&bench, "c");
	ck_assert_int_eq(send(bench.fd, "\x03", 1, 0), 1);
	ck_assert_str_eq(receive(&bench), "T02thread:1;");
	ck_assert(machine_paused(bench.machine.machine));
	ask(&bench, "c");
	/* Somebody else pauses it; and lets it go on, which gdb does not notice. */
	machine_pause(bench.machine.machine);
	ck_assert_str_eq(receive(&bench), "T02thread:1;");
	machine_resume(bench.machine.machine);
	ck_assert_str_eq(ask(&bench, "qC"), "QC1");
	ck_assert(machine_paused(bench.machine.machine));
	close_bench(&bench);
}
END_TEST

/* ---- Who comes and goes ----------------------------------------------------- */

START_TEST(test_second)
{
	struct bench bench;
	char byte;
	int second;

	open_bench(&bench);
	capture_stderr();
	second = connect_to(&bench);
	rounds(&bench, 2);
	ck_assert_int_eq(recv(second, &byte, 1, MSG_DONTWAIT), 0);
	ck_assert_ptr_nonnull(strstr(captured_stderr(), "turned away"));
	ck_assert_str_eq(ask(&bench, "qC"), "QC1");
	close(second);
	close_bench(&bench);
}
END_TEST

START_TEST(test_lost)
{
	struct bench bench;

	open_bench(&bench);
	ck_assert_str_eq(ask(&bench, "Z0,40000100,4"), "OK");
	ck_assert_str_eq(ask(&bench, "vCont;s:1"), "");
	close(bench.fd);
	rounds(&bench, 2);
	ck_assert(!machine_paused(bench.machine.machine));
	ck_assert(!bench.cpu.debugged && !bench.cpu.stepping);
	ck_assert_uint_eq(bench.cpu.regs[HYP_REG_PSTATE], 5);
	/* One that was paused before stays so. */
	machine_pause(bench.machine.machine);
	bench.fd = connect_to(&bench);
	rounds(&bench, 2);
	close(bench.fd);
	rounds(&bench, 2);
	ck_assert(machine_paused(bench.machine.machine));
	bench.fd = connect_to(&bench);
	rounds(&bench, 2);
	ck_assert_str_eq(ask(&bench, "D;1"), "OK");
	ck_assert(!machine_paused(bench.machine.machine));
	close_bench(&bench);
}
END_TEST

START_TEST(test_killed)
{
	struct bench bench;

	open_bench(&bench);
	ck_assert_str_eq(ask(&bench, "vKill;1"), "OK");
	ck_assert(bench.killed);
	close_bench(&bench);
}
END_TEST

START_TEST(test_monitor_quit)
{
	struct bench bench;

	open_bench(&bench);
	ask(&bench, "qRcmd,71756974");
	ck_assert(bench.killed);
	close_bench(&bench);
}
END_TEST

/* Who ends the service lets the machine go on, if gdb had paused it. */
START_TEST(test_destroyed)
{
	struct bench bench;

	open_bench(&bench);
	ck_assert_str_eq(ask(&bench, "Z0,40000100,4"), "OK");
	ck_assert(machine_paused(bench.machine.machine));
	gdb_server_destroy(bench.server);
	bench.server = NULL;
	ck_assert(!machine_paused(bench.machine.machine));
	ck_assert(!bench.cpu.debugged);
	close_bench(&bench);
}
END_TEST

START_TEST(test_end)
{
	struct bench bench;

	open_bench(&bench);
	ask(&bench, "c");
	gdb_server_machine(bench.server, NULL, 255);
	ck_assert_str_eq(receive(&bench), "Wff");
	close_bench(&bench);
}
END_TEST

static const char *const nowhere[] = {"",          "x",     "tcp:",  "tcp:0",
				      "tcp:70000", "70000", "unix:", "-1"};

START_TEST(test_nowhere)
{
	struct gdb_options options = {.where = nowhere[_i]};
	struct gdb_server *server = NULL;
	struct error err = {0};

	ck_assert_int_eq(gdb_server_create(&options, &server, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "neither a port"));
	ck_assert_ptr_null(server);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_rows, ARRAY_SIZE(rows)),
	UNIT_CASE(test_registers),
	UNIT_CASE(test_sve),
	UNIT_CASE(test_points),
	UNIT_CASE(test_overwritten),
	UNIT_CASE(test_breakpoint),
	UNIT_CASE(test_watchpoint),
	UNIT_CASE(test_step),
	UNIT_CASE(test_range),
	UNIT_CASE(test_given_back),
	UNIT_CASE(test_interrupt),
	UNIT_CASE(test_second),
	UNIT_CASE(test_lost),
	UNIT_CASE(test_killed),
	UNIT_CASE(test_monitor_quit),
	UNIT_CASE(test_destroyed),
	UNIT_CASE(test_end),
	UNIT_LOOP(test_nowhere, ARRAY_SIZE(nowhere)),
	{0},
};
const char unit_name[] = "gdb";
