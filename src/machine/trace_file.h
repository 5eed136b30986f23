/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a trace, in the Fuchsia trace format (core/fxt.h). Events wait in buffers,
 * each of which is written as a block that begins with whose events they are; strings are
 * written at once, so they are there before the first event that names them. What cannot
 * be written ends the file, and nothing else.
 *
 * Threads: any, under the trace lock, but for open and finish, which are the main thread's
 * while nothing is traced; a buffer itself is its owner's.
 */
#ifndef ARMLET_MACHINE_TRACE_FILE_H
#define ARMLET_MACHINE_TRACE_FILE_H

#include "base/error.h"
#include "base/tally.h"
#include "core/fxt.h"
#include "hyp/hyp.h"

#define TRACE_BUFFER_WORDS 8192

/* Strings that are always there. */
enum trace_string {
	TRACE_STRING_NONE,
	TRACE_STRING_EXITS,
	TRACE_STRING_MMIO,
	TRACE_STRING_PSCI,
	TRACE_STRING_IRQ,
	TRACE_STRING_NISV,
	TRACE_STRING_PC,
	TRACE_STRING_PC_WEIGHT,
	TRACE_STRING_ADDRESS,
	TRACE_STRING_VALUE,
	TRACE_STRING_SIZE,
	TRACE_STRING_DETAIL,
	TRACE_STRING_INSTRUCTION,
	TRACE_STRING_COUNT,
	TRACE_STRING_PROCESS,
	TRACE_STRING_ARMLET,
	TRACE_STRING_DEVICES,
	TRACE_STRING_VECTORS,
	TRACE_STRING_REASONS, /* the first of VCPU_EXIT_REASONS */
};

struct trace_file {
	int fd; /* -1: none, or no more */
	int error;
	bool begun; /* its head is written: what goes wrong is not the caller's to tell any more */
	char *path;
	uint64_t process;
	uint16_t strings; /* how many have numbers */
	uint64_t events;
	struct tally names; /* by whatever has a name; the mark: its number */
};

struct trace_buffer {
	uint64_t *words; /* NULL: there is no file */
	size_t used;
	uint64_t thread;
	uint64_t events;
};

/* @threads vCPUs have tracks of their own, "vcpu0" and on. Fails with a sentence. */
int trace_file_open(struct trace_file *file, const char *path, uint32_t threads, struct error *err);
void trace_file_close(struct trace_file *file); /* the path stays */
void trace_file_finish(struct trace_file *file);

/* The number of what is called @text, and known by @key; 0 if there is none to be had. */
uint16_t trace_file_name(struct trace_file *file, uint64_t key, const char *text);

/* @index: of a vCPU, or -1. */
int trace_buffer_init(struct trace_buffer *buffer, const struct trace_file *file, int64_t index);
void trace_buffer_finish(struct trace_buffer *buffer);

/* Its block to the file. */
void trace_buffer_flush(struct trace_buffer *buffer, struct trace_file *file);

static inline bool trace_buffer_is_full(const struct trace_buffer *buffer)
{
	return buffer->used > TRACE_BUFFER_WORDS - FXT_EVENT_WORDS;
}

/* Where the next event goes, and that it has gone there; its thread is number 1. */
static inline uint64_t *trace_buffer_next(const struct trace_buffer *buffer)
{
	return buffer->words + buffer->used;
}

static inline void trace_buffer_put(struct trace_buffer *buffer, size_t words)
{
	buffer->used += words;
	buffer->events++;
}

#endif
