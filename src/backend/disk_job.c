/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_job.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "disk_format.h"
#include "disk_overlay.h"

#define BOUNCE_MAX   MIB
#define BOUNCE_ALIGN 4096
#define ZEROES_MAX   (64 * KIB)

/* A request under way. */
struct disk_job {
	struct disk_step step;
	struct disk_request *request;
	struct disk_job *next; /* idle */
	struct iovec *iov;     /* what is left of the request's */
	uint32_t iov_count;
	struct iovec *cut; /* the last of the step's, if it is only a part of itself */
	size_t cut_size;   /* what it lacks */
	void *bounce;      /* the data of the step, where the request's cannot serve */
	struct iovec own;  /* of @bounce, or of zeroes */
	bool synced;       /* and so done: the last step */
};

/* What plans return, or -errno. */
enum { PLAN_DONE, PLAN_STEP };

/* ---- The data of a job ---------------------------------------------------- */

static uint64_t left_of(const struct disk_job *job)
{
	return job->request->size - job->request->done;
}

static void skip_empty(struct disk_job *job)
{
	while (job->iov_count && !job->iov->iov_len) {
		job->iov++;
		job->iov_count--;
	}
}

/* @size bytes are done. */
static void advance(struct disk_job *job, uint64_t size)
{
	job->request->done += size;
	skip_empty(job);
	while (size && job->iov_count) {
		size_t part = min_u64(size, job->iov->iov_len);

		job->iov->iov_base = (uint8_t *)job->iov->iov_base + part;
		job->iov->iov_len -= part;
		size -= part;
		skip_empty(job);
	}
}

/* Let the step have at most @max bytes, in place: the piece that is too long is cut. */
static void slice(struct disk_job *job, uint64_t max)
{
	struct disk_step *step = &job->step;
	uint64_t size = 0;
	uint32_t count = 0;

	skip_empty(job);
	while (count < job->iov_count && count < IOV_MAX && size < max) {
		struct iovec *iov = &job->iov[count++];

		if (iov->iov_len > max - size) {
			job->cut = iov;
			job->cut_size = iov->iov_len - (max - size);
			iov->iov_len = max - size;
		}
		size += iov->iov_len;
	}
	step->iov = job->iov;
	step->iov_count = count;
	step->size = size;
}

static void mend_cut(struct disk_job *job)
{
	if (job->cut)
		job->cut->iov_len += job->cut_size;
	job->cut = NULL;
}

/* Copy @size bytes between the bounce buffer and where the job is. */
static void copy_bounce(struct disk_job *job, size_t size, bool to_bounce)
{
	uint8_t *at = job->bounce;

	for (uint32_t i = 0; i < job->iov_count && size; i++) {
		size_t part = min_u64(size, job->iov[i].iov_len);

		if (to_bounce)
			memcpy(at, job->iov[i].iov_base, part);
		else
			memcpy(job->iov[i].iov_base, at, part);
		at += part;
		size -= part;
	}
}

static bool begins_guarded(const struct disk_jobs *jobs, const struct disk_request *request)
{
	return jobs->guard_first_block && request->op == DISK_WRITE && !request->offset;
}

static bool needs_bounce(const struct disk_jobs *jobs, const struct disk_job *job)
{
	if (begins_guarded(jobs, job->request) || (jobs->contiguous && job->iov_count > 1))
		return true;
	if (!jobs->memory_align)
		return false;
	for (uint32_t i = 0; i < job->iov_count; i++) {
		if (!is_aligned((uintptr_t)job->iov[i].iov_base, jobs->memory_align) ||
		    !is_aligned(job->iov[i].iov_len, jobs->length_align))
			return true;
	}
	return false;
}

static int make_bounce(const struct disk_jobs *jobs, struct disk_job *job)
{
	size_t align = max_u64(BOUNCE_ALIGN, jobs->memory_align);

	if (!needs_bounce(jobs, job))
		return 0;
	job->bounce =
		aligned_alloc(align, align_up(min_u64(BOUNCE_MAX, job->request->size), align));
	return job->bounce ? 0 : -ENOMEM;
}

/* ---- Plans ---------------------------------------------------------------- */

static int plan_step(const struct disk_jobs *jobs, struct disk_job *job, enum disk_step_kind kind)
{
	job->step.kind = kind;
	job->step.fd = jobs->fd;
	job->step.offset = job->request->offset + job->request->done;
	job->step.size = left_of(job);
	job->step.durable = false;
	return PLAN_STEP;
}

/* The end of what changes the disk. */
static int plan_stable(const struct disk_jobs *jobs, struct disk_job *job)
{
	if (!jobs->writethrough || job->synced)
		return PLAN_DONE;
	return plan_step(jobs, job, DISK_STEP_SYNC);
}

/*
 * Over an overlay, let a step go to the file that has the bytes. For a @change,
 * first fill what is missing: PLAN_DONE if that was all.
 */
static int plan_overlay(struct disk_jobs *jobs, struct disk_job *job, bool change)
{
	const struct iovec *iov = job->request->op == DISK_WRITE ? job->iov : NULL;
	bool present;

	while (left_of(job)) {
		uint64_t offset = job->request->offset + job->request->done;
		uint64_t run = disk_overlay_run(jobs->overlay, offset, left_of(job), &job->step.fd,
						&present);
		int64_t filled;

		job->step.offset = offset;
		job->step.size = run;
		if (present || !change)
			return PLAN_STEP;
		filled = disk_overlay_fill(jobs->overlay, offset, run, iov, job->iov_count);
		if (filled < 0)
			return (int)filled;
		advance(job, (uint64_t)filled);
		iov = iov ? job->iov : NULL;
	}
	return PLAN_DONE;
}

/*
 * A guest that makes its raw disk look like an image of another format
 * (backend/disk.h). It is our copy that is looked at and written, since the
 * guest can change its own meanwhile.
 */
static bool is_guarded(struct disk_jobs *jobs, const struct disk_job *job)
{
	if (!begins_guarded(jobs, job->request) || job->request->done)
		return false;
	if (!disk_format_of_head(job->bounce, min_u64(job->step.size, DISK_FORMAT_HEAD)))
		return false;
	if (!jobs->guarded)
		log_warning("--disk %s: the guest may not write the beginning of a disk image to "
			    "the first block; with format=raw it may",
			    jobs->path);
	jobs->guarded = true;
	return true;
}

static int plan_bounce(struct disk_jobs *jobs, struct disk_job *job)
{
	struct disk_step *step = &job->step;

	step->size = min_u64(step->size, BOUNCE_MAX);
	if (step->kind == DISK_STEP_WRITE)
		copy_bounce(job, step->size, true);
	if (is_guarded(jobs, job))
		return -EPERM;
	job->own = (struct iovec){.iov_base = job->bounce, .iov_len = step->size};
	step->iov = &job->own;
	step->iov_count = 1;
	return PLAN_STEP;
}

static int plan_transfer(struct disk_jobs *jobs, struct disk_job *job)
{
	bool write = job->request->op == DISK_WRITE;
	int r;

	if (!left_of(job))
		return write && jobs->syncs_writes ? plan_stable(jobs, job) : PLAN_DONE;
	plan_step(jobs, job, write ? DISK_STEP_WRITE : DISK_STEP_READ);
	if (jobs->overlay) {
		r = plan_overlay(jobs, job, write);
		if (r != PLAN_STEP)
			return r;
	}
	job->step.durable = write && jobs->writethrough && !jobs->syncs_writes;
	if (jobs->max_data)
		job->step.size = min_u64(job->step.size, jobs->max_data);
	if (job->bounce)
		return plan_bounce(jobs, job);
	slice(job, job->step.size);
	return PLAN_STEP;
}

static int plan_flush(struct disk_jobs *jobs, struct disk_job *job)
{
	if (jobs->ignore_flush || job->synced)
		return PLAN_DONE;
	return plan_step(jobs, job, DISK_STEP_SYNC);
}

static int plan_range(struct disk_jobs *jobs, struct disk_job *job, enum disk_step_kind kind)
{
	plan_step(jobs, job, kind);
	if (jobs->max_range)
		job->step.size = min_u64(job->step.size, jobs->max_range);
	return PLAN_STEP;
}

/* Zeroes that have to be sent. */
static int plan_zero_data(struct disk_job *job)
{
	struct disk_step *step = &job->step;

	if (!job->bounce) {
		job->bounce = aligned_alloc(ZEROES_MAX, ZEROES_MAX);
		if (!job->bounce)
			return -ENOMEM;
		memset(job->bounce, 0, ZEROES_MAX);
	}
	step->kind = DISK_STEP_WRITE;
	step->size = min_u64(step->size, ZEROES_MAX);
	job->own = (struct iovec){.iov_base = job->bounce, .iov_len = step->size};
	step->iov = &job->own;
	step->iov_count = 1;
	return PLAN_STEP;
}

static int plan_zeroes(struct disk_jobs *jobs, struct disk_job *job, bool unmap)
{
	bool punch = unmap && !jobs->ignore_discard && !jobs->no_punch;
	int r;

	if (!left_of(job))
		return plan_stable(jobs, job);
	plan_range(jobs, job, punch ? DISK_STEP_PUNCH : DISK_STEP_ZERO);
	if (jobs->overlay) {
		r = plan_overlay(jobs, job, true);
		if (r != PLAN_STEP)
			return r;
	}
	return punch || !jobs->no_zero ? PLAN_STEP : plan_zero_data(job);
}

static int plan_discard(struct disk_jobs *jobs, struct disk_job *job)
{
	if (jobs->ignore_discard || jobs->disk.info.read_only)
		return PLAN_DONE;
	/* In an overlay a cluster without data is a cluster of zeroes. */
	if (jobs->overlay)
		return plan_zeroes(jobs, job, true);
	if (!left_of(job))
		return plan_stable(jobs, job);
	return plan_range(jobs, job, DISK_STEP_DISCARD);
}

/* What comes next: PLAN_STEP, PLAN_DONE, or -errno. */
static int plan(struct disk_jobs *jobs, struct disk_job *job)
{
	switch (job->request->op) {
	case DISK_READ:
		return plan_transfer(jobs, job);
	case DISK_WRITE:
		return jobs->disk.info.read_only ? -EROFS : plan_transfer(jobs, job);
	case DISK_FLUSH:
		return plan_flush(jobs, job);
	case DISK_DISCARD:
		return plan_discard(jobs, job);
	case DISK_WRITE_ZEROES:
		return jobs->disk.info.read_only ? -EROFS
						 : plan_zeroes(jobs, job, job->request->unmap);
	}
	return -EOPNOTSUPP;
}

/* ---- From request to request ---------------------------------------------- */

static void perform(struct disk_jobs *jobs, struct disk_job *job)
{
	jobs->running_ops->perform(jobs->running, &job->step);
}

static bool has_job(const struct disk_jobs *jobs)
{
	return jobs->idle || jobs->job_count < DISK_STEPS_MAX;
}

static struct disk_job *take_job(struct disk_jobs *jobs)
{
	struct disk_job *job = jobs->idle;

	if (job)
		jobs->idle = job->next;
	else
		job = &jobs->jobs[jobs->job_count++];
	return job;
}

static void begin(struct disk_jobs *jobs, struct disk_request *request)
{
	struct disk_job *job = take_job(jobs);
	int r;

	request->done = 0;
	request->lost = false;
	*job = (struct disk_job){.request = request};
	job->step.block_device = jobs->block_device;
	if (request->op == DISK_READ || request->op == DISK_WRITE) {
		job->iov = request->iov;
		job->iov_count = request->iov_count;
	}
	r = make_bounce(jobs, job);
	if (r == 0)
		r = plan(jobs, job);
	/* Its end is told later, also if there is nothing to do. */
	if (r != PLAN_STEP) {
		job->step.kind = DISK_STEP_NONE;
		job->step.result = r;
	}
	perform(jobs, job);
}

static void finish(struct disk_jobs *jobs, struct disk_job *job, int result)
{
	struct disk_request *request = job->request;

	free(job->bounce);
	job->bounce = NULL;
	job->next = jobs->idle;
	jobs->idle = job;
	request->result = result;
	jobs->client.done(jobs->client.data, request);
	while (jobs->first && has_job(jobs)) {
		struct disk_request *next = jobs->first;

		jobs->first = next->next;
		begin(jobs, next);
	}
}

static bool is_unsupported(int64_t result)
{
	return result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL ||
	       result == -ENOTTY || result == -ENODEV;
}

/* Bytes were read or written. Returns 0 or -errno. */
static int account_data(const struct disk_jobs *jobs, struct disk_job *job)
{
	const struct disk_step *step = &job->step;
	uint64_t size = (uint64_t)step->result;

	/* The file ended early, between two blocks or within one: it was cut while in use. */
	if (!size || (jobs->memory_align && !is_aligned(size, jobs->length_align)))
		return -EIO;
	if (job->bounce && step->kind == DISK_STEP_READ)
		copy_bounce(job, size, false);
	advance(job, size);
	return 0;
}

/* The same of a range that should be discarded or zeroed, with what the file system refused. */
static int account_range(struct disk_jobs *jobs, struct disk_job *job)
{
	const struct disk_step *step = &job->step;

	if (step->result >= 0) {
		job->request->done += step->size;
		return 0;
	}
	if (!is_unsupported(step->result))
		return (int)step->result;
	if (step->kind == DISK_STEP_DISCARD)
		jobs->ignore_discard = true; /* it is a hint, and taken as such */
	else if (step->kind == DISK_STEP_PUNCH)
		jobs->no_punch = true;
	else
		jobs->no_zero = true;
	return 0;
}

/* A write that is made stable at once is made anew when it is tried again; a flush is not. */
static int account_sync(struct disk_jobs *jobs, struct disk_job *job)
{
	const struct disk_step *step = &job->step;

	job->synced = true;
	if (step->result >= 0)
		return 0;
	job->request->lost = step->lost && job->request->op == DISK_FLUSH;
	if (job->request->lost && !jobs->lost)
		log_error("--disk %s: a flush failed: %s; what was written before may be gone, "
			  "and the guest is told",
			  jobs->path, strerror((int)-step->result));
	jobs->lost |= job->request->lost;
	return (int)step->result;
}

/* What the step has done. Returns 0 if the next is to be planned, or -errno. */
static int account(struct disk_jobs *jobs, struct disk_job *job)
{
	const struct disk_step *step = &job->step;

	mend_cut(job);
	if (step->result == -EINTR || step->result == -EAGAIN)
		return 0;
	switch (step->kind) {
	case DISK_STEP_READ:
	case DISK_STEP_WRITE:
		return step->result < 0 ? (int)step->result : account_data(jobs, job);
	case DISK_STEP_SYNC:
		return account_sync(jobs, job);
	case DISK_STEP_DISCARD:
	case DISK_STEP_PUNCH:
	case DISK_STEP_ZERO:
		return account_range(jobs, job);
	case DISK_STEP_NONE:
		break;
	}
	return (int)step->result;
}

static void stepped(void *data, struct disk_step *step)
{
	struct disk_jobs *jobs = data;
	struct disk_job *job = container_of(step, struct disk_job, step);
	int r = account(jobs, job);

	if (r == 0 && step->kind != DISK_STEP_NONE)
		r = plan(jobs, job);
	if (r == PLAN_STEP)
		perform(jobs, job);
	else
		finish(jobs, job, r);
}

static void kicked(void *data)
{
	struct disk_jobs *jobs = data;

	jobs->client.kicked(jobs->client.data);
}

static void settled(void *data)
{
	struct disk_jobs *jobs = data;

	jobs->client.settled(jobs->client.data);
}

void disk_jobs_submit(struct disk *disk, struct disk_request *request)
{
	struct disk_jobs *jobs = container_of(disk, struct disk_jobs, disk);

	if (!jobs->first && has_job(jobs)) {
		begin(jobs, request);
		return;
	}
	request->next = NULL;
	if (jobs->first)
		jobs->last->next = request;
	else
		jobs->first = request;
	jobs->last = request;
}

/* ---- Start and stop ------------------------------------------------------- */

static int start_engine(struct disk_jobs *jobs, const struct disk_engine_ops *ops,
			const int *kick_fds, unsigned count)
{
	const struct disk_engine_client client = {
		.kicked = kicked, .stepped = stepped, .settled = settled, .data = jobs};
	int r;

	jobs->running_ops = ops;
	r = ops->start(jobs->context, &client, kick_fds, count, &jobs->running);
	if (r < 0)
		log_debug("--disk %s: no %s: %s", jobs->path, ops->name, strerror(-r));
	else
		log_debug("--disk %s: by %s", jobs->path, ops->name);
	return r;
}

int disk_jobs_start(struct disk *disk, const struct disk_client *client, const int *kick_fds,
		    unsigned count, struct error *err)
{
	struct disk_jobs *jobs = container_of(disk, struct disk_jobs, disk);
	const struct disk_engine_ops *first = jobs->engine;
	int r;

	if (!first)
		first = jobs->aio == DISK_AIO_THREADS ? &disk_threads_engine : &disk_uring_engine;
	assert(!jobs->jobs);
	jobs->client = *client;
	jobs->job_count = 0;
	jobs->idle = NULL;
	/* Not cleared: memory that no job was in yet is not touched. */
	jobs->jobs = malloc(DISK_STEPS_MAX * sizeof(*jobs->jobs));
	if (!jobs->jobs)
		return error_set_errno(err, ENOMEM, "--disk %s", jobs->path);
	r = start_engine(jobs, first, kick_fds, count);
	if (r < 0 && !jobs->engine && jobs->aio == DISK_AIO_AUTO)
		r = start_engine(jobs, &disk_threads_engine, kick_fds, count);
	if (r == 0)
		return 0;
	free(jobs->jobs);
	jobs->jobs = NULL;
	if (jobs->aio == DISK_AIO_URING)
		return error_set(err, -r,
				 "--disk %s: this host has no io_uring for us: %s; leave out "
				 "aio=io_uring, and threads are used",
				 jobs->path, strerror(-r));
	return error_set_errno(err, -r, "--disk %s: its thread cannot be started", jobs->path);
}

void disk_jobs_stop(struct disk *disk)
{
	struct disk_jobs *jobs = container_of(disk, struct disk_jobs, disk);

	jobs->running_ops->stop(jobs->running);
	jobs->running = NULL;
	free(jobs->jobs);
	jobs->jobs = NULL;
}

void disk_jobs_finish(struct disk_jobs *jobs)
{
	disk_overlay_destroy(jobs->overlay);
	close_fd(jobs->fd);
	free(jobs->path);
}
