/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the network device share: virtio_net.c is the device,
 * net_control.c its control queue, net_user.c moves the frames when vhost does
 * not, net_stream.c finds them in a stream.
 */
#ifndef ARMLET_VIRTIO_NET_PRIVATE_H
#define ARMLET_VIRTIO_NET_PRIVATE_H

#include <linux/virtio_net.h>

#include "net_stream.h"
#include "virtio/vhost.h"
#include "virtio/virtio_net.h"

/* What linux/virtio_net.h of Debian 12 lacks (5.1.3). */
#ifndef VIRTIO_NET_F_GUEST_USO4
#define VIRTIO_NET_F_GUEST_USO4 54
#define VIRTIO_NET_F_GUEST_USO6 55
#define VIRTIO_NET_F_HOST_USO   56
#endif

/* What VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET may choose of (5.1.6.5.6.1). */
#define NET_GUEST_OFFLOADS                                             \
	(BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | \
	 BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN) |  \
	 BIT(VIRTIO_NET_F_GUEST_UFO) | BIT(VIRTIO_NET_F_GUEST_USO4) |  \
	 BIT(VIRTIO_NET_F_GUEST_USO6))

#define NET_QUEUE_SIZE 256
#define NET_PIECES_MAX 256 /* of one buffer: as many as a queue has descriptors */

struct net_user;

struct virtio_net {
	struct virtio_device virtio;
	struct virtio_net_config config;
	struct net_port *port;
	bool keep_port;        /* it stays its owner's */
	uint8_t mac[MAC_SIZE]; /* after a reset */
	bool plugged;          /* what virtio_net_set_link() said */
	bool gone;             /* the port's other side is */

	/* What the driver has set by the control queue. */
	uint16_t pairs;          /* in use */
	bool offloads_chosen;    /* else all that were negotiated */
	uint64_t guest_offloads; /* those chosen */

	/* Either of them serves the pairs. */
	struct vhost *vhosts[NET_PAIRS_MAX]; /* NULL: the user's mode */
	struct vhost_own_queue control;      /* with vhost */
	struct net_user *user;
};

static inline struct virtio_net *to_net(struct virtio_device *virtio)
{
	return container_of(virtio, struct virtio_net, virtio);
}

static inline unsigned net_receive_queue(unsigned pair)
{
	return 2 * pair;
}

static inline unsigned net_send_queue(unsigned pair)
{
	return 2 * pair + 1;
}

/* 5.1.2: without VIRTIO_NET_F_MQ there is one pair, whatever the device has. */
static inline unsigned net_pair_count(const struct virtio_net *net)
{
	return virtio_has(&net->virtio, VIRTIO_NET_F_MQ) ? net->port->pair_count : 1;
}

static inline unsigned net_control_queue(const struct virtio_net *net)
{
	return 2 * net_pair_count(net);
}

static inline bool net_link_is_up(const struct virtio_net *net)
{
	return net->plugged && !net->gone;
}

/* Guest offloads now in force. */
uint64_t net_offloads(const struct virtio_net *net);

/* Tell the port which offloads and pairs are in use. */
void net_apply_offloads(struct virtio_net *net);
void net_apply_pairs(struct virtio_net *net);

/* The port's other side has gone, or talks nonsense: @why. Down for good. */
void net_port_lost(struct virtio_net *net, const char *why);

/* Serve the control queue. */
void net_control_serve(struct virtio_device *virtio, unsigned index);

/* The user's mode. -ENOMEM. */
int net_user_create(struct virtio_net *net, struct net_user **ret);
void net_user_destroy(struct net_user *user); /* takes NULL */

/* Between start and stop frames are moved. -errno, and then it is stopped. */
int net_user_start(struct net_user *user);
void net_user_stop(struct net_user *user);

/* While it is stopped: forget what has come from the port, and what is to go there. */
void net_user_forget(struct net_user *user);

/* The number of pairs in use has changed; -errno. */
int net_user_set_pairs(struct net_user *user);

/* A queue that is not the control queue has new buffers. */
void net_user_notify(struct net_user *user, unsigned index);

struct virtio_net_dropped net_user_dropped(const struct net_user *user);
struct virtio_net_traffic net_user_traffic(const struct net_user *user);

#endif
