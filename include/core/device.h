/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every device model has: a name, a lock, and a table of operations.
 *
 * A device is handed its collaborators (interrupt line, clock, back end) when
 * it is made and knows nothing else of the machine. Its lock is taken by those
 * who call in - the MMIO bus, the event loop, the board - never by the model.
 */
#ifndef ARMLET_CORE_DEVICE_H
#define ARMLET_CORE_DEVICE_H

#include "base/lock.h"
#include "base/log.h"
#include "core/state.h"
#include "core/types.h"

struct device;
struct fdt_builder;

/* Where the board has put a device; what a device needs to describe itself. */
struct device_slot {
	gpa_t base;
	uint64_t size;
	uint32_t intid; /* GIC interrupt number, 32 and up; 0: none */
};

struct device_ops {
	const char *type; /* "pl011": names the kind in state and reports */

	/* Required: back to the state of a device just made. */
	void (*reset)(struct device *device);

	/* Required: write the device's node. */
	void (*describe)(const struct device *device, const struct device_slot *slot,
			 struct fdt_builder *fdt);

	/* Required: the fields that are the state of the structure that begins with this device. */
	const struct state_table *state;

	/* Optional: called after the fields were loaded, to make derived state true again. */
	int (*loaded)(struct device *device, struct error *err);

	/* Required: free everything; the device is no longer on any bus. */
	void (*destroy)(struct device *device);
};

struct device {
	const struct device_ops *ops;
	const char *name;               /* unique in its machine; outlives the device */
	struct log_budget guest_errors; /* for log_guest() */
	struct lock lock;
};

void device_init(struct device *device, const struct device_ops *ops, const char *name);
void device_finish(struct device *device);

static inline void device_lock(struct device *device)
{
	lock_take(&device->lock);
}

static inline void device_unlock(struct device *device)
{
	lock_give(&device->lock);
}

/* Takes NULL. */
void device_destroy(struct device *device);

DEFINE_CLEANUP(struct device *, device_destroy)

#endif
