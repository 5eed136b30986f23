/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu_handle_exit(): every exit that a hypervisor can give, by name. */
#include <string.h>

#include "devices/pl011.h"
#include "devices/pl031.h"
#include "devices/pl061.h"
#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

struct exit_row {
	enum vcpu_exit_reason reason;
	const char *name;
	enum vcpu_next next;
	int outcome; /* of the machine then */
};

static const struct exit_row exit_rows[] = {
	{VCPU_EXIT_INTERRUPTED, "INTERRUPTED", VCPU_CONTINUE, MACHINE_RUNNING},
	{VCPU_EXIT_MMIO, "MMIO", VCPU_CONTINUE, MACHINE_RUNNING},
	{VCPU_EXIT_NO_SYNDROME, "NO_SYNDROME", VCPU_CONTINUE, MACHINE_RUNNING},
	{VCPU_EXIT_LDST64B, "LDST64B", VCPU_CONTINUE, MACHINE_RUNNING},
	{VCPU_EXIT_SHUTDOWN, "SHUTDOWN", VCPU_END, MACHINE_POWERED_OFF},
	{VCPU_EXIT_RESET, "RESET", VCPU_END, MACHINE_RESET},
	{VCPU_EXIT_SUSPEND, "SUSPEND", VCPU_CONTINUE, MACHINE_RUNNING},
	{VCPU_EXIT_WAKEUP, "WAKEUP", VCPU_CONTINUE, MACHINE_RUNNING},
	{VCPU_EXIT_CRASH, "CRASH", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_HYPERCALL, "HYPERCALL", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_DEBUG, "DEBUG", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_SEA, "SEA", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_MEMORY_FAULT, "MEMORY_FAULT", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_DIRTY_RING_FULL, "DIRTY_RING_FULL", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_FAIL_ENTRY, "FAIL_ENTRY", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_INTERNAL_ERROR, "INTERNAL_ERROR", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_RUN_FAILED, "RUN_FAILED", VCPU_END, MACHINE_FAILED},
	{VCPU_EXIT_OTHER, "OTHER", VCPU_END, MACHINE_FAILED},
};

_Static_assert(ARRAY_SIZE(exit_rows) == VCPU_EXIT_REASONS, "each reason has a row");

START_TEST(test_names)
{
	const struct exit_row *row = &exit_rows[_i];

	ck_assert_str_eq(vcpu_exit_name(row->reason), row->name);
	ck_assert_str_eq(vcpu_exit_name(VCPU_EXIT_REASONS), "UNKNOWN");
}
END_TEST

START_TEST(test_each_reason)
{
	const struct exit_row *row = &exit_rows[_i];
	struct vcpu_exit exit = {.reason = row->reason,
				 .addr = LAYOUT_PL031 + RTCMR,
				 .size = 4,
				 .detail = row->reason == VCPU_EXIT_RUN_FAILED ? ENOMEM : 0x1234};
	struct machine_bench bench;
	struct machine *machine;
	const char *text;

	machine_bench_open(&bench);
	machine = machine_bench_build(&bench);
	capture_stderr();
	ck_assert_int_eq(vcpu_handle_exit(&machine->board.vcpus[0], &exit), row->next);
	text = captured_stderr();
	ck_assert_int_eq(machine->outcome, row->outcome);
	ck_assert_uint_eq(machine->board.vcpus[0].exits[row->reason], 1);
	ck_assert_int_eq(machine->reset_wanted, row->reason == VCPU_EXIT_RESET);
	if (row->outcome == MACHINE_FAILED)
		ck_assert_msg(strstr(text, row->name) != NULL, "%s", text);
	else if (row->next == VCPU_CONTINUE && row->reason != VCPU_EXIT_NO_SYNDROME &&
		 row->reason != VCPU_EXIT_LDST64B)
		ck_assert_str_eq(text, "");
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_reset_without_reboot)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_RESET};
	struct machine_bench bench;
	struct machine *machine;

	machine_bench_open(&bench);
	bench.config.no_reboot = true;
	machine = machine_bench_build(&bench);
	ck_assert_int_eq(vcpu_handle_exit(&machine->board.vcpus[0], &exit), VCPU_END);
	ck_assert_int_eq(machine->outcome, MACHINE_RESET);
	ck_assert(!machine->reset_wanted);
	machine_bench_close(&bench);
}
END_TEST

/* The first to end a machine says how. */
START_TEST(test_first_end_wins)
{
	struct vcpu_exit off = {.reason = VCPU_EXIT_SHUTDOWN};
	struct vcpu_exit reset = {.reason = VCPU_EXIT_RESET};
	struct machine_bench bench;
	struct machine *machine;

	machine_bench_open(&bench);
	bench.config.cpus = 2;
	machine = machine_bench_build(&bench);
	vcpu_handle_exit(&machine->board.vcpus[0], &off);
	vcpu_handle_exit(&machine->board.vcpus[1], &reset);
	ck_assert_int_eq(machine->outcome, MACHINE_POWERED_OFF);
	ck_assert(!machine->reset_wanted);
	ck_assert_uint_eq(fake_count(FAKE_KICK, 0), 1);
	ck_assert_uint_eq(fake_count(FAKE_KICK, 1), 1);
	machine_bench_close(&bench);
}
END_TEST

struct access_row {
	gpa_t addr;
	uint8_t size;
	bool is_write;
	uint64_t value;  /* written, or as read */
	bool nodefaults; /* the device is not there then */
};

static const struct access_row access_rows[] = {
	{LAYOUT_PL011 + UARTFR, 4, false, UARTFR_TXFE | UARTFR_RXFE, false},
	{LAYOUT_PL011 + UARTFR, 1, false, UARTFR_TXFE | UARTFR_RXFE, false},
	{LAYOUT_PL011 + UARTPeriphID0, 4, false, 0x11, false},
	{LAYOUT_PL011 + UARTIMSC, 2, true, UARTINT_RX, false},
	{LAYOUT_PL011 + PL011_SIZE - 4, 4, false, 0xb1, false},
	{LAYOUT_PL011 + PL011_SIZE, 4, false, 0, false},
	{LAYOUT_PL011 - 4, 4, false, 0, false},
	{LAYOUT_PL031 + RTCPeriphID0, 4, false, 0x31, false},
	{LAYOUT_PL031 + RTCPeriphID0, 4, false, 0, true},
	{LAYOUT_PL031 + RTCMR, 4, true, 17, false},
	{LAYOUT_PL061 + GPIOPeriphID0, 4, false, 0x61, false},
	{LAYOUT_PL061 + GPIOPeriphID0, 4, false, 0, true},
	{LAYOUT_PL061 + GPIODIR, 1, true, 0xff, false},
	{LAYOUT_RAM + 4 * GIB, 8, false, 0, false},
	{UINT64_MAX, 8, false, 0, false},
	{UINT64_MAX - 7, 8, true, 1, false},
	{0, 1, false, 0, false},
};

START_TEST(test_access)
{
	const struct access_row *row = &access_rows[_i];
	struct vcpu_exit exit = {.reason = VCPU_EXIT_MMIO,
				 .addr = row->addr,
				 .size = row->size,
				 .is_write = row->is_write,
				 .value = row->is_write ? row->value : 0xdeadbeef};
	struct machine_bench bench;
	struct vcpu *vcpu;

	machine_bench_open(&bench);
	bench.config.nodefaults = row->nodefaults;
	vcpu = &machine_bench_build(&bench)->board.vcpus[0];
	capture_stderr();
	ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
	if (row->is_write) {
		exit.is_write = false;
		exit.value = 0;
		ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
		if (row->addr < LAYOUT_RAM)
			ck_assert_uint_eq(exit.value, row->value);
	} else {
		ck_assert_uint_eq(exit.value, row->value);
	}
	captured_stderr();
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_interrupt_line)
{
	struct vcpu_exit exits[] = {
		{.reason = VCPU_EXIT_MMIO,
		 .addr = LAYOUT_PL011 + UARTIMSC,
		 .size = 4,
		 .is_write = true,
		 .value = UARTINT_TX},
		{.reason = VCPU_EXIT_MMIO,
		 .addr = LAYOUT_PL011 + UARTDR,
		 .size = 4,
		 .is_write = true,
		 .value = 'x'},
		{.reason = VCPU_EXIT_MMIO,
		 .addr = LAYOUT_PL011 + UARTICR,
		 .size = 4,
		 .is_write = true,
		 .value = UARTINT_TX},
	};
	struct machine_bench bench;
	struct vcpu *vcpu;

	machine_bench_open(&bench);
	vcpu = &machine_bench_build(&bench)->board.vcpus[0];
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
		vcpu_handle_exit(vcpu, &exits[i]);
	ck_assert_str_eq(bench.port.output, "x");
	ck_assert_uint_eq(fake_find(FAKE_IRQ, LAYOUT_SPI_PL011, 0)->b, 1);
	ck_assert_uint_eq(fake_find(FAKE_IRQ, LAYOUT_SPI_PL011, 1)->b, 0);
	machine_bench_close(&bench);
}
END_TEST

/* LD64B and its kind are answered by an abort, and the log is bounded. */
START_TEST(test_64_bytes)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_LDST64B, .addr = LAYOUT_PL011};
	struct machine_bench bench;
	struct vcpu *vcpu;
	const char *text;

	machine_bench_open(&bench);
	vcpu = &machine_bench_build(&bench)->board.vcpus[0];
	capture_stderr();
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
	text = captured_stderr();
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 100);
	ck_assert_ptr_nonnull(strstr(text, "0x9000000"));
	ck_assert_ptr_nonnull(strstr(text, "PC 0xc0de0020"));
	ck_assert_uint_le(count_text(text, "\n"), LOG_BUDGET_LINES);
	ck_assert_ptr_nonnull(strstr(text, "no more lines of this kind"));
	machine_bench_close(&bench);
}
END_TEST

/* A fault that KVM cannot serve is an abort for the guest; one that never ends, the end. */
START_TEST(test_unservable)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_RUN_FAILED, .detail = EFAULT};
	struct vcpu_exit other = {.reason = VCPU_EXIT_WAKEUP};
	struct machine_bench bench;
	struct vcpu *vcpu;

	machine_bench_open(&bench);
	vcpu = &machine_bench_build(&bench)->board.vcpus[0];
	capture_stderr();
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 1000; i++)
			ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
		ck_assert_int_eq(vcpu_handle_exit(vcpu, &other), VCPU_CONTINUE);
	}
	ck_assert_uint_eq(fake_count(FAKE_ABORT, 0), 2000);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
	ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_END);
	ck_assert_ptr_nonnull(strstr(captured_stderr(), "RUN_FAILED"));
	machine_bench_close(&bench);
}
END_TEST

/* What ends a machine is told whole: reason, meaning, registers, the console's end. */
START_TEST(test_report)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_FAIL_ENTRY, .detail = 0xab, .addr = 0xcd};
	const struct char_port *port;
	struct machine_bench bench;
	struct machine *machine;
	const char *text;

	machine_bench_open(&bench);
	bench.config.cpus = 3;
	machine = machine_bench_build(&bench);
	port = &machine->port;
	for (char line = 'a'; line <= 'z'; line++) {
		char words[] = {'l', 'i', 'n', 'e', '-', line, '\r', '\n'};

		char_port_transmit(port, (const uint8_t *)words, sizeof(words));
	}
	capture_stderr();
	ck_assert_int_eq(vcpu_handle_exit(&machine->board.vcpus[2], &exit), VCPU_END);
	text = captured_stderr();
	ck_assert_ptr_nonnull(strstr(text, "vCPU 2 cannot go on"));
	ck_assert_ptr_nonnull(strstr(text, "FAIL_ENTRY, detail 0xab, address 0xcd"));
	ck_assert_ptr_nonnull(strstr(text, "--pin"));
	ck_assert_ptr_nonnull(strstr(text, " X0 00000000c0de0200"));
	ck_assert_ptr_nonnull(strstr(text, "X30 00000000c0de021e"));
	ck_assert_ptr_nonnull(strstr(text, "PC 00000000c0de0220"));
	ck_assert_ptr_nonnull(strstr(text, "PSTATE"));
	ck_assert_ptr_nonnull(strstr(text, "TTBR1_EL1"));
	ck_assert_ptr_nonnull(strstr(text, "last lines of the console"));
	ck_assert_ptr_nonnull(strstr(text, "armlet: line-z\n"));
	ck_assert_ptr_nonnull(strstr(text, "line-q"));
	ck_assert_ptr_null(strstr(text, "line-p"));
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_run_failed_has_its_errno)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_RUN_FAILED, .detail = ENOMEM};
	struct machine_bench bench;
	struct machine *machine;
	const char *text;

	machine_bench_open(&bench);
	machine = machine_bench_build(&bench);
	capture_stderr();
	vcpu_handle_exit(&machine->board.vcpus[0], &exit);
	text = captured_stderr();
	ck_assert_ptr_nonnull(strstr(text, "Cannot allocate memory"));
	ck_assert_ptr_null(strstr(text, "last lines"));
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_names, ARRAY_SIZE(exit_rows)),
	UNIT_LOOP(test_each_reason, ARRAY_SIZE(exit_rows)),
	UNIT_CASE(test_reset_without_reboot),
	UNIT_CASE(test_first_end_wins),
	UNIT_LOOP(test_access, ARRAY_SIZE(access_rows)),
	UNIT_CASE(test_interrupt_line),
	UNIT_CASE(test_64_bytes),
	UNIT_CASE(test_unservable),
	UNIT_CASE(test_report),
	UNIT_CASE(test_run_failed_has_its_errno),
	{0},
};
const char unit_name[] = "vcpu";
