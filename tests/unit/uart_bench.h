/* SPDX-License-Identifier: Apache-2.0 */
/* The bench of the PL011's tests: a back end that is two queues of bytes. */
#ifndef ARMLET_TESTS_UART_BENCH_H
#define ARMLET_TESTS_UART_BENCH_H

#include "device_table.h"
#include "devices/pl011.h"

#define UART_QUEUE_SIZE 20000
#define UART_RX_AND_TX  (UARTCR_UARTEN | UARTCR_RXE | UARTCR_TXE)
#define UART_EMPTY      (UARTFR_TXFE | UARTFR_RXFE)

struct uart_bench {
	struct device_bench bench;
	uint8_t input[UART_QUEUE_SIZE];
	size_t input_head, input_tail;
	char output[UART_QUEUE_SIZE];
	size_t output_count;
};

extern const struct device_kind uart_kind;

static inline struct uart_bench *to_uart(struct device_bench *bench)
{
	return (struct uart_bench *)bench;
}

/* Run the steps on a fresh PL011. */
void uart_run(const struct device_step *steps, size_t count);

/* For DO(): input comes, a break comes, firmware hands over. */
void uart_type(struct device_bench *bench, const char *text);
void uart_break(struct device_bench *bench, const char *text);
void uart_hand_over(struct device_bench *bench, const char *text);

/* For DO(): @text is all that was sent since the last time; so many bytes still wait. */
void uart_check_output(struct device_bench *bench, const char *text);
void uart_check_pending(struct device_bench *bench, const char *text);

#endif
