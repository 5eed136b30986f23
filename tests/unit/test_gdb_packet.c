/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of gdb's protocol, byte by byte. */
#include <string.h>

#include "gdb_packet.h"
#include "unit.h"

static const struct {
	const char *bytes;
	enum gdb_input last; /* after the last byte; before, nothing */
	const char *packet;
} rows[] = {
	{"$g#67", GDB_PACKET, "g"},
	{"$#00", GDB_PACKET, ""},
	{"+$g#67", GDB_PACKET, "g"},
	{"noise$g#67", GDB_PACKET, "g"},
	{"$X1,1:}\x03#a0", GDB_PACKET, "X1,1:#"},
	{"$X1,1:}]#fa", GDB_PACKET, "X1,1:}"},
	{"$qC#B4", GDB_PACKET, "qC"},
	{"$g#68", GDB_DAMAGED, NULL},
	{"$g#6x", GDB_DAMAGED, NULL},
	{"$g#x", GDB_DAMAGED, NULL},
	{"\x03", GDB_INTERRUPT, NULL},
	{"-", GDB_AGAIN, NULL},
	{"$g", GDB_NOTHING, NULL},
	{"", GDB_NOTHING, NULL},
};

START_TEST(test_reader)
{
	struct gdb_reader reader;
	enum gdb_input input = GDB_NOTHING;

	ck_assert_int_eq(gdb_reader_init(&reader), 0);
	for (const char *byte = rows[_i].bytes; *byte; byte++) {
		ck_assert_int_eq(input, GDB_NOTHING);
		input = gdb_reader_byte(&reader, (uint8_t)*byte);
	}
	ck_assert_int_eq(input, rows[_i].last);
	if (rows[_i].packet) {
		ck_assert_uint_eq(reader.size, strlen(rows[_i].packet));
		ck_assert_str_eq(reader.data, rows[_i].packet);
	}
	gdb_reader_finish(&reader);
}
END_TEST

/* One that is too long is damaged, and the next is read. */
START_TEST(test_too_long)
{
	struct gdb_reader reader;

	ck_assert_int_eq(gdb_reader_init(&reader), 0);
	gdb_reader_byte(&reader, '$');
	for (size_t i = 0; i <= GDB_PACKET_MAX; i++)
		ck_assert_int_eq(gdb_reader_byte(&reader, 0), GDB_NOTHING);
	gdb_reader_byte(&reader, '#');
	gdb_reader_byte(&reader, '0');
	ck_assert_int_eq(gdb_reader_byte(&reader, '0'), GDB_DAMAGED);
	for (const char *byte = "$g#6"; *byte; byte++)
		gdb_reader_byte(&reader, (uint8_t)*byte);
	ck_assert_int_eq(gdb_reader_byte(&reader, '7'), GDB_PACKET);
	gdb_reader_finish(&reader);
}
END_TEST

START_TEST(test_writer)
{
	struct gdb_writer writer = {0};

	gdb_raw(&writer, "+", 1);
	gdb_begin(&writer);
	gdb_printf(&writer, "T%02x", 5);
	gdb_put_hex(&writer, "\xab\x01", 2);
	gdb_put(&writer, "a#$}*b", 6);
	gdb_end(&writer);
	gdb_raw(&writer, "", 1);
	ck_assert(!writer.failed);
	ck_assert_str_eq(writer.data, "+$T05ab01a}\x03}\x04}]}\nb#02");
	gdb_writer_finish(&writer);
}
END_TEST

START_TEST(test_take)
{
	const char *at = "m1fF,0123456789abcdef0;zz";
	uint8_t bytes[2];
	uint64_t value;

	ck_assert(!gdb_take(&at, "x") && gdb_take(&at, "m"));
	ck_assert(gdb_take_hex(&at, &value) && value == 0x1ff);
	ck_assert(!gdb_take_hex(&at, &value) && gdb_take(&at, ","));
	ck_assert(gdb_take_hex(&at, &value) && value == 0x0123456789abcdef);
	ck_assert_str_eq(at, "0;zz");
	ck_assert(!gdb_take_bytes(&at, bytes, 1));
	at = "01fez";
	ck_assert(!gdb_take_bytes(&at, bytes, 3) && gdb_take_bytes(&at, bytes, 2));
	ck_assert(bytes[0] == 1 && bytes[1] == 0xfe && *at == 'z');
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_reader, ARRAY_SIZE(rows)),
	UNIT_CASE(test_too_long),
	UNIT_CASE(test_writer),
	UNIT_CASE(test_take),
	{0},
};
const char unit_name[] = "gdb_packet";
