/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network device between a guest and a port that both mean no good: the first
 * byte says how many of the next are a control command; the rest comes from the
 * port, in pieces that begin with their own length. A command is answered; no
 * frame is more than its buffers.
 */
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>

#include "core/net_port.h"
#include "fuzz.h"
#include "virtio/virtio_net.h"

#define RAM       UINT64_C(0x40000000)
#define RAM_SIZE  (2 * MIB)
#define RING_SIZE 16
#define CONTROL   2
#define ROUNDS    4

/* Where things are in the RAM: a ring for each queue, then buffers. */
#define RING(queue)  (RAM + (queue)*UINT64_C(0x4000))
#define BUFFER(n)    (RAM + 0x10000 + (n)*UINT64_C(0x1000))
#define BUFFER_SIZE  600
#define ANSWER       BUFFER(40)
#define NO_ANSWER    0xee
#define AVAIL_OFFSET 0x1000
#define USED_OFFSET  0x2000

struct bench {
	struct event_loop *loop;
	struct guest_mem *mem;
	struct virtio_device *virtio;
	struct net_port port;
	int peer;
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

static void port_destroy(struct net_port *port)
{
	close_fd(port->pairs[0].fd);
}

static const struct net_port_ops port_ops = {.destroy = port_destroy};

/* The driver. */

static void *ram(const struct bench *bench, gpa_t addr, size_t size)
{
	void *at = guest_mem_at(bench->mem, addr, size);

	FUZZ_ASSERT(at);
	return at;
}

static void set_address(struct virtio_device *virtio, uint32_t index, enum virtio_queue_field low,
			gpa_t addr)
{
	virtio_queue_set(virtio, index, low, (uint32_t)addr);
	virtio_queue_set(virtio, index, low + 1, (uint32_t)(addr >> 32));
}

static void set_queue(struct virtio_device *virtio, uint32_t index)
{
	virtio_queue_set(virtio, index, VIRTIO_QUEUE_SIZE, RING_SIZE);
	set_address(virtio, index, VIRTIO_QUEUE_DESC_LOW, RING(index));
	set_address(virtio, index, VIRTIO_QUEUE_DRIVER_LOW, RING(index) + AVAIL_OFFSET);
	set_address(virtio, index, VIRTIO_QUEUE_DEVICE_LOW, RING(index) + USED_OFFSET);
	virtio_queue_ready(virtio, index, true);
}

static void set_descriptor(struct bench *bench, unsigned queue, uint16_t index,
			   struct vring_desc desc)
{
	memcpy(ram(bench, RING(queue) + index * sizeof(desc), sizeof(desc)), &desc, sizeof(desc));
}

/* Make the buffers with heads 0 to @count - 1 available. */
static void offer(struct bench *bench, unsigned queue, uint16_t count)
{
	uint16_t *avail = ram(bench, RING(queue) + AVAIL_OFFSET, 6 + 2 * RING_SIZE);

	for (uint16_t i = 0; i < count; i++)
		avail[2 + i] = i;
	avail[1] = count;
}

static void drive(struct virtio_device *virtio)
{
	const uint64_t features = virtio->features & ~BIT(VIRTIO_F_RING_PACKED);
	const uint8_t steps[] = {
		VIRTIO_CONFIG_S_ACKNOWLEDGE,
		VIRTIO_CONFIG_S_DRIVER,
		VIRTIO_CONFIG_S_FEATURES_OK,
		VIRTIO_CONFIG_S_DRIVER_OK,
	};

	virtio_set_driver_features(virtio, 0, (uint32_t)features);
	virtio_set_driver_features(virtio, 1, (uint32_t)(features >> 32));
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i] == VIRTIO_CONFIG_S_DRIVER_OK) {
			for (uint32_t queue = 0; queue < virtio->queue_count; queue++)
				set_queue(virtio, queue);
		}
		virtio_set_status(virtio, virtio->status | steps[i]);
	}
	FUZZ_ASSERT(virtio->started);
}

static void run(struct bench *bench)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		event_loop_stop(bench->loop);
		event_loop_run(bench->loop);
	}
}

static void send_command(struct bench *bench, const uint8_t *data, uint32_t size)
{
	uint8_t *answer = ram(bench, ANSWER, 1);

	memcpy(ram(bench, BUFFER(32), size), data, size);
	*answer = NO_ANSWER;
	set_descriptor(bench, CONTROL, 0,
		       (struct vring_desc){BUFFER(32), size, VRING_DESC_F_NEXT, 1});
	set_descriptor(bench, CONTROL, 1, (struct vring_desc){ANSWER, 1, VRING_DESC_F_WRITE, 0});
	offer(bench, CONTROL, 1);
	virtio_again(bench->virtio, CONTROL);
	run(bench);
	FUZZ_ASSERT(*answer == VIRTIO_NET_OK || *answer == VIRTIO_NET_ERR);
}

static void receive(struct bench *bench, const uint8_t *data, size_t size)
{
	const uint16_t *used = ram(bench, RING(0) + USED_OFFSET, 6 + 8 * RING_SIZE);

	for (uint16_t i = 0; i < RING_SIZE; i++)
		set_descriptor(bench, 0, i,
			       (struct vring_desc){BUFFER(i), BUFFER_SIZE, VRING_DESC_F_WRITE, 0});
	offer(bench, 0, RING_SIZE);
	virtio_again(bench->virtio, 0);
	while (size > 1) {
		size_t part = min_u64(size - 1, data[0]);

		if (part && send(bench->peer, data + 1, part, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break; /* it has had enough of us */
		run(bench);
		data += 1 + part;
		size -= 1 + part;
	}
	FUZZ_ASSERT(used[1] <= RING_SIZE);
	for (uint16_t i = 0; i < used[1]; i++) {
		struct vring_used_elem elem;

		memcpy(&elem, (const uint8_t *)used + 4 + i * sizeof(elem), sizeof(elem));
		FUZZ_ASSERT(elem.id == i && elem.len <= BUFFER_SIZE && elem.len > 0);
	}
	FUZZ_ASSERT(!(bench->virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET));
}

static void open_bench(struct bench *bench, struct virtio_transport *transport)
{
	static const struct guest_mem_options plain;
	struct virtio_net_options options = {
		.name = "net0",
		.mac = {2, 1, 2, 3, 4, 5},
		.port = &bench->port,
	};
	struct error err = {0};
	int fds[2];

	log_set_level(LOG_LEVEL_ERROR);
	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	FUZZ_ASSERT(event_loop_create(&bench->loop, &err) == 0);
	FUZZ_ASSERT(guest_mem_create(RAM, RAM_SIZE, &plain, &bench->mem, &err) == 0);
	bench->peer = fds[1];
	bench->port = (struct net_port){
		.ops = &port_ops,
		.peer = "the fuzzer",
		.framing = NET_FRAMES_STREAM,
		.pair_count = 1,
		.pairs = {{.fd = fds[0], .vhost_fd = -1}},
		.offloads = BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4),
	};
	options.mem = bench->mem;
	options.loop = bench->loop;
	FUZZ_ASSERT(virtio_net_create(&options, &bench->virtio, &err) == 0);
	transport->device = bench->virtio;
	bench->virtio->transport = transport;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_transport transport = {.ops = &transport_ops};
	struct bench bench = {0};
	size_t command;

	if (!size)
		return 0;
	command = min_u64(data[0], size - 1);
	open_bench(&bench, &transport);
	drive(bench.virtio);
	if (command)
		send_command(&bench, data + 1, (uint32_t)command);
	receive(&bench, data + 1 + command, size - 1 - command);
	device_destroy(&bench.virtio->device);
	close_fd(bench.peer);
	guest_mem_destroy(bench.mem);
	event_loop_destroy(bench.loop);
	return 0;
}
