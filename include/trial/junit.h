/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results as XML of JUnit, in the dialect of Maven's surefire that CI systems read: testsuites,
 * testsuite, testcase; failure, error and skipped with a message; what was printed as system-out.
 *
 * The counts stand in front of what they count, so all is kept in memory up to the end. Texts may
 * have any bytes: what is no UTF-8, or no character of XML 1.0 (section 2.2), becomes U+FFFD.
 *
 *	junit_begin(&junit, out, "armlet");
 *	junit_suite(junit, "boot", -1);
 *	junit_add_case(junit, &(struct junit_case){.name = "panic", ...});
 *	junit_suite(junit, "kunit", 1500000);
 *	junit_add_ktap(junit, ktap);
 *	r = junit_end(junit, &err);
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_JUNIT_H
#define ARMLET_TRIAL_JUNIT_H

#include <stdio.h>

#include "trial/ktap.h"

struct junit;

struct junit_case {
	const char *name;
	const char *classname; /* NULL: the suite's name */
	enum ktap_result result;
	const char *message; /* of a result that is not KTAP_PASSED; NULL */
	const char *text;    /* NULL */
	int64_t time_us;     /* < 0: not known */
};

/* What follows goes to @out, which stays the caller's. -ENOMEM. */
int junit_begin(struct junit **ret, FILE *out, const char *name);
void junit_destroy(struct junit *junit); /* takes NULL; nothing is written */

/* A suite of the file; what was before it is complete. @time_us < 0: the sum of its cases'. */
void junit_suite(struct junit *junit, const char *name, int64_t time_us);

/* In the last suite, or in one that has the file's name. */
void junit_add_case(struct junit *junit, const struct junit_case *add);

/*
 * The cases of a finished report that count, each with the path of its parents, with dots between
 * them, as its classname.
 */
void junit_add_ktap(struct junit *junit, const struct ktap *ktap);

/*
 * Write the file. Failures of @out, also from before, are found here: -errno with a sentence.
 * @junit must be destroyed all the same.
 */
int junit_end(struct junit *junit, struct error *err);

DEFINE_CLEANUP(struct junit *, junit_destroy)

#endif
