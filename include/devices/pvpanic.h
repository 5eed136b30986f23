/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvpanic: one register by which a guest tells that it has panicked. QEMU's docs/specs/pvpanic;
 * Linux: drivers/misc/pvpanic/pvpanic-mmio.c.
 */
#ifndef ARMLET_DEVICES_PVPANIC_H
#define ARMLET_DEVICES_PVPANIC_H

#include "core/device.h"
#include "core/mmio.h"

#define PVPANIC_SIZE     0x1000 /* that are decoded, */
#define PVPANIC_REG_SIZE 2      /* and those that the device tree tells of */

enum pvpanic_register_offset {
	PVPANIC_EVENTS = 0x0, /* a byte */
};

/* Read: those that there are. Written: what has happened. */
enum {
	PVPANIC_PANICKED = 1 << 0,
	PVPANIC_CRASH_LOADED =
		1 << 1,            /* it has panicked as well, and its crash kernel takes over */
	PVPANIC_SHUTDOWN = 1 << 2, /* it wants to be powered off */
	PVPANIC_ALL = (1 << 3) - 1,
};

struct pvpanic_options {
	const char *name; /* outlives the device */
	/* Required: bits as above that are new since the reset; with the device's lock held. */
	void (*tell)(void *data, unsigned events);
	void *data;
};

extern const struct mmio_ops pvpanic_mmio_ops;

/* -ENOMEM. */
int pvpanic_create(const struct pvpanic_options *options, struct device **ret);

#endif
