/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes between a serial device and what is behind it (terminal, file, test).
 * The device holds a char_port; the back end fills it in.
 *
 * Input is pulled: the back end keeps what it has until the device takes it,
 * so nothing is lost when a FIFO is full or the guest is not listening yet.
 * Output is buffered by transmit() and moved by settle(), which whoever made
 * the device transmit calls once no lock is held: there a guest that prints
 * faster than the world reads is made to wait.
 */
#ifndef ARMLET_CORE_CHAR_PORT_H
#define ARMLET_CORE_CHAR_PORT_H

#include "base/util.h"

struct char_port_ops {
	/*
	 * These are called by the device, under its lock, from any thread; a
	 * back end has a lock of its own and never calls the device from here.
	 */

	/* Required. Never blocks, and loses nothing. */
	void (*transmit)(void *backend, const uint8_t *data, size_t size);
	/* Required. Take up to @size bytes of input; returns how many. */
	size_t (*take)(void *backend, uint8_t *data, size_t size);
	/* Required. How many bytes take() would give now, at least. */
	size_t (*pending)(void *backend);

	/* These are called with no lock held. */

	/*
	 * Optional. Write out what was transmitted. With @may_wait (a vCPU's
	 * thread) wait while too much is left. Returns false if too much is
	 * left: a caller that may not wait should make no more.
	 */
	bool (*settle)(void *backend, bool may_wait);
	/* Optional. The main thread: all is written out, or given up, on return. */
	void (*drain)(void *backend);
};

/* With no ops (zeroed): output is dropped, input never comes. */
struct char_port {
	const struct char_port_ops *ops;
	void *backend;
};

static inline void char_port_transmit(const struct char_port *port, const uint8_t *data,
				      size_t size)
{
	if (port->ops)
		port->ops->transmit(port->backend, data, size);
}

static inline size_t char_port_take(const struct char_port *port, uint8_t *data, size_t size)
{
	return port->ops ? port->ops->take(port->backend, data, size) : 0;
}

static inline size_t char_port_pending(const struct char_port *port)
{
	return port->ops ? port->ops->pending(port->backend) : 0;
}

static inline bool char_port_settle(const struct char_port *port, bool may_wait)
{
	return port->ops && port->ops->settle ? port->ops->settle(port->backend, may_wait) : true;
}

static inline void char_port_drain(const struct char_port *port)
{
	if (port->ops && port->ops->drain)
		port->ops->drain(port->backend);
}

#endif
