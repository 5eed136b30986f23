/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chart, drawn from top to bottom on a canvas of fixed width, whose height is known at the
 * end: so the body is made in memory, and its frame around it. Each bar has its text beside it,
 * on the side where there is room.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot_chart_private.h"
#include "trial/boot_chart.h"

#define WIDTH   960
#define LEFT    20
#define RIGHT   940
#define LETTER  6.6 /* about the width of one, at the size of bars' texts */
#define GAP     6
#define LISTED  12
#define SLOWEST 10

struct canvas {
	FILE *out;
	const struct boot_chart *chart;
	uint64_t end_us;    /* what is at RIGHT */
	const char *ending; /* how the last phase has ended */
	double y;
	double grid_begin, grid_end;
};

static const char style[] =
	"<style>"
	".boot-chart{color-scheme:light "
	"dark;--s:#fff;--t:#1b2330;--m:#5b6878;--g:#e2e7ee;--k:#2f74c9;--l:#6aa3e6;"
	"--i:#7a5fd0;--c:#1a9a6c;--w:#c98500;--e:#d03b3b;--h:#eef2f7;"
	"font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
	"@media(prefers-color-scheme:dark){.boot-chart{--s:#171b21;--t:#e4e9f0;--m:#98a4b3;"
	"--g:#2b323c;--k:#4a8fe2;--l:#2f66ab;--i:#9b86e8;--c:#2fb583;--w:#e0a52e;--e:#ef6a6a;"
	"--h:#1f252d}}"
	".boot-chart text{fill:var(--t);white-space:pre}.boot-chart .m{fill:var(--m)}.boot-chart "
	".o{fill:#fff}"
	".boot-chart .b{font-weight:600}.boot-chart .t{font-size:17px;font-weight:600}"
	".boot-chart .n{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
	"font-size:11px}.boot-chart .r{text-anchor:end}.boot-chart .x{text-anchor:middle}"
	".boot-chart .s{fill:var(--s)}.boot-chart .h{fill:var(--h)}.boot-chart .k{fill:var(--k)}"
	".boot-chart .l{fill:var(--l)}.boot-chart .i{fill:var(--i)}.boot-chart .c{fill:var(--c)}"
	".boot-chart .w{fill:var(--w)}.boot-chart .e{fill:var(--e)}"
	".boot-chart .v{opacity:.09}.boot-chart .d{fill:var(--m);opacity:.75}"
	".boot-chart line{stroke:var(--g)}.boot-chart .a{stroke:var(--m)}"
	"</style>";

/* ---- Parts ------------------------------------------------------------ */

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static double x_of(const struct canvas *canvas, uint64_t us)
{
	us = min_u64(us, canvas->end_us);
	return LEFT + (double)us * (RIGHT - LEFT) / (double)canvas->end_us;
}

/* A text at a place; @kind: classes of the style. */
static void put(const struct canvas *canvas, const char *kind, double x, const char *text)
{
	fprintf(canvas->out, "<text class='%s' x='%.1f' y='%.1f'>", kind, x, canvas->y);
	put_text(canvas->out, text);
	fputs("</text>\n", canvas->out);
}

/* "1.234 s", "5.678 ms", "90 us" */
static const char *put_time(uint64_t us, char text[static 32])
{
	if (us >= 1000000)
		snprintf(text, 32, "%.3f s", (double)us / 1e6);
	else if (us >= 1000)
		snprintf(text, 32, us < 10000 ? "%.1f ms" : "%.0f ms", (double)us / 1e3);
	else
		snprintf(text, 32, "%" PRIu64 " us", us);
	return text;
}

static void put_heading(struct canvas *canvas, const char *text)
{
	canvas->y += 28;
	put(canvas, "b", LEFT, text);
	canvas->y += 9;
}

struct bar {
	const char *kind;
	const char *text_kind;
	uint64_t begin_us, end_us;
	double height;
	const char *text;
};

/* A bar and, beside it or if it must be on it, its text; the canvas goes on below. */
static void put_bar(struct canvas *canvas, const struct bar *bar)
{
	double begin = x_of(canvas, bar->begin_us), end = x_of(canvas, bar->end_us);
	double text = (double)strlen(bar->text) * LETTER + GAP;
	char kind[16];
	double at;

	end = end - begin < 2 ? begin + 2 : end;
	fprintf(canvas->out,
		"<rect class='%s' x='%.1f' y='%.1f' width='%.1f' height='%.0f' rx='2'/>", bar->kind,
		begin, canvas->y, end - begin, bar->height);
	if (end + text <= RIGHT) {
		at = end + GAP;
		snprintf(kind, sizeof(kind), "%s", bar->text_kind);
	} else if (begin - text >= LEFT) {
		at = begin - GAP;
		snprintf(kind, sizeof(kind), "r %s", bar->text_kind);
	} else {
		at = begin + GAP;
		snprintf(kind, sizeof(kind), "o %s", bar->text_kind);
	}
	canvas->y += bar->height - 4;
	put(canvas, kind, at, bar->text);
	canvas->y += 7;
}

/* ---- Phases ----------------------------------------------------------- */

struct phase {
	const char *name, *kind;
	uint64_t begin_us, end_us;
};

static const struct {
	const char *name, *kind;
} phase_names[CHART_LANDMARKS] = {
	[CHART_FIRST] = {"one CPU", "k"},       [CHART_SMP] = {"core", "l"},
	[CHART_UNPACKING] = {"initramfs", "k"}, [CHART_UNPACKED] = {"drivers", "l"},
	[CHART_FREED] = {"ready", "k"},         [CHART_RUN] = {"init", "i"},
};

#define PHASES (CHART_LANDMARKS + 1)

/* Each to the beginning of the next. */
static size_t find_phases(const struct canvas *canvas, struct phase phases[static PHASES])
{
	const struct boot_chart *chart = canvas->chart;
	size_t count = 0;

	for (size_t i = 0; i < CHART_LANDMARKS; i++) {
		if (chart->seen[i])
			phases[count++] = (struct phase){phase_names[i].name, phase_names[i].kind,
							 chart->at[i], 0};
	}
	if (chart->times.command_us)
		phases[count++] = (struct phase){"command", "c", chart->times.command_us, 0};
	/* Its time begins before its log. */
	if (chart->seen[CHART_FIRST])
		phases[0].begin_us = 0;
	if (chart->seen[CHART_FIRST] && !chart->seen[CHART_SMP])
		phases[0].name = "kernel";
	for (size_t i = 0; i < count; i++) {
		uint64_t next = i + 1 < count ? phases[i + 1].begin_us : canvas->end_us;

		phases[i].end_us = max_u64(next, phases[i].begin_us);
	}
	return count;
}

static void draw_phases(struct canvas *canvas)
{
	const struct boot_chart_times *times = &canvas->chart->times;
	uint64_t ended_us = times->end_us ? times->end_us : canvas->chart->panic_us;
	struct phase phases[PHASES];
	size_t count = find_phases(canvas, phases);
	char text[96], took[32];

	for (size_t i = 0; i < count; i++) {
		const struct phase *phase = &phases[i];
		bool last = i + 1 == count;
		uint64_t us = phase->end_us - phase->begin_us;

		if (last && times->command_us && ended_us > times->command_us)
			us = ended_us - times->command_us;
		snprintf(text, sizeof(text), "%s  %s%s", phase->name, put_time(us, took),
			 last ? canvas->ending : "");
		put_bar(canvas,
			&(struct bar){phase->kind, "b", phase->begin_us, phase->end_us, 15, text});
	}
}

/* Behind what is below: which phase it was in. */
static void shade_phases(const struct canvas *canvas, double from)
{
	struct phase phases[PHASES];
	size_t count = find_phases(canvas, phases);

	for (size_t i = 0; i < count; i++) {
		double begin = x_of(canvas, phases[i].begin_us);

		fprintf(canvas->out,
			"<rect class='v %s' x='%.1f' y='%.1f' width='%.1f' height='%.1f'/>\n",
			phases[i].kind, begin, from, x_of(canvas, phases[i].end_us) - begin,
			canvas->grid_end - from);
	}
}

/* ---- Lines and marks -------------------------------------------------- */

static void draw_density(struct canvas *canvas)
{
	const struct boot_chart *chart = canvas->chart;
	const double height = 44;
	uint32_t most = 1;
	char text[96], width[32];

	for (size_t i = 0; i < CHART_BINS; i++)
		most = (uint32_t)max_u64(most, chart->bins[i]);
	snprintf(text, sizeof(text), "Lines of its log: %" PRIu64 ", at most %" PRIu32 " in %s",
		 chart->lines, most, put_time(chart->bin_us, width));
	put_heading(canvas, text);
	canvas->y += height;
	fprintf(canvas->out, "<path class='d' d='");
	for (size_t i = 0; i < CHART_BINS && i * chart->bin_us < canvas->end_us; i++) {
		double begin = x_of(canvas, i * chart->bin_us);
		double end = x_of(canvas, (i + 1) * chart->bin_us);
		double high = height * chart->bins[i] / most;

		if (chart->bins[i])
			fprintf(canvas->out, "M%.1f %.1fV%.1fH%.1fV%.1fz", begin, canvas->y,
				canvas->y - (high < 1 ? 1 : high), end, canvas->y);
	}
	fputs("'/>\n", canvas->out);
}

/* How many in a microsecond; a span is one at least. */
static double exit_rate(const struct boot_chart_span *span)
{
	return (double)span->exits /
	       (double)(span->end_us > span->begin_us ? span->end_us - span->begin_us : 1);
}

static void draw_exits(struct canvas *canvas)
{
	const struct boot_chart *chart = canvas->chart;
	const struct boot_chart_span *spans = chart->spans;
	const double height = 30;
	uint64_t total = 0;
	double most = 0;
	char text[96];

	for (size_t i = 0; i < chart->span_count && spans[i].begin_us < canvas->end_us; i++) {
		total += spans[i].exits;
		most = exit_rate(&spans[i]) > most ? exit_rate(&spans[i]) : most;
	}
	if (!chart->span_count)
		return;
	snprintf(text, sizeof(text),
		 "Exits to user space: %" PRIu64 ", at most %.1f in a millisecond", total,
		 most * 1000);
	put_heading(canvas, text);
	canvas->y += height;
	fprintf(canvas->out, "<path class='d' d='");
	for (size_t i = 0; i < chart->span_count && spans[i].begin_us < canvas->end_us; i++) {
		double high = most > 0 ? height * exit_rate(&spans[i]) / most : 0;

		if (spans[i].exits)
			fprintf(canvas->out, "M%.1f %.1fV%.1fH%.1fV%.1fz",
				x_of(canvas, spans[i].begin_us), canvas->y,
				canvas->y - (high < 1 ? 1 : high), x_of(canvas, spans[i].end_us),
				canvas->y);
	}
	fputs("'/>\n", canvas->out);
}

static void draw_marks_of(const struct canvas *canvas, bool bad)
{
	const struct boot_chart *chart = canvas->chart;
	char time[32];

	for (size_t i = 0; i < chart->mark_count; i++) {
		const struct chart_mark *mark = &chart->marks[i];

		if (mark->bad != bad)
			continue;
		fprintf(canvas->out, "<circle class='%c' cx='%.1f' cy='%.1f' r='4.5'><title>%s: ",
			bad ? 'e' : 'w', x_of(canvas, mark->us), canvas->y,
			put_time(mark->us, time));
		put_text(canvas->out, mark->text);
		fputs("</title></circle>\n", canvas->out);
	}
}

static void draw_marks(struct canvas *canvas)
{
	if (!canvas->chart->mark_count)
		return;
	canvas->y += 12;
	/* What is worse lies on top. */
	draw_marks_of(canvas, false);
	draw_marks_of(canvas, true);
	canvas->y += 8;
}

static void list_mark(struct canvas *canvas, const struct chart_mark *mark)
{
	char text[160];

	canvas->y += 17;
	fprintf(canvas->out, "<circle class='%c' cx='%d' cy='%.1f' r='4'/>\n",
		mark->bad ? 'e' : 'w', LEFT + 5, canvas->y - 4);
	snprintf(text, sizeof(text), "%.6f", (double)mark->us / 1e6);
	put(canvas, "n m r", LEFT + 90, text);
	snprintf(text, sizeof(text), "%.117s%s", mark->text, strlen(mark->text) > 117 ? "..." : "");
	put(canvas, "n", LEFT + 102, text);
}

/* As they came; but where they are too many, findings have the room first. */
static void list_marks(struct canvas *canvas)
{
	const struct boot_chart *chart = canvas->chart;
	size_t room[2] = {LISTED, LISTED};
	uint64_t left = chart->marks_total;
	char text[64];

	if (!chart->mark_count)
		return;
	put_heading(canvas, "What it complained of");
	for (size_t i = 0; i < chart->mark_count; i++)
		room[false] -= chart->marks[i].bad && room[false];
	for (size_t i = 0; i < chart->mark_count; i++) {
		if (!room[chart->marks[i].bad])
			continue;
		room[chart->marks[i].bad]--;
		list_mark(canvas, &chart->marks[i]);
		left--;
	}
	if (!left)
		return;
	canvas->y += 17;
	snprintf(text, sizeof(text), "and %" PRIu64 " more", left);
	put(canvas, "m", LEFT + 102, text);
}

/* ---- Initcalls -------------------------------------------------------- */

static int by_begin(const void *a, const void *b)
{
	const struct chart_call *left = a, *right = b;

	return (left->begin_us > right->begin_us) - (left->begin_us < right->begin_us);
}

static int by_time(const void *a, const void *b)
{
	const struct chart_call *left = a, *right = b;

	return (left->took_us < right->took_us) - (left->took_us > right->took_us);
}

static void draw_call(struct canvas *canvas, const struct chart_call *call)
{
	char text[CHART_NAME + 64], took[32];
	uint64_t end = call->pending ? canvas->end_us : call->begin_us + call->took_us;

	if (call->pending)
		snprintf(text, sizeof(text), "%s  did not return", call->name);
	else
		snprintf(text, sizeof(text), "%s  %s", call->name, put_time(call->took_us, took));
	put_bar(canvas,
		&(struct bar){call->pending ? "e" : "k", "n", call->begin_us, end, 12, text});
}

/* What has begun and not ended, unless the kernel has gone on to run init: that line was lost. */
static bool is_lost(const struct boot_chart *chart, const struct chart_call *call)
{
	return chart->seen[CHART_RUN] && call->begin_us <= chart->at[CHART_RUN];
}

static void draw_calls(struct canvas *canvas)
{
	const struct boot_chart *chart = canvas->chart;
	struct chart_call calls[CHART_CALLS + CHART_PENDING];
	size_t count = chart->call_count;
	char text[128], all[32];

	memcpy(calls, chart->calls, sizeof(chart->calls));
	for (size_t i = 0; i < chart->pending_count; i++) {
		if (!is_lost(chart, &chart->pending[i]))
			calls[count++] = chart->pending[i];
	}
	if (!count)
		return;
	snprintf(text, sizeof(text), "Initcalls: %" PRIu64 ", together %s%s", chart->calls_total,
		 put_time(chart->calls_us, all),
		 chart->calls_total > CHART_CALLS ? "; the longest 40" : "");
	put_heading(canvas, text);
	qsort(calls, count, sizeof(calls[0]), by_begin);
	for (size_t i = 0; i < count; i++)
		draw_call(canvas, &calls[i]);
}

static void list_calls(struct canvas *canvas)
{
	struct chart_call calls[CHART_CALLS];
	size_t count = canvas->chart->call_count;
	char text[64];

	if (!count)
		return;
	memcpy(calls, canvas->chart->calls, sizeof(calls));
	qsort(calls, count, sizeof(calls[0]), by_time);
	put_heading(canvas, "The slowest initcalls");
	canvas->y += 14;
	put(canvas, "m r", LEFT + 110, "took");
	put(canvas, "m r", LEFT + 220, "began at");
	put(canvas, "m r", LEFT + 310, "returned");
	put(canvas, "m", LEFT + 340, "function");
	for (size_t i = 0; i < count && i < SLOWEST; i++) {
		canvas->y += 17;
		if (i % 2 == 0)
			fprintf(canvas->out,
				"<rect class='h' x='%d' y='%.1f' width='%d' height='17' rx='3'/>\n",
				LEFT, canvas->y - 12.5, RIGHT - LEFT);
		snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)i + 1);
		put(canvas, "m r", LEFT + 24, text);
		put(canvas, "r", LEFT + 110, put_time(calls[i].took_us, text));
		snprintf(text, sizeof(text), "%.6f s", (double)calls[i].begin_us / 1e6);
		put(canvas, "m r", LEFT + 220, text);
		snprintf(text, sizeof(text), "%ld", calls[i].result);
		put(canvas, "m r", LEFT + 310, text);
		put(canvas, "n", LEFT + 340, calls[i].name);
	}
}

/* ---- The whole -------------------------------------------------------- */

/* 1, 2 or 5 of a power of ten: at most ten lines. */
static uint64_t grid_step(uint64_t end_us)
{
	uint64_t step = 10;

	for (unsigned i = 0; end_us / step > 10; i++)
		step = i % 3 == 1 ? step / 2 * 5 : step * 2;
	return step;
}

static void draw_axis(struct canvas *canvas)
{
	char text[32];

	canvas->y += 24;
	put(canvas, "x m", LEFT, "0");
	canvas->grid_begin = canvas->y + 5;
	for (uint64_t step = grid_step(canvas->end_us), us = step; us <= canvas->end_us;
	     us += step) {
		double x = x_of(canvas, us);

		if (canvas->end_us < 10000)
			snprintf(text, sizeof(text), "%.2f ms", (double)us / 1e3);
		else
			snprintf(text, sizeof(text), "%.*f s",
				 step >= 1000000  ? 0
				 : step >= 100000 ? 1
				 : step >= 10000  ? 2
						  : 3,
				 (double)us / 1e6);
		put(canvas, x > RIGHT - 20 ? "r m" : "x m", x > RIGHT - 20 ? RIGHT + 4 : x, text);
	}
	canvas->y += 14;
}

static void draw_grid(const struct canvas *canvas, FILE *out)
{
	for (uint64_t step = grid_step(canvas->end_us), us = 0; us <= canvas->end_us; us += step)
		fprintf(out, "<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f'/>\n", x_of(canvas, us),
			x_of(canvas, us), canvas->grid_begin, canvas->grid_end);
}

static void draw_title(struct canvas *canvas)
{
	const struct boot_chart *chart = canvas->chart;
	char text[96], time[32];

	canvas->y = 30;
	if (!chart->lines)
		snprintf(text, sizeof(text), "The kernel's log has no line with a time");
	else if (chart->times.command_us)
		snprintf(text, sizeof(text), "%s from start to command",
			 put_time(chart->times.command_us, time));
	else
		snprintf(text, sizeof(text), "The command did not begin; the last line came at %s",
			 put_time(chart->last_us, time));
	put(canvas, "t", LEFT, text);
}

static void choose_end(struct canvas *canvas)
{
	const struct boot_chart *chart = canvas->chart;
	uint64_t end = max_u64(chart->last_us, chart->times.end_us);

	canvas->ending = "";
	if (chart->panic_us && !chart->times.end_us) {
		canvas->ending = ", to a panic";
	} else if (chart->times.command_us && !chart->times.end_us) {
		/* It ran until it was ended, and nobody knows when. */
		canvas->ending = " and more";
		end = UINT64_MAX;
	}
	canvas->end_us = max_u64(min_u64(end, chart->limit_us), 1000);
}

static void draw(struct canvas *canvas)
{
	choose_end(canvas);
	draw_title(canvas);
	if (!canvas->chart->lines) {
		canvas->y += 20;
		return;
	}
	draw_axis(canvas);
	draw_phases(canvas);
	draw_density(canvas);
	draw_marks(canvas);
	draw_exits(canvas);
	draw_calls(canvas);
	canvas->grid_end = canvas->y + 4;
	list_marks(canvas);
	list_calls(canvas);
	canvas->y += 20;
}

int boot_chart_write(const struct boot_chart *chart, FILE *out)
{
	_cleanup_free_ char *body = NULL;
	struct canvas canvas = {.chart = chart};
	size_t size = 0;

	canvas.out = open_memstream(&body, &size);
	if (!canvas.out)
		return -ENOMEM;
	draw(&canvas);
	if (fclose(canvas.out))
		return -ENOMEM;
	canvas.out = out;
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' class='boot-chart' role='img' "
		"aria-label='Chart of the boot' viewBox='0 0 %d %.0f' width='100%%' "
		"style='max-width:%dpx'>\n%s\n"
		"<rect class='s' width='%d' height='%.0f'/>\n",
		WIDTH, canvas.y, WIDTH, style, WIDTH, canvas.y);
	if (chart->lines) {
		shade_phases(&canvas, canvas.grid_begin);
		draw_grid(&canvas, out);
	}
	fwrite(body, 1, size, out);
	fputs("</svg>\n", out);
	return 0;
}
