/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Asking many machines
 *
 * Each machine has a connection to its control socket, over which all questions go at
 * once; nobody is asked again who still owes an answer, and nobody is waited for longer
 * than TOP_PATIENCE_MS. So one that is stopped or stuck is told of as that, and the
 * others are not delayed by it.
 *
 * Threads: one.
 */
#ifndef ARMLET_CLI_TOP_ASK_H
#define ARMLET_CLI_TOP_ASK_H

#include <poll.h>

#include "control/qmp_link.h"
#include "top_print.h"

#define TOP_PATIENCE_MS 3000

struct top_entry {
	struct top_machine machine;
	struct qmp_link *link;     /* NULL: not connected */
	struct top_sample *coming; /* of the answers that are here */
	unsigned owed;             /* BIT(enum top_question): those that are not */
	int64_t asked_ms;
	bool found; /* it runs, as its place says */
};

struct top {
	struct top_entry *entries; /* in the order in which they were named or found */
	size_t count;
	const char *const *names; /* of all that are wanted */
	size_t name_count;        /* 0: whichever run */
};

/* @names outlive @top. -ENOENT: one of them does not run. */
int top_open(struct top *top, const char *const *names, size_t count, struct error *err);
void top_close(struct top *top);

/* See which machines run, and ask each that owes nothing. */
int top_ask(struct top *top, struct error *err);

/* Whether an answer may still come in time. */
bool top_is_owed(const struct top *top);

/*
 * Until something comes from a machine, or to one of @others as of poll(2), at most so
 * long; take what has come.
 */
int top_wait(struct top *top, struct pollfd *others, size_t other_count, int timeout_ms,
	     struct error *err);

#endif
