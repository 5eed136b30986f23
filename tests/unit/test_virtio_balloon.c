/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_balloon.h"

#include <string.h>

#include "unit.h"
#include "virtio_bench.h"

#define INFLATE       0 /* queues (5.5.2) */
#define DEFLATE       1
#define STATS         2
#define HINTS         3
#define REPORTS       4
#define PAGE          UINT64_C(4096)
#define PLACE         (VIRTIO_BENCH_RAM + MIB) /* of pages to be given back */
#define CONFIG(field) (VIRTIO_MMIO_CONFIG + (uint32_t)offsetof(struct virtio_balloon_config, field))

struct bench {
	struct virtio_bench virtio;
	unsigned reports;
	unsigned hints;
	unsigned hint_ends;
	gpa_t hint_addr; /* of the last */
	uint64_t hint_size;
};

static struct bench *to_bench(struct virtio_bench *virtio)
{
	return container_of(virtio, struct bench, virtio);
}

static void on_reported(void *data)
{
	((struct bench *)data)->reports++;
}

static void on_hinted(void *data, gpa_t addr, uint64_t size)
{
	struct bench *bench = data;

	bench->hints++;
	bench->hint_addr = addr;
	bench->hint_size = size;
}

static void on_hints_end(void *data)
{
	((struct bench *)data)->hint_ends++;
}

static int create_with(struct virtio_bench *virtio, bool hints, struct virtio_device **ret)
{
	const struct virtio_balloon_options options = {
		.name = "balloon0",
		.mem = virtio->mem,
		.loop = virtio->loop,
		.deflate_on_oom = true,
		.reporting = true,
		.reported = on_reported,
		.hinted = hints ? on_hinted : NULL,
		.hints_end = on_hints_end,
		.data = to_bench(virtio),
	};

	return virtio_balloon_create(&options, ret);
}

static int create(struct virtio_bench *virtio, struct virtio_device **ret)
{
	return create_with(virtio, true, ret);
}

static int create_plain(struct virtio_bench *virtio, struct virtio_device **ret)
{
	return create_with(virtio, false, ret);
}

static void set_target(struct virtio_bench *virtio, uint64_t size)
{
	device_lock(&virtio->virtio->device);
	virtio_balloon_set_target(virtio->virtio, size);
	device_unlock(&virtio->virtio->device);
}

static bool ask_stats(struct virtio_bench *virtio)
{
	bool r;

	device_lock(&virtio->virtio->device);
	r = virtio_balloon_ask_stats(virtio->virtio);
	device_unlock(&virtio->virtio->device);
	return r;
}

static bool hint(struct virtio_bench *virtio, bool on)
{
	bool r = true;

	device_lock(&virtio->virtio->device);
	if (on)
		r = virtio_balloon_hint(virtio->virtio);
	else
		virtio_balloon_hint_done(virtio->virtio);
	device_unlock(&virtio->virtio->device);
	return r;
}

static void disturb(struct virtio_bench *virtio)
{
	switch (virtio_bench_random(virtio, 4)) {
	case 0:
		set_target(virtio, virtio_bench_random(virtio, 4 * (uint32_t)MIB));
		break;
	case 1:
		ask_stats(virtio);
		break;
	case 2:
		hint(virtio, true);
		break;
	default:
		hint(virtio, false);
	}
}

static void calm(struct virtio_bench *virtio)
{
	set_target(virtio, 0);
}

static const struct virtio_kind kind = {
	.bench_size = sizeof(struct bench),
	.numbers_pages = true,
	.create = create,
	.disturb = disturb,
	.calm = calm,
};

static const struct virtio_kind plain = {
	.bench_size = sizeof(struct bench),
	.create = create_plain,
};

static struct bench *open_driven(const struct virtio_kind *which)
{
	struct virtio_bench *virtio = virtio_bench_open(which);

	virtio_bench_drive(virtio, UINT64_MAX);
	virtio_bench_run(virtio);
	memset(virtio_bench_ram(virtio, PLACE, MIB), 0x55, MIB);
	return to_bench(virtio);
}

static void send(struct bench *bench, unsigned queue, const void *data, size_t size)
{
	uint64_t token;
	uint32_t length;

	ck_assert(virtio_bench_put(&bench->virtio, queue, data, (uint32_t)size, 1));
	virtio_bench_kick(&bench->virtio, queue);
	virtio_bench_run(&bench->virtio);
	ck_assert(virtio_bench_used(&bench->virtio, queue, &token, &length));
	ck_assert_uint_eq(length, 0);
}

static void send_pages(struct bench *bench, unsigned queue, const struct driver_piece *pieces,
		       unsigned count)
{
	uint64_t token;
	uint32_t length;

	ck_assert(virtio_bench_add(&bench->virtio, queue, pieces, 0, count, 1));
	virtio_bench_kick(&bench->virtio, queue);
	virtio_bench_run(&bench->virtio);
	ck_assert(virtio_bench_used(&bench->virtio, queue, &token, &length));
	ck_assert_uint_eq(length, 0);
}

/* What the page at PLACE + @number pages begins and ends with. */
static uint8_t page_byte(struct bench *bench, unsigned number)
{
	const uint8_t *page = virtio_bench_ram(&bench->virtio, PLACE + number * PAGE, PAGE);

	ck_assert_uint_eq(page[0], page[PAGE - 1]);
	return page[0];
}

static uint32_t frame(unsigned number)
{
	return (uint32_t)(PLACE / PAGE) + number;
}

START_TEST(test_size)
{
	struct bench *bench = open_driven(&kind);
	struct virtio_bench *virtio = &bench->virtio;

	virtio_bench_interrupts(virtio);
	set_target(virtio, 3 * MIB + 5);
	ck_assert_uint_eq(virtio_bench_interrupts(virtio), 1);
	ck_assert_uint_eq(virtio_bench_get(virtio, CONFIG(num_pages)), 3 * MIB / PAGE);
	ck_assert_uint_eq(virtio_balloon_target(virtio->virtio), 3 * MIB);
	set_target(virtio, 3 * MIB);
	ck_assert_uint_eq(virtio_bench_interrupts(virtio), 0);
	virtio_bench_set(virtio, CONFIG(actual), 100);
	ck_assert_uint_eq(virtio_balloon_actual(virtio->virtio), 100 * PAGE);
	virtio_bench_set(virtio, CONFIG(num_pages), 100); /* not the driver's */
	ck_assert_uint_eq(virtio_balloon_target(virtio->virtio), 3 * MIB);
	/* No more than there is. */
	set_target(virtio, UINT64_MAX);
	ck_assert_uint_eq(virtio_balloon_target(virtio->virtio), VIRTIO_BENCH_RAM_SIZE);
	virtio_bench_set(virtio, VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(virtio_balloon_actual(virtio->virtio), 0);
	ck_assert_uint_eq(virtio_balloon_target(virtio->virtio), VIRTIO_BENCH_RAM_SIZE);
	virtio_bench_close(virtio);
}
END_TEST

START_TEST(test_inflate)
{
	struct bench *bench = open_driven(&kind);
	/* Upward, downward, alone, twice, and what is no RAM. */
	const uint32_t frames[] = {
		frame(16), frame(17), frame(18), frame(19), frame(40), frame(39),
		frame(38), frame(37), frame(48), frame(48), 0,         UINT32_MAX,
	};
	bool small = sysconf(_SC_PAGESIZE) == PAGE;

	send(bench, INFLATE, frames, sizeof(frames));
	for (unsigned i = 16; small && i < 20; i++)
		ck_assert_uint_eq(page_byte(bench, i), 0);
	for (unsigned i = 37; small && i <= 40; i++)
		ck_assert_uint_eq(page_byte(bench, i), 0);
	ck_assert_uint_eq(page_byte(bench, 48), small ? 0 : 0x55);
	ck_assert_uint_eq(page_byte(bench, 15), 0x55);
	ck_assert_uint_eq(page_byte(bench, 20), 0x55);
	ck_assert_uint_eq(page_byte(bench, 36), 0x55);
	ck_assert_uint_eq(page_byte(bench, 41), 0x55);
	/* A number that is cut short, and none at all. */
	send(bench, INFLATE, frames, 3);
	send_pages(bench, INFLATE, &(struct driver_piece){PLACE, 4096}, 1);
	ck_assert_uint_eq(page_byte(bench, 0), 0x55);
	send(bench, DEFLATE, frames, sizeof(frames));
	ck_assert_uint_eq(page_byte(bench, 49), 0x55);
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* The whole of a large host page, number by number: it is given back on any host. */
START_TEST(test_inflate_large_page)
{
	struct bench *bench = open_driven(&kind);
	uint32_t frames[64 * KIB / PAGE];

	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = frame(16 + (_i ? (unsigned)ARRAY_SIZE(frames) - 1 - i : i));
	send(bench, INFLATE, frames, sizeof(frames));
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++)
		ck_assert_uint_eq(page_byte(bench, 16 + i), 0);
	ck_assert_uint_eq(page_byte(bench, 15), 0x55);
	ck_assert_uint_eq(page_byte(bench, 32), 0x55);
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* A buffer without end costs no time without end. */
START_TEST(test_inflate_too_much)
{
	struct bench *bench = open_driven(&kind);
	uint32_t count = 17 * (uint32_t)KIB;
	gpa_t list = virtio_bench_alloc(&bench->virtio, count * 4, 4);
	uint32_t *frames = virtio_bench_ram(&bench->virtio, list, count * 4);
	uint64_t token;
	uint32_t length;

	for (unsigned i = 0; i < count; i++)
		frames[i] = frame(i < 16 * KIB ? 0 : 32 + (i & 15));
	ck_assert(virtio_bench_add(&bench->virtio, INFLATE, &(struct driver_piece){list, count * 4},
				   1, 0, 1));
	virtio_bench_kick(&bench->virtio, INFLATE);
	virtio_bench_run(&bench->virtio);
	ck_assert(virtio_bench_used(&bench->virtio, INFLATE, &token, &length));
	ck_assert_uint_eq(page_byte(bench, 32), 0x55);
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_reporting)
{
	struct bench *bench = open_driven(&kind);
	const struct driver_piece pieces[] = {
		{PLACE + 16 * PAGE, 16 * PAGE},
		{PLACE + 64 * PAGE, 32 * PAGE},
	};

	send_pages(bench, REPORTS, pieces, 2);
	ck_assert_uint_eq(page_byte(bench, 15), 0x55);
	ck_assert_uint_eq(page_byte(bench, 16), 0);
	ck_assert_uint_eq(page_byte(bench, 31), 0);
	ck_assert_uint_eq(page_byte(bench, 32), 0x55);
	ck_assert_uint_eq(page_byte(bench, 95), 0);
	ck_assert_uint_eq(page_byte(bench, 96), 0x55);
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* Without hints there is a gap in the numbers, which some drivers close. */
START_TEST(test_reporting_queue)
{
	struct bench *bench = open_driven(&plain);
	const struct driver_piece piece = {PLACE + 16 * PAGE, 16 * PAGE};

	ck_assert(!(virtio_bench_offered(&bench->virtio) & BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)));
	ck_assert(!(virtio_bench_offered(&bench->virtio) & BIT(VIRTIO_BALLOON_F_PAGE_POISON)));
	send_pages(bench, _i ? REPORTS : HINTS, &piece, 1);
	ck_assert_uint_eq(page_byte(bench, 16), 0);
	ck_assert(!hint(&bench->virtio, true));
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_hints)
{
	struct bench *bench = open_driven(&kind);
	struct virtio_bench *virtio = &bench->virtio;
	const struct driver_piece piece = {PLACE, 4 * PAGE};
	uint32_t command;

	ck_assert_uint_eq(virtio_bench_get(virtio, CONFIG(free_page_hint_cmd_id)),
			  VIRTIO_BALLOON_CMD_ID_STOP);
	send_pages(bench, HINTS, &piece, 1);
	command = 0;
	send(bench, HINTS, &command, 4);
	ck_assert_uint_eq(bench->hints + bench->hint_ends, 0); /* nobody has asked */
	virtio_bench_interrupts(virtio);
	ck_assert(hint(virtio, true));
	ck_assert_uint_eq(virtio_bench_interrupts(virtio), 1);
	command = virtio_bench_get(virtio, CONFIG(free_page_hint_cmd_id));
	ck_assert_uint_gt(command, VIRTIO_BALLOON_CMD_ID_DONE);
	send_pages(bench, HINTS, &piece, 1);
	ck_assert_uint_eq(bench->hints, 0); /* of no round yet */
	send(bench, HINTS, &command, 4);
	send_pages(bench, HINTS, &piece, 1);
	ck_assert_uint_eq(bench->hints, 1);
	ck_assert_uint_eq(bench->hint_addr, PLACE);
	ck_assert_uint_eq(bench->hint_size, 4 * PAGE);
	ck_assert_uint_eq(page_byte(bench, 0), 0x55); /* a hint gives nothing back */
	/* Another round: what still comes of the old one is none of it. */
	ck_assert(hint(virtio, true));
	send_pages(bench, HINTS, &piece, 1);
	send(bench, HINTS, &command, 4);
	send_pages(bench, HINTS, &piece, 1);
	ck_assert_uint_eq(bench->hints, 1);
	command = virtio_bench_get(virtio, CONFIG(free_page_hint_cmd_id));
	send(bench, HINTS, &command, 4);
	send_pages(bench, HINTS, &piece, 1);
	ck_assert_uint_eq(bench->hints, 2);
	command = VIRTIO_BALLOON_CMD_ID_STOP;
	send(bench, HINTS, &command, 4);
	ck_assert_uint_eq(bench->hint_ends, 1);
	hint(virtio, false);
	ck_assert_uint_eq(virtio_bench_get(virtio, CONFIG(free_page_hint_cmd_id)),
			  VIRTIO_BALLOON_CMD_ID_DONE);
	send_pages(bench, HINTS, &piece, 1);
	ck_assert_uint_eq(bench->hints, 2);
	virtio_bench_close(virtio);
}
END_TEST

/* Give the buffer with @count statistics, from tag @first on, each its tag times 10. */
static void give_stats(struct bench *bench, uint16_t first, unsigned count)
{
	struct virtio_balloon_stat stats[100];

	for (unsigned i = 0; i < count; i++) {
		stats[i].tag = (uint16_t)(first + i);
		stats[i].val = (first + i) * 10;
	}
	ck_assert(virtio_bench_put(&bench->virtio, STATS, stats,
				   (uint32_t)(count * sizeof(stats[0])), 1));
	virtio_bench_kick(&bench->virtio, STATS);
	virtio_bench_run(&bench->virtio);
}

START_TEST(test_stats)
{
	struct bench *bench = open_driven(&kind);
	const struct virtio_balloon_stats *stats = virtio_balloon_stats(bench->virtio.virtio);
	uint64_t token;
	uint32_t length;

	ck_assert(ask_stats(&bench->virtio));
	give_stats(bench, 2, 4);
	ck_assert_uint_eq(bench->reports, 1);
	ck_assert_uint_eq(stats->valid, 0x3c);
	ck_assert_uint_eq(stats->values[VIRTIO_BALLOON_S_MEMTOT], 50);
	ck_assert(!virtio_bench_used(&bench->virtio, STATS, &token, &length));
	/* A kick without a reason is no report. */
	virtio_bench_set(&bench->virtio, VIRTIO_MMIO_QUEUE_NOTIFY, STATS);
	virtio_bench_run(&bench->virtio);
	ck_assert_uint_eq(bench->reports, 1);
	virtio_bench_interrupts(&bench->virtio);
	ck_assert(ask_stats(&bench->virtio));
	ck_assert(virtio_bench_used(&bench->virtio, STATS, &token, &length));
	ck_assert_uint_eq(virtio_bench_interrupts(&bench->virtio), 1);
	ck_assert(ask_stats(&bench->virtio)); /* it is at it */
	/* Tags that nobody knows, and more than anybody has. */
	give_stats(bench, 14, 100);
	ck_assert_uint_eq(bench->reports, 2);
	ck_assert_uint_eq(stats->valid, 0xc000);
	ck_assert_uint_eq(stats->reports, 2);
	virtio_bench_set(&bench->virtio, VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(stats->valid, 0);
	ck_assert(!ask_stats(&bench->virtio));
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_stats_not_wanted)
{
	struct virtio_bench *virtio = virtio_bench_open(&kind);

	virtio_bench_drive(virtio, ~BIT(VIRTIO_BALLOON_F_STATS_VQ));
	ck_assert(!ask_stats(virtio));
	virtio_bench_close(virtio);
}
END_TEST

/* A buffer that waits is in its queue: after a pause, and elsewhere. */
START_TEST(test_stats_saved)
{
	struct bench *bench = open_driven(&kind);
	struct virtio_bench *twin = virtio_bench_open(&kind);
	struct virtio_saved saved;
	uint64_t token;
	uint32_t length;

	give_stats(bench, 0, 3);
	device_lock(&bench->virtio.virtio->device);
	virtio_device_pause(bench->virtio.virtio);
	device_unlock(&bench->virtio.virtio->device);
	saved = virtio_bench_save(&bench->virtio);
	virtio_bench_copy_ram(twin, &bench->virtio);
	ck_assert_int_eq(virtio_bench_load(twin, saved.data, saved.size), 0);
	virtio_bench_run(twin);
	ck_assert_uint_eq(virtio_balloon_stats(twin->virtio)->valid, 7);
	ck_assert(ask_stats(twin));
	ck_assert(virtio_bench_used(twin, STATS, &token, &length));
	free(saved.data);
	virtio_bench_close(twin);
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_stats_period)
{
	struct bench *bench = open_driven(&kind);
	struct virtio_device *virtio = bench->virtio.virtio;
	uint64_t token;
	uint32_t length;

	give_stats(bench, 0, 3);
	device_lock(&virtio->device);
	ck_assert_int_eq(virtio_balloon_set_period(virtio, 1), 0);
	device_unlock(&virtio->device);
	ck_assert(virtio_bench_wait(&bench->virtio, STATS, &token, &length));
	device_lock(&virtio->device);
	ck_assert_int_eq(virtio_balloon_set_period(virtio, 0), 0);
	device_unlock(&virtio->device);
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_random)
{
	virtio_check_random(&kind, (uint64_t)_i + 1, 1000);
}
END_TEST

START_TEST(test_save)
{
	virtio_check_save(&kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	virtio_check_reset(&kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	virtio_check_hostile_state(&kind, (uint64_t)_i + 1);
}
END_TEST

const char unit_name[] = "virtio_balloon";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_size),
	UNIT_CASE(test_inflate),
	UNIT_LOOP(test_inflate_large_page, 2),
	UNIT_CASE(test_inflate_too_much),
	UNIT_CASE(test_reporting),
	UNIT_LOOP(test_reporting_queue, 2),
	UNIT_CASE(test_hints),
	UNIT_CASE(test_stats),
	UNIT_CASE(test_stats_not_wanted),
	UNIT_CASE(test_stats_saved),
	UNIT_CASE(test_stats_period),
	UNIT_LOOP(test_random, 6),
	UNIT_LOOP(test_save, 20),
	UNIT_LOOP(test_reset, 20),
	UNIT_LOOP(test_hostile_state, 2),
	{0},
};
