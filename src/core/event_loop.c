/* SPDX-License-Identifier: Apache-2.0 */
#include "core/event_loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#include "core/device.h"

#define ROUND_EVENTS 16
#define NS_IN_S      1000000000

/*
 * Removal while a round is being worked off: the events of the round stay in
 * @round, and removal blanks those of its source. @lock guards @round only; it
 * is never held around a callback.
 */
struct event_loop {
	int epoll_fd;
	int stop_fd;
	void (*before_rest)(void); /* NULL: nothing is wanted */
	atomic_bool stop;          /* read by event_loop_run(); the descriptor only wakes it */
	pthread_mutex_t lock;
	struct epoll_event round[ROUND_EVENTS];
	int round_count;
};

int event_loop_create(struct event_loop **ret, struct error *err)
{
	_cleanup_(cleanup_event_loop_destroy_) struct event_loop *loop = calloc(1, sizeof(*loop));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	if (!loop)
		return error_set_errno(err, ENOMEM, "event loop");
	pthread_mutex_init(&loop->lock, NULL);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->epoll_fd < 0 || loop->stop_fd < 0 ||
	    epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->stop_fd, &event) < 0)
		return error_set_errno(err, errno, "event loop");
	*ret = steal_ptr(&loop);
	return 0;
}

void event_loop_destroy(struct event_loop *loop)
{
	if (!loop)
		return;
	close_fd(loop->epoll_fd);
	close_fd(loop->stop_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static uint32_t to_epoll(unsigned events)
{
	return (events & EVENT_READ ? EPOLLIN : 0) | (events & EVENT_WRITE ? EPOLLOUT : 0) |
	       (events & EVENT_EDGE ? EPOLLET : 0);
}

static unsigned from_epoll(uint32_t events)
{
	return (events & EPOLLIN ? EVENT_READ : 0) | (events & EPOLLOUT ? EVENT_WRITE : 0) |
	       (events & (EPOLLHUP | EPOLLERR) ? EVENT_HANGUP : 0);
}

int event_loop_add(struct event_loop *loop, struct event_source *source, int fd, unsigned events)
{
	struct epoll_event event = {.events = to_epoll(events), .data.ptr = source};

	/* Whole before it is known: the loop's thread may see it at once. */
	source->loop = loop;
	source->fd = fd;
	source->events = events;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		source->loop = NULL;
		source->fd = -1;
		return -errno;
	}
	return 0;
}

int event_source_modify(struct event_source *source, unsigned events)
{
	struct epoll_event event = {.events = to_epoll(events), .data.ptr = source};

	if (events == source->events)
		return 0;
	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0)
		return -errno;
	source->events = events;
	return 0;
}

void event_source_remove(struct event_source *source)
{
	struct event_loop *loop = source->loop;

	if (!loop)
		return;
	pthread_mutex_lock(&loop->lock);
	/* Nobody else has a descriptor of ours: closing it takes it out as well. */
	if (!source->owns_fd)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	for (int i = 0; i < loop->round_count; i++) {
		if (loop->round[i].data.ptr == source)
			loop->round[i].events = 0;
	}
	pthread_mutex_unlock(&loop->lock);
	if (source->owns_fd)
		close_fd(source->fd);
	source->owns_fd = false;
	source->is_timer = false;
	source->loop = NULL;
	source->fd = -1;
}

int event_loop_add_timer(struct event_loop *loop, struct event_source *source, int clockid)
{
	_cleanup_close_ int fd = timerfd_create(clockid, TFD_CLOEXEC | TFD_NONBLOCK);
	int r;

	if (fd < 0)
		return -errno;
	r = event_loop_add(loop, source, fd, EVENT_READ);
	if (r < 0)
		return r;
	source->owns_fd = true;
	source->is_timer = true;
	steal_fd(&fd);
	return 0;
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NS_IN_S), .tv_nsec = (long)(ns % NS_IN_S)};
}

int event_timer_set(struct event_source *source, uint64_t first_ns, uint64_t period_ns)
{
	struct itimerspec spec = {.it_value = to_timespec(first_ns),
				  .it_interval = to_timespec(period_ns)};

	return timerfd_settime(source->fd, 0, &spec, NULL) < 0 ? -errno : 0;
}

int event_timer_set_at(struct event_source *source, int64_t deadline_ns)
{
	/* Zero would disarm; the first nanosecond of 1970 has passed just the same. */
	uint64_t deadline = deadline_ns > 0 ? (uint64_t)deadline_ns : 1;
	struct itimerspec spec = {.it_value = to_timespec(deadline)};

	return timerfd_settime(source->fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0 ? -errno : 0;
}

/* The bits of event @i, 0 if its source was removed in this round. */
static uint32_t round_events(struct event_loop *loop, int i)
{
	uint32_t events;

	pthread_mutex_lock(&loop->lock);
	events = loop->round[i].events;
	pthread_mutex_unlock(&loop->lock);
	return events;
}

static void dispatch(struct event_loop *loop, int i, struct event_source *source)
{
	uint32_t events = round_events(loop, i);
	struct device *owner;
	uint64_t shots;

	if (!events)
		return;
	owner = source->owner;
	if (owner)
		device_lock(owner);
	/*
	 * A vCPU thread that held the owner's lock until now may have removed
	 * the source; its memory is the owner's, so it can still be looked at.
	 * A timer that was set anew since epoll saw it has nothing to read.
	 */
	if (source->loop && (!source->is_timer || read(source->fd, &shots, sizeof(shots)) > 0))
		source->callback(source->data, from_epoll(events));
	if (owner)
		device_unlock(owner);
}

static void take_wakeup(struct event_loop *loop)
{
	uint64_t value;

	if (read(loop->stop_fd, &value, sizeof(value)) < 0) {
		/* It was that of a stop that has been obeyed already. */
	}
}

/*
 * epoll_wait() of the C library is a point of cancellation on top of another function:
 * code that a machine at rest would keep in memory for nothing else (base/footprint.h).
 */
static int poll_events(const struct event_loop *loop, struct epoll_event *events, int timeout)
{
	return (int)syscall(SYS_epoll_pwait, loop->epoll_fd, events, ROUND_EVENTS, timeout, NULL,
			    0);
}

static int wait_for_events(struct event_loop *loop, struct epoll_event *events)
{
	void (*before_rest)(void) = loop->before_rest;

	if (before_rest) {
		int count = poll_events(loop, events, 0);

		if (count)
			return count;
		loop->before_rest = NULL;
		before_rest();
	}
	return poll_events(loop, events, -1);
}

void event_loop_before_rest(struct event_loop *loop, void (*function)(void))
{
	loop->before_rest = function;
}

int event_loop_run(struct event_loop *loop)
{
	for (;;) {
		struct epoll_event round[ROUND_EVENTS];
		int count = wait_for_events(loop, round);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		pthread_mutex_lock(&loop->lock);
		for (int i = 0; i < count; i++)
			loop->round[i] = round[i];
		loop->round_count = count;
		pthread_mutex_unlock(&loop->lock);
		for (int i = 0; i < count; i++) {
			if (!round[i].data.ptr)
				take_wakeup(loop);
			else
				dispatch(loop, i, round[i].data.ptr);
		}
		pthread_mutex_lock(&loop->lock);
		loop->round_count = 0;
		pthread_mutex_unlock(&loop->lock);
		if (atomic_exchange(&loop->stop, false))
			return 0;
	}
}

void event_loop_stop(struct event_loop *loop)
{
	uint64_t one = 1;

	atomic_store(&loop->stop, true);
	if (write(loop->stop_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: the stop is on its way already. */
	}
}
