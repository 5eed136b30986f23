/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Fuchsia trace format, which Perfetto's user interface and its trace processor open
 * (https://fuchsia.dev/fuchsia-src/reference/tracing/trace-format). A file is a row of
 * records of 64-bit words, in the byte order of who writes it; what is written here is
 * only put together in memory. Strings and threads are named by numbers that a record has
 * told before.
 *
 * Threads: any.
 */
#ifndef ARMLET_CORE_FXT_H
#define ARMLET_CORE_FXT_H

#include <stddef.h>
#include <stdint.h>

#define FXT_STRINGS      0x7fff /* numbers from 1 to this */
#define FXT_STRING_BYTES 256    /* longer ones are cut */
#define FXT_RECORD_WORDS (2 + FXT_STRING_BYTES / 8)
#define FXT_EVENT_WORDS  16 /* most that an event here has */

enum fxt_record {
	FXT_METADATA = 0,
	FXT_INITIALIZATION = 1,
	FXT_STRING = 2,
	FXT_THREAD = 3,
	FXT_EVENT = 4,
	FXT_KERNEL_OBJECT = 7,
	FXT_LARGE = 15,
};

enum fxt_event {
	FXT_INSTANT = 0,
	FXT_COMPLETE = 4,    /* a duration; its last word is when it ended */
	FXT_ASYNC_BEGIN = 5, /* its last word names what is begun */
	FXT_ASYNC_END = 7,
};

enum fxt_argument {
	FXT_UINT32 = 2,
	FXT_UINT64 = 4,
	FXT_POINTER = 7, /* a number that is shown in hexadecimal */
	FXT_KOID = 8,
};

enum fxt_object { FXT_PROCESS = 1, FXT_THREAD_OBJECT = 2 };

#define FXT_MAGIC UINT64_C(0x0016547846040010)

/* Each puts one record at @words, and returns how many words it has. */
size_t fxt_put_begin(uint64_t *words, uint64_t ticks_per_second); /* first of all; two records */
size_t fxt_put_string(uint64_t *words, uint16_t index, const char *text);
size_t fxt_put_thread(uint64_t *words, uint8_t index, uint64_t process, uint64_t thread);

/* The name of a process or thread; @process and its argument's name @process_word only of a thread.
 */
struct fxt_name {
	enum fxt_object kind;
	uint64_t koid;
	uint16_t name;
	uint16_t process_word;
	uint64_t process;
};
size_t fxt_put_name(uint64_t *words, const struct fxt_name *name);

/*
 * An event: fxt_begin(), its arguments, at most 15, then fxt_end(), or fxt_end_word() for
 * those with a last word. @category and @name are strings.
 */
struct fxt_writer {
	uint64_t *words;
	size_t count;
	unsigned arguments;
};

static inline struct fxt_writer fxt_begin(uint64_t *words, uint64_t when)
{
	words[1] = when;
	return (struct fxt_writer){.words = words, .count = 2};
}

static inline void fxt_add_u32(struct fxt_writer *writer, uint16_t name, uint32_t value)
{
	writer->words[writer->count++] =
		FXT_UINT32 | 1U << 4 | (uint64_t)name << 16 | (uint64_t)value << 32;
	writer->arguments++;
}

static inline void fxt_add_word(struct fxt_writer *writer, enum fxt_argument type, uint16_t name,
				uint64_t value)
{
	writer->words[writer->count++] = (uint64_t)type | 2U << 4 | (uint64_t)name << 16;
	writer->words[writer->count++] = value;
	writer->arguments++;
}

/* What the event is. */
struct fxt_kind {
	enum fxt_event event;
	uint8_t thread;
	uint16_t category;
	uint16_t name;
};

static inline size_t fxt_end(struct fxt_writer *writer, struct fxt_kind kind)
{
	writer->words[0] = FXT_EVENT | writer->count << 4 | (uint64_t)kind.event << 16 |
			   (uint64_t)writer->arguments << 20 | (uint64_t)kind.thread << 24 |
			   (uint64_t)kind.category << 32 | kind.name * (UINT64_C(1) << 48);
	return writer->count;
}

static inline size_t fxt_end_word(struct fxt_writer *writer, struct fxt_kind kind, uint64_t word)
{
	writer->words[writer->count++] = word;
	return fxt_end(writer, kind);
}

#endif
