/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands and events of a machine. Where QMP has one, its name, arguments and
 * answer are QMP's.
 */
#include <inttypes.h>
#include <stdio.h>

#include "machine/dump.h"
#include "qmp_commands.h"

void qmp_add_string(struct json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, json_object_new_string(value));
}

void qmp_add_int(struct json_object *object, const char *name, int64_t value)
{
	json_object_object_add(object, name, json_object_new_int64(value));
}

void qmp_add_hex(struct json_object *object, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	qmp_add_string(object, name, text);
}

void qmp_add_bool(struct json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

int qmp_told(struct qmp_call *call, int r, const struct error *err)
{
	if (r >= 0)
		return 0;
	return qmp_fail(call, r == -ENODEV ? QMP_DEVICE_NOT_FOUND : QMP_GENERIC_ERROR, "%s",
			err->text);
}

/* The machine's life. */

/* What it does is the connection's (qmp_client.c). */
static int capabilities(struct qmp_call *call)
{
	(void)call;
	return 0;
}

static int stop(struct qmp_call *call)
{
	machine_pause(qmp_machine_of(call));
	return 0;
}

/* Between two lives nothing is paused. */
static int cont(struct qmp_call *call)
{
	struct machine_dump_status dump;

	if (!qmp_machine_of(call))
		return 0;
	machine_dump_status(qmp_machine_of(call), &dump);
	if (dump.state == MACHINE_DUMP_ACTIVE)
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"There is a dump in process: the machine goes on when it has "
				"ended, or dump-cancel was given");
	machine_resume(qmp_machine_of(call));
	return 0;
}

static int system_powerdown(struct qmp_call *call)
{
	const struct qmp_options *options = &qmp_server_of(call)->options;

	options->powerdown(options->data);
	return 0;
}

static int system_reset(struct qmp_call *call)
{
	machine_reset(qmp_machine_of(call));
	return 0;
}

static int system_wakeup(struct qmp_call *call)
{
	struct error err = {0};

	return qmp_told(call, machine_wakeup(qmp_machine_of(call), &err), &err);
}

static int inject_nmi(struct qmp_call *call)
{
	struct error err = {0};

	return qmp_told(call, machine_inject_serror(qmp_machine_of(call), &err), &err);
}

static int quit(struct qmp_call *call)
{
	const struct qmp_options *options = &qmp_server_of(call)->options;

	options->quit(options->data);
	return 0;
}

/* The tables. */

static int check_machine(struct qmp_call *call)
{
	if (qmp_machine_of(call))
		return 0;
	return qmp_fail(call, QMP_GENERIC_ERROR,
			"The machine has ended and is about to be started again; until then there "
			"is nothing to do that to");
}

static const struct qmp_command commands[] = {
	{.name = "qmp_capabilities",
	 .run = capabilities,
	 .always = true,
	 .help = "begin: nothing else is answered before"},
	{.name = "query-version",
	 .run = qmp_query_version,
	 .always = true,
	 .returns = &qmp_version_info,
	 .help = "which armlet this is"},
	{.name = "query-commands",
	 .run = qmp_query_commands,
	 .always = true,
	 .returns = &qmp_command_list,
	 .help = "the names of all commands"},
	{.name = "query-qmp-schema",
	 .run = qmp_query_schema,
	 .always = true,
	 .returns = &qmp_any_list,
	 .help = "all commands and events with their types"},
	{.name = "query-status",
	 .run = qmp_query_status,
	 .returns = &qmp_status_info,
	 .always = true,
	 .help = "whether the machine runs, is paused, suspended by its guest, or waits for its "
		 "restart "
		 "(shutdown)"},
	{.name = "query-kvm",
	 .run = qmp_query_kvm,
	 .always = true,
	 .returns = &qmp_kvm_info,
	 .help = "whether KVM is used: it always is"},
	{.name = "query-cpus-fast",
	 .run = qmp_query_cpus,
	 .returns = &qmp_cpu_list,
	 .help = "the vCPUs and their threads"},
	{.name = "query-balloon",
	 .run = qmp_query_balloon,
	 .returns = &qmp_balloon_info,
	 .help = "how much memory the guest has, as it says"},
	{.name = "query-block",
	 .run = qmp_query_block,
	 .returns = &qmp_block_list,
	 .help = "the disks"},
	{.name = "query-blockstats",
	 .run = qmp_query_blockstats,
	 .returns = &qmp_blockstats_list,
	 .help = "what the disks have done"},
	{.name = "query-chardev",
	 .run = qmp_query_chardev,
	 .returns = &qmp_chardev_list,
	 .help = "the serial port, the virtio console and its ports"},
	{.name = "query-stats",
	 .run = qmp_query_stats,
	 .arguments = qmp_stats_arguments,
	 .returns = &qmp_stats_result_list,
	 .help = "what KVM and armlet count, of the machine or of its vCPUs"},
	{.name = "query-stats-schemas",
	 .run = qmp_query_stats_schemas,
	 .arguments = qmp_stats_schemas_arguments,
	 .returns = &qmp_stats_schema_list,
	 .help = "what query-stats may tell; a host whose KVM does not count has no provider kvm"},
	{.name = "inspect",
	 .run = qmp_inspect,
	 .always = true,
	 .returns = &qmp_inspect_info,
	 .help = "the machine's process and configuration"},
	{.name = "stop", .run = stop, .help = "pause the machine"},
	{.name = "cont", .run = cont, .always = true, .help = "let a paused machine go on"},
	{.name = "system_powerdown",
	 .run = system_powerdown,
	 .always = true,
	 .help = "press the power key; what comes of it is the guest's to decide. A machine that "
		 "waits for its restart ends"},
	{.name = "system_reset",
	 .run = system_reset,
	 .help = "reset the machine without asking the guest; with --no-reboot it ends"},
	{.name = "system_wakeup",
	 .run = system_wakeup,
	 .help = "wake a guest that has suspended itself to RAM; so does any interrupt that it has "
		 "left enabled, as of its clock's alarm and the power key"},
	{.name = "inject-nmi",
	 .run = inject_nmi,
	 .help = "an SError interrupt for the first vCPU, on which Linux panics; the power key "
		 "is system_powerdown's"},
	{.name = "quit",
	 .run = quit,
	 .always = true,
	 .help = "end the machine now, without asking the guest"},
	{.name = "balloon",
	 .run = qmp_balloon,
	 .arguments = qmp_balloon_arguments,
	 .help = "ask the guest to give back memory, or to have it again"},
	{.name = "block_resize",
	 .run = qmp_block_resize,
	 .arguments = qmp_resize_arguments,
	 .help = "give a disk that is a raw file another size, which the guest sees at once"},
	{.name = "set_link",
	 .run = qmp_set_link,
	 .arguments = qmp_link_arguments,
	 .help = "pull the cable of a network, or put it in again"},
	{.name = "publish",
	 .run = qmp_publish,
	 .arguments = qmp_publish_arguments,
	 .help = "publish another port of the guest, as --publish does; passt is started anew, so "
		 "connections that go through it are cut"},
	{.name = "unpublish",
	 .run = qmp_unpublish,
	 .arguments = qmp_publish_arguments,
	 .help = "publish it no more; likewise"},
	{.name = "query-published",
	 .run = qmp_query_published,
	 .returns = &qmp_published_list,
	 .help = "the ports that are published"},
	{.name = "device_add",
	 .run = qmp_device_add,
	 .arguments = qmp_add_arguments,
	 .open = true,
	 .help = "plug a disk or a network into a slot of --slots; further arguments are the "
		 "properties that --disk and --net have: file=..., tap=.... The guest has to bind "
		 "the slot to its driver"},
	{.name = "device_del",
	 .run = qmp_device_del,
	 .arguments = qmp_del_arguments,
	 .help = "have a device leave its slot: at once, or when the guest's driver is unbound "
		 "from it; DEVICE_DELETED tells"},
	{.name = "query-slots",
	 .run = qmp_query_slots,
	 .returns = &qmp_slot_list,
	 .help = "the slots of --slots, and what is in them"},
	{.name = "query-psci",
	 .run = qmp_query_psci,
	 .returns = &qmp_psci_info,
	 .help = "which CPUs are on, and who turned them on and off, with --psci armlet"},
	{.name = "set-cpu-present",
	 .run = qmp_set_cpu_present,
	 .arguments = qmp_present_arguments,
	 .help = "add a CPU, or take it away, with --psci armlet: from now on PSCI's CPU_ON "
		 "succeeds, or is denied. One that is on stays so until the guest turns it off, "
		 "as Linux does by its file online"},
	{.name = "inspect-translate",
	 .run = qmp_translate,
	 .arguments = qmp_translate_arguments,
	 .returns = &qmp_any,
	 .help = "where a virtual address leads to, by the guest's own tables and the host's: each "
		 "descriptor, rights, and what is there"},
	{.name = "inspect-registers",
	 .run = qmp_registers,
	 .arguments = qmp_registers_arguments,
	 .returns = &qmp_any,
	 .help = "all registers of a vCPU, which is held for a moment"},
	{.name = "inspect-timers",
	 .run = qmp_timers,
	 .returns = &qmp_any_list,
	 .help = "the timers of the vCPUs"},
	{.name = "inspect-gic",
	 .run = qmp_gic,
	 .returns = &qmp_any,
	 .help = "the interrupts, as distributor and redistributors have them"},
	{.name = "inspect-devices",
	 .run = qmp_inspect_devices,
	 .returns = &qmp_any_list,
	 .help = "the devices with all of their state"},
	{.name = "inspect-memory",
	 .run = qmp_inspect_memory,
	 .returns = &qmp_any_list,
	 .help = "what is where among the guest's physical addresses"},
	{.name = "trace-start",
	 .run = qmp_trace_start,
	 .arguments = qmp_trace_arguments,
	 .help = "count what leaves the guest, and how long that takes, and write it to a file if "
		 "one is named"},
	{.name = "trace-stop",
	 .run = qmp_trace_stop,
	 .help = "no more of it; the file is complete"},
	{.name = "query-trace",
	 .run = qmp_query_trace,
	 .arguments = qmp_query_trace_arguments,
	 .returns = &qmp_any,
	 .help = "what the present trace, or the last one, has counted: exits, registers of "
		 "devices, "
		 "interrupts, and where in the guest"},
	{.name = "gdbserver",
	 .run = qmp_gdbserver,
	 .arguments = qmp_gdb_arguments,
	 .returns = &qmp_gdb_info,
	 .help = "let gdb debug the guest, as --gdb does, from now on"},
	{.name = "getfd",
	 .run = qmp_getfd,
	 .always = true,
	 .arguments = qmp_fd_arguments,
	 .help = "give a name to the descriptor that came with this, by SCM_RIGHTS"},
	{.name = "closefd",
	 .run = qmp_closefd,
	 .always = true,
	 .arguments = qmp_fd_arguments,
	 .help = "close it"},
	{.name = "dump-guest-memory",
	 .run = qmp_dump,
	 .arguments = qmp_dump_arguments,
	 .is_long = true,
	 .help = "write memory and registers to a file for gdb and crash; the machine is paused "
		 "meanwhile, and whoever hangs up before the answer ends it"},
	{.name = "query-dump",
	 .run = qmp_query_dump,
	 .returns = &qmp_dump_result,
	 .help = "how far that is, or how the last one ended"},
	{.name = "query-dump-guest-memory-capability",
	 .run = qmp_query_dump_capability,
	 .returns = &qmp_dump_capability,
	 .help = "the formats that a dump may have"},
	{.name = "dump-cancel",
	 .run = qmp_dump_cancel,
	 .help = "end a dump that is being written; nothing of it stays"},
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
static const struct qmp_member restart_members[] = {
	{.name = "guest", .type = &qmp_bool, .help = "whether the guest wanted it"},
	{.name = "reason", .type = &qmp_string, .help = "as QMP's ShutdownCause"},
	{.name = "exit-status", .type = &qmp_int, .help = "what the process would have ended with"},
	{.name = "restarts", .type = &qmp_int, .help = "so far, with this one"},
	{.name = "delay", .type = &qmp_int, .help = "milliseconds until the machine starts"},
	{0},
};
static const struct qmp_member action_members[] = {{.name = "action", .type = &qmp_string}, {0}};

static const struct qmp_event events[] = {
	{.name = "STOP", .help = "the machine is paused"},
	{.name = "RESUME", .help = "it goes on"},
	{.name = "SUSPEND", .help = "the guest has suspended itself to RAM"},
	{.name = "WAKEUP", .help = "it goes on"},
	{.name = "POWERDOWN", .help = "the power key was pressed"},
	{.name = "GUEST_READY", .help = "the guest is up, as --ready says; in each boot"},
	{.name = "RESET", .members = cause_members, .help = "the guest boots anew"},
	{.name = "GUEST_PANICKED",
	 .members = action_members,
	 .help = "the guest's kernel panicked: told by pvpanic at once, or found on the console "
		 "when the boot has ended"},
	{.name = "GUEST_CRASHLOADED",
	 .members = action_members,
	 .help = "the guest's kernel panicked, and its crash kernel takes over (pvpanic)"},
	{.name = "GUEST_PVSHUTDOWN", .help = "the guest is powered off, as it asked by pvpanic"},
	{.name = "WATCHDOG",
	 .members = action_members,
	 .help = "a watchdog has bitten: the guest hangs, and --watchdog says what follows"},
	{.name = "DUMP_PROGRESS",
	 .members = qmp_dump_progress,
	 .help = "another twentieth of a dump is written"},
	{.name = "DUMP_COMPLETED", .members = qmp_dump_completed, .help = "a dump has ended"},
	{.name = "DEVICE_DELETED",
	 .members = qmp_device_deleted,
	 .help = "a device has left its slot"},
	{.name = "RESTART",
	 .members = restart_members,
	 .help = "the machine has ended, and is started again, as --restart says"},
	{.name = "SHUTDOWN",
	 .members = shutdown_members,
	 .help = "the machine has ended; nothing comes after it"},
	{0},
};

const struct qmp_schema qmp_machine_schema = {
	.commands = commands, .events = events, .check = check_machine};
