/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host or the user refuses: -errno for the caller, and one sentence
 * for the person, filled where the cause is known and printed once, by main()
 * or by the control socket. The sentence says what is wrong, where, and how to
 * mend it; it starts with the subject and ends without a full stop.
 */
#ifndef ARMLET_BASE_ERROR_H
#define ARMLET_BASE_ERROR_H

#include "base/util.h"

#define ERROR_TEXT_MAX 512

struct error {
	int code; /* positive errno, 0 when nothing failed */
	char text[ERROR_TEXT_MAX];
};

/*
 * Fill @err (NULL: nowhere) and return -@code, so that a function can end with
 * `return error_set(err, EINVAL, ...)`. A later call replaces the sentence.
 * Too long a sentence is cut. @code must be positive.
 */
int error_set(struct error *err, int code, const char *fmt, ...) PRINTF(3, 4);

/* The same, with ": " and the text of @code behind the sentence. */
int error_set_errno(struct error *err, int code, const char *fmt, ...) PRINTF(3, 4);

/* Put words in front of a sentence that is there already; returns -err->code. */
int error_prefix(struct error *err, const char *fmt, ...) PRINTF(2, 3);

#endif
