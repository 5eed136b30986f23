/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PL011 as a guest sees it through KVM: its registers, which are read from
 * the shadow or by exits; loopback, with every interrupt cause through the
 * GIC; and bytes that are posted.
 *
 * While the UART is under test the report is held back. Options: "burst=N",
 * bytes to print at the end, between "burst begins" and "burst ends".
 */
#include "pl011.h"

#include "gic.h"
#include "runtime.h"

#define UART(reg) (PL011_BASE + (reg))

#define LOOPBACK (UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE | UARTCR_LBE)

/* As boot firmware leaves it, which armlet stands in for: 115200 8N1, FIFOs on, no receiver. */
static const struct {
	uint32_t offset;
	uint32_t value;
} handed_over[] = {
	{UARTDR, 0},
	{UARTRSR, 0},
	{UARTFR, UARTFR_TXFE | UARTFR_RXFE},
	{UARTILPR, 0},
	{UARTIBRD, 13},
	{UARTFBRD, 1},
	{UARTLCR_H, UARTLCR_H_8BITS | UARTLCR_H_FEN},
	{UARTCR, UARTCR_UARTEN | UARTCR_TXE},
	{UARTIFLS, 0x12},
	{UARTIMSC, 0},
	{UARTRIS, 0},
	{UARTMIS, 0},
	{UARTICR, 0},
	{UARTDMACR, 0},
	{UARTTCR, 0},
	{UARTITIP, 0},
	{UARTITOP, 0},
	{UARTTDR, 0},
	{0x90, 0}, /* reserved */
	{0xffc, 0xb1},
};

static const uint8_t id[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

/* Which bits keep what is written to them. */
static const struct {
	uint32_t offset;
	uint32_t mask;
} masks[] = {
	{UARTILPR, 0xff},   {UARTIBRD, 0xffff}, {UARTFBRD, 0x3f}, {UARTLCR_H, 0xff},
	{UARTIFLS, 0x3f},   {UARTIMSC, 0x7ff},  {UARTDMACR, 0x7}, {UARTITIP, 0xc0},
	{UARTITOP, 0xffff}, {UARTTCR, 0x7},     {UARTCR, 0xff87},
};

static void set_up(uint32_t cr)
{
	write32(UART(UARTTCR), 0);
	write32(UART(UARTCR), 0);
	write32(UART(UARTLCR_H), UARTLCR_H_8BITS | UARTLCR_H_FEN);
	write32(UART(UARTIFLS), 0x12);
	write32(UART(UARTIMSC), 0);
	write32(UART(UARTCR), cr);
	while (!(read32(UART(UARTFR)) & UARTFR_RXFE))
		read32(UART(UARTDR));
	write32(UART(UARTECR), 0);
	write32(UART(UARTICR), UARTINT_ALL);
}

static void check_handed_over(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(handed_over); i++)
		check_equal_of("handed_over_register", handed_over[i].offset,
			       read32(UART(handed_over[i].offset)), handed_over[i].value);
}

static void check_id(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(id); i++) {
		check_equal_of("identification", i, read32(UART(UARTPeriphID0 + 4 * i)), id[i]);
		write32(UART(UARTPeriphID0 + 4 * i), 0x5a);
		check_equal_of("identification_is_read_only", i,
			       read32(UART(UARTPeriphID0 + 4 * i)), id[i]);
	}
}

static void check_masks(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(masks); i++) {
		uint64_t at = UART(masks[i].offset);
		uint32_t ones, ones16, zeros;

		set_up(0);
		write32(at, 0xffffffff);
		ones = read32(at);
		write32(at, 0);
		zeros = read32(at);
		write16(at, 0xffff);
		ones16 = read32(at);
		set_up(UARTCR_UARTEN | UARTCR_TXE);
		check_equal_of("bits_that_exist", masks[i].offset, ones, masks[i].mask);
		check_equal_of("bits_written_by_16", masks[i].offset, ones16, masks[i].mask);
		check_equal_of("bits_clear", masks[i].offset, zeros, 0);
	}
}

/* A read of any width gives the bytes of the registers. */
static void check_widths(void)
{
	write32(UART(UARTILPR), 0);
	write32(UART(UARTIBRD), 0xa55a);
	write32(UART(UARTFBRD), 0x2d);
	check_equal("read_8", read8(UART(UARTIBRD)), 0x5a);
	check_equal("read_8_upper", read8(UART(UARTIBRD) + 1), 0xa5);
	check_equal("read_16", read16(UART(UARTIBRD)), 0xa55a);
	check_equal("read_64", read64(UART(UARTIBRD - 4)), UINT64_C(0xa55a) << 32);
	check_equal("read_64_aligned", read64(UART(0x28)), 0x2d | UINT64_C(0x70) << 32);
	write64(UART(UARTILPR), ~UINT64_C(0));
	check_equal("write_64_is_none", read32(UART(UARTILPR)), 0);
	write8(UART(UARTIBRD) + 1, 0);
	check_equal("write_to_the_middle_is_none", read32(UART(UARTIBRD)), 0xa55a);
	write8(UART(UARTIBRD), 0x11);
	check_equal("write_8_is_zero_extended", read32(UART(UARTIBRD)), 0x11);
	write32(UART(UARTIBRD), 13);
	write32(UART(UARTFBRD), 1);
}

/* What a register reads while the shadow is shown, and while a received byte hides it. */
static void check_shadow(void)
{
	static const uint32_t offsets[] = {UARTRSR, UARTILPR, UARTIBRD, UARTFBRD,  UARTLCR_H,
					   UARTCR,  UARTIFLS, UARTIMSC, UARTDMACR, UARTITIP,
					   0xfe0,   0xfe8,    0xff4};
	uint32_t shown[ARRAY_SIZE(offsets)];
	uint32_t hidden[ARRAY_SIZE(offsets)];

	set_up(LOOPBACK);
	write32(UART(UARTILPR), 0x77);
	write32(UART(UARTIMSC), 0x081);
	write32(UART(UARTDMACR), 5);
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++)
		shown[i] = read32(UART(offsets[i]));
	write32(UART(UARTDR), 'x');
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++)
		hidden[i] = read32(UART(offsets[i]));
	set_up(UARTCR_UARTEN | UARTCR_TXE);
	write32(UART(UARTILPR), 0);
	write32(UART(UARTDMACR), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++)
		check_equal_of("shadow_is_true", offsets[i], shown[i], hidden[i]);
}

/* How long @count reads of a register take. */
static uint64_t time_reads(uint64_t addr, unsigned count)
{
	uint64_t start = now();

	for (unsigned i = 0; i < count; i++)
		read32(addr);
	return now() - start;
}

/* Loads from the shadow are no exits: far faster than those of a device that has none. */
static void check_shadow_is_fast(const char *name)
{
	uint64_t shadow, trapped;

	read32(UART(UARTFR)); /* the first one maps the page */
	shadow = time_reads(UART(UARTFR), 200);
	trapped = time_reads(PL031_BASE, 200);
	check_range(name, shadow, 0, trapped / 4);
}

/* Loopback. */

static void check_loopback_data(void)
{
	uint32_t wrong = 0;
	uint32_t status;

	set_up(LOOPBACK);
	for (unsigned i = 0; i < 32; i++)
		write32(UART(UARTDR), 0x41 + i);
	status = read32(UART(UARTFR));
	for (unsigned i = 0; i < 32; i++)
		wrong += read32(UART(UARTDR)) != 0x41 + i;
	check_equal("loopback_full", status & (UARTFR_RXFF | UARTFR_RXFE), UARTFR_RXFF);
	check_equal("loopback_order", wrong, 0);
	check_equal("loopback_empty", read32(UART(UARTFR)) & (UARTFR_RXFF | UARTFR_RXFE),
		    UARTFR_RXFE);
}

static void check_fifo_off(void)
{
	uint32_t first, second, status;

	set_up(LOOPBACK);
	write32(UART(UARTLCR_H), UARTLCR_H_8BITS);
	write32(UART(UARTDR), 'a');
	status = read32(UART(UARTFR));
	write32(UART(UARTDR), 'b');
	first = read32(UART(UARTDR));
	write32(UART(UARTDR), 'c');
	second = read32(UART(UARTDR));
	check_equal("one_character_fills", status & UARTFR_RXFF, UARTFR_RXFF);
	check_equal("first_character_stays", first, 'a');
	check_equal("overrun_is_marked", second, 'c' | UARTDR_OE);
	check_equal("overrun_in_rsr", read32(UART(UARTRSR)), 8);
	write32(UART(UARTECR), 0);
	check_equal("ecr_clears", read32(UART(UARTRSR)), 0);
}

static void check_modem(void)
{
	static const struct {
		uint32_t cr;
		uint32_t fr;
		uint32_t interrupt;
	} lines[] = {
		{UARTCR_RTS, 0x001, UARTINT_CTSM},
		{UARTCR_DTR, 0x002, UARTINT_DSRM},
		{UARTCR_Out1, 0x004, UARTINT_DCDM},
		{UARTCR_Out2, 0x100, UARTINT_RIM},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		set_up(LOOPBACK);
		write32(UART(UARTCR), LOOPBACK | lines[i].cr);
		check_equal_of("modem_line", lines[i].cr, read32(UART(UARTFR)) & 0x107,
			       lines[i].fr);
		check_equal_of("modem_interrupt", lines[i].cr, read32(UART(UARTRIS)),
			       lines[i].interrupt);
		write32(UART(UARTICR), lines[i].interrupt);
		write32(UART(UARTCR), LOOPBACK);
		check_equal_of("modem_interrupt_falling", lines[i].cr, read32(UART(UARTRIS)),
			       lines[i].interrupt);
	}
}

static void check_triggers(void)
{
	static const uint32_t levels[] = {4, 8, 16, 24, 28};

	for (unsigned select = 0; select < ARRAY_SIZE(levels); select++) {
		uint32_t before, at, below;

		set_up(LOOPBACK);
		write32(UART(UARTIFLS), select << 3);
		for (unsigned i = 1; i < levels[select]; i++)
			write32(UART(UARTDR), i);
		before = read32(UART(UARTRIS)) & UARTINT_RX;
		write32(UART(UARTDR), 0);
		at = read32(UART(UARTRIS)) & UARTINT_RX;
		read32(UART(UARTDR));
		below = read32(UART(UARTRIS)) & UARTINT_RX;
		check_equal_of("below_the_trigger", levels[select], before, 0);
		check_equal_of("at_the_trigger", levels[select], at, UARTINT_RX);
		check_equal_of("below_again", levels[select], below, 0);
	}
}

/* Interrupts. */

static volatile uint32_t taken_mis;
static volatile unsigned taken_count;

static void on_irq(unsigned intid)
{
	if (intid != INTID_PL011)
		return;
	taken_mis |= read32(UART(UARTMIS));
	taken_count++;
	write32(UART(UARTICR), UARTINT_ALL);
	write32(UART(UARTITOP), 0); /* nothing else lowers a line that the test drives */
}

static void send(uint32_t byte)
{
	write32(UART(UARTDR), byte);
}

static void cause_rx(void)
{
	for (unsigned i = 0; i < 16; i++)
		send(i);
}

static void cause_one(void)
{
	send('t');
}

static void cause_oe(void)
{
	for (unsigned i = 0; i < 33; i++)
		send(i);
}

static void cause_be(void)
{
	write32(UART(UARTLCR_H), UARTLCR_H_8BITS | UARTLCR_H_FEN | UARTLCR_H_BRK);
}

/* The FIFO test puts a character with error bits into the receive FIFO (TRM 4.3). */
static void receive_with(uint32_t error)
{
	write32(UART(UARTTCR), 2);
	write32(UART(UARTTDR), 'e' | error);
	write32(UART(UARTTCR), 0);
}

static void cause_fe(void)
{
	receive_with(UARTDR_FE);
}

static void cause_pe(void)
{
	receive_with(UARTDR_PE);
}

static void cause_ri(void)
{
	write32(UART(UARTCR), LOOPBACK | UARTCR_Out2);
}

static void cause_cts(void)
{
	write32(UART(UARTCR), LOOPBACK | UARTCR_RTS);
}

static void cause_dcd(void)
{
	write32(UART(UARTCR), LOOPBACK | UARTCR_Out1);
}

static void cause_dsr(void)
{
	write32(UART(UARTCR), LOOPBACK | UARTCR_DTR);
}

static const struct {
	uint32_t interrupt;
	void (*cause)(void);
} causes[] = {
	{UARTINT_RX, cause_rx},    {UARTINT_TX, cause_one},   {UARTINT_RT, cause_one},
	{UARTINT_OE, cause_oe},    {UARTINT_BE, cause_be},    {UARTINT_FE, cause_fe},
	{UARTINT_PE, cause_pe},    {UARTINT_RIM, cause_ri},   {UARTINT_CTSM, cause_cts},
	{UARTINT_DCDM, cause_dcd}, {UARTINT_DSRM, cause_dsr},
};

static void check_interrupts(void)
{
	irq_handler = on_irq;
	gic_enable(INTID_PL011);
	irqs_on();
	for (unsigned i = 0; i < ARRAY_SIZE(causes); i++) {
		uint32_t interrupt = causes[i].interrupt;

		set_up(LOOPBACK);
		taken_count = 0;
		taken_mis = 0;
		write32(UART(UARTIMSC), UARTINT_ALL & ~interrupt & ~UARTINT_RT & ~UARTINT_TX);
		causes[i].cause();
		delay(2);
		check_equal_of("masked_cause_is_silent", interrupt, taken_mis & interrupt, 0);
		set_up(LOOPBACK);
		taken_count = 0;
		taken_mis = 0;
		write32(UART(UARTIMSC), interrupt);
		causes[i].cause();
		wait_for(taken_count, 1000);
		check_equal_of("cause_interrupts", interrupt, taken_mis, interrupt);
		check("the_line_falls",
		      !(read32(UART(UARTMIS)) & interrupt) && !gic_is_pending(INTID_PL011));
	}
	/* Already there when it is unmasked. */
	set_up(LOOPBACK);
	taken_count = 0;
	send('u');
	write32(UART(UARTIMSC), UARTINT_RT);
	wait_for(taken_count, 1000);
	check_equal("unmasking_interrupts", taken_count, 1);
	/* ITOP drives the line in the integration test. */
	set_up(LOOPBACK);
	taken_count = 0;
	write32(UART(UARTTCR), 1);
	write32(UART(UARTITOP), 0x40);
	wait_for(taken_count, 1000);
	write32(UART(UARTTCR), 0);
	check_equal("integration_test_drives_the_line", taken_count, 1);
	irqs_off();
	gic_disable(INTID_PL011);
}

/* Bytes as fast as they go, with writes to UARTCR between, as Linux's console makes them. */
static void burst(uint64_t bytes)
{
	uint32_t cr = UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE;

	print("burst begins\n");
	for (uint64_t i = 0; i < bytes; i++) {
		if (i % 64 == 0)
			write32(UART(UARTCR), cr);
		write32(UART(UARTDR), i % 64 == 63 ? '\n' : "0123456789abcdef"[(i ^ i / 64) & 15]);
		if (i % 64 == 40)
			read32(UART(UARTFR));
		if (i % 1024 == 1023) /* a change, so that posting and dropping stop and start */
			write32(UART(UARTCR), cr ^= UARTCR_RTS);
		if (i % 4096 == 4095)
			write32(UART(UARTICR), UARTINT_TX);
	}
	print("burst ends\n");
}

void payload_main(void)
{
	report_hold();
	check_handed_over();
	gic_init();
	gic_init_cpu();
	check_id();
	check_masks();
	check_widths();
	check_shadow();
	check_loopback_data();
	check_fifo_off();
	check_modem();
	check_triggers();
	check_interrupts();
	set_up(UARTCR_UARTEN | UARTCR_TXE);
	check_shadow_is_fast("shadow_is_no_exit");
	report_release();
	burst(option_number("burst", 20000));
	report_hold();
	check_shadow_is_fast("shadow_is_no_exit_after_the_burst");
}
