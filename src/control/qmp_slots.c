/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about devices that come and go while the machine runs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/slots.h"
#include "qmp_commands.h"

/* As QEMU calls those of virtio-mmio. */
#define DRIVER_DISK "virtio-blk-device"
#define DRIVER_NET  "virtio-net-device"

static const char *const drivers[] = {DRIVER_DISK, DRIVER_NET, NULL};
static const struct qmp_type driver_type = {
	.kind = QMP_ENUM, .name = "SlotDriver", .values = drivers};

const struct qmp_member qmp_add_arguments[] = {
	{.name = "driver", .type = &driver_type, .help = "a disk, or a network"},
	{.name = "id", .type = &qmp_string, .help = "what the device is called from now on"},
	{0},
};

const struct qmp_member qmp_del_arguments[] = {
	{.name = "id", .type = &qmp_string, .help = "as device_add was told"},
	{0},
};

/* The arguments that are none of the table's. */
static struct json_object *properties_of(const struct qmp_call *call)
{
	struct json_object *properties = json_object_new_object();

	json_object_object_foreach((struct json_object *)call->arguments, name, value)
	{
		if (strcmp(name, "driver") != 0 && strcmp(name, "id") != 0)
			json_object_object_add(properties, name, json_object_get(value));
	}
	return properties;
}

int qmp_device_add(struct qmp_call *call)
{
	const struct qmp_options *options = &qmp_server_of(call)->options;
	bool net = !strcmp(qmp_argument_string(call, "driver"), DRIVER_NET);
	struct error err = {0};
	int r = options->plug(options->data, qmp_argument_string(call, "id"), net,
			      properties_of(call), &err);

	/* That there is no file behind it, or no interface, is no matter of names here. */
	return r < 0 ? qmp_fail(call, QMP_GENERIC_ERROR, "%s", err.text) : 0;
}

int qmp_device_del(struct qmp_call *call)
{
	struct error err = {0};
	int r = machine_unplug(qmp_machine_of(call), qmp_argument_string(call, "id"), &err);

	return qmp_told(call, r, &err);
}

/* query-slots. */

static const struct qmp_member slot_members[] = {
	{.name = "guest-name",
	 .type = &qmp_string,
	 .help = "what Linux calls the slot in /sys/bus/platform/devices"},
	{.name = "device",
	 .type = &qmp_string,
	 .optional = true,
	 .help = "what is in it; if not there, nothing is"},
	{.name = "in-use",
	 .type = &qmp_bool,
	 .help = "whether a driver of the guest works with it"},
	{.name = "leaving", .type = &qmp_bool, .help = "whether it goes when that lets go of it"},
	{0},
};
static const struct qmp_type slot_info = {
	.kind = QMP_OBJECT, .name = "SlotInfo", .members = slot_members};
const struct qmp_type qmp_slot_list = {
	.kind = QMP_ARRAY, .name = "[SlotInfo]", .element = &slot_info};

int qmp_query_slots(struct qmp_call *call)
{
	struct machine_slot_info info;

	call->answer = json_object_new_array();
	for (size_t i = 0; machine_slot(qmp_machine_of(call), i, &info); i++) {
		struct json_object *slot = json_object_new_object();
		char name[64];

		snprintf(name, sizeof(name), "%" PRIx64 ".virtio_mmio", info.base);
		qmp_add_string(slot, "guest-name", name);
		if (info.device)
			qmp_add_string(slot, "device", info.device);
		qmp_add_bool(slot, "in-use", info.in_use);
		qmp_add_bool(slot, "leaving", info.leaving);
		json_object_array_add(call->answer, slot);
	}
	return 0;
}

/* DEVICE_DELETED. */

const struct qmp_member qmp_device_deleted[] = {
	{.name = "device", .type = &qmp_string, .help = "as device_add was told"},
	{.name = "path", .type = &qmp_string, .help = "/machine/peripheral/ and that"},
	{0},
};

struct json_object *qmp_deleted_event(const struct machine *machine)
{
	const char *name = machine_leaving_device(machine);
	struct json_object *data = json_object_new_object();
	char path[MACHINE_NAME_MAX + 32];

	snprintf(path, sizeof(path), "/machine/peripheral/%s", name);
	qmp_add_string(data, "device", name);
	qmp_add_string(data, "path", path);
	return data;
}
