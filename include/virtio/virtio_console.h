/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console device of virtio 1.3, 5.3: up to 16 ports, each with a stream
 * behind it. A guest finds a console as /dev/hvcN, and any other port as
 * /dev/virtio-ports/NAME.
 *
 * A single console without a name is offered in the simple form, without
 * VIRTIO_CONSOLE_F_MULTIPORT: what every guest can use, and the only form in
 * which all agree on the order of columns and rows.
 *
 * Input waits at its sender until the guest has the port open and has given
 * buffers. Output is given back to the guest when the stream has taken it all;
 * without a peer the stream takes everything, so no guest waits for nobody.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_CONSOLE_H
#define ARMLET_VIRTIO_VIRTIO_CONSOLE_H

#include <linux/virtio_console.h>

#include "core/stream.h"
#include "virtio/virtio_device.h"

#define VIRTIO_CONSOLE_PORTS_MAX 16
#define VIRTIO_CONSOLE_NAME_MAX  63 /* bytes of a port's name */

struct virtio_console_port_options {
	const char *name;      /* NULL: none; outlives the device */
	bool is_console;       /* a terminal for the guest */
	struct stream *stream; /* outlives the device, which attaches itself to it */
};

struct virtio_console_options {
	const char *name;
	const struct guest_mem *mem;
	struct event_loop *loop;
	const struct virtio_console_port_options *ports;
	uint32_t port_count; /* 1 to VIRTIO_CONSOLE_PORTS_MAX */
};

/* -ENOMEM; or -errno if a stream cannot be watched. */
int virtio_console_create(const struct virtio_console_options *options, struct virtio_device **ret);

/* Under the lock: the terminal behind console @port has another size; 0: not known. */
void virtio_console_resize(struct virtio_device *virtio, unsigned port, uint16_t cols,
			   uint16_t rows);

/* Under the lock: whether the guest listens: it has the port open, or its driver runs. */
bool virtio_console_is_open(const struct virtio_device *virtio, unsigned port);

#endif
