/* SPDX-License-Identifier: Apache-2.0 */
#include "html_text.h"

#include <ctype.h>
#include <string.h>

#include "base/cursor.h"
#include "trial/utf8.h"

#define ESCAPE       0x1b
#define NO_COLOUR    -1
#define SEQUENCE_MAX 256 /* what is longer was none */

struct html {
	FILE *out;
	struct cursor in;
	int colour; /* of 16 */
	bool bold;
	bool open; /* a span */
};

/* ---- Sequences of terminals (ECMA-48, 5.4 and 8.3.117) ---------------- */

static void change_span(struct html *html)
{
	if (html->open)
		fputs("</span>", html->out);
	html->open = html->bold || html->colour != NO_COLOUR;
	if (!html->open)
		return;
	fputs("<span class='", html->out);
	if (html->bold)
		fputs("ab ", html->out);
	if (html->colour != NO_COLOUR)
		fprintf(html->out, "a%d", html->colour);
	fputs("'>", html->out);
}

static void apply(struct html *html, unsigned value)
{
	if (value == 0) {
		html->bold = false;
		html->colour = NO_COLOUR;
	} else if (value == 1) {
		html->bold = true;
	} else if (value == 22) {
		html->bold = false;
	} else if (value >= 30 && value <= 37) {
		html->colour = (int)value - 30;
	} else if (value == 39) {
		html->colour = NO_COLOUR;
	} else if (value >= 90 && value <= 97) {
		html->colour = (int)value - 90 + 8;
	}
}

/* "1;31" */
static void apply_all(struct html *html, const uint8_t *bytes, size_t size)
{
	bool bold = html->bold;
	int colour = html->colour;
	unsigned value = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && isdigit(bytes[i])) {
			value = (unsigned)min_u64(value * 10 + bytes[i] - '0', 999);
			continue;
		}
		/* A colour of more than 16 has parameters of its own. */
		if (value == 38 || value == 48 || (i < size && bytes[i] != ';'))
			break;
		apply(html, value);
		value = 0;
	}
	if (bold != html->bold || colour != html->colour)
		change_span(html);
}

static size_t limit(const struct html *html)
{
	return min_u64(html->in.left, SEQUENCE_MAX);
}

/* CSI: parameters, and a letter that ends it. */
static void take_csi(struct html *html)
{
	const uint8_t *bytes = html->in.at;
	size_t size = 0;

	while (size < limit(html) && bytes[size] >= 0x20 && bytes[size] <= 0x3f)
		size++;
	cursor_take(&html->in, size);
	if (!html->in.left || *html->in.at < 0x40 || *html->in.at > 0x7e)
		return;
	if (cursor_u8(&html->in) == 'm')
		apply_all(html, bytes, size);
}

/* OSC and the like: text to BEL or ESC \. */
static void take_string(struct html *html)
{
	for (size_t size = 0; size < limit(html); size++) {
		uint8_t byte = html->in.at[size];

		if (byte == '\n')
			return;
		if (byte != '\a' && byte != ESCAPE)
			continue;
		cursor_take(&html->in, size + (byte == '\a'));
		return;
	}
}

static void take_escape(struct html *html)
{
	uint8_t kind;

	/* What begins another sequence, or ends the line, is none of this one's. */
	if (!html->in.left || *html->in.at < ' ' || *html->in.at > '~')
		return;
	kind = cursor_u8(&html->in);
	if (kind == '[') {
		take_csi(html);
	} else if (kind == ']' || kind == 'P' || kind == 'X' || kind == '^' || kind == '_') {
		take_string(html);
	} else if (kind < '0') {
		/* ESC ( B: a set of characters */
		while (html->in.left && *html->in.at >= ' ' && *html->in.at < '0')
			cursor_u8(&html->in);
		if (html->in.left && *html->in.at >= '0' && *html->in.at <= '~')
			cursor_u8(&html->in);
	}
}

/* ---- Characters ------------------------------------------------------- */

/* How many bytes the character at the front has that a page may have as well; 0: it is none. */
static size_t character_size(const struct cursor *in)
{
	char front[5] = "";
	uint32_t value = 0;
	size_t size;

	memcpy(front, in->at, min_u64(in->left, sizeof(front) - 1));
	size = utf8_take(front, &value);
	/* C1, what turns the direction of text (Unicode, 23.2), what is no character (23.7) */
	if (value < 0xa0 || (value >= 0x202a && value <= 0x202e) ||
	    (value >= 0x2066 && value <= 0x2069) || (value & 0xfffe) == 0xfffe ||
	    (value >= 0xfdd0 && value <= 0xfdef))
		return 0;
	return size;
}

static void take_ascii(struct html *html, uint8_t byte)
{
	switch (byte) {
	case '<':
		fputs("&lt;", html->out);
		break;
	case '>':
		fputs("&gt;", html->out);
		break;
	case '&':
		fputs("&amp;", html->out);
		break;
	case '"':
		fputs("&quot;", html->out);
		break;
	case '\'':
		fputs("&#39;", html->out);
		break;
	case '\r':
		if (!html->in.left || *html->in.at != '\n')
			fputc('\n', html->out);
		break;
	case ESCAPE:
		take_escape(html);
		break;
	default:
		if ((byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f)
			fprintf(html->out, "&#x%x;", byte == 0x7f ? 0x2421 : 0x2400 + byte);
		else
			fputc(byte, html->out);
	}
}

void html_bytes(FILE *out, const uint8_t *bytes, size_t size)
{
	struct html html = {.out = out, .in = cursor_init(bytes, size), .colour = NO_COLOUR};

	while (html.in.left) {
		size_t length;

		if (*html.in.at < 0x80) {
			take_ascii(&html, cursor_u8(&html.in));
			continue;
		}
		length = character_size(&html.in);
		if (length)
			fwrite(html.in.at, 1, length, out);
		else
			fputs(UTF8_REPLACEMENT, out);
		cursor_take(&html.in, length ? length : 1);
	}
	if (html.open)
		fputs("</span>", out);
}

void html_text(FILE *out, const char *text)
{
	if (text)
		html_bytes(out, (const uint8_t *)text, strlen(text));
}
