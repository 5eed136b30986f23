/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arm PrimeCell General Purpose Input/Output (PL061): eight lines. Registers
 * as in its Technical Reference Manual, DDI 0190B, chapter 3.
 */
#ifndef ARMLET_DEVICES_PL061_H
#define ARMLET_DEVICES_PL061_H

#include "core/device.h"
#include "core/fdt_builder.h"
#include "core/irq_line.h"
#include "core/mmio.h"
#include "core/mmio_shadow.h"

#define PL061_SIZE           0x1000
#define PL061_LINES          8
#define PL061_POWER_KEY_LINE 3 /* high while the machine's power key is held down */

enum pl061_register_offset {
	GPIODATA = 0x000, /* to 0x3fc: offset bits 9 to 2 choose the lines */
	GPIODIR = 0x400,
	GPIOIS = 0x404,
	GPIOIBE = 0x408,
	GPIOIEV = 0x40c,
	GPIOIE = 0x410,
	GPIORIS = 0x414,
	GPIOMIS = 0x418,
	GPIOIC = 0x41c,
	GPIOAFSEL = 0x420,
	GPIOPeriphID0 = 0xfe0,
	GPIOPCellID0 = 0xff0,
};

struct pl061_options {
	const char *name;           /* outlives the device */
	struct irq_line irq;        /* GPIOINTR */
	struct mmio_shadow *shadow; /* may be NULL; not owned, outlives the device */
};

extern const struct mmio_ops pl061_mmio_ops;

/* -ENOMEM. */
int pl061_create(const struct pl061_options *options, struct device **ret);

/* What the board drives into @line, 0 to 7. Under the device's lock. */
void pl061_set_input(struct device *device, unsigned line, bool level);

/* Write the node of the power key, which is wired to PL061_POWER_KEY_LINE. */
void pl061_describe_power_key(struct fdt_builder *fdt);

#endif
