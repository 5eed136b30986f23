/* SPDX-License-Identifier: Apache-2.0 */
#include "posted.h"

#include <time.h>

#include "machine_private.h"

/* Perform @count writes; those to one register in a row go to it as one run. */
static void perform(struct posted *posted, const struct hyp_posted_write *writes, size_t count)
{
	struct machine *machine = posted->traced;
	uint64_t values[POSTED_BATCH];
	size_t i = 0;

	while (i < count) {
		const struct hyp_posted_write *first = &writes[i];
		size_t run = 0;

		while (i < count && writes[i].addr == first->addr && writes[i].size == first->size)
			values[run++] = writes[i++].value;
		if (machine && machine->attention & ATTEND_TRACE)
			trace_posted(machine, first->addr, (uint32_t)run);
		mmio_bus_write_run(posted->bus,
				   &(struct mmio_run){.addr = first->addr,
						      .size = first->size,
						      .values = values,
						      .count = run},
				   &posted->last);
	}
}

unsigned posted_drain(struct posted *posted)
{
	struct hyp_posted_write writes[POSTED_BATCH];
	unsigned count = 0;
	size_t taken;

	if (!hyp_posted_pending(posted->hyp))
		return 0;
	pthread_mutex_lock(&posted->drain_lock);
	while ((taken = hyp_take_posted(posted->hyp, writes, POSTED_BATCH))) {
		perform(posted, writes, taken);
		hyp_done_posted(posted->hyp, taken);
		count += (unsigned)taken;
	}
	if (count)
		posted->idle_ticks = 0;
	pthread_mutex_unlock(&posted->drain_lock);
	return count;
}

static void park(struct posted *posted)
{
	pthread_mutex_lock(&posted->ranges_lock);
	for (size_t i = 0; i < POSTED_RANGES; i++) {
		struct posted_range *range = &posted->ranges[i];

		if (range->active)
			hyp_post_writes(posted->hyp, range->addr, range->size, false);
		range->active = false;
	}
	event_timer_set(&posted->timer, 0, 0);
	posted->ticking = false;
	pthread_mutex_unlock(&posted->ranges_lock);
}

static void on_tick(void *data, unsigned events)
{
	struct posted *posted = data;

	(void)events;
	/* While the world does not read, the ring fills and makes the guest wait. */
	if (!char_port_settle(posted->console, false))
		return;
	if (posted_drain(posted)) {
		char_port_settle(posted->console, false);
		return;
	}
	if (++posted->idle_ticks < POSTED_IDLE_TICKS)
		return;
	park(posted);
	/* A write may have come between the last look and the end of posting. */
	if (posted_drain(posted))
		char_port_settle(posted->console, false);
}

int posted_init(struct posted *posted, struct hyp *hyp, const struct mmio_bus *bus,
		struct event_loop *loop, const struct char_port *console)
{
	*posted = (struct posted){
		.hyp = hyp,
		.bus = bus,
		.console = console,
		.timer = {.fd = -1, .callback = on_tick, .data = posted},
	};
	pthread_mutex_init(&posted->drain_lock, NULL);
	pthread_mutex_init(&posted->ranges_lock, NULL);
	return event_loop_add_timer(loop, &posted->timer, CLOCK_MONOTONIC);
}

void posted_finish(struct posted *posted)
{
	if (!posted->hyp)
		return;
	event_source_remove(&posted->timer);
	pthread_mutex_destroy(&posted->drain_lock);
	pthread_mutex_destroy(&posted->ranges_lock);
	posted->hyp = NULL;
}

static struct posted_range *find_range(struct posted *posted, gpa_t addr)
{
	for (size_t i = 0; i < POSTED_RANGES; i++) {
		struct posted_range *range = &posted->ranges[i];

		if (addr - range->addr < range->size)
			return range;
	}
	return NULL;
}

static struct posted_range *free_range(struct posted *posted)
{
	for (size_t i = 0; i < POSTED_RANGES; i++) {
		if (!posted->ranges[i].size)
			return &posted->ranges[i];
	}
	return NULL;
}

int posted_permit(struct posted *posted, gpa_t addr, uint32_t size, bool on)
{
	struct posted_range *range;
	int r = 0;

	pthread_mutex_lock(&posted->ranges_lock);
	range = find_range(posted, addr);
	if (on && !range) {
		range = free_range(posted);
		if (range)
			*range = (struct posted_range){.addr = addr, .size = size};
		else
			r = -ENOSPC;
	} else if (!on && range) {
		if (range->active)
			hyp_post_writes(posted->hyp, range->addr, range->size, false);
		*range = (struct posted_range){0};
	}
	pthread_mutex_unlock(&posted->ranges_lock);
	return r;
}

void posted_trapped(struct posted *posted, gpa_t addr)
{
	struct posted_range *range;

	if (posted->failed)
		return;
	pthread_mutex_lock(&posted->ranges_lock);
	range = find_range(posted, addr);
	if (range && !range->active) {
		range->active = hyp_post_writes(posted->hyp, range->addr, range->size, true) == 0;
		posted->failed = !range->active;
	}
	if (range && range->active && !posted->ticking) {
		posted->ticking =
			event_timer_set(&posted->timer, POSTED_TICK_NS, POSTED_TICK_NS) == 0;
		posted->idle_ticks = 0;
	}
	pthread_mutex_unlock(&posted->ranges_lock);
}
