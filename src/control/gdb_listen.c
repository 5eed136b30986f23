/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/parse.h"
#include "gdb_private.h"

static int listen_local(const char *path, struct gdb_listener *ret, char **ret_target,
			struct error *err)
{
	int r = unix_listen(path, 1, &ret->local, err);

	ret->fd = ret->local.fd;
	if (r < 0)
		return r;
	/* gdb may be started in another folder. */
	*ret_target = realpath(path, NULL);
	return *ret_target ? 0 : error_set_errno(err, errno, "unix:%s", path);
}

/* Who is on another host has no business here. */
static int listen_tcp(uint16_t port, struct gdb_listener *ret, char **ret_target, struct error *err)
{
	const struct sockaddr_in addr = {.sin_family = AF_INET,
					 .sin_port = htons(port),
					 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int one = 1;

	ret->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ret->fd < 0)
		return error_set_errno(err, errno, "tcp:%u", port);
	setsockopt(ret->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(ret->fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(ret->fd, 1) < 0)
		return error_set_errno(err, errno, "tcp:%u of 127.0.0.1", port);
	if (asprintf(ret_target, "localhost:%u", port) < 0) {
		*ret_target = NULL;
		return error_set_errno(err, ENOMEM, "tcp:%u", port);
	}
	return 0;
}

static int listen_there(const char *where, struct gdb_listener *ret, char **ret_target,
			struct error *err)
{
	const char *port = where;
	uint64_t number;

	if (!strncmp(where, "unix:", 5) && where[5])
		return listen_local(where + 5, ret, ret_target, err);
	if (strchr(where, '/'))
		return listen_local(where, ret, ret_target, err);
	if (!strncmp(where, "tcp:", 4))
		port += 4;
	if (parse_u64(port, &number) < 0 || number < 1 || number > UINT16_MAX)
		return error_set(err, EINVAL,
				 "'%.100s' is neither a port as tcp:1234 nor a socket as "
				 "unix:PATH",
				 where);
	return listen_tcp((uint16_t)number, ret, ret_target, err);
}

int gdb_listen(const char *where, struct gdb_listener *ret, char **ret_target, struct error *err)
{
	int r;

	*ret = (struct gdb_listener){.local.fd = -1, .fd = -1};
	*ret_target = NULL;
	r = listen_there(where, ret, ret_target, err);
	if (r < 0) {
		gdb_listener_close(ret);
		free(steal_ptr(ret_target));
	}
	return r;
}

int gdb_accept(const struct gdb_listener *listener)
{
	int one = 1;
	int fd;

	if (listener->local.fd >= 0)
		return unix_accept(&listener->local);
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : -EAGAIN;
	/* Answers are short, and each is waited for. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

void gdb_listener_close(struct gdb_listener *listener)
{
	if (listener->local.path)
		unix_listener_close(&listener->local);
	else
		close_fd(listener->fd);
	listener->fd = -1;
}
