/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Network ports
 *
 * What stands behind a network device: descriptors that carry its frames. The
 * device moves them itself (virtio/virtio_net.h), or hands the descriptors to
 * vhost, so a port is mostly a description; its few operations are for what
 * only the back end knows how to do.
 *
 * There are two ways that frames lie on a descriptor:
 *
 * - NET_FRAMES_PACKET: read(2) gives one frame, write(2) takes one. A virtio
 *   header of 12 bytes (struct virtio_net_hdr_mrg_rxbuf) is in front: a tap.
 * - NET_FRAMES_STREAM: a stream socket; in front of each frame is its length
 *   in bytes, 32 bits, big-endian: what passt and QEMU's "stream" speak. The
 *   other side knows no offloads.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_CORE_NET_PORT_H
#define ARMLET_CORE_NET_PORT_H

#include "base/util.h"

#define NET_PAIRS_MAX 8 /* queues of a port in each direction */

/* Bytes of a frame: an Ethernet header is the least; IP has at most 65535, behind it and a tag. */
#define NET_FRAME_MIN 14
#define NET_FRAME_MAX (14 + 4 + 65535)

#define NET_HEADER_SIZE 12 /* struct virtio_net_hdr_mrg_rxbuf */

#define NET_MTU_MIN 68 /* RFC 791 */
#define NET_MTU_MAX 65535

enum net_framing { NET_FRAMES_PACKET, NET_FRAMES_STREAM };

struct net_port;

struct net_port_ops {
	/* Optional: frames may come to us with these offloads left to do; see @offloads. */
	int (*set_offloads)(struct net_port *port, uint64_t offloads);
	/* Optional: whether pair @index gets frames. Pair 0 always does. */
	int (*set_pair)(struct net_port *port, unsigned index, bool on);
	/* Required: closes all descriptors. */
	void (*destroy)(struct net_port *port);
};

struct net_pair {
	int fd;       /* frames both ways; non-blocking */
	int vhost_fd; /* a fresh /dev/vhost-net that is to serve it; -1: none */
};

/* What a back end's structure begins with. */
struct net_port {
	const struct net_port_ops *ops;
	const char *peer; /* who is behind it, for the log: "passt", "tap0" */
	enum net_framing framing;
	unsigned pair_count;
	struct net_pair pairs[NET_PAIRS_MAX];

	/*
	 * What it can do with frames that are not finished: BIT(VIRTIO_NET_F_CSUM),
	 * HOST_TSO4, ... for those it takes, GUEST_CSUM, GUEST_TSO4, ... for those
	 * that it gives when it is told to.
	 */
	uint64_t offloads;
	uint16_t mtu; /* bytes of a frame's payload; 0: not known */
};

/* Takes NULL. */
static inline void net_port_destroy(struct net_port *port)
{
	if (port)
		port->ops->destroy(port);
}

DEFINE_CLEANUP(struct net_port *, net_port_destroy)

#endif
