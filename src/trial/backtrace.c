/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/backtrace.h"

#include <ctype.h>
#include <string.h>

/*
 * In every kernel, and so tells where its source is, as scripts/decode_stacktrace.sh of Linux
 * has it. A bit behind the beginning, which may have no line (BTI, -fpatchable-function-entry).
 */
#define LANDMARK        "kernel_init"
#define LANDMARK_OFFSET 32
#define LANDMARK_FILE   "init/main.c"

/* ---- Lines of a trace ------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool read_number(const char **at, const char *before, uint64_t *ret)
{
	const char *digits = *at + strlen(before);
	char *end;

	if (!begins(*at, before) || !isxdigit((unsigned char)*digits))
		return false;
	*ret = strtoull(digits, &end, 16);
	*at = end;
	return true;
}

/* " el0_svc+0x2c/0x84", "pc : do_one+0x10/0x20 [module]", " do_one+0x10/0x20 (P)" */
static bool read_frame(const char *line, struct backtrace_frame *ret)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$";
	bool is_pc = begins(line, "pc : "), is_lr = begins(line, "lr : ");
	const char *at = line + (is_pc || is_lr ? 5 : strspn(line, " "));
	struct backtrace_frame frame = {.symbol = at, .is_register = is_pc || is_lr};

	frame.symbol_size = strspn(at, letters);
	if (at == line || !frame.symbol_size)
		return false;
	at += frame.symbol_size;
	/* kernel/kallsyms.c, __sprint_symbol() */
	if (!read_number(&at, "+0x", &frame.offset) || !read_number(&at, "/0x", &frame.size) ||
	    !strchr(" \n", *at) || frame.offset > frame.size)
		return false;
	if (begins(at, " [")) {
		frame.module = at + 2;
		frame.module_size = strcspn(at + 2, " ]\n");
		at += strcspn(at, "]\n");
		at += *at == ']';
	}
	/* arch/arm64/kernel/stacktrace.c, dump_backtrace_entry(): of an exception's registers */
	frame.exact = is_pc || begins(at, " (P");
	*ret = frame;
	return true;
}

static bool is_same_place(const struct backtrace_frame *a, const struct backtrace_frame *b)
{
	return a->symbol_size == b->symbol_size && a->offset == b->offset && a->size == b->size &&
	       !memcmp(a->symbol, b->symbol, a->symbol_size);
}

bool backtrace_next(struct backtrace_cursor *cursor, struct backtrace_line *ret)
{
	struct backtrace_frame *frame = &ret->frame;

	if (!*cursor->at)
		return false;
	*ret = (struct backtrace_line){.text = cursor->at, .size = strcspn(cursor->at, "\n")};
	cursor->at += ret->size + (ret->text[ret->size] != '\0');
	ret->is_frame = read_frame(ret->text, frame);
	if (!ret->is_frame)
		return true;
	if (frame->is_register) {
		if (frame->exact)
			cursor->pc = *frame;
		return true;
	}
	/* A trace from an exception begins with its pc; behind an entry stands what it came from.
	 */
	frame->exact |=
		cursor->interrupted || (cursor->pc.symbol && is_same_place(&cursor->pc, frame));
	cursor->interrupted = begins(frame->symbol, "el1h_64_");
	return true;
}

/* ---- All frames ------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct backtrace_frame *one = a, *other = b;
	int order =
		memcmp(one->symbol, other->symbol, min_u64(one->symbol_size, other->symbol_size));

	if (order)
		return order;
	if (one->symbol_size != other->symbol_size)
		return one->symbol_size < other->symbol_size ? -1 : 1;
	if (one->offset != other->offset)
		return one->offset < other->offset ? -1 : 1;
	if (one->size != other->size)
		return one->size < other->size ? -1 : 1;
	if (!one->module != !other->module)
		return one->module ? 1 : -1;
	return one->exact - other->exact;
}

static int add(struct backtrace *backtrace, const struct backtrace_frame *frame)
{
	struct backtrace_frame *frames;

	/* It grows when its number is a power of two. */
	if ((backtrace->count & (backtrace->count - 1)) == 0) {
		frames = reallocarray(backtrace->frames, 2 * backtrace->count + 1, sizeof(*frames));
		if (!frames)
			return -ENOMEM;
		backtrace->frames = frames;
	}
	backtrace->frames[backtrace->count++] = *frame;
	return 0;
}

int backtrace_add(struct backtrace *backtrace, const char *trace)
{
	struct backtrace_cursor cursor = {.at = trace};
	struct backtrace_line line;
	int r = 0;

	while (r == 0 && backtrace_next(&cursor, &line))
		r = line.is_frame ? add(backtrace, &line.frame) : 0;
	return r;
}

static const struct backtrace_frame landmark = {
	.symbol = LANDMARK,
	.symbol_size = sizeof(LANDMARK) - 1,
	.offset = LANDMARK_OFFSET,
	.exact = true,
};

int backtrace_ready(struct backtrace *backtrace)
{
	int r = add(backtrace, &landmark);
	size_t kept = 0;

	if (r < 0)
		return r;
	qsort(backtrace->frames, backtrace->count, sizeof(*backtrace->frames), compare);
	for (size_t i = 0; i < backtrace->count; i++) {
		if (!kept || compare(&backtrace->frames[kept - 1], &backtrace->frames[i]) != 0)
			backtrace->frames[kept++] = backtrace->frames[i];
	}
	backtrace->count = kept;
	return 0;
}

/* The call is before where it returns to. */
uint64_t backtrace_address(const struct backtrace_frame *frame)
{
	return frame->address + frame->offset - !frame->exact;
}

const char *backtrace_lines(const struct backtrace *backtrace, const struct backtrace_frame *frame)
{
	const struct backtrace_frame *found =
		backtrace->count ? bsearch(frame, backtrace->frames, backtrace->count,
					   sizeof(*frame), compare)
				 : NULL;

	return found ? found->lines : NULL;
}

/* ---- What addr2line says ---------------------------------------------------------------- */

/* "0x..." of each address, then a function and "FILE:LINE" by turns, the innermost first. */
bool backtrace_next_place(const struct backtrace *backtrace, const char **lines,
			  struct backtrace_place *ret)
{
	const char *function = *lines, *file, *colon, *end;
	size_t base = backtrace->base ? strlen(backtrace->base) : 0;
	uint32_t line;

	if (!function || !*function || begins(function, "0x"))
		return false;
	file = strchr(function, '\n');
	if (!file)
		return false;
	end = strchrnul(++file, '\n');
	/* "FILE:LINE (discriminator 2)" */
	colon = memrchr(file, ':', (size_t)(end - file));
	line = colon && isdigit((unsigned char)colon[1]) ? (uint32_t)strtoul(colon + 1, NULL, 10)
							 : 0;
	if (!line || *file == '?')
		return false;
	*ret = (struct backtrace_place){
		.function = function,
		.function_size = (size_t)(file - 1 - function),
		.line = line,
	};
	if (base && (size_t)(colon - file) > base && !strncmp(file, backtrace->base, base))
		file += base;
	ret->file = file;
	ret->file_size = (size_t)(colon - file);
	*lines = *end ? end + 1 : end;
	ret->inlined = **lines && !begins(*lines, "0x");
	return true;
}

/* The folder of the source; NULL: nobody knows. */
static char *base_of(const struct backtrace *backtrace)
{
	const char *lines = backtrace_lines(backtrace, &landmark);
	struct backtrace_place place = {.file = ""};
	size_t behind = strlen(LANDMARK_FILE);

	while (backtrace_next_place(backtrace, &lines, &place) && place.inlined) {
		/* What is inlined may come from anywhere. */
	}
	if (place.file_size <= behind || place.file[place.file_size - behind - 1] != '/' ||
	    strncmp(place.file + place.file_size - behind, LANDMARK_FILE, behind) != 0)
		return NULL;
	return strndup(place.file, place.file_size - behind);
}

/* The names in a file may be anything, and come to a terminal. */
static void make_plain(char *text)
{
	for (; *text; text++) {
		if ((*text < ' ' && *text != '\n') || *text > '~')
			*text = '?';
	}
}

size_t backtrace_take(struct backtrace *backtrace, char *answer)
{
	struct backtrace_place place;
	char *at = answer;
	size_t known = 0;

	free(backtrace->answer);
	backtrace->answer = answer;
	make_plain(answer);
	/* In the order in which they were asked for. */
	for (size_t i = 0; i < backtrace->count; i++) {
		struct backtrace_frame *frame = &backtrace->frames[i];
		const char *lines;
		uint64_t said;

		if (!frame->address)
			continue;
		at = begins(at, "0x") ? at : strstr(at, "\n0x");
		if (!at)
			break;
		at += *at == '\n';
		said = strtoull(at, NULL, 16);
		lines = strchr(at, '\n');
		if (said != backtrace_address(frame) || !lines)
			break;
		lines++;
		at += 2;
		frame->lines = lines;
		if (backtrace_next_place(backtrace, &lines, &place))
			known++;
		else
			frame->lines = NULL;
	}
	free(backtrace->base);
	backtrace->base = NULL;
	backtrace->base = base_of(backtrace);
	return known;
}

/* ---- With its lines --------------------------------------------------------------------- */

bool backtrace_is_behind(const struct backtrace_frame *frame)
{
	return !frame->exact && !frame->offset;
}

static void write_place(const struct backtrace_frame *frame, const struct backtrace_place *place,
			FILE *out)
{
	fputs(" (", out);
	if (backtrace_is_behind(frame))
		fprintf(out, "the end of %.*s, ", (int)place->function_size, place->function);
	fprintf(out, "%.*s:%u)", (int)place->file_size, place->file, place->line);
}

void backtrace_write(const struct backtrace *backtrace, const char *trace, bool frames, FILE *out)
{
	struct backtrace_cursor cursor = {.at = trace};
	struct backtrace_line line;

	while (backtrace_next(&cursor, &line)) {
		const char *lines = line.is_frame ? backtrace_lines(backtrace, &line.frame) : NULL;
		struct backtrace_place place = {0};
		bool known;

		if (frames && !line.is_frame)
			continue;
		while ((known = backtrace_next_place(backtrace, &lines, &place)) && place.inlined)
			fprintf(out, " %.*s (%.*s:%u) (inlined)\n", (int)place.function_size,
				place.function, (int)place.file_size, place.file, place.line);
		fprintf(out, "%.*s", (int)line.size, line.text);
		if (known)
			write_place(&line.frame, &place, out);
		fputc('\n', out);
	}
}

void backtrace_finish(struct backtrace *backtrace)
{
	free(backtrace->frames);
	free(backtrace->answer);
	free(backtrace->base);
	*backtrace = (struct backtrace){0};
}
