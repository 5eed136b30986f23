/* SPDX-License-Identifier: Apache-2.0 */
/* The file system device and its vhost-user, with servers that know the rules or do not. */
#include <linux/fuse.h>
#include <linux/virtio_fs.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "bench.h"
#include "unit.h"
#include "vhost_user_server.h"
#include "virtio/virtio_fs.h"
#include "virtio_bench.h"

#define LONG_MS 20000 /* for a server that will answer, on a machine that is busy */

struct fs_bench {
	struct virtio_bench bench;
	struct vhost_user_server server;
	bool stopped;
};

/* Of the server that is started next, and how long it is waited for. */
static struct server_options next_server;
static unsigned timeout_ms = LONG_MS;
static unsigned patience_ms;

/* It is a matter of time until it is found out. */
static bool is_slow(enum server_fault fault)
{
	return fault == SERVER_SILENT || fault == SERVER_HALF;
}

static struct fs_bench *to_fs(struct virtio_bench *bench)
{
	return container_of(bench, struct fs_bench, bench);
}

static int try_create(struct fs_bench *fs, struct virtio_device **ret, struct error *err)
{
	const struct virtio_fs_options options = {
		.name = "share0",
		.mem = fs->bench.mem,
		.loop = fs->bench.loop,
		.tag = "home",
		.server_fd = vhost_user_server_start(&fs->server, &next_server),
		.timeout_ms = timeout_ms,
		.patience_ms = patience_ms,
	};

	return virtio_fs_create(&options, ret, err);
}

static int create(struct virtio_bench *bench, struct virtio_device **ret)
{
	struct error err = {0};
	int r = try_create(to_fs(bench), ret, &err);

	ck_assert_msg(r == 0, "%s", err.text);
	return r;
}

static void finish(struct virtio_bench *bench)
{
	if (!to_fs(bench)->stopped)
		vhost_user_server_stop(&to_fs(bench)->server);
}

static const struct virtio_kind fs_kind = {
	.bench_size = sizeof(struct fs_bench),
	.shared_ram = true,
	.create = create,
	.finish = finish,
};

static struct fs_bench *open_bench(const struct server_options *options)
{
	next_server = *options;
	return to_fs(virtio_bench_open(&fs_kind));
}

static void stop_server(struct fs_bench *fs)
{
	fs->stopped = true;
	vhost_user_server_stop(&fs->server);
}

static bool broken(struct fs_bench *fs)
{
	return virtio_bench_get(&fs->bench, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Negotiate and set DRIVER_OK, whatever comes of it. */
static void drive(struct fs_bench *fs)
{
	ck_assert(virtio_bench_negotiate(&fs->bench, UINT64_MAX));
	virtio_bench_queue(&fs->bench, 0, 16);
	virtio_bench_queue(&fs->bench, 1, 16);
	virtio_bench_set(&fs->bench, VIRTIO_MMIO_STATUS,
			 virtio_bench_get(&fs->bench, VIRTIO_MMIO_STATUS) |
				 VIRTIO_CONFIG_S_DRIVER_OK);
}

START_TEST(test_config)
{
	struct fs_bench *fs = open_bench(&good_server);
	struct virtio_fs_config config;
	uint8_t *bytes = (uint8_t *)&config;

	ck_assert_uint_eq(virtio_bench_get(&fs->bench, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_FS);
	for (unsigned i = 0; i < sizeof(config); i++)
		bytes[i] = (uint8_t)virtio_bench_read(&fs->bench, VIRTIO_MMIO_CONFIG + i, 1);
	ck_assert_str_eq((char *)config.tag, "home");
	ck_assert_uint_eq(config.num_request_queues, 1);
	/* What the server does not know of rings is not offered. */
	ck_assert(!(virtio_bench_offered(&fs->bench) & BIT(VIRTIO_F_RING_PACKED)));
	ck_assert(virtio_bench_offered(&fs->bench) & BIT(VIRTIO_RING_F_INDIRECT_DESC));
	ck_assert(!(virtio_bench_offered(&fs->bench) & BIT(30)));
	virtio_bench_close(&fs->bench);
}
END_TEST

/* With all that a server can have, and with as little as there is. */
static const struct {
	uint64_t features;
	uint64_t protocol;
	uint8_t requests[24];
} order_rows[] = {
	{BIT(32) | BIT(30),
	 UINT64_MAX,
	 {1, 15, 16, 17, 3, 2, 5, 8, 10, 9, 13, 12, 18, 8, 10, 9, 13, 12, 18}},
	{BIT(32) | BIT(30), 0, {1, 15, 16, 3, 2, 5, 8, 10, 9, 13, 12, 18, 8, 10, 9, 13, 12, 18}},
	{BIT(32), UINT64_MAX, {1, 3, 2, 5, 8, 10, 9, 13, 12, 8, 10, 9, 13, 12}},
};

START_TEST(test_order)
{
	struct server_options options = good_server;
	struct fs_bench *fs;
	unsigned count = 0;

	options.features = order_rows[_i].features;
	options.protocol = order_rows[_i].protocol;
	fs = open_bench(&options);
	drive(fs);
	ck_assert(!broken(fs));
	while (order_rows[_i].requests[count])
		count++;
	/* A pause is an exchange: when it is over, all before it was seen. */
	device_lock(&fs->bench.virtio->device);
	virtio_device_pause(fs->bench.virtio);
	device_unlock(&fs->bench.virtio->device);
	ck_assert_uint_ge(atomic_load(&fs->server.count), count + 2);
	ck_assert_mem_eq(fs->server.requests, order_rows[_i].requests, count);
	virtio_bench_close(&fs->bench);
}
END_TEST

/* What the server got: memory that is the guest's, and eventfds that are the queues'. */
START_TEST(test_hand_over)
{
	struct fs_bench *fs = open_bench(&good_server);
	struct vhost_user_server *server = &fs->server;
	uint64_t value = 1;
	uint8_t *memory;

	drive(fs);
	ck_assert_uint_eq(server->guest_addr, VIRTIO_BENCH_RAM);
	ck_assert_uint_eq(server->memory_size, VIRTIO_BENCH_RAM_SIZE);
	memory = mmap(NULL, server->memory_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      server->memory_fd, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	memory[4096 * 9] = 0x5a;
	ck_assert_uint_eq(fs->bench.mem->host[4096 * 9], 0x5a);
	munmap(memory, server->memory_size);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(server->sizes[i], 16);
		ck_assert(server->enabled[i]);
		virtio_bench_room(&fs->bench, i, 64, 1);
		virtio_bench_kick(&fs->bench, i);
		ck_assert_int_eq(read(server->kick_fds[i], &value, sizeof(value)), sizeof(value));
		virtio_bench_interrupts(&fs->bench);
		ck_assert_int_eq(write(server->call_fds[i], &value, sizeof(value)), sizeof(value));
		ck_assert_uint_gt(virtio_bench_interrupts(&fs->bench), 0);
	}
	virtio_bench_set(&fs->bench, VIRTIO_MMIO_STATUS, 0);
	ck_assert(!server->enabled[0] && !server->enabled[1]);
	ck_assert(!broken(fs));

	/* The memory is known already. */
	drive(fs);
	for (unsigned i = 0, tables = 0; i < atomic_load(&server->count); i++) {
		tables += server->requests[i] == 5;
		ck_assert_uint_le(tables, 1);
	}
	virtio_bench_close(&fs->bench);
}
END_TEST

/* No device comes of a server that is bad from the beginning, at message @at. */
START_TEST(test_bad_from_the_start)
{
	struct fs_bench *fs = calloc(1, sizeof(*fs));
	const struct guest_mem_options shared = {.shared = true};
	struct virtio_device *virtio = NULL;
	struct error err = {0};
	int r;

	next_server = good_server;
	next_server.fault = 1 + (enum server_fault)_i % (SERVER_FAULTS - 1);
	next_server.at = (unsigned)_i / (SERVER_FAULTS - 1);
	if (is_slow(next_server.fault))
		timeout_ms = 100;
	ck_assert_int_eq(event_loop_create(&fs->bench.loop, &err), 0);
	ck_assert_int_eq(guest_mem_create(VIRTIO_BENCH_RAM, MIB, &shared, &fs->bench.mem, &err), 0);
	r = try_create(fs, &virtio, &err);
	/* These are faults only of answers that come later, or not of these requests. */
	if (next_server.fault == SERVER_REFUSES || next_server.fault == SERVER_WRONG_INDEX) {
		ck_assert(r == 0 || next_server.fault == SERVER_REFUSES);
	} else if (next_server.at != 2) { /* SET_PROTOCOL_FEATURES has no answer yet */
		ck_assert_int_lt(r, 0);
	}
	if (r < 0) {
		ck_assert_int_eq(r, -err.code);
		ck_assert_msg(strncmp(err.text, "share0: its server ", 19) == 0, "%s", err.text);
	} else {
		/* A transport comes only with a board. */
		device_destroy(&virtio->device);
	}
	vhost_user_server_stop(&fs->server);
	guest_mem_destroy(fs->bench.mem);
	event_loop_destroy(fs->bench.loop);
	free(fs);
}
END_TEST

static const struct {
	uint64_t features;
	uint64_t queues;
	const char *sentence;
} few_rows[] = {
	{BIT(30), 8, "share0: its server is for legacy devices"},
	{BIT(30) | BIT(32), 1, "share0: its server has too few queues"},
	{BIT(30) | BIT(32), 0, "share0: its server has too few queues"},
};

START_TEST(test_too_little)
{
	struct fs_bench *fs = calloc(1, sizeof(*fs));
	const struct guest_mem_options shared = {.shared = true};
	struct virtio_device *virtio = NULL;
	struct error err = {0};

	next_server = good_server;
	next_server.features = few_rows[_i].features;
	next_server.queues = few_rows[_i].queues;
	ck_assert_int_eq(event_loop_create(&fs->bench.loop, &err), 0);
	ck_assert_int_eq(guest_mem_create(VIRTIO_BENCH_RAM, MIB, &shared, &fs->bench.mem, &err), 0);
	ck_assert_int_lt(try_create(fs, &virtio, &err), 0);
	ck_assert_str_eq(err.text, few_rows[_i].sentence);
	vhost_user_server_stop(&fs->server);
	guest_mem_destroy(fs->bench.mem);
	event_loop_destroy(fs->bench.loop);
	free(fs);
}
END_TEST

#define FIRST_START 5  /* messages until the driver comes */
#define STARTING    14 /* messages of a start */
#define RUNNING     (FIRST_START + STARTING)
#define STEP        3 /* not every message: it takes its time */

/*
 * One that becomes bad when the driver comes, or goes. Without a server the device
 * goes on; it breaks if the server is there, but refuses.
 */
START_TEST(test_bad_later)
{
	struct server_options options = good_server;
	struct fs_bench *fs;
	const char *said;

	options.fault = 1 + (enum server_fault)_i % (SERVER_FAULTS - 1);
	options.at = FIRST_START + STEP * ((unsigned)_i / (SERVER_FAULTS - 1));
	if (is_slow(options.fault)) {
		if (options.at != FIRST_START && options.at != FIRST_START + STEP)
			return;
		timeout_ms = 1000; /* what comes before the fault has to be faster */
	}
	fs = open_bench(&options);
	capture_stderr();
	drive(fs);
	virtio_bench_run(&fs->bench);
	if (options.at < RUNNING && options.fault != SERVER_WRONG_INDEX)
		ck_assert(broken(fs) == (options.fault == SERVER_REFUSES));
	for (unsigned i = 0; i < 3; i++) {
		virtio_bench_set(&fs->bench, VIRTIO_MMIO_STATUS, 0);
		ck_assert(!broken(fs));
		drive(fs);
		virtio_bench_run(&fs->bench);
	}
	/* A refusal is none when the server stops to refuse; these refuse for good. */
	ck_assert(broken(fs) == (options.fault == SERVER_REFUSES));
	said = captured_stderr();
	if (options.fault != SERVER_REFUSES &&
	    (options.fault != SERVER_WRONG_INDEX || options.at > RUNNING))
		ck_assert_uint_eq(count_text(said, "fails from now on"), 1);
	ck_assert_uint_le(count_text(said, "\n"), 8);
	virtio_bench_close(&fs->bench);
}
END_TEST

/* A request of the driver's, known by its number; with room for an answer of that size. */
static void ask(struct fs_bench *fs, unsigned queue, uint64_t unique, uint32_t room)
{
	struct fuse_in_header in = {.len = sizeof(in), .opcode = FUSE_GETATTR, .unique = unique};
	struct driver_piece pieces[2] = {
		{virtio_bench_alloc(&fs->bench, sizeof(in), 8), sizeof(in)},
		{virtio_bench_alloc(&fs->bench, 128, 8), room},
	};

	memcpy(virtio_bench_ram(&fs->bench, pieces[0].addr, sizeof(in)), &in, sizeof(in));
	memset(virtio_bench_ram(&fs->bench, pieces[1].addr, 128), 0x11, 128);
	ck_assert(virtio_bench_add(&fs->bench, queue, pieces, 1, room ? 1 : 0, pieces[1].addr));
	virtio_bench_kick(&fs->bench, queue);
}

/* The next answer is that to request @unique: it has failed. */
static void failed(struct fs_bench *fs, uint64_t unique)
{
	struct fuse_out_header out;
	uint64_t at;
	uint32_t size;

	ck_assert(virtio_bench_wait(&fs->bench, 1, &at, &size));
	ck_assert_uint_eq(size, sizeof(out));
	memcpy(&out, virtio_bench_ram(&fs->bench, at, sizeof(out)), sizeof(out));
	ck_assert_uint_eq(out.len, sizeof(out));
	ck_assert_int_eq(out.error, -EIO);
	ck_assert_uint_eq(out.unique, unique);
}

/* The server answers the next request of the queue, with @size bytes. */
static void answer(struct fs_bench *fs, unsigned queue, uint32_t size)
{
	const struct driver_ring *ring = &fs->bench.rings[queue];
	struct vring_avail *avail =
		virtio_bench_ram(&fs->bench, driver_ring_driver(ring), 4 + 2 * 16);
	struct vring_used *used =
		virtio_bench_ram(&fs->bench, driver_ring_device(ring), 4 + 8 * 16);

	used->ring[used->idx % 16] = (struct vring_used_elem){avail->ring[used->idx % 16], size};
	used->idx++;
}

/* It dies while nobody talks to it: what it has not answered fails, and all that comes. */
START_TEST(test_dies)
{
	struct fs_bench *fs = open_bench(&good_server);
	uint64_t at;
	uint32_t size;

	drive(fs);
	capture_stderr();
	for (uint64_t i = 1; i <= 3; i++)
		ask(fs, 1, i, 64);
	ask(fs, 0, 4, 0);
	answer(fs, 1, 60);
	stop_server(fs);
	virtio_bench_run(&fs->bench);
	ck_assert(!broken(fs));
	ck_assert_uint_gt(virtio_bench_interrupts(&fs->bench), 0);
	ck_assert(virtio_bench_wait(&fs->bench, 1, &at, &size));
	ck_assert_uint_eq(size, 60);
	failed(fs, 2);
	failed(fs, 3);
	ck_assert(virtio_bench_wait(&fs->bench, 0, &at, &size));
	ck_assert_uint_eq(size, 0);
	ask(fs, 1, 5, sizeof(struct fuse_out_header));
	failed(fs, 5);
	ask(fs, 1, 6, 15); /* an answer would not fit */
	ck_assert(virtio_bench_wait(&fs->bench, 1, &at, &size));
	ck_assert_uint_eq(size, 0);
	virtio_bench_set(&fs->bench, VIRTIO_MMIO_STATUS, 0);
	drive(fs);
	ask(fs, 1, 7, 64);
	failed(fs, 7);
	ck_assert(!broken(fs));
	ck_assert_str_eq(
		captured_stderr(),
		"armlet: share0: its server has gone: all that the guest does in the share "
		"'home' fails from now on\n");
	virtio_bench_close(&fs->bench);
}
END_TEST

/* It dies while the machine is paused. */
START_TEST(test_dies_paused)
{
	struct fs_bench *fs = open_bench(&good_server);

	drive(fs);
	ask(fs, 1, 1, 64);
	answer(fs, 1, 16);
	device_lock(&fs->bench.virtio->device);
	virtio_device_pause(fs->bench.virtio);
	device_unlock(&fs->bench.virtio->device);
	stop_server(fs);
	capture_stderr();
	virtio_bench_run(&fs->bench);
	ask(fs, 1, 2, 64);
	device_lock(&fs->bench.virtio->device);
	virtio_device_resume(fs->bench.virtio);
	device_unlock(&fs->bench.virtio->device);
	ck_assert(virtio_bench_wait(&fs->bench, 1, &(uint64_t){0}, &(uint32_t){0}));
	failed(fs, 2);
	ck_assert_uint_eq(count_text(captured_stderr(), "fails from now on"), 1);
	virtio_bench_close(&fs->bench);
}
END_TEST

static void run_for_a_while(struct fs_bench *fs)
{
	for (unsigned i = 0; i < 200; i++) {
		virtio_bench_run(&fs->bench);
		usleep(1000);
	}
}

/* It is silent, which is told, and answers after all; and the same once more. */
START_TEST(test_silent)
{
	struct fs_bench *fs;
	const char *said;

	patience_ms = 30;
	fs = open_bench(&good_server);
	drive(fs);
	capture_stderr();
	run_for_a_while(fs);
	for (unsigned i = 1; i <= 2; i++) {
		ask(fs, 1, i, 64);
		run_for_a_while(fs);
		answer(fs, 1, 16);
		run_for_a_while(fs);
	}
	said = captured_stderr();
	ck_assert_uint_eq(count_text(said, "\n"), 4);
	ck_assert_uint_eq(count_text(said, "armlet: share0: its server has not answered for 1 s: "
					   "what the guest does in the share 'home' waits\n"),
			  2);
	ck_assert_uint_eq(count_text(said, "armlet: share0: its server answers again\n"), 2);
	virtio_bench_close(&fs->bench);
}
END_TEST

/* It says what nobody has asked for. */
START_TEST(test_talks)
{
	struct fs_bench *fs = open_bench(&good_server);

	drive(fs);
	ck_assert_int_eq(send(fs->server.fd, "hello", 5, MSG_NOSIGNAL), 5);
	capture_stderr();
	ask(fs, 1, 1, 64);
	failed(fs, 1);
	ck_assert_uint_eq(count_text(captured_stderr(), "says what it was not asked"), 1);
	virtio_bench_close(&fs->bench);
}
END_TEST

START_TEST(test_random)
{
	next_server = good_server;
	virtio_check_random(&fs_kind, (uint64_t)_i + 1, 500);
}
END_TEST

START_TEST(test_save)
{
	next_server = good_server;
	virtio_check_save(&fs_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	next_server = good_server;
	virtio_check_reset(&fs_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	next_server = good_server;
	next_server.protocol = 0; /* with fewer answers, it goes faster */
	virtio_check_hostile_state(&fs_kind, (uint64_t)_i + 1);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_config),
	UNIT_LOOP(test_order, ARRAY_SIZE(order_rows)),
	UNIT_CASE(test_hand_over),
	UNIT_LOOP(test_bad_from_the_start, FIRST_START *(SERVER_FAULTS - 1)),
	UNIT_LOOP(test_too_little, ARRAY_SIZE(few_rows)),
	UNIT_LOOP(test_bad_later, (STARTING + 4) / STEP * (SERVER_FAULTS - 1)),
	UNIT_CASE(test_dies),
	UNIT_CASE(test_dies_paused),
	UNIT_CASE(test_silent),
	UNIT_CASE(test_talks),
	UNIT_LOOP(test_random, 2),
	UNIT_LOOP(test_save, 2),
	UNIT_LOOP(test_reset, 2),
	UNIT_CASE(test_hostile_state),
	{0},
};
const char unit_name[] = "virtio_fs";
