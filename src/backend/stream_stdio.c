/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of descriptors. They may be shared with other processes, so they are
 * never made non-blocking themselves: terminals and pipes are opened anew
 * through /proc/self/fd, sockets are asked not to wait. Where a descriptor
 * cannot be opened anew, poll() is asked first, and little is written at once.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "core/iov.h"
#include "stream_private.h"

#define LITTLE 256 /* bytes that a terminal or pipe takes which poll() calls writable */

struct end {
	struct stream_fd sfd;
	bool owned;
	bool may_block;
	bool ended; /* of the input; or an error of the output was told */
};

struct stdio {
	struct stream stream;
	struct end in;
	struct end out;
};

static struct stdio *to_stdio(struct stream *stream)
{
	return container_of(stream, struct stdio, stream);
}

static bool ready(const struct end *end, short events)
{
	struct pollfd pollfd = {.fd = end->sfd.fd, .events = events};

	return !end->may_block || poll(&pollfd, 1, 0) > 0;
}

/* Be called when @end is ready. What cannot be watched is ready always. */
static ssize_t wait_for(struct end *end, unsigned events)
{
	stream_fd_want(&end->sfd, events);
	return -EAGAIN;
}

static ssize_t stdio_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct end *in = &to_stdio(stream)->in;
	ssize_t n;

	if (in->sfd.fd < 0 || in->ended)
		return -EAGAIN;
	n = ready(in, POLLIN) ? stream_fd_read(&in->sfd, iov, count) : -EAGAIN;
	if (n > 0)
		return n;
	if (n == -EAGAIN)
		return wait_for(in, EVENT_READ);
	in->ended = true;
	return -EAGAIN;
}

static ssize_t write_some(const struct end *out, const struct iovec *iov, size_t count)
{
	struct iovec little;

	if (!out->may_block)
		return stream_fd_write(&out->sfd, iov, count);
	if (!ready(out, POLLOUT))
		return -EAGAIN;
	for (; count > 1 && !iov->iov_len; count--)
		iov++;
	little = (struct iovec){iov->iov_base, min_u64(iov->iov_len, LITTLE)};
	return stream_fd_write(&out->sfd, &little, 1);
}

static ssize_t stdio_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct end *out = &to_stdio(stream)->out;
	size_t size = min_u64(iov_size(iov, count), SSIZE_MAX);
	ssize_t n;

	if (out->sfd.fd < 0 || !size)
		return (ssize_t)size;
	n = write_some(out, iov, count);
	if (n >= 0)
		return n;
	if (n == -EAGAIN)
		return wait_for(out, EVENT_WRITE);
	if (!out->ended)
		log_warning("output to %s cannot be written: %s; the guest goes on without",
			    stream->where, strerror((int)-n));
	out->ended = true;
	stream->lost += size;
	return (ssize_t)size;
}

static void on_input(void *data, unsigned events)
{
	struct stdio *stdio = data;

	(void)events;
	stream_fd_forget(&stdio->in.sfd);
	stdio->stream.client.readable(stdio->stream.client.data);
}

static void on_output(void *data, unsigned events)
{
	struct stdio *stdio = data;

	(void)events;
	stream_fd_forget(&stdio->out.sfd);
	stdio->stream.client.writable(stdio->stream.client.data);
}

static int stdio_attach(struct stream *stream)
{
	struct stdio *stdio = to_stdio(stream);

	stdio->in.sfd.source.owner = stream->client.owner;
	stdio->out.sfd.source.owner = stream->client.owner;
	return 0;
}

static void stdio_detach(struct stream *stream)
{
	stream_fd_forget(&to_stdio(stream)->in.sfd);
	stream_fd_forget(&to_stdio(stream)->out.sfd);
}

static void close_end(struct end *end)
{
	if (end->owned)
		close_fd(end->sfd.fd);
}

static void stdio_destroy(struct stream *stream)
{
	struct stdio *stdio = to_stdio(stream);

	if (stream->lost)
		log_warning("%" PRIu64 " bytes of output to %s were not written", stream->lost,
			    stream->where);
	close_end(&stdio->in);
	close_end(&stdio->out);
	free(stdio);
}

static const struct stream_ops stdio_ops = {
	.attach = stdio_attach,
	.detach = stdio_detach,
	.read = stdio_read,
	.write = stdio_write,
	.destroy = stdio_destroy,
};

static void open_end(struct end *end, int fd, int mode)
{
	char path[32];
	struct stat st;
	int own;

	end->sfd.fd = fd;
	if (fd < 0 || fstat(fd, &st) < 0) {
		end->sfd.fd = -1; /* it was closed before we came */
		return;
	}
	end->sfd.is_socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !isatty(fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	end->may_block = own < 0;
	end->owned = own >= 0;
	if (end->owned)
		end->sfd.fd = own;
}

/* Each end is watched by itself, and epoll(7) watches a descriptor only once. */
static int part_ends(struct stdio *stdio)
{
	struct end *out = &stdio->out;
	int own;

	if (out->owned || out->sfd.fd < 0)
		return 0;
	own = fcntl(out->sfd.fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return -errno;
	out->sfd.fd = own;
	out->owned = true;
	return 0;
}

int stream_open_fds(int in_fd, int out_fd, struct event_loop *loop, struct stream **ret,
		    struct error *err)
{
	struct stdio *stdio = calloc(1, sizeof(*stdio));
	int r;

	if (!stdio)
		return error_set_errno(err, ENOMEM, "stdio");
	stdio->stream.ops = &stdio_ops;
	stdio->stream.where = "stdio";
	stdio->stream.open = true;
	stdio->stream.peers = 1;
	stdio->in.sfd.loop = loop;
	stdio->in.sfd.source.callback = on_input;
	stdio->in.sfd.source.data = stdio;
	stdio->out.sfd.loop = loop;
	stdio->out.sfd.source.callback = on_output;
	stdio->out.sfd.source.data = stdio;
	open_end(&stdio->in, in_fd, O_RDONLY);
	open_end(&stdio->out, out_fd, O_WRONLY);
	r = in_fd == out_fd ? part_ends(stdio) : 0;
	if (r < 0) {
		stdio_destroy(&stdio->stream);
		return error_set_errno(err, -r, "stdio");
	}
	*ret = &stdio->stream;
	return 0;
}
