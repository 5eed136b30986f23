/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_packet.h"

#include <stdarg.h>
#include <string.h>

#define ESCAPE     '}'
#define ESCAPE_XOR 0x20
#define INTERRUPT  0x03

int gdb_reader_init(struct gdb_reader *reader)
{
	*reader = (struct gdb_reader){.data = malloc(GDB_PACKET_MAX + 1)};
	return reader->data ? 0 : -ENOMEM;
}

void gdb_reader_finish(struct gdb_reader *reader)
{
	free(steal_ptr(&reader->data));
}

static int digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static enum gdb_input outside(struct gdb_reader *reader, uint8_t byte)
{
	switch (byte) {
	case '$':
		reader->state = GDB_INSIDE;
		reader->too_long = false;
		reader->sum = 0;
		reader->size = 0;
		return GDB_NOTHING;
	case '-':
		return GDB_AGAIN;
	case INTERRUPT:
		return GDB_INTERRUPT;
	default:
		return GDB_NOTHING;
	}
}

static void store(struct gdb_reader *reader, uint8_t byte)
{
	if (reader->size < GDB_PACKET_MAX)
		reader->data[reader->size++] = (char)byte;
	else
		reader->too_long = true;
}

static void inside(struct gdb_reader *reader, uint8_t byte)
{
	if (byte == '#') {
		reader->state = GDB_SUM_1;
		return;
	}
	reader->sum += byte;
	if (byte == ESCAPE)
		reader->state = GDB_ESCAPED;
	else
		store(reader, byte);
}

static enum gdb_input end(struct gdb_reader *reader, int last)
{
	reader->state = GDB_OUTSIDE;
	if (last < 0 || reader->too_long || (uint8_t)(reader->wanted << 4 | last) != reader->sum)
		return GDB_DAMAGED;
	reader->data[reader->size] = '\0';
	return GDB_PACKET;
}

enum gdb_input gdb_reader_byte(struct gdb_reader *reader, uint8_t byte)
{
	switch (reader->state) {
	case GDB_OUTSIDE:
		return outside(reader, byte);
	case GDB_INSIDE:
		inside(reader, byte);
		return GDB_NOTHING;
	case GDB_ESCAPED:
		reader->sum += byte;
		reader->state = GDB_INSIDE;
		store(reader, byte ^ ESCAPE_XOR);
		return GDB_NOTHING;
	case GDB_SUM_1:
		reader->wanted = (uint8_t)digit(byte);
		reader->state = GDB_SUM_2;
		return digit(byte) < 0 ? end(reader, -1) : GDB_NOTHING;
	case GDB_SUM_2:
		return end(reader, digit(byte));
	}
	return GDB_NOTHING;
}

/* ---- Writing ---------------------------------------------------------------- */

void gdb_writer_finish(struct gdb_writer *writer)
{
	free(writer->data);
	*writer = (struct gdb_writer){0};
}

void gdb_raw(struct gdb_writer *writer, const char *data, size_t size)
{
	if (writer->room - writer->size < size && !writer->failed) {
		size_t room = 2 * writer->room + size + 256;
		char *grown = realloc(writer->data, room);

		writer->failed = !grown;
		if (grown) {
			writer->data = grown;
			writer->room = room;
		}
	}
	if (writer->failed)
		return;
	memcpy(writer->data + writer->size, data, size);
	writer->size += size;
}

void gdb_begin(struct gdb_writer *writer)
{
	writer->begun = writer->size;
	gdb_raw(writer, "$", 1);
}

void gdb_end(struct gdb_writer *writer)
{
	uint8_t sum = 0;
	char text[4];

	for (size_t i = writer->begun + 1; i < writer->size; i++)
		sum += (uint8_t)writer->data[i];
	snprintf(text, sizeof(text), "#%02x", sum);
	gdb_raw(writer, text, 3);
}

void gdb_put(struct gdb_writer *writer, const void *data, size_t size)
{
	const char *bytes = data;

	for (size_t i = 0; i < size; i++) {
		char escaped[2] = {ESCAPE, (char)(bytes[i] ^ ESCAPE_XOR)};
		bool plain =
			bytes[i] != '#' && bytes[i] != '$' && bytes[i] != ESCAPE && bytes[i] != '*';

		gdb_raw(writer, plain ? &bytes[i] : escaped, plain ? 1 : 2);
	}
}

void gdb_put_hex(struct gdb_writer *writer, const void *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++) {
		char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 0xf]};

		gdb_raw(writer, pair, 2);
	}
}

void gdb_printf(struct gdb_writer *writer, const char *fmt, ...)
{
	char text[256];
	va_list args;
	int size;

	va_start(args, fmt);
	size = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (size > 0)
		gdb_put(writer, text, min_u64((uint64_t)size, sizeof(text) - 1));
}

/* ---- What is in a packet ---------------------------------------------------- */

bool gdb_take(const char **at, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(*at, word, size) != 0)
		return false;
	*at += size;
	return true;
}

bool gdb_take_hex(const char **at, uint64_t *ret)
{
	const char *from = *at;
	uint64_t value = 0;

	for (; digit((uint8_t)*from) >= 0 && from - *at < 16; from++)
		value = value << 4 | (uint64_t)digit((uint8_t)*from);
	if (from == *at)
		return false;
	*ret = value;
	*at = from;
	return true;
}

bool gdb_take_bytes(const char **at, uint8_t *ret, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = digit((uint8_t)(*at)[2 * i]);
		int low = high < 0 ? -1 : digit((uint8_t)(*at)[2 * i + 1]);

		if (low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	*at += 2 * size;
	return true;
}
