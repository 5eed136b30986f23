/* SPDX-License-Identifier: Apache-2.0 */
#include "control/console_watch.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

struct console_watch {
	struct char_port below;
	struct event_source timer; /* at once: the main thread is told */
	void (*seen)(void *data);
	void *data;
	char *text;
	size_t size;
	size_t *again; /* how much of the text still fits when the byte behind so much does not */
	atomic_size_t have; /* that fits so far */
	atomic_bool armed;
};

/* Knuth, Morris and Pratt's table. */
static void fill_table(struct console_watch *watch)
{
	size_t fits = 0;

	for (size_t i = 1; i < watch->size; i++) {
		while (fits && watch->text[i] != watch->text[fits])
			fits = watch->again[fits - 1];
		fits += watch->text[i] == watch->text[fits];
		watch->again[i] = fits;
	}
}

/* Two devices may write at once: what is seen then is any of it, and never out of bounds. */
static void look(struct console_watch *watch, const uint8_t *data, size_t size)
{
	size_t have = watch->have;

	for (size_t i = 0; i < size; i++) {
		while (have && data[i] != (uint8_t)watch->text[have])
			have = watch->again[have - 1];
		have += data[i] == (uint8_t)watch->text[have];
		if (have < watch->size)
			continue;
		have = 0;
		if (atomic_exchange(&watch->armed, false))
			event_timer_set(&watch->timer, 1, 0);
	}
	watch->have = have;
}

static void watch_transmit(void *backend, const uint8_t *data, size_t size)
{
	struct console_watch *watch = backend;

	if (watch->armed)
		look(watch, data, size);
	char_port_transmit(&watch->below, data, size);
}

static size_t watch_take(void *backend, uint8_t *data, size_t size)
{
	struct console_watch *watch = backend;

	return char_port_take(&watch->below, data, size);
}

static size_t watch_pending(void *backend)
{
	struct console_watch *watch = backend;

	return char_port_pending(&watch->below);
}

static bool watch_settle(void *backend, bool may_wait)
{
	struct console_watch *watch = backend;

	return char_port_settle(&watch->below, may_wait);
}

static void watch_drain(void *backend)
{
	struct console_watch *watch = backend;

	char_port_drain(&watch->below);
}

struct char_port console_watch_port(struct console_watch *watch)
{
	static const struct char_port_ops ops = {
		.transmit = watch_transmit,
		.take = watch_take,
		.pending = watch_pending,
		.settle = watch_settle,
		.drain = watch_drain,
	};

	return (struct char_port){.ops = &ops, .backend = watch};
}

static void on_timer(void *data, unsigned events)
{
	const struct console_watch *watch = data;

	(void)events;
	watch->seen(watch->data);
}

int console_watch_create(const struct console_watch_options *options, struct console_watch **ret,
			 struct error *err)
{
	struct console_watch *watch = calloc(1, sizeof(*watch));
	int r = -ENOMEM;

	if (!watch)
		return error_set_errno(err, ENOMEM, "the console");
	watch->below = options->below;
	watch->seen = options->seen;
	watch->data = options->data;
	watch->timer = (struct event_source){.fd = -1, .callback = on_timer, .data = watch};
	watch->text = strdup(options->text);
	watch->size = strlen(options->text);
	watch->again = calloc(watch->size, sizeof(*watch->again));
	if (watch->text && watch->again) {
		fill_table(watch);
		r = event_loop_add_timer(options->loop, &watch->timer, CLOCK_MONOTONIC);
	}
	if (r < 0) {
		console_watch_destroy(watch);
		return error_set_errno(err, -r, "the console");
	}
	watch->armed = true;
	*ret = watch;
	return 0;
}

void console_watch_destroy(struct console_watch *watch)
{
	if (!watch)
		return;
	event_source_remove(&watch->timer);
	free(watch->again);
	free(watch->text);
	free(watch);
}

void console_watch_again(struct console_watch *watch)
{
	if (!watch)
		return;
	event_timer_set(&watch->timer, 0, 0);
	watch->have = 0;
	watch->armed = true;
}
