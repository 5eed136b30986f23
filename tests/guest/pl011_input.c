/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PL011's input: the host sends blocks, which are a number of eight
 * digits, a newline, and the 256 bytes from 0 to 255, and each byte is checked.
 * Options:
 *	mode=polled|irq|break
 *	fifo=on|off
 *	bytes=N		how many to take
 */
#include "pl011.h"

#include "gic.h"
#include "runtime.h"

#define UART(reg)   (PL011_BASE + (reg))
#define NUMBER_SIZE 9
#define BLOCK_SIZE  (NUMBER_SIZE + 256)

static volatile uint64_t received;
static volatile uint64_t wrong;
static volatile uint64_t first_wrong;
static volatile uint32_t wrong_data;
static volatile unsigned interrupts;

static uint8_t expected(uint64_t at)
{
	uint64_t block = at / BLOCK_SIZE;
	unsigned offset = at % BLOCK_SIZE;

	if (offset >= NUMBER_SIZE)
		return (uint8_t)(offset - NUMBER_SIZE);
	if (offset == NUMBER_SIZE - 1)
		return '\n';
	for (unsigned i = offset; i < NUMBER_SIZE - 2; i++)
		block /= 10;
	return (uint8_t)('0' + block % 10);
}

static void take(uint32_t data)
{
	if (data != expected(received) && !wrong++) {
		first_wrong = received;
		wrong_data = data;
	}
	received++;
}

static void take_all(void)
{
	while (!(read32(UART(UARTFR)) & UARTFR_RXFE))
		take(read32(UART(UARTDR)));
}

static void on_irq(unsigned intid)
{
	if (intid != INTID_PL011)
		return;
	interrupts++;
	take_all();
	write32(UART(UARTICR), UARTINT_RX | UARTINT_RT);
}

static void set_up(bool fifo)
{
	write32(UART(UARTCR), 0);
	write32(UART(UARTLCR_H), UARTLCR_H_8BITS | (fifo ? UARTLCR_H_FEN : 0));
	write32(UART(UARTIFLS), 0x12);
	write32(UART(UARTIMSC), 0);
	write32(UART(UARTCR), UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE);
}

static void take_polled(uint64_t bytes)
{
	while (received < bytes && wait_for(!(read32(UART(UARTFR)) & UARTFR_RXFE), 10000))
		take(read32(UART(UARTDR)));
}

static void take_by_interrupt(uint64_t bytes)
{
	uint64_t before = 0;

	irq_handler = on_irq;
	gic_init();
	gic_init_cpu();
	gic_enable(INTID_PL011);
	write32(UART(UARTIMSC), UARTINT_RX | UARTINT_RT);
	irqs_on();
	do {
		before = received;
		wait_for(received >= bytes, 10000);
	} while (received < bytes && received > before);
	irqs_off();
	write32(UART(UARTIMSC), 0);
	check("it_came_by_interrupts", interrupts > 0);
}

static uint64_t time_reads(uint64_t addr, unsigned count)
{
	uint64_t start = now();

	for (unsigned i = 0; i < count; i++)
		read32(addr);
	return now() - start;
}

static void check_input(void)
{
	uint64_t bytes = option_number("bytes", 10000);
	uint64_t trapped;

	if (option_is("mode", "irq"))
		take_by_interrupt(bytes);
	else
		take_polled(bytes);
	check_equal("bytes_received", received, bytes);
	check_equal("bytes_wrong", wrong, 0);
	if (wrong) {
		note("the first wrong is number", first_wrong);
		note("and is", wrong_data);
	}
	check_equal("no_overrun", read32(UART(UARTRIS)) & UARTINT_OE, 0);
	check_equal("the_fifo_is_empty", read32(UART(UARTFR)) & UARTFR_RXFE, UARTFR_RXFE);
	trapped = time_reads(PL031_BASE, 200);
	check_range("the_shadow_is_back", time_reads(UART(UARTFR), 200), 0, trapped / 4);
}

/* A break from the console's keys: a zero character, marked so. */
static void check_break(void)
{
	uint32_t data = 0;

	if (wait_for(!(read32(UART(UARTFR)) & UARTFR_RXFE), 10000))
		data = read32(UART(UARTDR));
	check_equal("a_break_arrives", data, UARTDR_BE);
	check_equal("break_in_rsr", read32(UART(UARTRSR)), 4);
	check_equal("break_in_ris", read32(UART(UARTRIS)) & UARTINT_BE, UARTINT_BE);
}

void payload_main(void)
{
	set_up(!option_is("fifo", "off"));
	print("ready\n");
	if (option_is("mode", "break"))
		check_break();
	else
		check_input();
}
