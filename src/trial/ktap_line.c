/* SPDX-License-Identifier: Apache-2.0 */
#include "ktap_line.h"

#include <string.h>
#include <strings.h>

#define DIGITS  9 /* of a number: it has room in 32 bits */
#define TAB     8
#define COMMENT "# "

static const struct {
	const char *word;
	enum directive directive;
	bool prefix; /* TAP 14: any word that begins so */
} directives[] = {
	{"SKIP", DIRECTIVE_SKIP, true},    {"TODO", DIRECTIVE_TODO, false},
	{"XFAIL", DIRECTIVE_XFAIL, false}, {"TIMEOUT", DIRECTIVE_TIMEOUT, false},
	{"ERROR", DIRECTIVE_ERROR, false},
};

/* Not isalnum(3) and its like, which ask the locale. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool at_end_of_word(struct span span)
{
	return !span.size || is_blank(span.at[0]);
}

static struct span skip(struct span span, size_t size)
{
	return (struct span){span.at + size, span.size - size};
}

static void eat_blanks(struct span *span)
{
	while (span->size && is_blank(span->at[0]))
		*span = skip(*span, 1);
}

struct span span_trim(struct span span)
{
	eat_blanks(&span);
	while (span.size && is_blank(span.at[span.size - 1]))
		span.size--;
	return span;
}

static bool eat(struct span *span, const char *word)
{
	size_t size = strlen(word);

	if (span->size < size || memcmp(span->at, word, size) != 0)
		return false;
	*span = skip(*span, size);
	return true;
}

static bool eat_number(struct span *span, uint32_t *ret)
{
	struct span rest = *span;
	uint32_t value = 0;
	size_t digits = 0;

	for (; rest.size && is_digit(rest.at[0]); rest = skip(rest, 1)) {
		if (++digits > DIGITS)
			return false;
		value = 10 * value + (uint32_t)(rest.at[0] - '0');
	}
	if (!digits)
		return false;
	*span = rest;
	*ret = value;
	return true;
}

/* ---- What the kernel's log puts in front ------------------------------------------------- */

/* "[    1.234567]" */
static bool eat_stamp(struct span *span)
{
	uint32_t number;

	if (!eat(span, "["))
		return false;
	eat_blanks(span);
	return eat_number(span, &number) && eat(span, ".") && eat_number(span, &number) &&
	       eat(span, "]");
}

/* "[    T1]": a thread, or "[    C0]": an interrupt on a CPU (CONFIG_PRINTK_CALLER). */
static bool eat_caller(struct span *span)
{
	uint32_t number;

	if (!eat(span, "["))
		return false;
	eat_blanks(span);
	return (eat(span, "T") || eat(span, "C")) && eat_number(span, &number) && eat(span, "]");
}

static struct span without_stamp(struct span text)
{
	struct span rest = text, behind;
	uint32_t number;

	if (eat(&rest, "<") && eat_number(&rest, &number) && eat(&rest, ">"))
		text = rest;
	rest = text;
	if (!eat_stamp(&rest))
		return text;
	behind = rest;
	if (eat_caller(&behind))
		rest = behind;
	eat(&rest, " ");
	return rest;
}

/* ---- Directives -------------------------------------------------------------------------- */

static enum directive eat_directive(struct span *span)
{
	struct span rest = *span;

	eat_blanks(&rest);
	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		size_t size = strlen(directives[i].word);
		bool prefix = directives[i].prefix;

		if (rest.size < size || strncasecmp(rest.at, directives[i].word, size) != 0)
			continue;
		if (!prefix && rest.size > size && is_word(rest.at[size]))
			continue;
		rest = skip(rest, size);
		while (prefix && rest.size && is_word(rest.at[0]))
			rest = skip(rest, 1);
		eat(&rest, ":");
		*span = rest;
		return directives[i].directive;
	}
	return DIRECTIVE_NONE;
}

/*
 * Where the description ends. "#5" in one is a part of it, and "\#" as well (TAP 14); any
 * other words behind "# " are KTAP's diagnostic data, as in "# exit=1".
 */
static size_t find_hash(struct span text, bool any)
{
	for (size_t i = 0; i < text.size; i++) {
		struct span behind = skip(text, i + 1);

		if (text.at[i] == '\\')
			i++;
		else if (text.at[i] != '#' || (i && !is_blank(text.at[i - 1])))
			continue;
		else if ((any && at_end_of_word(behind)) || eat_directive(&behind))
			return i;
	}
	return text.size;
}

static void read_description(struct ktap_line *line, struct span text)
{
	size_t hash = find_hash(text, false);

	if (hash == text.size)
		hash = find_hash(text, true);
	line->name = span_trim((struct span){text.at, hash});
	if (hash == text.size)
		return;
	text = skip(text, hash + 1);
	line->directive = eat_directive(&text);
	line->reason = span_trim(text);
}

/* ---- Kinds ------------------------------------------------------------------------------- */

static bool read_version(struct ktap_line *line, struct span text)
{
	uint32_t version;

	line->ktap = eat(&text, "K");
	if (!eat(&text, "TAP version ") || !eat_number(&text, &version) || span_trim(text).size)
		return false;
	line->kind = LINE_VERSION;
	return true;
}

static bool read_plan(struct ktap_line *line, struct span text)
{
	if (!eat(&text, "1..") || !eat_number(&text, &line->number))
		return false;
	text = span_trim(text);
	if (text.size && text.at[0] != '#')
		return false;
	read_description(line, text);
	line->kind = LINE_PLAN;
	return true;
}

static bool read_result(struct ktap_line *line, struct span text)
{
	struct span rest;

	line->ok = !eat(&text, "not ");
	if (!eat(&text, "ok") || !at_end_of_word(text))
		return false;
	eat_blanks(&text);
	rest = text;
	line->numbered = eat_number(&rest, &line->number) && at_end_of_word(rest);
	if (line->numbered)
		text = rest;
	eat_blanks(&text);
	rest = text;
	if (eat(&rest, "-") && at_end_of_word(rest))
		text = rest;
	read_description(line, text);
	line->kind = LINE_RESULT;
	return true;
}

static bool read_bail(struct ktap_line *line, struct span text)
{
	if (!eat(&text, "Bail out!"))
		return false;
	line->reason = span_trim(text);
	line->kind = LINE_BAIL;
	return true;
}

static bool read_yaml(struct ktap_line *line, struct span text)
{
	if (!eat(&text, "---") || span_trim(text).size)
		return false;
	line->kind = LINE_YAML;
	return true;
}

static bool read_test(struct ktap_line *line, struct span text)
{
	return read_version(line, text) || read_plan(line, text) || read_result(line, text) ||
	       read_bail(line, text) || read_yaml(line, text);
}

/* kselftest.h, ksft_print_cnts(): "Totals: pass:1 fail:0 ..."; lib/kunit/test.c: "NAME: pass:1 ..."
 */
static bool is_totals(struct span text)
{
	const char *pass = memmem(text.at, text.size, ": pass:", strlen(": pass:"));
	struct span rest = text;
	uint32_t number;

	if (!pass)
		return false;
	rest = skip(text, (size_t)(pass - text.at) + strlen(": pass:"));
	return eat_number(&rest, &number) && eat(&rest, " fail:");
}

static void read_comment(struct ktap_line *line)
{
	struct span text = line->text;

	line->kind = is_totals(text) ? LINE_TOTALS : LINE_COMMENT;
	if (!eat(&text, "Subtest:"))
		return;
	line->kind = LINE_SUBTEST;
	line->name = span_trim(text);
}

static void eat_indentation(struct span *text, unsigned *column)
{
	for (; text->size && is_blank(text->at[0]); *text = skip(*text, 1))
		*column = text->at[0] == '\t' ? (*column / TAB + 1) * TAB : *column + 1;
}

void ktap_line_read(struct ktap_line *line, struct span text)
{
	struct span rest = without_stamp(text);
	struct ktap_line plain = {.kind = LINE_OTHER, .text = rest};
	unsigned column = 0, hashes = 0;

	if (!span_trim(rest).size)
		plain.kind = LINE_BLANK;
	for (;;) {
		eat_indentation(&rest, &column);
		*line = (struct ktap_line){.column = column, .hashes = hashes, .text = plain.text};
		line->name = line->reason = (struct span){rest.at, 0};
		line->inner_column = column;
		line->inner = rest;
		if (read_test(line, rest))
			return;
		if (!rest.size || rest.at[0] != '#')
			break;
		/* Of "# # text" the comment is the inner one, in its column. */
		plain.column = column;
		plain.hashes = hashes++;
		plain.text = skip(rest, 1);
		eat(&plain.text, " ");
		read_comment(&plain);
		if (!eat(&rest, COMMENT))
			break;
		column += strlen(COMMENT);
	}
	if (plain.kind == LINE_OTHER)
		plain.column = column;
	plain.inner_column = column;
	plain.inner = rest;
	*line = plain;
}
