/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Streams
 *
 * A stream is what stands behind a port of a console: bytes both ways, never
 * waited for. Its client (a device) reads and writes when it can; where that
 * gives -EAGAIN the stream calls back, once, when it is worth another try. So
 * a client that cannot take input just does not read: the stream leaves the
 * bytes with whoever sends them, and no descriptor is watched in vain.
 *
 * Somebody may be there at the other end or not (@open). Without a peer, input
 * never comes and output is dropped; a stream is never a reason to wait for
 * ever. What goes wrong at the other end is the same as a peer that has left.
 *
 * A stream may outlive its clients: a machine keeps it over reboots.
 *
 * Threads: attach and detach are the main thread's. Callbacks come from the
 * event loop, with the owner's lock held if there is an owner; all else is
 * called under that lock, by any thread. stream_read() and stream_write() never
 * call back; who sees that @open or @peers has changed by them acts on it.
 */
#ifndef ARMLET_CORE_STREAM_H
#define ARMLET_CORE_STREAM_H

#include <sys/uio.h>

#include "base/util.h"

struct device;
struct stream;

struct stream_client {
	/* Each required. There may be input, or room for output. May come without a reason. */
	void (*readable)(void *data);
	void (*writable)(void *data);
	/* @open or @peers has changed. */
	void (*changed)(void *data);
	void *data;
	struct device *owner; /* NULL: none; outlives the attachment */
};

struct stream_ops {
	/* Optional: begin to look for peers, and end; -errno. The client is set. */
	int (*attach)(struct stream *stream);
	void (*detach)(struct stream *stream);
	/* Required: as stream_read() and stream_write(). */
	ssize_t (*read)(struct stream *stream, const struct iovec *iov, size_t count);
	ssize_t (*write)(struct stream *stream, const struct iovec *iov, size_t count);
	void (*destroy)(struct stream *stream);
};

/* What a back end's structure begins with; stream_open() (backend/stream.h) makes them. */
struct stream {
	const struct stream_ops *ops;
	struct stream_client client; /* zeroed: none */
	bool open;                   /* a peer is there */
	uint32_t peers;              /* that have come so far: another one is seen by it */
	uint64_t lost;               /* bytes of output that a peer should have had */
	const char *where; /* to be told to people: "/dev/pts/3", or as it was described */
};

/*
 * Make @client the one that is called. It then tries to read, or it is never
 * called for input. -errno if the other end cannot be watched.
 */
static inline int stream_attach(struct stream *stream, const struct stream_client *client)
{
	int r;

	stream->client = *client;
	r = stream->ops->attach ? stream->ops->attach(stream) : 0;
	if (r < 0)
		stream->client = (struct stream_client){0};
	return r;
}

/* No more callbacks; takes a stream without client. */
static inline void stream_detach(struct stream *stream)
{
	if (stream->client.changed && stream->ops->detach)
		stream->ops->detach(stream);
	stream->client = (struct stream_client){0};
}

/* Bytes read into the pieces, at least one; -EAGAIN: none now, readable() comes when there are. */
static inline ssize_t stream_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	return stream->ops->read(stream, iov, count);
}

/*
 * Bytes of the pieces taken, perhaps not all; -EAGAIN: none now, writable()
 * comes when there is room. Never another error, nor zero unless there is nothing.
 */
static inline ssize_t stream_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	return stream->ops->write(stream, iov, count);
}

/* Takes NULL; a client has detached. */
static inline void stream_destroy(struct stream *stream)
{
	if (stream)
		stream->ops->destroy(stream);
}

DEFINE_CLEANUP(struct stream *, stream_destroy)

#endif
