/* SPDX-License-Identifier: Apache-2.0 */
#include "net_reception.h"

void net_reception_cancel(struct net_reception *in, struct virtio_device *virtio)
{
	while (in->count)
		virtqueue_unpop(&virtio->queues[in->queue].ring, &in->chains[--in->count]);
	in->done = 0;
}

static enum net_outcome drop(struct net_reception *in, struct virtio_device *virtio)
{
	net_reception_cancel(in, virtio);
	return NET_DROPPED;
}

/* The part of header and frame that @chain has room for; where the header goes is left open. */
static uint32_t fill(struct net_reception *in, const struct virtq_chain *chain,
		     const uint8_t *frame, size_t size)
{
	size_t offset = in->done ? 0 : NET_HEADER_SIZE;
	size_t at = in->done ? in->done - NET_HEADER_SIZE : 0;
	size_t written = offset + virtq_chain_write(chain, offset, frame + at, size - at);

	in->done += written;
	return (uint32_t)written;
}

static void push(struct net_reception *in, struct virtio_device *virtio,
		 struct virtio_net_hdr_mrg_rxbuf *header)
{
	/* 5.1.6.4.1: it is 1 without VIRTIO_NET_F_MRG_RXBUF, too. */
	header->num_buffers = (uint16_t)in->count;
	virtq_chain_write(&in->chains[0], 0, header, sizeof(*header));
	for (unsigned i = 0; i < in->count; i++)
		virtio_push(virtio, in->queue, &in->chains[i], in->written[i]);
	in->count = 0;
	in->done = 0;
}

enum net_outcome net_reception_deliver(struct net_reception *in, struct virtio_device *virtio,
				       unsigned queue, struct virtio_net_hdr_mrg_rxbuf *header,
				       const uint8_t *frame, size_t size)
{
	bool merge = virtio_has(virtio, VIRTIO_NET_F_MRG_RXBUF);
	const size_t total = NET_HEADER_SIZE + size;

	in->queue = queue;
	while (in->done < total) {
		struct virtq_chain *chain = &in->chains[in->count];

		/* All that the guest can offer is not enough. */
		if (in->count == virtio->queues[queue].ring.size || in->count == NET_QUEUE_SIZE)
			return drop(in, virtio);
		chain->iov = in->count ? in->others : in->first;
		chain->iov_max = NET_PIECES_MAX;
		if (!virtio_pop(virtio, queue, chain))
			return virtio->started ? NET_WAITING : NET_BROKEN;
		in->count++;
		/* 5.1.6.3.1 */
		if (chain->in_size < NET_HEADER_SIZE) {
			virtio_break(virtio, "queue %u: a receive buffer has no room for a header",
				     queue);
			return NET_BROKEN;
		}
		if (!merge && chain->in_size < total)
			return drop(in, virtio);
		in->written[in->count - 1] = fill(in, chain, frame, size);
	}
	push(in, virtio, header);
	return NET_DONE;
}
