/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_mmio.h"

#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>

#include "core/fdt_builder.h"

struct virtio_mmio {
	struct virtio_transport transport;
	const struct eventfd_ops *eventfds;
	const struct mmio_shadow_ops *shadow_ops;
	void *hyp;
	gpa_t base;
	uint32_t intid;

	/* All three from the first time that the device goes live. */
	struct mmio_shadow *shadow;
	int call_fd;
	bool *notifying; /* of each queue: its notifications signal kick_fd */
};

static struct virtio_mmio *to_mmio(struct virtio_transport *transport)
{
	return container_of(transport, struct virtio_mmio, transport);
}

static struct virtio_mmio *mmio_of(const struct virtio_device *virtio)
{
	return to_mmio(virtio->transport);
}

/* The registers (4.2.2). */

static const struct virtio_queue *selected_queue(const struct virtio_device *virtio)
{
	uint32_t index = virtio->registers.queue_sel;

	return index < virtio->queue_count ? &virtio->queues[index] : NULL;
}

static uint32_t offered_features(const struct virtio_device *virtio)
{
	uint32_t word = virtio->registers.device_features_sel;

	return word < 2 ? (uint32_t)(virtio->features >> (32 * word)) : 0;
}

/* The DOC: block of the header has the reason for bit 0. */
static uint32_t interrupt_status(const struct virtio_device *virtio)
{
	return virtio->registers.isr | (virtio->live ? VIRTIO_ISR_QUEUE : 0);
}

static uint32_t register_word(const struct virtio_device *virtio, uint32_t offset)
{
	const struct virtio_queue *queue = selected_queue(virtio);

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return VIRTIO_MMIO_MAGIC;
	case VIRTIO_MMIO_VERSION:
		return VIRTIO_MMIO_VERSION_2;
	case VIRTIO_MMIO_DEVICE_ID:
		return virtio->ops->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VIRTIO_MMIO_VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return offered_features(virtio);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return queue ? queue->ring.max : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return queue && queue->ring.ready;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return interrupt_status(virtio);
	case VIRTIO_MMIO_STATUS:
		return virtio->status;
	/* No device has shared memory regions: a length of -1 says so (4.2.2, SHMLenLow). */
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		return UINT32_MAX;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return virtio->config_generation;
	default: /* write-only, QueueReset (done at once), or nothing */
		return 0;
	}
}

static uint32_t read_word(const struct virtio_device *virtio, uint32_t offset)
{
	uint32_t word = 0;

	if (offset < VIRTIO_MMIO_CONFIG)
		return register_word(virtio, offset);
	virtio_config_read(virtio, offset - VIRTIO_MMIO_CONFIG, &word, sizeof(word));
	return word;
}

/* Any width and alignment: as the shadow's page answers. */
static uint64_t mmio_read(struct device *device, uint64_t offset, unsigned size)
{
	const struct virtio_device *virtio = to_virtio(device);
	uint64_t value = 0;

	if (size == sizeof(uint32_t) && is_aligned(offset, sizeof(uint32_t)))
		return read_word(virtio, (uint32_t)offset);
	for (unsigned i = 0; i < size; i++) {
		uint32_t at = (uint32_t)offset + i;
		uint64_t byte = read_word(virtio, at & ~3U) >> (8 * (at & 3)) & 0xff;

		value |= byte << (8 * i);
	}
	return value;
}

/* The shadow. */

static void update(struct virtio_mmio *mmio)
{
	if (!mmio->shadow || !mmio->transport.device->live)
		return;
	for (uint32_t offset = 0; offset < VIRTIO_MMIO_SIZE; offset += sizeof(uint32_t))
		mmio_shadow_set(mmio->shadow, offset, read_word(mmio->transport.device, offset));
}

/* How many words of the configuration space the shadow does not show yet. */
static unsigned stale_config(const struct virtio_mmio *mmio)
{
	unsigned count = 0;

	for (uint32_t at = VIRTIO_MMIO_CONFIG; at < VIRTIO_MMIO_SIZE; at += sizeof(uint32_t))
		count += mmio_shadow_get(mmio->shadow, at) != read_word(mmio->transport.device, at);
	return count;
}

/*
 * ConfigGeneration tells a driver that the configuration changed between two
 * of its reads (2.5.1), not that it is changing now. So several words change
 * at once, or reads trap meanwhile, and wait for the lock.
 */
static void update_config(struct virtio_mmio *mmio)
{
	bool at_once = mmio->shadow && mmio_shadow_shown(mmio->shadow) && stale_config(mmio) > 1;

	if (at_once)
		mmio_shadow_hide(mmio->shadow);
	update(mmio);
	if (at_once)
		mmio_shadow_show(mmio->shadow);
}

static void notify_queue(struct virtio_mmio *mmio, uint32_t index, bool on)
{
	const struct virtio_queue *queue = &mmio->transport.device->queues[index];
	int r;

	if (mmio->notifying[index] == on)
		return;
	r = mmio->eventfds->notify(mmio->hyp, mmio->base + VIRTIO_MMIO_QUEUE_NOTIFY, index,
				   queue->kick_fd, on);
	/* Without it notifications trap, and are signalled from there. */
	mmio->notifying[index] = on && r == 0;
}

static int prepare(struct virtio_mmio *mmio)
{
	struct virtio_device *virtio = mmio->transport.device;
	_cleanup_close_ int fd = -1;
	int r;

	if (!mmio->notifying)
		mmio->notifying = calloc(virtio->queue_count, sizeof(*mmio->notifying));
	if (!mmio->notifying)
		return -ENOMEM;
	if (mmio->call_fd < 0) {
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		r = fd < 0 ? -errno : mmio->eventfds->interrupt(mmio->hyp, mmio->intid, fd, true);
		if (r < 0)
			return r;
		mmio->call_fd = steal_fd(&fd);
	}
	if (mmio->shadow)
		return 0;
	return mmio_shadow_create(mmio->base, mmio->shadow_ops, mmio->hyp, &mmio->shadow);
}

static int live(struct virtio_transport *transport, bool on)
{
	struct virtio_mmio *mmio = to_mmio(transport);
	struct virtio_device *virtio = transport->device;
	int r = on ? prepare(mmio) : 0;

	if (r < 0)
		return r;
	for (uint32_t i = 0; mmio->notifying && i < virtio->queue_count; i++) {
		virtio->queues[i].call_fd = mmio->call_fd;
		notify_queue(mmio, i, on && virtio->queues[i].ring.ready);
	}
	if (on) {
		update(mmio);
		mmio_shadow_drop(mmio->shadow, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_ISR_QUEUE);
		mmio_shadow_show(mmio->shadow);
	} else if (mmio->shadow) {
		mmio_shadow_withdraw(mmio->shadow);
	}
	return 0;
}

static void config_changed(struct virtio_transport *transport)
{
	struct virtio_mmio *mmio = to_mmio(transport);
	uint64_t one = 1;

	transport->device->registers.isr |= VIRTIO_ISR_CONFIG;
	update_config(mmio);
	/* Before the first DRIVER_OK nobody is told. */
	if (mmio->call_fd >= 0 && write(mmio->call_fd, &one, sizeof(one)) < 0) {
		/* An interrupt is on its way already. */
	}
}

/* Writes. */

static void queue_notify(struct virtio_device *virtio, uint32_t index)
{
	uint64_t one = 1;

	if (!virtio->started || index >= virtio->queue_count || virtio->queues[index].kick_fd < 0)
		return;
	if (write(virtio->queues[index].kick_fd, &one, sizeof(one)) < 0) {
		/* It is signalled already. */
	}
}

/* The field of the selected queue that register @offset is, or -1. */
static int queue_field(uint32_t offset)
{
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		return VIRTIO_QUEUE_SIZE;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
		return VIRTIO_QUEUE_DESC_LOW;
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		return VIRTIO_QUEUE_DESC_HIGH;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
		return VIRTIO_QUEUE_DRIVER_LOW;
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		return VIRTIO_QUEUE_DRIVER_HIGH;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
		return VIRTIO_QUEUE_DEVICE_LOW;
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		return VIRTIO_QUEUE_DEVICE_HIGH;
	default:
		return -1;
	}
}

static void odd_write(struct virtio_device *virtio, uint64_t offset, unsigned size)
{
	log_guest(&virtio->device.guest_errors, "%s %s: %u-byte write to 0x%" PRIx64 " ignored",
		  virtio->device.ops->type, virtio->device.name, size, offset);
}

static void write_register(struct virtio_device *virtio, uint32_t offset, uint32_t value)
{
	struct virtio_registers *registers = &virtio->registers;

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		registers->device_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		virtio_set_driver_features(virtio, registers->driver_features_sel, value);
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		registers->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		registers->queue_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_READY:
		virtio_queue_ready(virtio, registers->queue_sel, value & 1);
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		queue_notify(virtio, value);
		break;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		registers->isr &= (uint8_t)~value;
		break;
	case VIRTIO_MMIO_STATUS:
		virtio_set_status(virtio, (uint8_t)value);
		break;
	case VIRTIO_MMIO_SHM_SEL:
		registers->shm_sel = value;
		break;
	case VIRTIO_MMIO_QUEUE_RESET:
		if (value & 1)
			virtio_queue_reset(virtio, registers->queue_sel);
		break;
	default:
		odd_write(virtio, offset, sizeof(value));
	}
}

static void mmio_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_device *virtio = to_virtio(device);
	uint32_t at = (uint32_t)offset;

	if (at >= VIRTIO_MMIO_CONFIG)
		virtio_config_write(virtio, at - VIRTIO_MMIO_CONFIG, &value, size);
	else if (size != sizeof(uint32_t) || !is_aligned(at, sizeof(uint32_t)))
		odd_write(virtio, offset, size);
	else if (queue_field(at) >= 0)
		virtio_queue_set(virtio, virtio->registers.queue_sel,
				 (enum virtio_queue_field)queue_field(at), (uint32_t)value);
	else
		write_register(virtio, at, (uint32_t)value);
	update(mmio_of(virtio));
}

#define REGISTER(number, name)                                   \
	{                                                        \
		VIRTIO_MMIO_##number, VIRTIO_MMIO_##number, name \
	}

/* Virtio 1.3, 4.2.2. */
static const struct mmio_register registers[] = {
	REGISTER(MAGIC_VALUE, "MagicValue"),
	REGISTER(VERSION, "Version"),
	REGISTER(DEVICE_ID, "DeviceID"),
	REGISTER(VENDOR_ID, "VendorID"),
	REGISTER(DEVICE_FEATURES, "DeviceFeatures"),
	REGISTER(DEVICE_FEATURES_SEL, "DeviceFeaturesSel"),
	REGISTER(DRIVER_FEATURES, "DriverFeatures"),
	REGISTER(DRIVER_FEATURES_SEL, "DriverFeaturesSel"),
	REGISTER(QUEUE_SEL, "QueueSel"),
	REGISTER(QUEUE_NUM_MAX, "QueueSizeMax"),
	REGISTER(QUEUE_NUM, "QueueSize"),
	REGISTER(QUEUE_READY, "QueueReady"),
	REGISTER(QUEUE_NOTIFY, "QueueNotify"),
	REGISTER(INTERRUPT_STATUS, "InterruptStatus"),
	REGISTER(INTERRUPT_ACK, "InterruptACK"),
	REGISTER(STATUS, "Status"),
	REGISTER(QUEUE_DESC_LOW, "QueueDescLow"),
	REGISTER(QUEUE_DESC_HIGH, "QueueDescHigh"),
	REGISTER(QUEUE_AVAIL_LOW, "QueueDriverLow"),
	REGISTER(QUEUE_AVAIL_HIGH, "QueueDriverHigh"),
	REGISTER(QUEUE_USED_LOW, "QueueDeviceLow"),
	REGISTER(QUEUE_USED_HIGH, "QueueDeviceHigh"),
	REGISTER(SHM_SEL, "SHMSel"),
	REGISTER(SHM_LEN_LOW, "SHMLenLow"),
	REGISTER(SHM_LEN_HIGH, "SHMLenHigh"),
	REGISTER(SHM_BASE_LOW, "SHMBaseLow"),
	REGISTER(SHM_BASE_HIGH, "SHMBaseHigh"),
	REGISTER(CONFIG_GENERATION, "ConfigGeneration"),
	{VIRTIO_MMIO_CONFIG, VIRTIO_MMIO_SIZE - 1, "Config"},
	{0},
};

const struct mmio_ops virtio_mmio_ops = {
	.read = mmio_read,
	.write = mmio_write,
	.registers = registers,
};

/* Linux: Documentation/devicetree/bindings/virtio/mmio.yaml. */
static void describe(const struct virtio_transport *transport, const struct device_slot *slot,
		     struct fdt_builder *fdt)
{
	fdt_begin(fdt, "virtio_mmio@%" PRIx64, slot->base);
	fdt_label(fdt, transport->device->device.name, 0);
	fdt_str(fdt, "compatible", "virtio,mmio");
	fdt_reg(fdt, slot->base, slot->size);
	fdt_spi(fdt, slot->intid, FDT_IRQ_EDGE_RISING);
	fdt_empty(fdt, "dma-coherent");
	fdt_end(fdt);
}

static void destroy(struct virtio_transport *transport)
{
	struct virtio_mmio *mmio = to_mmio(transport);

	mmio_shadow_destroy(mmio->shadow);
	if (mmio->call_fd >= 0)
		mmio->eventfds->interrupt(mmio->hyp, mmio->intid, mmio->call_fd, false);
	close_fd(mmio->call_fd);
	free(mmio->notifying);
	free(mmio);
}

static const struct virtio_transport_ops mmio_transport_ops = {
	.config_changed = config_changed,
	.live = live,
	.describe = describe,
	.destroy = destroy,
};

int virtio_mmio_create(const struct virtio_mmio_options *options)
{
	struct virtio_mmio *mmio = calloc(1, sizeof(*mmio));

	if (!mmio)
		return -ENOMEM;
	mmio->transport.ops = &mmio_transport_ops;
	mmio->transport.device = options->device;
	mmio->eventfds = options->eventfds;
	mmio->shadow_ops = options->shadow_ops;
	mmio->hyp = options->hyp;
	mmio->base = options->base;
	mmio->intid = options->intid;
	mmio->call_fd = -1;
	options->device->transport = &mmio->transport;
	return 0;
}
