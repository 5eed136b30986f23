/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arm PrimeCell UART (PL011), revision r1p5. Registers and bits as in its
 * Technical Reference Manual, DDI 0183G, chapters 3 and 4.
 *
 * Threads: like every device, under its lock; the functions below too, but for
 * pl011_create().
 */
#ifndef ARMLET_DEVICES_PL011_H
#define ARMLET_DEVICES_PL011_H

#include "core/char_port.h"
#include "core/clock.h"
#include "core/device.h"
#include "core/irq_line.h"
#include "core/mmio.h"
#include "core/mmio_shadow.h"

#define PL011_SIZE       0x1000
#define PL011_FIFO_DEPTH 32

enum pl011_register_offset {
	UARTDR = 0x000,
	UARTRSR = 0x004,
	UARTECR = UARTRSR, /* when written */
	UARTFR = 0x018,
	UARTILPR = 0x020,
	UARTIBRD = 0x024,
	UARTFBRD = 0x028,
	UARTLCR_H = 0x02c,
	UARTCR = 0x030,
	UARTIFLS = 0x034,
	UARTIMSC = 0x038,
	UARTRIS = 0x03c,
	UARTMIS = 0x040,
	UARTICR = 0x044,
	UARTDMACR = 0x048,
	UARTTCR = 0x080,
	UARTITIP = 0x084,
	UARTITOP = 0x088,
	UARTTDR = 0x08c,
	UARTPeriphID0 = 0xfe0,
	UARTPCellID0 = 0xff0,
};

enum {
	UARTDR_FE = 1 << 8,
	UARTDR_PE = 1 << 9,
	UARTDR_BE = 1 << 10,
	UARTDR_OE = 1 << 11,

	UARTRSR_FE = 1 << 0,
	UARTRSR_PE = 1 << 1,
	UARTRSR_BE = 1 << 2,
	UARTRSR_OE = 1 << 3,

	UARTFR_CTS = 1 << 0,
	UARTFR_DSR = 1 << 1,
	UARTFR_DCD = 1 << 2,
	UARTFR_BUSY = 1 << 3,
	UARTFR_RXFE = 1 << 4,
	UARTFR_TXFF = 1 << 5,
	UARTFR_RXFF = 1 << 6,
	UARTFR_TXFE = 1 << 7,
	UARTFR_RI = 1 << 8,

	UARTLCR_H_BRK = 1 << 0,
	UARTLCR_H_FEN = 1 << 4,
	UARTLCR_H_WLEN_8 = 3 << 5,

	UARTCR_UARTEN = 1 << 0,
	UARTCR_LBE = 1 << 7,
	UARTCR_TXE = 1 << 8,
	UARTCR_RXE = 1 << 9,
	UARTCR_DTR = 1 << 10,
	UARTCR_RTS = 1 << 11,
	UARTCR_Out1 = 1 << 12,
	UARTCR_Out2 = 1 << 13,

	UARTIFLS_RXIFLSEL_SHIFT = 3,
	UARTIFLS_RXIFLSEL_MASK = 7,

	/* The same bits in UARTIMSC, UARTRIS, UARTMIS and UARTICR. */
	UARTINT_RIM = 1 << 0,
	UARTINT_CTSM = 1 << 1,
	UARTINT_DCDM = 1 << 2,
	UARTINT_DSRM = 1 << 3,
	UARTINT_RX = 1 << 4,
	UARTINT_TX = 1 << 5,
	UARTINT_RT = 1 << 6,
	UARTINT_FE = 1 << 7,
	UARTINT_PE = 1 << 8,
	UARTINT_BE = 1 << 9,
	UARTINT_OE = 1 << 10,
	UARTINT_ALL = (1 << 11) - 1,

	UARTTCR_ITEN = 1 << 0,
	UARTTCR_TESTFIFO = 1 << 1,

	UARTITOP_UARTINTR = 1 << 6,
};

/*
 * How long a guest that takes no receive interrupts must leave the UART alone to
 * be polling it: longer than a busy host keeps a vCPU from running.
 */
#define PL011_POLLING_NS (500 * INT64_C(1000000))

struct pl011_options {
	const char *name; /* outlives the device */
	struct char_port port;
	struct irq_line irq; /* UARTINTR */
	struct clock *clock;
	struct mmio_shadow *shadow; /* may be NULL; not owned, outlives the device */
};

extern const struct mmio_ops pl011_mmio_ops;

/* -ENOMEM. */
int pl011_create(const struct pl011_options *options, struct device **ret);

/*
 * The back end has input (it says so once more when the machine goes on after
 * a pause or a load).
 */
void pl011_input_ready(struct device *device);

/* The line was held low for longer than a character: one arrives that is zero and marked BE. */
void pl011_receive_break(struct device *device);

/*
 * Leave the UART as boot firmware would: 115200 baud of 24 MHz, 8N1, FIFOs on,
 * transmitting but not receiving. After creation and after each reset, where
 * no firmware runs.
 */
void pl011_hand_over(struct device *device);

#endif
