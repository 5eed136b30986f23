/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of the main thread: file descriptors, and timers as file
 * descriptors, over epoll. A source may belong to a device, whose lock is then
 * held around its callback.
 *
 * Threads: event_loop_run() and callbacks are the main thread's. Sources may
 * be added, changed and removed by any thread that holds the owner's lock
 * (removal by another thread than the main one needs the owner: a callback
 * that is just due finds its source gone and does not run).
 */
#ifndef ARMLET_CORE_EVENT_LOOP_H
#define ARMLET_CORE_EVENT_LOOP_H

#include "base/error.h"

struct device;
struct event_loop;

enum event_flags { EVENT_READ = 1, EVENT_WRITE = 2, EVENT_HANGUP = 4, EVENT_EDGE = 8 };

/* Embed it and zero it; the loop fills it. fd is -1 (or 0 with loop NULL) while it is idle. */
struct event_source {
	struct event_loop *loop;
	int fd;
	unsigned events; /* that it is watched for */
	bool owns_fd;    /* closed on removal */
	bool is_timer;   /* the loop reads its expirations */
	struct device *owner;
	void (*callback)(void *data, unsigned events);
	void *data;
};

int event_loop_create(struct event_loop **ret, struct error *err);
void event_loop_destroy(struct event_loop *loop); /* takes NULL */

DEFINE_CLEANUP(struct event_loop *, event_loop_destroy)

/*
 * Watch @fd for @events (of enum event_flags; EVENT_HANGUP always comes). With
 * EVENT_EDGE the callback runs once for each change, not for as long as @fd is ready:
 * an eventfd need not be read.
 * -EPERM: the fd is of a kind that is always ready, as regular files are.
 */
int event_loop_add(struct event_loop *loop, struct event_source *source, int fd, unsigned events);
int event_source_modify(struct event_source *source, unsigned events); /* free if it is no change */

/* Takes an idle source too. */
void event_source_remove(struct event_source *source);

/*
 * Make @source a timer of CLOCK_MONOTONIC, or of CLOCK_REALTIME, disarmed; its
 * callback gets EVENT_READ. event_timer_set(): first shot after @first_ns (or
 * at the absolute time @first_ns), then each @period_ns; zero disarms, or makes
 * it a single shot.
 */
int event_loop_add_timer(struct event_loop *loop, struct event_source *source, int clockid);
int event_timer_set(struct event_source *source, uint64_t first_ns, uint64_t period_ns);
int event_timer_set_at(struct event_source *source, int64_t deadline_ns);

/* Run callbacks until event_loop_stop(); each call runs at least one round. */
int event_loop_run(struct event_loop *loop);

/*
 * The main thread's: call @function once, when the loop has nothing else to do, as the last
 * thing before it waits.
 */
void event_loop_before_rest(struct event_loop *loop, void (*function)(void));

/* Any thread, signal-safe: make event_loop_run() return after the present round. */
void event_loop_stop(struct event_loop *loop);

#endif
