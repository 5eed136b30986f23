/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_9p.h"

#include <assert.h>
#include <linux/virtio_9p.h>
#include <string.h>
#include <sys/socket.h>

#include "virtio_9p_private.h"

static struct virtio_9p *to_9p(struct virtio_device *virtio)
{
	return container_of(virtio, struct virtio_9p, virtio);
}

static struct virtqueue *ring_of(struct virtio_9p *p9)
{
	return &p9->virtio.queues[0].ring;
}

uint16_t p9_server_tag(const struct virtio_9p *p9, const struct p9_request *request)
{
	if (request->type == P9_TVERSION)
		return P9_NOTAG;
	return (uint16_t)(p9->generation << P9_SLOT_BITS | (request - p9->requests));
}

/* Answers. */

/* @request is over: its chain goes back with @written bytes. */
static void give_back(struct virtio_9p *p9, struct p9_request *request, uint32_t written)
{
	request->busy = false;
	p9->busy--;
	p9->answered++;
	if (request->old)
		request->old->flushers--;
	request->old = NULL;
	virtio_push(&p9->virtio, 0, &request->chain, written);
}

void p9_answer_error(struct virtio_9p *p9, struct p9_request *request, uint32_t code)
{
	uint8_t data[P9_ERROR_SIZE];

	p9_error_put(data, request->tag, code);
	virtq_chain_write(&request->chain, 0, data, sizeof(data));
	give_back(p9, request, sizeof(data));
}

/*
 * Nobody waits any more for what is in flight, but for @but: with @push the
 * chains go back, empty. What the server still says to it is told from the rest
 * by the generation.
 */
static void forget(struct virtio_9p *p9, const struct p9_request *but, bool push)
{
	size_t kept = but ? (size_t)(but - p9->requests) : P9_SLOTS;

	for (unsigned i = 0; i < P9_SLOTS; i++) {
		struct p9_request *request = &p9->requests[i];
		bool answered = p9->receiving.header.size && p9->receiving.request == request;

		request->flushers = 0;
		request->old = NULL;
		if (!request->busy || i == kept)
			continue;
		p9_stream_let_go(p9, request);
		if (!answered && !p9->lost)
			(*(request->type == P9_TVERSION ? &p9->stale_versions : &p9->stale))++;
		request->busy = false;
		p9->busy--;
		if (push)
			virtio_push(&p9->virtio, 0, &request->chain, 0);
	}
	p9->generation = (uint16_t)((p9->generation + 1) % P9_GENERATIONS);
}

/* What is flushed is over with Rflush at the latest, answered or not. */
static void end_flushed(struct virtio_9p *p9, struct p9_request *old)
{
	if (!old || !old->busy)
		return;
	p9_stream_let_go(p9, old);
	give_back(p9, old, 0);
}

static void fail_all(struct virtio_9p *p9)
{
	for (unsigned i = 0; i < P9_SLOTS; i++) {
		p9->requests[i].old = NULL;
		p9->requests[i].flushers = 0;
		if (p9->requests[i].busy)
			p9_answer_error(p9, &p9->requests[i], EIO);
	}
}

void p9_shut_server(struct virtio_9p *p9, const char *why)
{
	if (p9->lost)
		return;
	log_error("%s: the 9P server %s: all that the guest does in the share '%.*s' fails from "
		  "now on",
		  p9->virtio.device.name, why, p9->config[0], p9->config + 2);
	p9->lost = true;
	event_source_remove(&p9->server);
	patience_end(&p9->patience);
	p9->fd = close_fd(p9->fd);
	free(p9->sending.copy);
	p9->sending = (struct p9_sending){0};
	p9->receiving = (struct p9_receiving){0};
}

void p9_lose_server(struct virtio_9p *p9, const char *why)
{
	p9_shut_server(p9, why);
	fail_all(p9);
}

void p9_answer(struct virtio_9p *p9, struct p9_request *request, const struct p9_header *header)
{
	struct p9_header ours = *header;
	uint8_t data[P9_HEADER_SIZE];

	/* A new session begins with nothing in flight. */
	if (request->type == P9_TVERSION && p9->busy > 1)
		forget(p9, request, true);
	if (request->type == P9_TFLUSH)
		end_flushed(p9, request->old);
	ours.tag = request->tag;
	p9_header_put(data, &ours);
	virtq_chain_write(&request->chain, 0, data, sizeof(data));
	give_back(p9, request, header->size);
	if (p9->lost)
		fail_all(p9);
}

/* Requests. */

static struct p9_request *free_slot(struct virtio_9p *p9)
{
	for (unsigned i = 0; i < P9_SLOTS; i++) {
		if (!p9->requests[i].busy && !p9->requests[i].flushers)
			return &p9->requests[i];
	}
	return NULL;
}

/* The request that the driver knows by @tag, other than @but. */
static struct p9_request *find_tag(struct virtio_9p *p9, uint16_t tag, const struct p9_request *but)
{
	for (unsigned i = 0; i < P9_SLOTS; i++) {
		struct p9_request *request = &p9->requests[i];

		if (request->busy && request != but && request->tag == tag)
			return request;
	}
	return NULL;
}

static void begin_sending(struct virtio_9p *p9, struct p9_request *request,
			  const struct p9_header *header, size_t head_size, size_t skip)
{
	struct p9_sending *s = &p9->sending;
	struct p9_header ours = *header;

	ours.size = (uint32_t)(head_size + request->chain.out_size - skip);
	ours.tag = p9_server_tag(p9, request);
	p9_header_put(s->head, &ours);
	s->request = request;
	s->head_size = head_size;
	s->skip = skip;
	s->size = ours.size;
	s->done = 0;
}

static bool send_version(struct virtio_9p *p9, struct p9_request *request,
			 const struct p9_header *header)
{
	uint8_t head[P9_MSIZE_END];
	struct cursor c = cursor_init(head + P9_HEADER_SIZE, 4);

	if (virtq_chain_read(&request->chain, 0, head, sizeof(head)) < sizeof(head))
		return false;
	p9_put_le(p9->sending.head + P9_HEADER_SIZE, min_u64(cursor_u32(&c), VIRTIO_9P_MSIZE_MAX),
		  4);
	p9->session = true;
	begin_sending(p9, request, header, P9_MSIZE_END, P9_MSIZE_END);
	return true;
}

static bool send_attach(struct virtio_9p *p9, struct p9_request *request,
			const struct p9_header *header)
{
	uint8_t data[P9_ATTACH_MAX];
	size_t size = request->chain.out_size;

	if (size > sizeof(data))
		return false;
	virtq_chain_read(&request->chain, 0, data, size);
	size = p9_attach_rewrite(data, size, &p9->attach, p9->sending.head);
	if (!size)
		return false;
	begin_sending(p9, request, header, size, request->chain.out_size);
	return true;
}

static bool send_flush(struct virtio_9p *p9, struct p9_request *request,
		       const struct p9_header *header)
{
	const struct p9_header done = {P9_HEADER_SIZE, P9_TFLUSH + 1, header->tag};
	uint8_t data[P9_FLUSH_SIZE];
	struct cursor c = cursor_init(data + P9_HEADER_SIZE, 2);
	struct p9_request *old;

	if (request->chain.out_size != sizeof(data))
		return false;
	virtq_chain_read(&request->chain, 0, data, sizeof(data));
	old = find_tag(p9, cursor_u16(&c), request);
	/* What it flushes was answered meanwhile. */
	if (!old) {
		p9_answer(p9, request, &done);
		return true;
	}
	old->flushers++;
	request->old = old;
	p9_put_le(p9->sending.head + P9_HEADER_SIZE, p9_server_tag(p9, old), 2);
	begin_sending(p9, request, header, sizeof(data), sizeof(data));
	return true;
}

/*
 * Locks are the guest's own, who keeps account of them before it asks: diod has but
 * one lock for a file, which ranges and kinds of lock would have to share.
 */
static bool answer_lock(struct virtio_9p *p9, struct p9_request *request)
{
	uint8_t data[P9_LOCK_MAX];
	uint8_t answer[P9_LOCK_MAX];
	size_t size = request->chain.out_size;

	if (size > sizeof(data))
		return false;
	virtq_chain_read(&request->chain, 0, data, size);
	size = p9_lock_answer(data, size, answer);
	if (!size || size > request->chain.in_size)
		return false;
	virtq_chain_write(&request->chain, 0, answer, size);
	give_back(p9, request, (uint32_t)size);
	return true;
}

/* Pass @request on, or answer it; false: it is not as 9P has it. */
static bool send_request(struct virtio_9p *p9, struct p9_request *request,
			 const struct p9_header *header)
{
	if (header->size != request->chain.out_size || header->size > VIRTIO_9P_MSIZE_MAX ||
	    find_tag(p9, header->tag, request))
		return false;
	switch (header->type) {
	case P9_TVERSION:
		return send_version(p9, request, header);
	case P9_TATTACH:
		return send_attach(p9, request, header);
	case P9_TFLUSH:
		return send_flush(p9, request, header);
	case P9_TLOCK:
	case P9_TGETLOCK:
		return answer_lock(p9, request);
	default:
		begin_sending(p9, request, header, P9_HEADER_SIZE, P9_HEADER_SIZE);
		return true;
	}
}

static void take_request(struct virtio_9p *p9, struct p9_request *request)
{
	struct device *device = &p9->virtio.device;
	uint8_t head[P9_HEADER_SIZE];
	struct p9_header header;

	if (request->chain.in_size < P9_ERROR_SIZE ||
	    virtq_chain_read(&request->chain, 0, head, sizeof(head)) < sizeof(head)) {
		virtio_break(&p9->virtio, "a request of %u bytes, with room for an answer of %u",
			     request->chain.out_size, request->chain.in_size);
		return;
	}
	header = p9_header_get(head);
	request->type = header.type;
	request->tag = header.tag;
	request->busy = true;
	p9->busy++;
	if (p9->lost || (!p9->session && header.type != P9_TVERSION)) {
		p9_answer_error(p9, request, EIO);
		return;
	}
	if (send_request(p9, request, &header)) {
		p9_stream_send(p9);
		if (p9->busy && !p9->lost)
			patience_begin(&p9->patience);
		return;
	}
	log_guest(&device->guest_errors,
		  "%s %s: a request that is not 9P: type %u, tag %u, size %u in %u bytes",
		  device->ops->type, device->name, header.type, header.tag, header.size,
		  request->chain.out_size);
	p9_answer_error(p9, request, EPROTO);
}

/*
 * Take requests while the server takes them from us: the rest waits in the
 * ring. After one queue full the rest of the main thread has its turn.
 */
static void take_requests(struct virtio_9p *p9)
{
	struct virtio_device *virtio = &p9->virtio;
	struct virtqueue *ring = ring_of(p9);
	struct p9_request *request = NULL;
	unsigned left = ring->size;

	virtqueue_disable_notify(ring);
	do {
		while (left && !p9->sending.size && (request = free_slot(p9)) &&
		       virtio_pop(virtio, 0, &request->chain)) {
			take_request(p9, request);
			left--;
		}
	} while (left && !p9->sending.size && request && virtio->started &&
		 virtqueue_enable_notify(ring));
	virtio_flush(virtio, 0);
	if (!left)
		virtio_again(virtio, 0);
}

static void notify(struct virtio_device *virtio, unsigned index)
{
	(void)index;
	take_requests(to_9p(virtio));
}

static void on_server(void *data, unsigned events)
{
	struct virtio_9p *p9 = data;

	(void)events;
	p9_stream_send(p9);
	p9_stream_receive(p9);
	if (ring_of(p9)->ready)
		take_requests(p9);
}

static bool waits(struct virtio_device *virtio, uint64_t *ret_done)
{
	*ret_done = to_9p(virtio)->answered;
	return to_9p(virtio)->busy;
}

/* As a device. */

static int start(struct virtio_device *virtio, struct error *err)
{
	struct virtio_9p *p9 = to_9p(virtio);
	int r;

	/* Its queue was taken back alone: with it all that was in it. */
	if (!ring_of(p9)->ready)
		forget(p9, NULL, false);
	if (p9->lost)
		return 0;
	p9->server.owner = &virtio->device;
	p9->server.callback = on_server;
	p9->server.data = p9;
	p9->watches_write = p9->sending.size;
	r = event_loop_add(virtio->loop, &p9->server, p9->fd,
			   EVENT_READ | (p9->watches_write ? EVENT_WRITE : 0));
	if (r < 0)
		return error_set_errno(err, -r, "the socket of the 9P server");
	if (p9->busy)
		patience_begin(&p9->patience);
	return 0;
}

static void stop(struct virtio_device *virtio)
{
	event_source_remove(&to_9p(virtio)->server);
	patience_end(&to_9p(virtio)->patience);
}

static void reset(struct virtio_device *virtio)
{
	struct virtio_9p *p9 = to_9p(virtio);

	forget(p9, NULL, false);
	p9->session = false;
}

static const struct virtio_ops p9_ops = {
	.id = VIRTIO_ID_9P,
	.notify = notify,
	.start = start,
	.stop = stop,
	.reset = reset,
};

static const struct state_field p9_fields[] = {VIRTIO_STATE_FIELDS(struct virtio_9p)};

static const struct state_table p9_state = {
	.name = "virtio-9p",
	.fields = p9_fields,
	.field_count = ARRAY_SIZE(p9_fields),
	.object_size = sizeof(struct virtio_9p),
};

/* What was in flight when the state was saved cannot be answered any more. */
static int p9_loaded(struct device *device, struct error *err)
{
	struct virtio_9p *p9 = to_9p(to_virtio(device));
	const struct virtqueue *ring = ring_of(p9);
	int r;

	reset(&p9->virtio);
	r = virtio_device_loaded(device, err);
	if (r == 0 && p9->virtio.started &&
	    (ring->avail != ring->used || ring->avail_wrap != ring->used_wrap))
		virtio_break(&p9->virtio, "requests were in flight when the state was saved");
	return r;
}

static void p9_destroy(struct device *device)
{
	struct virtio_device *virtio = to_virtio(device);
	struct virtio_9p *p9 = to_9p(virtio);

	virtio_device_finish(virtio);
	close_fd(p9->fd);
	free(p9->sending.copy);
	free(p9->directory);
	free(p9->pieces);
	free(p9);
}

static const struct device_ops p9_device_ops = {
	.type = "virtio-9p",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &p9_state,
	.loaded = p9_loaded,
	.destroy = p9_destroy,
};

/* What is left to be done when the device's structure is there. */
static int set_up(struct virtio_9p *p9, const struct virtio_9p_options *options)
{
	static const uint16_t queue_sizes[] = {P9_SLOTS};
	size_t tag_size = strlen(options->tag);
	const struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
		.features = BIT(VIRTIO_9P_MOUNT_TAG),
		.config = p9->config,
		.config_size = 2 + tag_size,
		.queue_sizes = queue_sizes,
		.queue_count = ARRAY_SIZE(queue_sizes),
	};
	/* The more the socket holds, the fewer pieces a large message goes in; it may refuse. */
	const int buffer = (int)VIRTIO_9P_MSIZE_MAX;

	assert(tag_size && tag_size <= VIRTIO_9P_TAG_MAX);
	p9_put_le(p9->config, tag_size, 2);
	memcpy(p9->config + 2, options->tag, tag_size);
	p9->directory = strdup(options->directory);
	p9->pieces = calloc(P9_SLOTS, sizeof(*p9->pieces));
	if (!p9->directory || !p9->pieces)
		return -ENOMEM;
	p9->patience = (struct patience){
		.virtio = &p9->virtio,
		.tag = (const char *)p9->config + 2,
		.tag_size = (int)tag_size,
		.ms = options->patience_ms,
		.waits = waits,
	};
	p9->attach = (struct p9_attach){p9->directory, options->squash, options->uid};
	for (unsigned i = 0; i < P9_SLOTS; i++) {
		p9->requests[i].chain.iov = p9->pieces[i];
		p9->requests[i].chain.iov_max = P9_PIECES_MAX;
	}
	setsockopt(p9->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	return virtio_device_init(&p9->virtio, &p9_device_ops, &p9_ops, &device_options);
}

int virtio_9p_create(const struct virtio_9p_options *options, struct virtio_device **ret)
{
	struct virtio_9p *p9 = calloc(1, sizeof(*p9));
	int r;

	if (!p9) {
		close_fd(options->server_fd);
		return -ENOMEM;
	}
	p9->fd = options->server_fd;
	r = set_up(p9, options);
	if (r < 0) {
		close_fd(p9->fd);
		free(p9->directory);
		free(p9->pieces);
		free(p9);
		return r;
	}
	*ret = &p9->virtio;
	return 0;
}
