/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/ktap_print.h"

#include <inttypes.h>
#include <string.h>

#include "trial/utf8.h"

#define COLUMNS  60 /* DIVIDER of kunit_parser.py */
#define RULE_MIN 3  /* signs on each side of a title, however long it is */

struct printer {
	const struct ktap *ktap;
	FILE *out;
	bool colours;
};

struct style {
	const char *word;
	const char *colour; /* ECMA-48, 8.3.117: SGR */
};

static const struct style styles[KTAP_RESULTS] = {
	[KTAP_PASSED] = {"[PASSED]", "\33[1;32m"},   [KTAP_SKIPPED] = {"[SKIPPED]", "\33[1;33m"},
	[KTAP_XFAIL] = {"[XFAIL]", "\33[1;33m"},     [KTAP_FAILED] = {"[FAILED]", "\33[1;31m"},
	[KTAP_TIMEOUT] = {"[TIMEOUT]", "\33[1;31m"}, [KTAP_ERROR] = {"[ERROR]", "\33[1;31m"},
};

static bool is_shown(uint32_t c)
{
	return (c >= ' ' && c < 0x7f) || c >= 0xa0 || c == '\t' || c == '\n';
}

/* Returns the number of characters. */
static size_t put_safe(FILE *out, const char *text)
{
	size_t count = 0;

	for (; *text; count++) {
		uint32_t c = 0;
		size_t size = utf8_take(text, &c);

		if (!size || !is_shown(c))
			fputc('?', out);
		else
			fwrite(text, 1, size, out);
		text += size ? size : 1;
	}
	return count;
}

static size_t count_safe(const char *text)
{
	size_t count = 0;

	for (; *text; count++) {
		uint32_t c;
		size_t size = utf8_take(text, &c);

		text += size ? size : 1;
	}
	return count;
}

static void put_rule(FILE *out, size_t signs)
{
	while (signs-- > 0)
		fputc('=', out);
}

static void put_word(const struct printer *to, enum ktap_result result)
{
	const struct style *style = &styles[result];

	fprintf(to->out, "%s%s%s", to->colours ? style->colour : "", style->word,
		to->colours ? "\33[0m" : "");
}

/* "====== title ======": the signs in front; those behind are in *ret. */
static size_t split_rule(size_t title, size_t *ret)
{
	size_t both = title + 2 < COLUMNS ? COLUMNS - title - 2 : 0;
	size_t left = max_u64(both / 2, RULE_MIN);

	*ret = both > left + RULE_MIN ? both - left : RULE_MIN;
	return left;
}

static void begin_suite(const struct printer *to, const struct ktap_case *at, uint64_t subtests)
{
	char number[48];
	int size = snprintf(number, sizeof(number), " (%" PRIu64 " subtest%s)", subtests,
			    subtests == 1 ? "" : "s");
	size_t behind, before = split_rule(count_safe(at->name) + (size_t)size, &behind);

	put_rule(to->out, before);
	fputc(' ', to->out);
	put_safe(to->out, at->name);
	fprintf(to->out, "%s ", number);
	put_rule(to->out, behind);
	fputc('\n', to->out);
}

static void end_suite(const struct printer *to, const struct ktap_case *at)
{
	size_t word = strlen(styles[at->result].word);
	size_t behind, before = split_rule(word + 1 + count_safe(at->name), &behind);

	put_rule(to->out, before);
	fputc(' ', to->out);
	put_word(to, at->result);
	fputc(' ', to->out);
	put_safe(to->out, at->name);
	fputc(' ', to->out);
	put_rule(to->out, behind);
	fputc('\n', to->out);
}

static void put_reason(const struct printer *to, const struct ktap_case *at)
{
	put_safe(to->out, at->log);
	if (!*at->reason)
		return;
	put_safe(to->out, at->reason);
	fputc('\n', to->out);
}

/* What happened is told in front of the result, as it was there. */
static void put_test(const struct printer *to, const struct ktap_case *at)
{
	if (ktap_is_failure(at->result))
		put_reason(to, at);
	put_word(to, at->result);
	fputc(' ', to->out);
	put_safe(to->out, at->name);
	fputc('\n', to->out);
}

/* Close the suites from @at, the innermost one, up to those around @outer. */
static void end_suites(const struct printer *to, size_t at, size_t outer)
{
	while (at != KTAP_NONE && at != outer) {
		const struct ktap_case *suite = ktap_case_at(to->ktap, at);

		if (suite->counts)
			put_reason(to, suite);
		end_suite(to, suite);
		at = suite->parent;
	}
}

/* What has the same depth or less ends the search: subtests stand in one piece. */
static uint64_t count_subtests(const struct ktap *ktap, size_t index)
{
	unsigned depth = ktap_case_at(ktap, index)->depth;
	const struct ktap_case *at;
	uint64_t count = 0;

	for (size_t i = index + 1; (at = ktap_case_at(ktap, i)) && at->depth > depth; i++)
		count += at->depth == depth + 1;
	return count;
}

static void put_totals(const struct printer *to)
{
	struct ktap_totals totals = ktap_totals(to->ktap);
	const struct {
		const char *name;
		uint64_t count;
	} parts[] = {
		{"passed", totals.passed},
		{"failed", totals.failed},
		{"skipped", totals.skipped},
		{"errors", totals.errors},
	};
	uint64_t all = totals.passed + totals.failed + totals.skipped + totals.errors;
	const char *between = ":";

	put_rule(to->out, COLUMNS);
	fprintf(to->out, "\nTesting complete. Ran %" PRIu64 " test%s", all, all == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!parts[i].count)
			continue;
		fprintf(to->out, "%s %s: %" PRIu64, between, parts[i].name, parts[i].count);
		between = ",";
	}
	fputc('\n', to->out);
}

void ktap_print(const struct ktap *ktap, FILE *out, bool colours)
{
	struct printer to = {.ktap = ktap, .out = out, .colours = colours};
	const struct ktap_case *at;
	size_t open = KTAP_NONE;

	put_rule(out, COLUMNS);
	fputc('\n', out);
	for (size_t i = 0; (at = ktap_case_at(ktap, i)); i++) {
		end_suites(&to, open, at->parent);
		open = at->parent;
		if (!at->is_suite) {
			put_test(&to, at);
			continue;
		}
		begin_suite(&to, at, count_subtests(ktap, i));
		open = i;
	}
	end_suites(&to, open, KTAP_NONE);
	put_totals(&to);
}
