/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands and events of a machine. Where QMP has one, its name, arguments and
 * answer are QMP's.
 */
#include <stdio.h>
#include <unistd.h>

#include "qmp_private.h"

static struct qmp_server *server_of(const struct qmp_call *call)
{
	return call->context;
}

static struct machine *machine_of(const struct qmp_call *call)
{
	return server_of(call)->options.machine;
}

static struct json_object *string(const char *value)
{
	return json_object_new_string(value);
}

/* Answers. */

static const struct qmp_member version_numbers[] = {
	{.name = "major", .type = &qmp_int},
	{.name = "minor", .type = &qmp_int},
	{.name = "micro", .type = &qmp_int},
	{0},
};
static const struct qmp_type version_triple = {
	.kind = QMP_OBJECT, .name = "VersionTriple", .members = version_numbers};
static const struct qmp_member version_members[] = {
	{.name = "qemu",
	 .type = &version_triple,
	 .help = "of armlet; clients know it by this name"},
	{.name = "package", .type = &qmp_string},
	{0},
};
static const struct qmp_type version_info = {
	.kind = QMP_OBJECT, .name = "VersionInfo", .members = version_members};

static const struct qmp_member name_member[] = {{.name = "name", .type = &qmp_string}, {0}};
static const struct qmp_type command_info = {
	.kind = QMP_OBJECT, .name = "CommandInfo", .members = name_member};
static const struct qmp_type command_list = {
	.kind = QMP_ARRAY, .name = "[CommandInfo]", .element = &command_info};
static const struct qmp_type any_list = {.kind = QMP_ARRAY, .name = "[any]", .element = &qmp_any};

static const char *const run_states[] = {"running", "paused", NULL};
static const struct qmp_type run_state = {
	.kind = QMP_ENUM, .name = "RunState", .values = run_states};
static const struct qmp_member status_members[] = {
	{.name = "running", .type = &qmp_bool},
	{.name = "status", .type = &run_state},
	{0},
};
static const struct qmp_type status_info = {
	.kind = QMP_OBJECT, .name = "StatusInfo", .members = status_members};

static const struct qmp_member kvm_members[] = {
	{.name = "enabled", .type = &qmp_bool},
	{.name = "present", .type = &qmp_bool},
	{0},
};
static const struct qmp_type kvm_info = {
	.kind = QMP_OBJECT, .name = "KvmInfo", .members = kvm_members};

static const char *const targets[] = {"aarch64", NULL};
static const struct qmp_type target = {.kind = QMP_ENUM, .name = "SysEmuTarget", .values = targets};
static const struct qmp_member cpu_members[] = {
	{.name = "cpu-index", .type = &qmp_int},
	{.name = "qom-path", .type = &qmp_string},
	{.name = "thread-id", .type = &qmp_int, .help = "as gettid(2); 0: it has ended"},
	{.name = "target", .type = &target},
	{0},
};
static const struct qmp_type cpu_info = {
	.kind = QMP_OBJECT, .name = "CpuInfoFast", .members = cpu_members};
static const struct qmp_type cpu_list = {
	.kind = QMP_ARRAY, .name = "[CpuInfoFast]", .element = &cpu_info};

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
static const struct qmp_type block_list = {
	.kind = QMP_ARRAY, .name = "[BlockInfo]", .element = &block_info};

static const struct qmp_member inspect_members[] = {
	{.name = "status", .type = &run_state},
	{.name = "pid", .type = &qmp_int, .help = "of the machine's process"},
	{.name = "uptime", .type = &qmp_int, .help = "seconds since that began"},
	{.name = "config", .type = &qmp_any, .help = "as `armlet run --dry-run` prints it"},
	{0},
};
static const struct qmp_type inspect_info = {
	.kind = QMP_OBJECT, .name = "InspectInfo", .members = inspect_members};

static const struct qmp_member balloon_members[] = {
	{.name = "actual", .type = &qmp_int, .help = "bytes of memory that the guest has"},
	{0},
};
static const struct qmp_type balloon_info = {
	.kind = QMP_OBJECT, .name = "BalloonInfo", .members = balloon_members};

/* Queries. */

static int query_version(struct qmp_call *call)
{
	call->answer = qmp_version();
	return 0;
}

static int query_commands(struct qmp_call *call)
{
	call->answer = qmp_schema_commands(&qmp_machine_schema);
	return 0;
}

static int query_schema(struct qmp_call *call)
{
	call->answer = qmp_schema_describe(&qmp_machine_schema);
	return 0;
}

static int query_status(struct qmp_call *call)
{
	bool paused = machine_paused(machine_of(call));

	call->answer = json_object_new_object();
	json_object_object_add(call->answer, "running", json_object_new_boolean(!paused));
	json_object_object_add(call->answer, "status", string(paused ? "paused" : "running"));
	return 0;
}

static int query_kvm(struct qmp_call *call)
{
	call->answer = json_object_new_object();
	json_object_object_add(call->answer, "enabled", json_object_new_boolean(true));
	json_object_object_add(call->answer, "present", json_object_new_boolean(true));
	return 0;
}

static int query_cpus(struct qmp_call *call)
{
	call->answer = json_object_new_array();
	for (uint32_t i = 0; i < server_of(call)->options.config->cpus; i++) {
		struct json_object *cpu = json_object_new_object();
		char path[32];

		snprintf(path, sizeof(path), "/machine/cpu[%u]", i);
		json_object_object_add(cpu, "cpu-index", json_object_new_int64(i));
		json_object_object_add(cpu, "qom-path", string(path));
		json_object_object_add(
			cpu, "thread-id",
			json_object_new_int(machine_vcpu_thread(machine_of(call), i)));
		json_object_object_add(cpu, "target", string(targets[0]));
		json_object_array_add(call->answer, cpu);
	}
	return 0;
}

static int inspect(struct qmp_call *call)
{
	const struct qmp_options *options = &server_of(call)->options;
	bool paused = machine_paused(options->machine);

	call->answer = json_object_new_object();
	json_object_object_add(call->answer, "status", string(paused ? "paused" : "running"));
	json_object_object_add(call->answer, "pid", json_object_new_int(getpid()));
	json_object_object_add(call->answer, "uptime",
			       json_object_new_int64(qmp_server_uptime(server_of(call))));
	json_object_object_add(call->answer, "config", options->describe(options->data));
	return 0;
}

static void add_string(struct json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, string(value));
}

static struct json_object *block_object(const struct machine_disk_info *disk)
{
	const char *format = disk->info->format ? disk->info->format : "raw";
	struct json_object *block = json_object_new_object();
	struct json_object *inserted = json_object_new_object();
	struct json_object *image = json_object_new_object();

	add_string(image, "filename", disk->config->file);
	add_string(image, "format", format);
	json_object_object_add(image, "virtual-size",
			       json_object_new_int64((int64_t)disk->info->size));
	add_string(inserted, "file", disk->config->file);
	json_object_object_add(inserted, "ro", json_object_new_boolean(disk->info->read_only));
	add_string(inserted, "drv", format);
	json_object_object_add(inserted, "image", image);
	add_string(block, "device", disk->name);
	add_string(block, "type", "unknown");
	json_object_object_add(block, "removable", json_object_new_boolean(false));
	json_object_object_add(block, "locked", json_object_new_boolean(false));
	json_object_object_add(block, "inserted", inserted);
	return block;
}

static int query_block(struct qmp_call *call)
{
	struct machine_disk_info disk;

	call->answer = json_object_new_array();
	for (size_t i = 0; machine_disk(machine_of(call), i, &disk); i++)
		json_object_array_add(call->answer, block_object(&disk));
	return 0;
}

static int no_balloon(struct qmp_call *call)
{
	return qmp_fail(call, QMP_DEVICE_NOT_ACTIVE,
			"No balloon device has been activated: the machine is to be started with "
			"--balloon, and its guest needs the driver");
}

static int query_balloon(struct qmp_call *call)
{
	uint64_t size;

	if (!machine_memory(machine_of(call), &size))
		return no_balloon(call);
	call->answer = json_object_new_object();
	json_object_object_add(call->answer, "actual", json_object_new_int64((int64_t)size));
	return 0;
}

/* What changes something. */

/* What it does is the connection's (qmp_client.c). */
static int capabilities(struct qmp_call *call)
{
	(void)call;
	return 0;
}

static int stop(struct qmp_call *call)
{
	machine_pause(machine_of(call));
	return 0;
}

static int cont(struct qmp_call *call)
{
	machine_resume(machine_of(call));
	return 0;
}

static int system_powerdown(struct qmp_call *call)
{
	machine_press_power_key(machine_of(call));
	return 0;
}

static int system_reset(struct qmp_call *call)
{
	machine_reset(machine_of(call));
	return 0;
}

static int quit(struct qmp_call *call)
{
	const struct qmp_options *options = &server_of(call)->options;

	options->quit(options->data);
	return 0;
}

static const struct qmp_member balloon_arguments[] = {
	{.name = "value",
	 .type = &qmp_int,
	 .min = 1,
	 .max = INT64_MAX,
	 .help = "bytes of memory that the guest is to have"},
	{0},
};

static int balloon(struct qmp_call *call)
{
	uint64_t size = (uint64_t)qmp_argument_int(call, "value", 0);

	return machine_set_memory(machine_of(call), size) ? 0 : no_balloon(call);
}

static const struct qmp_member resize_arguments[] = {
	{.name = "device", .type = &qmp_string, .help = "as query-block tells: disk0, ..."},
	{.name = "size", .type = &qmp_size, .help = "bytes"},
	{0},
};

/* What @r of the machine comes to. */
static int told(struct qmp_call *call, int r, const struct error *err)
{
	if (r >= 0)
		return 0;
	return qmp_fail(call, r == -ENODEV ? QMP_DEVICE_NOT_FOUND : QMP_GENERIC_ERROR, "%s",
			err->text);
}

static int block_resize(struct qmp_call *call)
{
	uint64_t size = (uint64_t)qmp_argument_int(call, "size", 0);
	struct error err = {0};
	int r = machine_resize_disk(machine_of(call), qmp_argument_string(call, "device"), size,
				    &err);

	return told(call, r, &err);
}

static const struct qmp_member link_arguments[] = {
	{.name = "name", .type = &qmp_string, .help = "of the network: net0, ..."},
	{.name = "up", .type = &qmp_bool},
	{0},
};

static int set_link(struct qmp_call *call)
{
	struct error err = {0};
	int r = machine_set_link(machine_of(call), qmp_argument_string(call, "name"),
				 qmp_argument_bool(call, "up", false), &err);

	return told(call, r, &err);
}

/* The tables. */

static const struct qmp_command commands[] = {
	{.name = "qmp_capabilities",
	 .run = capabilities,
	 .help = "begin: nothing else is answered before"},
	{.name = "query-version",
	 .run = query_version,
	 .returns = &version_info,
	 .help = "which armlet this is"},
	{.name = "query-commands",
	 .run = query_commands,
	 .returns = &command_list,
	 .help = "the names of all commands"},
	{.name = "query-qmp-schema",
	 .run = query_schema,
	 .returns = &any_list,
	 .help = "all commands and events with their types"},
	{.name = "query-status",
	 .run = query_status,
	 .returns = &status_info,
	 .help = "whether the machine runs or is paused"},
	{.name = "query-kvm",
	 .run = query_kvm,
	 .returns = &kvm_info,
	 .help = "whether KVM is used: it always is"},
	{.name = "query-cpus-fast",
	 .run = query_cpus,
	 .returns = &cpu_list,
	 .help = "the vCPUs and their threads"},
	{.name = "query-balloon",
	 .run = query_balloon,
	 .returns = &balloon_info,
	 .help = "how much memory the guest has, as it says"},
	{.name = "query-block", .run = query_block, .returns = &block_list, .help = "the disks"},
	{.name = "inspect",
	 .run = inspect,
	 .returns = &inspect_info,
	 .help = "the machine's process and configuration"},
	{.name = "stop", .run = stop, .help = "pause the machine"},
	{.name = "cont", .run = cont, .help = "let a paused machine go on"},
	{.name = "system_powerdown",
	 .run = system_powerdown,
	 .help = "press the power key; what comes of it is the guest's to decide"},
	{.name = "system_reset",
	 .run = system_reset,
	 .help = "reset the machine without asking the guest; with --no-reboot it ends"},
	{.name = "quit", .run = quit, .help = "end the machine now, without asking the guest"},
	{.name = "balloon",
	 .run = balloon,
	 .arguments = balloon_arguments,
	 .help = "ask the guest to give back memory, or to have it again"},
	{.name = "block_resize",
	 .run = block_resize,
	 .arguments = resize_arguments,
	 .help = "give a disk that is a raw file another size, which the guest sees at once"},
	{.name = "set_link",
	 .run = set_link,
	 .arguments = link_arguments,
	 .help = "pull the cable of a network, or put it in again"},
	{0},
};

static const struct qmp_member cause_members[] = {
	{.name = "guest", .type = &qmp_bool, .help = "whether the guest wanted it"},
	{.name = "reason", .type = &qmp_string, .help = "as QMP's ShutdownCause"},
	{0},
};
static const struct qmp_member shutdown_members[] = {
	{.name = "guest", .type = &qmp_bool, .help = "whether the guest wanted it"},
	{.name = "reason", .type = &qmp_string, .help = "as QMP's ShutdownCause"},
	{.name = "exit-status", .type = &qmp_int, .help = "of the machine's process"},
	{0},
};
static const struct qmp_member panic_members[] = {{.name = "action", .type = &qmp_string}, {0}};

static const struct qmp_event events[] = {
	{.name = "STOP", .help = "the machine is paused"},
	{.name = "RESUME", .help = "it goes on"},
	{.name = "POWERDOWN", .help = "the power key was pressed"},
	{.name = "RESET", .members = cause_members, .help = "the guest boots anew"},
	{.name = "GUEST_PANICKED",
	 .members = panic_members,
	 .help = "the guest's kernel panicked, and the boot has ended"},
	{.name = "SHUTDOWN",
	 .members = shutdown_members,
	 .help = "the machine has ended; nothing comes after it"},
	{0},
};

const struct qmp_schema qmp_machine_schema = {.commands = commands, .events = events};
