/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio_bench.h"

#include <check.h>
#include <string.h>

#define ROUNDS  16   /* of the event loop: work makes work a few times over */
#define WAIT_MS 5000 /* for a device's thread */

/* ck_assert() tells the parent process of each check; this is for those made by the million. */
static void expect(bool good, const char *what, uint64_t where)
{
	if (!good)
		ck_abort_msg("%s (0x%llx)", what, (unsigned long long)where);
}

/* The hypervisor. */

static int fake_map(void *hyp, gpa_t base, void *page, size_t size)
{
	struct virtio_bench *bench = hyp;

	expect(base == VIRTIO_BENCH_BASE && !bench->page, "map", base);
	expect(size == (size_t)sysconf(_SC_PAGESIZE), "size of the shadow", size);
	if (bench->no_shadow)
		return -ENOSYS;
	bench->page = page;
	bench->shows++;
	return 0;
}

static int fake_unmap(void *hyp, gpa_t base, size_t size)
{
	struct virtio_bench *bench = hyp;

	(void)size;
	expect(base == VIRTIO_BENCH_BASE && bench->page, "unmap", base);
	bench->page = NULL;
	return 0;
}

/* Only the acknowledgement of what changes nothing is dropped. */
static int fake_drop(void *hyp, gpa_t addr, uint32_t size, uint64_t value, bool on)
{
	(void)hyp;
	(void)size;
	(void)on;
	expect(addr == VIRTIO_BENCH_BASE + VIRTIO_MMIO_INTERRUPT_ACK && value == 1, "drop", addr);
	return 0;
}

static int fake_notify(void *hyp, gpa_t addr, uint32_t value, int fd, bool on)
{
	struct virtio_bench *bench = hyp;

	expect(addr == VIRTIO_BENCH_BASE + VIRTIO_MMIO_QUEUE_NOTIFY, "notify", addr);
	expect(value < VIRTIO_BENCH_QUEUES && fd >= 0, "notify: queue", value);
	expect(bench->notify_fds[value] == (on ? -1 : fd), "notify: twice", value);
	if (bench->no_notify)
		return -ENOSYS;
	bench->notify_fds[value] = on ? fd : -1;
	return 0;
}

static int fake_interrupt(void *hyp, uint32_t intid, int fd, bool on)
{
	struct virtio_bench *bench = hyp;

	expect(intid == VIRTIO_BENCH_INTID, "interrupt", intid);
	expect(bench->irq_fd == (on ? -1 : fd), "interrupt: twice", intid);
	bench->irq_fd = on ? fd : -1;
	return 0;
}

static const struct mmio_shadow_ops fake_shadow_ops = {
	.map = fake_map,
	.unmap = fake_unmap,
	.drop = fake_drop,
};

static const struct eventfd_ops fake_eventfds = {
	.notify = fake_notify,
	.interrupt = fake_interrupt,
};

static void plug(struct virtio_bench *bench)
{
	const struct virtio_mmio_options options = {
		.device = bench->virtio,
		.eventfds = &fake_eventfds,
		.shadow_ops = &fake_shadow_ops,
		.hyp = bench,
		.base = VIRTIO_BENCH_BASE,
		.intid = VIRTIO_BENCH_INTID,
	};
	const struct mmio_region region = {
		.base = VIRTIO_BENCH_BASE,
		.size = VIRTIO_MMIO_SIZE,
		.ops = &virtio_mmio_ops,
		.device = &bench->virtio->device,
	};

	ck_assert_int_eq(virtio_mmio_create(&options), 0);
	ck_assert_int_eq(mmio_bus_create(&bench->bus), 0);
	ck_assert_int_eq(mmio_bus_add(bench->bus, &region), 0);
	mmio_bus_seal(bench->bus);
}

struct virtio_bench *virtio_bench_open(const struct virtio_kind *kind)
{
	const struct guest_mem_options mem_options = {.shared = kind->shared_ram};
	struct virtio_bench *bench = calloc(1, kind->bench_size);
	struct error err = {0};

	ck_assert_ptr_nonnull(bench);
	log_set_level(LOG_LEVEL_ERROR); /* bad drivers are what we are here */
	bench->kind = kind;
	bench->random = 1;
	bench->irq_fd = -1;
	bench->next = VIRTIO_BENCH_RAM;
	for (unsigned i = 0; i < VIRTIO_BENCH_QUEUES; i++)
		bench->notify_fds[i] = -1;
	ck_assert_int_eq(event_loop_create(&bench->loop, &err), 0);
	ck_assert_int_eq(guest_mem_create(VIRTIO_BENCH_RAM, VIRTIO_BENCH_RAM_SIZE, &mem_options,
					  &bench->mem, &err),
			 0);
	ck_assert_int_eq(kind->create(bench, &bench->virtio), 0);
	ck_assert_uint_le(bench->virtio->queue_count, VIRTIO_BENCH_QUEUES);
	plug(bench);
	return bench;
}

void virtio_bench_close(struct virtio_bench *bench)
{
	device_destroy(&bench->virtio->device);
	expect(!bench->page && bench->irq_fd == -1, "the hypervisor still has the device", 0);
	for (unsigned i = 0; i < VIRTIO_BENCH_QUEUES; i++)
		expect(bench->notify_fds[i] == -1, "the hypervisor still notifies queue", i);
	if (bench->kind->finish)
		bench->kind->finish(bench);
	mmio_bus_destroy(bench->bus);
	guest_mem_destroy(bench->mem);
	event_loop_destroy(bench->loop);
	free(bench);
}

/* The guest. */

static uint64_t access_bus(struct virtio_bench *bench, uint64_t offset, unsigned size,
			   bool is_write, uint64_t value)
{
	struct mmio_access access = {
		.addr = VIRTIO_BENCH_BASE + offset,
		.size = size,
		.is_write = is_write,
		.value = value,
	};

	expect(mmio_bus_access(bench->bus, &access, &bench->last) == MMIO_HANDLED, "bus", offset);
	return access.value;
}

uint64_t virtio_bench_read(struct virtio_bench *bench, uint64_t offset, unsigned size)
{
	return access_bus(bench, offset, size, false, 0);
}

void virtio_bench_write(struct virtio_bench *bench, uint64_t offset, unsigned size, uint64_t value)
{
	access_bus(bench, offset, size, true, value);
}

uint32_t virtio_bench_get(struct virtio_bench *bench, uint32_t offset)
{
	return (uint32_t)virtio_bench_read(bench, offset, sizeof(uint32_t));
}

void virtio_bench_set(struct virtio_bench *bench, uint32_t offset, uint32_t value)
{
	virtio_bench_write(bench, offset, sizeof(value), value);
}

void *virtio_bench_ram(struct virtio_bench *bench, gpa_t addr, uint64_t size)
{
	void *at = guest_mem_at(bench->mem, addr, size);

	expect(at, "no RAM", addr);
	return at;
}

gpa_t virtio_bench_alloc(struct virtio_bench *bench, uint64_t size, uint64_t align)
{
	gpa_t addr = align_up(bench->next, align);

	memset(virtio_bench_ram(bench, addr, size), 0, size);
	bench->next = addr + size;
	return addr;
}

uint64_t virtio_bench_offered(struct virtio_bench *bench)
{
	uint64_t features = 0;

	for (uint32_t word = 0; word < 2; word++) {
		virtio_bench_set(bench, VIRTIO_MMIO_DEVICE_FEATURES_SEL, word);
		features |= (uint64_t)virtio_bench_get(bench, VIRTIO_MMIO_DEVICE_FEATURES)
			    << (32 * word);
	}
	return features;
}

bool virtio_bench_negotiate(struct virtio_bench *bench, uint64_t features)
{
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE;

	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, 0);
	bench->next = VIRTIO_BENCH_RAM;
	memset(bench->rings, 0, sizeof(bench->rings)); /* their memory is free again */
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, status);
	status |= VIRTIO_CONFIG_S_DRIVER;
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, status);
	features = (features | BIT(VIRTIO_F_VERSION_1)) & virtio_bench_offered(bench);
	for (uint32_t word = 0; word < 2; word++) {
		virtio_bench_set(bench, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		virtio_bench_set(bench, VIRTIO_MMIO_DRIVER_FEATURES,
				 (uint32_t)(features >> (32 * word)));
	}
	bench->features = features;
	bench->indirect = features & BIT(VIRTIO_RING_F_INDIRECT_DESC);
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, status);
	return virtio_bench_get(bench, VIRTIO_MMIO_STATUS) == status;
}

static void set_address(struct virtio_bench *bench, uint32_t low, gpa_t addr)
{
	virtio_bench_set(bench, low, (uint32_t)addr);
	virtio_bench_set(bench, low + 4, (uint32_t)(addr >> 32));
}

void virtio_bench_queue(struct virtio_bench *bench, unsigned index, uint16_t size)
{
	struct driver_ring *ring = &bench->rings[index];
	gpa_t base = virtio_bench_alloc(bench, driver_ring_bytes(size), 16);

	driver_ring_init(ring, bench->mem, base, size, bench->features & BIT(VIRTIO_F_RING_PACKED),
			 bench->features & BIT(VIRTIO_RING_F_EVENT_IDX));
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_SEL, index);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_NUM, size);
	set_address(bench, VIRTIO_MMIO_QUEUE_DESC_LOW, driver_ring_desc(ring));
	set_address(bench, VIRTIO_MMIO_QUEUE_AVAIL_LOW, driver_ring_driver(ring));
	set_address(bench, VIRTIO_MMIO_QUEUE_USED_LOW, driver_ring_device(ring));
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_READY, 1);
}

void virtio_bench_drive(struct virtio_bench *bench, uint64_t features)
{
	uint32_t status;

	features &= ~bench->kind->contradict;
	expect(virtio_bench_negotiate(bench, features), "features were refused", bench->features);
	for (unsigned i = 0; i < bench->virtio->queue_count; i++) {
		virtio_bench_queue(bench, i, VIRTIO_BENCH_RING);
		expect(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY) == 1, "no such queue", i);
	}
	status = virtio_bench_get(bench, VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_DRIVER_OK;
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, status);
	expect(virtio_bench_get(bench, VIRTIO_MMIO_STATUS) == status, "status", status);
}

bool virtio_bench_add(struct virtio_bench *bench, unsigned index, const struct driver_piece *pieces,
		      unsigned n_out, unsigned n_in, uint64_t token)
{
	return driver_ring_add(&bench->rings[index], pieces, n_out, n_in, token, bench->indirect);
}

bool virtio_bench_put(struct virtio_bench *bench, unsigned index, const void *data, uint32_t size,
		      uint64_t token)
{
	struct driver_piece piece = {virtio_bench_alloc(bench, size, 1), size};

	memcpy(virtio_bench_ram(bench, piece.addr, size), data, size);
	return virtio_bench_add(bench, index, &piece, 1, 0, token);
}

gpa_t virtio_bench_room(struct virtio_bench *bench, unsigned index, uint32_t size, uint64_t token)
{
	struct driver_piece piece = {virtio_bench_alloc(bench, size, 1), size};

	expect(virtio_bench_add(bench, index, &piece, 0, 1, token), "the ring is full", index);
	return piece.addr;
}

void virtio_bench_kick(struct virtio_bench *bench, unsigned index)
{
	uint64_t one = 1;

	if (!bench->hostile && !driver_ring_kick(&bench->rings[index]))
		return;
	if (bench->notify_fds[index] >= 0)
		expect(write(bench->notify_fds[index], &one, sizeof(one)) == sizeof(one), "kick",
		       index);
	else
		virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_NOTIFY, index);
}

void virtio_bench_run(struct virtio_bench *bench)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		event_loop_stop(bench->loop); /* one round, without waiting */
		expect(event_loop_run(bench->loop) == 0, "event loop", i);
	}
}

bool virtio_bench_used(struct virtio_bench *bench, unsigned index, uint64_t *ret_token,
		       uint32_t *ret_len)
{
	return driver_ring_used(&bench->rings[index], ret_token, ret_len);
}

bool virtio_bench_wait(struct virtio_bench *bench, unsigned index, uint64_t *ret_token,
		       uint32_t *ret_len)
{
	for (unsigned i = 0; i < WAIT_MS; i++) {
		virtio_bench_run(bench);
		if (virtio_bench_used(bench, index, ret_token, ret_len))
			return true;
		usleep(1000);
	}
	return false;
}

uint64_t virtio_bench_interrupts(struct virtio_bench *bench)
{
	uint64_t count = 0;

	if (bench->irq_fd < 0 || read(bench->irq_fd, &count, sizeof(count)) < 0)
		return 0;
	return count;
}

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators"). */
uint32_t virtio_bench_random(struct virtio_bench *bench, uint32_t limit)
{
	uint64_t x = bench->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	bench->random = x;
	return (uint32_t)((x * UINT64_C(2685821657736338717)) >> 33) % limit;
}

/* State. */

struct virtio_saved virtio_bench_save(struct virtio_bench *bench)
{
	struct device *device = &bench->virtio->device;
	struct virtio_saved saved;

	device_lock(device);
	expect(state_save(device->ops->state, device, &saved.data, &saved.size) == 0, "save", 0);
	device_unlock(device);
	return saved;
}

int virtio_bench_load(struct virtio_bench *bench, const uint8_t *data, size_t size)
{
	struct device *device = &bench->virtio->device;
	struct error err = {0};
	int r;

	device_lock(device);
	r = state_load(device->ops->state, device, data, size, &err);
	if (r == 0)
		r = device->ops->loaded(device, &err);
	device_unlock(device);
	expect(r == -err.code && (r == 0 || err.text[0]), "load", 0);
	return r;
}

void virtio_bench_copy_ram(struct virtio_bench *to, const struct virtio_bench *from)
{
	memcpy(to->mem->host, from->mem->host, VIRTIO_BENCH_RAM_SIZE);
	to->next = from->next;
	to->features = from->features;
	to->indirect = from->indirect;
	for (unsigned i = 0; i < VIRTIO_BENCH_QUEUES; i++) {
		to->rings[i] = from->rings[i];
		if (from->rings[i].mem)
			to->rings[i].mem = to->mem;
	}
}

static uint64_t shadow_value(const struct virtio_bench *bench, uint32_t offset, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, bench->page + offset, size);
	return value;
}

void virtio_bench_check_shadow(struct virtio_bench *bench)
{
	struct virtio_saved before, after;

	if (!bench->page)
		return;
	before = virtio_bench_save(bench);
	for (unsigned size = 1; size <= 8; size *= 2) {
		uint32_t step = size < 4 ? 61 : size; /* a few of the odd ones */

		for (uint32_t at = 0; at + size <= VIRTIO_MMIO_SIZE; at += step)
			expect(virtio_bench_read(bench, at, size) == shadow_value(bench, at, size),
			       "the shadow is not what a read gives", at);
	}
	after = virtio_bench_save(bench);
	expect(before.size == after.size && !memcmp(before.data, after.data, before.size),
	       "reads have changed the state", 0);
	free(before.data);
	free(after.data);
}
