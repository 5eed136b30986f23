/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "base/log.h"
#include "disk_kicks.h"
#include "disk_nbd.h"

/* A step that the server has. */
struct command {
	struct disk_engine *engine;
	struct disk_step *step; /* NULL: the command is free */
	uint64_t changes;       /* what a flush makes stable */
};

struct disk_engine {
	struct disk_engine_client client;
	struct disk_nbd_connection *connection;
	struct disk_kicks *kicks;
	pthread_t thread;
	atomic_bool stopping;
	struct step_list finished;
	unsigned under_way;
	unsigned last_command; /* where to look for a free one */
	struct command commands[DISK_STEPS_MAX];
};

static void finish(struct command *command, int64_t result)
{
	struct disk_step *step = command->step;

	command->step = NULL;
	step->result = result;
	step_list_add(&command->engine->finished, step);
}

/* The connection is what is broken when libnbd has another reason than the server's. */
static int64_t failure(int error)
{
	return error == ENOSPC || error == EPERM || error == EINVAL || error == EOPNOTSUPP ||
			       error == ENOMEM
		       ? -error
		       : -EIO;
}

/* Count what is changed, and what of that is stable. */
static void note_success(struct disk_nbd_connection *connection, const struct command *command)
{
	const struct disk_step *step = command->step;

	if (step->kind == DISK_STEP_SYNC)
		connection->stable = max_u64(connection->stable, command->changes);
	else if (step->kind != DISK_STEP_READ && !step->durable)
		connection->changes++;
}

static int completed(void *data, int *error)
{
	struct command *command = data;
	const struct disk_step *step = command->step;
	bool has_data;

	if (!step)
		return 1;
	has_data = step->kind == DISK_STEP_READ || step->kind == DISK_STEP_WRITE;
	if (*error) {
		/* The server's word on it; who is gone, or about to go, has said nothing. */
		command->step->lost =
			step->kind == DISK_STEP_SYNC && *error != ENOTCONN && *error != ESHUTDOWN;
		finish(command, failure(*error));
		return 1;
	}
	note_success(command->engine->connection, command);
	finish(command, has_data ? (int64_t)step->size : 0);
	return 1;
}

/* As many as there can be steps, so one is free. */
static struct command *take_command(struct disk_engine *engine)
{
	unsigned i = engine->last_command;

	do
		i = (i + 1) % DISK_STEPS_MAX;
	while (engine->commands[i].step);
	engine->last_command = i;
	return &engine->commands[i];
}

static int64_t send_command(struct disk_engine *engine, struct command *command)
{
	const struct disk_step *step = command->step;
	nbd_completion_callback callback = {0};
	uint32_t durable = step->durable ? LIBNBD_CMD_FLAG_FUA : 0;
	struct nbd_handle *nbd = engine->connection->handle;

	callback.callback = completed;
	callback.user_data = command;
	switch (step->kind) {
	case DISK_STEP_READ:
		return nbd_aio_pread(nbd, step->iov->iov_base, step->size, step->offset, callback,
				     0);
	case DISK_STEP_WRITE:
		return nbd_aio_pwrite(nbd, step->iov->iov_base, step->size, step->offset, callback,
				      durable);
	case DISK_STEP_DISCARD:
		return nbd_aio_trim(nbd, step->size, step->offset, callback, 0);
	case DISK_STEP_PUNCH:
		return nbd_aio_zero(nbd, step->size, step->offset, callback, 0);
	case DISK_STEP_ZERO:
		return nbd_aio_zero(nbd, step->size, step->offset, callback,
				    LIBNBD_CMD_FLAG_NO_HOLE);
	case DISK_STEP_NONE:
	case DISK_STEP_SYNC:
		break;
	}
	return nbd_aio_flush(nbd, callback, 0);
}

/* Once, when the connection is gone: nothing comes back any more. */
static void check_dead(struct disk_engine *engine)
{
	struct disk_nbd_connection *connection = engine->connection;
	const char *words = "";

	if (connection->dead || (nbd_aio_is_dead(connection->handle) <= 0 &&
				 nbd_aio_is_closed(connection->handle) <= 0))
		return;
	connection->dead = true;
	if (connection->helper && helper_process_wait(connection->helper, 0))
		words = helper_process_last_words(connection->helper);
	log_error("--disk %s: the connection to the %s is gone%s%s; %s", connection->path,
		  connection->helper ? "disk's qemu-nbd" : "NBD server", *words ? ": " : "", words,
		  connection->helper ? "from here on every access to this disk fails"
				     : "accesses fail until it can be reached again");
	for (unsigned i = 0; i < DISK_STEPS_MAX; i++) {
		if (engine->commands[i].step)
			finish(&engine->commands[i], -EIO);
	}
}

/* Hand it to the server: 0, or -errno if it will not come back from there. */
static int64_t begin(struct disk_engine *engine, struct disk_step *step)
{
	struct disk_nbd_connection *connection = engine->connection;
	struct command *command;
	int error, r = connection->dead ? disk_nbd_revive(connection) : 0;

	if (r < 0)
		return r;
	if (connection->doubtful && step->kind == DISK_STEP_SYNC) {
		connection->doubtful = false;
		connection->stable = connection->changes;
		step->lost = true;
		return -EIO;
	}
	command = take_command(engine);
	command->step = step;
	command->changes = connection->changes;
	if (send_command(engine, command) >= 0)
		return 0;
	error = nbd_get_errno();
	/* To a connection that is gone a command is invalid, which is not the reason. */
	check_dead(engine);
	/* It may have its end already. */
	if (!command->step)
		return 0;
	command->step = NULL;
	return failure(error);
}

static void nbd_engine_perform(struct disk_engine *engine, struct disk_step *step)
{
	int64_t result;

	engine->under_way++;
	result = step->kind == DISK_STEP_NONE ? step->result : begin(engine, step);
	if (result == 0 && step->kind != DISK_STEP_NONE)
		return;
	step->result = result;
	step_list_add(&engine->finished, step);
}

static bool deliver(struct disk_engine *engine)
{
	struct disk_step *step;
	bool any = false;

	while ((step = step_list_take(&engine->finished))) {
		engine->under_way--;
		any = true;
		engine->client.stepped(engine->client.data, step);
	}
	return any;
}

/* Wait for whatever comes next, and let libnbd have its part; true if there was a kick. */
static bool wait_for_more(struct disk_engine *engine)
{
	const struct disk_nbd_connection *connection = engine->connection;
	struct nbd_handle *handle = connection->handle;
	unsigned direction = connection->dead ? 0 : nbd_aio_get_direction(handle);
	short wanted = (short)((direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
			       (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0));
	int fd = connection->dead ? -1 : nbd_aio_get_fd(handle);
	short events;
	bool kicked = disk_kicks_wait(engine->kicks, fd, wanted, &events);

	/* A broken connection is found by using it. */
	if (events & (POLLHUP | POLLERR))
		events |= wanted;
	if (events & POLLIN)
		nbd_aio_notify_read(handle);
	else if (events & POLLOUT)
		nbd_aio_notify_write(handle);
	return kicked;
}

static void *run(void *data)
{
	struct disk_engine *engine = data;
	bool kicked = true;

	for (;;) {
		bool told = false;

		check_dead(engine);
		if (kicked && !atomic_load(&engine->stopping)) {
			engine->client.kicked(engine->client.data);
			told = true;
		}
		kicked = false;
		while (deliver(engine))
			told = true;
		if (told)
			engine->client.settled(engine->client.data);
		check_dead(engine);
		if (engine->finished.first)
			continue;
		if (!engine->under_way && atomic_load(&engine->stopping))
			return NULL;
		kicked = wait_for_more(engine);
	}
}

static int nbd_engine_start(void *context, const struct disk_engine_client *client,
			    const int *kick_fds, unsigned count, struct disk_engine **ret)
{
	struct disk_engine *engine = calloc(1, sizeof(*engine));
	int r;

	if (!engine)
		return -ENOMEM;
	engine->client = *client;
	engine->connection = context;
	for (unsigned i = 0; i < DISK_STEPS_MAX; i++)
		engine->commands[i].engine = engine;
	r = disk_kicks_create(kick_fds, count, &engine->kicks);
	*ret = engine;
	if (r == 0)
		r = disk_thread_create(&engine->thread, DISK_THREAD_NAME, run, engine);
	if (r < 0) {
		disk_kicks_destroy(engine->kicks);
		free(engine);
	}
	return r;
}

static void nbd_engine_stop(struct disk_engine *engine)
{
	atomic_store(&engine->stopping, true);
	disk_kicks_wake(engine->kicks);
	pthread_join(engine->thread, NULL);
	disk_kicks_destroy(engine->kicks);
	free(engine);
}

const struct disk_engine_ops disk_nbd_engine = {
	.name = "libnbd",
	.start = nbd_engine_start,
	.perform = nbd_engine_perform,
	.stop = nbd_engine_stop,
};
