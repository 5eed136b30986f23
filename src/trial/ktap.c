/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A suite stands in front of its subtests, but its result comes behind them: its case is made
 * when its level opens, and waits in the level around it for the result.
 */
#include <stdio.h>
#include <string.h>

#include "ktap_private.h"

#define NUMBERS 1024 /* results of a level of which it is known whether they have come */

struct level {
	unsigned column;
	unsigned hashes;
	size_t suite;   /* whose subtests these are; KTAP_NONE */
	size_t last;    /* result; KTAP_NONE */
	size_t waiting; /* a case whose own level has been, or is, to the right; KTAP_NONE */
	bool ktap;      /* so results have numbers */
	bool tentative; /* a plan only, which may be a word of anybody */
	bool planned;
	uint32_t plan;
	uint32_t number; /* of the last result */
	uint64_t reported;
	uint8_t seen[NUMBERS / 8];
	bool announced; /* "# Subtest: NAME" of what is next */
	char name[KTAP_LINE_MAX];
};

struct ktap {
	bool seen;
	bool finished;
	bool behind_result; /* the line before was one: YAML may follow */
	bool in_yaml;
	size_t depth;
	struct level levels[KTAP_DEPTH_MAX];
	struct ktap_text log; /* lines that belong to what is next to end */
	struct ktap_cases cases;
};

int ktap_create(struct ktap **ret)
{
	struct ktap *ktap = calloc(1, sizeof(*ktap));

	if (!ktap)
		return -ENOMEM;
	ktap_cases_init(&ktap->cases);
	*ret = ktap;
	return 0;
}

void ktap_destroy(struct ktap *ktap)
{
	if (!ktap)
		return;
	ktap_text_free(&ktap->cases, &ktap->log);
	ktap_cases_finish(&ktap->cases);
	free(ktap);
}

static struct level *top(struct ktap *ktap)
{
	return &ktap->levels[ktap->depth - 1];
}

/* Nothing of it has come but, perhaps, its version and its name. */
static bool is_fresh(const struct level *level)
{
	return !level->planned && !level->reported && level->waiting == KTAP_NONE;
}

/* ---- Results ----------------------------------------------------------------------------- */

/* Count a result in; without a number, 0, it is the next one. */
static void note_number(struct level *level, uint32_t number)
{
	uint32_t bit;

	if (!number)
		number = level->number + 1;
	level->number = number;
	bit = number - 1;
	if (bit < NUMBERS) {
		if (level->seen[bit / 8] & 1 << bit % 8)
			return; /* told twice, so another one is missing */
		level->seen[bit / 8] |= (uint8_t)(1 << bit % 8);
	}
	level->reported++;
}

static void name_by_number(struct ktap *ktap, size_t at, uint32_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "test %u", number);
	ktap_cases_name(&ktap->cases, at, span_of(name));
}

/* A case that has failed with no result of its own. */
static void add_error(struct ktap *ktap, const struct level *level, const char *name,
		      struct span reason)
{
	size_t at = ktap_cases_add(&ktap->cases, level->suite, (unsigned)ktap->depth - 1);

	if (at == KTAP_NONE) {
		ktap->cases.lost++;
		ktap->cases.lost_failure = true;
		return;
	}
	ktap->cases.entries[at].told.result = KTAP_ERROR;
	ktap_cases_name(&ktap->cases, at, span_of(name));
	ktap_cases_reason(&ktap->cases, at, reason);
	/* It broke here. */
	ktap_cases_log(&ktap->cases, at, &ktap->log);
}

/* What waits in @level will have no result. */
static void abandon(struct ktap *ktap, struct level *level, const struct span *why)
{
	size_t at = level->waiting;

	level->waiting = KTAP_NONE;
	level->last = at;
	note_number(level, 0);
	ktap->cases.entries[at].told.result = KTAP_ERROR;
	ktap_cases_reason(&ktap->cases, at,
			  why ? *why : span_of("has begun, and never reported its result"));
	if (!*ktap->cases.entries[at].told.name)
		name_by_number(ktap, at, level->number);
	ktap_cases_log(&ktap->cases, at, &ktap->log);
}

static enum ktap_result result_of(const struct ktap_line *line)
{
	switch (line->directive) {
	case DIRECTIVE_SKIP:
		return KTAP_SKIPPED;
	case DIRECTIVE_XFAIL:
		return KTAP_XFAIL;
	case DIRECTIVE_TODO: /* one that passes already has passed */
		return line->ok ? KTAP_PASSED : KTAP_XFAIL;
	case DIRECTIVE_TIMEOUT:
		return KTAP_TIMEOUT;
	case DIRECTIVE_ERROR:
		return KTAP_ERROR;
	case DIRECTIVE_NONE:
		break;
	}
	return line->ok ? KTAP_PASSED : KTAP_FAILED;
}

static void take_result(struct ktap *ktap, struct level *level, const struct ktap_line *line)
{
	struct ktap_cases *cases = &ktap->cases;
	enum ktap_result result = result_of(line);
	size_t at = level->waiting;

	level->waiting = KTAP_NONE;
	note_number(level, line->numbered ? line->number : 0);
	if (at == KTAP_NONE)
		at = ktap_cases_add(cases, level->suite, (unsigned)ktap->depth - 1);
	level->last = at;
	ktap->behind_result = true;
	if (at == KTAP_NONE) {
		cases->lost++;
		cases->lost_failure |= ktap_is_failure(result);
		ktap_text_free(cases, &ktap->log);
		return;
	}
	ktap_cases_name(cases, at, line->name);
	if (!*cases->entries[at].told.name && level->announced)
		ktap_cases_name(cases, at, span_of(level->name));
	if (!*cases->entries[at].told.name)
		name_by_number(ktap, at, level->number);
	level->announced = false;
	if (result == KTAP_PASSED && cases->entries[at].skipped)
		result = KTAP_SKIPPED;
	cases->entries[at].told.result = result;
	ktap_cases_reason(cases, at, line->reason);
	ktap_cases_log(cases, at, &ktap->log);
	if (result == KTAP_XFAIL)
		ktap_cases_forgive(cases, at);
}

/* ---- The end of a level ------------------------------------------------------------------ */

static bool has_come(const struct level *level, uint32_t number)
{
	return level->seen[(number - 1) / 8] & 1 << (number - 1) % 8;
}

static void add_missing(struct ktap *ktap, struct level *level, struct span reason)
{
	uint64_t missing = level->plan - level->reported;
	char name[32];

	for (uint32_t i = 1, told = 0; i <= level->plan && i <= NUMBERS; i++) {
		if (has_come(level, i))
			continue;
		if (told++ == KTAP_MISSING_MAX)
			break;
		snprintf(name, sizeof(name), "test %u", i);
		add_error(ktap, level, name, reason);
		if (!--missing)
			return;
	}
	snprintf(name, sizeof(name), "%llu more tests", (unsigned long long)missing);
	add_error(ktap, level, name, reason);
}

/* A level that is complete gives nothing; @why: it was broken off. */
static void settle(struct ktap *ktap, struct level *level, const struct span *why)
{
	char reason[96];

	if (level->waiting != KTAP_NONE)
		abandon(ktap, level, why);
	if (level->planned && level->reported < level->plan) {
		add_missing(ktap, level, why ? *why : span_of("was planned, and never reported"));
	} else if (why) {
		return;
	} else if (level->planned && level->reported > level->plan) {
		snprintf(reason, sizeof(reason), "%u planned, but %llu reported", level->plan,
			 (unsigned long long)level->reported);
		add_error(ktap, level, "plan", span_of(reason));
	} else if (ktap->depth == 1 && is_fresh(level)) {
		add_error(ktap, level, "report", span_of("has begun, and told no result"));
	}
}

static void close_level(struct ktap *ktap, const struct span *why)
{
	struct level *level = top(ktap);

	if (!level->tentative)
		settle(ktap, level, why);
	if (ktap->depth == 1) {
		/* Nothing ends behind these lines. */
		if (level->last != KTAP_NONE)
			ktap_cases_log(&ktap->cases, level->last, &ktap->log);
		ktap_text_free(&ktap->cases, &ktap->log);
	}
	ktap->depth--;
}

static void close_to(struct ktap *ktap, size_t depth)
{
	while (ktap->depth > depth)
		close_level(ktap, NULL);
}

/* ---- The begin of a level ---------------------------------------------------------------- */

static struct level *push(struct ktap *ktap, const struct ktap_line *line, size_t suite)
{
	struct level *level = &ktap->levels[ktap->depth++];

	/* Not the whole structure: its name is long. */
	level->column = line->column;
	level->hashes = line->hashes;
	level->suite = suite;
	level->last = level->waiting = KTAP_NONE;
	level->ktap = level->tentative = level->planned = level->announced = false;
	level->plan = level->number = 0;
	level->reported = 0;
	memset(level->seen, 0, sizeof(level->seen));
	return level;
}

static bool is_below(struct ktap *ktap, const struct ktap_line *line)
{
	const struct level *level = top(ktap);

	return line->column > level->column && line->hashes >= level->hashes && !level->tentative;
}

/* False: there is no room for what comes. */
static bool open_below(struct ktap *ktap, const struct ktap_line *line)
{
	struct level *level = top(ktap);
	size_t suite;

	if (ktap->depth == KTAP_DEPTH_MAX) {
		ktap->cases.cut |= KTAP_CUT_DEPTH;
		return false;
	}
	/* A program that the runner quotes may report twice; it is one test all the same. */
	if (level->waiting != KTAP_NONE && line->hashes == level->hashes)
		abandon(ktap, level, NULL);
	suite = level->waiting;
	if (suite == KTAP_NONE)
		suite = ktap_cases_add(&ktap->cases, level->suite, (unsigned)ktap->depth - 1);
	if (suite == KTAP_NONE)
		return false;
	/* Should nothing more be said of it, it has failed. */
	ktap->cases.entries[suite].told.result = KTAP_ERROR;
	level->waiting = suite;
	if (level->announced)
		ktap_cases_name(&ktap->cases, suite, span_of(level->name));
	level->announced = false;
	ktap_cases_log(&ktap->cases, suite, &ktap->log);
	push(ktap, line, suite)->ktap = level->ktap;
	return true;
}

/* The number of levels up to the one in the line's column; 0: there is none. */
static size_t find(const struct ktap *ktap, const struct ktap_line *line)
{
	for (size_t i = ktap->depth; i > 0; i--) {
		const struct level *level = &ktap->levels[i - 1];

		if (level->column == line->column && level->hashes == line->hashes)
			return i;
	}
	return 0;
}

/* ---- Lines. Each of these is false where the line is not what it looks like. -------------- */

static bool on_version(struct ktap *ktap, const struct ktap_line *line)
{
	size_t at = find(ktap, line);

	if (at && is_fresh(&ktap->levels[at - 1])) {
		close_to(ktap, at);
	} else {
		while (ktap->depth && (top(ktap)->column >= line->column ||
				       top(ktap)->hashes > line->hashes || top(ktap)->tentative))
			close_level(ktap, NULL);
		if (!ktap->depth)
			push(ktap, line, KTAP_NONE);
		else if (!open_below(ktap, line))
			return false;
	}
	top(ktap)->ktap = line->ktap;
	ktap->seen = true;
	return true;
}

/* "1..0 # SKIP": in a subtest its result says so as well, at the outermost there is none. */
static void skip_all(struct ktap *ktap, struct level *level, const struct ktap_line *line)
{
	size_t at = level->suite;

	if (ktap->depth == 1) {
		ktap->seen = true;
		level->tentative = false;
		at = ktap_cases_add(&ktap->cases, KTAP_NONE, 0);
		if (at == KTAP_NONE)
			return;
		ktap_cases_name(&ktap->cases, at, span_of("all tests"));
		ktap->cases.entries[at].told.result = KTAP_SKIPPED;
	}
	ktap->cases.entries[at].skipped = true;
	ktap_cases_reason(&ktap->cases, at, line->reason);
}

static bool on_plan(struct ktap *ktap, const struct ktap_line *line)
{
	size_t at = find(ktap, line);
	struct level *level;

	if (at && ktap->levels[at - 1].tentative)
		ktap->levels[at - 1].planned = false;
	if (at && ktap->levels[at - 1].planned)
		return false;
	if (at) {
		close_to(ktap, at);
	} else if (!ktap->depth) {
		if (line->column || line->hashes)
			return false;
		push(ktap, line, KTAP_NONE)->tentative = true;
	} else if (!is_below(ktap, line) || !open_below(ktap, line)) {
		return false;
	}
	level = top(ktap);
	level->planned = true;
	level->plan = line->number;
	if (line->directive == DIRECTIVE_SKIP && !line->number && !level->reported)
		skip_all(ktap, level, line);
	return true;
}

static bool on_result(struct ktap *ktap, const struct ktap_line *line)
{
	bool first = line->numbered && line->number == 1;
	size_t at = find(ktap, line);
	struct level *level;

	if (!ktap->depth)
		return false;
	if (!at) {
		if (!is_below(ktap, line) || line->hashes != top(ktap)->hashes ||
		    !(first || top(ktap)->announced) || !open_below(ktap, line))
			return false;
	} else if ((ktap->levels[at - 1].ktap && !line->numbered) ||
		   (ktap->levels[at - 1].tentative && !first)) {
		return false;
	}
	close_to(ktap, at ? at : ktap->depth);
	level = top(ktap);
	level->tentative = false;
	ktap->seen = true;
	take_result(ktap, level, line);
	return true;
}

static void announce(struct level *level, struct span name)
{
	size_t size = min_u64(name.size, sizeof(level->name) - 1);

	memcpy(level->name, name.at, size);
	level->name[size] = '\0';
	level->announced = true;
}

/*
 * KUnit writes it in the column of the subtests, TAP 14 in that of the test to which they belong:
 * the first thing that a level without a name hears is its name.
 */
static bool on_subtest(struct ktap *ktap, const struct ktap_line *line)
{
	size_t at = find(ktap, line);
	bool was_announced;
	struct level *level;

	if (!ktap->depth || top(ktap)->tentative)
		return false;
	if (at) {
		close_to(ktap, at);
		level = top(ktap);
		if (level->suite != KTAP_NONE && is_fresh(level) &&
		    !*ktap->cases.entries[level->suite].told.name)
			ktap_cases_name(&ktap->cases, level->suite, line->name);
		else
			announce(level, line->name);
		return true;
	}
	was_announced = top(ktap)->announced;
	if (!is_below(ktap, line) || line->hashes != top(ktap)->hashes || !open_below(ktap, line))
		return false;
	level = top(ktap);
	if (was_announced)
		announce(level, line->name);
	else
		ktap_cases_name(&ktap->cases, level->suite, line->name);
	return true;
}

/* It ends what is in its column or around it: what a runner quotes does not end the runner. */
static bool on_bail(struct ktap *ktap, const struct ktap_line *line)
{
	char text[KTAP_LINE_MAX + 16];
	struct level *level;
	struct span why;
	size_t at = ktap->depth;

	while (at && (ktap->levels[at - 1].column > line->column ||
		      ktap->levels[at - 1].hashes > line->hashes))
		at--;
	if (!at || ktap->levels[at - 1].tentative)
		return false;
	snprintf(text, sizeof(text), "Bail out! %.*s", (int)line->reason.size, line->reason.at);
	why = span_trim(span_of(text));
	while (ktap->depth > at)
		close_level(ktap, &why);
	level = top(ktap);
	if (level->waiting == KTAP_NONE && !(level->planned && level->reported < level->plan))
		add_error(ktap, level, "Bail out!", why);
	close_level(ktap, &why);
	return true;
}

/* ---- Diagnostics ------------------------------------------------------------------------- */

static void on_other(struct ktap *ktap, const struct ktap_line *line)
{
	if (ktap->depth && !top(ktap)->tentative && line->kind != LINE_TOTALS &&
	    span_trim(line->text).size)
		ktap_text_add(&ktap->cases, &ktap->log, line->text);
}

/* TAP 13, "YAML blocks": behind the result to which they belong, and indented. */
static bool on_yaml(struct ktap *ktap, const struct ktap_line *line)
{
	if (!ktap->behind_result || !ktap->depth || line->column <= top(ktap)->column ||
	    top(ktap)->last == KTAP_NONE)
		return false;
	ktap->in_yaml = true;
	return true;
}

/* False: the block has ended, and the line is not of it. */
static bool in_yaml(struct ktap *ktap, const struct ktap_line *line)
{
	struct ktap_text text = {0};
	struct span trimmed = span_trim(line->text);

	if (line->column <= top(ktap)->column && line->kind != LINE_BLANK) {
		ktap->in_yaml = false;
		return false;
	}
	if (trimmed.size == 3 && !memcmp(trimmed.at, "...", 3)) {
		ktap->in_yaml = false;
		return true;
	}
	ktap_text_add(&ktap->cases, &text, line->text);
	ktap_cases_log(&ktap->cases, top(ktap)->last, &text);
	return true;
}

static bool dispatch(struct ktap *ktap, const struct ktap_line *line)
{
	switch (line->kind) {
	case LINE_VERSION:
		return on_version(ktap, line);
	case LINE_PLAN:
		return on_plan(ktap, line);
	case LINE_RESULT:
		return on_result(ktap, line);
	case LINE_SUBTEST:
		return on_subtest(ktap, line);
	case LINE_BAIL:
		return on_bail(ktap, line);
	case LINE_YAML:
		return on_yaml(ktap, line);
	case LINE_BLANK:
	case LINE_OTHER:
	case LINE_COMMENT:
	case LINE_TOTALS:
		break;
	}
	return false;
}

static void take_line(struct ktap *ktap, const uint8_t *bytes, size_t size)
{
	char text[KTAP_LINE_MAX];
	struct ktap_line line;

	while (size && bytes[size - 1] == '\r')
		size--;
	if (size > sizeof(text)) {
		ktap->cases.cut |= KTAP_CUT_LINE;
		size = sizeof(text);
	}
	for (size_t i = 0; i < size; i++)
		text[i] = bytes[i] ? (char)bytes[i] : '?';
	ktap_line_read(&line, (struct span){text, size});
	if (ktap->in_yaml && in_yaml(ktap, &line))
		return;
	if (line.kind != LINE_YAML && line.kind != LINE_RESULT)
		ktap->behind_result = false;
	if (!dispatch(ktap, &line))
		on_other(ktap, &line);
}

void ktap_line(struct ktap *ktap, const uint8_t *bytes, size_t size)
{
	while (size && !ktap->finished) {
		const uint8_t *end = memchr(bytes, '\n', size);
		size_t part = end ? (size_t)(end - bytes) : size;

		take_line(ktap, bytes, part);
		part += end != NULL;
		bytes += part;
		size -= part;
	}
}

void ktap_finish(struct ktap *ktap)
{
	if (!ktap->finished) {
		close_to(ktap, 0);
		ktap_cases_conclude(&ktap->cases);
	}
	ktap->finished = true;
}

/* ---- What was found ---------------------------------------------------------------------- */

bool ktap_seen(const struct ktap *ktap)
{
	return ktap->seen;
}

uint64_t ktap_cut(const struct ktap *ktap)
{
	return ktap->cases.cut;
}

struct ktap_totals ktap_totals(const struct ktap *ktap)
{
	return ktap->cases.totals;
}

const struct ktap_case *ktap_case_at(const struct ktap *ktap, size_t index)
{
	return index < ktap->cases.count ? &ktap->cases.entries[index].told : NULL;
}
