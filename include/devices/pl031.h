/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arm PrimeCell Real Time Clock (PL031). Registers as in its Technical
 * Reference Manual, DDI 0224C, chapter 3.
 */
#ifndef ARMLET_DEVICES_PL031_H
#define ARMLET_DEVICES_PL031_H

#include "core/clock.h"
#include "core/device.h"
#include "core/irq_line.h"
#include "core/mmio.h"

#define PL031_SIZE 0x1000

enum pl031_register_offset {
	RTCDR = 0x000,
	RTCMR = 0x004,
	RTCLR = 0x008,
	RTCCR = 0x00c,
	RTCIMSC = 0x010,
	RTCRIS = 0x014,
	RTCMIS = 0x018,
	RTCICR = 0x01c,
	RTCPeriphID0 = 0xfe0,
	RTCPCellID0 = 0xff0,
};

enum {
	RTCCR_START = 1 << 0,
	RTCINT = 1 << 0, /* of RTCIMSC, RTCRIS, RTCMIS and RTCICR */
};

struct pl031_options {
	const char *name;    /* outlives the device */
	struct irq_line irq; /* RTCINTR */
	struct clock *clock;
	uint32_t time_offset; /* seconds that the time starts ahead of the clock, modulo 2^32 */
};

extern const struct mmio_ops pl031_mmio_ops;

/* -ENOMEM. */
int pl031_create(const struct pl031_options *options, struct device **ret);

/* The present time_offset, as the guest has set it: for the PL031 that follows this one. */
uint32_t pl031_time_offset(const struct device *device);

#endif
