/* SPDX-License-Identifier: Apache-2.0 */
#include "net_bench.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ALL_OFFLOADS                                                                            \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | \
	 BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN) |                           \
	 BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_HOST_ECN))

/* The port. */

static struct net_bench *port_owner;

static int port_set_offloads(struct net_port *port, uint64_t offloads)
{
	(void)port;
	port_owner->guest_wishes = offloads;
	return 0;
}

static int port_set_pair(struct net_port *port, unsigned index, bool on)
{
	(void)port;
	if (on)
		port_owner->pairs_on |= 1U << index;
	else
		port_owner->pairs_on &= ~(1U << index);
	return 0;
}

static void port_destroy(struct net_port *port)
{
	for (unsigned i = 0; i < port->pair_count; i++)
		close_fd(port->pairs[i].fd);
	free(port);
}

static const struct net_port_ops port_ops = {
	.set_offloads = port_set_offloads,
	.set_pair = port_set_pair,
	.destroy = port_destroy,
};

static struct net_port *make_port(struct net_bench *net, enum net_framing framing, unsigned pairs)
{
	struct net_port *port = calloc(1, sizeof(*port));
	int type = framing == NET_FRAMES_STREAM ? SOCK_STREAM : SOCK_SEQPACKET;

	port->ops = &port_ops;
	port->peer = "the test";
	port->framing = framing;
	port->pair_count = pairs;
	port->offloads = framing == NET_FRAMES_STREAM ? 0 : ALL_OFFLOADS;
	port->mtu = 1500;
	for (unsigned i = 0; i < pairs; i++) {
		int fds[2];

		ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds), 0);
		port->pairs[i] = (struct net_pair){.fd = fds[0], .vhost_fd = -1};
		if (i == 0)
			net->peer = fds[1];
		else
			net->others[i] = fds[1];
	}
	net->port = port;
	port_owner = net;
	return port;
}

struct net_port *net_bench_another_port(struct net_bench *net)
{
	net->peer = close_fd(net->peer);
	return make_port(net, NET_FRAMES_STREAM, 1);
}

/* The fake vhost: each call is a word, "offset of the operation, then the ring". */

static void note(struct fake_vhost *fake, const char *fmt, ...) PRINTF(2, 3);

static void note(struct fake_vhost *fake, const char *fmt, ...)
{
	size_t length = strlen(fake->log);
	va_list args;

	va_start(args, fmt);
	vsnprintf(fake->log + length, FAKE_VHOST_LOG_SIZE - length, fmt, args);
	va_end(args);
}

static struct fake_vhost *to_fake(struct vhost *vhost)
{
	return container_of(vhost, struct fake_vhost, vhost);
}

static int fake_get_features(struct vhost *vhost, uint64_t *ret)
{
	*ret = to_fake(vhost)->set_features;
	return 0;
}

static int fake_set_features(struct vhost *vhost, uint64_t features)
{
	to_fake(vhost)->set_features = features;
	note(to_fake(vhost), "features ");
	return 0;
}

static int fake_set_memory(struct vhost *vhost, const struct guest_mem *mem)
{
	ck_assert_uint_eq(mem->base, VIRTIO_BENCH_RAM);
	note(to_fake(vhost), "memory ");
	return 0;
}

static int fake_set_vring(struct vhost *vhost, unsigned index, const struct vhost_vring *vring)
{
	struct fake_vhost *fake = to_fake(vhost);

	note(fake, "vring%u@%u ", index, vring->base);
	fake->vrings[index] = *vring;
	fake->bases[index] = vring->base;
	return fake->fail_vring == (int)index + 1 ? -EFAULT : 0;
}

static int fake_start_vring(struct vhost *vhost, unsigned index)
{
	note(to_fake(vhost), "start%u ", index);
	return 0;
}

static int fake_stop_vring(struct vhost *vhost, unsigned index, uint32_t *ret_base)
{
	note(to_fake(vhost), "stop%u ", index);
	*ret_base = to_fake(vhost)->bases[index];
	return 0;
}

static int fake_run(struct vhost *vhost, bool on)
{
	note(to_fake(vhost), on ? "run " : "halt ");
	return 0;
}

static void fake_destroy(struct vhost *vhost)
{
	free(to_fake(vhost));
}

static const struct vhost_ops fake_vhost_ops = {
	.get_features = fake_get_features,
	.set_features = fake_set_features,
	.set_memory = fake_set_memory,
	.set_vring = fake_set_vring,
	.start_vring = fake_start_vring,
	.stop_vring = fake_stop_vring,
	.run = fake_run,
	.destroy = fake_destroy,
};

struct fake_vhost *fake_vhost_create(uint64_t features, char *log)
{
	struct fake_vhost *fake = calloc(1, sizeof(*fake));

	ck_assert_ptr_nonnull(fake);
	/* vhost_init() zeroes only its own part. */
	fake->set_features = features;
	fake->log = log;
	ck_assert_int_eq(vhost_init(&fake->vhost, &fake_vhost_ops), 0);
	return fake;
}

/* Devices. */

static int create(struct virtio_bench *bench, enum net_framing framing, unsigned pairs, bool vhost,
		  struct virtio_device **ret)
{
	struct net_bench *net = to_net_bench(bench);
	struct vhost *vhosts[NET_PAIRS_MAX] = {NULL};
	struct virtio_net_options options = {
		.name = "net0",
		.mem = bench->mem,
		.loop = bench->loop,
		.mac = NET_MAC,
		.port = make_port(net, framing, pairs),
		.vhosts = vhost ? vhosts : NULL,
	};
	struct error err = {0};

	for (unsigned i = 0; i < pairs && vhost; i++) {
		net->vhosts[i] = fake_vhost_create(BIT(VIRTIO_NET_F_MRG_RXBUF) |
							   BIT(VIRTIO_RING_F_EVENT_IDX) |
							   BIT(VIRTIO_F_VERSION_1),
						   net->log);
		vhosts[i] = &net->vhosts[i]->vhost;
	}
	return virtio_net_create(&options, ret, &err);
}

static int create_stream(struct virtio_bench *bench, struct virtio_device **ret)
{
	return create(bench, NET_FRAMES_STREAM, 1, false, ret);
}

static int create_packet(struct virtio_bench *bench, struct virtio_device **ret)
{
	return create(bench, NET_FRAMES_PACKET, 1, false, ret);
}

static int create_pairs(struct virtio_bench *bench, struct virtio_device **ret)
{
	return create(bench, NET_FRAMES_PACKET, 2, false, ret);
}

static int create_vhost(struct virtio_bench *bench, struct virtio_device **ret)
{
	return create(bench, NET_FRAMES_PACKET, 2, true, ret);
}

static void finish(struct virtio_bench *bench)
{
	struct net_bench *net = to_net_bench(bench);

	close_fd(net->peer);
	for (unsigned i = 1; i < NET_PAIRS_MAX && net->others[i]; i++)
		close_fd(net->others[i]);
}

/* A frame or a piece of one comes, or what the guest has sent is read. */
static void disturb(struct virtio_bench *bench)
{
	struct net_bench *net = to_net_bench(bench);
	uint8_t data[4 + 3000];
	size_t size = net_bench_frame(data, virtio_bench_random(bench, 3000), 1);

	if (net->port->framing == NET_FRAMES_PACKET)
		memset(data, 0, sizeof(data));
	if (virtio_bench_random(bench, 2))
		net_bench_give(net, data, size);
	while (recv(net->peer, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
}

#define NET_KIND(how)                                                                             \
	{                                                                                         \
		.bench_size = sizeof(struct net_bench), .create = create_##how, .finish = finish, \
		.disturb = disturb                                                                \
	}

const struct virtio_kind net_stream_kind = NET_KIND(stream);
const struct virtio_kind net_packet_kind = NET_KIND(packet);
const struct virtio_kind net_pairs_kind = NET_KIND(pairs);
const struct virtio_kind net_vhost_kind = NET_KIND(vhost);

struct net_bench *net_bench_open(const struct virtio_kind *kind)
{
	return to_net_bench(virtio_bench_open(kind));
}

void net_bench_close(struct net_bench *net)
{
	virtio_bench_close(&net->bench);
}

/* Frames. */

void net_bench_fill(uint8_t *frame, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		frame[i] = (uint8_t)(i * 7 + seed * 13 + (i >> 8));
}

size_t net_bench_frame(uint8_t *data, size_t size, unsigned seed)
{
	for (unsigned i = 0; i < 4; i++)
		data[i] = (uint8_t)(size >> (24 - 8 * i));
	net_bench_fill(data + 4, size, seed);
	return size + 4;
}

void net_bench_send(struct net_bench *net, size_t size, unsigned pieces, unsigned seed)
{
	struct virtio_bench *bench = &net->bench;
	size_t total = NET_HEADER_SIZE + size;
	gpa_t at = virtio_bench_alloc(bench, total, 1);
	struct driver_piece piece[16];
	size_t done = 0;

	net_bench_fill((uint8_t *)virtio_bench_ram(bench, at, total) + NET_HEADER_SIZE, size, seed);
	for (unsigned i = 0; i < pieces; i++) {
		size_t part = i + 1 == pieces ? total - done : total / pieces;

		piece[i] = (struct driver_piece){at + done, (uint32_t)part};
		done += part;
	}
	ck_assert(virtio_bench_add(bench, 1, piece, pieces, 0, seed));
}

bool net_bench_take(struct net_bench *net, void *data, size_t size)
{
	uint8_t *at = data;

	while (size) {
		ssize_t got = recv(net->peer, at, size, MSG_DONTWAIT);

		if (got <= 0)
			return false;
		at += got;
		size -= (size_t)got;
		virtio_bench_run(&net->bench);
	}
	return true;
}

void net_bench_expect(struct net_bench *net, size_t size, unsigned seed)
{
	uint8_t *expected = malloc(size + 4);
	uint8_t *got = malloc(size + 4);

	net_bench_frame(expected, size, seed);
	ck_assert_msg(net_bench_take(net, got, size + 4), "no frame of %zu bytes", size);
	ck_assert(!memcmp(expected, got, size + 4));
	free(expected);
	free(got);
}

void net_bench_give(struct net_bench *net, const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size) {
		ssize_t sent = send(net->peer, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0)
			return; /* the device does not read now */
		at += sent;
		size -= (size_t)sent;
	}
}

int net_bench_control(struct net_bench *net, unsigned queue, uint8_t class, uint8_t command,
		      const void *data, size_t size)
{
	struct virtio_bench *bench = &net->bench;
	gpa_t at = virtio_bench_alloc(bench, 2 + size + 1, 1);
	uint8_t *bytes = virtio_bench_ram(bench, at, 2 + size + 1);
	const struct driver_piece pieces[] = {
		{at, 2},
		{at + 2, (uint32_t)size},
		{at + 2 + size, 1},
	};
	uint64_t token;
	uint32_t length;

	bytes[0] = class;
	bytes[1] = command;
	memcpy(bytes + 2, data, size);
	bytes[2 + size] = 0xee;
	ck_assert(virtio_bench_add(bench, queue, pieces, 2, 1, 99));
	virtio_bench_kick(bench, queue);
	virtio_bench_run(bench);
	if (!virtio_bench_used(bench, queue, &token, &length) || length != 1)
		return -1;
	return bytes[2 + size];
}

struct net_bench *net_bench_drive(const struct virtio_kind *kind, uint64_t features)
{
	struct net_bench *net = net_bench_open(kind);

	virtio_bench_drive(&net->bench, features);
	virtio_bench_run(&net->bench);
	return net;
}

void net_bench_kick(struct net_bench *net, unsigned queue)
{
	virtio_bench_kick(&net->bench, queue);
	virtio_bench_run(&net->bench);
}

struct virtio_net_dropped net_bench_dropped(struct net_bench *net)
{
	return virtio_net_dropped(net->bench.virtio);
}

/* The sent buffers come back in order, with nothing written. */
void net_bench_expect_sent(struct net_bench *net, unsigned seed)
{
	uint64_t token;
	uint32_t length;

	ck_assert(virtio_bench_used(&net->bench, NET_SEND, &token, &length));
	ck_assert_uint_eq(token, seed);
	ck_assert_uint_eq(length, 0);
}

/* The next receive buffer, at @at, has a header and frame @seed. */
void net_bench_expect_received(struct net_bench *net, gpa_t at, size_t size, unsigned seed)
{
	uint8_t *expected = calloc(1, NET_HEADER_SIZE + size);
	uint64_t token;
	uint32_t length;

	expected[10] = 1; /* num_buffers */
	net_bench_fill(expected + NET_HEADER_SIZE, size, seed);
	ck_assert(virtio_bench_used(&net->bench, NET_RECEIVE, &token, &length));
	ck_assert_uint_eq(length, NET_HEADER_SIZE + size);
	ck_assert(!memcmp(virtio_bench_ram(&net->bench, at, length), expected, length));
	free(expected);
}
