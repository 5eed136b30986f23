/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: What `armlet test` and the init in its guest say to each other
 *
 * One virtio port carries everything, in frames: a header of a word, then the payload. So
 * whatever the command printed comes before the word that it has ended, and its two outputs
 * stay apart. The frames of a direction are in order; neither side waits for the other but
 * for room.
 *
 *	guest to host
 *	  HELLO      the guest is up: the kernel's release, as text
 *	  STARTED    the command runs
 *	  STDOUT     bytes of the command's outputs
 *	  STDERR
 *	  KMSG       one record of the kernel's log, as /dev/kmsg has it
 *	  NOTE       a sentence about what is otherwise than was asked for
 *	  SAY        a sentence about what failed: the command cannot be run
 *	  EXIT       struct wire_exit: the verdict, after all of the above
 *	host to guest
 *	  STDIN      bytes for the command; none: that was all of them
 *	  SIZE       struct wire_size: of the terminal
 *	  SIGNAL     a byte: the signal's number, for the command
 *	  ACK        the verdict has arrived: the guest may power off
 *
 * The header is little-endian: the payload's size in the low 24 bits, the kind above. This
 * header is the init's as well, which is built without a C library.
 */
#ifndef ARMLET_TRIAL_WIRE_H
#define ARMLET_TRIAL_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_PORT    "armlet.trial" /* the port's name */
#define WIRE_HEADER  4              /* bytes */
#define WIRE_PAYLOAD 16384          /* bytes, at most */

enum wire_kind {
	WIRE_HELLO = 1,
	WIRE_STARTED,
	WIRE_STDOUT,
	WIRE_STDERR,
	WIRE_KMSG,
	WIRE_NOTE,
	WIRE_SAY,
	WIRE_EXIT,
	WIRE_STDIN,
	WIRE_SIZE,
	WIRE_SIGNAL,
	WIRE_ACK,
};

/* How the command ended. */
enum wire_end {
	WIRE_END_EXITED,    /* value: its status */
	WIRE_END_SIGNALLED, /* value: the signal */
	WIRE_END_NOT_RUN,   /* value: errno of execve(2), or of what has to be done before */
	WIRE_END_SET_UP,    /* value: errno; a SAY says what failed before there was a command */
};

struct wire_exit {
	uint32_t end; /* enum wire_end */
	uint32_t value;
};

struct wire_size {
	uint16_t columns;
	uint16_t rows;
};

static inline uint32_t wire_pack(enum wire_kind kind, size_t size)
{
	return (uint32_t)kind << 24 | (uint32_t)size;
}

static inline enum wire_kind wire_kind_of(uint32_t header)
{
	return (enum wire_kind)(header >> 24);
}

static inline size_t wire_size_of(uint32_t header)
{
	return header & 0xffffff;
}

#endif
