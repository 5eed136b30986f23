/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_bench.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BLOCK 512

/* ---- Files ---------------------------------------------------------------- */

static char directory[64];

static void remove_directory(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	if (system(command)) {
		/* It is left behind. */
	}
}

const char *disk_directory(void)
{
	if (!*directory) {
		strcpy(directory, "/var/tmp/armlet-disk-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(directory));
		atexit(remove_directory);
	}
	return directory;
}

uint8_t disk_pattern(uint64_t offset)
{
	return (uint8_t)(offset / BLOCK * 7 + offset % 251 + 1);
}

const char *disk_file(const char *name, uint64_t size)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];
	uint8_t *data = malloc(size + 1);
	int fd;

	snprintf(path, sizeof(paths[0]), "%s/%s", disk_directory(), name);
	for (uint64_t i = 0; i < size; i++)
		data[i] = disk_pattern(i);
	unlink(path);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
	free(data);
	return path;
}

bool disk_have(const char *program)
{
	char command[96];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
	return system(command) == 0;
}

/* ---- The client ----------------------------------------------------------- */

static void kicked(void *data)
{
	struct disk_bench *bench = data;
	struct bench_request *queue;

	pthread_mutex_lock(&bench->lock);
	bench->kicked_calls++;
	queue = bench->queue;
	bench->queue = NULL;
	pthread_mutex_unlock(&bench->lock);
	while (queue) {
		struct bench_request *request = queue;

		queue = request->next;
		disk_submit(bench->disk, &request->request);
	}
}

static void done(void *data, struct disk_request *disk_request)
{
	struct disk_bench *bench = data;
	struct bench_request *request = (struct bench_request *)disk_request;

	if (bench->resubmits) {
		bench->resubmits--;
		disk_submit(bench->disk, disk_request);
		return;
	}
	pthread_mutex_lock(&bench->lock);
	ck_assert(!request->done);
	request->done = true;
	bench->told++;
	pthread_mutex_unlock(&bench->lock);
}

static void settled(void *data)
{
	struct disk_bench *bench = data;

	pthread_mutex_lock(&bench->lock);
	bench->settled_calls++;
	bench->visible = bench->told;
	pthread_cond_broadcast(&bench->settled);
	pthread_mutex_unlock(&bench->lock);
}

static int start(struct disk_bench *bench, struct error *err)
{
	const struct disk_client client = {
		.kicked = kicked, .done = done, .settled = settled, .data = bench};
	int r = disk_start(bench->disk, &client, bench->kicks, DISK_BENCH_KICKS, err);

	bench->running = r == 0;
	return r;
}

void bench_start(struct disk_bench *bench)
{
	struct error err = {0};

	ck_assert_msg(start(bench, &err) == 0, "%s", err.text);
}

void bench_stop(struct disk_bench *bench)
{
	disk_stop(bench->disk);
	bench->running = false;
}

int bench_open(struct disk_bench *bench, const struct disk_options *options, struct error *err)
{
	int r;

	*bench = (struct disk_bench){0};
	r = disk_open(options, &bench->disk, err);
	if (r < 0)
		return r;
	pthread_mutex_init(&bench->lock, NULL);
	pthread_cond_init(&bench->settled, NULL);
	/* One that would block, one that would not. */
	bench->kicks[0] = eventfd(0, EFD_CLOEXEC);
	bench->kicks[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = start(bench, err);
	if (r < 0)
		bench_close(bench);
	return r;
}

void bench_close(struct disk_bench *bench)
{
	if (bench->running)
		bench_stop(bench);
	disk_destroy(bench->disk);
	ck_assert_int_eq(fcntl(bench->kicks[0], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(bench->kicks[1], F_GETFL) & O_NONBLOCK, 0);
	for (unsigned i = 0; i < DISK_BENCH_KICKS; i++)
		close(bench->kicks[i]);
	pthread_cond_destroy(&bench->settled);
	pthread_mutex_destroy(&bench->lock);
}

void bench_submit(struct disk_bench *bench, struct bench_request *request)
{
	uint64_t one = 1;

	request->done = false;
	pthread_mutex_lock(&bench->lock);
	request->next = bench->queue;
	bench->queue = request;
	bench->submitted++;
	pthread_mutex_unlock(&bench->lock);
	bench->next_kick = (bench->next_kick + 1) % DISK_BENCH_KICKS;
	ck_assert_int_eq(write(bench->kicks[bench->next_kick], &one, sizeof(one)), sizeof(one));
}

/* Until at most @left are under way. */
static void wait_until_left(struct disk_bench *bench, unsigned left)
{
	pthread_mutex_lock(&bench->lock);
	while (bench->submitted - bench->visible > left)
		pthread_cond_wait(&bench->settled, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
}

void bench_wait(struct disk_bench *bench)
{
	wait_until_left(bench, 0);
}

int bench_do(struct disk_bench *bench, enum disk_op op, uint64_t offset, void *data, uint64_t size)
{
	struct bench_request request = {
		.request = {.op = op, .unmap = true, .offset = offset, .size = size}};

	request.iov[0] = (struct iovec){.iov_base = data, .iov_len = size};
	request.request.iov = request.iov;
	request.request.iov_count = data ? 1 : 0;
	bench_submit(bench, &request);
	bench_wait(bench);
	return request.request.result;
}

/* ---- Random requests ------------------------------------------------------ */

struct model {
	struct disk_bench *bench;
	unsigned random;
	uint64_t blocks;
	uint8_t *bytes;
	bool *unknown; /* blocks that were discarded: anything may be in them */
	bool *busy;    /* blocks with a request under way */
};

static unsigned next_random(struct model *model, unsigned below)
{
	model->random = model->random * 1664525 + 1013904223;
	return (model->random >> 8) % below;
}

static void mark_busy(struct model *model, const struct disk_request *request, bool busy)
{
	for (uint64_t i = 0; i < request->size / BLOCK; i++)
		model->busy[request->offset / BLOCK + i] = busy;
}

/* The buffer in pieces of odd sizes at odd addresses, or in whole blocks. */
static void make_data(struct model *model, struct bench_request *request)
{
	struct disk_request *r = &request->request;
	bool odd = next_random(model, 2);
	size_t at = odd ? next_random(model, BLOCK) : 0, left = r->size;

	request->start = at;
	ck_assert_int_eq(posix_memalign((void **)&request->data, 4096, r->size + BLOCK), 0);
	r->iov = request->iov;
	while (left) {
		size_t part = next_random(model, 4) ? left : 1 + next_random(model, (unsigned)left);

		if (!odd)
			part = align_up(part, BLOCK);
		if (r->iov_count == DISK_BENCH_IOV - 1)
			part = left;
		request->iov[r->iov_count++] =
			(struct iovec){.iov_base = request->data + at, .iov_len = part};
		at += part;
		left -= part;
	}
	for (size_t i = 0; r->op == DISK_WRITE && i < r->iov_count; i++)
		for (size_t j = 0; j < r->iov[i].iov_len; j++)
			((uint8_t *)r->iov[i].iov_base)[j] = (uint8_t)next_random(model, 256);
}

/* What the model is like afterwards: nobody else is at these blocks. */
static void apply(struct model *model, const struct disk_request *request)
{
	uint8_t *at = model->bytes + request->offset;

	for (uint64_t i = 0; i < request->size / BLOCK && request->op != DISK_READ; i++)
		model->unknown[request->offset / BLOCK + i] = request->op == DISK_DISCARD;
	if (request->op == DISK_WRITE_ZEROES)
		memset(at, 0, request->size);
	for (uint32_t i = 0; request->op == DISK_WRITE && i < request->iov_count; i++) {
		memcpy(at, request->iov[i].iov_base, request->iov[i].iov_len);
		at += request->iov[i].iov_len;
	}
}

static void submit_random(struct model *model, struct bench_request *request)
{
	static const enum disk_op ops[] = {DISK_READ,    DISK_READ,         DISK_READ,
					   DISK_WRITE,   DISK_WRITE,        DISK_WRITE,
					   DISK_DISCARD, DISK_WRITE_ZEROES, DISK_FLUSH};
	struct disk_request *r = &request->request;
	uint64_t start, count;
	bool free_range = false;

	*request = (struct bench_request){0};
	r->op = ops[next_random(model, ARRAY_SIZE(ops))];
	r->unmap = next_random(model, 2);
	while (r->op != DISK_FLUSH && !free_range) {
		start = next_random(model, (unsigned)model->blocks);
		count = 1 + next_random(model, next_random(model, 4) ? 16 : 400);
		count = min_u64(count, model->blocks - start);
		free_range = true;
		for (uint64_t i = 0; i < count; i++)
			free_range &= !model->busy[start + i];
		r->offset = start * BLOCK;
		r->size = count * BLOCK;
	}
	mark_busy(model, r, true);
	if (r->op == DISK_READ || r->op == DISK_WRITE)
		make_data(model, request);
	apply(model, r);
	bench_submit(model->bench, request);
}

/* One of libcheck's assertions for each would take its time. */
static void check_block(const struct model *model, const uint8_t *data, uint64_t offset)
{
	if (memcmp(data, model->bytes + offset, BLOCK) != 0)
		ck_abort_msg("the block at %lu is not what it should be", (unsigned long)offset);
}

static void check_read(const struct model *model, const struct bench_request *request)
{
	const struct disk_request *r = &request->request;

	for (uint64_t i = 0; i < r->size; i += BLOCK) {
		const uint8_t *data = request->data + request->start + i;

		if (!model->unknown[(r->offset + i) / BLOCK])
			check_block(model, data, r->offset + i);
	}
}

static void take_back(struct model *model, struct bench_request *request)
{
	const struct disk_request *r = &request->request;

	ck_assert_msg(r->result == 0, "op %d at %lu of %lu: %d", r->op, (unsigned long)r->offset,
		      (unsigned long)r->size, r->result);
	mark_busy(model, r, false);
	if (r->op == DISK_READ)
		check_read(model, request);
	free(request->data);
	request->data = NULL;
}

static bool is_done(struct disk_bench *bench, const struct bench_request *request)
{
	bool is;

	pthread_mutex_lock(&bench->lock);
	is = request->done;
	pthread_mutex_unlock(&bench->lock);
	return is;
}

static void check_all(struct model *model)
{
	uint64_t size = model->blocks * BLOCK;
	uint8_t *data = malloc(size);

	ck_assert_int_eq(bench_do(model->bench, DISK_READ, 0, data, size), 0);
	for (uint64_t i = 0; i < model->blocks; i++) {
		if (!model->unknown[i])
			check_block(model, data + i * BLOCK, i * BLOCK);
	}
	free(data);
}

static void run_random(struct model *model, unsigned depth, unsigned count)
{
	struct bench_request *requests = calloc(depth, sizeof(*requests));

	for (unsigned i = 0; i < depth; i++)
		submit_random(model, &requests[i]);
	for (unsigned left = count; left;) {
		wait_until_left(model->bench, depth - 1);
		for (unsigned i = 0; i < depth && left; i++) {
			if (!is_done(model->bench, &requests[i]))
				continue;
			take_back(model, &requests[i]);
			submit_random(model, &requests[i]);
			left--;
		}
	}
	bench_wait(model->bench);
	for (unsigned i = 0; i < depth; i++)
		take_back(model, &requests[i]);
	free(requests);
}

void bench_random(struct disk_bench *bench, unsigned seed, unsigned depth, unsigned count)
{
	uint64_t size = bench->disk->info.size;
	struct model model = {.bench = bench,
			      .random = seed,
			      .blocks = size / BLOCK,
			      .bytes = malloc(size),
			      .unknown = calloc(size / BLOCK, sizeof(bool)),
			      .busy = calloc(size / BLOCK, sizeof(bool))};

	ck_assert_int_eq(bench_do(bench, DISK_READ, 0, model.bytes, size), 0);
	run_random(&model, depth, count);
	check_all(&model);
	free(model.bytes);
	free(model.unknown);
	free(model.busy);
}

void bench_check_pattern(struct disk_bench *bench, uint64_t size)
{
	uint8_t *data = calloc(1, size);

	ck_assert_int_eq(bench_do(bench, DISK_READ, 0, data, size), 0);
	for (uint64_t i = 0; i < size; i++) {
		if (data[i] != disk_pattern(i))
			ck_abort_msg("the byte at %lu has changed", (unsigned long)i);
	}
	free(data);
}
