/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Disks
 *
 * A disk is what stands behind a block device: bytes that can be read, written
 * and made stable. A device model hands it requests and is told when they are
 * done; how that happens (io_uring, threads, a socket) is the back end's own.
 *
 * Between start and stop a disk has a thread of its own. It waits for the
 * client's eventfds and for what is under way, and it alone calls the client,
 * which submits from there. So the way of a request needs no lock:
 *
 *	eventfd signalled -> client->kicked() -> disk_submit() for each
 *	... done -> client->done() for each -> client->settled()
 *
 * settled() comes once behind each run of the others, when the thread has
 * nothing more to tell and before it waits: the moment to interrupt a guest
 * once for many.
 *
 * What a flush promises is the back end's to keep: a request that was done
 * before the flush was submitted is stable when the flush is done. One that
 * failed is no different from success to the next: Linux has dropped what it
 * could not write (fsync(2), EIO), and a server that crashed has forgotten it.
 * So its client has to hear of it, however patient it is with other failures.
 */
#ifndef ARMLET_CORE_DISK_H
#define ARMLET_CORE_DISK_H

#include <sys/uio.h>

#include "base/counter.h"
#include "base/error.h"

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD, DISK_WRITE_ZEROES };
#define DISK_OPS (DISK_WRITE_ZEROES + 1)

/* The client's; untouched by it from submit until it is done. */
struct disk_request {
	enum disk_op op;
	bool unmap;         /* WRITE_ZEROES: the space may be given back */
	uint64_t offset;    /* bytes; a multiple of the logical block, as is @size */
	uint64_t size;      /* never beyond the end of the disk */
	struct iovec *iov;  /* READ, WRITE: @size bytes in all; the disk may change it */
	uint32_t iov_count; /* any number */
	int result;         /* when done: 0 or -errno */
	bool lost;          /* FLUSH that failed, and to try it again would hide that: see above */

	/* The disk's. */
	struct disk_request *next;
	uint64_t done;
};

struct disk_info {
	uint64_t size;                /* bytes: a multiple of @logical_block */
	uint32_t logical_block;       /* bytes: the least that can be read or written */
	uint32_t physical_block;      /* bytes: the least that is written in one piece */
	uint32_t optimal_io;          /* bytes; 0: not known */
	uint32_t discard_granularity; /* bytes; 0: it cannot discard */
	bool write_zeroes;            /* can do so without zeroes being sent */
	bool read_only;
	bool write_cache;   /* data may be lost without a flush */
	const char *format; /* of what is behind it: "raw", "qcow2", ..., "nbd"; NULL: not known */
};

/* What became of the requests of one kind; base/counter.h. */
struct disk_counters {
	uint64_t done;
	uint64_t failed;
	uint64_t bytes; /* of those done */
};

struct disk_client {
	/* In the disk's thread: an eventfd was signalled, or the disk has just started. */
	void (*kicked)(void *data);
	void (*done)(void *data, struct disk_request *request);
	void (*settled)(void *data);
	void *data;
};

struct disk;

struct disk_ops {
	/* All required but for @resize. */
	int (*start)(struct disk *disk, const struct disk_client *client, const int *kick_fds,
		     unsigned count, struct error *err);
	void (*submit)(struct disk *disk, struct disk_request *request);
	void (*stop)(struct disk *disk);
	/* The size may have changed: look anew. -errno if that cannot be told. */
	int (*refresh)(struct disk *disk);
	/* Optional: make it @size bytes, a multiple of the logical block, and look anew. */
	int (*resize)(struct disk *disk, uint64_t size);
	void (*destroy)(struct disk *disk);
};

/* What a back end's structure begins with; disk_open() (backend/disk.h) makes them. */
struct disk {
	const struct disk_ops *ops;
	struct disk_info info;
	struct disk_counters counters[DISK_OPS]; /* by the client, in the disk's thread */
};

/* The client has answered @request. */
static inline void disk_count(struct disk *disk, const struct disk_request *request)
{
	struct disk_counters *counters = &disk->counters[request->op];

	if (request->result < 0) {
		counter_add(&counters->failed, 1);
		return;
	}
	counter_add(&counters->done, 1);
	counter_add(&counters->bytes, request->size);
}

/*
 * Begin: @count eventfds are watched, which the disk reads; @client and the
 * descriptors outlive the stop. Fails with a sentence.
 */
static inline int disk_start(struct disk *disk, const struct disk_client *client,
			     const int *kick_fds, unsigned count, struct error *err)
{
	return disk->ops->start(disk, client, kick_fds, count, err);
}

/* In the disk's thread only. Its end comes later, by client->done(), never from within. */
static inline void disk_submit(struct disk *disk, struct disk_request *request)
{
	disk->ops->submit(disk, request);
}

/*
 * Any thread but the disk's: no more kicks are taken; returns when every
 * request is done, the client was told of it, and the thread has ended.
 */
static inline void disk_stop(struct disk *disk)
{
	disk->ops->stop(disk);
}

/* Takes NULL; a disk that was started has been stopped. */
static inline void disk_destroy(struct disk *disk)
{
	if (disk)
		disk->ops->destroy(disk);
}

DEFINE_CLEANUP(struct disk *, disk_destroy)

#endif
