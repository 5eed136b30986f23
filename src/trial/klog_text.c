/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a line. In front of it printk puts, each if it is so configured: a level, "<6>"
 * (print_syslog()), the time, "[    1.234567]" (print_time()), and who prints, "[    T1]"
 * (print_caller()), all in kernel/printk/printk.c. A record of /dev/kmsg begins with
 * "6,339,5140900,-,caller=T1;" and has \x41 for what cannot be printed (msg_print_ext_header(),
 * msg_add_ext_text()); lines such as " SUBSYSTEM=pci" follow it (msg_add_dict_text()).
 */
#include <ctype.h>
#include <string.h>

#include "base/cursor.h"
#include "klog_private.h"

/* Of any of these, so that none of them is searched for its end through a whole line. */
#define PREFIX_MAX 64

static size_t skip(const struct cursor *in, size_t at, int (*is)(int))
{
	while (at < in->left && at < PREFIX_MAX && is(in->at[at]))
		at++;
	return at;
}

static bool has(const struct cursor *in, size_t at, char letter)
{
	return at < in->left && in->at[at] == (uint8_t)letter;
}

/* Each of these gives the size of what @in begins with, or 0. */

static size_t level_size(const struct cursor *in)
{
	size_t at = has(in, 0, '<') ? skip(in, 1, isdigit) : 0;

	return at > 1 && has(in, at, '>') ? at + 1 : 0;
}

static size_t record_size(const struct cursor *in)
{
	size_t at = 0;

	for (unsigned i = 0; i < 3; i++) {
		size_t end = skip(in, at, isdigit);

		if (end == at || !has(in, end, ','))
			return 0;
		at = end + 1;
	}
	while (at < in->left && at < PREFIX_MAX && isgraph(in->at[at]) && in->at[at] != ';')
		at++;
	return has(in, at, ';') ? at + 1 : 0;
}

static size_t time_size(const struct cursor *in)
{
	size_t at = has(in, 0, '[') ? skip(in, 1, isblank) : 0;
	size_t dot = skip(in, at, isdigit);
	size_t end = has(in, dot, '.') ? skip(in, dot + 1, isdigit) : 0;

	return at && dot > at && end > dot + 1 && has(in, end, ']') ? end + 1 : 0;
}

/* T is a thread, C the CPU whose interrupt prints. */
static size_t caller_size(const struct cursor *in)
{
	size_t at = has(in, 0, '[') ? skip(in, 1, isblank) : 0;
	size_t end;

	if (!at || (!has(in, at, 'T') && !has(in, at, 'C')))
		return 0;
	end = skip(in, at + 1, isdigit);
	return end > at + 1 && has(in, end, ']') ? end + 1 : 0;
}

static void skip_prefixes(struct cursor *in)
{
	bool bracket = false;
	size_t size;

	cursor_take(in, level_size(in));
	cursor_take(in, record_size(in));
	while ((size = time_size(in)) || (size = caller_size(in))) {
		cursor_take(in, size);
		bracket = true;
	}
	/* One blank only: lines of a call trace begin with one of their own. */
	if (bracket && has(in, 0, ' '))
		cursor_take(in, 1);
}

/* " SUBSYSTEM=pci", behind a record */
static bool is_dictionary(const struct cursor *in)
{
	size_t at = 1;

	while (at < in->left && at < PREFIX_MAX && (isupper(in->at[at]) || in->at[at] == '_'))
		at++;
	return has(in, 0, ' ') && at > 1 && has(in, at, '=');
}

static unsigned hex_value(uint8_t digit)
{
	return isdigit(digit) ? digit - '0' : tolower(digit) - 'a' + 10;
}

static uint8_t take_letter(struct cursor *in, bool escapes)
{
	uint8_t letter = cursor_u8(in);

	if (escapes && letter == '\\' && has(in, 0, 'x') && in->left >= 3 && isxdigit(in->at[1]) &&
	    isxdigit(in->at[2])) {
		letter = (uint8_t)(hex_value(in->at[1]) << 4 | hex_value(in->at[2]));
		cursor_take(in, 3);
	}
	return letter;
}

static bool put(enum klog_source source, struct cursor *in, char *text)
{
	size_t size = 0;

	while (in->left && size < KLOG_TEXT_MAX - 1) {
		uint8_t letter = take_letter(in, source == KLOG_KMSG);

		if (isspace(letter))
			letter = ' ';
		text[size++] = isprint(letter) ? (char)letter : '?';
	}
	while (size && text[size - 1] == ' ')
		size--;
	text[size] = '\0';
	return size > 0;
}

bool klog_text(enum klog_source source, const uint8_t *bytes, size_t size,
	       char text[static KLOG_TEXT_MAX])
{
	struct cursor in = cursor_init(bytes, min_u64(size, KLOG_LINE_MAX));

	if (source == KLOG_KMSG && is_dictionary(&in)) {
		text[0] = '\0';
		return false;
	}
	skip_prefixes(&in);
	return put(source, &in, text);
}

bool klog_text_behind(enum klog_source source, const uint8_t *bytes, size_t size,
		      char text[static KLOG_TEXT_MAX])
{
	struct cursor in = cursor_init(bytes, min_u64(size, KLOG_LINE_MAX));

	skip_prefixes(&in);
	while (in.left) {
		const uint8_t *bracket = memchr(in.at, '[', in.left);

		if (!bracket)
			return false;
		cursor_take(&in, (size_t)(bracket - in.at));
		if (time_size(&in)) {
			skip_prefixes(&in);
			return put(source, &in, text);
		}
		cursor_take(&in, 1);
	}
	return false;
}

bool klog_match(const char *pattern, const char *text, struct klog_match *ret)
{
	const char *end = text + strlen(text);
	bool anchored = *pattern != '*';

	*ret = (struct klog_match){0};
	pattern += !anchored;
	for (;;) {
		size_t length = strcspn(pattern, "*");
		const char *found = text;

		if (anchored)
			found = strncmp(text, pattern, length) ? NULL : text;
		else if (length)
			found = memmem(text, (size_t)(end - text), pattern, length);
		else
			found = end; /* a * at the end is for all that is left */
		if (!found)
			return false;
		if (!ret->begin) {
			ret->begin = found;
		} else if (!ret->star) {
			ret->star = text;
			ret->star_size = (size_t)(found - text);
		}
		text = found + length;
		pattern += length;
		if (!*pattern)
			return true;
		pattern++;
		anchored = false;
	}
}
