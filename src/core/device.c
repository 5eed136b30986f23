/* SPDX-License-Identifier: Apache-2.0 */
#include "core/device.h"

void device_init(struct device *device, const struct device_ops *ops, const char *name)
{
	device->ops = ops;
	device->name = name;
	device->guest_errors = (struct log_budget)LOG_BUDGET_INIT;
	pthread_mutex_init(&device->lock, NULL);
}

void device_finish(struct device *device)
{
	pthread_mutex_destroy(&device->lock);
}

void device_destroy(struct device *device)
{
	if (device)
		device->ops->destroy(device);
}
