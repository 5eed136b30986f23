/* SPDX-License-Identifier: Apache-2.0 */
#include "patience.h"

#include <time.h>

static unsigned span(const struct patience *patience)
{
	return patience->ms ? patience->ms : PATIENCE_MS;
}

static void set_timer(struct patience *patience)
{
	uint64_t ns = (uint64_t)span(patience) * 1000000;

	patience->runs = event_timer_set(&patience->timer, ns, 0) == 0;
}

static void tell(const struct patience *patience)
{
	log_error("%s: its server has not answered for %u s: what the guest does in the share "
		  "'%.*s' waits",
		  patience->virtio->device.name, (span(patience) + 999) / 1000, patience->tag_size,
		  patience->tag);
}

static void on_timer(void *data, unsigned events)
{
	struct patience *patience = data;
	uint64_t done = 0;
	bool waits = patience->waits(patience->virtio, &done);

	(void)events;
	patience->runs = false;
	if (waits && patience->waited && done == patience->done) {
		if (!patience->told)
			tell(patience);
		patience->told = true;
	} else if (patience->told) {
		log_error("%s: its server answers again", patience->virtio->device.name);
		patience->told = false;
	}
	patience->done = done;
	patience->waited = waits;
	if (waits)
		set_timer(patience);
	else if (patience->quiet)
		patience->quiet(patience->virtio);
}

void patience_begin(struct patience *patience)
{
	struct event_source *timer = &patience->timer;

	if (patience->runs)
		return;
	if (!timer->loop) {
		timer->owner = &patience->virtio->device;
		timer->callback = on_timer;
		timer->data = patience;
		if (event_loop_add_timer(patience->virtio->loop, timer, CLOCK_MONOTONIC) < 0)
			return; /* then nothing is told */
	}
	patience->waited = patience->waits(patience->virtio, &patience->done);
	set_timer(patience);
}

void patience_end(struct patience *patience)
{
	event_source_remove(&patience->timer);
	patience->runs = false;
	patience->told = false;
}
