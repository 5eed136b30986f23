/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a report of tests, line by line; then as JUnit, and as people read it. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "trial/junit.h"
#include "trial/ktap.h"
#include "trial/ktap_print.h"

/* What stands where in the array, and that the totals are those of the cases that count. */
static void check_cases(const struct ktap *ktap)
{
	struct ktap_totals totals = ktap_totals(ktap);
	uint64_t all = totals.passed + totals.failed + totals.skipped + totals.errors;
	uint64_t failures = totals.failed + totals.errors, open = 0;
	const struct ktap_case *at;

	for (size_t i = 0; (at = ktap_case_at(ktap, i)); i++) {
		FUZZ_ASSERT(i < KTAP_CASES_MAX && at->depth < KTAP_DEPTH_MAX);
		FUZZ_ASSERT(at->result < KTAP_RESULTS && *at->name);
		FUZZ_ASSERT(strlen(at->log) < KTAP_LOG_MAX && at->counts >= !at->is_suite);
		FUZZ_ASSERT(at->depth <= open);
		open = at->depth + 1;
		all -= at->counts;
		failures -= at->counts && ktap_is_failure(at->result);
		if (at->parent == KTAP_NONE) {
			FUZZ_ASSERT(!at->depth);
			continue;
		}
		FUZZ_ASSERT(at->parent < i);
		FUZZ_ASSERT(ktap_case_at(ktap, at->parent)->is_suite);
		FUZZ_ASSERT(ktap_case_at(ktap, at->parent)->depth + 1 == at->depth);
		if (ktap_is_failure(at->result))
			FUZZ_ASSERT(ktap_is_failure(ktap_case_at(ktap, at->parent)->result));
	}
	FUZZ_ASSERT(!all && !failures);
	FUZZ_ASSERT(ktap_seen(ktap) || !ktap_case_at(ktap, 0));
}

/* Of XML: only characters that it allows, and brackets that match. */
static void check_xml(const char *text, size_t size)
{
	bool inside = false;

	FUZZ_ASSERT(strlen(text) == size);
	for (; *text; text++) {
		FUZZ_ASSERT((uint8_t)*text >= ' ' || *text == '\n' || *text == '\t');
		FUZZ_ASSERT(*text != '<' || !inside);
		FUZZ_ASSERT(*text != '>' || inside);
		inside = *text == '<' || (inside && *text != '>');
	}
	FUZZ_ASSERT(!inside);
}

static void check_junit(const struct ktap *ktap)
{
	_cleanup_(cleanup_junit_destroy_) struct junit *junit = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	if (junit_begin(&junit, out, "fuzz") == 0) {
		junit_add_ktap(junit, ktap);
		FUZZ_ASSERT(junit_end(junit, NULL) == 0);
	}
	fclose(out);
	check_xml(text, size);
}

static void check_print(const struct ktap *ktap)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	ktap_print(ktap, out, false);
	fclose(out);
	for (const char *at = text; *at; at++)
		FUZZ_ASSERT(((uint8_t)*at >= ' ' && *at != 0x7f) || *at == '\n' || *at == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cleanup_ktap_destroy_) struct ktap *ktap = NULL;

	if (ktap_create(&ktap) < 0)
		return 0;
	ktap_line(ktap, data, size);
	ktap_finish(ktap);
	check_cases(ktap);
	check_junit(ktap);
	check_print(ktap);
	return 0;
}
