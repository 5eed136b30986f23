/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fxt_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define THREADS    256
#define INLINE_BIT BIT(15) /* of a string: it is here, and so long */
#define WORD_BYTES sizeof(uint64_t)

struct reader {
	const struct fxt_visitor *visitor;
	char **strings; /* FXT_STRINGS + 1; NULL: not told */
	struct {
		uint64_t process;
		uint64_t thread;
	} threads[THREADS];
};

/* A record, and how far it was read. */
struct record {
	const unsigned char *bytes;
	size_t words;
	size_t at;
	bool bad; /* more was wanted than there is */
};

static uint64_t next(struct record *record)
{
	uint64_t word = 0;

	if (record->at >= record->words) {
		record->bad = true;
		return 0;
	}
	memcpy(&word, record->bytes + WORD_BYTES * record->at++, WORD_BYTES);
	return word;
}

/* @count bytes, which fill whole words; NULL: they are not there. */
static const unsigned char *take(struct record *record, size_t count)
{
	size_t words = (count + WORD_BYTES - 1) / WORD_BYTES;
	const unsigned char *bytes = record->bytes + WORD_BYTES * record->at;

	if (words > record->words - record->at) {
		record->bad = true;
		return NULL;
	}
	record->at += words;
	return bytes;
}

/* A string that is told in place is nobody's: such an event has no name here. */
static const char *string_of(const struct reader *reader, struct record *record, uint64_t number)
{
	if (number & INLINE_BIT) {
		take(record, number & (INLINE_BIT - 1));
		return "";
	}
	return reader->strings[number] ? reader->strings[number] : "";
}

static int read_string(struct reader *reader, struct record *record, uint64_t header)
{
	size_t number = header >> 16 & FXT_STRINGS, length = header >> 32 & FXT_STRINGS;
	const unsigned char *bytes = take(record, length);
	char *text;

	if (!bytes || !number)
		return 0;
	text = strndup((const char *)bytes, length);
	if (!text)
		return -ENOMEM;
	free(reader->strings[number]);
	reader->strings[number] = text;
	return 0;
}

static void read_argument(const struct reader *reader, struct record *record,
			  struct fxt_seen_argument *ret)
{
	size_t begin = record->at;
	uint64_t header = next(record);
	size_t words = header >> 4 & 0xfff;

	ret->name = string_of(reader, record, header >> 16 & 0xffff);
	switch (header & 0xf) {
	case FXT_UINT32:
		ret->value = header >> 32;
		break;
	case FXT_UINT64:
	case FXT_POINTER:
	case FXT_KOID:
		ret->value = next(record);
		break;
	default:
		break;
	}
	if (!words || words > record->words - begin)
		record->bad = true;
	else
		record->at = begin + words;
}

static void read_event(struct reader *reader, struct record *record, uint64_t header)
{
	size_t thread = header >> 24 & 0xff;
	struct fxt_seen seen = {.event = (enum fxt_event)(header >> 16 & 0xf),
				.count = header >> 20 & 0xf,
				.when = next(record)};

	seen.process = thread ? reader->threads[thread].process : next(record);
	seen.thread = thread ? reader->threads[thread].thread : next(record);
	seen.category = string_of(reader, record, header >> 32 & 0xffff);
	seen.name = string_of(reader, record, header >> 48);
	for (unsigned i = 0; i < seen.count; i++)
		read_argument(reader, record, &seen.arguments[i]);
	if (!record->bad && record->at < record->words)
		seen.last = next(record);
	if (!record->bad && reader->visitor->event)
		reader->visitor->event(reader->visitor->data, &seen);
}

static void read_thread(struct reader *reader, struct record *record, uint64_t header)
{
	size_t number = header >> 16 & 0xff;
	uint64_t process = next(record), thread = next(record);

	if (!number || record->bad)
		return;
	reader->threads[number].process = process;
	reader->threads[number].thread = thread;
}

static int read_record(struct reader *reader, struct record *record)
{
	uint64_t header = next(record), frequency;

	switch (header & 0xf) {
	case FXT_INITIALIZATION:
		frequency = next(record);
		if (!record->bad && frequency && reader->visitor->frequency)
			reader->visitor->frequency(reader->visitor->data, frequency);
		return 0;
	case FXT_STRING:
		return read_string(reader, record, header);
	case FXT_THREAD:
		read_thread(reader, record, header);
		return 0;
	case FXT_EVENT:
		read_event(reader, record, header);
		return 0;
	default:
		return 0;
	}
}

static int read_all(struct reader *reader, const unsigned char *bytes, size_t size)
{
	size_t words = size / WORD_BYTES, at = 0;
	int r = 0;

	while (at < words && r == 0) {
		struct record record = {.bytes = bytes + WORD_BYTES * at};
		uint64_t header;

		memcpy(&header, record.bytes, WORD_BYTES);
		/* Large ones have more bits for it. */
		record.words = header >> 4 & ((header & 0xf) == FXT_LARGE ? UINT32_MAX : 0xfff);
		if (!record.words)
			return -EINVAL;
		if (record.words > words - at)
			break;
		at += record.words;
		r = read_record(reader, &record);
	}
	return r;
}

int fxt_read(const void *bytes, size_t size, const struct fxt_visitor *visitor, struct error *err)
{
	struct reader reader = {.visitor = visitor};
	uint64_t magic = 0;
	int r;

	if (size >= sizeof(magic))
		memcpy(&magic, bytes, sizeof(magic));
	if (magic != FXT_MAGIC)
		return error_set(err, EINVAL, "that is no trace: it does not begin as one");
	reader.strings = calloc(FXT_STRINGS + 1, sizeof(*reader.strings));
	if (!reader.strings)
		return error_set_errno(err, ENOMEM, "the trace");
	r = read_all(&reader, bytes, size);
	for (size_t i = 0; i <= FXT_STRINGS; i++)
		free(reader.strings[i]);
	free(reader.strings);
	if (r == -ENOMEM)
		return error_set_errno(err, ENOMEM, "the trace");
	return r < 0 ? error_set(err, -r, "the trace is damaged: it has a record of no length") : 0;
}

bool fxt_argument(const struct fxt_seen *seen, const char *name, uint64_t *ret)
{
	for (unsigned i = 0; i < seen->count; i++) {
		if (!strcmp(seen->arguments[i].name, name)) {
			*ret = seen->arguments[i].value;
			return true;
		}
	}
	return false;
}
