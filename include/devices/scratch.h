/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers that keep what is written to them, of every width and at every place: memory,
 * but each access to it traps as a device's does. For tests of drivers, and of what a
 * hypervisor makes of a guest's loads and stores.
 */
#ifndef ARMLET_DEVICES_SCRATCH_H
#define ARMLET_DEVICES_SCRATCH_H

#include "core/mmio.h"

#define SCRATCH_SIZE UINT64_C(0x10000)

extern const struct mmio_ops scratch_mmio_ops;

/* All zero. -ENOMEM. */
int scratch_create(const char *name, struct device **ret);

#endif
