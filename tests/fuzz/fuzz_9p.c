/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 9P device between a guest and a server that both mean no good. The input is
 * a list of steps, a byte each, of which the lower two bits say what it is:
 *
 *	0  the driver sends a request: a byte of room for the answer (in words),
 *	   a byte of size, and its bytes
 *	1  the server says something: a byte of size, and its bytes
 *	2  the server answers the request that it got last: the upper bits are
 *	   the size of the body
 *	3  a reset (bit 2), or a turn of the event loop
 *
 * Each buffer comes back once, with no more than it has room for; and when the
 * server has gone, all do, unless the driver broke the device.
 */
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "p9.h"
#include "virtio/virtio_9p.h"

#define RAM       UINT64_C(0x40000000)
#define RAM_SIZE  (2 * MIB)
#define RING_SIZE 16
#define BUFFERS   (RING_SIZE / 2) /* a request and its answer each */
#define TURNS     3

#define AVAIL     (RAM + 0x1000)
#define USED      (RAM + 0x2000)
#define BUFFER(n) (RAM + 0x10000 + (n)*UINT64_C(0x1000))
#define ANSWER    0x800 /* from the start of a buffer */

struct bench {
	struct event_loop *loop;
	struct guest_mem *mem;
	struct virtio_device *virtio;
	int server;
	struct p9_header last; /* that the server got */

	/* The driver. */
	uint16_t avail;
	uint16_t used;
	bool busy[BUFFERS];
	uint32_t room[BUFFERS];
};

/* A transport that nobody looks through. */

static void config_changed(struct virtio_transport *transport)
{
	(void)transport;
}

static int live(struct virtio_transport *transport, bool on)
{
	(void)transport;
	(void)on;
	return 0;
}

static void transport_destroy(struct virtio_transport *transport)
{
	(void)transport;
}

static const struct virtio_transport_ops transport_ops = {
	.config_changed = config_changed,
	.live = live,
	.destroy = transport_destroy,
};

/* The driver. */

static void *ram(const struct bench *bench, gpa_t addr, size_t size)
{
	void *at = guest_mem_at(bench->mem, addr, size);

	FUZZ_ASSERT(at);
	return at;
}

static void set_address(struct virtio_device *virtio, enum virtio_queue_field low, gpa_t addr)
{
	virtio_queue_set(virtio, 0, low, (uint32_t)addr);
	virtio_queue_set(virtio, 0, low + 1, (uint32_t)(addr >> 32));
}

static void drive(struct bench *bench)
{
	const uint32_t all = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
	struct virtio_device *virtio = bench->virtio;

	virtio_set_status(virtio, 0);
	memset(bench->busy, 0, sizeof(bench->busy));
	bench->avail = 0;
	bench->used = 0;
	memset(ram(bench, RAM, 0x3000), 0, 0x3000);
	virtio_set_status(virtio, all);
	virtio_set_driver_features(virtio, 1, (uint32_t)(BIT(VIRTIO_F_VERSION_1) >> 32));
	virtio_set_status(virtio, all | VIRTIO_CONFIG_S_FEATURES_OK);
	virtio_queue_set(virtio, 0, VIRTIO_QUEUE_SIZE, RING_SIZE);
	set_address(virtio, VIRTIO_QUEUE_DESC_LOW, RAM);
	set_address(virtio, VIRTIO_QUEUE_DRIVER_LOW, AVAIL);
	set_address(virtio, VIRTIO_QUEUE_DEVICE_LOW, USED);
	virtio_queue_ready(virtio, 0, true);
	virtio_set_status(virtio, all | VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
	FUZZ_ASSERT(virtio->started);
}

static void send_request(struct bench *bench, const uint8_t *data, uint32_t size, uint32_t room)
{
	struct vring_desc *table = ram(bench, RAM, RING_SIZE * sizeof(*table));
	uint16_t *avail = ram(bench, AVAIL, 6 + 2 * RING_SIZE);
	uint16_t n = 0;

	while (n < BUFFERS && bench->busy[n])
		n++;
	if (n == BUFFERS || !size || !room)
		return;
	memcpy(ram(bench, BUFFER(n), size), data, size);
	table[2 * n] =
		(struct vring_desc){BUFFER(n), size, VRING_DESC_F_NEXT, (uint16_t)(2 * n + 1)};
	table[2 * n + 1] = (struct vring_desc){BUFFER(n) + ANSWER, room, VRING_DESC_F_WRITE, 0};
	avail[2 + bench->avail % RING_SIZE] = (uint16_t)(2 * n);
	avail[1] = ++bench->avail;
	bench->busy[n] = true;
	bench->room[n] = room;
	virtio_again(bench->virtio, 0);
}

static void take_used(struct bench *bench)
{
	const uint8_t *used = ram(bench, USED, 6 + 8 * RING_SIZE);
	uint16_t index;

	memcpy(&index, used + 2, sizeof(index));
	for (; bench->used != index; bench->used++) {
		struct vring_used_elem elem;

		memcpy(&elem, used + 4 + bench->used % RING_SIZE * sizeof(elem), sizeof(elem));
		FUZZ_ASSERT(elem.id < RING_SIZE && elem.id % 2 == 0);
		FUZZ_ASSERT(bench->busy[elem.id / 2] && elem.len <= bench->room[elem.id / 2]);
		FUZZ_ASSERT(!elem.len || elem.len >= P9_HEADER_SIZE);
		bench->busy[elem.id / 2] = false;
	}
}

static void turn(struct bench *bench)
{
	for (unsigned i = 0; i < TURNS; i++) {
		event_loop_stop(bench->loop);
		event_loop_run(bench->loop);
	}
	take_used(bench);
}

/* The server. */

static void server_reads(struct bench *bench)
{
	uint8_t data[4096];
	ssize_t n = recv(bench->server, data, sizeof(data), MSG_DONTWAIT);
	size_t at = 0;

	/* All messages are whole: they are far less than the socket holds. */
	while (n > 0 && (size_t)n - at >= P9_HEADER_SIZE) {
		bench->last = p9_header_get(data + at);
		FUZZ_ASSERT(bench->last.size >= P9_HEADER_SIZE);
		FUZZ_ASSERT(n == sizeof(data) || bench->last.size <= (size_t)n - at);
		at += min_u64(bench->last.size, (size_t)n - at);
	}
}

static void server_answers(struct bench *bench, uint32_t size)
{
	uint8_t data[P9_HEADER_SIZE + 64] = {0};
	const struct p9_header header = {
		.size = P9_HEADER_SIZE + size,
		.type = bench->last.type + 1,
		.tag = bench->last.tag,
	};

	p9_header_put(data, &header);
	send(bench->server, data, header.size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void take_step(struct bench *bench, struct cursor *c)
{
	uint8_t step = cursor_u8(c);
	uint32_t room = (step & 3) == 0 ? cursor_u8(c) * 4U : 0;
	uint8_t size = (step & 3) < 2 ? cursor_u8(c) : 0;
	const uint8_t *data = cursor_take(c, min_u64(size, c->left));

	if (!cursor_ok(c))
		return;
	size = (uint8_t)(c->at - data);
	switch (step & 3) {
	case 0:
		send_request(bench, data, size, room);
		break;
	case 1:
		send(bench->server, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 2:
		server_answers(bench, step >> 2);
		break;
	default:
		if (step & 4)
			drive(bench);
	}
	turn(bench);
	server_reads(bench);
}

static void open_bench(struct bench *bench, struct virtio_transport *transport)
{
	static const struct guest_mem_options plain;
	struct virtio_9p_options options = {
		.name = "share0",
		.tag = "tag",
		.directory = "/share",
		.squash = true,
	};
	struct error err = {0};
	int fds[2];

	log_set_level(LOG_LEVEL_ERROR);
	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	FUZZ_ASSERT(event_loop_create(&bench->loop, &err) == 0);
	FUZZ_ASSERT(guest_mem_create(RAM, RAM_SIZE, &plain, &bench->mem, &err) == 0);
	bench->server = fds[0];
	options.server_fd = fds[1];
	options.mem = bench->mem;
	options.loop = bench->loop;
	FUZZ_ASSERT(virtio_9p_create(&options, &bench->virtio) == 0);
	transport->device = bench->virtio;
	bench->virtio->transport = transport;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_transport transport = {.ops = &transport_ops};
	struct cursor c = cursor_init(data, size);
	struct bench bench = {0};

	open_bench(&bench, &transport);
	drive(&bench);
	while (c.left && cursor_ok(&c))
		take_step(&bench, &c);
	close_fd(bench.server);
	turn(&bench);
	for (unsigned i = 0; i < BUFFERS; i++)
		FUZZ_ASSERT(!bench.busy[i] || !bench.virtio->started);
	device_destroy(&bench.virtio->device);
	guest_mem_destroy(bench.mem);
	event_loop_destroy(bench.loop);
	return 0;
}
