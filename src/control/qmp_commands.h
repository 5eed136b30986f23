/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind the rows of the table of commands (qmp_machine.c): the functions,
 * their arguments, and the types of their answers. Each is as its row's help says.
 */
#ifndef ARMLET_CONTROL_QMP_COMMANDS_H
#define ARMLET_CONTROL_QMP_COMMANDS_H

#include "qmp_private.h"

static inline struct qmp_server *qmp_server_of(const struct qmp_call *call)
{
	return call->context;
}

/* Not NULL, but for commands that are always performed. */
static inline struct machine *qmp_machine_of(const struct qmp_call *call)
{
	return qmp_server_of(call)->machine;
}

/* Add a member to an answer. */
void qmp_add_string(struct json_object *object, const char *name, const char *value);
void qmp_add_int(struct json_object *object, const char *name, int64_t value);
void qmp_add_hex(struct json_object *object, const char *name, uint64_t value); /* "0x..." */
void qmp_add_bool(struct json_object *object, const char *name, bool value);

/* @r of something that the machine did, as the command's own. */
int qmp_told(struct qmp_call *call, int r, const struct error *err);

/* qmp_queries.c: what the machine is. */
extern const struct qmp_type qmp_version_info, qmp_command_list, qmp_any_list, qmp_status_info,
	qmp_kvm_info, qmp_cpu_list, qmp_inspect_info;
int qmp_query_version(struct qmp_call *call);
int qmp_query_commands(struct qmp_call *call);
int qmp_query_schema(struct qmp_call *call);
int qmp_query_status(struct qmp_call *call);
int qmp_query_kvm(struct qmp_call *call);
int qmp_query_cpus(struct qmp_call *call);
int qmp_inspect(struct qmp_call *call);

/* What query-cpus-fast and query-stats call vCPU @index; returns @path. */
#define QMP_CPU_PATH_MAX 32
const char *qmp_cpu_path(uint32_t index, char path[static QMP_CPU_PATH_MAX]);

/* qmp_devices.c: its devices. */
extern const struct qmp_type qmp_block_list, qmp_balloon_info, qmp_chardev_list;
extern const struct qmp_member qmp_balloon_arguments[], qmp_resize_arguments[],
	qmp_link_arguments[];
int qmp_query_block(struct qmp_call *call);
int qmp_query_balloon(struct qmp_call *call);
int qmp_balloon(struct qmp_call *call);
int qmp_block_resize(struct qmp_call *call);
int qmp_set_link(struct qmp_call *call);
int qmp_query_chardev(struct qmp_call *call);

/* qmp_slots.c: devices that come and go. */
extern const struct qmp_type qmp_slot_list;
extern const struct qmp_member qmp_add_arguments[], qmp_del_arguments[], qmp_device_deleted[];
int qmp_device_add(struct qmp_call *call);
int qmp_device_del(struct qmp_call *call);
int qmp_query_slots(struct qmp_call *call);

/* The data of DEVICE_DELETED. */
struct json_object *qmp_deleted_event(const struct machine *machine);

/* qmp_psci.c: CPUs that are turned on and off. */
extern const struct qmp_type qmp_psci_info;
extern const struct qmp_member qmp_present_arguments[];
int qmp_query_psci(struct qmp_call *call);
int qmp_set_cpu_present(struct qmp_call *call);

/* qmp_publish.c: ports of the guest on the host. */
extern const struct qmp_type qmp_published_list;
extern const struct qmp_member qmp_publish_arguments[];
int qmp_publish(struct qmp_call *call);
int qmp_unpublish(struct qmp_call *call);
int qmp_query_published(struct qmp_call *call);

/* qmp_stats.c, qmp_blockstats.c: what is counted of it. */
extern const struct qmp_type qmp_stats_result_list, qmp_stats_schema_list, qmp_blockstats_list;
extern const struct qmp_member qmp_stats_arguments[], qmp_stats_schemas_arguments[];
int qmp_query_stats(struct qmp_call *call);
int qmp_query_stats_schemas(struct qmp_call *call);
int qmp_query_blockstats(struct qmp_call *call);

/* qmp_gdb.c: gdb is let in. */
extern const struct qmp_type qmp_gdb_info;
extern const struct qmp_member qmp_gdb_arguments[];
int qmp_gdbserver(struct qmp_call *call);

/* qmp_look.c: what is seen of it from outside. */
extern const struct qmp_member qmp_translate_arguments[], qmp_registers_arguments[];
int qmp_translate(struct qmp_call *call);
int qmp_registers(struct qmp_call *call);
int qmp_timers(struct qmp_call *call);
int qmp_gic(struct qmp_call *call);
int qmp_inspect_devices(struct qmp_call *call);
int qmp_inspect_memory(struct qmp_call *call);

/* qmp_trace.c: what leaves the guest. */
extern const struct qmp_member qmp_trace_arguments[], qmp_query_trace_arguments[];
int qmp_trace_start(struct qmp_call *call);
int qmp_trace_stop(struct qmp_call *call);
int qmp_query_trace(struct qmp_call *call);

/* qmp_fds.c: descriptors that clients hand over. */
extern const struct qmp_member qmp_fd_arguments[];
int qmp_getfd(struct qmp_call *call);
int qmp_closefd(struct qmp_call *call);
int qmp_take_named_fd(struct qmp_call *call, const char *name); /* the caller's; else it fails */
void qmp_forget_fds(struct qmp_server *server);

/* qmp_dump.c: the guest's memory as a file. */
extern const struct qmp_type qmp_dump_result, qmp_dump_capability;
extern const struct qmp_member qmp_dump_arguments[], qmp_dump_progress[], qmp_dump_completed[];
int qmp_query_dump(struct qmp_call *call);
int qmp_query_dump_capability(struct qmp_call *call);
int qmp_dump(struct qmp_call *call);
int qmp_dump_cancel(struct qmp_call *call);

/* The data of DUMP_COMPLETED, or DUMP_PROGRESS; and the answer to who waits for the end. */
struct json_object *qmp_dump_event(const struct machine *machine, bool ended);
void qmp_dump_answer(struct qmp_server *server);

#endif
