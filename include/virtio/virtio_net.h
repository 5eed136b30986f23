/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The network device of virtio 1.3, 5.1
 *
 * Pairs of queues, receiving and sending, and a control queue. A port
 * (core/net_port.h) is behind it, which is served in one of two ways:
 *
 * - By vhost, when the port brings a /dev/vhost-net for each pair: no
 *   instruction of ours is run for a frame, and unfinished checksums and
 *   segments go through as they are.
 * - By us, in the main thread, with fewer system calls than frames where frames
 *   come in a stream, and one a frame where they do not.
 *
 * The control queue is ours either way. The guest's wishes for its receive
 * filter are granted and change nothing: more frames may come than it asked for
 * (5.1.6.5.1 lets a device filter as well as it can).
 *
 * When the port's other side goes away, the link is down for good, and one line
 * is logged; the guest sees an unplugged cable.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_NET_H
#define ARMLET_VIRTIO_VIRTIO_NET_H

#include "base/mac.h"
#include "core/net_port.h"
#include "virtio/virtio_device.h"

struct vhost;

struct virtio_net_options {
	const char *name;
	const struct guest_mem *mem;
	struct event_loop *loop;
	uint8_t mac[MAC_SIZE]; /* usable */
	uint16_t mtu;          /* from NET_MTU_MIN; 0: the port's, or no advice if it has none */
	/* Both become the device's when it is made, unless the port is to be used again. */
	struct net_port *port;
	bool keep_port;
	struct vhost *const *vhosts; /* NULL, or one for each pair of the port, whatever it is */
};

/* Fails with a sentence. */
int virtio_net_create(const struct virtio_net_options *options, struct virtio_device **ret,
		      struct error *err);

/* Plug the cable in, or pull it out; frames on their way are lost. Under the device's lock. */
void virtio_net_set_link(struct virtio_device *virtio, bool up);

/* What is behind it, for who has made it. */
struct net_port *virtio_net_port(const struct virtio_device *virtio);

/*
 * Put another port of the same kind in the place of the one that it has, which is
 * destroyed; frames on their way are lost, and a link that was down for the old port's
 * end is up again. Only of a device in the user's mode whose port is its own. Under the
 * device's lock.
 */
void virtio_net_change_port(struct virtio_device *virtio, struct net_port *port);

/* Frames that were thrown away in the user's mode, since the device was made. */
struct virtio_net_dropped {
	uint64_t received; /* no buffer of the guest's could take them */
	uint64_t sent;     /* too short, too long, or refused by the port */
};
struct virtio_net_dropped virtio_net_dropped(const struct virtio_device *virtio);

/* And those that were moved; bytes without the virtio header. */
struct virtio_net_traffic {
	uint64_t received; /* by the guest */
	uint64_t received_bytes;
	uint64_t sent;
	uint64_t sent_bytes;
};
struct virtio_net_traffic virtio_net_traffic(const struct virtio_device *virtio);

#endif
