/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses and calls that --fault has something against: the host's test says which rules
 * there are (tests/system, fault_payload).
 */
#include "runtime.h"

#define SCRATCH UINT64_C(0x0c000000)
#define ONES    UINT64_MAX

static void check_values(void)
{
	uint64_t at = SCRATCH + 0x200, low, high;
	int64_t narrow;

	write32(SCRATCH + 0x100, 5);
	check_equal("zero", read32(SCRATCH + 0x100), 0);
	check_equal("beside_it_nothing_is_wrong", read32(SCRATCH + 0x104), 0x104);
	write64(at, 5);
	check_equal("ones_64", read64(at), ONES);
	check_equal("ones_16", read16(at + 2), 0xffff);
	__asm__ volatile("ldp %0, %1, [%2]" : "=r"(low), "=r"(high) : "r"(at) : "memory");
	check_equal("ones_in_a_pair", low & high, ONES);
	__asm__ volatile("ldrsh %0, [%1]" : "=r"(narrow) : "r"(at) : "memory");
	check_equal("ones_with_a_sign", (uint64_t)narrow, ONES);
	check_equal("ones_where_nothing_is", read32(0x20000ffc), 0xffffffff);
	check_equal("nothing_behind_it", read32(0x20001000), 0);
}

static void check_drops(void)
{
	uint64_t at = SCRATCH + 0x500;

	for (uint32_t i = 1; i <= 3; i++)
		write32(at, i);
	check_equal("the_third_write_is_kept", read32(at), 3);
}

static void check_aborts(void)
{
	uint64_t third = SCRATCH + 0x400, always = SCRATCH + 0x300, base = always;

	aborts_taken();
	expect_aborts(true);
	read32(always);
	write8(always + 3, 1);
	check_equal("both_abort", aborts_taken(), 2);
	check_equal("the_abort_is_external", aborts[0].esr & 0x3f, 0x10);
	check_equal("the_abort_has_the_address", aborts[0].far, always + 3);
	__asm__ volatile("ldp x4, x5, [%0], #16" : "+r"(base) : : "x4", "x5", "memory");
	check_equal("a_pair_aborts", aborts_taken(), 1);
	check_equal("and_writes_nothing_back", base, always);
	for (uint32_t i = 1; i <= 5; i++) {
		write32(third, i);
		check_equal_of("only_the_third_aborts", i, aborts_taken(), i == 3);
	}
	expect_aborts(false);
}

/* PSTATE.A is set: it stays pending (ISR_EL1.A). */
static void check_serror(void)
{
	check_equal("no_serror_yet", read_sysreg("isr_el1") >> 8 & 1, 0);
	write32(SCRATCH + 0x600, 7);
	check_equal("an_serror", read_sysreg("isr_el1") >> 8 & 1, 1);
	check_equal("the_write_is_done", read32(SCRATCH + 0x600), 7);
}

static void check_delay(void)
{
	uint64_t begin = milliseconds();

	write32(SCRATCH + 0x700, 7);
	check_equal("it_reads_right", read32(SCRATCH + 0x700), 7);
	check_range("but_late", milliseconds() - begin, 300, 60000);
}

static void check_calls(void)
{
	uint64_t mpidr = fdt_cpu_mpidr(0);

	if (option_number("psci", 0) == 0)
		return;
	check_equal("the_first", (uint64_t)psci(PSCI_AFFINITY_INFO, mpidr, 0, 0), 0);
	check_equal("the_second", (uint64_t)psci(PSCI_AFFINITY_INFO, mpidr, 0, 0), (uint64_t)-6);
	check_equal("the_third", (uint64_t)psci(PSCI_AFFINITY_INFO, mpidr, 0, 0), 0);
}

void payload_main(void)
{
	write32(SCRATCH + 0x104, 0x104);
	check_values();
	check_drops();
	check_aborts();
	check_delay();
	check_calls();
	check_serror(); /* nothing takes it away */
}
