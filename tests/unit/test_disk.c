/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that are files: both engines, every way of caching, against a model. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "disk_bench.h"
#include "unit.h"

#define SIZE MIB

struct row {
	enum disk_aio aio;
	enum disk_cache cache;
	bool direct;
	bool ephemeral;
};

static const struct row rows[] = {
	{DISK_AIO_URING, DISK_CACHE_WRITEBACK, false, false},
	{DISK_AIO_URING, DISK_CACHE_WRITEBACK, true, false},
	{DISK_AIO_URING, DISK_CACHE_WRITETHROUGH, false, false},
	{DISK_AIO_URING, DISK_CACHE_WRITETHROUGH, true, false},
	{DISK_AIO_URING, DISK_CACHE_UNSAFE, false, false},
	{DISK_AIO_URING, DISK_CACHE_WRITEBACK, false, true},
	{DISK_AIO_THREADS, DISK_CACHE_WRITEBACK, false, false},
	{DISK_AIO_THREADS, DISK_CACHE_WRITEBACK, true, false},
	{DISK_AIO_THREADS, DISK_CACHE_WRITETHROUGH, false, false},
	{DISK_AIO_THREADS, DISK_CACHE_WRITETHROUGH, true, false},
	{DISK_AIO_THREADS, DISK_CACHE_UNSAFE, true, false},
	{DISK_AIO_THREADS, DISK_CACHE_WRITETHROUGH, false, true},
};

static const enum disk_aio engines[] = {DISK_AIO_URING, DISK_AIO_THREADS};

/* Open and start; false where this host lacks what it needs, and there is nothing to test. */
static bool open_bench(struct disk_bench *bench, const struct disk_options *options)
{
	struct error err = {0};
	int r = bench_open(bench, options, &err);

	if (r < 0 && options->aio == DISK_AIO_URING && strstr(err.text, "no io_uring"))
		return false;
	if (r < 0 && options->direct && strstr(err.text, "leave out direct"))
		return false;
	ck_assert_msg(r == 0, "%s", err.text);
	return true;
}

static bool open_file(struct disk_bench *bench, const char *path, enum disk_aio aio)
{
	const struct disk_options options = {.path = path, .aio = aio};

	return open_bench(bench, &options);
}

START_TEST(test_random)
{
	const struct row *row = &rows[_i];
	const char *path = disk_file("random", SIZE + 512);
	const struct disk_options options = {.path = path,
					     .aio = row->aio,
					     .cache = row->cache,
					     .direct = row->direct,
					     .ephemeral = row->ephemeral};
	struct disk_bench bench;

	if (!open_bench(&bench, &options))
		return;
	ck_assert_uint_eq(bench.disk->info.size, SIZE + 512);
	ck_assert(!bench.disk->info.read_only && bench.disk->info.write_zeroes);
	ck_assert_int_eq(bench.disk->info.write_cache,
			 row->cache != DISK_CACHE_WRITETHROUGH || row->ephemeral);
	bench_random(&bench, (unsigned)_i, 64, 300);
	bench_random(&bench, (unsigned)_i, 1, 50);
	bench_close(&bench);
	if (!row->ephemeral)
		return;
	ck_assert(open_file(&bench, path, DISK_AIO_THREADS));
	bench_check_pattern(&bench, SIZE + 512);
	bench_close(&bench);
}
END_TEST

/* A file system that cannot zero a range: zeroes are sent. */
START_TEST(test_random_in_memory)
{
	static const char zeroes[1];
	const char *path = memory_file(zeroes, 0);
	struct disk_bench bench;

	ck_assert_int_eq(truncate(path, SIZE), 0);
	if (!open_file(&bench, path, engines[_i]))
		return;
	bench_random(&bench, 1, 32, 500);
	bench_close(&bench);
}
END_TEST

/* One after the other, with a kick each: none is lost, and each end is told at once. */
START_TEST(test_kicks)
{
	uint8_t data[512];
	struct disk_bench bench;

	if (!open_file(&bench, disk_file("kicks", SIZE), engines[_i]))
		return;
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t at = i % 100 * 512;

		ck_assert_int_eq(bench_do(&bench, i % 10 ? DISK_READ : DISK_FLUSH, at, data, 512),
				 0);
		if (i % 10)
			ck_assert_uint_eq(data[1], disk_pattern(at + 1));
	}
	ck_assert_uint_le(bench.kicked_calls, 3001);
	ck_assert_uint_le(bench.settled_calls, 6001);
	bench_close(&bench);
}
END_TEST

/* Flushes that are nothing, submitted from done(): there is no depth of calls in it. */
START_TEST(test_resubmits)
{
	const struct disk_options options = {
		.path = disk_file("again", SIZE), .aio = engines[_i], .cache = DISK_CACHE_UNSAFE};
	struct disk_bench bench;

	if (!open_bench(&bench, &options))
		return;
	bench.resubmits = 20000;
	ck_assert_int_eq(bench_do(&bench, DISK_FLUSH, 0, NULL, 0), 0);
	ck_assert_uint_eq(bench.resubmits, 0);
	bench_close(&bench);
}
END_TEST

/* More requests than can be under way, and a stop in their middle. */
START_TEST(test_stop)
{
	enum { COUNT = 400 };
	struct bench_request *requests = calloc(COUNT, sizeof(*requests));
	static uint8_t data[COUNT][4096];
	struct disk_bench bench;

	if (!open_file(&bench, disk_file("stop", SIZE), engines[_i]))
		return;
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < COUNT; i++) {
			struct disk_request *r = &requests[i].request;

			*r = (struct disk_request){.op = i % 7 ? DISK_WRITE : DISK_READ,
						   .offset = i % 256 * 4096,
						   .size = 4096,
						   .iov = requests[i].iov,
						   .iov_count = 1,
						   .result = 1};
			requests[i].iov[0] = (struct iovec){data[i], 4096};
			bench_submit(&bench, &requests[i]);
		}
		bench_stop(&bench);
		/* Those that it has taken are done; the others are still in the queue. */
		for (struct bench_request *q = bench.queue; q; q = q->next)
			ck_assert_int_eq(q->request.result, 1);
		ck_assert_uint_eq(bench.told, bench.visible);
		bench_start(&bench);
		bench_wait(&bench);
		for (unsigned i = 0; i < COUNT; i++)
			ck_assert_int_eq(requests[i].request.result, 0);
	}
	bench_close(&bench);
	free(requests);
}
END_TEST

/* A stop without a request, at once and after a while. */
START_TEST(test_stop_idle)
{
	struct disk_bench bench;

	if (!open_file(&bench, disk_file("idle", SIZE), engines[_i]))
		return;
	for (unsigned i = 0; i < 50; i++) {
		bench_stop(&bench);
		bench_start(&bench);
	}
	bench_close(&bench);
}
END_TEST

/* Pieces beyond what one system call takes, one of them empty. */
START_TEST(test_many_pieces)
{
	enum { PIECES = 3000, PIECE = 512 };
	static struct iovec iov[PIECES + 1];
	uint8_t *data = malloc((size_t)PIECES * PIECE);
	struct bench_request request = {
		.request = {.size = (uint64_t)PIECES * PIECE, .iov = iov, .iov_count = PIECES + 1}};
	struct disk_bench bench;
	size_t wrong = 0;

	if (!open_file(&bench, disk_file("pieces", 2 * MIB), engines[_i]))
		return;
	for (unsigned i = 0; i < PIECES; i++)
		iov[i + 1] = (struct iovec){data + (size_t)(PIECES - 1 - i) * PIECE, PIECE};
	iov[0] = iov[1];
	iov[1].iov_len = 0;
	bench_submit(&bench, &request);
	bench_wait(&bench);
	ck_assert_int_eq(request.request.result, 0);
	for (size_t i = 0; i < (size_t)PIECES * PIECE; i++)
		wrong += data[i] != disk_pattern((PIECES - 1 - i / PIECE) * PIECE + i % PIECE);
	ck_assert_uint_eq(wrong, 0);
	bench_close(&bench);
	free(data);
}
END_TEST

START_TEST(test_short_file)
{
	const char *path = disk_file("short", SIZE);
	static uint8_t data[SIZE];
	struct disk_bench bench;

	if (!open_file(&bench, path, engines[_i]))
		return;
	ck_assert_int_eq(truncate(path, SIZE / 2 + 100), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_READ, SIZE / 4, data, SIZE / 4), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_READ, 0, data, SIZE), -EIO);
	ck_assert_int_eq(bench_do(&bench, DISK_READ, SIZE / 2, data, 512), -EIO);
	ck_assert_int_eq(bench_do(&bench, DISK_READ, SIZE - 512, data, 512), -EIO);
	bench_close(&bench);
}
END_TEST

START_TEST(test_refresh)
{
	const char *path = disk_file("refresh", SIZE);
	uint8_t data[512] = {1};
	struct disk_bench bench;

	if (!open_file(&bench, path, engines[_i]))
		return;
	ck_assert_int_eq(truncate(path, 2 * SIZE + 1000), 0);
	ck_assert_uint_eq(bench.disk->info.size, SIZE);
	ck_assert_int_eq(bench.disk->ops->refresh(bench.disk), 0);
	ck_assert_uint_eq(bench.disk->info.size, 2 * SIZE + 512);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 2 * SIZE, data, 512), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_READ, 2 * SIZE, data, 512), 0);
	bench_close(&bench);
}
END_TEST

/* The file gets the size as well; what is read only, or written elsewhere, does not. */
START_TEST(test_set_size)
{
	const char *path = disk_file("resize", SIZE);
	struct disk_options options = {.path = path, .aio = DISK_AIO_THREADS};
	uint8_t data[512] = {1};
	struct disk_bench bench;
	struct stat st;

	ck_assert(open_bench(&bench, &options));
	ck_assert_int_eq(bench.disk->ops->resize(bench.disk, 2 * SIZE), 0);
	ck_assert_uint_eq(bench.disk->info.size, 2 * SIZE);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 2 * SIZE - 512, data, 512), 0);
	ck_assert_int_eq(bench.disk->ops->resize(bench.disk, SIZE / 2), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, SIZE / 2);
	ck_assert_str_eq(bench.disk->info.format, "raw");
	bench_close(&bench);
	options.read_only = true;
	ck_assert(open_bench(&bench, &options));
	ck_assert_int_eq(bench.disk->ops->resize(bench.disk, SIZE), -EROFS);
	bench_close(&bench);
	options = (struct disk_options){.path = path, .ephemeral = true};
	ck_assert(open_bench(&bench, &options));
	ck_assert_int_eq(bench.disk->ops->resize(bench.disk, SIZE), -EOPNOTSUPP);
	bench_close(&bench);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, SIZE / 2);
}
END_TEST

static uint64_t space_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* Space is given back where that is wanted, and only there. */
START_TEST(test_discard)
{
	const char *path = disk_file("discard", SIZE);
	struct disk_options options = {.path = path, .aio = engines[_i / 2], .no_discard = _i % 2};
	struct disk_bench bench;
	uint8_t data[512];

	if (!open_bench(&bench, &options))
		return;
	ck_assert_int_eq(bench.disk->info.discard_granularity > 0, !options.no_discard);
	ck_assert_int_eq(bench_do(&bench, DISK_DISCARD, 0, NULL, SIZE / 2), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_READ, 0, data, 512), 0);
	ck_assert_uint_eq(data[0], options.no_discard ? disk_pattern(0) : 0);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE_ZEROES, SIZE / 2, NULL, SIZE / 2), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_READ, SIZE - 512, data, 512), 0);
	ck_assert_uint_eq(data[0], 0);
	if (options.no_discard)
		ck_assert_uint_ge(space_of(path), SIZE);
	else
		ck_assert_uint_lt(space_of(path), SIZE / 4);
	bench_close(&bench);
}
END_TEST

START_TEST(test_read_only)
{
	struct disk_options options = {
		.path = disk_file("ro", SIZE), .aio = engines[_i], .read_only = true};
	struct disk_bench bench;
	uint8_t data[512] = {0};

	if (!open_bench(&bench, &options))
		return;
	ck_assert(bench.disk->info.read_only);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 0, data, 512), -EROFS);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE_ZEROES, 0, NULL, 512), -EROFS);
	ck_assert_int_eq(bench_do(&bench, DISK_DISCARD, 0, NULL, 512), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_FLUSH, 0, NULL, 0), 0);
	bench_check_pattern(&bench, SIZE);
	bench_close(&bench);
}
END_TEST

/* The beginning of an image of another format is not for a guest to write... */
START_TEST(test_guard)
{
	const char *path = disk_file("guard", SIZE);
	struct disk_options options = {.path = path, .aio = engines[_i / 2]};
	uint8_t data[1024] = {'Q', 'F', 'I', 0xfb, 0, 0, 0, 3};
	struct disk_bench bench;
	const char *said;

	if (_i % 2)
		options.format = DISK_FORMAT_RAW; /* ... but for one whose format is known */
	if (!open_bench(&bench, &options))
		return;
	capture_stderr();
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 0, data, sizeof(data)),
				 _i % 2 ? 0 : -EPERM);
	said = captured_stderr();
	ck_assert_uint_eq(count_text(said, "format=raw"), _i % 2 ? 0 : 1);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 512, data, 512), 0);
	data[0] = 'q';
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 0, data, sizeof(data)), 0);
	data[0] = 0;
	ck_assert_int_eq(bench_do(&bench, DISK_READ, 0, data, sizeof(data)), 0);
	ck_assert_uint_eq(data[0], 'q');
	bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_random, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_random_in_memory, ARRAY_SIZE(engines)),
	UNIT_LOOP(test_kicks, ARRAY_SIZE(engines)),
	UNIT_LOOP(test_resubmits, ARRAY_SIZE(engines)),
	UNIT_LOOP(test_stop, ARRAY_SIZE(engines)),
	UNIT_LOOP(test_stop_idle, ARRAY_SIZE(engines)),
	UNIT_LOOP(test_many_pieces, ARRAY_SIZE(engines)),
	UNIT_LOOP(test_short_file, ARRAY_SIZE(engines)),
	UNIT_LOOP(test_refresh, ARRAY_SIZE(engines)),
	UNIT_CASE(test_set_size),
	UNIT_LOOP(test_discard, 2 * ARRAY_SIZE(engines)),
	UNIT_LOOP(test_read_only, ARRAY_SIZE(engines)),
	UNIT_LOOP(test_guard, 2 * ARRAY_SIZE(engines)),
	{0},
};
const char unit_name[] = "disk";
