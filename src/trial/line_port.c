/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/line_port.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define MARK  (64 * KIB)    /* bytes that may wait for the main thread before a vCPU does */
#define ROOM  (MARK + 4096) /* and what a device may transmit before it settles */
#define DELAY (2 * 1000000) /* ns: what comes in so much time is looked at together */

struct line_port {
	struct event_source timer;
	void (*line)(void *data, const char *text, size_t size);
	void *data;

	/* The main thread's. */
	char begun[LINE_PORT_LINE];
	size_t begun_size;
	uint8_t *taken; /* exchanged with @printed */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t room;
	uint8_t *printed;
	size_t size;
	size_t allocated;
	size_t taken_allocated;
	bool armed;
};

/* ---- The main thread -------------------------------------------------- */

static void hand_out(struct line_port *port)
{
	if (port->begun_size && port->begun[port->begun_size - 1] == '\r')
		port->begun_size--;
	port->line(port->data, port->begun, port->begun_size);
	port->begun_size = 0;
}

static void split(struct line_port *port, const uint8_t *bytes, size_t size)
{
	while (size) {
		const uint8_t *end = memchr(bytes, '\n', size);
		size_t part = end ? (size_t)(end - bytes) : size;
		size_t fits;

		/* One that just fits is whole, whether or not its end has come with it. */
		if (part && port->begun_size == LINE_PORT_LINE)
			hand_out(port);
		fits = min_u64(part, LINE_PORT_LINE - port->begun_size);
		memcpy(port->begun + port->begun_size, bytes, fits);
		port->begun_size += fits;
		bytes += fits;
		size -= fits;
		if (end && fits == part) {
			bytes++;
			size--;
			hand_out(port);
		}
	}
}

/* Exchange the buffers, and look at what has come without the lock. */
static void take(struct line_port *port)
{
	size_t size, allocated;
	uint8_t *bytes;

	pthread_mutex_lock(&port->lock);
	bytes = port->printed;
	size = port->size;
	allocated = port->allocated;
	port->printed = port->taken;
	port->allocated = port->taken_allocated;
	port->taken = bytes;
	port->taken_allocated = allocated;
	port->size = 0;
	port->armed = false;
	pthread_cond_broadcast(&port->room);
	pthread_mutex_unlock(&port->lock);
	split(port, bytes, size);
}

static void on_timer(void *data, unsigned events)
{
	(void)events;
	take(data);
}

void line_port_finish(struct line_port *port)
{
	take(port);
	if (port->begun_size)
		hand_out(port);
}

/* ---- Whoever prints --------------------------------------------------- */

/* With the lock held; what there is no memory for is lost. */
static bool grow(struct line_port *port, size_t size)
{
	size_t wanted = port->allocated ? port->allocated : 4096;
	uint8_t *printed;

	if (size > 2 * ROOM)
		return false;
	while (wanted < size)
		wanted *= 2;
	if (wanted == port->allocated)
		return true;
	printed = realloc(port->printed, wanted);
	if (!printed)
		return false;
	port->printed = printed;
	port->allocated = wanted;
	return true;
}

static void transmit(void *backend, const uint8_t *data, size_t size)
{
	struct line_port *port = backend;

	pthread_mutex_lock(&port->lock);
	if (grow(port, port->size + size)) {
		memcpy(port->printed + port->size, data, size);
		port->size += size;
	}
	if (!port->armed) {
		port->armed = true;
		event_timer_set(&port->timer, DELAY, 0);
	}
	pthread_mutex_unlock(&port->lock);
}

static bool settle(void *backend, bool may_wait)
{
	struct line_port *port = backend;
	bool settled;

	pthread_mutex_lock(&port->lock);
	while (may_wait && port->size > MARK)
		pthread_cond_wait(&port->room, &port->lock);
	settled = port->size <= MARK;
	pthread_mutex_unlock(&port->lock);
	return settled;
}

/* The end of a boot: vCPUs are to be joined, and none may wait. */
static void drain(void *backend)
{
	take(backend);
}

static size_t take_nothing(void *backend, uint8_t *data, size_t size)
{
	(void)backend;
	(void)data;
	(void)size;
	return 0;
}

static size_t no_bytes(void *backend)
{
	(void)backend;
	return 0;
}

struct char_port line_port_port(struct line_port *port)
{
	static const struct char_port_ops ops = {
		.transmit = transmit,
		.take = take_nothing,
		.pending = no_bytes,
		.settle = settle,
		.drain = drain,
	};

	return (struct char_port){.ops = &ops, .backend = port};
}

int line_port_create(const struct line_port_options *options, struct line_port **ret,
		     struct error *err)
{
	struct line_port *port = calloc(1, sizeof(*port));
	int r;

	if (!port)
		return error_set_errno(err, ENOMEM, "the console");
	port->line = options->line;
	port->data = options->data;
	pthread_mutex_init(&port->lock, NULL);
	pthread_cond_init(&port->room, NULL);
	port->timer = (struct event_source){.fd = -1, .callback = on_timer, .data = port};
	r = event_loop_add_timer(options->loop, &port->timer, CLOCK_MONOTONIC);
	if (r < 0) {
		line_port_destroy(port);
		return error_set_errno(err, -r, "the console");
	}
	*ret = port;
	return 0;
}

void line_port_destroy(struct line_port *port)
{
	if (!port)
		return;
	event_source_remove(&port->timer);
	pthread_cond_destroy(&port->room);
	pthread_mutex_destroy(&port->lock);
	free(port->printed);
	free(port->taken);
	free(port);
}
