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

#include "backend/unix_listener.h"
#include "base/log.h"
#include "core/iov.h"
#include "stream_private.h"

#define BACKLOG 8

struct unix_stream {
	struct stream stream;
	struct event_loop *loop;
	struct unix_listener at;
	struct stream_fd listener; /* its descriptor is that of @at */
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
		log_warning("unix:%s: nobody can connect any more: %s", us->at.path,
			    strerror(errno));
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

static void unix_destroy(struct stream *stream)
{
	struct unix_stream *us = to_unix(stream);

	if (stream->lost)
		log_info("%" PRIu64 " bytes for peers of %s that left were lost", stream->lost,
			 us->at.path);
	close_fd(us->peer.fd);
	unix_listener_close(&us->at);
	free(us);
}

static const struct stream_ops unix_ops = {
	.attach = unix_attach,
	.detach = unix_detach,
	.read = unix_read,
	.write = unix_write,
	.destroy = unix_destroy,
};

static void init_fd(struct unix_stream *us, struct stream_fd *sfd,
		    void (*callback)(void *data, unsigned events))
{
	sfd->loop = us->loop;
	sfd->fd = -EBADF;
	sfd->is_socket = true;
	sfd->source.callback = callback;
	sfd->source.data = us;
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
	us->at.fd = -EBADF;
	init_fd(us, &us->listener, on_listener);
	init_fd(us, &us->peer, on_peer);
	r = unix_listen(path, BACKLOG, &us->at, err);
	if (r < 0) {
		unix_destroy(&us->stream);
		return r;
	}
	us->stream.where = us->at.path;
	us->listener.fd = us->at.fd;
	*ret = &us->stream;
	return 0;
}
