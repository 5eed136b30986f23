/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A pseudoterminal
 *
 * We have the master; whoever opens the slave is the peer. A master whose slave
 * nobody has open hangs up for as long as that lasts, so it is not watched
 * then; inotify tells of each open of the slave instead, and an idle machine
 * stays idle. We open and close the slave once ourselves, for a master whose
 * slave was never open does not hang up.
 *
 * A peer that is gone has the stream until all that it wrote is read.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <termios.h>

#include "base/log.h"
#include "core/iov.h"
#include "stream_private.h"

#define NAME_SIZE 64

struct pty {
	struct stream stream;
	struct stream_fd master;
	struct stream_fd opens; /* inotify's */
	bool peer_gone;         /* but what it has written is not all read */
	char name[NAME_SIZE];
};

static struct pty *to_pty(struct stream *stream)
{
	return container_of(stream, struct pty, stream);
}

static bool hung_up(const struct pty *pty)
{
	struct pollfd pollfd = {.fd = pty->master.fd};

	return poll(&pollfd, 1, 0) > 0 && pollfd.revents & POLLHUP;
}

static void close_peer(struct pty *pty)
{
	stream_fd_forget(&pty->master);
	pty->stream.open = false;
}

/* Nobody has the slave open any more. */
static void lose_peer(struct pty *pty)
{
	struct pollfd pollfd = {.fd = pty->master.fd, .events = POLLIN};

	stream_fd_forget(&pty->master);
	pty->peer_gone = true;
	if (poll(&pollfd, 1, 0) <= 0 || !(pollfd.revents & POLLIN))
		close_peer(pty);
}

static ssize_t pty_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct pty *pty = to_pty(stream);
	ssize_t n;

	if (!stream->open)
		return -EAGAIN;
	n = stream_fd_read(&pty->master, iov, count);
	if (n > 0)
		return n;
	/* EIO: the slave is closed, and all from it is read. */
	if (n != -EAGAIN || pty->peer_gone)
		close_peer(pty);
	else
		stream_fd_want(&pty->master, EVENT_READ);
	return -EAGAIN;
}

static ssize_t pty_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct pty *pty = to_pty(stream);
	size_t size = min_u64(iov_size(iov, count), SSIZE_MAX);
	ssize_t n;

	if (!stream->open || pty->peer_gone || !size)
		return (ssize_t)size;
	n = stream_fd_write(&pty->master, iov, count);
	if (n > 0)
		return n;
	/* Full: and it stays so if nobody has it open any more. */
	if ((n == 0 || n == -EAGAIN) && !hung_up(pty)) {
		stream_fd_want(&pty->master, EVENT_WRITE);
		return -EAGAIN;
	}
	lose_peer(pty);
	stream->lost += size;
	return (ssize_t)size;
}

static void on_master(void *data, unsigned events)
{
	struct pty *pty = data;
	struct stream_client *client = &pty->stream.client;
	unsigned wanted = pty->master.wanted;

	if (events & EVENT_HANGUP && hung_up(pty))
		lose_peer(pty);
	else
		stream_fd_unwant(&pty->master, events);
	if (wanted & EVENT_READ && events & (EVENT_READ | EVENT_HANGUP))
		client->readable(client->data);
	if (wanted & EVENT_WRITE && events & (EVENT_WRITE | EVENT_HANGUP))
		client->writable(client->data);
	if (!pty->stream.open)
		client->changed(client->data);
}

/* Somebody may have opened the slave; true if it is a new peer. */
static bool look_for_peer(struct pty *pty)
{
	if ((pty->stream.open && !pty->peer_gone) || hung_up(pty))
		return false;
	pty->peer_gone = false;
	pty->stream.open = true;
	pty->stream.peers++;
	/* Watched for a hangup, at least. */
	stream_fd_want(&pty->master, EVENT_READ);
	return true;
}

static void on_opens(void *data, unsigned events)
{
	struct pty *pty = data;
	char notes[1024];

	(void)events;
	while (read(pty->opens.fd, notes, sizeof(notes)) > 0)
		;
	if (look_for_peer(pty))
		pty->stream.client.changed(pty->stream.client.data);
}

static int pty_attach(struct stream *stream)
{
	struct pty *pty = to_pty(stream);
	int r;

	pty->master.source.owner = stream->client.owner;
	pty->opens.source.owner = stream->client.owner;
	r = stream_fd_want(&pty->opens, EVENT_READ);
	if (r < 0)
		return r;
	/* Whoever left while nobody looked is found by this. */
	if (stream->open && !pty->peer_gone)
		return stream_fd_want(&pty->master, EVENT_READ);
	look_for_peer(pty);
	return 0;
}

static void pty_detach(struct stream *stream)
{
	stream_fd_forget(&to_pty(stream)->master);
	stream_fd_forget(&to_pty(stream)->opens);
}

static void pty_destroy(struct stream *stream)
{
	struct pty *pty = to_pty(stream);

	close_fd(pty->opens.fd);
	close_fd(pty->master.fd);
	free(pty);
}

static const struct stream_ops pty_ops = {
	.attach = pty_attach,
	.detach = pty_detach,
	.read = pty_read,
	.write = pty_write,
	.destroy = pty_destroy,
};

/* Bytes pass as they are, and nothing is echoed. */
static int make_raw(int fd)
{
	struct termios modes;

	if (tcgetattr(fd, &modes) < 0)
		return -errno;
	cfmakeraw(&modes);
	return tcsetattr(fd, TCSANOW, &modes) < 0 ? -errno : 0;
}

static int open_slave_once(const struct pty *pty)
{
	_cleanup_close_ int fd = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : make_raw(fd);
}

static int open_pair(struct pty *pty, struct error *err)
{
	int r;

	pty->master.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (pty->master.fd < 0 || grantpt(pty->master.fd) < 0 || unlockpt(pty->master.fd) < 0 ||
	    ptsname_r(pty->master.fd, pty->name, sizeof(pty->name)) != 0)
		return error_set_errno(err, errno, "pty: the host gives no pseudoterminal");
	r = open_slave_once(pty);
	if (r < 0)
		return error_set_errno(err, -r, "pty: %s cannot be opened", pty->name);
	pty->opens.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (pty->opens.fd < 0 || inotify_add_watch(pty->opens.fd, pty->name, IN_OPEN) < 0)
		return error_set_errno(err, errno,
				       "pty: %s cannot be watched; fs.inotify.max_user_instances "
				       "and max_user_watches limit that",
				       pty->name);
	log_info("the pseudoterminal is %s", pty->name);
	return 0;
}

int stream_open_pty(struct event_loop *loop, struct stream **ret, struct error *err)
{
	struct pty *pty = calloc(1, sizeof(*pty));
	int r;

	if (!pty)
		return error_set_errno(err, ENOMEM, "pty");
	pty->stream.ops = &pty_ops;
	pty->stream.where = pty->name;
	pty->master = (struct stream_fd){.loop = loop, .fd = -EBADF};
	pty->master.source.callback = on_master;
	pty->master.source.data = pty;
	pty->opens = (struct stream_fd){.loop = loop, .fd = -EBADF};
	pty->opens.source.callback = on_opens;
	pty->opens.source.data = pty;
	r = open_pair(pty, err);
	if (r < 0) {
		pty_destroy(&pty->stream);
		return r;
	}
	*ret = &pty->stream;
	return 0;
}
