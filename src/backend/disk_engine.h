/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Engines
 *
 * An engine has the disk's thread. It waits there for kicks and performs
 * steps: what one system call (or one command of a protocol) does. It knows
 * neither requests nor clients; disk_job.c makes steps out of requests.
 *
 * All of the client's functions are called in the engine's thread, and
 * perform() is called from within them only. A step is given back by
 * stepped(), never from within perform().
 */
#ifndef ARMLET_BACKEND_DISK_ENGINE_H
#define ARMLET_BACKEND_DISK_ENGINE_H

#include <sys/uio.h>

#include "base/util.h"

#define DISK_STEPS_MAX      128         /* under way at once */
#define DISK_THREAD_STACK   (128 * KIB) /* PTHREAD_STACK_MIN of arm64 */
#define DISK_THREAD_NAME    "disk"
#define DISK_WORKER_NAME    "disk-worker"
#define DISK_WORKER_THREADS 8

enum disk_step_kind {
	DISK_STEP_NONE, /* only given back, with the result that it has */
	DISK_STEP_READ,
	DISK_STEP_WRITE,
	DISK_STEP_SYNC,
	DISK_STEP_DISCARD,
	DISK_STEP_PUNCH, /* zeroes, and the space is given back */
	DISK_STEP_ZERO,  /* zeroes, and the space is kept */
};

struct disk_step {
	enum disk_step_kind kind;
	int fd;            /* of a file or block device; an engine may have its own way */
	bool block_device; /* what @fd is */
	bool durable;      /* WRITE: stable when done */
	uint32_t iov_count;
	struct iovec *iov; /* READ, WRITE: of @size bytes */
	uint64_t offset;
	uint64_t size;
	int64_t result; /* READ, WRITE: bytes, maybe fewer; else 0; or -errno */
	bool lost;      /* SYNC that failed: what it was for may be gone; false at first */

	struct disk_step *next; /* the engine's */
};

struct disk_engine_client {
	void (*kicked)(void *data); /* also when the thread begins */
	void (*stepped)(void *data, struct disk_step *step);
	void (*settled)(void *data);
	void *data;
};

struct disk_engine;

struct disk_engine_ops {
	const char *name;
	/*
	 * @context is what the disk has for it. *@ret is set before the thread calls
	 * anybody; it is nothing if the start fails: -errno.
	 */
	int (*start)(void *context, const struct disk_engine_client *client, const int *kick_fds,
		     unsigned count, struct disk_engine **ret);
	void (*perform)(struct disk_engine *engine, struct disk_step *step);
	/* Returns, and the engine is gone, when no step is left. */
	void (*stop)(struct disk_engine *engine);
};

extern const struct disk_engine_ops disk_uring_engine;
extern const struct disk_engine_ops disk_threads_engine;

/* Steps in the order of their coming. */
struct step_list {
	struct disk_step *first;
	struct disk_step *last;
};

static inline void step_list_add(struct step_list *list, struct disk_step *step)
{
	step->next = NULL;
	if (list->first)
		list->last->next = step;
	else
		list->first = step;
	list->last = step;
}

static inline struct disk_step *step_list_take(struct step_list *list)
{
	struct disk_step *step = list->first;

	if (step)
		list->first = step->next;
	return step;
}

/* Do what @step says, waiting for it, and set its result. */
void disk_step_perform(struct disk_step *step);

/* The mode of fallocate(2) for DISCARD, PUNCH and ZERO. */
int disk_step_fallocate_mode(enum disk_step_kind kind);

#endif
