/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_console.h"

#include <stdio.h>
#include <string.h>

#include "port_end.h"
#include "unit.h"
#include "virtio_bench.h"

#define PORTS         3
#define CONTROL_IN    2 /* queues */
#define CONTROL_OUT   3
#define CONFIG(field) (VIRTIO_MMIO_CONFIG + (uint32_t)offsetof(struct virtio_console_config, field))

struct bench {
	struct virtio_bench virtio;
	struct port_end ends[PORTS];
	uint64_t token;
};

static struct bench *to_bench(struct virtio_bench *virtio)
{
	return container_of(virtio, struct bench, virtio);
}

static int create(struct virtio_bench *virtio, unsigned count, struct virtio_device **ret)
{
	struct bench *bench = to_bench(virtio);
	const struct virtio_console_port_options ports[PORTS] = {
		{.is_console = true, .stream = &bench->ends[0].stream},
		{.name = "org.test.one", .stream = &bench->ends[1].stream},
		{.name = "two", .is_console = true, .stream = &bench->ends[2].stream},
	};
	const struct virtio_console_options options = {
		.name = "console0",
		.mem = virtio->mem,
		.loop = virtio->loop,
		.ports = ports,
		.port_count = count,
	};

	for (unsigned i = 0; i < PORTS; i++)
		port_end_init(&bench->ends[i]);
	return virtio_console_create(&options, ret);
}

static int create_one(struct virtio_bench *virtio, struct virtio_device **ret)
{
	return create(virtio, 1, ret);
}

static int create_ports(struct virtio_bench *virtio, struct virtio_device **ret)
{
	return create(virtio, PORTS, ret);
}

static void resize(struct virtio_bench *virtio, unsigned port, uint16_t cols, uint16_t rows)
{
	device_lock(&virtio->virtio->device);
	virtio_console_resize(virtio->virtio, port, cols, rows);
	device_unlock(&virtio->virtio->device);
}

/* Something from outside; the peers stay. */
static void disturb_steadily(struct virtio_bench *virtio)
{
	unsigned ports = virtio->virtio->queue_count == 2 ? 1 : PORTS;
	unsigned number = virtio_bench_random(virtio, ports);
	struct port_end *end = &to_bench(virtio)->ends[number];

	switch (virtio_bench_random(virtio, 3)) {
	case 0:
		port_end_give(end, "some input");
		break;
	case 1:
		port_end_make_room(end, virtio_bench_random(virtio, 2000));
		break;
	default:
		resize(virtio, number, (uint16_t)virtio_bench_random(virtio, 200),
		       (uint16_t)virtio_bench_random(virtio, 50));
	}
}

/* Also a guest that knows the messages, and peers that come and go. */
static void disturb(struct virtio_bench *virtio)
{
	unsigned number = virtio_bench_random(virtio, PORTS);
	const struct virtio_console_control control = {
		.id = number,
		.event = (uint16_t)virtio_bench_random(virtio, 9),
		.value = (uint16_t)virtio_bench_random(virtio, 2),
	};

	if (virtio_bench_random(virtio, 3) == 0) {
		disturb_steadily(virtio);
	} else if (virtio_bench_random(virtio, 2) || !virtio->rings[CONTROL_OUT].mem) {
		if (number == 0 || virtio->virtio->queue_count > 2)
			port_end_open(&to_bench(virtio)->ends[number],
				      virtio_bench_random(virtio, 2));
	} else if (virtio->next < VIRTIO_BENCH_RAM + MIB) {
		virtio_bench_put(virtio, CONTROL_OUT, &control, sizeof(control), 0);
		virtio_bench_kick(virtio, CONTROL_OUT);
	}
}

static void calm(struct virtio_bench *virtio)
{
	for (unsigned i = 0; i < (virtio->virtio->queue_count == 2 ? 1 : PORTS); i++)
		resize(virtio, i, 0, 0);
}

static const struct virtio_kind one = {
	.bench_size = sizeof(struct bench),
	.create = create_one,
	.disturb = disturb,
	.calm = calm,
};

static const struct virtio_kind ports = {
	.bench_size = sizeof(struct bench),
	.create = create_ports,
	.disturb = disturb,
	.calm = calm,
};

static const struct virtio_kind steady = {
	.bench_size = sizeof(struct bench),
	.create = create_ports,
	.disturb = disturb_steadily,
};

static struct bench *open_driven(const struct virtio_kind *kind)
{
	struct virtio_bench *virtio = virtio_bench_open(kind);

	virtio_bench_drive(virtio, UINT64_MAX);
	virtio_bench_run(virtio);
	return to_bench(virtio);
}

static void put(struct bench *bench, unsigned queue, const char *text)
{
	ck_assert(virtio_bench_put(&bench->virtio, queue, text, (uint32_t)strlen(text),
				   ++bench->token));
	virtio_bench_kick(&bench->virtio, queue);
	virtio_bench_run(&bench->virtio);
}

static gpa_t room(struct bench *bench, unsigned queue, uint32_t size)
{
	gpa_t addr = virtio_bench_room(&bench->virtio, queue, size, ++bench->token);

	virtio_bench_kick(&bench->virtio, queue);
	virtio_bench_run(&bench->virtio);
	return addr;
}

/* The device has used one buffer of @queue, with @length bytes in it. */
static void expect_used(struct bench *bench, unsigned queue, uint32_t length)
{
	uint64_t token;
	uint32_t written;

	ck_assert(virtio_bench_used(&bench->virtio, queue, &token, &written));
	ck_assert_uint_eq(written, length);
}

static void expect_unused(struct bench *bench, unsigned queue)
{
	uint64_t token;
	uint32_t written;

	ck_assert(!virtio_bench_used(&bench->virtio, queue, &token, &written));
}

/* With a buffer of @size at @addr, that the device has filled with @text. */
static void expect_input(struct bench *bench, unsigned queue, gpa_t addr, const char *text)
{
	expect_used(bench, queue, (uint32_t)strlen(text));
	ck_assert_mem_eq(virtio_bench_ram(&bench->virtio, addr, strlen(text)), text, strlen(text));
}

/* One console, no ports. */

START_TEST(test_simple)
{
	struct bench *bench = open_driven(&one);
	gpa_t first, second;

	ck_assert_uint_eq(bench->virtio.virtio->queue_count, 2);
	ck_assert(!(bench->virtio.features & BIT(VIRTIO_CONSOLE_F_MULTIPORT)));
	put(bench, 1, "hello");
	expect_used(bench, 1, 0);
	put(bench, 1, ", world");
	expect_used(bench, 1, 0);
	ck_assert_str_eq(bench->ends[0].output, "hello, world");
	/* Input waits for buffers, buffers for input. */
	port_end_give(&bench->ends[0], "typed");
	ck_assert_uint_eq(bench->ends[0].input_size, 5);
	first = room(bench, 0, 3);
	expect_input(bench, 0, first, "typ");
	second = room(bench, 0, 100);
	expect_input(bench, 0, second, "ed");
	first = room(bench, 0, 10);
	expect_unused(bench, 0);
	virtio_bench_interrupts(&bench->virtio);
	driver_ring_interrupts(&bench->virtio.rings[0], 0);
	port_end_give(&bench->ends[0], "more");
	expect_input(bench, 0, first, "more");
	ck_assert_uint_eq(virtio_bench_interrupts(&bench->virtio), 1);
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* A slow reader stops the guest, in the middle of a buffer as well; none does not. */
START_TEST(test_back_pressure)
{
	struct bench *bench = open_driven(&one);

	port_end_make_room(&bench->ends[0], 3);
	put(bench, 1, "abcdefgh");
	put(bench, 1, "ijkl");
	expect_unused(bench, 1);
	port_end_make_room(&bench->ends[0], 2);
	expect_unused(bench, 1);
	port_end_make_room(&bench->ends[0], 4);
	expect_used(bench, 1, 0);
	expect_unused(bench, 1);
	ck_assert_str_eq(bench->ends[0].output, "abcdefghi");
	port_end_make_room(&bench->ends[0], SIZE_MAX);
	expect_used(bench, 1, 0);
	ck_assert_str_eq(bench->ends[0].output, "abcdefghijkl");
	port_end_make_room(&bench->ends[0], 1);
	put(bench, 1, "xyz");
	expect_unused(bench, 1);
	port_end_open(&bench->ends[0], false);
	expect_used(bench, 1, 0);
	put(bench, 1, "to nobody");
	expect_used(bench, 1, 0);
	ck_assert_str_eq(bench->ends[0].output, "abcdefghijklx");
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* Buffers in pieces, empty ones, and those with bytes of the wrong way. */
START_TEST(test_pieces)
{
	struct bench *bench = open_driven(&one);
	gpa_t text = virtio_bench_alloc(&bench->virtio, 32, 1);
	struct driver_piece pieces[] = {{text, 4}, {text + 4, 1}, {text + 5, 7}, {text + 20, 4}};

	memcpy(virtio_bench_ram(&bench->virtio, text, 12), "abcdefghijkl", 12);
	port_end_make_room(&bench->ends[0], 6);
	ck_assert(virtio_bench_add(&bench->virtio, 1, pieces, 3, 1, 0));
	ck_assert(virtio_bench_add(&bench->virtio, 1, pieces + 3, 0, 1, 0));
	virtio_bench_kick(&bench->virtio, 1);
	virtio_bench_run(&bench->virtio);
	port_end_make_room(&bench->ends[0], 100);
	ck_assert_str_eq(bench->ends[0].output, "abcdefghijkl");
	expect_used(bench, 1, 0);
	expect_used(bench, 1, 0);
	/* Nothing can be put into a buffer that is only to be read. */
	port_end_give(&bench->ends[0], "in");
	put(bench, 0, "out");
	expect_used(bench, 0, 0);
	ck_assert_uint_eq(bench->ends[0].input_size, 2);
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* A large buffer goes in parts, so that others have their turn. */
START_TEST(test_large)
{
	struct bench *bench = open_driven(&one);
	struct driver_piece piece = {VIRTIO_BENCH_RAM + MIB, MIB};

	ck_assert(virtio_bench_add(&bench->virtio, 1, &piece, 1, 0, 0));
	virtio_bench_kick(&bench->virtio, 1);
	event_loop_stop(bench->virtio.loop);
	event_loop_run(bench->virtio.loop);
	ck_assert_uint_eq(bench->ends[0].output_count, 256 * KIB);
	virtio_bench_run(&bench->virtio);
	ck_assert_uint_eq(bench->ends[0].output_count, MIB);
	expect_used(bench, 1, 0);
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_emergency)
{
	struct virtio_bench *virtio = virtio_bench_open(&one);
	struct bench *bench = to_bench(virtio);

	/* Before anything else, in any width. */
	virtio_bench_write(virtio, CONFIG(emerg_wr), 4, 'o');
	virtio_bench_write(virtio, CONFIG(emerg_wr), 1, 'n');
	virtio_bench_write(virtio, CONFIG(emerg_wr), 2, 'e');
	virtio_bench_write(virtio, CONFIG(emerg_wr) + 1, 1, '?');
	virtio_bench_write(virtio, CONFIG(cols), 4, '?');
	ck_assert_str_eq(bench->ends[0].output, "one");
	ck_assert_uint_eq(virtio_bench_get(virtio, CONFIG(emerg_wr)), 0);
	port_end_make_room(&bench->ends[0], 0);
	virtio_bench_write(virtio, CONFIG(emerg_wr), 4, 'x');
	ck_assert_str_eq(bench->ends[0].output, "one");
	virtio_bench_close(virtio);
}
END_TEST

START_TEST(test_size)
{
	struct virtio_bench *virtio = virtio_bench_open(&one);

	resize(virtio, 0, 80, 24);
	ck_assert_uint_eq(virtio_bench_get(virtio, CONFIG(cols)), 24U << 16 | 80);
	virtio_bench_drive(virtio, UINT64_MAX);
	virtio_bench_run(virtio);
	virtio_bench_interrupts(virtio);
	resize(virtio, 0, 132, 50);
	ck_assert_uint_eq(virtio_bench_interrupts(virtio), 1);
	ck_assert_uint_eq(virtio_bench_read(virtio, CONFIG(cols), 2), 132);
	ck_assert_uint_eq(virtio_bench_read(virtio, CONFIG(rows), 2), 50);
	virtio_bench_check_shadow(virtio);
	resize(virtio, 0, 132, 50);
	ck_assert_uint_eq(virtio_bench_interrupts(virtio), 0);
	/* A reset of the driver's changes no terminal. */
	virtio_bench_set(virtio, VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(virtio_bench_read(virtio, CONFIG(rows), 2), 50);
	virtio_bench_close(virtio);
}
END_TEST

/* Ports. */

static void say(struct bench *bench, uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control control = {id, event, value};

	ck_assert(virtio_bench_put(&bench->virtio, CONTROL_OUT, &control, sizeof(control), 0));
	virtio_bench_kick(&bench->virtio, CONTROL_OUT);
	virtio_bench_run(&bench->virtio);
	expect_used(bench, CONTROL_OUT, 0);
}

/* The device's next message, with @more bytes behind it. Gives it a buffer first. */
static void expect_message(struct bench *bench, uint32_t id, uint16_t event, uint16_t value,
			   const char *more, uint32_t more_size)
{
	gpa_t addr = room(bench, CONTROL_IN, 64);
	const char *at = virtio_bench_ram(&bench->virtio, addr, 64);
	struct virtio_console_control control;

	expect_used(bench, CONTROL_IN, (uint32_t)sizeof(control) + more_size);
	memcpy(&control, at, sizeof(control));
	ck_assert_uint_eq(control.id, id);
	ck_assert_uint_eq(control.event, event);
	ck_assert_uint_eq(control.value, value);
	if (more_size)
		ck_assert_mem_eq(at + sizeof(control), more, more_size);
}

/* There is none: the buffer is used by the next, which is then expected. */
static void expect_silence(struct bench *bench)
{
	room(bench, CONTROL_IN, 64);
	expect_unused(bench, CONTROL_IN);
}

/* A device whose three ports are known and ready, but for port @but. */
static struct bench *open_ready(unsigned but)
{
	struct bench *bench = open_driven(&ports);

	ck_assert_uint_eq(virtio_bench_get(&bench->virtio, CONFIG(max_nr_ports)), PORTS);
	ck_assert_uint_eq(bench->virtio.virtio->queue_count, 2 * PORTS + 2);
	say(bench, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (unsigned i = 0; i < PORTS; i++)
		expect_message(bench, i, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
	for (unsigned i = 0; i < PORTS; i++) {
		if (i == but)
			continue;
		say(bench, i, VIRTIO_CONSOLE_PORT_READY, 1);
		if (i != 1)
			expect_message(bench, i, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL, 0);
		if (i == 1)
			expect_message(bench, i, VIRTIO_CONSOLE_PORT_NAME, 1, "org.test.one", 12);
		if (i == 2)
			expect_message(bench, i, VIRTIO_CONSOLE_PORT_NAME, 1, "two", 3);
		expect_message(bench, i, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
	}
	return bench;
}

START_TEST(test_ports)
{
	struct bench *bench = open_ready(PORTS);
	gpa_t addr;

	/* Output goes at any time; input when the guest has the port open. */
	put(bench, 5, "of one");
	put(bench, 7, "of two");
	put(bench, 1, "of zero");
	ck_assert_str_eq(bench->ends[0].output, "of zero");
	ck_assert_str_eq(bench->ends[1].output, "of one");
	ck_assert_str_eq(bench->ends[2].output, "of two");
	port_end_give(&bench->ends[1], "for one");
	addr = room(bench, 4, 100);
	expect_unused(bench, 4);
	say(bench, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	expect_input(bench, 4, addr, "for one");
	say(bench, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	room(bench, 4, 100);
	port_end_give(&bench->ends[1], "later");
	expect_unused(bench, 4);
	ck_assert_uint_eq(bench->ends[1].input_size, 5);
	/* One that is stuck holds up no other. */
	port_end_make_room(&bench->ends[2], 0);
	put(bench, 7, "stuck");
	put(bench, 5, "!");
	ck_assert_str_eq(bench->ends[1].output, "of one!");
	ck_assert_str_eq(bench->ends[2].output, "of two");
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* The guest hears of each peer, also of one that came at once behind another. */
START_TEST(test_peers)
{
	struct bench *bench = open_ready(1);

	port_end_open(&bench->ends[0], false);
	expect_message(bench, 0, VIRTIO_CONSOLE_PORT_OPEN, 0, NULL, 0);
	port_end_open(&bench->ends[0], true);
	expect_message(bench, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
	for (unsigned i = 0; i < 100; i++) {
		port_end_open(&bench->ends[2], false);
		port_end_open(&bench->ends[2], true);
		port_end_open(&bench->ends[1], i % 2);
	}
	expect_message(bench, 2, VIRTIO_CONSOLE_PORT_OPEN, 0, NULL, 0);
	expect_message(bench, 2, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
	/* A port that is not ready hears when it is. */
	say(bench, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_message(bench, 1, VIRTIO_CONSOLE_PORT_NAME, 1, "org.test.one", 12);
	expect_message(bench, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
	/* One that came and went unheard of was never there. */
	port_end_open(&bench->ends[1], false);
	expect_message(bench, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, NULL, 0);
	port_end_open(&bench->ends[1], true);
	port_end_open(&bench->ends[1], false);
	expect_silence(bench);
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_resize_message)
{
	struct bench *bench = open_ready(2);
	static const char size[] = {100, 0, 30, 0}; /* columns, rows (5.3.6.2) */

	resize(&bench->virtio, 0, 80, 25);
	resize(&bench->virtio, 0, 100, 30);
	resize(&bench->virtio, 1, 100, 30); /* no terminal */
	resize(&bench->virtio, 2, 100, 30);
	expect_message(bench, 0, VIRTIO_CONSOLE_RESIZE, 1, size, 4);
	say(bench, 2, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_message(bench, 2, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL, 0);
	expect_message(bench, 2, VIRTIO_CONSOLE_PORT_NAME, 1, "two", 3);
	expect_message(bench, 2, VIRTIO_CONSOLE_RESIZE, 1, size, 4);
	expect_message(bench, 2, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
	expect_silence(bench);
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_bad_messages)
{
	struct bench *bench = open_ready(1);

	say(bench, PORTS, VIRTIO_CONSOLE_PORT_READY, 1);
	say(bench, UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
	say(bench, 0, VIRTIO_CONSOLE_PORT_ADD, 1);
	say(bench, 0, UINT16_MAX, 1);
	say(bench, 0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	put(bench, CONTROL_OUT, "short");
	expect_used(bench, CONTROL_OUT, 0);
	expect_silence(bench);
	/* A buffer that is too small gets what fits. */
	say(bench, 1, VIRTIO_CONSOLE_PORT_READY, 1); /* into the one that is there */
	expect_used(bench, CONTROL_IN, 8 + 12);
	room(bench, CONTROL_IN, 3);
	expect_used(bench, CONTROL_IN, 3);
	say(bench, 1, VIRTIO_CONSOLE_PORT_READY, 0);
	port_end_open(&bench->ends[1], false);
	expect_silence(bench);
	ck_assert(!(virtio_bench_get(&bench->virtio, VIRTIO_MMIO_STATUS) &
		    VIRTIO_CONFIG_S_NEEDS_RESET));
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* A driver that knows no ports has the first. */
START_TEST(test_ports_not_wanted)
{
	struct virtio_bench *virtio = virtio_bench_open(&ports);
	struct bench *bench = to_bench(virtio);
	gpa_t addr;

	virtio_bench_drive(virtio, ~BIT(VIRTIO_CONSOLE_F_MULTIPORT));
	put(bench, 1, "plain");
	ck_assert_str_eq(bench->ends[0].output, "plain");
	addr = room(bench, 0, 10);
	port_end_give(&bench->ends[0], "input");
	expect_input(bench, 0, addr, "input");
	put(bench, 5, "no port");
	ck_assert_uint_eq(bench->ends[1].output_count, 0);
	put(bench, CONTROL_OUT, "no control");
	expect_unused(bench, CONTROL_OUT);
	virtio_bench_close(virtio);
}
END_TEST

/* A buffer that is half written, when the machine is saved and goes on elsewhere. */
START_TEST(test_save_half_written)
{
	struct bench *bench = open_ready(PORTS);
	struct virtio_bench *virtio = virtio_bench_open(&ports);
	struct bench *twin = to_bench(virtio);
	struct virtio_saved saved;

	port_end_make_room(&bench->ends[1], 4);
	put(bench, 5, "first half");
	say(bench, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	device_lock(&bench->virtio.virtio->device);
	virtio_device_pause(bench->virtio.virtio);
	device_unlock(&bench->virtio.virtio->device);
	port_end_make_room(&bench->ends[1], 100); /* too late */
	saved = virtio_bench_save(&bench->virtio);
	ck_assert_str_eq(bench->ends[1].output, "firs");
	virtio_bench_copy_ram(virtio, &bench->virtio);
	port_end_open(&twin->ends[2], false);
	ck_assert_int_eq(virtio_bench_load(virtio, saved.data, saved.size), 0);
	virtio_bench_run(virtio);
	ck_assert_str_eq(twin->ends[1].output, "t half");
	expect_used(twin, 5, 0);
	/* Here is another world: its peers are told of. */
	expect_message(twin, 2, VIRTIO_CONSOLE_PORT_OPEN, 0, NULL, 0);
	expect_silence(twin);
	free(saved.data);
	virtio_bench_close(virtio);
	virtio_bench_close(&bench->virtio);
}
END_TEST

/* The queue is taken back with the buffer: the next one is written from its start. */
START_TEST(test_queue_reset_half_written)
{
	struct bench *bench = open_driven(&one);

	port_end_make_room(&bench->ends[0], 4);
	put(bench, 1, "first half");
	virtio_bench_set(&bench->virtio, VIRTIO_MMIO_QUEUE_SEL, 1);
	virtio_bench_set(&bench->virtio, VIRTIO_MMIO_QUEUE_RESET, 1);
	virtio_bench_queue(&bench->virtio, 1, 16);
	port_end_make_room(&bench->ends[0], 100);
	put(bench, 1, "|whole");
	ck_assert_str_eq(bench->ends[0].output, "firs|whole");
	virtio_bench_close(&bench->virtio);
}
END_TEST

START_TEST(test_random)
{
	virtio_check_random(_i % 2 ? &ports : &one, (uint64_t)_i + 1, 1000);
}
END_TEST

START_TEST(test_save)
{
	virtio_check_save(&steady, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	virtio_check_reset(_i % 2 ? &ports : &one, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	virtio_check_hostile_state(&ports, (uint64_t)_i + 1);
}
END_TEST

const char unit_name[] = "virtio_console";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_simple),
	UNIT_CASE(test_back_pressure),
	UNIT_CASE(test_pieces),
	UNIT_CASE(test_large),
	UNIT_CASE(test_emergency),
	UNIT_CASE(test_size),
	UNIT_CASE(test_ports),
	UNIT_CASE(test_peers),
	UNIT_CASE(test_resize_message),
	UNIT_CASE(test_bad_messages),
	UNIT_CASE(test_ports_not_wanted),
	UNIT_CASE(test_save_half_written),
	UNIT_CASE(test_queue_reset_half_written),
	UNIT_LOOP(test_random, 8),
	UNIT_LOOP(test_save, 20),
	UNIT_LOOP(test_reset, 20),
	UNIT_LOOP(test_hostile_state, 2),
	{0},
};
