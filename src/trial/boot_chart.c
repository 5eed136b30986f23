/* SPDX-License-Identifier: Apache-2.0 */
/* What the lines of a kernel's log are for its chart. */
#include "trial/boot_chart.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "boot_chart_private.h"
#include "klog_private.h"

/* A command is shown for half of the time that the boot took, but for this at least. */
#define COMMAND_US 100000

int boot_chart_create(const struct boot_chart_times *times, struct boot_chart **ret)
{
	struct boot_chart *chart = calloc(1, sizeof(*chart));
	uint64_t command = min_u64(times->command_us, CHART_TIME_MAX);

	if (!chart)
		return -ENOMEM;
	chart->times.command_us = command;
	if (command)
		chart->times.end_us = min_u64(times->end_us, CHART_TIME_MAX);
	chart->limit_us = command ? command + max_u64(command / 2, COMMAND_US) : UINT64_MAX;
	chart->bin_us = CHART_BIN_US;
	*ret = chart;
	return 0;
}

void boot_chart_destroy(struct boot_chart *chart)
{
	free(chart);
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* ---- Lines that are many --------------------------------------------- */

static void count_line(struct boot_chart *chart, uint64_t us)
{
	chart->lines++;
	if (us > chart->limit_us) {
		chart->later++;
		return;
	}
	while (us / chart->bin_us >= CHART_BINS) {
		for (size_t i = 0; i < CHART_BINS / 2; i++)
			chart->bins[i] = chart->bins[2 * i] + chart->bins[2 * i + 1];
		memset(chart->bins + CHART_BINS / 2, 0, sizeof(chart->bins) / 2);
		chart->bin_us *= 2;
	}
	chart->bins[us / chart->bin_us]++;
}

/* ---- Landmarks -------------------------------------------------------- */

static const struct {
	enum chart_landmark landmark; /* CHART_FIRST: the line itself is none of the chart's */
	const char *pattern;          /* as klog_match() */
} landmarks[] = {
	/* arch/arm64/kernel/setup.c, smp_setup_processor_id(); init/version.c; init/main.c */
	{CHART_FIRST, "Booting Linux on "},
	{CHART_FIRST, "Linux version "},
	{CHART_FIRST, "Kernel command line: "},
	/* kernel/smp.c, smp_init() */
	{CHART_SMP, "smp: Brought up "},
	/* init/initramfs.c, do_populate_rootfs(); since 5.12 drivers do not wait for it */
	{CHART_UNPACKING, "Trying to unpack rootfs image as initramfs"},
	{CHART_UNPACKING, "Unpacking initramfs"},
	{CHART_UNPACKED, "Freeing initrd memory"},
	/* mm/page_alloc.c, free_reserved_area() */
	{CHART_FREED, "Freeing unused kernel "},
	/* init/main.c, run_init_process() */
	{CHART_RUN, "Run * as init process"},
};

bool boot_chart_is_landmark(const char *text)
{
	struct klog_match match;

	for (size_t i = 0; i < ARRAY_SIZE(landmarks); i++) {
		if (klog_match(landmarks[i].pattern, text, &match))
			return true;
	}
	return false;
}

static void look_for_landmark(struct boot_chart *chart, uint64_t us, const char *text)
{
	struct klog_match match;

	if (!chart->seen[CHART_FIRST]) {
		chart->seen[CHART_FIRST] = true;
		chart->at[CHART_FIRST] = us;
	}
	for (size_t i = 0; i < ARRAY_SIZE(landmarks); i++) {
		enum chart_landmark landmark = landmarks[i].landmark;

		if (!klog_match(landmarks[i].pattern, text, &match))
			continue;
		/* Once, and never behind one that follows it: a program may print them, too. */
		for (size_t later = landmark; later < CHART_LANDMARKS; later++) {
			if (chart->seen[later])
				return;
		}
		chart->seen[landmark] = true;
		chart->at[landmark] = us;
	}
}

/* ---- Initcalls -------------------------------------------------------- */

static void name_call(struct chart_call *call, const char *text)
{
	snprintf(call->name, sizeof(call->name), "%.*s", (int)strcspn(text, "+ "), text);
}

static void begin_call(struct boot_chart *chart, uint64_t us, const char *text)
{
	struct chart_call call = {.begin_us = us, .pending = true};

	name_call(&call, text);
	if (chart->pending_count == CHART_PENDING)
		memmove(chart->pending, chart->pending + 1,
			--chart->pending_count * sizeof(chart->pending[0]));
	chart->pending[chart->pending_count++] = call;
}

static void forget_pending(struct boot_chart *chart, const char *name)
{
	for (size_t i = chart->pending_count; i-- > 0;) {
		if (strcmp(chart->pending[i].name, name) != 0)
			continue;
		memmove(chart->pending + i, chart->pending + i + 1,
			(--chart->pending_count - i) * sizeof(chart->pending[0]));
		return;
	}
}

static void keep_call(struct boot_chart *chart, const struct chart_call *call)
{
	size_t shortest = 0;

	if (chart->call_count < CHART_CALLS) {
		chart->calls[chart->call_count++] = *call;
		return;
	}
	for (size_t i = 1; i < CHART_CALLS; i++) {
		if (chart->calls[i].took_us < chart->calls[shortest].took_us)
			shortest = i;
	}
	if (call->took_us > chart->calls[shortest].took_us)
		chart->calls[shortest] = *call;
}

/* init/main.c, trace_initcall_start_cb() and trace_initcall_finish_cb() */
static bool take_call(struct boot_chart *chart, uint64_t us, const char *text)
{
	const char *returned = strstr(text, " returned ");
	const char *after = returned ? strstr(returned, " after ") : NULL;
	struct chart_call call = {0};

	if (begins(text, "calling  ") && strstr(text, " @ ")) {
		begin_call(chart, us, text + strlen("calling  "));
		return true;
	}
	if (!begins(text, "initcall ") || !after || !strstr(after, " usecs"))
		return false;
	name_call(&call, text + strlen("initcall "));
	forget_pending(chart, call.name);
	call.result = strtol(returned + strlen(" returned "), NULL, 10);
	/* No call began before the kernel did. */
	call.took_us = min_u64(strtoull(after + strlen(" after "), NULL, 10), us);
	call.begin_us = us - call.took_us;
	chart->calls_total++;
	chart->calls_us += call.took_us;
	keep_call(chart, &call);
	return true;
}

/* ---- Marks ------------------------------------------------------------ */

/* @lower begins with @word, and that ends there. */
static bool is_word(const char *lower, const char *word)
{
	size_t length = strlen(word);

	return !strncmp(lower, word, length) && !isalnum((unsigned char)lower[length]) &&
	       lower[length] != '=';
}

bool boot_chart_is_warning(const char *text)
{
	static const char *const words[] = {"error",  "failed", "failure",  "warning",
					    "unable", "cannot", "timed out"};
	char lower[KLOG_TEXT_MAX] = "";
	size_t size = 0;

	if (begins(text, "Kernel command line: "))
		return false;
	for (; size < sizeof(lower) - 1 && text[size]; size++)
		lower[size] = (char)tolower((unsigned char)text[size]);
	for (size_t at = 0; at < size; at++) {
		if (at && isalnum((unsigned char)lower[at - 1]))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			if (is_word(lower + at, words[i]))
				return true;
		}
	}
	return false;
}

static void look_for_mark(struct boot_chart *chart, uint64_t us, const char *text)
{
	struct klog_match match;
	const struct klog_row *row = klog_classify(text, &match);
	bool panic = row && (row->kind == KLOG_PANIC || row->kind == KLOG_INIT_KILLED);
	struct chart_mark *mark;

	if (panic)
		chart->panic_us = max_u64(chart->panic_us, us);
	/* A panic ends the command, however late it comes. */
	if (us > chart->limit_us && !panic)
		return;
	/* What ends a trace repeats its beginning. */
	if ((!row && !boot_chart_is_warning(text)) || begins(text, "---["))
		return;
	chart->marks_total++;
	if (chart->mark_count == CHART_MARKS)
		return;
	mark = &chart->marks[chart->mark_count++];
	*mark = (struct chart_mark){.us = us, .bad = row != NULL};
	snprintf(mark->text, sizeof(mark->text), "%.*s", CHART_MARK_TEXT - 1, text);
}

void boot_chart_exits(struct boot_chart *chart, const struct boot_chart_span *spans, size_t count)
{
	chart->spans = spans;
	chart->span_count = count;
}

/* ---- Lines ------------------------------------------------------------ */

/* "[    1.234567] " */
static bool take_time(struct cursor *in, uint64_t *ret)
{
	uint64_t us = 0, unit = 1000000;
	size_t at = 1;

	if (!in->left || in->at[0] != '[')
		return false;
	while (at < in->left && in->at[at] == ' ')
		at++;
	if (at == in->left || !isdigit(in->at[at]))
		return false;
	for (; at < in->left && isdigit(in->at[at]); at++)
		us = min_u64(us * 10 + (in->at[at] - '0') * unit, CHART_TIME_MAX);
	if (at == in->left || in->at[at] != '.')
		return false;
	for (at++; at < in->left && isdigit(in->at[at]); at++) {
		unit /= 10;
		us += (in->at[at] - '0') * unit;
	}
	if (at == in->left || in->at[at] != ']')
		return false;
	*ret = min_u64(us, CHART_TIME_MAX);
	return true;
}

void boot_chart_line(struct boot_chart *chart, const uint8_t *bytes, size_t size)
{
	struct cursor in = cursor_init(bytes, min_u64(size, KLOG_LINE_MAX));
	char text[KLOG_TEXT_MAX];
	uint64_t us;

	if (!take_time(&in, &us))
		return;
	chart->last_us = max_u64(chart->last_us, us);
	count_line(chart, us);
	if (!klog_text(KLOG_CONSOLE, bytes, size, text))
		return;
	look_for_landmark(chart, us, text);
	if (us > chart->limit_us || !take_call(chart, us, text))
		look_for_mark(chart, us, text);
}

/* What is longer is cut. */
static bool read_line(FILE *in, uint8_t line[static KLOG_LINE_MAX], size_t *ret)
{
	size_t size = 0;
	int c;

	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (size < KLOG_LINE_MAX)
			line[size++] = (uint8_t)c;
	}
	*ret = size;
	return c != EOF || size;
}

void boot_chart_read(struct boot_chart *chart, FILE *log)
{
	uint8_t line[KLOG_LINE_MAX];
	size_t size;

	while (read_line(log, line, &size))
		boot_chart_line(chart, line, size);
}

/* What of a line begins with a time; a program may have printed in front of it. */
static struct cursor find_time(const uint8_t *line, size_t size, uint64_t *ret)
{
	struct cursor in = cursor_init(line, size);

	while (in.left && !take_time(&in, ret))
		cursor_take(&in, 1);
	return in;
}

void boot_chart_read_console(struct boot_chart *chart, FILE *log)
{
	uint64_t known = chart->last_us;
	bool all = !chart->lines;
	uint8_t line[KLOG_LINE_MAX];
	size_t size;
	uint64_t us;

	while (read_line(log, line, &size)) {
		struct cursor in = find_time(line, size, &us);

		if (in.left && (all || us > known))
			boot_chart_line(chart, in.at, in.left);
	}
}
