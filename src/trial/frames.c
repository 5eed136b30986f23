/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/frames.h"

#include <string.h>

#include "base/cursor.h"

static bool is_guests(enum wire_kind kind)
{
	return kind >= WIRE_HELLO && kind <= WIRE_EXIT;
}

static uint32_t header_of(const struct frames *frames)
{
	return (uint32_t)frames->header[0] | (uint32_t)frames->header[1] << 8 |
	       (uint32_t)frames->header[2] << 16 | (uint32_t)frames->header[3] << 24;
}

/* Bytes that the present frame has in all, as far as is known. */
static size_t wanted(const struct frames *frames)
{
	if (frames->have < WIRE_HEADER)
		return WIRE_HEADER;
	return WIRE_HEADER + wire_size_of(header_of(frames));
}

static int check_header(struct frames *frames, struct error *err)
{
	uint32_t header = header_of(frames);

	if (is_guests(wire_kind_of(header)) && wire_size_of(header) <= WIRE_PAYLOAD)
		return 0;
	frames->broken = true;
	return error_set(err, EPROTO,
			 "the guest has written to the port " WIRE_PORT
			 " what armlet's init never does (0x%08x)",
			 header);
}

/* As much of @bytes as the present frame lacks; returns how much that was. */
static size_t fill(struct frames *frames, const uint8_t *bytes, size_t size)
{
	bool in_header = frames->have < WIRE_HEADER;
	size_t lacks = min_u64(wanted(frames) - frames->have, size);

	if (in_header)
		memcpy(frames->header + frames->have, bytes, lacks);
	else
		memcpy(frames->payload + (frames->have - WIRE_HEADER), bytes, lacks);
	frames->have += lacks;
	return lacks;
}

int frames_feed(struct frames *frames, const uint8_t *bytes, size_t size, frames_take *take,
		void *data, struct error *err)
{
	if (frames->broken)
		return check_header(frames, err);
	while (size) {
		bool in_header = frames->have < WIRE_HEADER;
		size_t took = fill(frames, bytes, size);

		bytes += took;
		size -= took;
		if (in_header && frames->have == WIRE_HEADER && check_header(frames, err) < 0)
			return -EPROTO;
		if (frames->have < WIRE_HEADER || frames->have < wanted(frames))
			continue;
		take(data, wire_kind_of(header_of(frames)), frames->payload,
		     wire_size_of(header_of(frames)));
		frames->have = 0;
	}
	return 0;
}
