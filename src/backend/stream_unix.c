/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A socket to connect to
 *
 * One peer at a time has the stream; others wait in the listening socket's
 * backlog, which is not watched meanwhile. A peer that only ended its sending
 * (shutdown) goes on to get output.
 *
 * A peer that is gone may have sent what the client has not read yet. It keeps
 * the stream until that is read, for input only; or until somebody else
 * connects, when what is left is dropped.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/log.h"
#include "core/iov.h"
#include "stream_private.h"

#define BACKLOG 8

struct unix_stream {
	struct stream stream;
	struct event_loop *loop;
	char *path;
	dev_t dev; /* what we have put at @path */
	ino_t ino;
	struct stream_fd listener;
	struct stream_fd peer;
	bool peer_gone;   /* nothing can be sent to it any more */
	bool input_ended; /* nothing comes from it any more */
};

static struct unix_stream *to_unix(struct stream *stream)
{
	return container_of(stream, struct unix_stream, stream);
}

/* Whether a newcomer may be let in. */
static void listen_again(struct unix_stream *us)
{
	if (us->stream.client.changed && (us->peer.fd < 0 || us->peer_gone))
		stream_fd_want(&us->listener, EVENT_READ);
	else
		stream_fd_forget(&us->listener);
}

static void drop_peer(struct unix_stream *us)
{
	if (us->peer.fd < 0)
		return;
	stream_fd_forget(&us->peer);
	us->peer.fd = close_fd(us->peer.fd);
	us->stream.open = false;
	listen_again(us);
}

/* It hears us no more; what it has sent may still be there. */
static void lose_peer(struct unix_stream *us)
{
	uint8_t byte;

	stream_fd_forget(&us->peer);
	us->peer_gone = true;
	if (us->input_ended || recv(us->peer.fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) == 0)
		drop_peer(us);
	else
		listen_again(us);
}

static ssize_t unix_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct unix_stream *us = to_unix(stream);
	ssize_t n;

	if (us->peer.fd < 0 || us->input_ended || !iov_size(iov, count))
		return -EAGAIN;
	n = stream_fd_read(&us->peer, iov, count);
	/* Told once, when it left before it had read all; what it sent is behind that. */
	if (n == -ECONNRESET)
		n = stream_fd_read(&us->peer, iov, count);
	if (n > 0)
		return n;
	if (n == -EAGAIN && !us->peer_gone) {
		stream_fd_want(&us->peer, EVENT_READ);
		return -EAGAIN;
	}
	us->input_ended = true;
	if (us->peer_gone || n < 0)
		drop_peer(us);
	return -EAGAIN;
}

static ssize_t unix_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct unix_stream *us = to_unix(stream);
	size_t size = min_u64(iov_size(iov, count), SSIZE_MAX);
	ssize_t n;

	if (us->peer.fd < 0 || us->peer_gone || !size)
		return (ssize_t)size;
	n = stream_fd_write(&us->peer, iov, count);
	if (n >= 0)
		return n;
	if (n == -EAGAIN) {
		stream_fd_want(&us->peer, EVENT_WRITE);
		return -EAGAIN;
	}
	stream->lost += size;
	lose_peer(us);
	return (ssize_t)size;
}

static void on_peer(void *data, unsigned events)
{
	struct unix_stream *us = data;
	struct stream_client *client = &us->stream.client;
	unsigned wanted = us->peer.wanted;

	if (events & EVENT_HANGUP)
		lose_peer(us);
	else
		stream_fd_unwant(&us->peer, events);
	if (wanted & EVENT_READ && events & (EVENT_READ | EVENT_HANGUP))
		client->readable(client->data);
	if (wanted & EVENT_WRITE && events & (EVENT_WRITE | EVENT_HANGUP))
		client->writable(client->data);
	if (!us->stream.open)
		client->changed(client->data);
}

static void on_listener(void *data, unsigned events)
{
	struct unix_stream *us = data;
	struct stream_client *client = &us->stream.client;
	int fd = accept4(us->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
		/* It would be asked for again at once, for ever. */
		log_warning("unix:%s: nobody can connect any more: %s", us->path, strerror(errno));
		stream_fd_forget(&us->listener);
	}
	if (fd < 0)
		return; /* or it has left already */
	drop_peer(us);
	us->peer.fd = fd;
	us->peer_gone = false;
	us->input_ended = false;
	us->stream.open = true;
	us->stream.peers++;
	/* Watched for a hangup, at least; and for input, which its client may be waiting for. */
	stream_fd_want(&us->peer, EVENT_READ);
	listen_again(us);
	client->changed(client->data);
}

static int unix_attach(struct stream *stream)
{
	struct unix_stream *us = to_unix(stream);

	us->listener.source.owner = stream->client.owner;
	us->peer.source.owner = stream->client.owner;
	listen_again(us);
	/* Whoever left while nobody looked is found by this. */
	return us->peer.fd >= 0 && !us->peer_gone ? stream_fd_want(&us->peer, EVENT_READ) : 0;
}

static void unix_detach(struct stream *stream)
{
	struct unix_stream *us = to_unix(stream);

	stream_fd_forget(&us->listener);
	stream_fd_forget(&us->peer);
}

/* Whether what stands at @path is what we have put there. */
static bool still_ours(const struct unix_stream *us)
{
	struct stat st;

	return us->ino && lstat(us->path, &st) == 0 && st.st_dev == us->dev && st.st_ino == us->ino;
}

static void unix_destroy(struct stream *stream)
{
	struct unix_stream *us = to_unix(stream);

	if (us->path && still_ours(us))
		unlink(us->path);
	if (stream->lost)
		log_info("%" PRIu64 " bytes for peers of %s that left were lost", stream->lost,
			 us->path);
	close_fd(us->peer.fd);
	close_fd(us->listener.fd);
	free(us->path);
	free(us);
}

static const struct stream_ops unix_ops = {
	.attach = unix_attach,
	.detach = unix_detach,
	.read = unix_read,
	.write = unix_write,
	.destroy = unix_destroy,
};

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

static int bind_socket(struct unix_stream *us, struct error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = us->listener.fd;
	struct stat st;
	int r;

	if (strlen(us->path) >= sizeof(addr.sun_path))
		return error_set(err, ENAMETOOLONG,
				 "unix:%s is too long: a socket's path has at most %zu bytes",
				 us->path, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, us->path, strlen(us->path));
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
		return error_set_errno(err, errno, "unix:%s cannot be made", us->path);
	if (lstat(us->path, &st) == 0) {
		us->dev = st.st_dev;
		us->ino = st.st_ino;
	}
	if (listen(fd, BACKLOG) < 0)
		return error_set_errno(err, errno, "unix:%s", us->path);
	return 0;
}

static void init_fd(struct unix_stream *us, struct stream_fd *sfd,
		    void (*callback)(void *data, unsigned events))
{
	sfd->loop = us->loop;
	sfd->fd = -EBADF;
	sfd->is_socket = true;
	sfd->source.callback = callback;
	sfd->source.data = us;
}

static int make_socket(struct unix_stream *us, const char *path, struct error *err)
{
	us->path = strdup(path);
	us->stream.where = us->path;
	us->listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!us->path || us->listener.fd < 0)
		return error_set_errno(err, errno, "unix:%s", path);
	return bind_socket(us, err);
}

int stream_open_unix(const char *path, struct event_loop *loop, struct stream **ret,
		     struct error *err)
{
	struct unix_stream *us = calloc(1, sizeof(*us));
	int r;

	if (!us)
		return error_set_errno(err, ENOMEM, "unix:%s", path);
	us->stream.ops = &unix_ops;
	us->loop = loop;
	init_fd(us, &us->listener, on_listener);
	init_fd(us, &us->peer, on_peer);
	r = make_socket(us, path, err);
	if (r < 0) {
		unix_destroy(&us->stream);
		return r;
	}
	*ret = &us->stream;
	return 0;
}
