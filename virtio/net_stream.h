/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames in a stream of bytes, which is cut anywhere: in front of each frame
 * is its length, 32 bits, big-endian. The bytes come from elsewhere.
 */
#ifndef ARMLET_VIRTIO_NET_STREAM_H
#define ARMLET_VIRTIO_NET_STREAM_H

#include "core/net_port.h"

#define NET_STREAM_PREFIX 4

/* Room for the longest frame, and for many short ones in one read. */
#define NET_STREAM_SIZE (128 * KIB)

struct net_stream {
	uint8_t *data; /* NET_STREAM_SIZE bytes */
	size_t start;  /* [start, end) is not used up */
	size_t end;
};

int net_stream_init(struct net_stream *stream); /* -ENOMEM */
void net_stream_finish(struct net_stream *stream);

/* Where to read the next bytes to, and how many: none only while a frame is there. */
size_t net_stream_room(struct net_stream *stream, uint8_t **ret);
void net_stream_filled(struct net_stream *stream, size_t size);

/* 1: the next frame, whole; it stays until it is taken. 0: not here yet. -EPROTO: too long. */
int net_stream_peek(const struct net_stream *stream, const uint8_t **ret, size_t *ret_size);
void net_stream_take(struct net_stream *stream);

#endif
