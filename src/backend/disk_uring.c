/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The engine of io_uring
 *
 * The disk's thread waits in io_uring itself, for all that it waits for. Each
 * eventfd is polled by one operation of the ring, which tells of every signal
 * until it is taken back; nobody reads the eventfd. So a request that comes
 * alone costs two system calls: one wait ends with the kick, the next submits
 * the request and ends with its completion.
 */
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "disk_engine.h"
#include "disk_kicks.h"

#define TRANSFER_MAX ((size_t)INT32_MAX) /* bytes of a piece that the ring can count */

/* An eventfd that is polled by the ring. */
struct watched {
	int fd;
	bool armed;
};

struct disk_engine {
	struct disk_engine_client client;
	struct io_uring ring;
	pthread_t thread;
	sem_t opened;
	int open_result;
	struct step_list waiting;  /* for room in the ring */
	struct step_list finished; /* without the ring */
	unsigned under_way;
	unsigned armed;
	bool kicked;
	bool stopping;
	bool cancelled;           /* the polling of kicks was taken back */
	unsigned count;           /* of @watched, with the one of stop() */
	struct watched watched[]; /* the first is that of stop() */
};

/* What a completion is of: a step, or by the lowest bit something watched; 0: nobody asks. */
#define WATCHED_TAG UINT64_C(1)

static uint64_t watched_data(const struct watched *watched)
{
	return (uint64_t)(uintptr_t)watched | WATCHED_TAG;
}

/* Most transfers are of one piece, for which the kernel copies no vector. */
static void prepare_transfer(struct io_uring_sqe *sqe, const struct disk_step *step, int one,
			     int several)
{
	const struct iovec *iov = step->iov;

	if (step->iov_count == 1 && iov->iov_len <= TRANSFER_MAX)
		io_uring_prep_rw(one, sqe, step->fd, iov->iov_base, (unsigned)iov->iov_len,
				 step->offset);
	else
		io_uring_prep_rw(several, sqe, step->fd, iov, step->iov_count, step->offset);
}

static void prepare(struct io_uring_sqe *sqe, const struct disk_step *step)
{
	switch (step->kind) {
	case DISK_STEP_READ:
		prepare_transfer(sqe, step, IORING_OP_READ, IORING_OP_READV);
		break;
	case DISK_STEP_WRITE:
		prepare_transfer(sqe, step, IORING_OP_WRITE, IORING_OP_WRITEV);
		sqe->rw_flags = step->durable ? RWF_DSYNC : 0;
		break;
	case DISK_STEP_SYNC:
		io_uring_prep_fsync(sqe, step->fd, IORING_FSYNC_DATASYNC);
		break;
	case DISK_STEP_NONE:
	case DISK_STEP_DISCARD:
	case DISK_STEP_PUNCH:
	case DISK_STEP_ZERO:
		io_uring_prep_fallocate(sqe, step->fd, disk_step_fallocate_mode(step->kind),
					(off_t)step->offset, (off_t)step->size);
		break;
	}
	io_uring_sqe_set_data64(sqe, (uint64_t)(uintptr_t)step);
}

static void uring_perform(struct disk_engine *engine, struct disk_step *step)
{
	bool discards_device = step->kind == DISK_STEP_DISCARD && step->block_device;

	engine->under_way++;
	/* An ioctl is no operation of the ring. */
	if (discards_device)
		disk_step_perform(step);
	if (discards_device || step->kind == DISK_STEP_NONE)
		step_list_add(&engine->finished, step);
	else
		step_list_add(&engine->waiting, step);
}

static void arm(struct disk_engine *engine, struct watched *watched)
{
	struct io_uring_sqe *sqe = watched->armed ? NULL : io_uring_get_sqe(&engine->ring);

	if (!sqe)
		return;
	if (watched == &engine->watched[0])
		io_uring_prep_poll_add(sqe, watched->fd, POLLIN);
	else
		io_uring_prep_poll_multishot(sqe, watched->fd, POLLIN);
	io_uring_sqe_set_data64(sqe, watched_data(watched));
	watched->armed = true;
	engine->armed++;
}

/* Once. */
static void cancel(struct disk_engine *engine)
{
	for (unsigned i = 1; i < engine->count; i++) {
		struct watched *watched = &engine->watched[i];
		struct io_uring_sqe *sqe;

		if (!watched->armed)
			continue;
		sqe = io_uring_get_sqe(&engine->ring);
		if (!sqe) {
			io_uring_submit(&engine->ring);
			sqe = io_uring_get_sqe(&engine->ring);
		}
		if (!sqe)
			return;
		io_uring_prep_cancel64(sqe, watched_data(watched), 0);
		io_uring_sqe_set_data64(sqe, 0);
	}
	engine->cancelled = true;
}

/* Put into the ring what should be in it, as far as there is room. */
static void fill(struct disk_engine *engine)
{
	if (engine->stopping && !engine->cancelled)
		cancel(engine);
	if (engine->armed < engine->count && !engine->stopping) {
		for (unsigned i = 0; i < engine->count; i++)
			arm(engine, &engine->watched[i]);
	}
	while (engine->waiting.first) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&engine->ring);

		if (!sqe)
			return;
		prepare(sqe, step_list_take(&engine->waiting));
	}
}

static void give_back(struct disk_engine *engine, struct disk_step *step)
{
	engine->under_way--;
	engine->client.stepped(engine->client.data, step);
}

/* True if the client was told something. */
static bool complete(struct disk_engine *engine, const struct io_uring_cqe *cqe)
{
	uint64_t data = io_uring_cqe_get_data64(cqe);
	struct watched *watched = (struct watched *)(uintptr_t)(data & ~WATCHED_TAG);
	struct disk_step *step = (struct disk_step *)(uintptr_t)data;

	if (!data)
		return false;
	if (data & WATCHED_TAG) {
		if (!(cqe->flags & IORING_CQE_F_MORE)) {
			watched->armed = false;
			engine->armed--;
		}
		if (cqe->res > 0 && watched == &engine->watched[0])
			engine->stopping = true;
		else if (cqe->res > 0)
			engine->kicked = true;
		return false;
	}
	step->result = cqe->res;
	step->lost = step->kind == DISK_STEP_SYNC && cqe->res < 0;
	give_back(engine, step);
	return true;
}

/* All that is there to be told, until nothing is left. */
static bool take(struct disk_engine *engine)
{
	struct io_uring_cqe *cqe;
	struct disk_step *step;
	bool told = false;
	unsigned head, count;

	do {
		count = 0;
		io_uring_for_each_cqe(&engine->ring, head, cqe)
		{
			count++;
			told |= complete(engine, cqe);
		}
		io_uring_cq_advance(&engine->ring, count);
		/* A stop that came with the kick leaves it to the next start. */
		if (engine->kicked && !engine->stopping) {
			engine->kicked = false;
			engine->client.kicked(engine->client.data);
			told = true;
		}
		while ((step = step_list_take(&engine->finished))) {
			give_back(engine, step);
			told = true;
		}
	} while (io_uring_cq_ready(&engine->ring));
	return told;
}

/* With as much of what makes a ring fast as this kernel knows. */
static int open_ring(struct io_uring *ring)
{
	static const unsigned flags[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		IORING_SETUP_COOP_TASKRUN,
		0,
	};
	int r = -EINVAL;

	for (size_t i = 0; i < ARRAY_SIZE(flags) && r == -EINVAL; i++)
		r = io_uring_queue_init(DISK_STEPS_MAX, ring, flags[i]);
	/* Linux 5.13 brought this together with polls that go on. */
	if (r == 0 && !(ring->features & IORING_FEAT_RSRC_TAGS)) {
		io_uring_queue_exit(ring);
		r = -EOPNOTSUPP;
	}
	/* Where it cannot be, each wait looks the ring's descriptor up. */
	if (r == 0)
		io_uring_register_ring_fd(ring);
	return r;
}

static void *run(void *data)
{
	struct disk_engine *engine = data;

	/* Here, since a ring of a single issuer belongs to the thread that makes it. */
	engine->open_result = open_ring(&engine->ring);
	sem_post(&engine->opened);
	if (engine->open_result < 0)
		return NULL;
	engine->kicked = true;
	for (;;) {
		if (take(engine)) {
			engine->client.settled(engine->client.data);
			if (engine->finished.first)
				continue;
		}
		fill(engine);
		if (engine->stopping && !engine->under_way && engine->cancelled && !engine->armed)
			return NULL;
		/* Interrupted, or too much at once: what could not be submitted waits in the ring.
		 */
		io_uring_submit_and_wait(&engine->ring, 1);
	}
}

static void uring_free(struct disk_engine *engine)
{
	close_fd(engine->watched[0].fd);
	sem_destroy(&engine->opened);
	free(engine);
}

/* Returns when the ring is open, or could not be. */
static int start_thread(struct disk_engine *engine)
{
	int r = disk_thread_create(&engine->thread, DISK_THREAD_NAME, run, engine);

	if (r < 0)
		return r;
	while (sem_wait(&engine->opened) < 0) {
		/* A signal: wait on. */
	}
	if (engine->open_result < 0)
		pthread_join(engine->thread, NULL);
	return engine->open_result;
}

static int uring_start(void *context, const struct disk_engine_client *client, const int *kick_fds,
		       unsigned count, struct disk_engine **ret)
{
	struct disk_engine *engine =
		calloc(1, sizeof(*engine) + (count + 1) * sizeof(struct watched));
	int r;

	(void)context;
	if (!engine)
		return -ENOMEM;
	engine->client = *client;
	engine->count = count + 1;
	sem_init(&engine->opened, 0, 0);
	for (unsigned i = 1; i < engine->count; i++)
		engine->watched[i].fd = kick_fds[i - 1];
	engine->watched[0].fd = eventfd(0, EFD_CLOEXEC);
	r = engine->watched[0].fd < 0 ? -errno : 0;
	*ret = engine;
	if (r == 0)
		r = start_thread(engine);
	if (r < 0)
		uring_free(engine);
	return r;
}

static void uring_stop(struct disk_engine *engine)
{
	uint64_t one = 1;

	if (write(engine->watched[0].fd, &one, sizeof(one)) < 0) {
		/* It is empty, and takes one. */
	}
	pthread_join(engine->thread, NULL);
	io_uring_queue_exit(&engine->ring);
	uring_free(engine);
}

const struct disk_engine_ops disk_uring_engine = {
	.name = "io_uring",
	.start = uring_start,
	.perform = uring_perform,
	.stop = uring_stop,
};
