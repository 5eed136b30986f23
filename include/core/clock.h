/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time that device models see: nanoseconds since the Unix epoch, as
 * CLOCK_REALTIME counts them, or for what only measures it as CLOCK_MONOTONIC
 * does, and alarms on it. Models are handed a clock, so that tests can hand
 * them one that they turn by hand.
 */
#ifndef ARMLET_CORE_CLOCK_H
#define ARMLET_CORE_CLOCK_H

#include "core/event_loop.h"

#define NS_PER_S INT64_C(1000000000)

struct clock;

/*
 * An alarm; embed it, zeroed but for the first three. @fire runs in the event
 * loop's thread under @owner's lock, never from within clock_arm().
 */
struct clock_alarm {
	void (*fire)(void *data);
	void *data;
	struct device *owner;
	struct event_source source; /* the clock's */
	int64_t deadline;
	bool armed;
	struct clock_alarm *next; /* a manual clock's */
};

struct clock_ops {
	int64_t (*now)(struct clock *clock);
	/* Fire once at @deadline, or soon if that has passed; replaces an earlier deadline. */
	void (*arm)(struct clock *clock, struct clock_alarm *alarm, int64_t deadline);
	/* The alarm does not fire and holds nothing any more; it may be freed. */
	void (*disarm)(struct clock *clock, struct clock_alarm *alarm);
};

struct clock {
	const struct clock_ops *ops;
	struct event_loop *loop;    /* of a host's clock */
	int clockid;                /* likewise */
	int64_t manual_now;         /* of a manual clock */
	struct clock_alarm *alarms; /* of a manual clock: those that are armed */
};

static inline int64_t clock_now(struct clock *clock)
{
	return clock->ops->now(clock);
}

static inline void clock_arm(struct clock *clock, struct clock_alarm *alarm, int64_t deadline)
{
	clock->ops->arm(clock, alarm, deadline);
}

static inline void clock_disarm(struct clock *clock, struct clock_alarm *alarm)
{
	clock->ops->disarm(clock, alarm);
}

/*
 * The host's real-time clock; its alarms are timers of @loop. When the host has
 * no timer to give, that is logged and the alarm stays silent.
 */
void clock_init_host(struct clock *clock, struct event_loop *loop);

/* Likewise the one that nobody sets. */
void clock_init_steady(struct clock *clock, struct event_loop *loop);

/*
 * A clock that stands still at @now until clock_advance() moves it, firing what
 * is due in the order of the deadlines. The caller holds no device's lock.
 */
void clock_init_manual(struct clock *clock, int64_t now);
void clock_advance(struct clock *clock, int64_t ns);

#endif
