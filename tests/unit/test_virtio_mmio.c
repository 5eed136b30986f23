/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_mmio.h"

#include <libfdt.h>
#include <string.h>

#include "core/fdt_builder.h"
#include "unit.h"
#include "virtio_probe.h"

/* Registers of a fresh device (4.2.2, table 4.1). */
static const struct {
	uint32_t offset;
	uint32_t value;
} fresh[] = {
	{VIRTIO_MMIO_MAGIC_VALUE, 0x74726976},
	{VIRTIO_MMIO_VERSION, 2},
	{VIRTIO_MMIO_DEVICE_ID, PROBE_ID},
	{VIRTIO_MMIO_VENDOR_ID, VIRTIO_MMIO_VENDOR},
	{VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0}, /* write-only */
	{VIRTIO_MMIO_DRIVER_FEATURES, 0},
	{VIRTIO_MMIO_QUEUE_SEL, 0},
	{VIRTIO_MMIO_QUEUE_NUM_MAX, 16},
	{VIRTIO_MMIO_QUEUE_NUM, 0},
	{VIRTIO_MMIO_QUEUE_READY, 0},
	{VIRTIO_MMIO_QUEUE_NOTIFY, 0},
	{VIRTIO_MMIO_INTERRUPT_STATUS, 0},
	{VIRTIO_MMIO_INTERRUPT_ACK, 0},
	{VIRTIO_MMIO_STATUS, 0},
	{VIRTIO_MMIO_SHM_LEN_LOW, UINT32_MAX},
	{VIRTIO_MMIO_SHM_LEN_HIGH, UINT32_MAX},
	{VIRTIO_MMIO_SHM_BASE_LOW, UINT32_MAX},
	{VIRTIO_MMIO_SHM_BASE_HIGH, UINT32_MAX},
	{VIRTIO_MMIO_QUEUE_RESET, 0},
	{VIRTIO_MMIO_CONFIG_GENERATION, 0},
	{VIRTIO_MMIO_CONFIG, 0x11111111},
	{VIRTIO_MMIO_CONFIG + 16, 0x1111}, /* the configuration ends here */
	{VIRTIO_MMIO_CONFIG + 20, 0},
	{VIRTIO_MMIO_SIZE - 4, 0},
};

START_TEST(test_fresh)
{
	struct virtio_bench *bench = probe_open();
	uint32_t at = fresh[_i].offset;
	uint32_t value = fresh[_i].value;

	ck_assert_uint_eq(virtio_bench_get(bench, at), value);
	/* A part of a register is that part. */
	for (unsigned lane = 0; lane < 4; lane++)
		ck_assert_uint_eq(virtio_bench_read(bench, at + lane, 1), value >> 8 * lane & 0xff);
	ck_assert_uint_eq(virtio_bench_read(bench, at + 2, 2), value >> 16);
	ck_assert_uint_eq(virtio_bench_read(bench, at & ~7U, 8) >> (at & 4 ? 32 : 0) & UINT32_MAX,
			  value);
	virtio_bench_close(bench);
}
END_TEST

/* Writes that do nothing: read-only, reserved, or of a size that no driver uses (4.2.2.2). */
START_TEST(test_ignored_writes)
{
	struct virtio_bench *bench = probe_open();
	struct virtio_saved before = virtio_bench_save(bench);
	struct virtio_saved after;

	for (uint32_t at = 0; at < VIRTIO_MMIO_CONFIG; at++) {
		virtio_bench_write(bench, at, 1, 0xff);
		virtio_bench_write(bench, at, 2, 0xffff);
		virtio_bench_write(bench, at, 8, UINT64_MAX);
		if (at % 4)
			virtio_bench_write(bench, at, 4, UINT32_MAX);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(fresh); i++) {
		if (fresh[i].value)
			virtio_bench_set(bench, fresh[i].offset, UINT32_MAX);
	}
	after = virtio_bench_save(bench);
	ck_assert_uint_eq(before.size, after.size);
	ck_assert_mem_eq(before.data, after.data, before.size);
	free(before.data);
	free(after.data);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_features)
{
	struct virtio_bench *bench = probe_open();
	uint64_t offered = virtio_bench_offered(bench);

	ck_assert_uint_eq(offered, BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_PACKED) |
					   BIT(VIRTIO_F_RING_RESET) | BIT(VIRTIO_F_IN_ORDER) |
					   BIT(VIRTIO_RING_F_INDIRECT_DESC) |
					   BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(PROBE_F_LEFT) |
					   BIT(PROBE_F_RIGHT));
	/* There are 64 features, whatever is selected. */
	for (unsigned i = 1; i < 32; i++) {
		virtio_bench_set(bench, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1U << i);
		ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_DEVICE_FEATURES), 0);
		virtio_bench_set(bench, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1U << i);
		virtio_bench_set(bench, VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX);
	}
	ck_assert_uint_eq(bench->virtio->driver_features, 0);
	ck_assert(virtio_bench_negotiate(bench, LEFT_ONLY));
	ck_assert_uint_eq(bench->virtio->driver_features, offered & LEFT_ONLY);
	virtio_bench_close(bench);
}
END_TEST

static const struct {
	uint64_t features;
	bool fine;
} feature_rows[] = {
	{BIT(VIRTIO_F_VERSION_1), true},
	{BIT(VIRTIO_F_VERSION_1) | BIT(PROBE_F_RIGHT), true},
	{BIT(VIRTIO_F_VERSION_1) | BIT(PROBE_F_LEFT) | BIT(PROBE_F_RIGHT), false},
	{BIT(VIRTIO_F_VERSION_1) | BIT(6), false},  /* not offered */
	{BIT(VIRTIO_F_VERSION_1) | BIT(63), false}, /* not offered */
	{BIT(PROBE_F_LEFT), false},                 /* a legacy driver */
	{0, false},
};

START_TEST(test_features_refused)
{
	struct virtio_bench *bench = probe_open();
	uint32_t status = feature_rows[_i].fine ? FEATURES_OK : DRIVER;

	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, DRIVER);
	for (uint32_t word = 0; word < 2; word++) {
		virtio_bench_set(bench, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		virtio_bench_set(bench, VIRTIO_MMIO_DRIVER_FEATURES,
				 (uint32_t)(feature_rows[_i].features >> 32 * word));
	}
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, FEATURES_OK);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS), status);
	/* A driver that goes on as if nothing had been has a broken device. */
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, status | VIRTIO_CONFIG_S_DRIVER_OK);
	if (feature_rows[_i].fine) {
		ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS), DRIVER_OK);
		virtio_bench_close(bench);
	} else {
		ck_assert_uint_eq(virtio_bench_interrupts(bench), 0);
		probe_expect_broken(bench, DRIVER);
	}
}
END_TEST

START_TEST(test_status)
{
	struct virtio_bench *bench = probe_open();
	struct probe *probe = to_probe(bench);

	/* Bits that are none, and the device's own, cannot be set. */
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, 0xffffff71);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS), 1);
	virtio_bench_drive(bench, UINT64_MAX);
	ck_assert_uint_eq(probe->starts, 1);
	ck_assert_uint_eq(probe->stops, 0);
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, DRIVER_OK); /* once more */
	ck_assert_uint_eq(probe->starts, 1);
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, DRIVER_OK | VIRTIO_CONFIG_S_FAILED);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS),
			  DRIVER_OK | VIRTIO_CONFIG_S_FAILED);
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(probe->stops, 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS), 0);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY), 0);
	/* Again. */
	virtio_bench_drive(bench, UINT64_MAX);
	ck_assert_uint_eq(probe->starts, 2);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_status_taken_back)
{
	struct virtio_bench *bench = probe_open_driven();

	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, FEATURES_OK);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_ISR_CONFIG);
	ck_assert_uint_eq(to_probe(bench)->stops, 1);
	probe_expect_broken(bench, DRIVER_OK);
}
END_TEST

START_TEST(test_features_changed_late)
{
	struct virtio_bench *bench = probe_open();

	ck_assert(virtio_bench_negotiate(bench, LEFT_ONLY));
	virtio_bench_set(bench, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	virtio_bench_set(bench, VIRTIO_MMIO_DRIVER_FEATURES, 0);
	ck_assert_uint_eq(bench->virtio->driver_features, bench->features);
	probe_expect_broken(bench, FEATURES_OK);
}
END_TEST

/* Queues. */

static const struct {
	uint32_t offset; /* of the register that is set to @value, in a queue that is right */
	uint32_t value;
	uint64_t features;
} queue_rows[] = {
	{VIRTIO_MMIO_QUEUE_NUM, 0, 0},
	{VIRTIO_MMIO_QUEUE_NUM, 12, 0}, /* split: a power of two */
	{VIRTIO_MMIO_QUEUE_NUM, 512, 0},
	{VIRTIO_MMIO_QUEUE_NUM, 0x10010, 0},
	{VIRTIO_MMIO_QUEUE_NUM, 512, BIT(VIRTIO_F_RING_PACKED)},
	{VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_BENCH_RAM + 8, 0},
	{VIRTIO_MMIO_QUEUE_AVAIL_LOW, VIRTIO_BENCH_RAM + 1, 0},
	{VIRTIO_MMIO_QUEUE_USED_LOW, VIRTIO_BENCH_RAM + 2, 0},
	{VIRTIO_MMIO_QUEUE_DESC_LOW, 0, 0}, /* no RAM */
	{VIRTIO_MMIO_QUEUE_DESC_HIGH, 1, 0},
	{VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0x80000000, 0},
	{VIRTIO_MMIO_QUEUE_USED_HIGH, UINT32_MAX, 0},
	{VIRTIO_MMIO_QUEUE_USED_LOW, VIRTIO_BENCH_RAM + VIRTIO_BENCH_RAM_SIZE - 4, 0},
	{VIRTIO_MMIO_QUEUE_USED_HIGH, 1, BIT(VIRTIO_F_RING_PACKED)},
};

/* A queue that cannot be: before DRIVER_OK the status tells, behind it also an interrupt. */
static void try_bad_queue(int row, bool live)
{
	struct virtio_bench *bench = probe_open();
	uint32_t status = live ? DRIVER_OK : FEATURES_OK;

	ck_assert(virtio_bench_negotiate(bench, queue_rows[row].features));
	if (live)
		virtio_bench_set(bench, VIRTIO_MMIO_STATUS, DRIVER_OK);
	/* All is right but for one register. */
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_SEL, 1);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_NUM, 16);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_BENCH_RAM);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_AVAIL_LOW, VIRTIO_BENCH_RAM + 0x1000);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_USED_LOW, VIRTIO_BENCH_RAM + 0x2000);
	virtio_bench_set(bench, queue_rows[row].offset, queue_rows[row].value);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_READY, 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY), 0);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), live);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS),
			  live ? VIRTIO_ISR_CONFIG : 0);
	probe_expect_broken(bench, status);
}

START_TEST(test_bad_queue)
{
	try_bad_queue(_i, false);
	try_bad_queue(_i, true);
}
END_TEST

START_TEST(test_queue_too_early)
{
	struct virtio_bench *bench = probe_open();

	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, DRIVER);
	virtio_bench_queue(bench, 0, 16);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY), 0);
	probe_expect_broken(bench, DRIVER);
}
END_TEST

START_TEST(test_queue_changed_in_use)
{
	struct virtio_bench *bench = probe_open_driven();

	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_SEL, 0);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_AVAIL_LOW, VIRTIO_BENCH_RAM);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	probe_expect_broken(bench, DRIVER_OK);
}
END_TEST

START_TEST(test_queue_selected)
{
	struct virtio_bench *bench = probe_open_driven();

	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_SEL, 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_NUM_MAX), 256);
	/* There is no such queue: nothing happens, whatever is written. */
	for (unsigned i = 1; i < 32; i++) {
		virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_SEL, 1U << i);
		ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
		ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY), 0);
		virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_NUM, 16);
		virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_READY, 1);
		virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_READY, 0);
		virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_RESET, 1);
		virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_NOTIFY, 1U << i);
		virtio_bench_check_shadow(bench);
	}
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS), DRIVER_OK);
	virtio_bench_close(bench);
}
END_TEST

/* Hand over a buffer of 10 bytes and get it back, with an interrupt. */
static void expect_works(struct virtio_bench *bench, unsigned index)
{
	gpa_t room = virtio_bench_room(bench, index, 10, 77);
	uint64_t token;
	uint32_t length;

	virtio_bench_interrupts(bench);
	virtio_bench_kick(bench, index);
	virtio_bench_run(bench);
	ck_assert(virtio_bench_used(bench, index, &token, &length));
	ck_assert_uint_eq(token, 77);
	ck_assert_uint_eq(length, 10);
	ck_assert_uint_eq(*(uint8_t *)virtio_bench_ram(bench, room + 9, 1), PROBE_BYTE);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_ISR_QUEUE,
			  VIRTIO_ISR_QUEUE);
	driver_ring_interrupts(&bench->rings[index], 0);
}

START_TEST(test_queue_reset)
{
	struct virtio_bench *bench = probe_open_driven();
	struct probe *probe = to_probe(bench);
	uint64_t one = 1;

	expect_works(bench, 0);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_SEL, 0);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_RESET, 0);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY), 1);
	/* A kick is on its way while the queue is taken back: nobody goes on asking. */
	ck_assert_int_eq(write(bench->notify_fds[0], &one, sizeof(one)), sizeof(one));
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_RESET, 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_RESET), 0);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY), 0);
	ck_assert_int_eq(bench->notify_fds[0], -1);
	ck_assert_uint_eq(probe->stops, 1);
	ck_assert_uint_eq(probe->starts, 2);
	probe->notified[0] = 0;
	virtio_bench_run(bench);
	ck_assert_uint_eq(probe->notified[0], 0);
	virtio_bench_check_shadow(bench);
	expect_works(bench, 1);
	virtio_bench_queue(bench, 0, 8);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY), 1);
	expect_works(bench, 0);
	expect_works(bench, 1);
	/* The other way to take it back. */
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_SEL, 1);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_READY, 0);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_QUEUE_READY), 0);
	expect_works(bench, 0);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_queue_reset_not_accepted)
{
	struct virtio_bench *bench = probe_open();

	virtio_bench_drive(bench, ~BIT(VIRTIO_F_RING_RESET));
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_SEL, 0);
	virtio_bench_set(bench, VIRTIO_MMIO_QUEUE_RESET, 1);
	probe_expect_broken(bench, DRIVER_OK);
}
END_TEST

/* Every kind of ring, with a shadow and without, notified by eventfd or by the register. */
START_TEST(test_works)
{
	struct virtio_bench *bench = probe_open();
	uint64_t features = (_i & 1 ? BIT(VIRTIO_F_RING_PACKED) : 0) |
			    (_i & 2 ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
			    (_i & 4 ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0);

	bench->no_shadow = _i & 8;
	bench->no_notify = _i & 16;
	virtio_bench_drive(bench, features);
	ck_assert_int_eq(bench->page != NULL, !bench->no_shadow);
	ck_assert_int_eq(bench->notify_fds[1] >= 0, !bench->no_notify);
	for (unsigned i = 0; i < 3 * VIRTIO_BENCH_RING; i++)
		expect_works(bench, i % 2);
	virtio_bench_check_shadow(bench);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_broken_ring)
{
	struct virtio_bench *bench = probe_open();
	struct driver_piece outside = {VIRTIO_BENCH_RAM - 4, 8};

	virtio_bench_drive(bench, _i ? BIT(VIRTIO_F_RING_PACKED) : 0);
	ck_assert(virtio_bench_add(bench, 0, &outside, 0, 1, 0));
	virtio_bench_kick(bench, 0);
	virtio_bench_run(bench);
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_ISR_CONFIG);
	probe_expect_broken(bench, DRIVER_OK);
}
END_TEST

/* Interrupts and configuration. */

static void change_config(struct virtio_bench *bench, unsigned offset, unsigned count)
{
	device_lock(&bench->virtio->device);
	for (unsigned i = 0; i < count; i++)
		to_probe(bench)->config[offset + i]++;
	virtio_config_changed(bench->virtio);
	device_unlock(&bench->virtio->device);
}

START_TEST(test_config_changes)
{
	struct virtio_bench *bench = probe_open();
	unsigned shows;

	change_config(bench, 0, 1); /* nobody to be told */
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_CONFIG_GENERATION), 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	virtio_bench_drive(bench, UINT64_MAX);
	virtio_bench_run(bench);
	virtio_bench_interrupts(bench);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_ISR_QUEUE);
	shows = bench->shows;
	change_config(bench, 1, 2);
	ck_assert_uint_eq(bench->shows, shows); /* one word: it is changed in place */
	ck_assert_uint_eq(virtio_bench_interrupts(bench), 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_CONFIG_GENERATION), 1);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_CONFIG), 0x11121211);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS),
			  VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
	virtio_bench_check_shadow(bench);
	change_config(bench, 2, 4);
	ck_assert_uint_eq(bench->shows, shows + 1); /* two: never seen half changed */
	virtio_bench_check_shadow(bench);
	virtio_bench_set(bench, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_ISR_QUEUE);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS),
			  VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
	virtio_bench_set(bench, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_ISR_CONFIG);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_ISR_QUEUE);
	virtio_bench_check_shadow(bench);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_config_writes)
{
	struct virtio_bench *bench = probe_open_driven();
	struct probe *probe = to_probe(bench);
	uint32_t at = VIRTIO_MMIO_CONFIG + PROBE_WRITABLE;

	virtio_bench_write(bench, at, 4, 0xa1a2a3a4);
	virtio_bench_write(bench, at + 1, 2, 0xb1b2);
	virtio_bench_write(bench, at + 3, 1, 0xc1);
	ck_assert_uint_eq(virtio_bench_get(bench, at), 0xc1b1b2a4);
	ck_assert_uint_eq(probe->config_writes, 3);
	virtio_bench_check_shadow(bench);
	/* Beside it, or across its end. */
	virtio_bench_write(bench, at, 8, 0);
	virtio_bench_write(bench, at - 1, 2, 0);
	virtio_bench_write(bench, at + 2, 4, 0);
	virtio_bench_write(bench, at + 4, 1, 0);
	virtio_bench_write(bench, VIRTIO_MMIO_CONFIG, 4, 0);
	virtio_bench_write(bench, VIRTIO_MMIO_SIZE - 8, 8, UINT64_MAX);
	ck_assert_uint_eq(virtio_bench_get(bench, at), 0xc1b1b2a4);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_CONFIG), 0x11111111);
	ck_assert_uint_eq(probe->config_writes, 3);
	virtio_bench_close(bench);
}
END_TEST

START_TEST(test_device_tree)
{
	struct virtio_bench *bench = probe_open();
	const struct device_slot slot = {
		.base = VIRTIO_BENCH_BASE, .size = VIRTIO_MMIO_SIZE, .intid = VIRTIO_BENCH_INTID};
	struct fdt_builder *fdt;
	const fdt32_t *cells;
	int length = 0;
	void *tree;
	size_t size;
	int node;

	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	fdt_begin(fdt, "%s", "");
	virtio_device_describe(&bench->virtio->device, &slot, fdt);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &tree, &size, NULL), 0);
	node = fdt_path_offset(tree, "/virtio_mmio@a000000");
	ck_assert_int_ge(node, 0);
	ck_assert_int_eq(fdt_node_check_compatible(tree, node, "virtio,mmio"), 0);
	cells = fdt_getprop(tree, node, "interrupts", &length);
	ck_assert_int_eq(length, 12);
	ck_assert_uint_eq(fdt32_to_cpu(cells[1]), VIRTIO_BENCH_INTID - 32);
	ck_assert_uint_eq(fdt32_to_cpu(cells[2]), FDT_IRQ_EDGE_RISING);
	free(tree);
	fdt_builder_destroy(fdt);
	virtio_bench_close(bench);
}
END_TEST

const char unit_name[] = "virtio_mmio";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_fresh, ARRAY_SIZE(fresh)),
	UNIT_CASE(test_ignored_writes),
	UNIT_CASE(test_features),
	UNIT_LOOP(test_features_refused, ARRAY_SIZE(feature_rows)),
	UNIT_CASE(test_status),
	UNIT_CASE(test_status_taken_back),
	UNIT_CASE(test_features_changed_late),
	UNIT_LOOP(test_bad_queue, ARRAY_SIZE(queue_rows)),
	UNIT_CASE(test_queue_too_early),
	UNIT_CASE(test_queue_changed_in_use),
	UNIT_CASE(test_queue_selected),
	UNIT_CASE(test_queue_reset),
	UNIT_CASE(test_queue_reset_not_accepted),
	UNIT_LOOP(test_works, 32),
	UNIT_LOOP(test_broken_ring, 2),
	UNIT_CASE(test_config_changes),
	UNIT_CASE(test_config_writes),
	UNIT_CASE(test_device_tree),
	{0},
};
