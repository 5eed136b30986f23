/* SPDX-License-Identifier: Apache-2.0 */
#include "uart_bench.h"

#include <string.h>

#include "unit.h"

START_TEST(test_registers)
{
	device_check_registers(&uart_kind);
}
END_TEST

START_TEST(test_transmit)
{
	static const struct device_step steps[] = {
		SHOWN(1),
		W(UARTCR, 4, 0), /* nothing is switched on */
		W(UARTDR, 4, 'a'),
		R(UARTFR, 4, UART_EMPTY),
		R(UARTRIS, 4, UARTINT_TX),
		W(UARTDR, 1, 'b'),
		W(UARTDR, 2, 'c'),
		W(UARTDR, 4, 0xfffff00 + 'd'),
		W(UARTDR, 8, 'x'),
		W(UARTDR + 1, 1, 'x'),
		DO(uart_check_output, "abcd"),
		IRQ(0),
		W(UARTIMSC, 4, UARTINT_TX),
		IRQ(1),
		R(UARTMIS, 4, UARTINT_TX),
		W(UARTICR, 4, UARTINT_ALL & ~UARTINT_TX),
		IRQ(1),
		W(UARTICR, 4, UARTINT_TX),
		IRQ(0),
		R(UARTRIS, 4, 0),
		W(UARTDR, 4, 'e'),
		IRQ(1),
		W(UARTIMSC, 4, 0),
		IRQ(0),
		SHOWN(1),
		DO(uart_check_output, "e"),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_loopback)
{
	static const struct device_step steps[] = {
		W(UARTCR, 4, UART_RX_AND_TX | UARTCR_LBE),
		W(UARTIMSC, 4, UARTINT_OE),
		W(UARTDR, 4, 'a'),
		DO(uart_check_output, ""),
		R(UARTFR, 4, UARTFR_TXFE | UARTFR_RXFF),
		R(UARTRIS, 4, UARTINT_TX | UARTINT_RX | UARTINT_RT),
		IRQ(0),
		W(UARTDR, 4, 'b'), /* the FIFO is one deep: lost */
		R(UARTRIS, 4, UARTINT_TX | UARTINT_RX | UARTINT_RT | UARTINT_OE),
		R(UARTRSR, 4, UARTRSR_OE),
		IRQ(1),
		R(UARTDR, 4, 'a'),
		W(UARTDR, 4, 'c'),
		R(UARTDR, 4, 'c' | UARTDR_OE),
		W(UARTDR, 4, 'd'),
		R(UARTDR, 4, 'd'),
		R(UARTRSR, 4, UARTRSR_OE),
		W(UARTECR, 1, 0xff),
		R(UARTRSR, 4, 0),
		W(UARTICR, 4, UARTINT_ALL),
		IRQ(0),
		/* A break that we send comes back once. */
		W(UARTLCR_H, 4, UARTLCR_H_BRK),
		W(UARTLCR_H, 4, UARTLCR_H_BRK),
		R(UARTDR, 4, UARTDR_BE),
		R(UARTFR, 4, UART_EMPTY),
		/* With the receiver off it does not. */
		W(UARTCR, 4, UARTCR_UARTEN | UARTCR_TXE | UARTCR_LBE),
		W(UARTDR, 4, 'e'),
		R(UARTFR, 4, UART_EMPTY),
		DO(uart_check_output, ""),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_modem_lines)
{
	static const struct {
		uint32_t cr;
		uint32_t fr;
		uint32_t interrupt;
	} rows[] = {
		{UARTCR_RTS, UARTFR_CTS, UARTINT_CTSM},
		{UARTCR_DTR, UARTFR_DSR, UARTINT_DSRM},
		{UARTCR_Out1, UARTFR_DCD, UARTINT_DCDM},
		{UARTCR_Out2, UARTFR_RI, UARTINT_RIM},
	};
	const struct device_step steps[] = {
		W(UARTIMSC, 4, rows[_i].interrupt),
		W(UARTCR, 4, rows[_i].cr), /* no loopback: nobody sees it */
		R(UARTFR, 4, UART_EMPTY),
		IRQ(0),
		W(UARTCR, 4, rows[_i].cr | UARTCR_LBE),
		R(UARTFR, 4, UART_EMPTY | rows[_i].fr),
		R(UARTRIS, 4, rows[_i].interrupt),
		IRQ(1),
		SHOWN(1),
		W(UARTICR, 4, rows[_i].interrupt),
		IRQ(0),
		W(UARTCR, 4, UARTCR_LBE),
		R(UARTFR, 4, UART_EMPTY),
		IRQ(1),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_integration_test)
{
	static const struct device_step steps[] = {
		W(UARTITOP, 4, UARTITOP_UARTINTR),
		IRQ(0),
		W(UARTTCR, 4, UARTTCR_ITEN),
		IRQ(1),
		W(UARTITOP, 4, 0),
		IRQ(0),
		W(UARTIMSC, 4, UARTINT_TX),
		W(UARTDR, 4, 'a'),
		IRQ(0),
		W(UARTTCR, 4, 0),
		IRQ(1),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_posting)
{
	static const struct device_step steps[] = {
		POSTING(0),         W(UARTDR, 4, 'a'),
		POSTING(1),         W(UARTCR, 4, UARTCR_LBE),
		POSTING(0),         W(UARTCR, 4, UART_RX_AND_TX),
		POSTING(1),         W(UARTTCR, 4, UARTTCR_ITEN),
		POSTING(0),         W(UARTTCR, 4, 0),
		POSTING(1),         W(UARTIMSC, 4, UARTINT_RT | UARTINT_TX),
		DO(uart_type, "x"), SHOWN(0), /* reads trap, writes need not */
		POSTING(1),         W(UARTICR, 4, UARTINT_TX),
		POSTING(0),         R(UARTDR, 4, 'x'),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_dropping)
{
	static const struct device_step steps[] = {
		DROPPING(0), W(UARTCR, 2, UART_RX_AND_TX),
		DROPPING(0), W(UARTCR, 2, UART_RX_AND_TX), /* the same again */
		DROPPING(1), W(UARTIBRD, 2, 26),
		DROPPING(1), W(UARTCR, 2, UARTCR_UARTEN),
		DROPPING(0), W(UARTCR, 4, UARTCR_UARTEN),
		DROPPING(1), DO(uart_hand_over, NULL),
		DROPPING(0),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_random)
{
	device_check_random(&uart_kind, (uint64_t)_i + 1, 3000);
}
END_TEST

START_TEST(test_save_and_reset)
{
	device_check_save_and_reset(&uart_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	device_check_hostile_state(&uart_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_impossible_state)
{
	static const struct {
		const char *field;
		uint32_t value;
	} rows[] = {
		{"fifo.head", PL011_FIFO_DEPTH},
		{"fifo.count", PL011_FIFO_DEPTH + 1},
		{"fifo.slots", 'a'}, /* beside an empty FIFO */
		{"ris", UARTINT_ALL + 1},
		{"ris", UARTINT_RX}, /* of an empty FIFO */
		{"ris", UARTINT_RT},
		{"rsr", 0x10},
		{"cr", 0x8},
		{"ilpr", 0x100},
		{"itop", 0x10000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		device_check_refused(&uart_kind, rows[i].field, rows[i].value);
}
END_TEST

START_TEST(test_device_tree)
{
	device_check_node(&uart_kind, "/serial@9000000", 0x00341011);
}
END_TEST

/* A run of writes is what the same writes are one by one, whatever the state. */
START_TEST(test_write_run)
{
	static const struct {
		uint32_t offset, value; /* set up by this */
		uint32_t run_at;
	} rows[] = {
		{UARTIBRD, 0, UARTDR},
		{UARTDR, 'x', UARTDR},
		{UARTCR, UART_RX_AND_TX | UARTCR_LBE, UARTDR},
		{UARTTCR, UARTTCR_ITEN, UARTDR},
		{UARTDR, 'x', UARTIBRD},
		{UARTDR, 'x', UARTICR},
	};
	struct device_bench *one = device_bench_open(&uart_kind);
	struct device_bench *all = device_bench_open(&uart_kind);
	uint64_t values[200];

	device_write(one, rows[_i].offset, 4, rows[_i].value);
	device_write(all, rows[_i].offset, 4, rows[_i].value);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		values[i] = i * 7 % 256;
		device_write(one, rows[_i].run_at, 4, values[i]);
	}
	device_lock(all->device);
	pl011_mmio_ops.write_run(all->device, rows[_i].run_at, 4, values, ARRAY_SIZE(values));
	device_unlock(all->device);
	ck_assert_uint_eq(to_uart(one)->output_count, to_uart(all)->output_count);
	ck_assert(!memcmp(to_uart(one)->output, to_uart(all)->output, sizeof(values)));
	for (size_t i = 0; i < uart_kind.register_count; i++)
		ck_assert_uint_eq(device_read(one, uart_kind.registers[i].offset, 4),
				  device_read(all, uart_kind.registers[i].offset, 4));
	device_bench_close(all);
	device_bench_close(one);
}
END_TEST

/* Without a shadow, and with nobody on the line. */
START_TEST(test_bare)
{
	struct clock clock;
	const struct pl011_options options = {.name = "bare", .clock = &clock};
	struct device *device;

	clock_init_manual(&clock, 0);
	ck_assert_int_eq(pl011_create(&options, &device), 0);
	device_lock(device);
	pl011_mmio_ops.write(device, UARTDR, 4, 'a');
	pl011_mmio_ops.write(device, UARTCR, 4, UART_RX_AND_TX);
	pl011_mmio_ops.write(device, UARTCR, 4, UART_RX_AND_TX);
	pl011_receive_break(device);
	pl011_hand_over(device);
	ck_assert_uint_eq(pl011_mmio_ops.read(device, UARTRIS, 4), UARTINT_TX);
	device->ops->reset(device);
	ck_assert_uint_eq(pl011_mmio_ops.read(device, UARTRIS, 4), 0);
	device_unlock(device);
	device_destroy(device);
	device_destroy(NULL);
}
END_TEST

const char unit_name[] = "pl011";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_registers),
	UNIT_CASE(test_transmit),
	UNIT_CASE(test_loopback),
	UNIT_LOOP(test_modem_lines, 4),
	UNIT_CASE(test_integration_test),
	UNIT_CASE(test_posting),
	UNIT_CASE(test_dropping),
	UNIT_LOOP(test_random, 8),
	UNIT_LOOP(test_save_and_reset, 50),
	UNIT_LOOP(test_hostile_state, 3),
	UNIT_CASE(test_impossible_state),
	UNIT_CASE(test_device_tree),
	UNIT_LOOP(test_write_run, 6),
	UNIT_CASE(test_bare),
	{0},
};
