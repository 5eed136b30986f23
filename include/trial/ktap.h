/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Results of tests, read from what the tests print
 *
 * The protocols are KTAP 1 (Linux, Documentation/dev-tools/ktap.rst) and TAP 13 and 14
 * (testanything.org), as KUnit, kselftest and ordinary programs write them, on their output or
 * in the kernel's log. Lines go in, an array of cases comes out, in which a suite stands in
 * front of its subtests.
 *
 * A level is a stream of results at one column. "# ", by which kselftest's runner marks what a
 * test has printed, is as wide as two blanks, so that all kinds of nesting are columns. A level
 * is opened at a column further to the right by a version line, a plan, "# Subtest:", or a
 * result with number 1; behind "# " only by the first two, as a result that is quoted there is
 * none. A result further to the left is that of the test whose subtests those were. All other
 * lines are diagnostics of the test that is next to end: where a stream breaks off, that is the
 * one that broke.
 *
 * Ordinary output with a line "ok 1" in it is no report. A report begins with a version line;
 * or, without one, with a plan at column 0 which says that all is skipped, or whose tests are
 * then reported from number 1 on. Before that nothing counts, and ktap_seen() is false.
 *
 * What a plan has announced and nobody reported, and what has begun and not ended, are cases
 * that failed: KTAP_ERROR. So is what else must not be taken for success: more results than were
 * planned, a report without any, "Bail out!".
 *
 * Who writes is not trusted: each size has a bound, and ktap_cut() tells which was met.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_KTAP_H
#define ARMLET_TRIAL_KTAP_H

#include "base/error.h"

#define KTAP_LINE_MAX    4096        /* bytes of a line that are looked at */
#define KTAP_DEPTH_MAX   16          /* levels */
#define KTAP_CASES_MAX   32768       /* that are kept */
#define KTAP_LOG_MAX     (64 * 1024) /* bytes of one case's diagnostics: their beginning */
#define KTAP_TEXT_MAX    (16 << 20)  /* bytes of all texts together */
#define KTAP_MISSING_MAX 64          /* of one plan that are told one by one */

/* What ktap_cut() tells. */
#define KTAP_CUT_LINE  BIT(0)
#define KTAP_CUT_DEPTH BIT(1) /* what is deeper is taken for diagnostics */
#define KTAP_CUT_CASES BIT(2) /* the rest is one case, which fails if any of them has failed */
#define KTAP_CUT_TEXT  BIT(3)

#define KTAP_NONE SIZE_MAX /* the parent of what has none */

enum ktap_result {
	KTAP_PASSED,
	KTAP_SKIPPED,
	KTAP_XFAIL, /* has failed, as XFAIL or TODO said it would: counted as skipped */
	KTAP_FAILED,
	KTAP_TIMEOUT, /* failed, as it took too long */
	KTAP_ERROR,   /* failed without a result of its own, or by the directive ERROR */
	KTAP_RESULTS,
};

/* Texts are never NULL, and may have any bytes but 0: who prints them has to take care. */
struct ktap_case {
	const char *name;   /* "test 3" if it has none */
	const char *reason; /* why it was skipped, or failed; "" */
	const char *log;    /* its diagnostics, each line with its \n; "" */
	size_t parent;      /* an index, less than its own; KTAP_NONE */
	unsigned depth;     /* 0: has no parent */
	enum ktap_result result;
	bool is_suite; /* has subtests; if one of them has failed, so has it */
	/* Among the totals: no suite, or one that failed by itself, with none of its subtests. */
	bool counts;
};

struct ktap_totals {
	uint64_t passed;
	uint64_t failed;
	uint64_t skipped;
	uint64_t errors; /* of KTAP_ERROR; not among those that failed */
};

struct ktap;

/* -ENOMEM. */
int ktap_create(struct ktap **ret);
void ktap_destroy(struct ktap *ktap); /* takes NULL */

/*
 * A line, with its end or without; more than one is taken apart. Memory that is not to be had is
 * a bound like the others.
 */
void ktap_line(struct ktap *ktap, const uint8_t *bytes, size_t size);

/* That was all: what has not reported is missing. What comes later is ignored. */
void ktap_finish(struct ktap *ktap);

/* There was a report. */
bool ktap_seen(const struct ktap *ktap);
uint64_t ktap_cut(const struct ktap *ktap);

/* Of what ktap_finish() has finished; 0 before. */
struct ktap_totals ktap_totals(const struct ktap *ktap);

/*
 * The case number @index; NULL: there are no more. It is good until the next line; results of
 * suites, is_suite and counts are known after ktap_finish().
 */
const struct ktap_case *ktap_case_at(const struct ktap *ktap, size_t index);

bool ktap_is_failure(enum ktap_result result);

DEFINE_CLEANUP(struct ktap *, ktap_destroy)

#endif
