/* SPDX-License-Identifier: Apache-2.0 */
/* The 9P device between a driver and a server that both know the rules. */
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "p9_bench.h"
#include "unit.h"

START_TEST(test_config)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, false);
	struct virtio_bench *virtio = &bench->bench;
	char tag[sizeof(P9_BENCH_TAG) - 1];

	ck_assert_uint_eq(virtio_bench_get(virtio, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_9P);
	ck_assert_uint_eq(virtio_bench_offered(virtio) & 1, 1); /* VIRTIO_9P_MOUNT_TAG */
	ck_assert_uint_eq(virtio_bench_read(virtio, VIRTIO_MMIO_CONFIG, 2), sizeof(tag));
	for (unsigned i = 0; i < sizeof(tag); i++)
		tag[i] = (char)virtio_bench_read(virtio, VIRTIO_MMIO_CONFIG + 2 + i, 1);
	ck_assert_mem_eq(tag, P9_BENCH_TAG, sizeof(tag));
	p9_bench_close(bench);
}
END_TEST

/* The server never sees more than it may send back. */
static const struct {
	uint32_t asked;
	uint32_t told;
} msize_rows[] = {
	{0, 0},
	{4096, 4096},
	{VIRTIO_9P_MSIZE_MAX, VIRTIO_9P_MSIZE_MAX},
	{VIRTIO_9P_MSIZE_MAX + 1, VIRTIO_9P_MSIZE_MAX},
	{UINT32_MAX, VIRTIO_9P_MSIZE_MAX},
};

START_TEST(test_msize)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, false);
	struct p9_message message;
	struct p9_message got;

	p9_begin(&message, P9_TVERSION, 7);
	p9_add(&message, msize_rows[_i].asked, 4);
	p9_add_string(&message, "9P2000.L");
	p9_end(&message);
	p9_ask(bench, &message, P9_BENCH_ROOM);
	p9_take(bench, &got);
	p9_put_le(message.data + 5, P9_NOTAG, 2);
	p9_put_le(message.data + 7, msize_rows[_i].told, 4);
	ck_assert_uint_eq(got.size, message.size);
	ck_assert_mem_eq(got.data, message.data, message.size);
	p9_bench_close(bench);
}
END_TEST

/* Requests go as they are but for the tag; answers come back in any order, with the old one. */
START_TEST(test_out_of_order)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	static const unsigned order[] = {2, 0, 1};
	struct p9_header headers[3];
	struct p9_message message;
	struct p9_message got;
	uint8_t tokens[3];

	for (unsigned i = 0; i < 3; i++) {
		p9_begin(&message, P9_TWALK, (uint16_t)(1000 + i));
		for (unsigned j = 0; j < 40 + i; j++)
			p9_add(&message, j, 1);
		p9_end(&message);
		tokens[i] = p9_ask(bench, &message, P9_BENCH_ROOM);
		headers[i] = p9_take(bench, &got);
		ck_assert_uint_eq(got.size, message.size);
		ck_assert_uint_eq(headers[i].type, P9_TWALK);
		ck_assert_mem_eq(got.data + 7, message.data + 7, message.size - 7);
	}
	for (unsigned i = 0; i < 3; i++) {
		unsigned at = order[i];
		const uint8_t *data;

		p9_reply(bench, P9_TWALK + 1, headers[at].tag, 100 + at, (uint8_t)at);
		data = p9_answered(bench, tokens[at], P9_HEADER_SIZE + 100 + at);
		ck_assert_uint_eq(p9_header_get(data).size, P9_HEADER_SIZE + 100 + at);
		ck_assert_uint_eq(p9_header_get(data).type, P9_TWALK + 1);
		ck_assert_uint_eq(p9_header_get(data).tag, 1000 + at);
		ck_assert_uint_eq(data[7], at);
		ck_assert_uint_eq(data[P9_HEADER_SIZE + 99 + at], at);
	}
	p9_bench_close(bench);
}
END_TEST

/* Two answers in one piece of the stream, and two that are cut at each byte of it. */
START_TEST(test_cut_everywhere)
{
	const uint32_t sizes[] = {P9_HEADER_SIZE, P9_HEADER_SIZE + 30};
	uint8_t stream[2 * P9_HEADER_SIZE + 30];

	for (size_t cut = 0; cut <= sizeof(stream); cut++) {
		struct p9_bench *bench = p9_bench_open(&p9_kind, true);
		struct p9_message got;
		uint8_t tokens[2];
		size_t at = 0;

		memset(stream, 0x5a, sizeof(stream));
		for (unsigned i = 0; i < 2; i++) {
			struct p9_header header;

			tokens[i] = p9_ask_small(bench, P9_TREAD, (uint16_t)(20 + i));
			header = p9_take(bench, &got);
			header.type = P9_TREAD + 1;
			header.size = sizes[i];
			p9_header_put(stream + at, &header);
			at += sizes[i];
		}
		p9_say(bench, stream, cut);
		p9_say(bench, stream + cut, sizeof(stream) - cut);
		p9_answered(bench, tokens[0], sizes[0]);
		ck_assert_uint_eq(p9_answered(bench, tokens[1], sizes[1])[sizes[1] - 1], 0x5a);
		p9_bench_close(bench);
	}
}
END_TEST

/* Alone in flight, where the body is read before its header was looked at. */
START_TEST(test_bytewise)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	uint8_t token = p9_ask_small(bench, P9_TREAD, 5);
	struct p9_message got;
	struct p9_header header = p9_take(bench, &got);
	uint8_t stream[40];
	const uint8_t *data;

	for (unsigned i = 0; i < sizeof(stream); i++)
		stream[i] = (uint8_t)i;
	virtio_bench_interrupts(&bench->bench);
	header.size = sizeof(stream);
	header.type = P9_TREAD + 1;
	p9_header_put(stream, &header);
	for (unsigned i = 0; i < sizeof(stream); i++) {
		p9_silent(bench);
		p9_say(bench, stream + i, 1);
	}
	data = p9_answered(bench, token, sizeof(stream));
	ck_assert_mem_eq(data + 7, stream + 7, sizeof(stream) - 7);
	ck_assert_uint_eq(virtio_bench_interrupts(&bench->bench), 1);
	p9_bench_close(bench);
}
END_TEST

/* More than the socket holds, either way; the next request waits until the first is through. */
START_TEST(test_large)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message *message = malloc(sizeof(*message));
	struct p9_message *got = malloc(sizeof(*got));
	struct p9_header header;
	int small = 4096;
	uint8_t tokens[2];
	const uint8_t *data;

	setsockopt(bench->server, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	p9_begin(message, P9_TWRITE, 1);
	while (message->size + 2 <= P9_BENCH_MSIZE)
		p9_add(message, message->size * 7, 2);
	p9_end(message);
	tokens[0] = p9_ask(bench, message, P9_BENCH_ROOM);
	tokens[1] = p9_ask(bench, message, P9_BENCH_MSIZE);
	header = p9_take(bench, got);
	ck_assert_uint_eq(got->size, message->size);
	ck_assert_mem_eq(got->data + 7, message->data + 7, message->size - 7);
	/* The second has the first one's tag, which is in use. */
	p9_refused(bench, tokens[1], 1, EPROTO);
	p9_reply(bench, P9_TWRITE + 1, header.tag, 4, 0);
	p9_answered(bench, tokens[0], P9_HEADER_SIZE + 4);

	p9_put_le(message->data + 5, 2, 2);
	tokens[1] = p9_ask(bench, message, P9_BENCH_MSIZE);
	header = p9_take(bench, got);
	p9_reply(bench, P9_TWRITE + 1, header.tag, P9_BENCH_MSIZE - P9_HEADER_SIZE, 0x33);
	data = p9_answered(bench, tokens[1], P9_BENCH_MSIZE);
	for (unsigned i = P9_HEADER_SIZE; i < P9_BENCH_MSIZE; i += 4093)
		ck_assert_uint_eq(data[i], 0x33);
	free(message);
	free(got);
	p9_bench_close(bench);
}
END_TEST

/*
 * Whatever directory is asked for, the one that is shared is given; and servers
 * are told users by number, if the guest gives no more than a name.
 */
static const struct {
	const char *aname;
	bool squash;
	const char *uname;
	uint32_t n_uname;
	uint32_t uid;
} attach_rows[] = {
	{"", false, "root", 9999, 9999},
	{"", true, "root", 9999, 1234},
	{"/etc", false, "", 0, 0},
	{"ctl", true, "nobody", UINT32_MAX, 1234},
	{"/the/share/../..", false, "nobody", UINT32_MAX, 65534},
	{"", false, "root", UINT32_MAX, 0},
	{"", false, "rootx", UINT32_MAX, 65534},
	{"", false, "", UINT32_MAX, 65534},
	{"", false, "1000", UINT32_MAX, 1000},
	{"", false, "4294967295", UINT32_MAX, 65534},
	{"", false, "99999999999999999999999", UINT32_MAX, 65534},
	{"", false, "12a", UINT32_MAX, 65534},
};

START_TEST(test_attach)
{
	bool squash = attach_rows[_i].squash;
	struct p9_bench *bench = p9_bench_open(squash ? &p9_squash_kind : &p9_kind, true);
	struct p9_message expected;
	struct p9_message message;
	struct p9_message got;
	struct p9_header header;

	p9_begin(&message, P9_TATTACH, 3);
	p9_add(&message, 77, 4);
	p9_add(&message, UINT32_MAX, 4);
	p9_add_string(&message, attach_rows[_i].uname);
	expected = message;
	p9_add_string(&message, attach_rows[_i].aname);
	p9_add(&message, attach_rows[_i].n_uname, 4);
	p9_end(&message);
	p9_ask(bench, &message, P9_BENCH_ROOM);
	header = p9_take(bench, &got);
	p9_add_string(&expected, P9_BENCH_DIR);
	p9_add(&expected, attach_rows[_i].uid, 4);
	p9_end(&expected);
	ck_assert_uint_eq(header.type, P9_TATTACH);
	ck_assert_uint_eq(got.size, expected.size);
	ck_assert_mem_eq(got.data + 7, expected.data + 7, expected.size - 7);
	p9_bench_close(bench);
}
END_TEST

/* A lock from 3 on, of 5 bytes, by process 7 of "guest". */
static void lock_message(struct p9_message *message, uint8_t type)
{
	p9_begin(message, type, 12);
	p9_add(message, 77, 4);
	p9_add(message, 1, 1); /* for writing */
	if (type == P9_TLOCK)
		p9_add(message, 1, 4); /* to wait for */
	p9_add(message, 3, 8);
	p9_add(message, 5, 8);
	p9_add(message, 7, 4);
	p9_add_string(message, "guest");
	p9_end(message);
}

/* Locks are the guest's own: no server hears of them, and none stands in the way. */
START_TEST(test_locks)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message message;
	const uint8_t *answer;
	uint8_t token;

	lock_message(&message, P9_TLOCK);
	token = p9_ask(bench, &message, P9_BENCH_ROOM);
	answer = p9_answered(bench, token, P9_HEADER_SIZE + 1);
	ck_assert_uint_eq(answer[4], P9_TLOCK + 1);
	ck_assert_uint_eq(answer[5], 12);
	ck_assert_uint_eq(answer[P9_HEADER_SIZE], P9_LOCK_SUCCESS);
	lock_message(&message, P9_TGETLOCK);
	token = p9_ask(bench, &message, P9_BENCH_ROOM);
	answer = p9_answered(bench, token, (uint32_t)message.size - 4);
	ck_assert_uint_eq(answer[0], message.size - 4);
	ck_assert_uint_eq(answer[4], P9_TGETLOCK + 1);
	ck_assert_uint_eq(answer[P9_HEADER_SIZE], P9_LOCK_UNLCK);
	ck_assert_mem_eq(answer + P9_HEADER_SIZE + 1, message.data + P9_HEADER_SIZE + 5,
			 message.size - P9_HEADER_SIZE - 5);
	p9_take_none(bench);
	p9_bench_close(bench);
}
END_TEST

/* One byte less, or more, is no such request. */
START_TEST(test_bad_locks)
{
	static const uint8_t types[] = {P9_TLOCK, P9_TGETLOCK};
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message message;

	for (int change = -1; change <= 1; change += 2) {
		lock_message(&message, types[_i]);
		message.data[message.size] = 0;
		message.size += (size_t)change;
		p9_end(&message);
		p9_refused(bench, p9_ask(bench, &message, P9_BENCH_ROOM), 12, EPROTO);
	}
	lock_message(&message, types[_i]);
	message.data[message.size - strlen("guest") - 1] = 1; /* a name of 261 bytes */
	message.size += 256;
	p9_end(&message);
	p9_refused(bench, p9_ask(bench, &message, P9_BENCH_ROOM), 12, EPROTO);
	p9_take_none(bench);
	p9_bench_close(bench);
}
END_TEST

static void run_for_a_while(struct p9_bench *bench)
{
	for (unsigned i = 0; i < 200; i++) {
		virtio_bench_run(&bench->bench);
		usleep(1000);
	}
}

/* The server is silent, which is told, and answers after all; and the same once more. */
START_TEST(test_silent)
{
	struct p9_bench *bench;
	struct p9_message got;
	struct p9_header header;
	const char *said;

	p9_patience_ms = 30;
	bench = p9_bench_open(&p9_kind, true);
	capture_stderr();
	run_for_a_while(bench);
	for (uint16_t i = 1; i <= 2; i++) {
		p9_ask_small(bench, P9_TREAD, i);
		header = p9_take(bench, &got);
		run_for_a_while(bench);
		p9_reply(bench, P9_TREAD + 1, header.tag, 4, 0);
		run_for_a_while(bench);
	}
	said = captured_stderr();
	ck_assert_uint_eq(count_text(said, "\n"), 4);
	ck_assert_uint_eq(count_text(said,
				     "armlet: share0: its server has not answered for 1 s: "
				     "what the guest does in the share '" P9_BENCH_TAG "' waits\n"),
			  2);
	ck_assert_uint_eq(count_text(said, "armlet: share0: its server answers again\n"), 2);
	p9_bench_close(bench);
}
END_TEST

static uint8_t ask_flush(struct p9_bench *bench, uint16_t tag, uint16_t old)
{
	struct p9_message message;

	p9_begin(&message, P9_TFLUSH, tag);
	p9_add(&message, old, 2);
	p9_end(&message);
	return p9_ask(bench, &message, P9_BENCH_ROOM);
}

/* The request that was flushed comes back empty, and before Rflush. */
START_TEST(test_flush)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	uint8_t old = p9_ask_small(bench, P9_TREAD, 10);
	struct p9_message got;
	struct p9_header old_header = p9_take(bench, &got);
	struct p9_header header;
	uint8_t flush = ask_flush(bench, 11, 10);

	header = p9_take(bench, &got);
	ck_assert_uint_eq(header.type, P9_TFLUSH);
	ck_assert_uint_eq(got.data[7] | got.data[8] << 8, old_header.tag);
	p9_silent(bench);
	p9_reply(bench, P9_TFLUSH + 1, header.tag, 0, 0);
	p9_answered(bench, old, 0);
	ck_assert_uint_eq(p9_header_get(p9_answered(bench, flush, P9_HEADER_SIZE)).tag, 11);

	/* The tag is free, and so is the slot. */
	p9_ask_small(bench, P9_TREAD, 10);
	ck_assert_uint_eq(p9_take(bench, &got).tag, old_header.tag);
	p9_bench_close(bench);
}
END_TEST

/* The answer was on its way: both come, and until Rflush the tag is not used again. */
START_TEST(test_flush_too_late)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	uint8_t old = p9_ask_small(bench, P9_TREAD, 10);
	struct p9_message got;
	struct p9_header old_header = p9_take(bench, &got);
	uint8_t flush = ask_flush(bench, 11, 10);
	struct p9_header header = p9_take(bench, &got);
	uint8_t next;

	p9_reply(bench, P9_TREAD + 1, old_header.tag, 4, 0);
	p9_answered(bench, old, P9_HEADER_SIZE + 4);
	next = p9_ask_small(bench, P9_TREAD, 12);
	ck_assert_uint_ne(p9_take(bench, &got).tag, old_header.tag);
	p9_reply(bench, P9_TFLUSH + 1, header.tag, 0, 0);
	p9_answered(bench, flush, P9_HEADER_SIZE);
	p9_silent(bench);
	p9_reply(bench, P9_TREAD + 1, p9_header_get(got.data).tag, 4, 0);
	p9_answered(bench, next, P9_HEADER_SIZE + 4);

	/* Nothing has that tag: the server need not be asked. */
	flush = ask_flush(bench, 11, 10);
	ck_assert_uint_eq(p9_header_get(p9_answered(bench, flush, P9_HEADER_SIZE)).type,
			  P9_TFLUSH + 1);
	p9_take_none(bench);
	p9_bench_close(bench);
}
END_TEST

/* Two flushes of one request, the second one's answer first. */
START_TEST(test_flush_twice)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_message got;
	struct p9_header headers[2];
	uint8_t old = p9_ask_small(bench, P9_TREAD, 10);
	uint8_t flush[2];

	p9_take(bench, &got);
	for (unsigned i = 0; i < 2; i++) {
		flush[i] = ask_flush(bench, (uint16_t)(11 + i), 10);
		headers[i] = p9_take(bench, &got);
	}
	p9_reply(bench, P9_TFLUSH + 1, headers[1].tag, 0, 0);
	p9_answered(bench, old, 0);
	p9_answered(bench, flush[1], P9_HEADER_SIZE);
	p9_reply(bench, P9_TFLUSH + 1, headers[0].tag, 0, 0);
	p9_answered(bench, flush[0], P9_HEADER_SIZE);
	p9_bench_close(bench);
}
END_TEST

/* A new session: what the old one has in flight is over; late answers go nowhere. */
START_TEST(test_version_ends_all)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	uint8_t old = p9_ask_small(bench, P9_TREAD, 10);
	struct p9_message message;
	struct p9_message got;
	struct p9_header old_header = p9_take(bench, &got);
	struct p9_header header;
	uint8_t token;

	p9_begin(&message, P9_TVERSION, P9_NOTAG);
	p9_add(&message, 8192, 4);
	p9_add_string(&message, "9P2000.L");
	p9_end(&message);
	token = p9_ask(bench, &message, P9_BENCH_ROOM);
	p9_take(bench, &got);
	p9_silent(bench);
	p9_reply(bench, P9_TVERSION + 1, P9_NOTAG, 14, 0);
	p9_answered(bench, old, 0);
	p9_answered(bench, token, P9_HEADER_SIZE + 14);

	token = p9_ask_small(bench, P9_TREAD, 10);
	header = p9_take(bench, &got);
	ck_assert_uint_ne(header.tag, old_header.tag);
	p9_reply(bench, P9_TREAD + 1, old_header.tag, 4, 0xee);
	p9_silent(bench);
	p9_reply(bench, P9_TREAD + 1, header.tag, 8, 0x11);
	ck_assert_uint_eq(p9_answered(bench, token, P9_HEADER_SIZE + 8)[7], 0x11);
	p9_bench_close(bench);
}
END_TEST

/* All the device's requests in flight at once. */
START_TEST(test_full)
{
	struct p9_bench *bench = p9_bench_open(&p9_kind, true);
	struct p9_header headers[VIRTIO_BENCH_RING];
	uint8_t tokens[VIRTIO_BENCH_RING];
	struct p9_message got;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++)
			tokens[i] = p9_ask_small(bench, P9_TREAD, (uint16_t)i);
		for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++)
			headers[i] = p9_take(bench, &got);
		for (unsigned i = 0; i < VIRTIO_BENCH_RING; i++) {
			unsigned at = (i * 7 + round) % VIRTIO_BENCH_RING;

			p9_reply(bench, P9_TREAD + 1, headers[at].tag, 4, 0);
			p9_answered(bench, tokens[at], P9_HEADER_SIZE + 4);
		}
	}
	p9_bench_close(bench);
}
END_TEST

START_TEST(test_random)
{
	virtio_check_random(&p9_kind, (uint64_t)_i + 1, 2000);
}
END_TEST

START_TEST(test_save)
{
	virtio_check_save(&p9_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_reset)
{
	virtio_check_reset(&p9_kind, (uint64_t)_i + 1);
}
END_TEST

START_TEST(test_hostile_state)
{
	virtio_check_hostile_state(&p9_kind, (uint64_t)_i + 1);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_config),
	UNIT_LOOP(test_msize, ARRAY_SIZE(msize_rows)),
	UNIT_CASE(test_out_of_order),
	UNIT_CASE(test_cut_everywhere),
	UNIT_CASE(test_bytewise),
	UNIT_CASE(test_large),
	UNIT_LOOP(test_attach, ARRAY_SIZE(attach_rows)),
	UNIT_CASE(test_silent),
	UNIT_CASE(test_locks),
	UNIT_LOOP(test_bad_locks, 2),
	UNIT_CASE(test_flush),
	UNIT_CASE(test_flush_too_late),
	UNIT_CASE(test_flush_twice),
	UNIT_CASE(test_version_ends_all),
	UNIT_CASE(test_full),
	UNIT_LOOP(test_random, 4),
	UNIT_LOOP(test_save, 6),
	UNIT_LOOP(test_reset, 6),
	UNIT_LOOP(test_hostile_state, 2),
	{0},
};
const char unit_name[] = "virtio_9p";
