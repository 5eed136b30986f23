/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Generic Watchdog of Arm's Base System Architecture, revision 1 (DEN0094, "Generic
 * watchdog"; formerly of the SBSA, DEN0029): two frames in pages of their own, in one region.
 */
#ifndef ARMLET_DEVICES_SBSA_GWDT_H
#define ARMLET_DEVICES_SBSA_GWDT_H

#include "core/clock.h"
#include "core/device.h"
#include "core/irq_line.h"
#include "core/mmio.h"

#define SBSA_GWDT_FRAME   0x1000  /* bytes of a frame */
#define SBSA_GWDT_CONTROL 0x10000 /* where the control frame begins; pages are up to 64 KiB */
#define SBSA_GWDT_SIZE    (SBSA_GWDT_CONTROL + SBSA_GWDT_FRAME)

/* Of the region: the refresh frame, then the control frame. */
enum sbsa_gwdt_register_offset {
	WRR = 0x000,
	WRR_W_IIDR = 0xfcc,
	WCS = SBSA_GWDT_CONTROL,
	WOR = SBSA_GWDT_CONTROL + 0x008,
	WOR_HIGH = SBSA_GWDT_CONTROL + 0x00c,
	WCV = SBSA_GWDT_CONTROL + 0x010,
	WCV_HIGH = SBSA_GWDT_CONTROL + 0x014,
	W_IIDR = SBSA_GWDT_CONTROL + 0xfcc,
};

enum {
	WCS_EN = 1 << 0,
	WCS_WS0 = 1 << 1,
	WCS_WS1 = 1 << 2,
	WOR_HIGH_MASK = 0xffff,
	W_IIDR_VALUE = 1 << 16, /* the architecture's revision; of no implementer with a number */
};

struct sbsa_gwdt_options {
	const char *name;    /* outlives the device */
	struct irq_line irq; /* WS0, a level */
	struct clock *clock; /* for alarms only */

	/* Required: the system counter as the guest reads it, and how often it counts in a second.
	 */
	uint64_t (*counter)(void *data);
	uint64_t frequency;

	/* Required: WS1, after so many seconds; with the device's lock held. */
	void (*bite)(void *data, uint64_t seconds);
	void *data;
};

extern const struct mmio_ops sbsa_gwdt_mmio_ops;

/* -ENOMEM. */
int sbsa_gwdt_create(const struct sbsa_gwdt_options *options, struct device **ret);

/* The guest is held, and goes on: meanwhile nothing counts. With the device's lock held. */
void sbsa_gwdt_hold(struct device *device, bool on);

#endif
