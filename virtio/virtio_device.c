/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_device.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/probe.h"

#define STATUS_OF_DRIVER                                                                    \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_DRIVER_OK | \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_FAILED)

/* Features of the ring and the transport, which every device offers (6). */
#define RING_FEATURES                                                 \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
	 BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_RING_RESET))

static void signal_fd(int fd)
{
	uint64_t one = 1;

	/* Not write(), where threads can be cancelled: that costs as much again. */
	if (fd >= 0 && syscall(SYS_write, fd, &one, sizeof(one)) < 0) {
		/* The counter is full: whoever waits is awake. */
	}
}

/* False if somebody else was faster. */
static bool take_signal(int fd)
{
	uint64_t value;

	return read(fd, &value, sizeof(value)) == sizeof(value);
}

/* Starting and stopping. */

static bool serving(const struct virtio_device *virtio)
{
	return virtio->started && !virtio->paused;
}

static void on_kick(void *data, unsigned events)
{
	struct virtio_queue *queue = data;
	struct virtio_device *virtio = queue->virtio;

	(void)events;
	/* After a pause every queue is looked at; one that was taken back meanwhile is not ours. */
	if (serving(virtio) && queue->ring.ready)
		virtio->ops->notify(virtio, (unsigned)(queue - virtio->queues));
}

/* Vhost signals, too, and has no words for what it has met. */
static void on_attention(void *data, unsigned events)
{
	struct virtio_device *virtio = data;
	bool signalled = take_signal(virtio->attention.fd);
	const char *fault = atomic_exchange(&virtio->fault, NULL);

	(void)events;
	if (signalled && virtio->started)
		virtio_break(virtio, "%s", fault ? fault : "vhost finds a queue broken");
}

/* What was said of queues that are no more does not count for those to come. */
static void forget_attention(struct virtio_device *virtio)
{
	if (virtio->attention.loop)
		take_signal(virtio->attention.fd);
	atomic_store(&virtio->fault, NULL);
}

/*
 * An eventfd in the main loop, whose callback comes under the device's lock. @source
 * has it and what is handed to it.
 */
static int watch_eventfd(struct virtio_device *virtio, struct event_source *source, unsigned events)
{
	_cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r;

	if (fd < 0)
		return -errno;
	source->owner = &virtio->device;
	r = event_loop_add(virtio->loop, source, fd, events);
	if (r < 0)
		return r;
	source->owns_fd = true;
	steal_fd(&fd);
	return 0;
}

static int open_kick(struct virtio_device *virtio, struct virtio_queue *queue)
{
	if (queue->kick_fd >= 0)
		return 0;
	if (virtio->ops->notify) {
		int r;

		queue->kick.callback = on_kick;
		queue->kick.data = queue;
		/* Nobody reads how often it was kicked. */
		r = watch_eventfd(virtio, &queue->kick, EVENT_READ | EVENT_EDGE);
		if (r < 0)
			return r;
		queue->kick_fd = queue->kick.fd;
		return 0;
	}
	queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return queue->kick_fd < 0 ? -errno : 0;
}

static int open_eventfds(struct virtio_device *virtio)
{
	int r = 0;

	for (uint32_t i = 0; i < virtio->queue_count && r == 0; i++) {
		if (virtio->queues[i].ring.ready)
			r = open_kick(virtio, &virtio->queues[i]);
	}
	if (r == 0 && !virtio->ops->notify && !virtio->attention.loop) {
		virtio->attention.callback = on_attention;
		virtio->attention.data = virtio;
		r = watch_eventfd(virtio, &virtio->attention, EVENT_READ);
	}
	forget_attention(virtio);
	return r;
}

/* No queue is used any more; the transport stays as it is. */
static void quiesce(struct virtio_device *virtio)
{
	if (serving(virtio) && virtio->ops->stop)
		virtio->ops->stop(virtio);
	virtio->started = false;
}

static void deactivate(struct virtio_device *virtio)
{
	quiesce(virtio);
	if (virtio->live)
		virtio->transport->ops->live(virtio->transport, false);
	virtio->live = false;
}

/* What the device can do only with the host's help has failed. */
static void host_fails(struct virtio_device *virtio, const char *why)
{
	log_error("%s: %s", virtio->device.name, why);
	virtio_break(virtio, "the host cannot serve it");
}

/*
 * Serve the ready queues. What came before we looked gets no notification, so
 * each queue begins with one of our own.
 */
static void activate(struct virtio_device *virtio)
{
	struct error err = {0};
	int r = open_eventfds(virtio);

	if (r == 0) {
		virtio->live = true;
		r = virtio->transport->ops->live(virtio->transport, true);
	}
	if (r < 0) {
		host_fails(virtio, strerror(-r));
		return;
	}
	if (!virtio->paused && virtio->ops->start && virtio->ops->start(virtio, &err) < 0) {
		host_fails(virtio, err.text);
		return;
	}
	virtio->started = true;
	for (uint32_t i = 0; i < virtio->queue_count; i++) {
		if (virtio->queues[i].ring.ready)
			signal_fd(virtio->queues[i].kick_fd);
	}
}

void virtio_device_pause(struct virtio_device *virtio)
{
	if (serving(virtio) && virtio->ops->stop)
		virtio->ops->stop(virtio);
	virtio->paused = true;
}

void virtio_device_resume(struct virtio_device *virtio)
{
	bool started = virtio->started;

	virtio->paused = false;
	virtio->started = false; /* nothing to be stopped if it cannot be started */
	if (started)
		activate(virtio);
}

/* When the driver is wrong. */

static bool needs_reset(const struct virtio_device *virtio)
{
	return virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET;
}

void virtio_break(struct virtio_device *virtio, const char *fmt, ...)
{
	char text[128];
	va_list args;

	if (needs_reset(virtio))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_guest(&virtio->device.guest_errors, "%s %s: %s; it waits for a reset by its driver",
		  virtio->device.ops->type, virtio->device.name, text);
	deactivate(virtio);
	virtio->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	/* 2.1.2: told only to a driver that has set DRIVER_OK. */
	if (virtio->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio->transport->ops->config_changed(virtio->transport);
}

void virtio_break_later(struct virtio_device *virtio, const char *fault)
{
	atomic_store(&virtio->fault, fault);
	signal_fd(virtio->attention.fd);
}

/* The status (2.1, 3.1.1). */

static const char *features_fault(const struct virtio_device *virtio)
{
	uint64_t features = virtio->driver_features;

	if (features & ~virtio->features)
		return "the driver accepts features that were not offered";
	if (!(features & BIT(VIRTIO_F_VERSION_1)))
		return "the driver does not accept VIRTIO_F_VERSION_1: it is for legacy devices";
	return virtio->ops->check_features ? virtio->ops->check_features(virtio, features) : NULL;
}

/* 2.2.2: the device says no by leaving FEATURES_OK clear. */
static bool take_features(struct virtio_device *virtio)
{
	const char *fault = features_fault(virtio);

	if (fault)
		log_guest(&virtio->device.guest_errors, "%s %s: %s (0x%" PRIx64 ")",
			  virtio->device.ops->type, virtio->device.name, fault,
			  virtio->driver_features);
	return !fault;
}

void virtio_set_status(struct virtio_device *virtio, uint8_t status)
{
	uint8_t old = virtio->status & STATUS_OF_DRIVER;
	uint8_t added;

	if (!status) {
		virtio_device_reset(&virtio->device);
		if (virtio->driver)
			virtio->driver(virtio->driver_data, false);
		return;
	}
	status &= STATUS_OF_DRIVER;
	if (needs_reset(virtio))
		return;
	if (old & ~status) {
		virtio_break(virtio, "the driver takes back bits of the status: 0x%x after 0x%x",
			     status, old);
		return;
	}
	added = status & ~old;
	if (added & VIRTIO_CONFIG_S_FEATURES_OK && !take_features(virtio))
		status &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
	if (added & VIRTIO_CONFIG_S_DRIVER_OK && !(status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		virtio_break(virtio, "DRIVER_OK comes before FEATURES_OK");
		return;
	}
	virtio->status = status;
	if (!(added & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	activate(virtio);
	if (virtio->driver && virtio->started)
		virtio->driver(virtio->driver_data, true);
}

void virtio_set_driver_features(struct virtio_device *virtio, unsigned word, uint32_t features)
{
	uint64_t mask;

	if (word > 1) /* there are 64 */
		return;
	mask = (uint64_t)UINT32_MAX << (32 * word);
	if (virtio->status & VIRTIO_CONFIG_S_FEATURES_OK) {
		virtio_break(virtio, "the driver changes features after FEATURES_OK");
		return;
	}
	virtio->driver_features = (virtio->driver_features & ~mask) | (uint64_t)features
									      << (32 * word);
}

/* The configuration space (2.5). */

void virtio_config_read(const struct virtio_device *virtio, unsigned offset, void *data,
			unsigned size)
{
	memset(data, 0, size);
	if (offset < virtio->config_size)
		memcpy(data, (const char *)virtio->config + offset,
		       min_u64(size, virtio->config_size - offset));
}

void virtio_config_write(struct virtio_device *virtio, unsigned offset, const void *data,
			 unsigned size)
{
	const struct virtio_writable *row = virtio->ops->writable;

	for (; row && row->size; row++) {
		if (offset < row->offset || offset + size > row->offset + row->size)
			continue;
		memcpy((char *)virtio->config + offset, data, size);
		if (virtio->ops->config_written)
			virtio->ops->config_written(virtio, offset, size);
		return;
	}
	log_guest(&virtio->device.guest_errors,
		  "%s %s: the driver writes %u bytes to its configuration at 0x%x, which it may "
		  "only read",
		  virtio->device.ops->type, virtio->device.name, size, offset);
}

void virtio_config_changed(struct virtio_device *virtio)
{
	virtio->config_generation++;
	if (virtio->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio->transport->ops->config_changed(virtio->transport);
}

/* Queues (2.6, 4.2.3.2). */

static void set_half(gpa_t *address, bool high, uint32_t value)
{
	unsigned shift = high ? 32 : 0;

	*address = (*address & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

void virtio_queue_set(struct virtio_device *virtio, uint32_t index, enum virtio_queue_field field,
		      uint32_t value)
{
	struct virtqueue *ring;

	if (index >= virtio->queue_count)
		return;
	ring = &virtio->queues[index].ring;
	if (ring->ready) {
		virtio_break(virtio, "queue %u: the driver changes it while it is in use", index);
		return;
	}
	switch (field) {
	case VIRTIO_QUEUE_SIZE:
		ring->size = value > ring->max ? 0 : (uint16_t)value;
		break;
	case VIRTIO_QUEUE_DESC_LOW:
	case VIRTIO_QUEUE_DESC_HIGH:
		set_half(&ring->desc, field == VIRTIO_QUEUE_DESC_HIGH, value);
		break;
	case VIRTIO_QUEUE_DRIVER_LOW:
	case VIRTIO_QUEUE_DRIVER_HIGH:
		set_half(&ring->driver, field == VIRTIO_QUEUE_DRIVER_HIGH, value);
		break;
	case VIRTIO_QUEUE_DEVICE_LOW:
	case VIRTIO_QUEUE_DEVICE_HIGH:
		set_half(&ring->device, field == VIRTIO_QUEUE_DEVICE_HIGH, value);
		break;
	}
}

static void enable_queue(struct virtio_device *virtio, uint32_t index)
{
	const char *fault = "is set up before FEATURES_OK";
	bool started = virtio->started;

	if (virtio->queues[index].ring.ready || needs_reset(virtio))
		return;
	quiesce(virtio);
	if (virtio->status & VIRTIO_CONFIG_S_FEATURES_OK)
		fault = virtqueue_enable(&virtio->queues[index].ring, virtio->mem,
					 virtio->driver_features);
	if (fault)
		virtio_break(virtio, "queue %u: %s", index, fault);
	else if (started)
		activate(virtio);
}

/* The driver takes queue @index back, alone. */
static void disable_queue(struct virtio_device *virtio, uint32_t index)
{
	bool started = virtio->started;

	quiesce(virtio);
	virtqueue_reset(&virtio->queues[index].ring);
	if (started)
		activate(virtio);
}

void virtio_queue_ready(struct virtio_device *virtio, uint32_t index, bool ready)
{
	if (index >= virtio->queue_count)
		return;
	if (ready)
		enable_queue(virtio, index);
	else
		disable_queue(virtio, index);
}

void virtio_queue_reset(struct virtio_device *virtio, uint32_t index)
{
	if (index >= virtio->queue_count)
		return;
	if (!virtio_has(virtio, VIRTIO_F_RING_RESET)) {
		virtio_break(virtio, "queue %u: reset without VIRTIO_F_RING_RESET", index);
		return;
	}
	disable_queue(virtio, index);
}

bool virtio_pop(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain)
{
	struct virtqueue *ring = &virtio->queues[index].ring;
	int r;

	if (!serving(virtio))
		return false;
	r = virtqueue_pop(ring, chain);
	if (r < 0)
		virtio_break(virtio, "queue %u: %s", index, ring->fault);
	return r > 0;
}

void virtio_push(struct virtio_device *virtio, unsigned index, const struct virtq_chain *chain,
		 uint32_t written)
{
	virtqueue_push(&virtio->queues[index].ring, chain, written);
}

/* By itself, so that nobody else makes room for its registers. */
static __attribute__((noinline, cold)) void call_watched(const struct virtio_queue *queue)
{
	const struct irq_watch *watch = queue->virtio->watch;

	signal_fd(queue->call_fd);
	if (watch)
		watch->signalled(watch->data, watch->intid, queue->virtio->device.name);
}

void virtio_queue_call(const struct virtio_queue *queue)
{
	const struct virtio_device *virtio = queue->virtio;

	PROBE(interrupt, virtio->device.name, queue->call_fd);
	if (atomic_load_explicit(&virtio->watch, memory_order_relaxed))
		call_watched(queue);
	else
		signal_fd(queue->call_fd);
}

void virtio_flush(struct virtio_device *virtio, unsigned index)
{
	if (serving(virtio) && virtqueue_flush(&virtio->queues[index].ring))
		virtio_queue_call(&virtio->queues[index]);
}

void virtio_again(struct virtio_device *virtio, unsigned index)
{
	signal_fd(virtio->queues[index].kick_fd);
}

enum served { SERVED, SERVED_NONE, SERVED_LATER };

static enum served serve_one(struct virtio_device *virtio, unsigned index,
			     struct virtq_chain *chain, virtio_serve_fn *serve)
{
	uint32_t written = 0;

	if (!virtio_pop(virtio, index, chain))
		return SERVED_NONE;
	if (!serve(virtio, index, chain, &written)) {
		virtqueue_unpop(&virtio->queues[index].ring, chain);
		return SERVED_LATER;
	}
	virtio_push(virtio, index, chain, written);
	return SERVED;
}

/*
 * A driver that fills the queue as fast as it is emptied must not have the main
 * thread for ever: after one queue full the others have their turn. While a
 * buffer has to wait for something else, the driver need not notify.
 */
void virtio_serve(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		  virtio_serve_fn *serve)
{
	struct virtqueue *ring = &virtio->queues[index].ring;
	enum served served = SERVED;
	unsigned left = ring->size;

	if (!serving(virtio) || !ring->ready)
		return;
	virtqueue_disable_notify(ring);
	while (left && served == SERVED) {
		served = serve_one(virtio, index, chain, serve);
		if (served == SERVED)
			left--;
		else if (served == SERVED_NONE && serving(virtio) && virtqueue_enable_notify(ring))
			served = SERVED; /* one has come just now */
	}
	virtio_flush(virtio, index);
	if (!left)
		virtio_again(virtio, index);
}

/* As a device. */

void virtio_device_reset(struct device *device)
{
	struct virtio_device *virtio = to_virtio(device);

	deactivate(virtio);
	virtio->driver_features = 0;
	virtio->status = 0;
	virtio->config_generation = 0;
	virtio->registers = (struct virtio_registers){0};
	atomic_store(&virtio->fault, NULL);
	for (uint32_t i = 0; i < virtio->queue_count; i++)
		virtqueue_reset(&virtio->queues[i].ring);
	if (virtio->ops->reset)
		virtio->ops->reset(virtio);
}

void virtio_device_describe(const struct device *device, const struct device_slot *slot,
			    struct fdt_builder *fdt)
{
	const struct virtio_device *virtio = container_of(device, struct virtio_device, device);

	virtio->transport->ops->describe(virtio->transport, slot, fdt);
}

/* What was loaded is no device's, and must not be used as one. */
static int refuse_loaded(struct virtio_device *virtio, const char *why, struct error *err)
{
	virtio_device_reset(&virtio->device);
	return error_set(err, EINVAL, "the saved state of %s cannot be: %s", virtio->device.name,
			 why);
}

int virtio_device_loaded(struct device *device, struct error *err)
{
	struct virtio_device *virtio = to_virtio(device);
	uint8_t status = virtio->status;
	uint8_t needed = VIRTIO_CONFIG_S_FEATURES_OK;

	if (status & ~(STATUS_OF_DRIVER | VIRTIO_CONFIG_S_NEEDS_RESET) ||
	    (status & VIRTIO_CONFIG_S_DRIVER_OK && !(status & needed)))
		return refuse_loaded(virtio, "there is no such status", err);
	if (virtio->registers.isr & ~VIRTIO_ISR_CONFIG)
		return refuse_loaded(virtio, "there is no such interrupt status", err);
	if (status & needed && features_fault(virtio))
		return refuse_loaded(virtio, features_fault(virtio), err);
	deactivate(virtio);
	for (uint32_t i = 0; i < virtio->queue_count; i++) {
		struct virtqueue *ring = &virtio->queues[i].ring;
		const char *fault = virtqueue_restore(ring, virtio->mem, virtio->driver_features);

		if (!fault && ring->ready && !(status & needed))
			fault = "a queue is set up before FEATURES_OK";
		if (fault)
			return refuse_loaded(virtio, fault, err);
	}
	if (status & VIRTIO_CONFIG_S_DRIVER_OK && !needs_reset(virtio))
		activate(virtio);
	return 0;
}

static void offer_features(struct virtio_device *virtio,
			   const struct virtio_device_options *options)
{
	uint64_t ring = RING_FEATURES;

	if (virtio->ops->in_order)
		ring |= BIT(VIRTIO_F_IN_ORDER);
	virtio->features = options->features | (ring & ~options->lacks);
}

int virtio_device_init(struct virtio_device *virtio, const struct device_ops *device_ops,
		       const struct virtio_ops *ops, const struct virtio_device_options *options)
{
	assert(options->config_size <= VIRTIO_CONFIG_MAX);
	device_init(&virtio->device, device_ops, options->name);
	virtio->ops = ops;
	virtio->mem = options->mem;
	virtio->loop = options->loop;
	virtio->config = options->config;
	virtio->config_size = options->config_size;
	virtio->attention.fd = -1;
	offer_features(virtio, options);
	virtio->queues = calloc(options->queue_count, sizeof(*virtio->queues));
	if (!virtio->queues)
		return -ENOMEM;
	virtio->queue_count = options->queue_count;
	for (uint32_t i = 0; i < virtio->queue_count; i++) {
		struct virtio_queue *queue = &virtio->queues[i];

		assert(is_power_of_two(options->queue_sizes[i]));
		queue->ring.max = options->queue_sizes[i];
		queue->kick_fd = -1;
		queue->call_fd = -1;
		queue->virtio = virtio;
	}
	return 0;
}

void virtio_device_finish(struct virtio_device *virtio)
{
	deactivate(virtio);
	if (virtio->transport)
		virtio->transport->ops->destroy(virtio->transport);
	event_source_remove(&virtio->attention);
	for (uint32_t i = 0; i < virtio->queue_count; i++) {
		struct virtio_queue *queue = &virtio->queues[i];

		if (queue->kick.loop)
			event_source_remove(&queue->kick);
		else
			close_fd(queue->kick_fd);
	}
	free(virtio->queues);
	device_finish(&virtio->device);
}
