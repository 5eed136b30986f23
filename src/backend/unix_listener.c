/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/unix_listener.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Make way at the path if a dead process has left its socket there. */
static int remove_stale(const struct sockaddr_un *addr, struct error *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const char *path = addr->sun_path;
	struct stat st;
	int r;

	if (fd < 0 || lstat(path, &st) < 0)
		return error_set_errno(err, errno, "unix:%s", path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(
			err, EEXIST,
			"unix:%s is there and is no socket; remove it or give another path", path);
	r = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? errno : 0;
	if (r == 0 || r == EAGAIN)
		return error_set(err, EADDRINUSE,
				 "unix:%s is in use by another process; give another path", path);
	if (r != ECONNREFUSED)
		return error_set_errno(err, r, "unix:%s is there, and may be in use", path);
	if (unlink(path) < 0)
		return error_set_errno(err, errno, "unix:%s: the old socket cannot be removed",
				       path);
	return 0;
}

static int bind_socket(struct unix_listener *listener, int backlog, struct error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = listener->fd;
	struct stat st;
	int r;

	if (strlen(listener->path) >= sizeof(addr.sun_path))
		return error_set(err, ENAMETOOLONG,
				 "unix:%s is too long: a socket's path has at most %zu bytes",
				 listener->path, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, listener->path, strlen(listener->path));
	/* Before bind(): the socket file is never another's to open. */
	fchmod(fd, 0600);
	r = bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
	if (r < 0 && errno == EADDRINUSE) {
		r = remove_stale(&addr, err);
		if (r < 0)
			return r;
		r = bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
	}
	if (r < 0)
		return error_set_errno(err, errno, "unix:%s cannot be made", listener->path);
	if (lstat(listener->path, &st) == 0) {
		listener->dev = st.st_dev;
		listener->ino = st.st_ino;
	}
	if (listen(fd, backlog) < 0)
		return error_set_errno(err, errno, "unix:%s", listener->path);
	return 0;
}

int unix_listen(const char *path, int backlog, struct unix_listener *ret, struct error *err)
{
	int r;

	*ret = (struct unix_listener){
		.path = strdup(path),
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	};
	r = !ret->path || ret->fd < 0 ? error_set_errno(err, errno, "unix:%s", path)
				      : bind_socket(ret, backlog, err);
	if (r < 0)
		unix_listener_close(ret);
	return r;
}

/* The socket's mode keeps others out already, but a folder's owner may change that. */
static bool is_welcome(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

int unix_accept(const struct unix_listener *listener)
{
	_cleanup_close_ int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return -errno;
	if (fd < 0)
		return -EAGAIN;
	return is_welcome(fd) ? steal_fd(&fd) : -EPERM;
}

/* Whether what stands at the path is what we have put there. */
static bool still_ours(const struct unix_listener *listener)
{
	struct stat st;

	return listener->ino && lstat(listener->path, &st) == 0 && st.st_dev == listener->dev &&
	       st.st_ino == listener->ino;
}

void unix_listener_close(struct unix_listener *listener)
{
	if (listener->path && still_ours(listener))
		unlink(listener->path);
	listener->fd = close_fd(listener->fd);
	free(listener->path);
	listener->path = NULL;
}
