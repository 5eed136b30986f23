/* SPDX-License-Identifier: Apache-2.0 */
/* A client of a stream that notes how it is called, and a folder for the stream's files. */
#ifndef ARMLET_TESTS_STREAM_BENCH_H
#define ARMLET_TESTS_STREAM_BENCH_H

#include "backend/stream.h"

#define STREAM_BENCH_PATH 64

struct stream_bench {
	struct event_loop *loop;
	struct stream *stream;
	unsigned readable; /* how often */
	unsigned writable;
	unsigned changed;
	char folder[STREAM_BENCH_PATH];
	char path[STREAM_BENCH_PATH]; /* a name in it */
};

/* A bench with a new folder, and no stream yet. */
void stream_bench_init(struct stream_bench *bench);

/* Destroys the stream, and removes the folder, which must be empty. */
void stream_bench_finish(struct stream_bench *bench);

/* Open @spec, in which %s stands for the path, and attach the bench to it. */
void stream_bench_open(struct stream_bench *bench, const char *spec);
void stream_bench_attach(struct stream_bench *bench);

/* The spec is refused with a sentence that has @words in it. */
void stream_bench_refused(struct stream_bench *bench, const char *spec, const char *words);

/* Let the event loop do what there is; fails if there is no end to it. */
void stream_bench_run(struct stream_bench *bench);

/* stream_write() of a text, and stream_read() into one that is valid until the next. */
ssize_t stream_bench_write(struct stream_bench *bench, const char *text);
const char *stream_bench_read(struct stream_bench *bench);

/* Write until it takes no more; returns how many bytes it took. */
size_t stream_bench_fill(struct stream_bench *bench);

/* A new connection to the socket at the path; not blocking. */
int stream_bench_connect(struct stream_bench *bench);

/* What can be read from @fd now; "" also at its end. */
const char *stream_bench_take(int fd);

/* The text of the file PATH@suffix, or NULL; then it is removed. */
const char *stream_bench_file(struct stream_bench *bench, const char *suffix);

#endif
