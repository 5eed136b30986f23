/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Virtio devices
 *
 * What every virtio device has, whichever transport carries it: features that
 * are negotiated, a status, queues, and a configuration space (virtio 1.3,
 * chapter 2). A device is a structure that begins with struct virtio_device
 * and brings a table of operations; a transport (virtio/virtio_mmio.h) turns
 * registers into the calls of the second half of this header. Neither knows
 * the other.
 *
 * A device's life between resets: the driver negotiates, sets up queues, and
 * sets DRIVER_OK; then the device is started, and may use the queues that are
 * ready. Notifications come as signals of each queue's kick_fd. A device with
 * a notify operation has it called by the main thread, under its lock. One
 * without (because a thread of its own or the kernel serves its queues) looks
 * after kick_fd itself between start and stop, calls virtqueue_*() from there,
 * signals call_fd to interrupt the driver, and takes no lock of the device's.
 *
 * A driver that breaks the rules breaks the device: DEVICE_NEEDS_RESET is set
 * and told, one line is logged, queues are left alone until the driver resets
 * the device (2.1.2). The machine goes on.
 *
 * State is loaded into a device that was just made, or reset.
 *
 * Threads: all calls under the device's lock, but for those marked "any thread".
 */
#ifndef ARMLET_VIRTIO_VIRTIO_DEVICE_H
#define ARMLET_VIRTIO_VIRTIO_DEVICE_H

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stdatomic.h>

#include "core/device.h"
#include "core/event_loop.h"
#include "virtio/virtqueue.h"

/* Features that linux/virtio_config.h of Debian 12 lacks (6). */
#ifndef VIRTIO_F_IN_ORDER
#define VIRTIO_F_IN_ORDER 35
#endif
#ifndef VIRTIO_F_RING_RESET
#define VIRTIO_F_RING_RESET 40
#endif

#define VIRTIO_CONFIG_MAX 256 /* bytes of a device's configuration space */

struct virtio_device;
struct virtio_transport;

/* Bytes of the configuration space that the driver may write. */
struct virtio_writable {
	uint16_t offset;
	uint16_t size;
};

struct virtio_ops {
	uint32_t id;   /* device ID (5) */
	bool in_order; /* gives buffers back in the order of their coming: offers IN_ORDER */

	/* Optional: what contradicts itself in @features, in words, or NULL. */
	const char *(*check_features)(const struct virtio_device *virtio, uint64_t features);

	/*
	 * Optional, see above: queue @index may have new buffers. May come
	 * without a reason. Called once for each ready queue after start.
	 */
	void (*notify)(struct virtio_device *virtio, unsigned index);

	/*
	 * Optional: from now on, until stop, the ready queues may be used. An
	 * error (@err filled) breaks the device. stop returns when nothing uses
	 * a queue any more; buffers that were popped have been pushed, or will
	 * be after the next start. Both come again and again in a device's life:
	 * around a pause, and around the reset of one queue.
	 */
	int (*start)(struct virtio_device *virtio, struct error *err);
	void (*stop)(struct virtio_device *virtio);

	/* Optional: forget what the driver has set; the device is stopped. */
	void (*reset)(struct virtio_device *virtio);

	/* Optional: the driver has written to the configuration space. */
	void (*config_written)(struct virtio_device *virtio, unsigned offset, unsigned size);
	const struct virtio_writable *writable; /* ends with a zeroed row; NULL: nothing is */
};

/* Each must be there. They act on the driver's side of the transport. */
struct virtio_transport_ops {
	/* The configuration, or DEVICE_NEEDS_RESET, has changed: tell the driver. */
	void (*config_changed)(struct virtio_transport *transport);
	/*
	 * From before the device is started until after it was stopped: give
	 * each ready queue its call_fd, and let notifications signal its
	 * kick_fd. On may come again, for queues that became ready since; off
	 * never fails.
	 */
	int (*live)(struct virtio_transport *transport, bool on);
	/* As device_ops. */
	void (*describe)(const struct virtio_transport *transport, const struct device_slot *slot,
			 struct fdt_builder *fdt);
	void (*destroy)(struct virtio_transport *transport);
};

/* What a transport's structure begins with. */
struct virtio_transport {
	const struct virtio_transport_ops *ops;
	struct virtio_device *device;
};

struct virtio_queue {
	struct virtqueue ring;
	int kick_fd; /* the driver has buffers; -1 until the device was first started */
	int call_fd; /* interrupts the driver; the transport's, likewise */
	struct event_source kick;
	struct virtio_device *virtio;
};

/* What the driver has selected and not acknowledged: registers that all transports have. */
struct virtio_registers {
	uint32_t device_features_sel;
	uint32_t driver_features_sel;
	uint32_t queue_sel;
	uint32_t shm_sel;
	uint8_t isr; /* VIRTIO_ISR_* */
};

enum { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };

/* Who wants to know of a device's interrupts. */
struct irq_watch {
	/* Any thread, with whatever locks; @name is the device's. */
	void (*signalled)(void *data, uint32_t intid, const char *name);
	void *data;
	uint32_t intid;
};

struct virtio_device {
	struct device device;
	const struct virtio_ops *ops;
	struct virtio_transport *transport;
	const struct guest_mem *mem;
	struct event_loop *loop;

	uint64_t features;        /* offered */
	uint64_t driver_features; /* accepted by the driver */
	uint8_t status;           /* VIRTIO_CONFIG_S_* */
	uint32_t config_generation;
	void *config; /* little-endian, as the driver sees it; in the device's structure */
	size_t config_size;
	struct virtio_registers registers;

	struct virtio_queue *queues;
	uint32_t queue_count;
	bool live;    /* the transport delivers notifications */
	bool started; /* the ready queues are served */
	bool paused;

	/*
	 * Optional, the board's: the driver has set DRIVER_OK, or (@works is false) has reset
	 * the device; under the device's lock.
	 */
	void (*driver)(void *data, bool works);
	void *driver_data;
	const struct irq_watch *_Atomic watch; /* optional, the board's */

	/* virtio_break_later(), and vhost's complaints */
	_Atomic(const char *) fault;
	struct event_source attention;
};

struct virtio_device_options {
	const char *name; /* unique in its machine; outlives the device */
	const struct guest_mem *mem;
	struct event_loop *loop;
	uint64_t features; /* of the device type; those of the ring are added */
	uint64_t lacks;    /* features of the ring that who serves the queues does not have */
	void *config;      /* in the device's structure */
	size_t config_size;
	const uint16_t *queue_sizes; /* QueueSizeMax of each */
	uint32_t queue_count;
};

/* For the device. */

int virtio_device_init(struct virtio_device *virtio, const struct device_ops *device_ops,
		       const struct virtio_ops *ops, const struct virtio_device_options *options);

/* Stops it; takes down the transport as well. The destroy operation calls it first. */
void virtio_device_finish(struct virtio_device *virtio);

/* device_ops of every virtio device. */
void virtio_device_reset(struct device *device);
void virtio_device_describe(const struct device *device, const struct device_slot *slot,
			    struct fdt_builder *fdt);
int virtio_device_loaded(struct device *device, struct error *err);

/*
 * Rows of a device's state table: what is common to all. @type is the
 * structure that begins with a struct virtio_device named virtio.
 */
#define VIRTIO_STATE_FIELDS(type)                                                   \
	STATE_FIELD(type, virtio.driver_features, STATE_U64),                       \
		STATE_FIELD(type, virtio.status, STATE_U8),                         \
		STATE_FIELD(type, virtio.config_generation, STATE_U32),             \
		STATE_FIELD(type, virtio.registers.device_features_sel, STATE_U32), \
		STATE_FIELD(type, virtio.registers.driver_features_sel, STATE_U32), \
		STATE_FIELD(type, virtio.registers.queue_sel, STATE_U32),           \
		STATE_FIELD(type, virtio.registers.shm_sel, STATE_U32),             \
		STATE_FIELD(type, virtio.registers.isr, STATE_U8),                  \
		STATE_OBJECTS(type, virtio.queues, virtio.queue_count, ring, &virtqueue_state)

static inline struct virtio_device *to_virtio(struct device *device)
{
	return container_of(device, struct virtio_device, device);
}

/* Whether both sides have feature @bit (any thread, while started). */
static inline bool virtio_has(const struct virtio_device *virtio, unsigned bit)
{
	return virtio->driver_features & virtio->features & BIT(bit);
}

/* As virtqueue_pop(), push and flush; a fault breaks the device, flush interrupts the driver. */
bool virtio_pop(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain);
void virtio_push(struct virtio_device *virtio, unsigned index, const struct virtq_chain *chain,
		 uint32_t written);
void virtio_flush(struct virtio_device *virtio, unsigned index);

/*
 * Serve queue @index until it is empty: @serve gets each buffer and says how
 * many bytes it has written. False: it cannot do it now; the buffer is put back,
 * and who knows when it can comes again. Nothing is done while the queue is not
 * served (not started, paused, not ready).
 */
typedef bool virtio_serve_fn(struct virtio_device *virtio, unsigned index,
			     struct virtq_chain *chain, uint32_t *ret_written);
void virtio_serve(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		  virtio_serve_fn *serve);

/* Have notify called for queue @index once more, when others had their turn (any thread). */
void virtio_again(struct virtio_device *virtio, unsigned index);

/* Interrupt the driver for @queue (any thread). */
void virtio_queue_call(const struct virtio_queue *queue);

/* The device has changed its configuration space. */
void virtio_config_changed(struct virtio_device *virtio);

/* The driver broke the rules: @fmt says how. */
void virtio_break(struct virtio_device *virtio, const char *fmt, ...) PRINTF(2, 3);

/* The same from any thread, and without the lock: soon. @fault is a literal. */
void virtio_break_later(struct virtio_device *virtio, const char *fault);

/* Around a pause of the machine: no queue is used between the two. */
void virtio_device_pause(struct virtio_device *virtio);
void virtio_device_resume(struct virtio_device *virtio);

/* For the transport. */

/* Writes of the driver's: each checks the order of things, and may break the device. */
void virtio_set_status(struct virtio_device *virtio, uint8_t status);
void virtio_set_driver_features(struct virtio_device *virtio, unsigned word, uint32_t features);
void virtio_config_read(const struct virtio_device *virtio, unsigned offset, void *data,
			unsigned size);
void virtio_config_write(struct virtio_device *virtio, unsigned offset, const void *data,
			 unsigned size);

/*
 * Set up queue @index, which is not ready: one of its fields is the driver's
 * @value. Addresses come in halves.
 */
enum virtio_queue_field {
	VIRTIO_QUEUE_SIZE,
	VIRTIO_QUEUE_DESC_LOW,
	VIRTIO_QUEUE_DESC_HIGH,
	VIRTIO_QUEUE_DRIVER_LOW,
	VIRTIO_QUEUE_DRIVER_HIGH,
	VIRTIO_QUEUE_DEVICE_LOW,
	VIRTIO_QUEUE_DEVICE_HIGH,
};
void virtio_queue_set(struct virtio_device *virtio, uint32_t index, enum virtio_queue_field field,
		      uint32_t value);
void virtio_queue_ready(struct virtio_device *virtio, uint32_t index, bool ready);
void virtio_queue_reset(struct virtio_device *virtio, uint32_t index);

#endif
