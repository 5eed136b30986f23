/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver that does anything, to any of the devices: registers, rings,
 * buffers, and the world behind it. A shadow that is shown is what reads give,
 * and what was saved can be loaded and is the same.
 *
 * The input: u8 device, u8 how it is brought up, u32 features, u16 length of
 * the RAM's contents, these, and the steps to the end (each a byte, and what it
 * needs).
 */
#include <string.h>

#include "base/cursor.h"
#include "core/iov.h"
#include "core/stream.h"
#include "fuzz.h"
#include "mem_disk.h"
#include "virtio/virtio_balloon.h"
#include "virtio/virtio_blk.h"
#include "virtio/virtio_console.h"
#include "virtio/virtio_mmio.h"
#include "virtio/virtio_rng.h"

#define RAM_BASE   UINT64_C(0x40000000)
#define RAM_SIZE   (64 * KIB)
#define BASE       UINT64_C(0x0a000000)
#define PORTS      3
#define SLOTS      16  /* of a ring that is set up in order */
#define RING_BYTES 512 /* RAM for it: the rings lie behind each other */
#define DISK_SIZE  (4 * KIB)
#define STEPS_MAX  2000

/* A stream that always has a byte, or never, and likewise for room. */
struct end {
	struct stream stream;
	bool gives;
	bool takes;
};

struct fuzz {
	struct guest_mem mem;
	struct event_loop *loop;
	struct virtio_device *virtio;
	const uint8_t *page; /* shown; NULL: none is */
	struct end ends[PORTS];
	unsigned port_count;
	bool balloon;
	struct mem_disk *disk; /* NULL: the device is none */
};

/* The hypervisor and the world. */

static int map(void *hyp, gpa_t base, void *page, size_t size)
{
	struct fuzz *fuzz = hyp;

	(void)base;
	(void)size;
	fuzz->page = page;
	return 0;
}

static int unmap(void *hyp, gpa_t base, size_t size)
{
	struct fuzz *fuzz = hyp;

	(void)base;
	(void)size;
	fuzz->page = NULL;
	return 0;
}

static int notify(void *hyp, gpa_t addr, uint32_t value, int fd, bool on)
{
	(void)hyp;
	(void)addr;
	(void)value;
	(void)on;
	FUZZ_ASSERT(fd >= 0);
	return 0;
}

static int interrupt(void *hyp, uint32_t intid, int fd, bool on)
{
	(void)hyp;
	(void)intid;
	(void)on;
	FUZZ_ASSERT(fd >= 0);
	return 0;
}

static const struct mmio_shadow_ops shadow_ops = {.map = map, .unmap = unmap};
static const struct eventfd_ops eventfds = {.notify = notify, .interrupt = interrupt};

static ssize_t end_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	const struct end *end = container_of(stream, struct end, stream);

	FUZZ_ASSERT(iov_size(iov, count) > 0);
	return end->gives ? (ssize_t)iov_write(iov, count, 0, "x", 1) : -EAGAIN;
}

static ssize_t end_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	const struct end *end = container_of(stream, struct end, stream);
	size_t size = iov_size(iov, count);

	FUZZ_ASSERT(size > 0);
	if (!stream->open)
		return (ssize_t)size;
	return end->takes ? (ssize_t)min_u64(size, 1000) : -EAGAIN;
}

static const struct stream_ops end_ops = {.read = end_read, .write = end_write};

static void hinted(void *data, gpa_t addr, uint64_t size)
{
	const struct fuzz *fuzz = data;

	FUZZ_ASSERT(guest_mem_at(&fuzz->mem, addr, size));
}

/* The devices. */

static int create_console(struct fuzz *fuzz, unsigned count)
{
	const struct virtio_console_port_options ports[PORTS] = {
		{.is_console = true, .stream = &fuzz->ends[0].stream},
		{.name = "one", .stream = &fuzz->ends[1].stream},
		{.name = "two", .is_console = true, .stream = &fuzz->ends[2].stream},
	};
	const struct virtio_console_options options = {
		.name = "console0",
		.mem = &fuzz->mem,
		.loop = fuzz->loop,
		.ports = ports,
		.port_count = count,
	};

	for (unsigned i = 0; i < PORTS; i++)
		fuzz->ends[i].stream = (struct stream){.ops = &end_ops, .open = true, .peers = 1};
	fuzz->port_count = count;
	return virtio_console_create(&options, &fuzz->virtio);
}

static int create_rng(struct fuzz *fuzz)
{
	const struct virtio_rng_options options = {
		.name = "rng0",
		.mem = &fuzz->mem,
		.loop = fuzz->loop,
	};

	return virtio_rng_create(&options, &fuzz->virtio);
}

static int create_balloon(struct fuzz *fuzz, bool hints)
{
	const struct virtio_balloon_options options = {
		.name = "balloon0",
		.mem = &fuzz->mem,
		.loop = fuzz->loop,
		.reporting = true,
		.hinted = hints ? hinted : NULL,
		.data = fuzz,
	};

	fuzz->balloon = true;
	return virtio_balloon_create(&options, &fuzz->virtio);
}

static void held(void *data, struct virtio_device *virtio, int code)
{
	const struct fuzz *fuzz = data;

	FUZZ_ASSERT(virtio == fuzz->virtio && code > 0);
}

static int create_blk(struct fuzz *fuzz, enum virtio_blk_on_error on_error)
{
	struct virtio_blk_options options = {
		.name = "disk0",
		.mem = &fuzz->mem,
		.loop = fuzz->loop,
		.queues = 2,
		.on_error = on_error,
		.held = held,
		.data = fuzz,
	};

	fuzz->disk = mem_disk_create(DISK_SIZE);
	options.disk = &fuzz->disk->disk;
	return virtio_blk_create(&options, &fuzz->virtio);
}

static int create(struct fuzz *fuzz, uint8_t which)
{
	switch (which % 7) {
	case 0:
		return create_rng(fuzz);
	case 1:
		return create_console(fuzz, 1);
	case 2:
		return create_console(fuzz, PORTS);
	case 3:
		return create_balloon(fuzz, true);
	case 4:
		return create_balloon(fuzz, false);
	case 5:
		return create_blk(fuzz, VIRTIO_BLK_REPORT);
	default:
		return create_blk(fuzz, VIRTIO_BLK_HOLD);
	}
}

static void set_up(struct fuzz *fuzz, uint8_t which)
{
	const struct virtio_mmio_options options = {
		.eventfds = &eventfds,
		.shadow_ops = &shadow_ops,
		.hyp = fuzz,
		.base = BASE,
		.intid = 48,
	};
	struct virtio_mmio_options mine = options;

	log_set_level(LOG_LEVEL_ERROR);
	fuzz->mem = (struct guest_mem){
		.base = RAM_BASE,
		.size = RAM_SIZE,
		.host = aligned_alloc(RAM_SIZE, RAM_SIZE),
		.fd = -1,
	};
	FUZZ_ASSERT(fuzz->mem.host);
	memset(fuzz->mem.host, 0, RAM_SIZE);
	FUZZ_ASSERT(event_loop_create(&fuzz->loop, NULL) == 0);
	FUZZ_ASSERT(create(fuzz, which) == 0);
	mine.device = fuzz->virtio;
	FUZZ_ASSERT(virtio_mmio_create(&mine) == 0);
}

/* The driver. */

static uint32_t get(struct fuzz *fuzz, uint32_t offset, unsigned size)
{
	return (uint32_t)virtio_mmio_ops.read(&fuzz->virtio->device, offset, size);
}

static void set(struct fuzz *fuzz, uint32_t offset, uint32_t value)
{
	virtio_mmio_ops.write(&fuzz->virtio->device, offset, sizeof(value), value);
}

static void set_up_queue(struct fuzz *fuzz, uint32_t index)
{
	uint32_t ring = (uint32_t)RAM_BASE + index * RING_BYTES;

	set(fuzz, VIRTIO_MMIO_QUEUE_SEL, index);
	set(fuzz, VIRTIO_MMIO_QUEUE_NUM, SLOTS);
	set(fuzz, VIRTIO_MMIO_QUEUE_DESC_LOW, ring);
	set(fuzz, VIRTIO_MMIO_QUEUE_AVAIL_LOW, ring + 256);
	set(fuzz, VIRTIO_MMIO_QUEUE_USED_LOW, ring + 320);
	set(fuzz, VIRTIO_MMIO_QUEUE_READY, 1);
}

/* As far as @how says, in order. */
static void bring_up(struct fuzz *fuzz, uint8_t how, uint32_t features)
{
	uint64_t wanted = fuzz->virtio->features & (features | (uint64_t)features << 32);

	wanted |= BIT(VIRTIO_F_VERSION_1);
	if (!(how & 1))
		return;
	set(fuzz, VIRTIO_MMIO_STATUS, 3);
	set(fuzz, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)wanted);
	set(fuzz, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	set(fuzz, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(wanted >> 32));
	set(fuzz, VIRTIO_MMIO_STATUS, 11);
	for (uint32_t i = 0; how & 2 && i < fuzz->virtio->queue_count; i++)
		set_up_queue(fuzz, i);
	if (how & 4)
		set(fuzz, VIRTIO_MMIO_STATUS, 15);
}

static void check_shadow(struct fuzz *fuzz)
{
	for (uint32_t at = 0; fuzz->page && at < VIRTIO_MMIO_SIZE; at += 4)
		FUZZ_ASSERT(get(fuzz, at, 4) == *(const uint32_t *)(const void *)(fuzz->page + at));
}

/* What the disk's thread does meanwhile; and its file becomes another. */
static void step_disk(struct fuzz *fuzz, uint8_t what)
{
	fuzz->disk->fail = what & 0x40 ? EIO : 0;
	mem_disk_run(fuzz->disk, what & 3);
	fuzz->disk->refresh_size = what & 0x20 ? DISK_SIZE / 2 : DISK_SIZE;
	if (what & 0x10)
		virtio_blk_resize(fuzz->virtio);
}

/* Something from outside. */
static void step_world(struct fuzz *fuzz, uint8_t what)
{
	struct end *end = &fuzz->ends[what % PORTS];
	struct stream_client *client = &end->stream.client;

	if (fuzz->disk)
		step_disk(fuzz, what);
	if (fuzz->balloon && what & 0x40)
		virtio_balloon_set_target(fuzz->virtio, what * KIB);
	if (fuzz->balloon && what & 0x20)
		virtio_balloon_ask_stats(fuzz->virtio);
	if (fuzz->balloon && what & 0x10)
		virtio_balloon_hint(fuzz->virtio);
	if (fuzz->balloon && what & 0x08)
		virtio_balloon_hint_done(fuzz->virtio);
	if (what % PORTS >= fuzz->port_count)
		return;
	if (what & 0x80)
		virtio_console_resize(fuzz->virtio, what % PORTS, what, what);
	end->gives = what & 0x40;
	end->takes = what & 0x20;
	if (end->stream.open != !!(what & 0x10)) {
		end->stream.open = what & 0x10;
		end->stream.peers += end->stream.open;
		client->changed(client->data);
	}
	if (end->gives)
		client->readable(client->data);
	if (end->takes)
		client->writable(client->data);
}

/* Save; forget all; load; save: it is the same. */
static void step_save(struct fuzz *fuzz)
{
	struct device *device = &fuzz->virtio->device;
	const struct state_table *table = device->ops->state;
	uint8_t *before, *after;
	size_t before_size, after_size;

	virtio_device_pause(fuzz->virtio);
	FUZZ_ASSERT(state_save(table, device, &before, &before_size) == 0);
	device->ops->reset(device);
	FUZZ_ASSERT(state_load(table, device, before, before_size, NULL) == 0);
	FUZZ_ASSERT(device->ops->loaded(device, NULL) == 0);
	FUZZ_ASSERT(state_save(table, device, &after, &after_size) == 0);
	FUZZ_ASSERT(before_size == after_size && !memcmp(before, after, after_size));
	virtio_device_resume(fuzz->virtio);
	free(before);
	free(after);
}

static void step_write_ram(struct fuzz *fuzz, struct cursor *input)
{
	uint16_t offset = cursor_u16(input);
	uint32_t value = cursor_u32(input);

	if (cursor_ok(input))
		guest_mem_write(&fuzz->mem, RAM_BASE + offset, &value, sizeof(value));
}

static void step_access(struct fuzz *fuzz, struct cursor *input, unsigned size)
{
	uint32_t offset = cursor_u16(input) % (VIRTIO_MMIO_SIZE - 8 + 1);
	uint64_t mask = size == 8 ? UINT64_MAX : BIT(8 * size) - 1;
	uint64_t value = cursor_u32(input);

	virtio_mmio_ops.write(&fuzz->virtio->device, offset, size, (value << 32 | value) & mask);
	virtio_mmio_ops.read(&fuzz->virtio->device, offset, size);
}

/* One round, which does not wait. Its callbacks take the device's lock. */
static void run_loop(struct fuzz *fuzz)
{
	event_loop_stop(fuzz->loop);
	event_loop_run(fuzz->loop);
}

static void step(struct fuzz *fuzz, struct cursor *input)
{
	uint8_t what = cursor_u8(input);

	switch (what & 7) {
	case 0:
		step_access(fuzz, input, 1U << (what >> 3 & 3));
		break;
	case 1:
		step_access(fuzz, input, 4);
		break;
	case 2:
		set(fuzz, VIRTIO_MMIO_QUEUE_NOTIFY, what >> 3);
		run_loop(fuzz);
		if (fuzz->disk)
			mem_disk_run(fuzz->disk, 1);
		break;
	case 3:
		step_write_ram(fuzz, input);
		break;
	case 4:
		set_up_queue(fuzz, what >> 3);
		break;
	case 5:
		step_world(fuzz, cursor_u8(input));
		break;
	case 6:
		step_save(fuzz);
		break;
	default:
		run_loop(fuzz);
		check_shadow(fuzz);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor input = cursor_init(data, size);
	struct fuzz fuzz = {0};
	uint8_t which = cursor_u8(&input);
	uint8_t how = cursor_u8(&input);
	uint32_t features = cursor_u32(&input);
	uint16_t ram_size = cursor_u16(&input);
	const uint8_t *ram = cursor_take(&input, ram_size);

	if (!ram)
		return 0;
	set_up(&fuzz, which);
	memcpy(fuzz.mem.host, ram, ram_size);
	bring_up(&fuzz, how, features);
	for (unsigned i = 0; i < STEPS_MAX && cursor_ok(&input) && input.left; i++)
		step(&fuzz, &input);
	check_shadow(&fuzz);
	device_destroy(&fuzz.virtio->device);
	if (fuzz.disk)
		disk_destroy(&fuzz.disk->disk);
	FUZZ_ASSERT(!fuzz.page);
	event_loop_destroy(fuzz.loop);
	free(fuzz.mem.host);
	return 0;
}
