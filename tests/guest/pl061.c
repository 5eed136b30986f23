/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PL061 through its shadow: registers, outputs by address mask, and level
 * interrupts. Edges need somebody outside: power_key.c.
 */
#include "pl061.h"

#include "gic.h"
#include "runtime.h"

static const uint8_t id[] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static volatile unsigned interrupts;

static void on_irq(unsigned intid)
{
	if (intid != INTID_PL061)
		return;
	interrupts++;
	write32(GPIO(GPIOIE), 0); /* a level stays */
}

static void check_fresh(void)
{
	for (uint32_t at = GPIODIR; at <= GPIOAFSEL; at += 4)
		check_equal_of("fresh_register", at, read32(GPIO(at)), 0);
	check_equal("fresh_data", read32(GPIO(GPIODATA_ALL)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(id); i++)
		check_equal_of("identification", i, read32(GPIO(GPIOPeriphID0 + 4 * i)), id[i]);
}

static void check_keeping(uint32_t at)
{
	write32(GPIO(at), 0xffffffff);
	check_equal_of("bits_that_exist", at, read32(GPIO(at)), 0xff);
	write32(GPIO(at), 0xa5);
	check_equal_of("bits_kept", at, read32(GPIO(at)), 0xa5);
	write32(GPIO(at), 0);
	check_equal_of("bits_clear", at, read32(GPIO(at)), 0);
}

static void check_outputs(void)
{
	write32(GPIO(GPIODIR), 0xf0);
	write32(GPIO(GPIODATA_ALL), 0xff);
	check_equal("only_outputs_are_written", read32(GPIO(GPIODATA_ALL)), 0xf0);
	write32(GPIO(GPIODATA_OF(0x30)), 0);
	check_equal("the_address_masks_writes", read32(GPIO(GPIODATA_ALL)), 0xc0);
	for (uint32_t mask = 0; mask < 256; mask += 15)
		check_equal_of("the_address_masks_reads", mask, read32(GPIO(GPIODATA_OF(mask))),
			       mask & 0xc0);
	write32(GPIO(GPIODIR), 0);
	check_equal("inputs_read_the_line", read32(GPIO(GPIODATA_ALL)), 0);
}

static void check_levels(void)
{
	write32(GPIO(GPIOIS), 0x01); /* line 0 by its level, which is low */
	check_equal("low_level_is_raw", read32(GPIO(GPIORIS)), 0x01);
	check_equal("low_level_is_masked", read32(GPIO(GPIOMIS)), 0);
	write32(GPIO(GPIOIC), 0xff);
	check_equal("a_level_cannot_be_cleared", read32(GPIO(GPIORIS)), 0x01);
	write32(GPIO(GPIOIE), 0x01);
	check("low_level_interrupts", wait_for(interrupts == 1, 1000));
	delay(20);
	check_equal("masking_ends_it", interrupts, 1);
	write32(GPIO(GPIOIEV), 0x01); /* by the high level */
	check_equal("high_level_is_not", read32(GPIO(GPIORIS)), 0);
	write32(GPIO(GPIOIS), 0);
	write32(GPIO(GPIOIEV), 0);
}

void payload_main(void)
{
	static const uint32_t keeping[] = {GPIODIR, GPIOIS, GPIOIBE, GPIOIEV, GPIOAFSEL};

	gic_init();
	gic_init_cpu();
	irq_handler = on_irq;
	gic_enable(INTID_PL061);
	irqs_on();
	check_fresh();
	for (unsigned i = 0; i < ARRAY_SIZE(keeping); i++)
		check_keeping(keeping[i]);
	write32(GPIO(GPIOIC), 0xff);
	check_keeping(GPIOIE);
	interrupts = 0;
	check_outputs();
	check_levels();
}
