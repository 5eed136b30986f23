/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ktap_private.h"

#define CASES_FIRST 64
#define TEXT_FIRST  128

void ktap_cases_init(struct ktap_cases *cases)
{
	*cases = (struct ktap_cases){.text_left = KTAP_TEXT_MAX};
}

void ktap_cases_finish(struct ktap_cases *cases)
{
	for (size_t i = 0; i < cases->count; i++) {
		struct ktap_entry *entry = &cases->entries[i];

		/* An empty text is a constant. */
		if (*entry->told.name)
			free((char *)entry->told.name);
		if (*entry->told.reason)
			free((char *)entry->told.reason);
		free(entry->log.at);
	}
	free(cases->entries);
	*cases = (struct ktap_cases){0};
}

static bool grow(struct ktap_cases *cases)
{
	size_t room = cases->room ? 2 * cases->room : CASES_FIRST;
	struct ktap_entry *entries;

	if (cases->count < cases->room)
		return true;
	entries = reallocarray(cases->entries, room, sizeof(*entries));
	if (!entries)
		return false;
	cases->entries = entries;
	cases->room = room;
	return true;
}

size_t ktap_cases_add(struct ktap_cases *cases, size_t parent, unsigned depth)
{
	if (cases->count == KTAP_CASES_MAX || !grow(cases)) {
		cases->cut |= KTAP_CUT_CASES;
		return KTAP_NONE;
	}
	cases->entries[cases->count] = (struct ktap_entry){
		.told = {.name = "", .reason = "", .log = "", .parent = parent, .depth = depth},
	};
	return cases->count++;
}

/* ---- Texts ------------------------------------------------------------------------------ */

static char *unescape(struct span text)
{
	char *copy = malloc(text.size + 1);
	size_t size = 0;

	if (!copy)
		return NULL;
	for (size_t i = 0; i < text.size; i++) {
		if (text.at[i] == '\\' && i + 1 < text.size &&
		    (text.at[i + 1] == '#' || text.at[i + 1] == '\\'))
			i++;
		copy[size++] = text.at[i];
	}
	copy[size] = '\0';
	return copy;
}

static void set_text(struct ktap_cases *cases, const char **to, struct span text)
{
	char *copy;

	if (!text.size)
		return;
	copy = text.size < cases->text_left ? unescape(text) : NULL;
	if (!copy) {
		cases->cut |= KTAP_CUT_TEXT;
		return;
	}
	if (**to) {
		cases->text_left += strlen(*to) + 1;
		free((char *)*to);
	}
	cases->text_left -= strlen(copy) + 1;
	*to = copy;
}

void ktap_cases_name(struct ktap_cases *cases, size_t at, struct span name)
{
	set_text(cases, &cases->entries[at].told.name, name);
}

void ktap_cases_reason(struct ktap_cases *cases, size_t at, struct span reason)
{
	set_text(cases, &cases->entries[at].told.reason, reason);
}

static bool text_grow(struct ktap_cases *cases, struct ktap_text *text, size_t wanted)
{
	size_t room = text->room ? text->room : TEXT_FIRST;
	char *at;

	while (room < wanted)
		room *= 2;
	if (room == text->room)
		return true;
	if (room > KTAP_LOG_MAX || room - text->room > cases->text_left)
		return false;
	at = realloc(text->at, room);
	if (!at)
		return false;
	cases->text_left -= room - text->room;
	text->at = at;
	text->room = room;
	return true;
}

/* All of it or nothing: lines are not cut. */
static void text_append(struct ktap_cases *cases, struct ktap_text *text, struct span more)
{
	if (!text_grow(cases, text, text->size + more.size + 1)) {
		cases->cut |= KTAP_CUT_TEXT;
		return;
	}
	memcpy(text->at + text->size, more.at, more.size);
	text->size += more.size;
	text->at[text->size] = '\0';
}

void ktap_text_add(struct ktap_cases *cases, struct ktap_text *text, struct span line)
{
	if (!text_grow(cases, text, text->size + line.size + 2)) {
		cases->cut |= KTAP_CUT_TEXT;
		return;
	}
	text_append(cases, text, line);
	text_append(cases, text, (struct span){"\n", 1});
}

void ktap_text_free(struct ktap_cases *cases, struct ktap_text *text)
{
	free(text->at);
	cases->text_left += text->room;
	*text = (struct ktap_text){0};
}

void ktap_cases_log(struct ktap_cases *cases, size_t at, struct ktap_text *text)
{
	struct ktap_text *log = &cases->entries[at].log;

	if (!text->size)
		return;
	if (!log->size) {
		*log = *text;
		*text = (struct ktap_text){0};
	} else {
		text_append(cases, log, (struct span){text->at, text->size});
		ktap_text_free(cases, text);
	}
	cases->entries[at].told.log = log->at;
}

/* ---- Results ---------------------------------------------------------------------------- */

bool ktap_is_failure(enum ktap_result result)
{
	return result == KTAP_FAILED || result == KTAP_TIMEOUT || result == KTAP_ERROR;
}

void ktap_cases_forgive(struct ktap_cases *cases, size_t at)
{
	for (size_t i = at + 1; i < cases->count; i++) {
		struct ktap_case *told = &cases->entries[i].told;

		if (ktap_is_failure(told->result))
			told->result = KTAP_XFAIL;
	}
}

/* What found no room is told by the last case, which is one of them then. */
static void tell_lost(struct ktap_cases *cases)
{
	struct ktap_case *last;
	char name[64];

	if (!cases->lost || !cases->count)
		return;
	last = &cases->entries[cases->count - 1].told;
	cases->lost_failure |= ktap_is_failure(last->result);
	snprintf(name, sizeof(name), "%llu more", (unsigned long long)cases->lost + 1);
	last->parent = KTAP_NONE;
	last->depth = 0;
	last->result = cases->lost_failure ? KTAP_FAILED : KTAP_PASSED;
	ktap_cases_name(cases, cases->count - 1, span_of(name));
}

static void count_one(struct ktap_totals *totals, enum ktap_result result)
{
	totals->passed += result == KTAP_PASSED;
	totals->skipped += result == KTAP_SKIPPED || result == KTAP_XFAIL;
	totals->failed += result == KTAP_FAILED || result == KTAP_TIMEOUT;
	totals->errors += result == KTAP_ERROR;
}

void ktap_cases_conclude(struct ktap_cases *cases)
{
	tell_lost(cases);
	/* Subtests stand behind their suite, so from the end on they are known before it. */
	for (size_t i = cases->count; i-- > 0;) {
		struct ktap_entry *entry = &cases->entries[i];
		struct ktap_case *told = &entry->told;
		struct ktap_entry *parent;

		if (entry->has_fails && !ktap_is_failure(told->result)) {
			told->result = KTAP_FAILED;
			ktap_cases_reason(cases, i, span_of("a subtest has failed"));
		}
		told->counts =
			!told->is_suite || (ktap_is_failure(told->result) && !entry->has_fails);
		if (told->counts)
			count_one(&cases->totals, told->result);
		if (told->parent == KTAP_NONE)
			continue;
		parent = &cases->entries[told->parent];
		parent->told.is_suite = true;
		parent->has_fails |= ktap_is_failure(told->result);
	}
}
