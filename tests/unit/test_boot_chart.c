/* SPDX-License-Identifier: Apache-2.0 */
/* Charts of boots: what is found in a log, and that any log gives an SVG that is well-formed. */
#include <stdlib.h>
#include <string.h>

#include "trial/boot_chart.h"
#include "unit.h"
#include "xml_check.h"

static const char boot_6_1[] =
	"[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd083]\n"
	"[    0.000000] Kernel command line: quiet failed error\n"
	"[    0.012000] smp: Brought up 1 node, 2 CPUs\n"
	"[    0.100000] Trying to unpack rootfs image as initramfs...\n"
	"[    0.250000] calling  slow_init+0x0/0x1c0 @ 1\n"
	"[    0.300000] initcall slow_init+0x0/0x1c0 returned 0 after 50000 usecs\n"
	"[    0.300100] calling  mod_init+0x0/0x1000 [mod] @ 77\n"
	"[    0.300200] initcall mod_init+0x0/0x1000 [mod] returned -19 after 90 usecs\n"
	"[    0.350000] Freeing initrd memory: 5348K\n"
	"[    0.600000] rtc0: probe of 9010000.pl031 failed with error -5 <&>\n"
	"[    0.700000] Freeing unused kernel memory: 5824K\n"
	"[    0.710000] Run /.armlet/init as init process\n"
	"[    0.900000] WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 f+0xf4/0x148\n";

static void read_text(struct boot_chart *chart, void (*read)(struct boot_chart *, FILE *),
		      const char *text, size_t size)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, size, "r");

	ck_assert_ptr_nonnull(in);
	read(chart, in);
	fclose(in);
}

/* The chart is no more then. */
static char *svg_of(struct boot_chart *chart)
{
	char *svg = NULL;
	size_t size;
	FILE *out = open_memstream(&svg, &size);

	ck_assert_int_eq(boot_chart_write(chart, out), 0);
	fclose(out);
	ck_assert_uint_eq(strlen(svg), size);
	boot_chart_destroy(chart);
	return svg;
}

static char *chart_of(uint64_t command_us, uint64_t end_us, const char *log, size_t size)
{
	const struct boot_chart_times times = {.command_us = command_us, .end_us = end_us};
	struct boot_chart *chart = NULL;

	ck_assert_int_eq(boot_chart_create(&times, &chart), 0);
	read_text(chart, boot_chart_read, log, size);
	return svg_of(chart);
}

/* The log of a boot up to one of its lines; what the chart has then, and has not. */
static const struct {
	const char *log;
	uint64_t command_us, end_us;
	const char *has, *lacks;
} charts[] = {
	{boot_6_1, 900000, 1000000, ">900 ms from start to command<", "did not begin"},
	{boot_6_1, 900000, 1000000, ">one CPU  12 ms<", "and more"},
	{boot_6_1, 900000, 1000000, ">core  88 ms<", "script"},
	{boot_6_1, 900000, 1000000, ">initramfs  250 ms<", "http:'"},
	{boot_6_1, 900000, 1000000, ">drivers  350 ms<", NULL},
	{boot_6_1, 900000, 1000000, ">ready  10 ms<", NULL},
	{boot_6_1, 900000, 1000000, ">init  190 ms<", NULL},
	{boot_6_1, 900000, 1000000, ">command  100 ms<", NULL},
	{boot_6_1, 900000, 1000000, "Lines of its log: 13,", NULL},
	{boot_6_1, 900000, 1000000, "failed with error -5 &lt;&amp;&gt;<", "command line"},
	{boot_6_1, 900000, 1000000, "circle class='e'", NULL},
	{boot_6_1, 900000, 1000000, "circle class='w'", NULL},
	{boot_6_1, 900000, 1000000, ">slow_init  50 ms<", "did not return"},
	{boot_6_1, 900000, 1000000, ">mod_init  90 us<", "+0x0"},
	{boot_6_1, 900000, 1000000, ">-19<", "longest"},
	/* A command that goes on and on is cut, and says how long it was. */
	{boot_6_1, 900000, UINT64_MAX, ">command  999999.100 s<", NULL},
	{boot_6_1, 900000, 0, " and more<", NULL},
	{"[ 1.0] a\n[ 3.0] Kernel panic - not syncing: x\n[ 3.2] ---[ end Kernel panic - not "
	 "syncing: x ]---\n",
	 2500000, 0, ">command  700 ms, to a panic<", "s: ---["},
	/* As a panic, too, which is told of even so, unlike what else is late. */
	{"[ 1.0] a\n[ 9.0] Kernel panic - not syncing: x\n", 2000000, 0,
	 ">command  7.000 s, to a panic<", "and more"},
	{"[ 1.0] a\n[ 9.0] Kernel panic - not syncing: x\n", 2000000, 0,
	 "9.000 s: Kernel panic - not syncing: x<", NULL},
	{"[ 1.0] a\n[ 8.0] it failed\n[ 9.0] Kernel panic - not syncing: x\n", 2000000, 0,
	 "What it complained of", "it failed"},
	{"[ 1.0] a\n[ 3.0] Kernel panic - not syncing: x\n", 0, 0, ">kernel  3.000 s, to a panic<",
	 "one CPU"},
	{boot_6_1, 0, 0, "The command did not begin; the last line came at 900 ms", ">command "},
	/* Without initcall_debug there is nothing of them, without complaints no list. */
	{"[    0.1] Run /init as init process\n", 0, 0, ">init  ", "nitcalls"},
	{"[    0.1] Run /init as init process\n", 0, 0, ">init  ", "complained"},
	{"no time\n[x] y\n[ 1.5 no end\n[.5] z\n", 0, 0, "has no line with a time", "kernel  "},
	{"[    1.0] calling  hang_init+0x0/0x10 @ 1\n[    3.0] rcu: INFO: rcu_sched detected "
	 "stalls "
	 "on CPUs/tasks:\n",
	 0, 0, "hang_init  did not return", NULL},
	/* The line of a return was lost. */
	{"[    1.0] calling  hang_init+0x0/0x10 @ 1\n[    3.0] Run /init as init process\n", 0, 0,
	 ">init  ", "hang_init"},
	/* A landmark counts once, and not behind those that follow it. */
	{"[ 1.0] x\n[ 2.0] Run /init as init process\n[ 3.0] smp: Brought up 1 node, 1 CPU\n"
	 "[ 4.0] y\n",
	 0, 0, ">init  2.000 s<", "core"},
	{"[ 1.0] initcall f+0x0/0x1 returned 0 after 99999999999999999999999 usecs\n", 0, 0,
	 ">f  1.000 s<", NULL},
	{"[ 1.0] initcall \n[ 1.1] initcall  returned  after \n[ 1.2] calling  \n", 0, 0,
	 ">kernel  ", "nitcalls"},
	{"[ 99999999999999999999999.999999] x\n", 0, 0, "1000000.000 s", NULL},
	{"[ 0.000000] x\n", 0, 0, "last line came at 0 us", NULL},
};

START_TEST(test_has)
{
	char *svg = chart_of(charts[_i].command_us, charts[_i].end_us, charts[_i].log,
			     strlen(charts[_i].log));

	ck_assert_msg(strstr(svg, charts[_i].has), "no '%s' in %s", charts[_i].has, svg);
	if (charts[_i].lacks)
		ck_assert_msg(!strstr(svg, charts[_i].lacks), "'%s' in %s", charts[_i].lacks, svg);
	xml_check(svg);
	free(svg);
}
END_TEST

START_TEST(test_bytes)
{
	char log[64 * 64];
	char *svg;

	/* Each byte in a line that is shown, among them all that XML does not have. */
	for (int i = 0; i < 64; i++) {
		char *line = log + i * 64;

		memset(line, ' ', 64);
		memcpy(line, "[    1.000001] failed ", 22);
		for (int j = 0; j < 4; j++)
			line[30 + j] = (char)(i * 4 + j == '\n' ? 'n' : i * 4 + j);
		line[63] = '\n';
	}
	svg = chart_of(0, 0, log, sizeof(log));
	xml_check(svg);
	free(svg);
}
END_TEST

/* Findings are listed even if there are many warnings in front of them, and as they came. */
START_TEST(test_listed)
{
	size_t size = 0;
	char *log = NULL, *svg, *first, *last;
	FILE *out = open_memstream(&log, &size);

	for (int i = 0; i < 20; i++)
		fprintf(out, "[    %d.%06d] foo%d: failed\n", i / 10, i, i);
	fputs("[    3.0] Kernel panic - not syncing: x\n", out);
	fclose(out);
	svg = chart_of(0, 0, log, size);
	first = strstr(svg, ">foo10: failed</text>");
	last = strstr(svg, ">Kernel panic - not syncing: x</text>");
	ck_assert(first && last && first < last);
	ck_assert_ptr_null(strstr(svg, ">foo11: failed</text>"));
	ck_assert_ptr_nonnull(strstr(svg, ">and 9 more<"));
	xml_check(svg);
	free(svg);
	free(log);
}
END_TEST

/* However much comes, what is drawn is as much as can be seen. */
START_TEST(test_bounds)
{
	size_t size = 0;
	char *log = NULL, *svg;
	FILE *out = open_memstream(&log, &size);
	size_t bars = 0;

	for (int i = 0; i < 5000; i++)
		fprintf(out,
			"[%5d.000000] calling  never%d+0x0/0x1 @ 1\n"
			"[%5d.000001] foo: failed %d\n"
			"[%5d.500000] initcall f%d+0x0/0x1 returned 0 after %d usecs\n",
			i, i, i, i, i, i, i);
	fclose(out);
	svg = chart_of(0, 0, log, size);
	ck_assert_uint_lt(strlen(svg), 64 * 1024);
	for (const char *at = svg; (at = strstr(at, "n' x='")); at++)
		bars++;
	/* 40 longest, 16 that did not return, 12 complaints and 10 of the table */
	ck_assert_uint_eq(bars, 40 + 16 + 12 + 10);
	ck_assert_ptr_nonnull(strstr(svg, ">f4999  5.0 ms<"));
	ck_assert_ptr_null(strstr(svg, ">f4959  "));
	ck_assert_ptr_nonnull(strstr(svg, "and 4988 more"));
	ck_assert_ptr_nonnull(strstr(svg, "Lines of its log: 15000, at most "));
	xml_check(svg);
	free(svg);
	free(log);
}
END_TEST

START_TEST(test_long_line)
{
	size_t size = 0;
	char *log = NULL, *svg;
	FILE *out = open_memstream(&log, &size);

	fprintf(out, "[    1.0] failed %0*d\n[    2.0] y\n", 90000, 1);
	fclose(out);
	svg = chart_of(0, 0, log, size);
	ck_assert_ptr_nonnull(strstr(svg, "Lines of its log: 2,"));
	ck_assert_uint_lt(strlen(svg), 16 * KIB);
	xml_check(svg);
	free(svg);
	free(log);
}
END_TEST

/* Of the console only what the log has not. */
START_TEST(test_console)
{
	static const char log[] = "[    0.5] a\n[    1.0] Run /init as init process\n";
	static const char console[] =
		"     0.500 [    0.5] error: told before\n"
		"     1.200 no time\n"
		"     1.300 sh: [x] y[    1.2] Kernel panic - not syncing: it <died>\n";
	const struct boot_chart_times times = {0};
	struct boot_chart *chart = NULL;
	char *svg;

	ck_assert_int_eq(boot_chart_create(&times, &chart), 0);
	read_text(chart, boot_chart_read, log, strlen(log));
	read_text(chart, boot_chart_read_console, console, strlen(console));
	svg = svg_of(chart);
	ck_assert_ptr_null(strstr(svg, "told before"));
	ck_assert_ptr_nonnull(strstr(svg, "1.200 s: Kernel panic - not syncing: it &lt;died&gt;"));
	xml_check(svg);
	free(svg);
	boot_chart_destroy(NULL);
}
END_TEST

START_TEST(test_exits)
{
	static const char log[] = "[    0.5] a\n[    1.0] Run /init as init process\n";
	static const struct boot_chart_span spans[] = {
		{0, 100000, 50},
		{100000, 200000, 0},
		{200000, 200000, 1},
		{900000, 1200000, 3},
		/* Behind the end. */
		{1200000, 1300000, 7},
		{UINT64_MAX - 1, UINT64_MAX, UINT64_MAX},
	};
	const struct boot_chart_times times = {0};
	struct boot_chart *chart = NULL;
	char *svg;

	ck_assert_int_eq(boot_chart_create(&times, &chart), 0);
	read_text(chart, boot_chart_read, log, strlen(log));
	boot_chart_exits(chart, spans, ARRAY_SIZE(spans));
	svg = svg_of(chart);
	ck_assert_ptr_nonnull(
		strstr(svg, ">Exits to user space: 54, at most 1000.0 in a millisecond<"));
	/* From the left to a tenth of it, and to the right edge, not beyond. */
	ck_assert_ptr_nonnull(strstr(svg, "H112.0V"));
	ck_assert_ptr_nonnull(strstr(svg, "H940.0V"));
	xml_check(svg);
	free(svg);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_exits),   UNIT_LOOP(test_has, ARRAY_SIZE(charts)),
	UNIT_CASE(test_bytes),   UNIT_CASE(test_listed),
	UNIT_CASE(test_bounds),  UNIT_CASE(test_long_line),
	UNIT_CASE(test_console), {0},
};
const char unit_name[] = "boot_chart";
