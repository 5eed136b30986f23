/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's vCPU stall detector (drivers/misc/vcpu_stall_detector.c): each vCPU sets a counter
 * of its own anew all the time, and one whose counter comes to zero does no more interrupts.
 * A counter goes down only while its vCPU runs, so a busy host is no stall, and idling neither.
 */
#ifndef ARMLET_DEVICES_STALL_DETECTOR_H
#define ARMLET_DEVICES_STALL_DETECTOR_H

#include "core/clock.h"
#include "core/device.h"
#include "core/mmio.h"

/* Each vCPU has these, of 32 bits, in the order of their numbers. */
#define STALL_DETECTOR_CPU_SIZE 16
enum stall_detector_register_offset {
	STALL_STATUS = 0x0, /* bit 0: it counts */
	STALL_LOAD_CNT = 0x4,
	STALL_CURRENT_CNT = 0x8,
	STALL_CLOCK_FREQ_HZ = 0xc,
};

struct stall_detector_options {
	const char *name; /* outlives the device */
	struct clock *clock;
	uint32_t cpus;

	/* Required: how long vCPU @cpu has run, in ns, at any time and with the device's lock held.
	 */
	uint64_t (*ran)(void *data, uint32_t cpu);

	/* Required: it has run for so many seconds, and said nothing; likewise. It is off then. */
	void (*stalled)(void *data, uint32_t cpu, uint32_t seconds);
	void *data;
};

extern const struct mmio_ops stall_detector_mmio_ops;

/* -ENOMEM. */
int stall_detector_create(const struct stall_detector_options *options, struct device **ret);

#endif
