/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to where nothing is, of each width: they read as zero and are
 * ignored on write. And those that nobody can do, or that are no accesses at
 * all: an abort, in the guest only. The host's test reads armlet's log.
 */
#include "pl011.h"
#include "runtime.h"

static const uint64_t nowhere[] = {
	0x00000000,             /* flash */
	0x04000000, 0x08020000, /* beside the GIC */
	0x09008000,             /* behind the UART; a host's page of 16 KiB covers what is nearer */
	0x09020000,             /* fw_cfg */
	0x09040000,             /* second UART */
	0x090b0000, 0x0a1f0000, /* virtio: the last slot */
	0x10000000,             /* PCIe */
	0x3fff0000,             /* right below the RAM */
};

static void check_widths(uint64_t at)
{
	write8(at, 0xff);
	write16(at, 0xffff);
	write32(at, 0xffffffff);
	write64(at, ~UINT64_C(0));
	check_equal_of("reads_zero_8", at, read8(at), 0);
	check_equal_of("reads_zero_16", at, read16(at), 0);
	check_equal_of("reads_zero_32", at, read32(at), 0);
	check_equal_of("reads_zero_64", at, read64(at), 0);
}

/* "many=N" addresses, twice each. */
static void touch_many(uint64_t count)
{
	uint64_t sum = 0;

	for (unsigned round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < count; i++)
			sum |= read32(0x20000000 + 0x1000 * i);
	}
	check_equal("many_read_zero", sum, 0);
}

#define ACCESS(instruction, addr) __asm__ volatile(instruction : : "r"(addr) : "x4", "x5", "memory")

/*
 * Loads and stores that the hardware does not describe are done by hand (loads.c has all of
 * them), of a device with a shadow, without, and of nothing; what is no load or store, or
 * cannot be foretold, is not.
 */
static void check_undescribed(void)
{
	uint64_t uart = PL011_BASE + UARTIBRD;
	uint64_t rtc = PL031_BASE + 8;
	uint64_t nothing = 0x0b000000;

	expect_aborts(true);
	aborts_taken();
	ACCESS("ldp w4, w5, [%0]", rtc);
	ACCESS("stp w4, w5, [%0]", nothing);
	ACCESS("mov x5, %0\n\tldr w4, [x5], #4", rtc);
	ACCESS("ldp x4, x5, [%0]", nothing);
	ACCESS("ldxr w4, [%0]", rtc);
	for (unsigned i = 0; i < 1000; i++)
		ACCESS("ldp w4, w5, [%0]", rtc);
	ACCESS("ldp w4, w5, [%0]", uart);
	check_equal("none_aborts", aborts_taken(), 0);
	check_equal("the_register_is_untouched", read32(uart), 13);
	/* ldr x5, [x5], #8: x5 is loaded, and written back. */
	ACCESS("mov x5, %0\n\t.inst 0xf84084a5", rtc);
	check_equal("what_cannot_be_foretold_aborts", aborts_taken(), 1);
	check_equal("the_abort_is_external", aborts[0].esr & 0x3f, 0x10);
	check_equal("the_abort_has_the_address", aborts[0].far, rtc);
	for (unsigned i = 0; i < 1000; i++)
		ACCESS("mov x5, %0\n\t.inst 0xf84084a5", rtc);
	check_equal("a_thousand_abort", aborts_taken(), 1000);
}

static void check_no_accesses(void)
{
	aborts_taken();
	check("a_jump_to_nowhere_comes_back", !try_call(0x20000000));
	check_equal("by_an_abort", aborts_taken(), 1);
	read32(UINT64_C(1) << 39); /* the VM has no such address */
	check_range("beyond_the_address_space", aborts_taken(), 0, 1);
	/* Device memory must be aligned; QEMU's TCG lets it pass as far as KVM. */
	read32(PL031_BASE + 1);
	write32(PL031_BASE + 0xa, 1);
	read64(PL031_BASE + 4);
	write64(PL031_BASE + 4, 0);
	check_range("unaligned_accesses", aborts_taken(), 0, 4);
	read64(PL031_BASE + 8);
	check_equal("an_aligned_one_does_not_abort", aborts_taken(), 0);
	check_equal("nothing_was_written", read32(PL031_BASE + 8), 0);
}

void payload_main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(nowhere); i++)
		check_widths(nowhere[i]);
	touch_many(option_number("many", 100));
	check_undescribed();
	check_no_accesses();
}
