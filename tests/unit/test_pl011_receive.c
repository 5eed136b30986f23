/* SPDX-License-Identifier: Apache-2.0 */
#include "uart_bench.h"

#include "unit.h"

START_TEST(test_receive_by_interrupt)
{
	static const struct device_step steps[] = {
		W(UARTLCR_H, 4, UARTLCR_H_FEN),
		W(UARTCR, 4, UART_RX_AND_TX),
		W(UARTIMSC, 4, UARTINT_RX | UARTINT_RT),
		IRQ(0),
		DO(uart_type, "hi"),
		SHOWN(0),
		IRQ(1),
		R(UARTFR, 4, UARTFR_TXFE),
		R(UARTRIS, 4, UARTINT_RT),
		R(UARTDR, 4, 'h'),
		SHOWN(0),
		IRQ(1),
		R(UARTDR, 2, 'i'),
		IRQ(0),
		R(UARTRIS, 4, 0),
		R(UARTFR, 4, UART_EMPTY),
		SHOWN(1),
		R(UARTDR, 4, 0),
		/* The timeout comes back only with new data. */
		DO(uart_type, "a"),
		W(UARTICR, 4, UARTINT_RT),
		IRQ(0),
		R(UARTFR, 4, UARTFR_TXFE),
		DO(uart_type, "b"),
		IRQ(1),
		R(UARTDR, 1, 'a'),
		R(UARTDR, 1, 'b'),
		IRQ(0),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_receive_level)
{
	static const struct device_step steps[] = {
		W(UARTLCR_H, 4, UARTLCR_H_FEN),
		W(UARTIFLS, 4, 0), /* an eighth: 4 characters */
		W(UARTIMSC, 4, UARTINT_RX),
		W(UARTCR, 4, UART_RX_AND_TX),
		DO(uart_type, "123"),
		R(UARTRIS, 4, UARTINT_RT),
		IRQ(0),
		DO(uart_type, "4"),
		R(UARTRIS, 4, UARTINT_RT | UARTINT_RX),
		IRQ(1),
		R(UARTDR, 4, '1'),
		R(UARTRIS, 4, UARTINT_RT),
		IRQ(0),
		DO(uart_type, "56"),
		IRQ(1),
		W(UARTICR, 4, UARTINT_RX | UARTINT_RT),
		R(UARTRIS, 4, 0),
		DO(uart_type, "7"),
		R(UARTRIS, 4, UARTINT_RT | UARTINT_RX),
		/* Character mode: what is in the FIFO stays, nothing more comes in. */
		W(UARTLCR_H, 4, 0),
		DO(uart_type, "8"),
		DO(uart_check_pending, "1"),
		R(UARTFR, 4, UARTFR_TXFE | UARTFR_RXFF),
		R(UARTDR, 4, '2'),
		R(UARTDR, 4, '3'),
		R(UARTDR, 4, '4'),
		R(UARTDR, 4, '5'),
		R(UARTDR, 4, '6'),
		DO(uart_check_pending, "1"),
		R(UARTDR, 4, '7'),
		DO(uart_check_pending, "0"),
		R(UARTRIS, 4, UARTINT_RT | UARTINT_RX),
		R(UARTFR, 4, UARTFR_TXFE | UARTFR_RXFF),
		R(UARTDR, 4, '8'),
		R(UARTRIS, 4, 0),
		R(UARTFR, 4, UART_EMPTY),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

/* Linux opens the port: it switches on, empties the FIFO, then unmasks. */
START_TEST(test_typed_ahead)
{
	static const struct device_step steps[] = {
		DO(uart_hand_over, NULL),
		R(UARTCR, 4, UARTCR_UARTEN | UARTCR_TXE),
		R(UARTLCR_H, 4, 0x70),
		R(UARTIBRD, 4, 13),
		R(UARTFBRD, 4, 1),
		DO(uart_type, "root"),
		WAIT_MS(1000),
		R(UARTFR, 4, UART_EMPTY),
		SHOWN(1),
		W(UARTCR, 2, UART_RX_AND_TX),
		R(UARTFR, 4, UART_EMPTY),
		W(UARTICR, 2, UARTINT_RX | UARTINT_RT),
		R(UARTFR, 4, UART_EMPTY),
		SHOWN(1),
		W(UARTIMSC, 2, UARTINT_RX | UARTINT_RT),
		SHOWN(0),
		IRQ(1),
		R(UARTDR, 2, 'r'),
		R(UARTDR, 2, 'o'),
		/* stty: off, rewritten, on again, with data in the FIFO. */
		W(UARTCR, 2, 0),
		W(UARTLCR_H, 2, 0),
		W(UARTLCR_H, 2, 0x70),
		W(UARTCR, 2, UART_RX_AND_TX),
		R(UARTDR, 2, 'o'),
		R(UARTDR, 2, 't'),
		IRQ(0),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_receive_by_polling)
{
	static const struct device_step steps[] = {
		W(UARTCR, 4, UART_RX_AND_TX),
		DO(uart_type, "ab"),
		WAIT_MS(PL011_POLLING_NS / 1000000 - 1),
		R(UARTFR, 4, UART_EMPTY),
		W(UARTLCR_H, 4, 0), /* begins the wait anew */
		WAIT_MS(PL011_POLLING_NS / 1000000 - 1),
		R(UARTFR, 4, UART_EMPTY),
		SHOWN(1),
		WAIT_MS(1),
		SHOWN(0),
		R(UARTFR, 4, UARTFR_TXFE | UARTFR_RXFF),
		R(UARTDR, 4, 'a'),
		R(UARTDR, 4, 'b'),
		SHOWN(1),
		/* It goes on polling: no more waiting. */
		DO(uart_type, "c"),
		R(UARTDR, 4, 'c'),
		IRQ(0),
		/* The host's clock is set back. */
		WAIT_MS(-3600000),
		DO(uart_type, "d"),
		R(UARTDR, 4, 'd'),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_receiver_off)
{
	static const struct {
		uint32_t offset;
		uint32_t off;
		uint32_t on;
	} rows[] = {
		{UARTCR, UARTCR_RXE | UARTCR_TXE, UART_RX_AND_TX},
		{UARTCR, UARTCR_UARTEN | UARTCR_TXE, UART_RX_AND_TX},
		{UARTCR, UART_RX_AND_TX | UARTCR_LBE, UART_RX_AND_TX},
		{UARTTCR, UARTTCR_TESTFIFO, 0},
	};
	const struct device_step steps[] = {
		W(UARTIMSC, 4, UARTINT_RT),
		W(UARTCR, 4, UART_RX_AND_TX),
		W(rows[_i].offset, 4, rows[_i].off),
		DO(uart_type, "a"),
		WAIT_MS(100),
		R(UARTFR, 4, UART_EMPTY),
		SHOWN(1),
		W(rows[_i].offset, 4, rows[_i].on),
		IRQ(1),
		R(UARTDR, 4, 'a'),
		SHOWN(1),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

START_TEST(test_break)
{
	static const struct device_step steps[] = {
		DO(uart_break, NULL), /* kept until somebody listens */
		R(UARTFR, 4, UART_EMPTY),
		W(UARTCR, 4, UART_RX_AND_TX),
		W(UARTIMSC, 4, UARTINT_RT | UARTINT_BE),
		R(UARTRIS, 4, UARTINT_RX | UARTINT_RT | UARTINT_BE),
		IRQ(1),
		DO(uart_break, NULL), /* no room: waits in front of "x" */
		DO(uart_type, "x"),
		R(UARTDR, 4, UARTDR_BE),
		R(UARTRSR, 4, UARTRSR_BE),
		R(UARTDR, 4, UARTDR_BE),
		R(UARTDR, 4, 'x'),
		R(UARTRSR, 4, 0),
		R(UARTRIS, 4, UARTINT_BE),
		IRQ(1),
		W(UARTICR, 4, UARTINT_BE),
		IRQ(0),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

/* Parity, framing and break errors, by the test data register. */
START_TEST(test_receive_errors)
{
	static const struct {
		uint32_t character;
		uint32_t rsr;
		uint32_t interrupt;
	} rows[] = {
		{'a' | UARTDR_FE, UARTRSR_FE, UARTINT_FE},
		{'a' | UARTDR_PE, UARTRSR_PE, UARTINT_PE},
		{UARTDR_BE, UARTRSR_BE, UARTINT_BE},
		{UARTDR_FE | UARTDR_PE | UARTDR_BE, UARTRSR_FE | UARTRSR_PE | UARTRSR_BE,
		 UARTINT_FE | UARTINT_PE | UARTINT_BE},
	};
	const struct device_step steps[] = {
		W(UARTTDR, 4, 'x'), /* no test yet: nothing */
		R(UARTFR, 4, UART_EMPTY),
		W(UARTTCR, 4, UARTTCR_TESTFIFO),
		W(UARTIMSC, 4, rows[_i].interrupt),
		IRQ(0),
		W(UARTTDR, 4, rows[_i].character),
		SHOWN(0),
		IRQ(1),
		R(UARTMIS, 4, rows[_i].interrupt),
		R(UARTRSR, 4, 0),
		R(UARTDR, 4, rows[_i].character),
		R(UARTRSR, 4, rows[_i].rsr),
		IRQ(1),
		W(UARTICR, 4, rows[_i].interrupt),
		IRQ(0),
		R(UARTRSR, 4, rows[_i].rsr),
		W(UARTECR, 4, 0),
		R(UARTRSR, 4, 0),
	};

	uart_run(steps, ARRAY_SIZE(steps));
}
END_TEST

/* 10,000 bytes, with every trigger level; once more in character mode. */
START_TEST(test_paste)
{
	struct device_bench *bench = device_bench_open(&uart_kind);
	struct uart_bench *uart = to_uart(bench);
	bool fifo_on = _i < 8;
	size_t got = 0;
	unsigned interrupts = 0;

	device_write(bench, UARTLCR_H, 4, fifo_on ? UARTLCR_H_FEN : 0);
	device_write(bench, UARTIFLS, 4, (uint64_t)(_i % 8) << UARTIFLS_RXIFLSEL_SHIFT);
	device_write(bench, UARTCR, 4, UART_RX_AND_TX);
	device_write(bench, UARTIMSC, 4, UARTINT_RX | UARTINT_RT);
	bench->shows = 0;
	for (unsigned i = 0; i < 10000; i++)
		uart->input[i] = (uint8_t)(i % 251);
	uart->input_tail = 10000;
	device_lock(bench->device);
	pl011_input_ready(bench->device);
	device_unlock(bench->device);
	while (bench->irq_level && interrupts++ < 20000) {
		/* As a driver may: acknowledge, then read no more than a FIFO's worth. */
		device_write(bench, UARTICR, 4, device_read(bench, UARTMIS, 4));
		for (unsigned i = 0; i < PL011_FIFO_DEPTH; i++) {
			if (device_read(bench, UARTFR, 4) & UARTFR_RXFE)
				break;
			ck_assert_uint_eq(device_read(bench, UARTDR, 4), got % 251);
			got++;
		}
	}
	ck_assert_uint_eq(got, 10000);
	ck_assert_uint_eq(bench->shows, 1); /* the burst hid the shadow once */
	device_bench_close(bench);
}
END_TEST

const char unit_name[] = "pl011_receive";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_receive_by_interrupt),
	UNIT_CASE(test_receive_level),
	UNIT_CASE(test_typed_ahead),
	UNIT_CASE(test_receive_by_polling),
	UNIT_LOOP(test_receiver_off, 4),
	UNIT_CASE(test_break),
	UNIT_LOOP(test_receive_errors, 4),
	UNIT_LOOP(test_paste, 9),
	{0},
};
