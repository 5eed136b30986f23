/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the Fuchsia trace format (core/fxt.h), whoever has written it: what is not known
 * is passed over, and a file that ends in the midst of a record is read up to there.
 *
 * Threads: any.
 */
#ifndef ARMLET_CORE_FXT_READ_H
#define ARMLET_CORE_FXT_READ_H

#include "base/error.h"
#include "core/fxt.h"

#define FXT_ARGUMENTS_MAX 15

struct fxt_seen_argument {
	const char *name;
	uint64_t value; /* of a number; else 0 */
};

struct fxt_seen {
	enum fxt_event event;
	const char *category; /* "": it has none */
	const char *name;
	uint64_t process;
	uint64_t thread;
	uint64_t when;
	uint64_t last; /* the last word, of those that have one */
	unsigned count;
	struct fxt_seen_argument arguments[FXT_ARGUMENTS_MAX];
};

struct fxt_visitor {
	void (*frequency)(void *data, uint64_t ticks_per_second);
	void (*event)(void *data, const struct fxt_seen *seen);
	void *data;
};

/* -EINVAL with a sentence: that is no trace, or its records cannot be told apart. */
int fxt_read(const void *bytes, size_t size, const struct fxt_visitor *visitor, struct error *err);

/* The argument's value; false: the event has none of that name. */
bool fxt_argument(const struct fxt_seen *seen, const char *name, uint64_t *ret);

#endif
