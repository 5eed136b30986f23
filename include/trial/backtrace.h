/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames in the traces of a kernel's log, as "el0_svc_common.constprop.0+0x4c/0xf4", and the
 * source lines that vmlinux and addr2line(1) have for them:
 *
 *	backtrace_add(&backtrace, finding.trace);
 *	backtrace_ready(&backtrace);
 *	vmlinux_look_up(fd, &backtrace, &err);
 *	backtrace_take(&backtrace, what addr2line -a -f -i says of the addresses);
 *	backtrace_write(&backtrace, finding.trace, false, stdout);
 *
 * Nothing of the log or of addr2line is trusted. Frames are told apart by their names, so it does
 * not matter where the kernel has put itself; those of modules stay as they are.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_BACKTRACE_H
#define ARMLET_TRIAL_BACKTRACE_H

#include <stdio.h>

#include "base/util.h"

struct backtrace_frame {
	const char *symbol; /* in the trace, without an end of its own */
	size_t symbol_size;
	const char *module; /* NULL: of the kernel itself */
	size_t module_size;
	uint64_t offset;
	uint64_t size;     /* 0: any */
	uint64_t address;  /* of the symbol in vmlinux; 0: not known */
	uint64_t slack;    /* by how much that one is smaller */
	bool exact;        /* the address is not one to return to */
	bool is_register;  /* "pc : " or "lr : " */
	const char *lines; /* what is said of it; NULL: nothing */
};

struct backtrace {
	struct backtrace_frame *frames;
	size_t count;
	char *answer; /* of addr2line */
	char *base;   /* the folder of the kernel's source, with its / */
};

/* A line of a trace. */
struct backtrace_line {
	const char *text;
	size_t size; /* without its \n */
	bool is_frame;
	struct backtrace_frame frame;
};

/* Where one is in a trace: zeroed but for at. */
struct backtrace_cursor {
	const char *at;
	struct backtrace_frame pc; /* the last "pc : " */
	bool interrupted;          /* the next frame was, and calls nobody */
};

bool backtrace_next(struct backtrace_cursor *cursor, struct backtrace_line *ret);

/* A place in the source, of a frame or of what was inlined into it. */
struct backtrace_place {
	const char *function, *file; /* without ends of their own */
	size_t function_size, file_size;
	uint32_t line;
	bool inlined;
};

/* The next of what is said at *@lines, which may be NULL; false: that is all. */
bool backtrace_next_place(const struct backtrace *backtrace, const char **lines,
			  struct backtrace_place *ret);

/* @trace has to stay. -ENOMEM. */
int backtrace_add(struct backtrace *backtrace, const char *trace);

/* All are there: each is once then. -ENOMEM. */
int backtrace_ready(struct backtrace *backtrace);

/* What addr2line is to be asked about a frame whose address is known. */
uint64_t backtrace_address(const struct backtrace_frame *frame);

/* It returns to behind a function that never returns, and so the call was in the one before. */
bool backtrace_is_behind(const struct backtrace_frame *frame);

/* What it has said, of malloc(); the answer's from now on. Returns how many frames it knows. */
size_t backtrace_take(struct backtrace *backtrace, char *answer);

/* What is said of this frame; NULL: nothing. */
const char *backtrace_lines(const struct backtrace *backtrace, const struct backtrace_frame *frame);

/* @trace with the lines; @frames: without all that is no frame. */
void backtrace_write(const struct backtrace *backtrace, const char *trace, bool frames, FILE *out);

/* Takes a zeroed one. */
void backtrace_finish(struct backtrace *backtrace);

#endif
