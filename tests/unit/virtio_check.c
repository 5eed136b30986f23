/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold for every virtio device, whatever its driver does. */
#include <check.h>
#include <string.h>

#include "virtio_bench.h"

#define USED_STEPS    60   /* that make a device one that was used */
#define HOSTILE_STEPS 400  /* changes of saved bytes, at most */
#define PIECES        4    /* of a buffer */
#define PIECE_MAX     4096 /* bytes */

static const uint32_t registers[] = {
	VIRTIO_MMIO_MAGIC_VALUE,
	VIRTIO_MMIO_DEVICE_FEATURES_SEL,
	VIRTIO_MMIO_DEVICE_FEATURES,
	VIRTIO_MMIO_DRIVER_FEATURES_SEL,
	VIRTIO_MMIO_DRIVER_FEATURES,
	VIRTIO_MMIO_QUEUE_SEL,
	VIRTIO_MMIO_QUEUE_NUM_MAX,
	VIRTIO_MMIO_QUEUE_NUM,
	VIRTIO_MMIO_QUEUE_READY,
	VIRTIO_MMIO_QUEUE_NOTIFY,
	VIRTIO_MMIO_INTERRUPT_STATUS,
	VIRTIO_MMIO_INTERRUPT_ACK,
	VIRTIO_MMIO_STATUS,
	VIRTIO_MMIO_QUEUE_DESC_LOW,
	VIRTIO_MMIO_QUEUE_DESC_HIGH,
	VIRTIO_MMIO_QUEUE_AVAIL_LOW,
	VIRTIO_MMIO_QUEUE_AVAIL_HIGH,
	VIRTIO_MMIO_QUEUE_USED_LOW,
	VIRTIO_MMIO_QUEUE_USED_HIGH,
	VIRTIO_MMIO_SHM_SEL,
	VIRTIO_MMIO_SHM_LEN_LOW,
	VIRTIO_MMIO_QUEUE_RESET,
	VIRTIO_MMIO_CONFIG_GENERATION,
};

static void must(bool good, const char *what)
{
	if (!good)
		ck_abort_msg("%s", what);
}

static void assert_same(struct virtio_saved a, struct virtio_saved b, const char *what)
{
	must(a.size == b.size && !memcmp(a.data, b.data, a.size), what);
	free(a.data);
	free(b.data);
}

static uint32_t random_value(struct virtio_bench *bench)
{
	uint32_t bits = virtio_bench_random(bench, 1U << 31) * 2 + virtio_bench_random(bench, 2);

	switch (virtio_bench_random(bench, 5)) {
	case 0:
		return bits;
	case 1:
		return 1U << bits % 32;
	case 2:
		return bits & 0xff;
	case 3:
		return (uint32_t)VIRTIO_BENCH_RAM + bits % (uint32_t)VIRTIO_BENCH_RAM_SIZE;
	default:
		return bits % 4;
	}
}

static uint32_t random_place(struct virtio_bench *bench, unsigned size)
{
	uint32_t room = VIRTIO_MMIO_SIZE - size + 1;

	switch (virtio_bench_random(bench, 8)) {
	case 0:
		return virtio_bench_random(bench, room);
	case 1:
	case 2:
		return (VIRTIO_MMIO_CONFIG + virtio_bench_random(bench, 40)) % room;
	default:
		return registers[virtio_bench_random(bench, ARRAY_SIZE(registers))] % room;
	}
}

static void random_access(struct virtio_bench *bench)
{
	static const uint8_t sizes[] = {4, 4, 4, 4, 2, 1, 8};
	unsigned size = sizes[virtio_bench_random(bench, ARRAY_SIZE(sizes))];
	uint32_t at = random_place(bench, size);

	if (virtio_bench_random(bench, 3) == 0)
		virtio_bench_read(bench, at, size);
	else
		virtio_bench_write(bench, at, size, random_value(bench));
}

/* As a driver should, with some of the features. */
static void random_drive(struct virtio_bench *bench)
{
	uint64_t mask = (uint64_t)random_value(bench) << 32 | random_value(bench);

	if (virtio_bench_random(bench, 4) == 0)
		mask = UINT64_MAX;
	/* Features may contradict each other; then it is a device that refuses. */
	if (!virtio_bench_negotiate(bench, mask))
		return;
	for (unsigned i = 0; i < bench->virtio->queue_count; i++) {
		if (virtio_bench_random(bench, 8) > 0)
			virtio_bench_queue(bench, i, VIRTIO_BENCH_RING);
	}
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS,
			 virtio_bench_get(bench, VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_DRIVER_OK);
}

/* Somewhere in RAM, and not so seldom at its end. */
static struct driver_piece random_piece(struct virtio_bench *bench)
{
	uint32_t size = virtio_bench_random(bench, virtio_bench_random(bench, 2) ? PIECE_MAX : 16);
	uint64_t room = VIRTIO_BENCH_RAM_SIZE - size;
	uint64_t offset = VIRTIO_BENCH_RAM_SIZE / 2 + virtio_bench_random(bench, MIB);
	uint8_t *at;

	if (virtio_bench_random(bench, 16) == 0)
		offset = room;
	at = virtio_bench_ram(bench, VIRTIO_BENCH_RAM + offset, size);
	for (uint32_t i = 0; i < size && i < 32; i++)
		at[i] = (uint8_t)(virtio_bench_random(bench, 3) ? virtio_bench_random(bench, 8)
								: random_value(bench));
	/* A driver that means well does not give away the pages of its rings. */
	for (uint32_t i = 0; bench->kind->numbers_pages && !bench->hostile && i < size; i++)
		at[i] |= 0x80;
	return (struct driver_piece){VIRTIO_BENCH_RAM + offset, size};
}

/* A buffer as rings should have it, whatever is in it. */
static void random_buffer(struct virtio_bench *bench)
{
	unsigned index = virtio_bench_random(bench, bench->virtio->queue_count);
	struct driver_piece pieces[2 * PIECES];
	unsigned n_out = virtio_bench_random(bench, PIECES);
	unsigned n_in = virtio_bench_random(bench, PIECES);

	if (!bench->rings[index].mem || n_out + n_in == 0)
		return;
	for (unsigned i = 0; i < n_out + n_in; i++)
		pieces[i] = random_piece(bench);
	virtio_bench_add(bench, index, pieces, n_out, n_in, 0);
	if (virtio_bench_random(bench, 4) > 0)
		virtio_bench_kick(bench, index);
}

/* Take back what the device has used; it was given good buffers if it still works. */
static void take_used(struct virtio_bench *bench)
{
	uint64_t token;
	uint32_t length;

	for (unsigned i = 0; i < bench->virtio->queue_count; i++) {
		while (bench->rings[i].mem && virtio_bench_used(bench, i, &token, &length))
			;
	}
}

/* What a driver never writes, where the rings are. The driver's own view of them ends here. */
static void random_ring(struct virtio_bench *bench)
{
	unsigned index = virtio_bench_random(bench, bench->virtio->queue_count);
	struct driver_ring *ring = &bench->rings[index];
	uint32_t value = random_value(bench);
	gpa_t at;

	if (!ring->mem)
		return;
	/* Not the device's area, which nobody but the device may make wrong for the driver. */
	at = ring->base +
	     virtio_bench_random(bench, (uint32_t)(driver_ring_device(ring) - 4 - ring->base));
	memcpy(virtio_bench_ram(bench, at, sizeof(value)), &value, sizeof(value));
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_NOTIFY, index);
}

/* What no driver does wrong: registers in order, good rings. */
static void good_step(struct virtio_bench *bench)
{
	switch (virtio_bench_random(bench, 4)) {
	case 0:
		if (bench->kind->disturb)
			bench->kind->disturb(bench);
		break;
	case 1:
		virtio_bench_run(bench);
		take_used(bench);
		break;
	default:
		random_buffer(bench);
	}
}

static void random_step(struct virtio_bench *bench)
{
	switch (virtio_bench_random(bench, 10)) {
	case 0:
		random_drive(bench);
		break;
	case 1:
	case 2:
		random_access(bench);
		break;
	case 3:
		random_ring(bench);
		break;
	case 4:
	case 5:
		virtio_bench_run(bench);
		break;
	case 6:
		if (bench->kind->disturb)
			bench->kind->disturb(bench);
		break;
	default:
		random_buffer(bench);
	}
}

void virtio_check_random(const struct virtio_kind *kind, uint64_t seed, unsigned rounds)
{
	struct virtio_bench *bench = virtio_bench_open(kind);

	bench->random = seed;
	bench->hostile = true;
	for (unsigned i = 0; i < rounds; i++) {
		random_step(bench);
		virtio_bench_check_shadow(bench);
	}
	virtio_bench_close(bench);
}

/* A device in the middle of work. */
static struct virtio_bench *open_busy(const struct virtio_kind *kind, uint64_t seed)
{
	struct virtio_bench *bench = virtio_bench_open(kind);

	bench->random = seed;
	virtio_bench_drive(bench, seed % 2 ? UINT64_MAX : ~BIT(VIRTIO_F_RING_PACKED));
	for (unsigned i = 0; i < USED_STEPS; i++)
		good_step(bench);
	return bench;
}

static void pause_device(struct virtio_bench *bench, bool on)
{
	device_lock(&bench->virtio->device);
	if (on)
		virtio_device_pause(bench->virtio);
	else
		virtio_device_resume(bench->virtio);
	device_unlock(&bench->virtio->device);
}

static void check_alike(struct virtio_bench *a, struct virtio_bench *b)
{
	for (uint32_t at = 0; at < VIRTIO_MMIO_SIZE; at += 4)
		ck_assert_msg(virtio_bench_get(a, at) == virtio_bench_get(b, at),
			      "0x%x reads otherwise", at);
}

void virtio_check_save(const struct virtio_kind *kind, uint64_t seed)
{
	struct virtio_bench *busy = open_busy(kind, seed);
	struct virtio_bench *twin = virtio_bench_open(kind);
	struct virtio_saved saved;

	pause_device(busy, true);
	virtio_bench_run(busy); /* a pause is one: nothing may change */
	saved = virtio_bench_save(busy);
	virtio_bench_run(busy);
	virtio_bench_copy_ram(twin, busy);
	ck_assert_int_eq(virtio_bench_load(twin, saved.data, saved.size), 0);
	check_alike(busy, twin);
	pause_device(twin, true);
	assert_same(virtio_bench_save(busy), virtio_bench_save(twin), "saved otherwise");
	pause_device(busy, false);
	pause_device(twin, false);
	virtio_bench_check_shadow(twin);
	twin->random = busy->random;
	for (unsigned i = 0; i < USED_STEPS; i++) {
		good_step(busy);
		good_step(twin);
	}
	free(saved.data);
	virtio_bench_close(twin);
	virtio_bench_close(busy);
}

void virtio_check_reset(const struct virtio_kind *kind, uint64_t seed)
{
	struct virtio_bench *used = virtio_bench_open(kind);
	struct virtio_bench *fresh = virtio_bench_open(kind);

	used->random = seed;
	used->hostile = true;
	for (unsigned i = 0; i < USED_STEPS; i++)
		random_step(used);
	if (kind->calm)
		kind->calm(used);
	virtio_bench_set(used, VIRTIO_MMIO_STATUS, 0);
	ck_assert_ptr_null(used->page);
	for (unsigned i = 0; i < VIRTIO_BENCH_QUEUES; i++)
		ck_assert_int_eq(used->notify_fds[i], -1);
	virtio_bench_run(used);
	assert_same(virtio_bench_save(fresh), virtio_bench_save(used), "reset otherwise");
	check_alike(fresh, used);
	virtio_bench_close(fresh);
	virtio_bench_close(used);
}

/* Whatever was loaded, it can be used as a device is. */
static void bear(struct virtio_bench *victim)
{
	for (unsigned i = 0; i < victim->virtio->queue_count; i++)
		virtio_bench_set(victim, VIRTIO_MMIO_QUEUE_NOTIFY, i);
	virtio_bench_run(victim);
	virtio_bench_check_shadow(victim);
	virtio_bench_set(victim, VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(virtio_bench_get(victim, VIRTIO_MMIO_STATUS), 0);
}

static void load_hostile(const struct virtio_bench *busy, const uint8_t *data, size_t size)
{
	struct virtio_bench *victim = virtio_bench_open(busy->kind);

	virtio_bench_copy_ram(victim, busy);
	/* Refused or not: the device is one. */
	virtio_bench_load(victim, data, size);
	bear(victim);
	virtio_bench_close(victim);
}

void virtio_check_hostile_state(const struct virtio_kind *kind, uint64_t seed)
{
	struct virtio_bench *busy = open_busy(kind, seed);
	struct virtio_saved saved;

	pause_device(busy, true);
	saved = virtio_bench_save(busy);
	for (unsigned i = 0; i < HOSTILE_STEPS; i++) {
		size_t at = virtio_bench_random(busy, (uint32_t)saved.size);
		uint8_t before = saved.data[at];

		if (i % 8 == 0) {
			load_hostile(busy, saved.data, at);
			continue;
		}
		saved.data[at] ^= (uint8_t)(1U << virtio_bench_random(busy, 8));
		load_hostile(busy, saved.data, saved.size);
		saved.data[at] = before;
	}
	free(saved.data);
	virtio_bench_close(busy);
}
