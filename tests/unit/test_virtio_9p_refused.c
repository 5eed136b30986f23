/* SPDX-License-Identifier: Apache-2.0 */
/* The 9P device when its driver or its server does not know the rules. */
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "p9_bench.h"
#include "unit.h"

#define LOST "all that the guest does in the share 'share' fails from now on"

static bool broken(struct p9_bench *bench)
{
	return virtio_bench_get(&bench->bench, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* The server is given up: the requests in flight fail, and so does what comes later. */
static void expect_lost(struct p9_bench *bench, const uint8_t *tokens, unsigned count,
			const char *why)
{
	const char *said;
	uint8_t later;

	for (unsigned i = 0; i < count; i++)
		p9_refused(bench, tokens[i], (uint16_t)(20 + i), EIO);
	later = p9_ask_small(bench, P9_TREAD, 99);
	p9_refused(bench, later, 99, EIO);
	virtio_bench_drive(&bench->bench, 0);
	later = p9_ask_small(bench, P9_TVERSION, 98);
	p9_refused(bench, later, 98, EIO);
	ck_assert(!broken(bench));
	said = captured_stderr();
	ck_assert_uint_eq(count_text(said, LOST), 1);
	ck_assert_uint_eq(count_text(said, "\n"), 1);
	ck_assert_msg(strstr(said, why) != NULL, "%s", said);
}

/* Requests that are none. @size: what the header says, of 11 bytes. */
static const struct {
	uint8_t type;
	uint32_t size;
	bool good;
} bad_rows[] = {
	{P9_TREAD, 11, true},   {P9_TREAD, 10, false},   {P9_TREAD, 12, false},
	{P9_TREAD, 0, false},   {P9_TREAD, 7, false},    {P9_TREAD, UINT32_MAX, false},
	{P9_TFLUSH, 11, false}, {P9_TATTACH, 11, false}, {P9_TVERSION, 11, true},
	{0, 11, true},          {255, 11, true},
};

START_TEST(test_bad_request)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message message;
	uint8_t token;

	p9_begin(&message, bad_rows[_i].type, 40);
	p9_add(&message, 0, 4);
	p9_put_le(message.data, bad_rows[_i].size, 4);
	token = p9_ask(bench, &message, P9_ERROR_SIZE);
	if (bad_rows[_i].good) {
		p9_take(bench, &message);
		p9_silent(bench);
	} else {
		p9_refused(bench, token, 40, EPROTO);
		p9_take_none(bench);
	}
	ck_assert(!broken(bench));
	p9_bench_close(bench);
}
END_TEST

/* A Tattach whose strings are longer than it, or than we take. */
static const struct {
	uint16_t uname;
	uint16_t aname;
	unsigned behind; /* bytes more than n_uname */
	bool good;
} attach_rows[] = {
	{0, 0, 0, true},           {P9_UNAME_MAX, 0, 0, true}, {P9_UNAME_MAX + 1, 0, 0, false},
	{4, 3000, 0, true},        {4, 5000, 0, false},        {0, 0, 1, false},
	{UINT16_MAX, 0, 0, false}, {0, UINT16_MAX, 0, false},
};

START_TEST(test_bad_attach)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message message;
	uint8_t token;

	memset(&message, 'x', sizeof(message));
	p9_begin(&message, P9_TATTACH, 40);
	p9_add(&message, 0, 8);
	p9_add(&message, attach_rows[_i].uname, 2);
	message.size += attach_rows[_i].uname == UINT16_MAX ? 3 : attach_rows[_i].uname;
	p9_add(&message, attach_rows[_i].aname, 2);
	message.size += attach_rows[_i].aname == UINT16_MAX ? 3 : attach_rows[_i].aname;
	p9_add(&message, 0, 4);
	message.size += attach_rows[_i].behind;
	p9_end(&message);
	token = p9_ask(bench, &message, P9_BENCH_ROOM);
	if (attach_rows[_i].good) {
		p9_take(bench, &message);
	} else {
		p9_refused(bench, token, 40, EPROTO);
		p9_take_none(bench);
	}
	p9_bench_close(bench);
}
END_TEST

/* A second request under a tag that is in use; a second Tversion; one before the first. */
START_TEST(test_bad_order)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, false);
	struct p9_message message;
	uint8_t token = p9_ask_small(bench, P9_TREAD, 5);

	p9_refused(bench, token, 5, EIO);
	p9_take_none(bench);
	p9_ask_small(bench, P9_TVERSION, P9_NOTAG);
	p9_take(bench, &message);
	token = p9_ask_small(bench, P9_TVERSION, P9_NOTAG);
	p9_refused(bench, token, P9_NOTAG, EPROTO);
	p9_ask_small(bench, P9_TREAD, 5);
	p9_take(bench, &message);
	token = p9_ask_small(bench, P9_TWRITE, 5);
	p9_refused(bench, token, 5, EPROTO);
	p9_take_none(bench);
	p9_bench_close(bench);
}
END_TEST

/* Buffers that cannot even be answered. */
static const struct {
	uint32_t out;
	uint32_t in;
} short_rows[] = {{P9_HEADER_SIZE - 1, 64}, {1, 64}, {64, P9_ERROR_SIZE - 1}, {64, 1}};

START_TEST(test_short_buffer)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message message;

	p9_begin(&message, P9_TREAD, 1);
	memset(message.data + P9_HEADER_SIZE, 0, 64);
	message.size = 64;
	p9_end(&message);
	message.size = short_rows[_i].out;
	p9_ask(bench, &message, short_rows[_i].in);
	ck_assert(broken(bench));
	p9_take_none(bench);

	/* A reset makes it good again. */
	virtio_bench_drive(&bench->bench, 0);
	p9_session(bench);
	p9_bench_close(bench);
}
END_TEST

/* An answer for which there is no room is the driver's fault, and does no harm. */
START_TEST(test_answer_too_large)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message message;
	struct p9_header header;
	uint8_t tokens[2];

	for (unsigned alone = 0; alone < 2; alone++) {
		p9_begin(&message, P9_TREAD, 7);
		p9_end(&message);
		tokens[0] = p9_ask(bench, &message, 30);
		header = p9_take(bench, &message);
		if (!alone) {
			tokens[1] = p9_ask_small(bench, P9_TREAD, 8);
			p9_take(bench, &message);
		}
		p9_reply(bench, P9_TREAD + 1, header.tag, 100000, 1);
		p9_refused(bench, tokens[0], 7, EIO);
		if (!alone) {
			p9_reply(bench, P9_TREAD + 1, p9_header_get(message.data).tag, 1, 1);
			p9_answered(bench, tokens[1], P9_HEADER_SIZE + 1);
		}
	}
	p9_bench_close(bench);
}
END_TEST

/* What no server says, with @in_flight requests waiting. A tag of -1: that of the first. */
static const struct {
	unsigned in_flight;
	uint32_t size;
	uint8_t type;
	int32_t tag;
	const char *why;
} server_rows[] = {
	{1, 0, P9_TREAD + 1, -1, "sends what is not 9P"},
	{2, 6, P9_TREAD + 1, -1, "sends what is not 9P"},
	{1, VIRTIO_9P_MSIZE_MAX + 1, P9_TREAD + 1, -1, "sends what is not 9P"},
	{2, UINT32_MAX, P9_TREAD + 1, -1, "sends what is not 9P"},
	{1, 11, P9_TREAD, -1, "answers what it was not asked"},
	{2, 11, P9_TWRITE + 1, -1, "answers what it was not asked"},
	{1, 11, P9_TREAD + 1, 0, "answers what it was not asked"},
	{2, 11, P9_TREAD + 1, 0x7fff, "answers what it was not asked"},
	{2, 11, P9_RLERROR, P9_NOTAG, "answers what it was not asked"},
	{0, 11, P9_RLERROR, 0, "answers what it was not asked"},
	{0, 11, P9_TVERSION + 1, P9_NOTAG, "answers what it was not asked"},
};

START_TEST(test_bad_server)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_header header = {0};
	struct p9_message message;
	uint8_t data[11] = {0};
	uint8_t tokens[2];

	for (unsigned i = 0; i < server_rows[_i].in_flight; i++) {
		tokens[i] = p9_ask_small(bench, P9_TREAD, (uint16_t)(20 + i));
		header = i ? header : p9_take(bench, &message);
	}
	header.size = server_rows[_i].size;
	header.type = server_rows[_i].type;
	if (server_rows[_i].tag >= 0)
		header.tag = (uint16_t)server_rows[_i].tag;
	p9_header_put(data, &header);
	capture_stderr();
	send(bench->server, data, sizeof(data), 0);
	virtio_bench_run(&bench->bench);
	expect_lost(bench, tokens, server_rows[_i].in_flight, server_rows[_i].why);
	p9_bench_close(bench);
}
END_TEST

/* It says more than its only answer. */
START_TEST(test_server_goes_on)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	uint8_t token = p9_ask_small(bench, P9_TREAD, 20);
	struct p9_message message;
	struct p9_header header = p9_take(bench, &message);
	uint8_t data[20] = {0};

	header.size = 19;
	header.type = P9_TREAD + 1;
	p9_header_put(data, &header);
	capture_stderr();
	send(bench->server, data, sizeof(data), 0);
	virtio_bench_run(&bench->bench);
	expect_lost(bench, &token, 1, "answers what it was not asked");
	p9_bench_close(bench);
}
END_TEST

/* It dies: after so many bytes of an answer, alone in flight or not. */
START_TEST(test_server_dies)
{
	unsigned in_flight = 1 + (unsigned)_i / 24;
	size_t cut = (size_t)_i % 24;
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message message;
	struct p9_header header = {0};
	uint8_t data[24] = {0};
	uint8_t tokens[2];

	for (unsigned i = 0; i < in_flight; i++) {
		tokens[i] = p9_ask_small(bench, P9_TREAD, (uint16_t)(20 + i));
		header = p9_take(bench, &message);
	}
	header.size = sizeof(data);
	header.type = P9_TREAD + 1;
	p9_header_put(data, &header);
	p9_say(bench, data, cut);
	capture_stderr();
	bench->server = close_fd(bench->server);
	virtio_bench_run(&bench->bench);
	expect_lost(bench, tokens, in_flight, "share0: the 9P server has gone: ");
	p9_bench_close(bench);
}
END_TEST

/* It dies with half a request, while more wait in the ring. */
START_TEST(test_server_dies_reading)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message *message = malloc(sizeof(*message));
	uint8_t tokens[3];

	for (unsigned i = 0; i < 3; i++) {
		p9_begin(message, P9_TWRITE, (uint16_t)(20 + i));
		message->size = P9_BENCH_MSIZE;
		p9_end(message);
		tokens[i] = p9_ask(bench, message, P9_BENCH_ROOM);
	}
	capture_stderr();
	bench->server = close_fd(bench->server);
	virtio_bench_run(&bench->bench);
	expect_lost(bench, tokens, 3, "the 9P server has gone");
	free(message);
	p9_bench_close(bench);
}
END_TEST

/* A server that is silent holds up nothing but its requests; a reset forgets them. */
START_TEST(test_silent_server)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message message;
	struct p9_header old[VIRTIO_BENCH_RING];
	struct p9_header header;
	uint8_t token;

	for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++) {
		p9_ask_small(bench, P9_TREAD, (uint16_t)i);
		old[i] = p9_take(bench, &message);
	}
	p9_silent(bench);
	virtio_bench_drive(&bench->bench, UINT64_MAX);
	p9_session(bench);
	token = p9_ask_small(bench, P9_TREAD, 1);
	header = p9_take(bench, &message);
	for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++) {
		p9_reply(bench, P9_TREAD + 1, old[i].tag, 5, 0xee);
		p9_silent(bench);
	}
	p9_reply(bench, P9_TREAD + 1, header.tag, 5, 0x11);
	ck_assert_uint_eq(p9_answered(bench, token, P9_HEADER_SIZE + 5)[7], 0x11);
	p9_bench_close(bench);
}
END_TEST

/*
 * A reset (or that of the queue alone) in the middle of a request and of an
 * answer: the stream goes on where it was.
 */
START_TEST(test_reset_in_the_middle)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message *message = malloc(sizeof(*message));
	struct p9_header header;
	uint8_t data[50];
	uint8_t token;

	p9_ask_small(bench, P9_TREAD, 1);
	header = p9_take(bench, message);
	header.size = sizeof(data);
	header.type = P9_TREAD + 1;
	memset(data, 0xee, sizeof(data));
	p9_header_put(data, &header);
	p9_begin(message, P9_TWRITE, 2);
	while (message->size + 2 <= P9_BENCH_MSIZE)
		p9_add(message, message->size * 7, 2);
	p9_end(message);
	p9_ask(bench, message, P9_BENCH_ROOM);
	p9_say(bench, data, 20);
	if (_i) {
		virtio_bench_set(&bench->bench, VIRTIO_MMIO_QUEUE_SEL, 0);
		virtio_bench_set(&bench->bench, VIRTIO_MMIO_QUEUE_RESET, 1);
		virtio_bench_queue(&bench->bench, 0, VIRTIO_BENCH_RING);
	} else {
		virtio_bench_drive(&bench->bench, UINT64_MAX);
	}
	p9_say(bench, data + 20, sizeof(data) - 20);
	header = p9_take(bench, message);
	ck_assert_uint_eq(header.type, P9_TWRITE);
	for (size_t at = P9_HEADER_SIZE; at + 2 <= P9_BENCH_MSIZE; at += 2)
		ck_assert_uint_eq(message->data[at] | message->data[at + 1] << 8,
				  (at * 7) & 0xffff);
	p9_reply(bench, P9_TWRITE + 1, header.tag, 4, 0);
	p9_silent(bench);
	p9_session(bench);
	token = p9_ask_small(bench, P9_TREAD, 2);
	header = p9_take(bench, message);
	p9_reply(bench, P9_TREAD + 1, header.tag, 4, 0);
	p9_answered(bench, token, P9_HEADER_SIZE + 4);
	free(message);
	p9_bench_close(bench);
}
END_TEST

/* A Tversion that a reset left without its answer: that answer is not the next one's. */
START_TEST(test_reset_after_version)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, false);
	struct p9_message message;
	uint8_t token;

	p9_ask_small(bench, P9_TVERSION, P9_NOTAG);
	p9_take(bench, &message);
	virtio_bench_drive(&bench->bench, UINT64_MAX);
	token = p9_ask_small(bench, P9_TVERSION, P9_NOTAG);
	p9_take(bench, &message);
	p9_reply(bench, P9_TVERSION + 1, P9_NOTAG, 6, 1);
	p9_silent(bench);
	p9_reply(bench, P9_TVERSION + 1, P9_NOTAG, 6, 2);
	ck_assert_uint_eq(p9_answered(bench, token, P9_HEADER_SIZE + 6)[7], 2);
	p9_bench_close(bench);
}
END_TEST

static void pause_device(struct p9_bench *bench, bool on)
{
	struct virtio_device *virtio = bench->bench.virtio;

	device_lock(&virtio->device);
	(on ? virtio_device_pause : virtio_device_resume)(virtio);
	device_unlock(&virtio->device);
}

/* A pause in the middle of everything is not noticed. */
START_TEST(test_pause)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message *message = malloc(sizeof(*message));
	struct p9_header header;
	uint8_t token;

	p9_begin(message, P9_TWRITE, 2);
	message->size = P9_BENCH_MSIZE;
	p9_end(message);
	token = p9_ask(bench, message, P9_BENCH_ROOM);
	pause_device(bench, true);
	virtio_bench_run(&bench->bench);
	pause_device(bench, false);
	header = p9_take(bench, message);
	pause_device(bench, true);
	p9_reply(bench, P9_TWRITE + 1, header.tag, 4, 0);
	p9_silent(bench);
	pause_device(bench, false);
	p9_answered(bench, token, P9_HEADER_SIZE + 4);
	free(message);
	p9_bench_close(bench);
}
END_TEST

/* A machine that was loaded has no session; one that was saved in the middle of work says so. */
START_TEST(test_load)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_bench *twin = p9_bench_open(&p9_kind, false);
	struct p9_message message;
	struct virtio_saved saved;
	uint8_t token;

	if (_i) {
		p9_ask_small(bench, P9_TREAD, 1);
		p9_take(bench, &message);
	}
	pause_device(bench, true);
	saved = virtio_bench_save(&bench->bench);
	virtio_bench_copy_ram(&twin->bench, &bench->bench);
	ck_assert_int_eq(virtio_bench_load(&twin->bench, saved.data, saved.size), 0);
	ck_assert(broken(twin) == (_i == 1));
	if (!broken(twin)) {
		token = p9_ask_small(twin, P9_TREAD, 1);
		p9_refused(twin, token, 1, EIO);
		p9_session(twin);
	}
	free(saved.data);
	p9_bench_close(twin);
	p9_bench_close(bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_bad_request, ARRAY_SIZE(bad_rows)),
	UNIT_LOOP(test_bad_attach, ARRAY_SIZE(attach_rows)),
	UNIT_CASE(test_bad_order),
	UNIT_LOOP(test_short_buffer, ARRAY_SIZE(short_rows)),
	UNIT_CASE(test_answer_too_large),
	UNIT_LOOP(test_bad_server, ARRAY_SIZE(server_rows)),
	UNIT_CASE(test_server_goes_on),
	UNIT_LOOP(test_server_dies, 48),
	UNIT_CASE(test_server_dies_reading),
	UNIT_CASE(test_silent_server),
	UNIT_LOOP(test_reset_in_the_middle, 2),
	UNIT_CASE(test_reset_after_version),
	UNIT_CASE(test_pause),
	UNIT_LOOP(test_load, 2),
	{0},
};
const char unit_name[] = "virtio_9p_refused";
