/* SPDX-License-Identifier: Apache-2.0 */
/* The command that lets gdb in. */
#include "qmp_commands.h"

const struct qmp_member qmp_gdb_arguments[] = {
	{.name = "where",
	 .type = &qmp_string,
	 .optional = true,
	 .help = "tcp:PORT of this host, unix:PATH, or none to end it (where it is, or a socket "
		 "beside this one)"},
	{0},
};

static const struct qmp_member info_members[] = {
	{.name = "target",
	 .type = &qmp_string,
	 .optional = true,
	 .help = "what gdb's command target remote takes"},
	{0},
};
const struct qmp_type qmp_gdb_info = {
	.kind = QMP_OBJECT, .name = "GdbServerInfo", .members = info_members};

int qmp_gdbserver(struct qmp_call *call)
{
	const struct qmp_options *options = &qmp_server_of(call)->options;
	const char *target = NULL;
	struct error err = {0};
	int r = options->debug(options->data, qmp_argument_string(call, "where"), &target, &err);

	if (r < 0)
		return qmp_told(call, r, &err);
	call->answer = json_object_new_object();
	if (target)
		qmp_add_string(call->answer, "target", target);
	return 0;
}
