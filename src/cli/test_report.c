/* SPDX-License-Identifier: Apache-2.0 */
/* What --output has for people: the page, and the chart of the boot. */
#include <stdio.h>

#include "test.h"
#include "trial/html_report.h"

static FILE *open_in(const struct test *test, const char *name, const char *mode)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", test->options.output, name) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(path, mode);
}

static void read_log(const struct test *test, const char *name,
		     void (*read)(struct boot_chart *chart, FILE *log), struct boot_chart *chart)
{
	FILE *log = open_in(test, name, "re");

	if (!log)
		return;
	read(chart, log);
	fclose(log);
}

/* @page: NULL, for the chart alone. */
static int write_file(const struct test *test, const char *name, const struct boot_chart *chart,
		      const struct html_report *page, struct error *err)
{
	FILE *out = open_in(test, name, "we");
	bool bad;
	int r;

	if (!out)
		return error_set_errno(err, errno, "--output: '%s/%s'", test->options.output, name);
	r = page ? html_report_write(page, out) : boot_chart_write(chart, out);
	bad = ferror(out);
	bad |= fclose(out) != 0;
	if (r < 0)
		return error_set_errno(err, -r, "--output: %s", name);
	return bad ? error_set(err, EIO, "--output: %s cannot be written: the disk may be full",
			       name)
		   : 0;
}

int test_write_report(const struct test *test, struct json_object *result, struct error *err)
{
	_cleanup_(cleanup_boot_chart_destroy_) struct boot_chart *chart = NULL;
	const struct boot_chart_times times = {
		.command_us = test_guest_us(test, test->started_ms),
		.end_us = test_guest_us(test, test->ended_ms),
	};
	struct boot_chart_span spans[TEST_SAMPLES];
	struct html_report page = {.result = result, .folder = test->options.output};
	int r = boot_chart_create(&times, &chart);
	size_t count;

	if (r < 0)
		return error_set_errno(err, -r, "--output");
	read_log(test, "kernel.log", boot_chart_read, chart);
	/* A panic ends init, and with it that file. */
	read_log(test, "console.log", boot_chart_read_console, chart);
	count = test_spans(test, spans);
	boot_chart_exits(chart, spans, count);
	page.chart = chart;
	r = write_file(test, "boot.svg", chart, NULL, err);
	return r < 0 ? r : write_file(test, "report.html", chart, &page, err);
}
