/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about a machine's devices. */
#include <stdio.h>

#include "qmp_commands.h"

static const struct qmp_member image_members[] = {
	{.name = "filename", .type = &qmp_string},
	{.name = "format", .type = &qmp_string, .help = "raw, nbd, or what qemu-nbd calls it"},
	{.name = "virtual-size", .type = &qmp_int, .help = "bytes"},
	{0},
};
static const struct qmp_type image_info = {
	.kind = QMP_OBJECT, .name = "ImageInfo", .members = image_members};
static const struct qmp_member inserted_members[] = {
	{.name = "file", .type = &qmp_string},
	{.name = "ro", .type = &qmp_bool},
	{.name = "drv", .type = &qmp_string},
	{.name = "image", .type = &image_info},
	{0},
};
static const struct qmp_type inserted_info = {
	.kind = QMP_OBJECT, .name = "BlockDeviceInfo", .members = inserted_members};
static const struct qmp_member block_members[] = {
	{.name = "device", .type = &qmp_string, .help = "what block_resize calls it"},
	{.name = "type", .type = &qmp_string},
	{.name = "removable", .type = &qmp_bool},
	{.name = "locked", .type = &qmp_bool},
	{.name = "inserted", .type = &inserted_info},
	{0},
};
static const struct qmp_type block_info = {
	.kind = QMP_OBJECT, .name = "BlockInfo", .members = block_members};
const struct qmp_type qmp_block_list = {
	.kind = QMP_ARRAY, .name = "[BlockInfo]", .element = &block_info};

static const struct qmp_member balloon_members[] = {
	{.name = "actual", .type = &qmp_int, .help = "bytes of memory that the guest has"},
	{0},
};
const struct qmp_type qmp_balloon_info = {
	.kind = QMP_OBJECT, .name = "BalloonInfo", .members = balloon_members};

static struct json_object *block_object(const struct machine_disk_info *disk)
{
	const char *format = disk->info->format ? disk->info->format : "raw";
	struct json_object *block = json_object_new_object();
	struct json_object *inserted = json_object_new_object();
	struct json_object *image = json_object_new_object();

	qmp_add_string(image, "filename", disk->config->file);
	qmp_add_string(image, "format", format);
	qmp_add_int(image, "virtual-size", (int64_t)disk->info->size);
	qmp_add_string(inserted, "file", disk->config->file);
	qmp_add_bool(inserted, "ro", disk->info->read_only);
	qmp_add_string(inserted, "drv", format);
	json_object_object_add(inserted, "image", image);
	qmp_add_string(block, "device", disk->name);
	qmp_add_string(block, "type", "unknown");
	qmp_add_bool(block, "removable", false);
	qmp_add_bool(block, "locked", false);
	json_object_object_add(block, "inserted", inserted);
	return block;
}

int qmp_query_block(struct qmp_call *call)
{
	struct machine_disk_info disk;

	call->answer = json_object_new_array();
	for (size_t i = 0; machine_disk(qmp_machine_of(call), i, &disk); i++)
		json_object_array_add(call->answer, block_object(&disk));
	return 0;
}

static int no_balloon(struct qmp_call *call)
{
	return qmp_fail(call, QMP_DEVICE_NOT_ACTIVE,
			"No balloon device has been activated: the machine is to be started with "
			"--balloon, and its guest needs the driver");
}

int qmp_query_balloon(struct qmp_call *call)
{
	uint64_t size;

	if (!machine_memory(qmp_machine_of(call), &size))
		return no_balloon(call);
	call->answer = json_object_new_object();
	qmp_add_int(call->answer, "actual", (int64_t)size);
	return 0;
}

const struct qmp_member qmp_balloon_arguments[] = {
	{.name = "value",
	 .type = &qmp_int,
	 .min = 1,
	 .max = INT64_MAX,
	 .help = "bytes of memory that the guest is to have"},
	{0},
};

int qmp_balloon(struct qmp_call *call)
{
	uint64_t size = (uint64_t)qmp_argument_int(call, "value", 0);

	return machine_set_memory(qmp_machine_of(call), size) ? 0 : no_balloon(call);
}

const struct qmp_member qmp_resize_arguments[] = {
	{.name = "device", .type = &qmp_string, .help = "as query-block tells: disk0, ..."},
	{.name = "size", .type = &qmp_size, .help = "bytes"},
	{0},
};

int qmp_block_resize(struct qmp_call *call)
{
	uint64_t size = (uint64_t)qmp_argument_int(call, "size", 0);
	struct error err = {0};
	int r = machine_resize_disk(qmp_machine_of(call), qmp_argument_string(call, "device"), size,
				    &err);

	return qmp_told(call, r, &err);
}

const struct qmp_member qmp_link_arguments[] = {
	{.name = "name", .type = &qmp_string, .help = "of the network: net0, ..."},
	{.name = "up", .type = &qmp_bool},
	{0},
};

int qmp_set_link(struct qmp_call *call)
{
	struct error err = {0};
	int r = machine_set_link(qmp_machine_of(call), qmp_argument_string(call, "name"),
				 qmp_argument_bool(call, "up", false), &err);

	return qmp_told(call, r, &err);
}

/* query-chardev. */

static const struct qmp_member chardev_members[] = {
	{.name = "label", .type = &qmp_string},
	{.name = "filename", .type = &qmp_string, .help = "what is at the other end"},
	{.name = "frontend-open", .type = &qmp_bool, .help = "whether the guest listens"},
	{0},
};
static const struct qmp_type chardev_info = {
	.kind = QMP_OBJECT, .name = "ChardevInfo", .members = chardev_members};
const struct qmp_type qmp_chardev_list = {
	.kind = QMP_ARRAY, .name = "[ChardevInfo]", .element = &chardev_info};

static void add_chardev(struct json_object *list, const char *label, const char *filename,
			bool open)
{
	struct json_object *chardev = json_object_new_object();

	qmp_add_string(chardev, "label", label);
	qmp_add_string(chardev, "filename", filename);
	qmp_add_bool(chardev, "frontend-open", open);
	json_object_array_add(list, chardev);
}

int qmp_query_chardev(struct qmp_call *call)
{
	const char *console = qmp_server_of(call)->options.console;
	struct machine_chardev_info info;
	_cleanup_free_ char *path = NULL;

	if (console && asprintf(&path, "unix:%s", console) < 0)
		path = NULL;
	call->answer = json_object_new_array();
	add_chardev(call->answer, "serial0", path ? path : "stdio", true);
	for (size_t i = 0; machine_chardev(qmp_machine_of(call), i, &info); i++)
		add_chardev(call->answer, info.name, info.where, info.open);
	return 0;
}
