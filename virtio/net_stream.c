/* SPDX-License-Identifier: Apache-2.0 */
#include "net_stream.h"

#include <string.h>

int net_stream_init(struct net_stream *stream)
{
	*stream = (struct net_stream){.data = malloc(NET_STREAM_SIZE)};
	return stream->data ? 0 : -ENOMEM;
}

void net_stream_finish(struct net_stream *stream)
{
	free(stream->data);
}

static size_t prefix(const struct net_stream *stream)
{
	const uint8_t *at = stream->data + stream->start;

	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

size_t net_stream_room(struct net_stream *stream, uint8_t **ret)
{
	/* Seldom more than the beginning of one frame is moved. */
	if (stream->start) {
		stream->end -= stream->start;
		memmove(stream->data, stream->data + stream->start, stream->end);
		stream->start = 0;
	}
	*ret = stream->data + stream->end;
	return NET_STREAM_SIZE - stream->end;
}

void net_stream_filled(struct net_stream *stream, size_t size)
{
	stream->end += size;
}

int net_stream_peek(const struct net_stream *stream, const uint8_t **ret, size_t *ret_size)
{
	size_t there = stream->end - stream->start;
	size_t size;

	if (there < NET_STREAM_PREFIX)
		return 0;
	size = prefix(stream);
	if (size > NET_FRAME_MAX)
		return -EPROTO;
	if (there - NET_STREAM_PREFIX < size)
		return 0;
	*ret = stream->data + stream->start + NET_STREAM_PREFIX;
	*ret_size = size;
	return 1;
}

void net_stream_take(struct net_stream *stream)
{
	stream->start += NET_STREAM_PREFIX + prefix(stream);
}
