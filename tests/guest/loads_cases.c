/* SPDX-License-Identifier: Apache-2.0 */
/* What chance does not find: faults in between, exclusives, literals. */
#include "loads.h"

/* ---- Faults in between ---------------------------------------------------- */

/* ldp x2, x3, [x1, #16]!, across into what cannot be read, or written. */
static void check_fault(const char *name, uint32_t word, unsigned page, uint64_t status)
{
	uint64_t at = page_at(page) - 8;

	memset(&before, 0x5a, sizeof(before));
	before.nzcv = 0;
	before.x[1] = at - 16;
	before.sp = spare_sp();
	put_word(word);
	expect_aborts(true);
	aborts_taken();
	run_slot(&before, &by_device);
	expect_aborts(false);
	check_equal(name, aborts_taken(), 1);
	check_equal("its_status", aborts[0].esr & 0x7f, status);
	check_equal("its_address", aborts[0].far, page_at(page));
	check_equal("no_writeback", by_device.x[1], at - 16);
	check_equal("no_first_register", by_device.x[2], before.x[2]);
	check_equal("no_second_register", by_device.x[3], before.x[3]);
}

void check_faults(void)
{
	uint64_t last = page_at(READABLE) - 8;

	check_fault("ldp_into_nothing", 0xa9c10c22, NOTHING, 0x07);
	check_fault("stp_into_nothing", 0xa9810c22, NOTHING, 0x47);
	write64(last, 0x1234);
	check_fault("stp_into_read_only", 0xa9810c22, READABLE, 0x4f);
	check_equal("nothing_is_stored_before", read64(last), 0x1234);
}

/* ---- Watchpoints ---------------------------------------------------------- */

/* What comes of @word on the 16 bytes at @at, of which the second 8 are watched. */
static void watch(uint32_t word, uint64_t at, struct aborts *ret)
{
	write_sysreg("dbgwvr0_el1", at + 8);
	write_sysreg("dbgwcr0_el1", 0x1ffb); /* E, EL1, loads and stores, 8 bytes */
	before.x[1] = at - 16;
	put_word(word);
	aborts_taken();
	run_slot(&before, &by_device);
	*ret = aborts[0];
	aborts_taken();
	write_sysreg("dbgwcr0_el1", 0);
}

static void check_watchpoint(const char *name, uint32_t word)
{
	struct aborts ram;
	struct aborts device;

	watch(word, RAM_AT + 0x200, &ram);
	watch(word, DEV_AT + 0x200, &device);
	check_equal(name, device.count, 1);
	check_equal("as_in_ram", device.count, ram.count);
	check_equal("its_syndrome", device.esr, ram.esr);
	check_equal("its_place", device.far - DEV_AT, ram.far - RAM_AT);
	check_equal("not_written_back", by_device.x[1], DEV_AT + 0x200 - 16);
}

void check_watchpoints(void)
{
	write_sysreg("oslar_el1", 0);
	write_sysreg("mdscr_el1", BIT(13) | BIT(15)); /* KDE, MDE */
	__asm__ volatile("msr daifclr, #8");
	expect_aborts(true);
	memset(&before, 0x5a, sizeof(before));
	before.nzcv = 0;
	before.sp = spare_sp();
	check_watchpoint("ldp_hits", 0xa9c10c22);
	check_watchpoint("stp_hits", 0xa9810c22);
	expect_aborts(false);
	write_sysreg("mdscr_el1", 0);
}

/* ---- Exclusives ----------------------------------------------------------- */

#define COUNTER (DEV_AT + 0x800)

/* Adds one; how many tries it took. */
static uint64_t add_exclusive(uint64_t addr)
{
	uint64_t tries = 0, value, status;

	__asm__ volatile("1:	add	%0, %0, #1\n\t"
			 "ldaxr	%1, [%3]\n\t"
			 "add	%1, %1, #1\n\t"
			 "stlxr	%w2, %1, [%3]\n\t"
			 "cbnz	%w2, 1b"
			 : "+r"(tries), "=&r"(value), "=&r"(status)
			 : "r"(addr)
			 : "memory");
	return tries;
}

static uint64_t add_exclusive_pair(uint64_t addr)
{
	uint64_t tries = 0, low, high, status;

	__asm__ volatile("1:	add	%0, %0, #1\n\t"
			 "ldxp	%1, %2, [%4]\n\t"
			 "adds	%1, %1, #1\n\t"
			 "adc	%2, %2, xzr\n\t"
			 "stxp	%w3, %1, %2, [%4]\n\t"
			 "cbnz	%w3, 1b"
			 : "+r"(tries), "=&r"(low), "=&r"(high), "=&r"(status)
			 : "r"(addr)
			 : "memory", "cc");
	return tries;
}

/* The status of a store-exclusive after a load-exclusive and @between. */
#define EXCLUSIVE_STATUS(between, load_at, store_at)                                   \
	({                                                                             \
		uint64_t value_, status_;                                              \
		__asm__ volatile("ldxr	%w0, [%2]\n\t" between "\n\t"                  \
				 "stxr	%w1, %w0, [%3]"                                 \
				 : "=&r"(value_), "=&r"(status_)                       \
				 : "r"((uint64_t)(load_at)), "r"((uint64_t)(store_at)) \
				 : "memory");                                          \
		status_;                                                               \
	})

#define ROUNDS 150

static volatile bool other_begins, other_ends;

static void add_many(void)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		add_exclusive(COUNTER);
}

static void other_cpu(void)
{
	tables_use();
	other_begins = true;
	add_many();
	other_ends = true;
}

void check_two_cpus(void)
{
	if (fdt_cpu_count() < 2)
		return;
	write64(COUNTER, 0);
	check_equal("cpu_on", (uint64_t)cpu_on(1, other_cpu), PSCI_SUCCESS);
	check("the_other_begins", wait_for(other_begins, 5000));
	add_many();
	check("the_other_ends", wait_for(other_ends, 20000));
	check_equal("all_of_both_are_counted", read64(COUNTER), 2 * ROUNDS);
}

void check_exclusives(void)
{
	write64(COUNTER, 41);
	check_equal("one_try", add_exclusive(COUNTER), 1);
	check_equal("one_more", read64(COUNTER), 42);
	write64(COUNTER, ~UINT64_C(0));
	write64(COUNTER + 8, 7);
	check_equal("one_try_of_a_pair", add_exclusive_pair(COUNTER), 1);
	check_equal("the_low_one", read64(COUNTER), 0);
	check_equal("the_carry", read64(COUNTER + 8), 8);
	check_equal("plain", EXCLUSIVE_STATUS("nop", COUNTER, COUNTER), 0);
	check_equal("cleared", EXCLUSIVE_STATUS("clrex", COUNTER, COUNTER), 1);
	check_equal("written", EXCLUSIVE_STATUS("str %w0, [%3]", COUNTER, COUNTER), 1);
	check_equal("elsewhere", EXCLUSIVE_STATUS("nop", COUNTER, COUNTER + 64), 1);
	check_equal("of_ram", EXCLUSIVE_STATUS("nop", COUNTER, RAM_AT), 1);
}

/* ---- Literals ------------------------------------------------------------- */

static uint32_t code[PAGE / 4] __attribute__((aligned(PAGE)));

/* @word loads register 0 from the next page; what is in V0 or X0 then. */
static uint64_t run_literal(uint32_t word, bool simd)
{
	uint64_t x0;

	code[0] = word | (PAGE / 4) << 5;
	code[1] = simd ? 0x9e660000 : 0xd503201f; /* fmov x0, d0; nop */
	code[2] = 0xd65f03c0;                     /* ret */
	__asm__ volatile("dc cvau, %1\n\tdsb sy\n\tic iallu\n\tdsb sy\n\tisb\n\t"
			 "blr %2\n\tmov %0, x0"
			 : "=r"(x0)
			 : "r"(code), "r"(page_at(CODE))
			 : "x0", "x30", "memory");
	return x0;
}

void check_literals(void)
{
	const uint64_t value = UINT64_C(0x8877665584332211);

	map_page(CODE, (uint64_t)code, FOR_CODE);
	map_page(CODE + 1, SCRATCH_BASE + 7 * PAGE, FOR_ALL);
	write64(page_at(CODE + 1), value);
	check_equal("ldr_w", run_literal(0x18000000, false), (uint32_t)value);
	check_equal("ldr_x", run_literal(0x58000000, false), value);
	check_equal("ldrsw", run_literal(0x98000000, false), UINT64_C(0xffffffff84332211));
	expect_aborts(true);
	run_literal(0xd8000000, false);
	check_equal("prfm_is_nothing", aborts_taken(), 0);
	expect_aborts(false);
	check_equal("ldr_s", run_literal(0x1c000000, true), (uint32_t)value);
	check_equal("ldr_d", run_literal(0x5c000000, true), value);
	check_equal("ldr_q", run_literal(0x9c000000, true), value);
}
