/* SPDX-License-Identifier: Apache-2.0 */
/* One line of KTAP or TAP by itself: what it may be; whether it is, the levels know. */
#ifndef ARMLET_TRIAL_KTAP_LINE_H
#define ARMLET_TRIAL_KTAP_LINE_H

#include "base/util.h"

struct span {
	const char *at;
	size_t size;
};

enum line_kind {
	LINE_BLANK,
	LINE_OTHER,
	LINE_COMMENT,
	LINE_SUBTEST, /* a comment: "# Subtest: NAME" */
	LINE_VERSION,
	LINE_PLAN,
	LINE_RESULT,
	LINE_BAIL,
	LINE_TOTALS, /* a comment that counts results, as kselftest and KUnit print them */
	LINE_YAML,   /* "---" */
};

enum directive {
	DIRECTIVE_NONE,
	DIRECTIVE_SKIP,
	DIRECTIVE_TODO,
	DIRECTIVE_XFAIL,
	DIRECTIVE_TIMEOUT,
	DIRECTIVE_ERROR,
};

struct ktap_line {
	enum line_kind kind;
	unsigned column; /* of its first sign, behind all indentation */
	unsigned hashes; /* "# " in the indentation */
	bool ktap;       /* the version is KTAP's, not TAP's */
	bool ok;
	bool numbered;
	uint32_t number; /* of a result; of a plan, how many */
	enum directive directive;
	struct span name;
	struct span reason;
	struct span text;      /* of a comment, behind "# "; of others the whole */
	unsigned inner_column; /* behind indentation and every "# " */
	struct span inner;     /* what is there */
};

/* @line points into @text. */
void ktap_line_read(struct ktap_line *line, struct span text);

struct span span_trim(struct span span);

static inline struct span span_of(const char *text)
{
	return (struct span){text, __builtin_strlen(text)};
}

#endif
