/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest's init writes, in pieces of any size. What comes out is written down as it would
 * go over the wire, so it has to be what went in.
 */
#include "trial/frames.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define STREAM_MAX (8 * (WIRE_HEADER + WIRE_PAYLOAD))

static struct frames frames;
static struct error err;

static uint8_t stream[STREAM_MAX], taken[STREAM_MAX];
static size_t stream_size, taken_size, taken_count;

static size_t put(uint8_t *bytes, uint32_t header, const uint8_t *payload, size_t size)
{
	for (size_t i = 0; i < WIRE_HEADER; i++)
		bytes[i] = (uint8_t)(header >> 8 * i);
	memcpy(bytes + WIRE_HEADER, payload, size);
	return WIRE_HEADER + size;
}

static void take(void *data, enum wire_kind kind, const uint8_t *payload, size_t size)
{
	ck_assert_ptr_eq(data, &taken);
	ck_assert_uint_le(size, WIRE_PAYLOAD);
	ck_assert_uint_le(taken_size + WIRE_HEADER + size, STREAM_MAX);
	taken_size += put(taken + taken_size, wire_pack(kind, size), payload, size);
	taken_count++;
}

static void begin(void)
{
	memset(&frames, 0, sizeof(frames));
	err = (struct error){0};
	taken_size = taken_count = 0;
}

/* A frame more in the stream; no two have the same payload. */
static void send(enum wire_kind kind, size_t size)
{
	static uint8_t payload[WIRE_PAYLOAD];

	for (size_t i = 0; i < size; i++)
		payload[i] = (uint8_t)(stream_size + 7 * i + i / 256);
	ck_assert_uint_le(stream_size + WIRE_HEADER + size, STREAM_MAX);
	stream_size += put(stream + stream_size, wire_pack(kind, size), payload, size);
}

static int feed(const uint8_t *bytes, size_t size)
{
	return frames_feed(&frames, bytes, size, take, &taken, &err);
}

/* All of the stream, @piece bytes at a time. */
static void feed_pieces(size_t piece)
{
	for (size_t at = 0; at < stream_size; at += piece)
		ck_assert_int_eq(feed(stream + at, min_u64(piece, stream_size - at)), 0);
}

static void check_all_came(size_t count)
{
	ck_assert_uint_eq(taken_count, count);
	ck_assert_uint_eq(taken_size, stream_size);
	ck_assert_mem_eq(taken, stream, stream_size);
	ck_assert_uint_eq(frames.have, 0);
}

/* The life of a test, with the smallest frames and the largest. */
static size_t send_life(void)
{
	static const struct {
		enum wire_kind kind;
		size_t size;
	} life[] = {
		{WIRE_HELLO, 6},
		{WIRE_KMSG, 80},
		{WIRE_STARTED, 0},
		{WIRE_STDOUT, 1},
		{WIRE_STDERR, 1},
		{WIRE_STDOUT, 0},
		{WIRE_STDOUT, WIRE_PAYLOAD},
		{WIRE_STDOUT, 3},
		{WIRE_KMSG, 0},
		{WIRE_STDERR, 77},
		{WIRE_STDERR, WIRE_PAYLOAD},
		{WIRE_SAY, 255},
		{WIRE_SAY, 256},
		{WIRE_SAY, 257},
		{WIRE_EXIT, 8},
	};

	stream_size = 0;
	for (size_t i = 0; i < ARRAY_SIZE(life); i++)
		send(life[i].kind, life[i].size);
	return ARRAY_SIZE(life);
}

static const size_t pieces[] = {
	1, 2, 3, 4, 5, 7, 64, 1000, WIRE_PAYLOAD, WIRE_PAYLOAD + WIRE_HEADER, STREAM_MAX};

START_TEST(test_pieces)
{
	size_t count = send_life();

	begin();
	feed_pieces(pieces[_i]);
	check_all_came(count);
	/* And nothing is left of it. */
	taken_size = taken_count = 0;
	feed_pieces(pieces[_i]);
	check_all_came(count);
}
END_TEST

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

/* A piece may end anywhere, and have the ends of many. */
START_TEST(test_random_pieces)
{
	uint32_t seed = (uint32_t)_i;
	size_t count = send_life();

	begin();
	for (size_t at = 0, piece; at < stream_size; at += piece) {
		uint32_t most = next_random(&seed) % 4 ? 16 : 20000;

		piece = min_u64(next_random(&seed) % most, stream_size - at);
		ck_assert_int_eq(feed(stream + at, piece), 0);
	}
	check_all_came(count);
}
END_TEST

/* A frame comes with its last byte, neither before nor after. */
START_TEST(test_when)
{
	stream_size = 0;
	send(WIRE_STARTED, 0);
	send(WIRE_STDOUT, 3);
	begin();
	for (size_t at = 0; at < stream_size; at++) {
		ck_assert_int_eq(feed(stream + at, 1), 0);
		ck_assert_uint_eq(taken_count, (size_t)(at + 1 >= 4) + (at + 1 >= 4 + 7));
	}
	ck_assert_int_eq(feed(stream, 0), 0);
	check_all_came(2);
}
END_TEST

static const struct {
	uint32_t header;
	const char *shown; /* NULL: it is taken */
} headers[] = {
	{WIRE_HELLO << 24 | WIRE_PAYLOAD, NULL},
	{WIRE_EXIT << 24, NULL},
	{WIRE_HELLO << 24 | (WIRE_PAYLOAD + 1), "(0x01004001)"},
	{WIRE_EXIT << 24 | (WIRE_PAYLOAD + 1), "(0x08004001)"},
	{WIRE_STDOUT << 24 | 0xffffff, "(0x03ffffff)"},
	{WIRE_STDOUT << 24 | 0x010000, "(0x03010000)"},
	{WIRE_STDIN << 24 | 1, "(0x09000001)"},
	{WIRE_SIZE << 24 | 4, "(0x0a000004)"},
	{WIRE_SIGNAL << 24 | 1, "(0x0b000001)"},
	{(uint32_t)WIRE_ACK << 24, "(0x0c000000)"},
	{0, "(0x00000000)"},
	{13u << 24, "(0x0d000000)"},
	{0x80u << 24, "(0x80000000)"},
	{UINT32_MAX, "(0xffffffff)"},
};

static void check_refused(int r, const char *shown)
{
	char says[ERROR_TEXT_MAX];

	snprintf(says, sizeof(says),
		 "the guest has written to the port armlet.trial what armlet's init never does %s",
		 shown);
	ck_assert_int_eq(r, -EPROTO);
	ck_assert_int_eq(err.code, EPROTO);
	ck_assert_str_eq(err.text, says);
}

/* What came before has come; what comes behind never does, and is refused by the same words. */
static void check_header(uint32_t header, const char *shown, size_t piece)
{
	size_t before, at;
	int r = 0;

	stream_size = 0;
	send(WIRE_STDOUT, 5);
	before = stream_size;
	stream_size += put(stream + stream_size, header, (const uint8_t *)"", 0);
	if (shown)
		send(WIRE_STDOUT, WIRE_PAYLOAD);
	begin();
	for (at = 0; at < stream_size && r == 0; at += piece)
		r = feed(stream + at, min_u64(piece, stream_size - at));
	if (!shown) {
		ck_assert_int_eq(r, 0);
		return;
	}
	check_refused(r, shown);
	/* With the header's last byte, not later. */
	ck_assert_uint_lt(at - piece, before + WIRE_HEADER);
	ck_assert_uint_ge(at, before + WIRE_HEADER);
	for (size_t again = 0; again < 3; again++) {
		err = (struct error){0};
		check_refused(feed(stream, again * before), shown);
	}
	ck_assert_uint_eq(taken_count, 1);
	ck_assert_uint_eq(taken_size, before);
	ck_assert_mem_eq(taken, stream, before);
}

START_TEST(test_headers)
{
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		check_header(headers[_i].header, headers[_i].shown, pieces[i]);
}
END_TEST

/* Little-endian, whatever the machine is. */
START_TEST(test_header_bytes)
{
	static const uint8_t bytes[] = {0x02, 0x00, 0x00, WIRE_SAY, 'h', 'i'};

	begin();
	ck_assert_int_eq(feed(bytes, sizeof(bytes)), 0);
	ck_assert_uint_eq(taken_count, 1);
	ck_assert_mem_eq(taken, bytes, sizeof(bytes));
	ck_assert_int_eq(wire_kind_of(wire_pack(WIRE_SAY, 258)), WIRE_SAY);
	ck_assert_uint_eq(wire_size_of(wire_pack(WIRE_SAY, 258)), 258);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_pieces, ARRAY_SIZE(pieces)),
	UNIT_LOOP(test_random_pieces, 50),
	UNIT_CASE(test_when),
	UNIT_LOOP(test_headers, ARRAY_SIZE(headers)),
	UNIT_CASE(test_header_bytes),
	{0},
};
const char unit_name[] = "frames";
