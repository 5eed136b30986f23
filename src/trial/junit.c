/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/junit.h"

#include <inttypes.h>
#include <string.h>

#include "trial/utf8.h"

/* A file in memory. */
struct sheet {
	FILE *to;
	char *bytes;
	size_t size;
};

struct counts {
	uint64_t tests, failures, errors, skipped, time_us;
};

struct junit {
	FILE *out;
	char *name;
	struct sheet suites; /* those that are complete, with their heads */
	struct sheet cases;  /* of the one that is not */
	bool open;
	char *suite;
	int64_t suite_us;
	struct counts counts; /* of the suite */
	struct counts all;
	int failed; /* errno */
};

/* ---- XML --------------------------------------------------------------------------------- */

static bool is_char(uint32_t c)
{
	return (c >= 0x20 && c != 0xfffe && c != 0xffff) || c == '\t' || c == '\n' || c == '\r';
}

/* A reference, where the character itself would be read as another. NULL: it is itself. */
static const char *reference(uint32_t c, bool attribute)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>': /* "]]>" must not stand in a text */
		return "&gt;";
	case '"':
		return attribute ? "&quot;" : NULL;
	case '\r': /* 2.11: the end of a line would become \n, */
		return "&#13;";
	case '\n': /* 3.3.3: and each blank in an attribute a space */
		return attribute ? "&#10;" : NULL;
	case '\t':
		return attribute ? "&#9;" : NULL;
	default:
		return NULL;
	}
}

static void put_text(FILE *to, const char *text, bool attribute)
{
	while (*text) {
		uint32_t c = 0;
		size_t size = utf8_take(text, &c);
		const char *instead =
			size && is_char(c) ? reference(c, attribute) : UTF8_REPLACEMENT;

		size = size ? size : 1;
		if (instead)
			fputs(instead, to);
		else
			fwrite(text, 1, size, to);
		text += size;
	}
}

static void put_attribute(FILE *to, const char *name, const char *value)
{
	fprintf(to, " %s=\"", name);
	put_text(to, value, true);
	fputc('"', to);
}

/* Seconds; not by %f, whose point is the locale's. */
static void put_time(FILE *to, uint64_t us)
{
	fprintf(to, " time=\"%" PRIu64 ".%06" PRIu64 "\"", us / 1000000, us % 1000000);
}

static void put_counts(FILE *to, const struct counts *counts)
{
	fprintf(to,
		" tests=\"%" PRIu64 "\" failures=\"%" PRIu64 "\" errors=\"%" PRIu64
		"\" skipped=\"%" PRIu64 "\"",
		counts->tests, counts->failures, counts->errors, counts->skipped);
	put_time(to, counts->time_us);
}

/* ---- Files in memory --------------------------------------------------------------------- */

static bool sheet_open(struct sheet *sheet)
{
	sheet->to = open_memstream(&sheet->bytes, &sheet->size);
	return sheet->to != NULL;
}

static void sheet_free(struct sheet *sheet)
{
	if (sheet->to)
		fclose(sheet->to);
	free(sheet->bytes);
	*sheet = (struct sheet){0};
}

/* Write what was written to @sheet, and make it anew if it is to be used again. */
static void sheet_empty(struct junit *junit, struct sheet *sheet, FILE *to, bool again)
{
	bool lost = fflush(sheet->to) || ferror(sheet->to);

	if (!lost)
		fwrite(sheet->bytes, 1, sheet->size, to);
	sheet_free(sheet);
	if (lost || (again && !sheet_open(sheet)))
		junit->failed = ENOMEM;
}

/* ---- Suites ------------------------------------------------------------------------------ */

int junit_begin(struct junit **ret, FILE *out, const char *name)
{
	_cleanup_(cleanup_junit_destroy_) struct junit *junit = calloc(1, sizeof(*junit));

	if (!junit)
		return -ENOMEM;
	junit->out = out;
	junit->name = strdup(name);
	if (!junit->name || !sheet_open(&junit->suites) || !sheet_open(&junit->cases))
		return -ENOMEM;
	*ret = steal_ptr(&junit);
	return 0;
}

void junit_destroy(struct junit *junit)
{
	if (!junit)
		return;
	sheet_free(&junit->suites);
	sheet_free(&junit->cases);
	free(junit->suite);
	free(junit->name);
	free(junit);
}

static void end_suite(struct junit *junit)
{
	FILE *to = junit->suites.to;
	struct counts *counts = &junit->counts, *all = &junit->all;

	if (!junit->open || junit->failed)
		return;
	if (junit->suite_us >= 0)
		counts->time_us = (uint64_t)junit->suite_us;
	fputs("  <testsuite", to);
	put_attribute(to, "name", junit->suite);
	put_counts(to, counts);
	fputs(">\n", to);
	sheet_empty(junit, &junit->cases, to, true);
	fputs("  </testsuite>\n", to);
	all->tests += counts->tests;
	all->failures += counts->failures;
	all->errors += counts->errors;
	all->skipped += counts->skipped;
	all->time_us += counts->time_us;
	*counts = (struct counts){0};
	junit->open = false;
}

void junit_suite(struct junit *junit, const char *name, int64_t time_us)
{
	end_suite(junit);
	free(junit->suite);
	junit->suite = strdup(name);
	if (!junit->suite)
		junit->failed = ENOMEM;
	junit->suite_us = time_us;
	junit->open = true;
}

/* ---- Cases ------------------------------------------------------------------------------- */

struct outcome {
	const char *element; /* NULL: none */
	const char *message; /* where there is none */
};

static const struct outcome outcomes[KTAP_RESULTS] = {
	[KTAP_SKIPPED] = {"skipped", NULL},
	[KTAP_XFAIL] = {"skipped", "failed, as was expected"},
	[KTAP_FAILED] = {"failure", "failed"},
	[KTAP_TIMEOUT] = {"failure", "took too long"},
	[KTAP_ERROR] = {"error", "has no result"},
};

static void count(struct junit *junit, const struct junit_case *add)
{
	struct counts *counts = &junit->counts;

	counts->tests++;
	counts->failures += add->result == KTAP_FAILED || add->result == KTAP_TIMEOUT;
	counts->errors += add->result == KTAP_ERROR;
	counts->skipped += add->result == KTAP_SKIPPED || add->result == KTAP_XFAIL;
	if (add->time_us > 0)
		counts->time_us += (uint64_t)add->time_us;
}

static void put_outcome(FILE *to, const struct junit_case *add)
{
	const struct outcome *outcome = &outcomes[add->result];
	const char *message = add->message && *add->message ? add->message : outcome->message;

	if (!outcome->element)
		return;
	fprintf(to, "      <%s", outcome->element);
	if (message)
		put_attribute(to, "message", message);
	fputs("/>\n", to);
}

void junit_add_case(struct junit *junit, const struct junit_case *add)
{
	FILE *to;

	if (!junit->open)
		junit_suite(junit, junit->name, -1);
	if (junit->failed)
		return;
	to = junit->cases.to;
	count(junit, add);
	fputs("    <testcase", to);
	put_attribute(to, "name", add->name);
	put_attribute(to, "classname", add->classname ? add->classname : junit->suite);
	put_time(to, add->time_us > 0 ? (uint64_t)add->time_us : 0);
	if (!outcomes[add->result].element && !(add->text && *add->text)) {
		fputs("/>\n", to);
		return;
	}
	fputs(">\n", to);
	put_outcome(to, add);
	if (add->text && *add->text) {
		fputs("      <system-out>", to);
		put_text(to, add->text, false);
		fputs("</system-out>\n", to);
	}
	fputs("    </testcase>\n", to);
}

static void put_path(FILE *to, const struct ktap *ktap, size_t index)
{
	const char *names[KTAP_DEPTH_MAX] = {0};
	size_t count = 0;

	while (index != KTAP_NONE && count < ARRAY_SIZE(names)) {
		const struct ktap_case *at = ktap_case_at(ktap, index);

		names[count++] = at->name;
		index = at->parent;
	}
	while (count-- > 0)
		fprintf(to, "%s%s", names[count], count ? "." : "");
}

static void add_one(struct junit *junit, const struct ktap *ktap, const struct ktap_case *at)
{
	struct sheet path = {0};

	if (at->parent != KTAP_NONE) {
		if (!sheet_open(&path)) {
			junit->failed = ENOMEM;
			return;
		}
		put_path(path.to, ktap, at->parent);
		if (fflush(path.to))
			junit->failed = ENOMEM;
	}
	junit_add_case(junit, &(struct junit_case){
				      .name = at->name,
				      .classname = path.bytes,
				      .result = at->result,
				      .message = at->reason,
				      .text = at->log,
				      .time_us = -1,
			      });
	sheet_free(&path);
}

void junit_add_ktap(struct junit *junit, const struct ktap *ktap)
{
	const struct ktap_case *at;

	for (size_t i = 0; !junit->failed && (at = ktap_case_at(ktap, i)); i++) {
		if (at->counts)
			add_one(junit, ktap, at);
	}
}

int junit_end(struct junit *junit, struct error *err)
{
	FILE *out = junit->out;

	end_suite(junit);
	if (junit->failed)
		return error_set_errno(err, junit->failed, "the results cannot be put together");
	errno = 0;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
	put_attribute(out, "name", junit->name);
	put_counts(out, &junit->all);
	fputs(">\n", out);
	sheet_empty(junit, &junit->suites, out, false);
	fputs("</testsuites>\n", out);
	if (junit->failed)
		return error_set_errno(err, junit->failed, "the results cannot be put together");
	if (fflush(out) || ferror(out))
		return error_set_errno(err, errno ? errno : EIO,
				       "the file of results cannot be written");
	return 0;
}
