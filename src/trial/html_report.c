/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/html_report.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "html_private.h"
#include "html_text.h"

/* ---- What of the result there is -------------------------------------- */

static struct json_object *member(const struct html_report *report, const char *name)
{
	return json_object_object_get(report->result, name);
}

static const char *text_of(const struct html_report *report, const char *name)
{
	struct json_object *object = member(report, name);

	return json_object_is_type(object, json_type_string) ? json_object_get_string(object)
							     : NULL;
}

static void put_string(FILE *out, struct json_object *object)
{
	if (json_object_is_type(object, json_type_string))
		html_bytes(out, (const uint8_t *)json_object_get_string(object),
			   (size_t)json_object_get_string_len(object));
}

/* ---- The verdict ------------------------------------------------------ */

/* Whose it is, as class and in words. */
static const struct verdict {
	const char *name;
	const char *kind, *kind_words;
	const char *headline; /* %d: the status */
} verdicts[] = {
	{"exited", "failed", "The command", "Failed"},
	{"killed", "failed", "The command", "Killed by a signal"},
	{"not-run", "failed", "The command", "Could not be run"},
	{"no-boot", "kernel", "The kernel", "Did not come up"},
	{"timeout", "failed", "The test", "Timed out"},
	{"quiet", "failed", "The test", "Timed out: nothing was printed"},
	{"panic", "kernel", "The kernel", "Panicked"},
	{"reset", "kernel", "The kernel", "Reset the machine"},
	{"watchdog", "kernel", "The kernel", "Hangs"},
	{"power-off", "kernel", "The kernel", "Powered off by itself"},
	{"kernel", "kernel", "The kernel", "Failed, though the command did not"},
	{"kunit", "kernel", "The kernel's tests", "Failed"},
	{"ktap", "failed", "The command's tests", "Failed"},
	{"stopped", "infrastructure", "The test", "Ended from outside"},
	{"set-up", "infrastructure", "The guest's set-up", "Failed"},
	{"armlet", "infrastructure", "armlet or the host", "Failed"},
};

static const struct verdict passed = {"", "passed", "The test", "Passed"};
static const struct verdict unknown = {"", "infrastructure", "The test", "Has no verdict"};

static const struct verdict *find_verdict(const struct html_report *report)
{
	struct json_object *status = member(report, "status");
	const char *name = text_of(report, "verdict");

	if (!name)
		return &unknown;
	/* No other verdict has this status. */
	if (json_object_is_type(status, json_type_int) && !json_object_get_int(status))
		return &passed;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (!strcmp(name, verdicts[i].name))
			return &verdicts[i];
	}
	return &unknown;
}

static void put_head(const struct html_report *report, FILE *out)
{
	const struct verdict *verdict = find_verdict(report);

	fprintf(out,
		"<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
		"<meta name='viewport' content='width=device-width'>\n"
		"<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\">\n<title>%s: %s</title>\n<style>%s</style>\n"
		"</head>\n<body>\n<main>\n",
		verdict->kind_words, verdict->headline, html_style);
	fprintf(out, "<header class='%s'>\n<p class='kind'>%s</p>\n<h1>%s</h1>\n", verdict->kind,
		verdict->kind_words, verdict->headline);
	if (text_of(report, "reason")) {
		fputs("<p>", out);
		put_string(out, member(report, "reason"));
		fputs("</p>\n", out);
	}
	fputs("</header>\n", out);
}

/* ---- What was tested -------------------------------------------------- */

/* Words as a shell would take them: what has other than plain letters is quoted. */
static void put_word(FILE *out, const char *word)
{
	if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789-_./=:,+@%")]) {
		html_text(out, word);
		return;
	}
	fputs("&#39;", out);
	while (*word) {
		size_t size = strcspn(word, "'");

		html_bytes(out, (const uint8_t *)word, size);
		word += size;
		if (*word) {
			fputs("&#39;\\&#39;&#39;", out);
			word++;
		}
	}
	fputs("&#39;", out);
}

static void put_command(const struct html_report *report, FILE *out)
{
	struct json_object *words = member(report, "command");
	size_t count =
		json_object_is_type(words, json_type_array) ? json_object_array_length(words) : 0;

	if (!count)
		return;
	fputs("<dt>Command</dt><dd><code>", out);
	for (size_t i = 0; i < count; i++) {
		const char *word = json_object_get_string(json_object_array_get_idx(words, i));

		if (i)
			fputc(' ', out);
		put_word(out, word ? word : "");
	}
	fputs("</code></dd>\n", out);
}

static void put_row(const struct html_report *report, FILE *out, const char *name,
		    const char *title)
{
	struct json_object *object = member(report, name);

	if (!object)
		return;
	fprintf(out, "<dt>%s</dt><dd>", title);
	if (json_object_is_type(object, json_type_double))
		fprintf(out, "%.3f s", json_object_get_double(object));
	else if (json_object_is_type(object, json_type_int))
		fprintf(out, "%d", json_object_get_int(object));
	else
		put_string(out, object);
	fputs("</dd>\n", out);
}

/* How many of single tests; of the command, or of the kernel. */
static void put_tests(const struct html_report *report, FILE *out, const char *name,
		      const char *title)
{
	static const char *const counts[] = {"passed", "failed", "skipped", "errors"};
	struct json_object *tests = member(report, name);
	bool any = false;

	if (!json_object_is_type(tests, json_type_object))
		return;
	fprintf(out, "<dt>%s</dt><dd>", title);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		int64_t count = json_object_get_int64(json_object_object_get(tests, counts[i]));

		if (count)
			fprintf(out, "%s%" PRId64 " %s", any ? ", " : "", count, counts[i]);
		any |= count != 0;
	}
	fprintf(out, "%s</dd>\n", any ? "" : "none");
}

static void put_facts(const struct html_report *report, FILE *out)
{
	fputs("<section id='facts'>\n<dl>\n", out);
	put_command(report, out);
	put_row(report, out, "status", "Status");
	put_row(report, out, "release", "Kernel");
	put_row(report, out, "kernel", "Its file");
	put_row(report, out, "boot_seconds", "From start to command");
	put_row(report, out, "command_seconds", "Command");
	put_tests(report, out, "tests", "Its tests");
	put_tests(report, out, "kernel_tests", "The kernel&#39;s tests");
	fputs("</dl>\n</section>\n", out);
}

/* ---- Tests that failed ------------------------------------------------ */

static void put_failure(struct json_object *failure, bool open, FILE *out)
{
	struct json_object *suite = json_object_object_get(failure, "suite");
	struct json_object *reason = json_object_object_get(failure, "reason");
	struct json_object *log = json_object_object_get(failure, "log");

	fprintf(out, "<details%s><summary><span class='tag'>failed</span> ", open ? " open" : "");
	put_string(out, suite);
	if (json_object_get_string_len(suite))
		fputs(": ", out);
	put_string(out, json_object_object_get(failure, "name"));
	if (json_object_get_string_len(reason)) {
		fputs(" <span class='count'>", out);
		put_string(out, reason);
		fputs("</span>", out);
	}
	fputs("</summary>\n", out);
	if (json_object_get_string_len(log)) {
		fputs("<pre tabindex='0'>\n", out);
		put_string(out, log);
		fputs("</pre>", out);
	} else {
		fputs("<p class='cut'>It has said no more.</p>", out);
	}
	fputs("</details>\n", out);
}

static void put_failures(const struct html_report *report, FILE *out)
{
	struct json_object *failures = member(report, "failed_tests");
	size_t count = json_object_is_type(failures, json_type_array)
			       ? json_object_array_length(failures)
			       : 0;

	if (!count)
		return;
	fputs("<section id='tests'>\n<h2>Tests that failed</h2>\n", out);
	for (size_t i = 0; i < count; i++)
		put_failure(json_object_array_get_idx(failures, i), !i, out);
	fputs("</section>\n", out);
}

/* ---- What the kernel said --------------------------------------------- */

/* Whether it has a trace, which is shown if it is to be @open. */
static bool put_finding(struct json_object *finding, bool open, FILE *out)
{
	struct json_object *trace = json_object_object_get(finding, "trace");
	int64_t count = json_object_get_int64(json_object_object_get(finding, "count"));
	bool has_trace = json_object_get_string_len(trace) > 0;

	fprintf(out, "<details%s><summary><span class='tag'>", open && has_trace ? " open" : "");
	put_string(out, json_object_object_get(finding, "kind"));
	fputs("</span> ", out);
	put_string(out, json_object_object_get(finding, "text"));
	if (count > 1)
		fprintf(out, " <span class='count'>%" PRId64 " times</span>", count);
	fputs("</summary>\n", out);
	if (has_trace) {
		fputs("<pre tabindex='0'>\n", out);
		put_string(out, trace);
		fputs("</pre>", out);
	} else {
		fputs("<p class='cut'>It has no trace.</p>", out);
	}
	fputs("</details>\n", out);
	return has_trace;
}

static void put_findings(const struct html_report *report, FILE *out)
{
	struct json_object *findings = member(report, "findings");
	size_t count = json_object_is_type(findings, json_type_array)
			       ? json_object_array_length(findings)
			       : 0;

	bool shown = false; /* one trace */

	if (!count)
		return;
	fputs("<section id='findings'>\n<h2>Found in the kernel&#39;s log</h2>\n", out);
	for (size_t i = 0; i < count; i++)
		shown |= put_finding(json_object_array_get_idx(findings, i), !shown, out);
	fputs("</section>\n", out);
}

/* ---- The files -------------------------------------------------------- */

static int put_chart(const struct html_report *report, FILE *out)
{
	int r;

	if (!report->chart)
		return 0;
	fputs("<section id='boot' class='chart'>\n", out);
	r = boot_chart_write(report->chart, out);
	fputs("</section>\n", out);
	return r;
}

static int put_boxes(const struct html_report *report, FILE *out)
{
	const char *folder = report->folder;
	/* A kernel that fails tells its last words there only. */
	bool console = strcmp(find_verdict(report)->kind, "kernel") == 0;
	const struct html_box boxes[] = {
		{folder, "stdout", "Standard output", HTML_REPORT_OUTPUT, false, false},
		{folder, "stderr", "Standard error", HTML_REPORT_OUTPUT, false, false},
		{folder, "kernel.log", "The kernel&#39;s log", HTML_REPORT_LOG, true, false},
		{folder, "console.log", "The console", HTML_REPORT_LOG, true, !console},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(boxes) && r == 0; i++)
		r = html_box(out, &boxes[i]);
	return r;
}

static void put_links(const struct html_report *report, FILE *out)
{
	static const char *const names[] = {"result.json", "junit.xml", "boot.svg", "console.log",
					    "kernel.log",  "stdout",    "stderr",   "vmcore"};
	char path[PATH_MAX];

	fputs("<footer>\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", report->folder, names[i]) <
			    (int)sizeof(path) &&
		    access(path, F_OK) == 0)
			fprintf(out, "<a href='%s'>%s</a>\n", names[i], names[i]);
	}
	fputs("</footer>\n", out);
}

int html_report_write(const struct html_report *report, FILE *out)
{
	int r;

	put_head(report, out);
	put_facts(report, out);
	put_failures(report, out);
	put_findings(report, out);
	r = put_chart(report, out);
	if (r == 0)
		r = put_boxes(report, out);
	put_links(report, out);
	fputs("</main>\n</body>\n</html>\n", out);
	return r;
}
