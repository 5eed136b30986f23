/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask what a machine is. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "qmp_commands.h"

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
const struct qmp_type qmp_version_info = {
	.kind = QMP_OBJECT, .name = "VersionInfo", .members = version_members};

static const struct qmp_member name_member[] = {{.name = "name", .type = &qmp_string}, {0}};
static const struct qmp_type command_info = {
	.kind = QMP_OBJECT, .name = "CommandInfo", .members = name_member};
const struct qmp_type qmp_command_list = {
	.kind = QMP_ARRAY, .name = "[CommandInfo]", .element = &command_info};
const struct qmp_type qmp_any_list = {.kind = QMP_ARRAY, .name = "[any]", .element = &qmp_any};

static const char *const run_states[] = {"running",   "paused",   "prelaunch",
					 "suspended", "shutdown", NULL};
static const struct qmp_type run_state = {
	.kind = QMP_ENUM, .name = "RunState", .values = run_states};
static const struct qmp_member status_members[] = {
	{.name = "running", .type = &qmp_bool},
	{.name = "status", .type = &run_state},
	{0},
};
const struct qmp_type qmp_status_info = {
	.kind = QMP_OBJECT, .name = "StatusInfo", .members = status_members};

static const struct qmp_member kvm_members[] = {
	{.name = "enabled", .type = &qmp_bool},
	{.name = "present", .type = &qmp_bool},
	{0},
};
const struct qmp_type qmp_kvm_info = {
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
const struct qmp_type qmp_cpu_list = {
	.kind = QMP_ARRAY, .name = "[CpuInfoFast]", .element = &cpu_info};

static const struct qmp_member inspect_members[] = {
	{.name = "status", .type = &run_state},
	{.name = "pid", .type = &qmp_int, .help = "of the machine's process"},
	{.name = "ready", .type = &qmp_bool, .help = "whether the guest is up, as --ready says"},
	{.name = "restarts", .type = &qmp_int, .help = "of the machine by --restart"},
	{.name = "uptime", .type = &qmp_int, .help = "seconds since that began"},
	{.name = "config", .type = &qmp_any, .help = "as `armlet run --dry-run` prints it"},
	{0},
};
const struct qmp_type qmp_inspect_info = {
	.kind = QMP_OBJECT, .name = "InspectInfo", .members = inspect_members};

/* Queries. */

int qmp_query_version(struct qmp_call *call)
{
	call->answer = qmp_version();
	return 0;
}

int qmp_query_commands(struct qmp_call *call)
{
	call->answer = qmp_schema_commands(&qmp_machine_schema);
	return 0;
}

int qmp_query_schema(struct qmp_call *call)
{
	call->answer = qmp_schema_describe(&qmp_machine_schema);
	return 0;
}

static const char *run_state_of(struct qmp_call *call)
{
	const struct machine *machine = qmp_machine_of(call);

	if (!machine)
		return "shutdown";
	if (machine_paused(machine))
		return machine_prelaunch(machine) ? "prelaunch" : "paused";
	return machine_suspended(machine) ? "suspended" : "running";
}

int qmp_query_status(struct qmp_call *call)
{
	const char *state = run_state_of(call);

	call->answer = json_object_new_object();
	qmp_add_bool(call->answer, "running", !strcmp(state, "running"));
	qmp_add_string(call->answer, "status", state);
	return 0;
}

int qmp_query_kvm(struct qmp_call *call)
{
	call->answer = json_object_new_object();
	qmp_add_bool(call->answer, "enabled", true);
	qmp_add_bool(call->answer, "present", true);
	return 0;
}

const char *qmp_cpu_path(uint32_t index, char path[static QMP_CPU_PATH_MAX])
{
	snprintf(path, QMP_CPU_PATH_MAX, "/machine/cpu[%u]", index);
	return path;
}

int qmp_query_cpus(struct qmp_call *call)
{
	call->answer = json_object_new_array();
	for (uint32_t i = 0; i < qmp_server_of(call)->options.config->cpus; i++) {
		struct json_object *cpu = json_object_new_object();
		char path[QMP_CPU_PATH_MAX];

		qmp_add_int(cpu, "cpu-index", i);
		qmp_add_string(cpu, "qom-path", qmp_cpu_path(i, path));
		json_object_object_add(
			cpu, "thread-id",
			json_object_new_int(machine_vcpu_thread(qmp_machine_of(call), i)));
		qmp_add_string(cpu, "target", targets[0]);
		json_object_array_add(call->answer, cpu);
	}
	return 0;
}

int qmp_inspect(struct qmp_call *call)
{
	const struct qmp_server *server = qmp_server_of(call);
	const struct qmp_options *options = &server->options;

	call->answer = json_object_new_object();
	qmp_add_string(call->answer, "status", run_state_of(call));
	qmp_add_bool(call->answer, "ready", server->ready);
	qmp_add_int(call->answer, "restarts", server->restarts);
	qmp_add_int(call->answer, "pid", getpid());
	qmp_add_int(call->answer, "uptime", qmp_server_uptime(server));
	json_object_object_add(call->answer, "config", options->describe(options->data));
	return 0;
}
