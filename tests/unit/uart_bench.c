/* SPDX-License-Identifier: Apache-2.0 */
#include "uart_bench.h"

#include <check.h>
#include <string.h>

static void transmit(void *backend, const uint8_t *data, size_t size)
{
	struct uart_bench *uart = backend;

	for (size_t i = 0; i < size; i++)
		uart->output[uart->output_count++ % UART_QUEUE_SIZE] = (char)data[i];
}

static size_t pending(void *backend)
{
	const struct uart_bench *uart = backend;

	return uart->input_tail - uart->input_head;
}

static size_t take(void *backend, uint8_t *data, size_t size)
{
	struct uart_bench *uart = backend;
	size_t count = min_u64(size, pending(backend));

	memcpy(data, uart->input + uart->input_head, count);
	uart->input_head += count;
	return count;
}

static const struct char_port_ops port_ops = {
	.transmit = transmit,
	.take = take,
	.pending = pending,
};

static int create(struct device_bench *bench, struct device **ret)
{
	const struct pl011_options options = {
		.name = "uart",
		.port = {.ops = &port_ops, .backend = bench},
		.irq = bench->irq,
		.clock = &bench->clock,
		.shadow = bench->shadow,
	};

	return pl011_create(&options, ret);
}

static void queue_input(struct uart_bench *uart, const void *data, size_t size)
{
	if (uart->input_head == uart->input_tail)
		uart->input_head = uart->input_tail = 0;
	if (uart->input_tail + size > UART_QUEUE_SIZE)
		return;
	memcpy(uart->input + uart->input_tail, data, size);
	uart->input_tail += size;
}

void uart_type(struct device_bench *bench, const char *text)
{
	queue_input(to_uart(bench), text, strlen(text));
	pl011_input_ready(bench->device);
}

void uart_break(struct device_bench *bench, const char *text)
{
	(void)text;
	pl011_receive_break(bench->device);
}

void uart_hand_over(struct device_bench *bench, const char *text)
{
	(void)text;
	pl011_hand_over(bench->device);
}

void uart_check_output(struct device_bench *bench, const char *text)
{
	struct uart_bench *uart = to_uart(bench);

	ck_assert_uint_eq(uart->output_count, strlen(text));
	ck_assert(!memcmp(uart->output, text, uart->output_count));
	uart->output_count = 0;
}

void uart_check_pending(struct device_bench *bench, const char *text)
{
	ck_assert_uint_eq(pending(to_uart(bench)), strtoul(text, NULL, 10));
}

static void disturb(struct device_bench *bench)
{
	uint8_t data[64];
	uint32_t count = device_random(bench, sizeof(data));

	switch (device_random(bench, 6)) {
	case 0:
		clock_advance(&bench->clock, device_random(bench, 30) * INT64_C(1000000));
		return;
	case 1:
		device_write(bench, UARTCR, 2, UART_RX_AND_TX);
		return;
	case 2:
		device_write(bench, UARTTCR, 4, device_random(bench, 2) * UARTTCR_TESTFIFO);
		return;
	case 3:
		device_read(bench, UARTDR, 4);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		data[i] = (uint8_t)device_random(bench, 256);
	queue_input(to_uart(bench), data, count);
	device_lock(bench->device);
	if (device_random(bench, 8) == 0)
		pl011_receive_break(bench->device);
	else
		pl011_input_ready(bench->device);
	device_unlock(bench->device);
}

static const struct device_register registers[] = {
	{UARTDR, REG_WO, 0, 0},
	{UARTRSR, REG_WO, 0, 0},
	{UARTFR, REG_RO, UART_EMPTY, 0},
	{UARTILPR, REG_RW, 0, 0xff},
	{UARTIBRD, REG_RW, 0, 0xffff},
	{UARTFBRD, REG_RW, 0, 0x3f},
	{UARTLCR_H, REG_RW, 0, 0xff},
	{UARTCR, REG_RW, 0x300, 0xff87},
	{UARTIFLS, REG_RW, 0x12, 0x3f},
	{UARTIMSC, REG_RW, 0, 0x7ff},
	{UARTRIS, REG_RO, 0, 0},
	{UARTMIS, REG_RO, 0, 0},
	{UARTICR, REG_WO, 0, 0},
	{UARTDMACR, REG_RW, 0, 0x7},
	{UARTTCR, REG_RW, 0, 0x7},
	{UARTITIP, REG_RW, 0, 0xc0},
	{UARTITOP, REG_RW, 0, 0xffff},
	{UARTTDR, REG_WO, 0, 0},
	{UARTPeriphID0, REG_RO, 0x11, 0},
	{UARTPeriphID0 + 4, REG_RO, 0x10, 0},
	{UARTPeriphID0 + 8, REG_RO, 0x34, 0},
	{UARTPeriphID0 + 12, REG_RO, 0x00, 0},
	{UARTPCellID0, REG_RO, 0x0d, 0},
	{UARTPCellID0 + 4, REG_RO, 0xf0, 0},
	{UARTPCellID0 + 8, REG_RO, 0x05, 0},
	{UARTPCellID0 + 12, REG_RO, 0xb1, 0},
};

const struct device_kind uart_kind = {
	.bench_size = sizeof(struct uart_bench),
	.size = PL011_SIZE,
	.ops = &pl011_mmio_ops,
	.registers = registers,
	.register_count = ARRAY_SIZE(registers),
	.post_offset = UARTDR,
	.drop_offset = UARTCR,
	.shadowed = true,
	.create = create,
	.disturb = disturb,
};

void uart_run(const struct device_step *steps, size_t count)
{
	struct device_bench *bench = device_bench_open(&uart_kind);

	device_run(bench, steps, count);
	device_bench_close(bench);
}
