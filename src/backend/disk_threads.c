/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The engine of threads
 *
 * For where io_uring cannot be had. The disk's thread waits in poll(2); steps
 * go to workers, each of which is in one system call at a time. A worker is
 * started when there is a step and nobody idle to take it.
 */
#include <stdatomic.h>

#include "disk_engine.h"
#include "disk_kicks.h"

struct disk_engine {
	struct disk_engine_client client;
	struct disk_kicks *kicks;
	pthread_t thread;
	atomic_bool stopping;

	/* The disk's thread's own. */
	struct step_list finished; /* without a worker */
	unsigned under_way;
	unsigned worker_count;
	pthread_t workers[DISK_WORKER_THREADS];

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t work;
	struct step_list todo;
	struct step_list done;
	unsigned todo_count;
	unsigned idle;
	bool ending;
};

static void *worker(void *data)
{
	struct disk_engine *engine = data;

	pthread_mutex_lock(&engine->lock);
	for (;;) {
		struct disk_step *step = step_list_take(&engine->todo);
		bool first;

		if (!step && engine->ending)
			break;
		if (!step) {
			engine->idle++;
			pthread_cond_wait(&engine->work, &engine->lock);
			engine->idle--;
			continue;
		}
		engine->todo_count--;
		pthread_mutex_unlock(&engine->lock);
		disk_step_perform(step);
		pthread_mutex_lock(&engine->lock);
		first = !engine->done.first;
		step_list_add(&engine->done, step);
		/* Who finds others there knows that the disk's thread is woken already. */
		if (first)
			disk_kicks_wake(engine->kicks);
	}
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

/* Add one if those idle are fewer than the steps to do; without any, the step is done here. */
static bool have_worker(struct disk_engine *engine, bool wanted)
{
	if (wanted && engine->worker_count < DISK_WORKER_THREADS &&
	    disk_thread_create(&engine->workers[engine->worker_count], DISK_WORKER_NAME, worker,
			       engine) == 0)
		engine->worker_count++;
	return engine->worker_count > 0;
}

static void threads_perform(struct disk_engine *engine, struct disk_step *step)
{
	bool wanted;

	engine->under_way++;
	if (step->kind == DISK_STEP_NONE) {
		step_list_add(&engine->finished, step);
		return;
	}
	pthread_mutex_lock(&engine->lock);
	wanted = engine->idle <= engine->todo_count;
	pthread_mutex_unlock(&engine->lock);
	if (!have_worker(engine, wanted)) {
		disk_step_perform(step);
		step_list_add(&engine->finished, step);
		return;
	}
	pthread_mutex_lock(&engine->lock);
	step_list_add(&engine->todo, step);
	engine->todo_count++;
	pthread_cond_signal(&engine->work);
	pthread_mutex_unlock(&engine->lock);
}

static struct step_list take_done(struct disk_engine *engine)
{
	struct step_list done;

	pthread_mutex_lock(&engine->lock);
	done = engine->done;
	engine->done = (struct step_list){0};
	pthread_mutex_unlock(&engine->lock);
	return done;
}

/* Give back what is done; true if there was something. */
static bool deliver(struct disk_engine *engine)
{
	struct step_list done = take_done(engine);
	struct disk_step *step;
	bool any = false;

	while ((step = step_list_take(&done)) || (step = step_list_take(&engine->finished))) {
		engine->under_way--;
		any = true;
		engine->client.stepped(engine->client.data, step);
	}
	return any;
}

static void *run(void *data)
{
	struct disk_engine *engine = data;
	bool kicked = true;

	for (;;) {
		bool told = false;
		short events;

		/* The stop may have come with the kick: then it is the next start's. */
		if (kicked && !atomic_load(&engine->stopping)) {
			engine->client.kicked(engine->client.data);
			told = true;
		}
		while (deliver(engine))
			told = true;
		if (told)
			engine->client.settled(engine->client.data);
		if (engine->finished.first) {
			kicked = false;
			continue;
		}
		if (!engine->under_way && atomic_load(&engine->stopping))
			return NULL;
		kicked = disk_kicks_wait(engine->kicks, -1, 0, &events);
	}
}

static void threads_free(struct disk_engine *engine)
{
	disk_kicks_destroy(engine->kicks);
	pthread_cond_destroy(&engine->work);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

static int threads_start(void *context, const struct disk_engine_client *client,
			 const int *kick_fds, unsigned count, struct disk_engine **ret)
{
	struct disk_engine *engine = calloc(1, sizeof(*engine));
	int r;

	(void)context;
	if (!engine)
		return -ENOMEM;
	engine->client = *client;
	pthread_mutex_init(&engine->lock, NULL);
	pthread_cond_init(&engine->work, NULL);
	r = disk_kicks_create(kick_fds, count, &engine->kicks);
	*ret = engine;
	if (r == 0)
		r = disk_thread_create(&engine->thread, DISK_THREAD_NAME, run, engine);
	if (r < 0)
		threads_free(engine);
	return r;
}

static void threads_stop(struct disk_engine *engine)
{
	atomic_store(&engine->stopping, true);
	disk_kicks_wake(engine->kicks);
	pthread_join(engine->thread, NULL);
	pthread_mutex_lock(&engine->lock);
	engine->ending = true;
	pthread_cond_broadcast(&engine->work);
	pthread_mutex_unlock(&engine->lock);
	for (unsigned i = 0; i < engine->worker_count; i++)
		pthread_join(engine->workers[i], NULL);
	threads_free(engine);
}

const struct disk_engine_ops disk_threads_engine = {
	.name = "threads",
	.start = threads_start,
	.perform = threads_perform,
	.stop = threads_stop,
};
