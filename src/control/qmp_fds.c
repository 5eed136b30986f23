/* SPDX-License-Identifier: Apache-2.0 */
/* getfd, closefd: descriptors that clients hand over, by the names that they give them. */
#include <string.h>

#include "qmp_commands.h"

const struct qmp_member qmp_fd_arguments[] = {
	{.name = "fdname", .type = &qmp_string, .help = "what it is called; no digit first"},
	{0},
};

static struct qmp_fd *find(struct qmp_server *server, const char *name)
{
	for (size_t i = 0; i < QMP_FDS_MAX; i++) {
		if (server->fds[i].name && !strcmp(server->fds[i].name, name))
			return &server->fds[i];
	}
	return NULL;
}

static struct qmp_fd *find_free(struct qmp_server *server)
{
	for (size_t i = 0; i < QMP_FDS_MAX; i++) {
		if (!server->fds[i].name)
			return &server->fds[i];
	}
	return NULL;
}

static void forget(struct qmp_fd *fd)
{
	close_fd(fd->fd);
	free(fd->name);
	*fd = (struct qmp_fd){0};
}

int qmp_getfd(struct qmp_call *call)
{
	struct qmp_server *server = qmp_server_of(call);
	const char *name = qmp_argument_string(call, "fdname");
	struct qmp_fd *fd = find(server, name);
	int passed = qmp_client_take_fd(call->client);
	char *copy;

	if (passed < 0)
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"No file descriptor supplied via SCM_RIGHTS");
	if (!fd)
		fd = find_free(server);
	copy = fd && (*name < '0' || *name > '9') ? strdup(name) : NULL;
	if (!copy) {
		close_fd(passed);
		return qmp_fail(call, QMP_GENERIC_ERROR,
				fd ? "Parameter 'fdname' expects a name not starting with a digit"
				   : "There are %d descriptors with names already; closefd some",
				QMP_FDS_MAX);
	}
	if (fd->name)
		forget(fd);
	*fd = (struct qmp_fd){.name = copy, .fd = passed};
	return 0;
}

int qmp_take_named_fd(struct qmp_call *call, const char *name)
{
	struct qmp_fd *fd = find(qmp_server_of(call), name);
	int taken;

	if (!fd)
		return qmp_fail(call, QMP_GENERIC_ERROR, "File descriptor named '%.100s' not found",
				name);
	taken = steal_fd(&fd->fd);
	forget(fd);
	return taken;
}

int qmp_closefd(struct qmp_call *call)
{
	int fd = qmp_take_named_fd(call, qmp_argument_string(call, "fdname"));

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

void qmp_forget_fds(struct qmp_server *server)
{
	for (size_t i = 0; i < QMP_FDS_MAX; i++) {
		if (server->fds[i].name)
			forget(&server->fds[i]);
	}
}
