/* SPDX-License-Identifier: Apache-2.0 */
#include "core/event_loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "core/device.h"
#include "unit.h"

static struct event_loop *loop;

static void open_loop(void)
{
	struct error err = {0};

	ck_assert_int_eq(event_loop_create(&loop, &err), 0);
}

struct counter {
	struct event_source source;
	unsigned calls;
	unsigned events;
	unsigned stop_after; /* calls; 0: never */
	struct event_source *removes;
};

static void count(void *data, unsigned events)
{
	struct counter *c = data;

	c->calls++;
	c->events |= events;
	if (c->removes)
		event_source_remove(c->removes);
	if (c->calls == c->stop_after)
		event_loop_stop(loop);
}

static struct counter counter(unsigned stop_after)
{
	return (struct counter){.source = {.fd = -1, .callback = count}, .stop_after = stop_after};
}

static unsigned rests;
static struct counter *rest_wakes;

static void on_rest(void)
{
	rests++;
	/* All that was due has been done. */
	ck_assert_uint_eq(rest_wakes->calls, 3);
	event_timer_set(&rest_wakes->source, 1, 0);
}

/* Once, and only when there is nothing else to do. */
START_TEST(test_before_rest)
{
	struct counter c = counter(5);

	open_loop();
	rest_wakes = &c;
	ck_assert_int_eq(event_loop_add_timer(loop, &c.source, CLOCK_MONOTONIC), 0);
	c.source.data = &c;
	c.stop_after = 3;
	ck_assert_int_eq(event_timer_set(&c.source, 1000000, 1000000), 0);
	ck_assert_int_eq(event_loop_run(loop), 0);
	ck_assert_int_eq(event_timer_set(&c.source, 0, 0), 0);
	event_loop_before_rest(loop, on_rest);
	c.stop_after = 4;
	ck_assert_int_eq(event_loop_run(loop), 0);
	ck_assert_uint_eq(rests, 1);
	c.stop_after = 5;
	ck_assert_int_eq(event_timer_set(&c.source, 1, 0), 0);
	ck_assert_int_eq(event_loop_run(loop), 0);
	ck_assert_uint_eq(rests, 1);
	event_source_remove(&c.source);
	event_loop_destroy(loop);
}
END_TEST

START_TEST(test_readable)
{
	struct counter c = counter(1);
	char byte;
	int fds[2];

	open_loop();
	c.source.data = &c;
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(event_loop_add(loop, &c.source, fds[0], EVENT_READ), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(event_loop_run(loop), 0);
	ck_assert_uint_eq(c.calls, 1);
	ck_assert_uint_eq(c.events, EVENT_READ);
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	close(fds[1]);
	c.stop_after = 2;
	event_loop_run(loop);
	ck_assert(c.events & EVENT_HANGUP);
	event_source_remove(&c.source);
	event_source_remove(&c.source);
	ck_assert_int_eq(c.source.fd, -1);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), 0); /* not the loop's to close */
	event_loop_destroy(loop);
	event_loop_destroy(NULL);
}
END_TEST

START_TEST(test_modify)
{
	struct counter c = counter(1);
	int fds[2];

	open_loop();
	c.source.data = &c;
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(event_loop_add(loop, &c.source, fds[1], 0), 0);
	event_loop_stop(loop);
	event_loop_run(loop);
	ck_assert_uint_eq(c.calls, 0);
	ck_assert_int_eq(event_source_modify(&c.source, EVENT_WRITE), 0);
	event_loop_run(loop);
	ck_assert_uint_eq(c.events, EVENT_WRITE);
	event_source_remove(&c.source);
	event_loop_destroy(loop);
}
END_TEST

/* An eventfd that nobody reads: one call for each signal, and none without. */
START_TEST(test_edge)
{
	struct counter c = counter(0);
	int fd = eventfd(0, EFD_NONBLOCK);

	open_loop();
	c.source.data = &c;
	ck_assert_int_eq(event_loop_add(loop, &c.source, fd, EVENT_READ | EVENT_EDGE), 0);
	for (unsigned signals = 1; signals <= 3; signals++) {
		ck_assert_int_eq(eventfd_write(fd, 1), 0);
		for (unsigned round = 0; round < 2; round++) {
			event_loop_stop(loop);
			event_loop_run(loop);
		}
		ck_assert_uint_eq(c.calls, signals);
	}
	ck_assert_uint_eq(c.events, EVENT_READ);
	event_source_remove(&c.source);
	close(fd);
	event_loop_destroy(loop);
}
END_TEST

/* A regular file is always ready, and the caller is told. */
START_TEST(test_file)
{
	struct counter c = counter(1);
	int fd = memfd_create("file", 0);

	open_loop();
	ck_assert_int_eq(event_loop_add(loop, &c.source, fd, EVENT_READ), -EPERM);
	ck_assert_ptr_null(c.source.loop);
	ck_assert_int_eq(c.source.fd, -1);
	ck_assert_int_eq(event_loop_add(loop, &c.source, 999, EVENT_READ), -EBADF);
	event_source_remove(&c.source);
	event_loop_destroy(loop);
}
END_TEST

START_TEST(test_timer)
{
	struct counter c = counter(3);
	struct timespec before, after;
	int fd;

	open_loop();
	c.source.data = &c;
	ck_assert_int_eq(event_loop_add_timer(loop, &c.source, CLOCK_MONOTONIC), 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(event_timer_set(&c.source, 5000000, 5000000), 0);
	event_loop_run(loop);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_uint_eq(c.calls, 3);
	ck_assert_int_ge((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec -
				 before.tv_nsec,
			 5000000);
	fd = c.source.fd;
	event_source_remove(&c.source);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* the loop's own is closed */
	event_loop_destroy(loop);
}
END_TEST

/* Absolute deadlines, also such as have passed long ago. */
static const int64_t deadlines[] = {INT64_MIN, -1, 0, 1, 1000000000};

START_TEST(test_timer_at)
{
	struct counter c = counter(1);

	open_loop();
	c.source.data = &c;
	ck_assert_int_eq(event_loop_add_timer(loop, &c.source, CLOCK_REALTIME), 0);
	ck_assert_int_eq(event_timer_set_at(&c.source, deadlines[_i]), 0);
	event_loop_run(loop);
	ck_assert_uint_eq(c.calls, 1);
	event_source_remove(&c.source);
	event_loop_destroy(loop);
}
END_TEST

/* A timer that is disarmed or put off after it was due does not fire. */
START_TEST(test_timer_put_off)
{
	struct counter late = counter(0);
	struct counter end = counter(1);

	open_loop();
	late.source.data = &late;
	end.source.data = &end;
	event_loop_add_timer(loop, &late.source, CLOCK_MONOTONIC);
	event_loop_add_timer(loop, &end.source, CLOCK_MONOTONIC);
	event_timer_set(&late.source, 1, 0);
	usleep(2000);
	event_timer_set(&late.source, _i ? UINT64_C(3600000000000) : 0, 0);
	event_timer_set(&end.source, 20000000, 0);
	event_loop_run(loop);
	ck_assert_uint_eq(late.calls, 0);
	event_source_remove(&late.source);
	event_source_remove(&end.source);
	event_loop_destroy(loop);
}
END_TEST

/* Two sources are due in one round, and the first callback removes the other. */
START_TEST(test_removed_in_its_round)
{
	struct counter c[2] = {counter(1), counter(1)};
	int fds[2][2];

	open_loop();
	for (unsigned i = 0; i < 2; i++) {
		c[i].source.data = &c[i];
		c[i].removes = &c[1 - i].source;
		ck_assert_int_eq(pipe(fds[i]), 0);
		event_loop_add(loop, &c[i].source, fds[i][0], EVENT_READ);
		ck_assert_int_eq(write(fds[i][1], "x", 1), 1);
	}
	event_loop_run(loop);
	ck_assert_uint_eq(c[0].calls + c[1].calls, 1);
	event_source_remove(&c[0].source);
	event_source_remove(&c[1].source);
	event_loop_destroy(loop);
}
END_TEST

/* A callback may remove itself, and add what then is served. */
static struct counter second;

static void replace(void *data, unsigned events)
{
	struct counter *c = data;
	int fd = c->source.fd;

	(void)events;
	c->calls++;
	event_source_remove(&c->source);
	event_loop_add(loop, &second.source, fd, EVENT_READ);
}

START_TEST(test_replaces_itself)
{
	struct counter c = counter(0);
	int fds[2];

	open_loop();
	c.source.callback = replace;
	c.source.data = &c;
	second = counter(1);
	second.source.data = &second;
	ck_assert_int_eq(pipe(fds), 0);
	event_loop_add(loop, &c.source, fds[0], EVENT_READ);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	event_loop_run(loop);
	ck_assert_uint_eq(c.calls, 1);
	ck_assert_uint_eq(second.calls, 1);
	event_source_remove(&second.source);
	event_loop_destroy(loop);
}
END_TEST

/* The owner's lock is held around a callback. */
static void check_locked(void *data, unsigned events)
{
	struct device *device = data;

	(void)events;
	ck_assert(!lock_try(&device->lock));
	event_loop_stop(loop);
}

START_TEST(test_owner)
{
	struct device device;
	struct event_source source = {
		.fd = -1, .callback = check_locked, .data = &device, .owner = &device};

	open_loop();
	device_init(&device, NULL, "owner");
	event_loop_add_timer(loop, &source, CLOCK_MONOTONIC);
	event_timer_set(&source, 1, 0);
	event_loop_run(loop);
	ck_assert(lock_try(&device.lock));
	device_unlock(&device);
	event_source_remove(&source);
	device_finish(&device);
	event_loop_destroy(loop);
}
END_TEST

/* Another thread arms and removes a timer under the owner's lock, over and over. */
static struct device racing_device;
static struct event_source racing_source;
static atomic_bool racing_ends;
static unsigned racing_calls;
static bool racing_armed; /* under the lock */

static void on_race(void *data, unsigned events)
{
	(void)data;
	(void)events;
	ck_assert(racing_armed);
	racing_calls++;
}

static void *race(void *data)
{
	for (unsigned i = 0; i < 20000; i++) {
		device_lock(&racing_device);
		event_loop_add_timer(loop, &racing_source, CLOCK_MONOTONIC);
		event_timer_set(&racing_source, 1, 1000);
		racing_armed = true;
		device_unlock(&racing_device);
		if (i % 64 == 0)
			usleep(100);
		device_lock(&racing_device);
		event_source_remove(&racing_source);
		racing_armed = false;
		device_unlock(&racing_device);
	}
	racing_ends = true;
	event_loop_stop(loop);
	return data;
}

START_TEST(test_removal_by_another_thread)
{
	pthread_t thread;

	open_loop();
	device_init(&racing_device, NULL, "racer");
	racing_source =
		(struct event_source){.fd = -1, .callback = on_race, .owner = &racing_device};
	pthread_create(&thread, NULL, race, NULL);
	while (!racing_ends)
		event_loop_run(loop);
	pthread_join(thread, NULL);
	ck_assert_uint_gt(racing_calls, 0);
	event_loop_destroy(loop);
}
END_TEST

/* A stop that comes before the run counts for it; many are one. */
START_TEST(test_stop)
{
	open_loop();
	for (unsigned i = 0; i < 1000; i++)
		event_loop_stop(loop);
	ck_assert_int_eq(event_loop_run(loop), 0);
	event_loop_stop(loop);
	ck_assert_int_eq(event_loop_run(loop), 0);
	event_loop_destroy(loop);
}
END_TEST

START_TEST(test_no_descriptors)
{
	const struct rlimit none = {3, 3};
	struct event_loop *made = NULL;
	struct error err = {0};

	setrlimit(RLIMIT_NOFILE, &none);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	ck_assert_int_eq(event_loop_create(&made, &err), -EMFILE);
	ck_assert_ptr_null(made);
	ck_assert_str_eq(err.text, "event loop: Too many open files");
	_exit(0); /* libcheck's own descriptors are closed */
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_before_rest),
	UNIT_CASE(test_readable),
	UNIT_CASE(test_modify),
	UNIT_CASE(test_edge),
	UNIT_CASE(test_file),
	UNIT_CASE(test_timer),
	UNIT_LOOP(test_timer_at, ARRAY_SIZE(deadlines)),
	UNIT_LOOP(test_timer_put_off, 2),
	UNIT_CASE(test_removed_in_its_round),
	UNIT_CASE(test_replaces_itself),
	UNIT_CASE(test_owner),
	UNIT_CASE(test_removal_by_another_thread),
	UNIT_CASE(test_stop),
	UNIT_CASE(test_no_descriptors),
	{0},
};
const char unit_name[] = "event_loop";
