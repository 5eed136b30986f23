/* SPDX-License-Identifier: Apache-2.0 */
/* dump-guest-memory and what belongs to it. */
#include <string.h>

#include "machine/dump.h"
#include "qmp_commands.h"

static const char *const states[] = {
	[MACHINE_DUMP_NONE] = "none",
	[MACHINE_DUMP_ACTIVE] = "active",
	[MACHINE_DUMP_COMPLETED] = "completed",
	[MACHINE_DUMP_FAILED] = "failed",
	NULL,
};
static const struct qmp_type dump_status = {
	.kind = QMP_ENUM, .name = "DumpStatus", .values = states};
static const struct qmp_member result_members[] = {
	{.name = "status", .type = &dump_status},
	{.name = "completed", .type = &qmp_int, .help = "bytes of memory"},
	{.name = "total", .type = &qmp_int, .help = "bytes of memory"},
	{0},
};
const struct qmp_type qmp_dump_result = {
	.kind = QMP_OBJECT, .name = "DumpQueryResult", .members = result_members};

static const char *const formats[] = {"elf", NULL};
static const struct qmp_type dump_format = {
	.kind = QMP_ENUM, .name = "DumpGuestMemoryFormat", .values = formats};
static const struct qmp_type format_list = {
	.kind = QMP_ARRAY, .name = "[DumpGuestMemoryFormat]", .element = &dump_format};
static const struct qmp_member capability_members[] = {
	{.name = "formats", .type = &format_list},
	{0},
};
const struct qmp_type qmp_dump_capability = {
	.kind = QMP_OBJECT, .name = "DumpGuestMemoryCapability", .members = capability_members};

const struct qmp_member qmp_dump_arguments[] = {
	{.name = "paging",
	 .type = &qmp_bool,
	 .help = "with virtual addresses, for gdb; Linux tells them"},
	{.name = "protocol",
	 .type = &qmp_string,
	 .help = "file:PATH, or fd:NAME of one that getfd has named"},
	{.name = "detach",
	 .type = &qmp_bool,
	 .optional = true,
	 .help = "answer at once; DUMP_COMPLETED tells the end"},
	{.name = "begin",
	 .type = &qmp_int,
	 .optional = true,
	 .max = INT64_MAX,
	 .help = "physical address of the first byte"},
	{.name = "length",
	 .type = &qmp_int,
	 .optional = true,
	 .min = 1,
	 .max = INT64_MAX,
	 .help = "bytes from there; both or none"},
	{.name = "format", .type = &dump_format, .optional = true},
	{0},
};

static struct json_object *result_object(const struct machine_dump_status *status)
{
	struct json_object *object = json_object_new_object();

	qmp_add_string(object, "status", states[status->state]);
	qmp_add_int(object, "completed", (int64_t)status->completed);
	qmp_add_int(object, "total", (int64_t)status->total);
	return object;
}

int qmp_query_dump(struct qmp_call *call)
{
	struct machine_dump_status status;

	machine_dump_status(qmp_machine_of(call), &status);
	call->answer = result_object(&status);
	return 0;
}

int qmp_query_dump_capability(struct qmp_call *call)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, json_object_new_string(formats[0]));
	call->answer = json_object_new_object();
	json_object_object_add(call->answer, "formats", list);
	return 0;
}

static int read_protocol(struct qmp_call *call, struct machine_dump_options *ret)
{
	const char *protocol = qmp_argument_string(call, "protocol");

	if (!strncmp(protocol, "file:", 5) && protocol[5]) {
		ret->path = protocol + 5;
		return 0;
	}
	if (strncmp(protocol, "fd:", 3) != 0)
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"parameter 'protocol' must start with 'file:' or 'fd:'");
	ret->fd = qmp_take_named_fd(call, protocol + 3);
	return ret->fd < 0 ? ret->fd : 0;
}

static int read_filter(struct qmp_call *call, struct machine_dump_options *ret)
{
	int64_t begin = qmp_argument_int(call, "begin", -1);
	int64_t length = qmp_argument_int(call, "length", 0);

	if ((begin >= 0) != (length > 0))
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"parameters 'begin' and 'length' must be given together");
	if (begin >= 0 && ret->paging)
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"parameter 'begin' cannot be used with paging");
	if (begin >= 0) {
		ret->begin = (gpa_t)begin;
		ret->length = (uint64_t)length;
	}
	return 0;
}

int qmp_dump(struct qmp_call *call)
{
	struct machine_dump_options options = {.fd = -1};
	struct error err = {0};
	int r;

	options.paging = qmp_argument_bool(call, "paging", false);
	r = read_filter(call, &options);
	if (r == 0)
		r = read_protocol(call, &options);
	if (r < 0)
		return r;
	r = machine_dump(qmp_machine_of(call), &options, &err);
	if (r < 0)
		return qmp_told(call, r, &err);
	if (qmp_argument_bool(call, "detach", false))
		return 0;
	qmp_server_of(call)->dump_client = call->client;
	return QMP_LATER;
}

int qmp_dump_cancel(struct qmp_call *call)
{
	machine_dump_cancel(qmp_machine_of(call));
	return 0;
}

/* Events. */

const struct qmp_member qmp_dump_progress[] = {
	{.name = "completed", .type = &qmp_int, .help = "bytes of memory"},
	{.name = "total", .type = &qmp_int, .help = "bytes of memory"},
	{0},
};
const struct qmp_member qmp_dump_completed[] = {
	{.name = "result", .type = &qmp_dump_result},
	{.name = "error", .type = &qmp_string, .optional = true, .help = "why it failed"},
	{0},
};

struct json_object *qmp_dump_event(const struct machine *machine, bool ended)
{
	struct json_object *data;
	struct machine_dump_status status;

	machine_dump_status(machine, &status);
	if (!ended) {
		data = json_object_new_object();
		qmp_add_int(data, "completed", (int64_t)status.completed);
		qmp_add_int(data, "total", (int64_t)status.total);
		return data;
	}
	data = json_object_new_object();
	json_object_object_add(data, "result", result_object(&status));
	if (status.state == MACHINE_DUMP_FAILED)
		qmp_add_string(data, "error", status.err.text);
	return data;
}

void qmp_dump_answer(struct qmp_server *server)
{
	struct qmp_client *client = server->dump_client;
	struct machine_dump_status status;
	struct qmp_call call = {0};
	int r = 0;

	if (!client)
		return;
	server->dump_client = NULL;
	machine_dump_status(server->machine, &status);
	if (status.state == MACHINE_DUMP_FAILED)
		r = qmp_fail(&call, QMP_GENERIC_ERROR, "%s", status.err.text);
	qmp_client_answer(client, &call, r);
}
