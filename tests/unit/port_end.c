/* SPDX-License-Identifier: Apache-2.0 */
#include "port_end.h"

#include <check.h>
#include <string.h>

#include "core/device.h"
#include "core/iov.h"

static struct port_end *to_end(struct stream *stream)
{
	return container_of(stream, struct port_end, stream);
}

static ssize_t end_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct port_end *end = to_end(stream);
	size_t size;

	end->wants_input = !end->input_size;
	if (!end->input_size)
		return -EAGAIN;
	size = iov_write(iov, count, 0, end->input, end->input_size);
	ck_assert_uint_gt(size, 0);
	end->input_size -= size;
	memmove(end->input, end->input + size, end->input_size);
	return (ssize_t)size;
}

static ssize_t end_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct port_end *end = to_end(stream);
	size_t size = iov_size(iov, count);
	size_t kept;

	if (!stream->open)
		return (ssize_t)size;
	ck_assert_uint_gt(size, 0);
	end->wants_room = !end->room;
	if (!end->room)
		return -EAGAIN;
	size = min_u64(size, end->room);
	end->room -= size;
	kept = min_u64(end->output_count, PORT_END_SIZE - 1);
	iov_read(iov, count, 0, end->output + kept, min_u64(size, PORT_END_SIZE - 1 - kept));
	end->output_count += size;
	return (ssize_t)size;
}

static const struct stream_ops end_ops = {.read = end_read, .write = end_write};

void port_end_init(struct port_end *end)
{
	memset(end, 0, sizeof(*end));
	end->stream.ops = &end_ops;
	end->stream.where = "a test";
	end->stream.open = true;
	end->stream.peers = 1;
	end->room = SIZE_MAX;
}

static void call(struct port_end *end, void (*callback)(void *data))
{
	device_lock(end->stream.client.owner);
	callback(end->stream.client.data);
	device_unlock(end->stream.client.owner);
}

void port_end_give(struct port_end *end, const char *text)
{
	size_t size = min_u64(strlen(text), PORT_END_SIZE - end->input_size);

	memcpy(end->input + end->input_size, text, size);
	end->input_size += size;
	if (end->wants_input && size) {
		end->wants_input = false;
		call(end, end->stream.client.readable);
	}
}

void port_end_make_room(struct port_end *end, size_t room)
{
	end->room = room;
	if (end->wants_room && room) {
		end->wants_room = false;
		call(end, end->stream.client.writable);
	}
}

void port_end_open(struct port_end *end, bool open)
{
	if (end->stream.open == open)
		return;
	end->stream.open = open;
	end->stream.peers += open;
	call(end, end->stream.client.changed);
}
