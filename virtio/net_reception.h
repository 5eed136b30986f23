/* SPDX-License-Identifier: Apache-2.0 */
/* One frame on its way into the guest's receive buffers (virtio 1.3, 5.1.6.3, 5.1.6.4). */
#ifndef ARMLET_VIRTIO_NET_RECEPTION_H
#define ARMLET_VIRTIO_NET_RECEPTION_H

#include "net_private.h"

/* The buffers of one frame, popped but not yet given back. Begins zeroed. */
struct net_reception {
	unsigned queue;
	unsigned count;
	size_t done; /* bytes of header and frame that have found their place */
	struct virtq_chain chains[NET_QUEUE_SIZE];
	uint32_t written[NET_QUEUE_SIZE];
	struct iovec
		first[NET_PIECES_MAX]; /* of the buffer with the header, which is written last */
	struct iovec others[NET_PIECES_MAX];
};

enum net_outcome {
	NET_DONE,    /* the guest has it when the queue is flushed */
	NET_DROPPED, /* no buffers of this guest's can take it */
	NET_WAITING, /* for more buffers; those that are popped are kept */
	NET_BROKEN,  /* the device is: the driver broke the rules */
};

/* Deliver a frame to @queue. After NET_WAITING it is called again with the same one. */
enum net_outcome net_reception_deliver(struct net_reception *in, struct virtio_device *virtio,
				       unsigned queue, struct virtio_net_hdr_mrg_rxbuf *header,
				       const uint8_t *frame, size_t size);

/* Forget the frame that waits, if there is one; its buffers are as if never popped. */
void net_reception_cancel(struct net_reception *in, struct virtio_device *virtio);

#endif
