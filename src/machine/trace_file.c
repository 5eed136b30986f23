/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/ticks.h"
#include "base/util.h"

#define NAMES        1024 /* of registers, interrupts and functions */
#define THREAD_WORDS 3    /* that a block begins with */

static const char *const strings[TRACE_STRING_REASONS] = {
	[TRACE_STRING_EXITS] = "exits",         [TRACE_STRING_MMIO] = "mmio",
	[TRACE_STRING_PSCI] = "psci",           [TRACE_STRING_IRQ] = "irq",
	[TRACE_STRING_NISV] = "nisv",           [TRACE_STRING_PC] = "pc",
	[TRACE_STRING_ADDRESS] = "address",     [TRACE_STRING_VALUE] = "value",
	[TRACE_STRING_SIZE] = "size",           [TRACE_STRING_DETAIL] = "detail",
	[TRACE_STRING_COUNT] = "count",         [TRACE_STRING_INSTRUCTION] = "instruction",
	[TRACE_STRING_PROCESS] = "process",     [TRACE_STRING_ARMLET] = "armlet",
	[TRACE_STRING_DEVICES] = "devices",     [TRACE_STRING_VECTORS] = "VBAR_EL1",
	[TRACE_STRING_PC_WEIGHT] = "pc-weight",
};

static void write_words(struct trace_file *file, const uint64_t *words, size_t count)
{
	const char *bytes = (const char *)words;
	size_t left = count * sizeof(*words);

	while (left && file->fd >= 0) {
		ssize_t done = write(file->fd, bytes, left);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			file->error = done < 0 ? errno : EIO;
			if (file->begun)
				log_error("trace: '%s': %s; nothing more is written to it",
					  file->path, strerror(file->error));
			trace_file_close(file);
			return;
		}
		bytes += done;
		left -= (size_t)done;
	}
}

static uint16_t write_string(struct trace_file *file, const char *text)
{
	uint64_t words[FXT_RECORD_WORDS];
	size_t count;

	if (file->strings == FXT_STRINGS)
		return 0;
	count = fxt_put_string(words, ++file->strings, text);
	write_words(file, words, count);
	return file->strings;
}

/* Devices (-1) are the process's first thread, as its number says; vCPUs follow. */
static uint64_t thread_number(const struct trace_file *file, int64_t index)
{
	return file->process + (uint64_t)(index + 1);
}

static void write_name(struct trace_file *file, enum fxt_object kind, uint64_t koid, uint16_t name)
{
	uint64_t words[FXT_RECORD_WORDS];
	const struct fxt_name record = {
		.kind = kind,
		.koid = koid,
		.name = name,
		.process_word = TRACE_STRING_PROCESS,
		.process = file->process,
	};
	size_t count = fxt_put_name(words, &record);

	write_words(file, words, count);
}

static void write_head(struct trace_file *file, uint32_t threads)
{
	uint64_t words[FXT_RECORD_WORDS];
	size_t count = fxt_put_begin(words, ticks_frequency());
	char name[16];

	write_words(file, words, count);
	for (unsigned i = 1; i < TRACE_STRING_REASONS; i++)
		write_string(file, strings[i]);
	for (unsigned i = 0; i < VCPU_EXIT_REASONS; i++)
		write_string(file, vcpu_exit_name((enum vcpu_exit_reason)i));
	write_name(file, FXT_PROCESS, file->process, TRACE_STRING_ARMLET);
	write_name(file, FXT_THREAD_OBJECT, thread_number(file, -1), TRACE_STRING_DEVICES);
	for (uint32_t i = 0; i < threads; i++) {
		snprintf(name, sizeof(name), "vcpu%u", i);
		write_name(file, FXT_THREAD_OBJECT, thread_number(file, i),
			   write_string(file, name));
	}
}

/* A pipe would have the vCPUs wait for its reader. */
static int open_new(struct trace_file *file, struct error *err)
{
	struct stat stat;

	file->fd = open(file->path,
			O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
	if (file->fd < 0 || fstat(file->fd, &stat) < 0)
		return error_set_errno(err, errno, "the trace '%s' cannot be made", file->path);
	if (!S_ISREG(stat.st_mode) && !S_ISCHR(stat.st_mode))
		return error_set(err, EINVAL, "the trace '%s' is to be a file, and that is none",
				 file->path);
	return 0;
}

int trace_file_open(struct trace_file *file, const char *path, uint32_t threads, struct error *err)
{
	int r;

	*file = (struct trace_file){.fd = -1, .process = (uint64_t)getpid()};
	file->path = strdup(path);
	r = file->path ? tally_init(&file->names, NAMES) : -ENOMEM;
	if (r < 0)
		return error_set_errno(err, -r, "there is no memory for a trace");
	r = open_new(file, err);
	if (r < 0)
		return r;
	write_head(file, threads);
	file->begun = true;
	return file->error
		       ? error_set_errno(err, file->error, "the trace '%s' cannot be written", path)
		       : 0;
}

void trace_file_close(struct trace_file *file)
{
	close_fd(file->fd);
	file->fd = -1;
}

void trace_file_finish(struct trace_file *file)
{
	trace_file_close(file);
	free(file->path);
	tally_finish(&file->names);
	*file = (struct trace_file){.fd = -1};
}

uint16_t trace_file_name(struct trace_file *file, uint64_t key, const char *text)
{
	struct tally_row *row = tally_row(&file->names, key);

	if (!row)
		return 0;
	if (!row->mark)
		row->mark = write_string(file, text);
	return (uint16_t)row->mark;
}

int trace_buffer_init(struct trace_buffer *buffer, const struct trace_file *file, int64_t index)
{
	*buffer = (struct trace_buffer){.used = THREAD_WORDS};
	if (file->fd < 0)
		return 0;
	buffer->words = calloc(TRACE_BUFFER_WORDS, sizeof(*buffer->words));
	if (!buffer->words)
		return -ENOMEM;
	buffer->thread = thread_number(file, index);
	return 0;
}

void trace_buffer_finish(struct trace_buffer *buffer)
{
	free(buffer->words);
	*buffer = (struct trace_buffer){0};
}

void trace_buffer_flush(struct trace_buffer *buffer, struct trace_file *file)
{
	if (!buffer->words || !buffer->events)
		return;
	fxt_put_thread(buffer->words, 1, file->process, buffer->thread);
	write_words(file, buffer->words, buffer->used);
	file->events += buffer->events;
	buffer->used = THREAD_WORDS;
	buffer->events = 0;
}
