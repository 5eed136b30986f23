/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A shared folder over 9P
 *
 * The 9P device (ID 9; the virtio standard has no chapter for it, its layout is
 * linux/virtio_9p.h): each buffer is a request of 9P2000.L and room for its
 * answer. We are not the server: requests go down a stream socket, and answers
 * come back from it, as they are, from and into the guest's memory.
 *
 * What is changed on the way:
 *
 * - Tags. The server sees tags of ours: the slot that the request is kept in,
 *   and a generation, which is new after each reset and each Tversion. So an
 *   answer that comes for a request that nobody waits for any more is known for
 *   what it is. Tflush names its request by the same tags.
 * - Tattach. Its aname becomes the directory that is shared, whatever it was, and
 *   a user of whom there is only a name gets a number.
 * - Tversion. Its msize is at most VIRTIO_9P_MSIZE_MAX.
 *
 * Tlock and Tgetlock are answered here: locks are the guest's own, who asks after it
 * has locked.
 *
 * A request that is none is answered with Rlerror. A server that ends, or sends
 * what no server would, is given up: all that is asked of it, then and later,
 * fails with EIO, and the guest goes on. A server that is silent is waited for
 * (an open of a FIFO may take a day), which is told after a while; the guest can
 * flush.
 *
 * The session is the server's and is not saved: in a machine that was loaded,
 * requests fail with EIO until the share is mounted anew.
 *
 * Threads: as virtio/virtio_device.h; the socket belongs to the main thread.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_9P_H
#define ARMLET_VIRTIO_VIRTIO_9P_H

#include "virtio/virtio_device.h"

#define VIRTIO_9P_TAG_MAX   36        /* bytes: no more than virtio-fs has */
#define VIRTIO_9P_MSIZE_MAX (1 * MIB) /* bytes of a message */

struct virtio_9p_options {
	const char *name;
	const struct guest_mem *mem;
	struct event_loop *loop;
	const char *tag;       /* what the guest mounts: 1 to VIRTIO_9P_TAG_MAX bytes */
	int server_fd;         /* a connected stream socket; the device's from here on */
	const char *directory; /* as the server knows it: the aname of each attach; copied */
	bool squash;           /* each user of the guest is @uid to the server */
	uint32_t uid;
	unsigned patience_ms; /* until it is told that the server is silent; 0: 10 s */
};

/* -ENOMEM, -errno; @options->server_fd is closed then, too. */
int virtio_9p_create(const struct virtio_9p_options *options, struct virtio_device **ret);

#endif
