/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is plugged into the slots of a machine that runs. A device's properties are those
 * of --disk and --net, and read by the same tables; what was read stays here for as long
 * as the device is there.
 */
#include <string.h>

#include "device_options.h"
#include "machine/slots.h"
#include "options_json.h"
#include "run.h"

struct run_device {
	struct run_device *next;
	char *name;
	struct json_object *properties; /* has the strings of the rest */
	struct disk_config disk;        /* one of the two */
	struct net_config net;
};

static void free_device(struct run_device *device)
{
	if (!device)
		return;
	json_object_put(device->properties);
	free(device->name);
	free(device);
}
DEFINE_CLEANUP(struct run_device *, free_device)

static int plug_disk(struct run *run, struct run_device *device, struct error *err)
{
	int r;

	init_disk_config(&device->disk);
	r = options_from_json(disk_properties, device->properties, &device->disk, err);
	return r < 0 ? r : machine_plug_disk(run->machine, device->name, &device->disk, err);
}

static int plug_net(struct run *run, struct run_device *device, struct error *err)
{
	int r;

	init_net_config(&device->net);
	r = options_from_json(net_properties, device->properties, &device->net, err);
	if (r < 0)
		return r;
	settle_net_config(&device->net);
	return machine_plug_net(run->machine, device->name, &device->net, err);
}

int run_plug(struct run *run, const char *name, bool net, struct json_object *properties,
	     struct error *err)
{
	_cleanup_(cleanup_free_device_) struct run_device *device = calloc(1, sizeof(*device));
	int r;

	if (device)
		device->name = strdup(name);
	if (!device || !device->name) {
		json_object_put(properties);
		return error_set_errno(err, ENOMEM, "%s", name);
	}
	device->properties = properties;
	r = net ? plug_net(run, device, err) : plug_disk(run, device, err);
	if (r < 0)
		return r;
	device->next = run->devices;
	run->devices = steal_ptr(&device);
	return 0;
}

void run_forget_device(struct run *run, const char *name)
{
	struct run_device **at = &run->devices;

	while (*at) {
		struct run_device *device = *at;

		if (name && strcmp(device->name, name) != 0) {
			at = &device->next;
			continue;
		}
		*at = device->next;
		free_device(device);
	}
}
