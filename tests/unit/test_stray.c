/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses to nothing: logged once each, with the guest's PC, and bounded. */
#include <string.h>

#include "machine/layout.h"
#include "machine_bench.h"
#include "unit.h"

static void touch(struct vcpu *vcpu, gpa_t addr, bool is_write)
{
	struct vcpu_exit exit = {.reason = VCPU_EXIT_MMIO,
				 .addr = addr,
				 .size = 4,
				 .is_write = is_write,
				 .value = 0xfeed};

	ck_assert_int_eq(vcpu_handle_exit(vcpu, &exit), VCPU_CONTINUE);
	if (!is_write)
		ck_assert_uint_eq(exit.value, 0);
}

START_TEST(test_once_each)
{
	struct machine_bench bench;
	struct machine *machine;
	const char *text;

	machine_bench_open(&bench);
	bench.config.cpus = 2;
	machine = machine_bench_build(&bench);
	capture_stderr();
	for (unsigned i = 0; i < 10; i++) {
		touch(&machine->board.vcpus[i % 2], 0x1000, false);
		touch(&machine->board.vcpus[i % 2], 0x2000, true);
		touch(&machine->board.vcpus[i % 2], 0x1000, true);
	}
	text = captured_stderr();
	ck_assert_uint_eq(count_text(text, "\n"), 2);
	ck_assert_ptr_nonnull(
		strstr(text, "no device at 0x1000: 4 bytes read as zero, guest PC 0xc0de0020\n"));
	ck_assert_ptr_nonnull(strstr(text, "no device at 0x2000: write of 0xfeed (4 bytes) "
					   "ignored, guest PC 0xc0de0020\n"));
	ck_assert_uint_eq(machine->stray.accesses, 30);
	machine_bench_close(&bench);
}
END_TEST

START_TEST(test_bounded)
{
	struct machine_bench bench;
	struct machine *machine;
	const char *text;

	machine_bench_open(&bench);
	machine = machine_bench_build(&bench);
	capture_stderr();
	for (gpa_t addr = 0; addr < 1000; addr++)
		touch(&machine->board.vcpus[0], 0x10000000 + 0x1000 * addr, false);
	text = captured_stderr();
	ck_assert_uint_eq(count_text(text, "\n"), STRAY_ADDRESSES + 1);
	ck_assert_uint_eq(count_text(text, "no more of them will be named"), 1);
	ck_assert_uint_eq(machine->stray.accesses, 1000);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_once_each),
	UNIT_CASE(test_bounded),
	{0},
};
const char unit_name[] = "stray";
