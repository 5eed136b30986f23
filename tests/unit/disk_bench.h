/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of a disk, as a device model would be: requests are put in a queue
 * and kicked for by an eventfd; the disk's thread takes them from there.
 */
#ifndef ARMLET_TESTS_DISK_BENCH_H
#define ARMLET_TESTS_DISK_BENCH_H

#include <pthread.h>

#include "backend/disk.h"

#define DISK_BENCH_KICKS 2
#define DISK_BENCH_IOV   16

struct bench_request {
	struct disk_request request; /* first */
	struct iovec iov[DISK_BENCH_IOV];
	struct bench_request *next;
	bool done;
	uint8_t *data; /* of random requests */
	size_t start;  /* of what is read or written, in it */
};

struct disk_bench {
	struct disk *disk;
	bool running;
	int kicks[DISK_BENCH_KICKS];
	unsigned next_kick;
	unsigned resubmits; /* done() submits the next at once so often */
	pthread_mutex_t lock;
	pthread_cond_t settled;
	struct bench_request *queue; /* newest first: the order of requests is nobody's promise */
	unsigned submitted, told, visible; /* requests; told by done(), and settled since */
	unsigned kicked_calls, settled_calls;
};

/* A directory of this test's own, and a file in it, of @size bytes that are not zero. */
const char *disk_directory(void);
const char *disk_file(const char *name, uint64_t size);
uint8_t disk_pattern(uint64_t offset); /* what is at @offset of it */

/* Open and start it: 0, or what either said. */
int bench_open(struct disk_bench *bench, const struct disk_options *options, struct error *err);
void bench_start(struct disk_bench *bench);
void bench_stop(struct disk_bench *bench);
void bench_close(struct disk_bench *bench);

/* Put into the queue, and kick. */
void bench_submit(struct disk_bench *bench, struct bench_request *request);
/* Until all that was submitted is done. */
void bench_wait(struct disk_bench *bench);

/* One request, waited for; its result. READ and WRITE: @data of @size bytes, in one piece. */
int bench_do(struct disk_bench *bench, enum disk_op op, uint64_t offset, void *data, uint64_t size);

/* Random requests at @depth, against a model of the whole disk. */
void bench_random(struct disk_bench *bench, unsigned seed, unsigned depth, unsigned count);
/* What the disk has now, against what the file had before: all the same. */
void bench_check_pattern(struct disk_bench *bench, uint64_t size);

/* Whether the program can be run here. */
bool disk_have(const char *program);

#endif
