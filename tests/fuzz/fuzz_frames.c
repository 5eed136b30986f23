/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a guest writes to the port of a test. The first byte says how many piece
 * sizes follow, which are used in turn, and how many zeros stand behind the input, so that a
 * large frame has an end. At once or by pieces it is the same, and what is taken is the
 * beginning of what was written.
 */
#include "trial/frames.h"

#include <string.h>

#include "fuzz.h"

#define INPUT_MAX  16384
#define SIZES_MASK 0x0f
#define PADDING(x) ((size_t)((x) >> 4 & 3) * (WIRE_PAYLOAD / 2))
#define STREAM_MAX (INPUT_MAX + 2 * WIRE_PAYLOAD)

struct input {
	const uint8_t *sizes; /* of pieces, less one */
	size_t size_count;
	uint8_t stream[STREAM_MAX];
	size_t stream_size;
};

/* The frames that came, as they were on the wire. */
struct output {
	struct frames frames;
	const struct input *input;
	size_t same; /* bytes of the stream */
};

static void take(void *data, enum wire_kind kind, const uint8_t *payload, size_t size)
{
	struct output *output = data;
	const uint8_t *wire = output->input->stream + output->same;

	FUZZ_ASSERT(kind >= WIRE_HELLO && kind <= WIRE_EXIT && size <= WIRE_PAYLOAD);
	FUZZ_ASSERT(output->input->stream_size - output->same >= WIRE_HEADER + size);
	for (size_t i = 0; i < WIRE_HEADER; i++)
		FUZZ_ASSERT(wire[i] == (uint8_t)(wire_pack(kind, size) >> 8 * i));
	FUZZ_ASSERT(!memcmp(wire + WIRE_HEADER, payload, size));
	output->same += WIRE_HEADER + size;
}

static void begin(struct output *output, const struct input *input)
{
	memset(&output->frames, 0, sizeof(output->frames));
	output->input = input;
	output->same = 0;
}

static int feed(struct output *output, const uint8_t *bytes, size_t size)
{
	struct error err = {0};
	int r = frames_feed(&output->frames, bytes, size, take, output, &err);

	FUZZ_ASSERT(r == 0 ? !err.code : r == -EPROTO && err.code == EPROTO && err.text[0]);
	return r;
}

static int feed_pieces(struct output *output, const struct input *input)
{
	size_t turn = 0, piece;
	int r = 0;

	for (size_t at = 0; at < input->stream_size; at += piece) {
		piece = min_u64(input->sizes[turn++ % input->size_count] + 1,
				input->stream_size - at);
		FUZZ_ASSERT(feed(output, input->stream + at, piece) <= r);
		r = output->frames.broken ? -EPROTO : 0;
	}
	return r;
}

static void cut(struct input *input, const uint8_t *data, size_t size)
{
	size_t padding = PADDING(data[0]);

	input->size_count = min_u64(1 + (data[0] & SIZES_MASK), size - 1);
	input->sizes = data + 1;
	data += 1 + input->size_count;
	size = min_u64(size - 1 - input->size_count, INPUT_MAX);
	memcpy(input->stream, data, size);
	memset(input->stream + size, 0, padding);
	input->stream_size = size + padding;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct output whole, pieces;
	static struct input input;
	int r;

	if (size < 2)
		return 0;
	cut(&input, data, size);
	begin(&whole, &input);
	begin(&pieces, &input);
	r = feed(&whole, input.stream, input.stream_size);
	FUZZ_ASSERT(feed_pieces(&pieces, &input) == r);
	FUZZ_ASSERT(pieces.same == whole.same && pieces.frames.have == whole.frames.have);
	FUZZ_ASSERT(r < 0 || whole.same + whole.frames.have == input.stream_size);
	return 0;
}
