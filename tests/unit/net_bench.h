/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network device on the virtio bench, and what stands behind it: one end of a
 * pair of sockets, whose other end is the test's. Or a vhost that only tells
 * what was asked of it.
 */
#ifndef ARMLET_TESTS_NET_BENCH_H
#define ARMLET_TESTS_NET_BENCH_H

#include <linux/virtio_net.h>

#include "virtio/vhost.h"
#include "virtio/virtio_net.h"
#include "virtio_bench.h"

#define NET_MAC                     \
	{                           \
		0x02, 1, 2, 3, 4, 5 \
	}
#define FAKE_VHOST_LOG_SIZE 512

/* Queues of the first pair. */
#define NET_RECEIVE 0
#define NET_SEND    1

/* What a fake vhost was told, as words: "F0" set_features ... see net_bench.c. */
struct fake_vhost {
	struct vhost vhost;
	char *log; /* of FAKE_VHOST_LOG_SIZE */
	uint64_t set_features;
	struct vhost_vring vrings[2];
	uint32_t bases[2]; /* where it stops */
	int fail_vring;    /* the ring that it refuses, counted from 1 */
};

struct net_bench {
	struct virtio_bench bench;
	int peer; /* the test's end of the first pair; -1: it was closed */
	int others[NET_PAIRS_MAX];
	uint64_t guest_wishes; /* what set_offloads was last told */
	unsigned pairs_on;     /* a bit for each */
	struct net_port *port;
	char log[FAKE_VHOST_LOG_SIZE];
	struct fake_vhost *vhosts[NET_PAIRS_MAX];
};

/* A stream; packets, with all offloads; two pairs of packets; two pairs of a fake vhost. */
extern const struct virtio_kind net_stream_kind;
extern const struct virtio_kind net_packet_kind;
extern const struct virtio_kind net_pairs_kind;
extern const struct virtio_kind net_vhost_kind;

static inline struct net_bench *to_net_bench(struct virtio_bench *bench)
{
	return container_of(bench, struct net_bench, bench);
}

struct net_bench *net_bench_open(const struct virtio_kind *kind);
void net_bench_close(struct net_bench *net);

/* The same, driven with those of @features that it offers. */
struct net_bench *net_bench_drive(const struct virtio_kind *kind, uint64_t features);

/* Kick @queue, and let the device do its work. */
void net_bench_kick(struct net_bench *net, unsigned queue);

struct virtio_net_dropped net_bench_dropped(struct net_bench *net);

/* The sent buffers come back in order, with nothing written. */
void net_bench_expect_sent(struct net_bench *net, unsigned seed);

/* The next receive buffer, at @at, has a header and frame @seed. */
void net_bench_expect_received(struct net_bench *net, gpa_t at, size_t size, unsigned seed);

/* Bytes of frame @seed: any, but the same for the same seed. */
void net_bench_fill(uint8_t *frame, size_t size, unsigned seed);

/* The guest sends a frame of @size bytes in @pieces pieces behind an empty header. */
void net_bench_send(struct net_bench *net, size_t size, unsigned pieces, unsigned seed);

/* The next bytes from the device, exactly @size; false: they are not there. */
bool net_bench_take(struct net_bench *net, void *data, size_t size);

/* The next frame of a stream is that of @size and @seed. */
void net_bench_expect(struct net_bench *net, size_t size, unsigned seed);

/* To the device. */
void net_bench_give(struct net_bench *net, const void *data, size_t size);

/* A frame with its length in front, into @data; returns the bytes. */
size_t net_bench_frame(uint8_t *data, size_t size, unsigned seed);

/* A control command with @size bytes of data; returns the answer, or -1 if none came. */
int net_bench_control(struct net_bench *net, unsigned queue, uint8_t class, uint8_t command,
		      const void *data, size_t size);

/* Another stream, of which the bench has the other end from now on; the old one's is closed. */
struct net_port *net_bench_another_port(struct net_bench *net);

/* A fake vhost that offers @features and writes to @log. */
struct fake_vhost *fake_vhost_create(uint64_t features, char *log);

#endif
