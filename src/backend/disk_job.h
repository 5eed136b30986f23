/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Jobs
 *
 * What all disks of this layer have in common: requests become jobs, and a job
 * is done in steps, one after the other (disk_engine.h). After each step the
 * next is planned from what is done so far. So one mechanism serves short
 * reads, alignment, writes that must be stable, zeroes that have to be written,
 * and overlays.
 *
 * At most DISK_STEPS_MAX jobs are under way; further requests wait in line.
 */
#ifndef ARMLET_BACKEND_DISK_JOB_H
#define ARMLET_BACKEND_DISK_JOB_H

#include "backend/disk.h"
#include "disk_engine.h"

struct disk_overlay;
struct disk_job;

struct disk_jobs {
	struct disk disk;

	/* By who opens it, before the start; zero where nothing is said. */
	char *path; /* for sentences; freed by disk_jobs_finish() */
	int fd;     /* closed by disk_jobs_finish(); -EBADF: none */
	enum disk_aio aio;
	const struct disk_engine_ops *engine; /* NULL: by @aio */
	void *context;                        /* the engine's */
	struct disk_overlay *overlay;
	bool block_device;
	bool contiguous;        /* the data of a step is in one piece */
	bool writethrough;      /* all is stable when done */
	bool syncs_writes;      /* and for that a write needs a sync behind it */
	bool ignore_flush;      /* nothing has to be stable, ever */
	bool ignore_discard;    /* discards do nothing, and zeroes keep their space */
	bool guard_first_block; /* see backend/disk.h */
	uint32_t memory_align;  /* of buffers, a power of two; 0: any */
	uint32_t length_align;  /* of the pieces of buffers */
	uint64_t max_data;      /* of a step; 0: any */
	uint64_t max_range;     /* of a step that discards or zeroes; 0: any */

	/* While it runs: its thread's. */
	const struct disk_engine_ops *running_ops;
	struct disk_engine *running;
	struct disk_client client;
	struct disk_job *jobs;
	unsigned job_count;         /* have been used */
	struct disk_job *idle;      /* of those */
	struct disk_request *first; /* wait for a job */
	struct disk_request *last;
	bool no_punch; /* the file system cannot do it */
	bool no_zero;
	bool guarded; /* it was said once */
	bool lost;    /* likewise */
};

/* The operations of struct disk_ops that are the same for all. */
int disk_jobs_start(struct disk *disk, const struct disk_client *client, const int *kick_fds,
		    unsigned count, struct error *err);
void disk_jobs_submit(struct disk *disk, struct disk_request *request);
void disk_jobs_stop(struct disk *disk);

/* Free what it holds; it has been stopped. */
void disk_jobs_finish(struct disk_jobs *jobs);

#endif
