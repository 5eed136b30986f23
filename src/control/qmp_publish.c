/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about ports of the guest that are published on the host. */
#include "machine/publish.h"
#include "qmp_commands.h"

static const struct qmp_member published_members[] = {
	{.name = "port", .type = &qmp_string, .help = "as for --publish"},
	{0},
};
static const struct qmp_type published_info = {
	.kind = QMP_OBJECT, .name = "PublishedInfo", .members = published_members};
const struct qmp_type qmp_published_list = {
	.kind = QMP_ARRAY, .name = "[PublishedInfo]", .element = &published_info};

const struct qmp_member qmp_publish_arguments[] = {
	{.name = "port", .type = &qmp_string, .help = "[ADDRESS:]HOST:GUEST[/udp]"},
	{0},
};

int qmp_publish(struct qmp_call *call)
{
	struct error err = {0};
	int r = machine_publish(qmp_machine_of(call), qmp_argument_string(call, "port"), &err);

	return qmp_told(call, r, &err);
}

int qmp_unpublish(struct qmp_call *call)
{
	struct error err = {0};
	int r = machine_unpublish(qmp_machine_of(call), qmp_argument_string(call, "port"), &err);

	return qmp_told(call, r, &err);
}

int qmp_query_published(struct qmp_call *call)
{
	const char *text;

	call->answer = json_object_new_array();
	for (size_t i = 0; (text = machine_published(qmp_machine_of(call), i)); i++) {
		struct json_object *info = json_object_new_object();

		qmp_add_string(info, "port", text);
		json_object_array_add(call->answer, info);
	}
	return 0;
}
