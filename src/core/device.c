/* SPDX-License-Identifier: Apache-2.0 */
#include "core/device.h"

#include <assert.h>

void device_init(struct device *device, const struct device_ops *ops, const char *name)
{
	device->ops = ops;
	device->name = name;
	device->guest_errors = (struct log_budget)LOG_BUDGET_INIT;
	device->lock = (struct lock){0};
}

void device_finish(struct device *device)
{
	assert(device->lock.state == LOCK_FREE);
}

void device_destroy(struct device *device)
{
	if (device)
		device->ops->destroy(device);
}
