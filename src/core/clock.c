/* SPDX-License-Identifier: Apache-2.0 */
#include "core/clock.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "core/device.h"

/*
 * The host's clocks. An alarm is a timer with an absolute deadline, so
 * the kernel keeps that of CLOCK_REALTIME right when somebody sets the time: forward
 * past the deadline, and it fires; backward, and it waits on. It is made when
 * the alarm is first armed, for most alarms never are.
 */
static int64_t host_now(struct clock *clock)
{
	struct timespec now;

	clock_gettime(clock->clockid, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void host_fire(void *data, unsigned events)
{
	struct clock_alarm *alarm = data;

	(void)events;
	if (!alarm->armed)
		return;
	alarm->armed = false;
	alarm->fire(alarm->data);
}

static int host_set_timer(struct clock *clock, struct clock_alarm *alarm)
{
	int r;

	if (!alarm->source.loop) {
		alarm->source.owner = alarm->owner;
		alarm->source.callback = host_fire;
		alarm->source.data = alarm;
		r = event_loop_add_timer(clock->loop, &alarm->source, clock->clockid);
		if (r < 0)
			return r;
	}
	return event_timer_set_at(&alarm->source, alarm->deadline);
}

static void host_arm(struct clock *clock, struct clock_alarm *alarm, int64_t deadline)
{
	int r;

	if (alarm->armed && alarm->deadline == deadline)
		return;
	alarm->deadline = deadline;
	r = host_set_timer(clock, alarm);
	alarm->armed = r == 0;
	if (r < 0)
		log_error("a timer cannot be set: %s", strerror(-r));
}

static void host_disarm(struct clock *clock, struct clock_alarm *alarm)
{
	(void)clock;
	alarm->armed = false;
	event_source_remove(&alarm->source);
}

static const struct clock_ops host_ops = {
	.now = host_now,
	.arm = host_arm,
	.disarm = host_disarm,
};

void clock_init_host(struct clock *clock, struct event_loop *loop)
{
	*clock = (struct clock){.ops = &host_ops, .loop = loop, .clockid = CLOCK_REALTIME};
}

void clock_init_steady(struct clock *clock, struct event_loop *loop)
{
	*clock = (struct clock){.ops = &host_ops, .loop = loop, .clockid = CLOCK_MONOTONIC};
}

/* The manual clock: its armed alarms are a list, and clock_advance() is its loop. */
static int64_t manual_now(struct clock *clock)
{
	return clock->manual_now;
}

static void manual_disarm(struct clock *clock, struct clock_alarm *alarm)
{
	struct clock_alarm **at = &clock->alarms;

	while (*at && *at != alarm)
		at = &(*at)->next;
	if (*at)
		*at = alarm->next;
	alarm->armed = false;
}

static void manual_arm(struct clock *clock, struct clock_alarm *alarm, int64_t deadline)
{
	manual_disarm(clock, alarm);
	alarm->deadline = deadline;
	alarm->armed = true;
	alarm->next = clock->alarms;
	clock->alarms = alarm;
}

static const struct clock_ops manual_ops = {
	.now = manual_now,
	.arm = manual_arm,
	.disarm = manual_disarm,
};

void clock_init_manual(struct clock *clock, int64_t now)
{
	*clock = (struct clock){.ops = &manual_ops, .manual_now = now};
}

/* The alarm that is due first, if any is due at @until. */
static struct clock_alarm *first_due(const struct clock *clock, int64_t until)
{
	struct clock_alarm *first = NULL;

	for (struct clock_alarm *at = clock->alarms; at; at = at->next) {
		if (at->deadline <= until && (!first || at->deadline < first->deadline))
			first = at;
	}
	return first;
}

void clock_advance(struct clock *clock, int64_t ns)
{
	int64_t until = clock->manual_now + ns;
	struct clock_alarm *alarm;

	assert(clock->ops == &manual_ops);
	while ((alarm = first_due(clock, until))) {
		manual_disarm(clock, alarm);
		if (alarm->deadline > clock->manual_now)
			clock->manual_now = alarm->deadline;
		if (alarm->owner)
			device_lock(alarm->owner);
		alarm->fire(alarm->data);
		if (alarm->owner)
			device_unlock(alarm->owner);
	}
	clock->manual_now = until;
}
