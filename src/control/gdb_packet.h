/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of gdb's remote serial protocol: $DATA#SUM, with } in front of what would end
 * them, each answered by + or - until both sides have agreed to leave that.
 */
#ifndef ARMLET_CONTROL_GDB_PACKET_H
#define ARMLET_CONTROL_GDB_PACKET_H

#include <stdio.h>

#include "base/util.h"

#define GDB_PACKET_MAX (128 * KIB) /* bytes of data, as they come */

enum gdb_input {
	GDB_NOTHING, /* so far */
	GDB_PACKET,  /* data and size have it, without what was in front of characters */
	GDB_DAMAGED, /* its sum was wrong, or it was too long: it is to be sent again */
	GDB_AGAIN,   /* we are to send again */
	GDB_INTERRUPT,
};

struct gdb_reader {
	enum { GDB_OUTSIDE, GDB_INSIDE, GDB_ESCAPED, GDB_SUM_1, GDB_SUM_2 } state;
	bool too_long;
	uint8_t sum;
	uint8_t wanted;
	size_t size;
	char *data; /* GDB_PACKET_MAX bytes and one, a NUL behind the packet */
};

int gdb_reader_init(struct gdb_reader *reader); /* -ENOMEM */
void gdb_reader_finish(struct gdb_reader *reader);
enum gdb_input gdb_reader_byte(struct gdb_reader *reader, uint8_t byte);

/* What is to be sent; grows. Once memory is out it takes no more, and is @failed. */
struct gdb_writer {
	char *data;
	size_t size;
	size_t room;
	size_t begun; /* where the packet that is being written begins */
	bool failed;
};

void gdb_writer_finish(struct gdb_writer *writer);

/* A packet, from its beginning to its end, and what is in it. */
void gdb_begin(struct gdb_writer *writer);
void gdb_end(struct gdb_writer *writer);
void gdb_put(struct gdb_writer *writer, const void *data, size_t size); /* escaped */
void gdb_put_hex(struct gdb_writer *writer, const void *data, size_t size);
void gdb_printf(struct gdb_writer *writer, const char *fmt, ...) PRINTF(2, 3);

/* Outside of packets: an acknowledgement, or a packet once more. */
void gdb_raw(struct gdb_writer *writer, const char *data, size_t size);

/* Reading what is in a packet. False: it is not there, and *at stays. */
bool gdb_take(const char **at, const char *word);
bool gdb_take_hex(const char **at, uint64_t *ret);

/* Pairs of digits, @size of them. */
bool gdb_take_bytes(const char **at, uint8_t *ret, size_t size);

#endif
