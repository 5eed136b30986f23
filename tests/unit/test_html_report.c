/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a test's output: what it says, and that nothing from the guest is markup. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "html_text.h"
#include "trial/html_report.h"
#include "trial/utf8.h"
#include "unit.h"

/* ---- Text ------------------------------------------------------------- */

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t size;
	const char *html;
} texts[] = {
	{BYTES(""), ""},
	{BYTES("plain\ttext\n"), "plain\ttext\n"},
	{BYTES("<script>&\"'"), "&lt;script&gt;&amp;&quot;&#39;"},
	{BYTES("a\r\nb\rc"), "a\nb\nc"},
	{BYTES("\0\1\x1f\x7f"), "&#x2400;&#x2401;&#x241f;&#x2421;"},
	/* UTF-8, of each size; then overlong, a surrogate, too large, cut off. */
	{BYTES("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
	{BYTES("\xc0\xbc"), "\xef\xbf\xbd\xef\xbf\xbd"},
	{BYTES("\xe0\x80\xbc<"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;"},
	{BYTES("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{BYTES("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{BYTES("\xff<"), "\xef\xbf\xbd&lt;"},
	{BYTES("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd"},
	{BYTES("\xe2\x82<"), "\xef\xbf\xbd\xef\xbf\xbd&lt;"},
	/* C1, an override of direction, what is no character */
	{BYTES("\xc2\x9b"), "\xef\xbf\xbd\xef\xbf\xbd"},
	{BYTES("\xe2\x80\xae"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{BYTES("\xef\xbf\xbe"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	/* Colours */
	{BYTES("\033[31mred\033[0m plain"), "<span class='a1'>red</span> plain"},
	{BYTES("\033[1;92mok\033[m."), "<span class='ab a10'>ok</span>."},
	{BYTES("\033[1mb\033[22mc"), "<span class='ab '>b</span>c"},
	{BYTES("\033[31m<never closed>"), "<span class='a1'>&lt;never closed&gt;</span>"},
	{BYTES("\033[31ma\033[32mb\033[39mc"),
	 "<span class='a1'>a</span><span class='a2'>b</span>c"},
	{BYTES("\033[38;5;31mx\033[48;2;31;31;31my"), "xy"},
	{BYTES("\033[99999999999999999999mx"), "x"},
	{BYTES("\033[?25lx\033[2J\033[10;5Hy\033[K"), "xy"},
	{BYTES("\033]0;<title>\ax\033]8;;http://e\033\\y"), "xy"},
	{BYTES("\033(Bx\033=y\033\033[31m\nz"), "xy<span class='a1'>\nz</span>"},
	{BYTES("\033]never ended\nx"), "never ended\nx"},
	{BYTES("\033"), ""},
	{BYTES("\033["), ""},
	{BYTES("\033[31"), ""},
	{BYTES("\033[31\x80m"), "\xef\xbf\xbdm"},
	{BYTES("\033]x"), "x"},
};

START_TEST(test_text)
{
	/* On the heap, so that no byte behind it is read. */
	uint8_t *bytes = malloc(texts[_i].size + !texts[_i].size);
	char *html = NULL;
	size_t size;
	FILE *out = open_memstream(&html, &size);

	memcpy(bytes, texts[_i].bytes, texts[_i].size);
	html_bytes(out, bytes, texts[_i].size);
	fclose(out);
	ck_assert_str_eq(html, texts[_i].html);
	free(html);
	free(bytes);
}
END_TEST

/* ---- Pages ------------------------------------------------------------ */

static char folder[32];

static void put_file(const char *name, const char *bytes, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void begin(void)
{
	snprintf(folder, sizeof(folder), "/tmp/html_report.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void end(void)
{
	static const char *const names[] = {"stdout",      "stderr", "kernel.log",
					    "console.log", "vmcore", "result.json"};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

static char *page_of(const char *json, const struct boot_chart *chart)
{
	struct json_object *result = json_tokener_parse(json);
	const struct html_report report = {.result = result, .folder = folder, .chart = chart};
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	ck_assert_int_eq(html_report_write(&report, out), 0);
	fclose(out);
	json_object_put(result);
	return page;
}

static const struct {
	const char *text;
	size_t size;
	const char *copy;
} copies[] = {
	{"", 1, ""},
	{"plain\n", 16, "plain\n"},
	{"plain", 5, "plai"},
	{"\xc3\xa4\xff<\xe2\x82", 16, "\xc3\xa4?<??"},
	/* A character is not cut. */
	{"a\xe2\x82\xac", 4, "a"},
	{"a\xe2\x82\xac", 5, "a\xe2\x82\xac"},
};

START_TEST(test_copy)
{
	char copy[16];

	utf8_copy(copy, copies[_i].text, copies[_i].size);
	ck_assert_str_eq(copy, copies[_i].copy);
}
END_TEST

/* A result; what its page has, and what it has not. */
static const struct {
	const char *json, *has, *lacks;
} pages[] = {
	{"{\"verdict\": \"exited\", \"status\": 0}",
	 "<header class='passed'>\n<p class='kind'>The test</p>\n<h1>Passed</h1>\n</header>",
	 "id='findings'"},
	{"{\"verdict\": \"exited\", \"status\": 3, \"reason\": null}", "class='failed'", "Passed"},
	{"{\"verdict\": \"killed\", \"status\": 139}", "<h1>Killed by a signal</h1>", "Passed"},
	{"{\"verdict\": \"timeout\", \"status\": 124, \"reason\": \"after <5> s\"}",
	 "<h1>Timed out</h1>\n<p>after &lt;5&gt; s</p>", "Passed"},
	{"{\"verdict\": \"panic\", \"status\": 255}", "<header class='kernel'>", "Passed"},
	{"{\"verdict\": \"kernel\", \"status\": 255}", "<header class='kernel'>", "Passed"},
	{"{\"verdict\": \"kunit\", \"status\": 1}", "<header class='kernel'>", "Passed"},
	{"{\"verdict\": \"kunit\", \"status\": 0}", "<h1>Passed</h1>", "Failed"},
	{"{\"verdict\": \"set-up\", \"status\": 125}", "<header class='infrastructure'>", "Passed"},
	{"{\"verdict\": \"new\", \"status\": 1}", "Has no verdict", "Passed"},
	{"{\"status\": 0}", "Has no verdict", "Passed"},
	{"{\"verdict\": \"exited\"}", "class='failed'", "Passed"},
	{"{\"verdict\": \"exited\", \"status\": \"0\"}", "class='failed'", "Passed"},
	{"[]", "Has no verdict", "Passed"},
	{"{\"command\": [\"sh\", \"-c\", \"echo 'a' <b>\", \"\"]}",
	 "<code>sh -c &#39;echo &#39;\\&#39;&#39;a&#39;\\&#39;&#39; &lt;b&gt;&#39; "
	 "&#39;&#39;</code>",
	 "<b>"},
	{"{\"command\": [1, null, {}]}", "<code>", NULL},
	{"{\"release\": \"6.1.0-<x>\", \"boot_seconds\": 1.5}",
	 "<dt>Kernel</dt><dd>6.1.0-&lt;x&gt;</dd>\n<dt>From start to command</dt><dd>1.500 s</dd>",
	 ">Command<"},
	{"{\"tests\": {\"passed\": 3, \"failed\": 1, \"skipped\": 0, \"errors\": 0}}",
	 "<dd>3 passed, 1 failed</dd>", "skipped"},
	{"{\"tests\": 1, \"findings\": {\"a\": 1}}", "<dl>", "Its tests"},
	{"{\"findings\": [{\"kind\": \"oops\", \"count\": 2, \"text\": \"Oops </summary>\", "
	 "\"trace\": \"Call trace:\\n f+0x0/0x1 <x>\\n\"}]}",
	 "<details open><summary><span class='tag'>oops</span> Oops &lt;/summary&gt; "
	 "<span class='count'>2 times</span></summary>\n<pre tabindex='0'>\nCall trace:\n "
	 "f+0x0/0x1 &lt;x&gt;\n</pre></details>",
	 NULL},
	{"{\"failed_tests\": [{\"suite\": \"s<\", \"name\": \"n\", \"reason\": \"exit=1\", "
	 "\"log\": "
	 "\"it <b>\\n\"}]}",
	 "<details open><summary><span class='tag'>failed</span> s&lt;: n <span "
	 "class='count'>exit=1</span></summary>\n<pre tabindex='0'>\nit "
	 "&lt;b&gt;\n</pre></details>",
	 "said no more"},
	{"{\"failed_tests\": [{\"name\": \"n\"}, 1, null, []]}",
	 "<span class='tag'>failed</span> n</summary>\n<p class='cut'>It has said no more.</p>",
	 "<pre"},
	{"{\"verdict\": \"ktap\", \"status\": 1}", "<header class='failed'>", "Passed"},
	{"{\"findings\": [1, null, {\"trace\": 5, \"count\": \"x\"}, []]}", "id='findings'",
	 "times"},
};

START_TEST(test_page)
{
	char *page;

	begin();
	page = page_of(pages[_i].json, NULL);
	ck_assert_msg(strstr(page, pages[_i].has), "no '%s' in %s", pages[_i].has, page);
	if (pages[_i].lacks)
		ck_assert_msg(!strstr(page, pages[_i].lacks), "'%s' in %s", pages[_i].lacks, page);
	ck_assert_ptr_nonnull(strstr(page, "</html>\n"));
	/* Nothing of it is loaded from elsewhere. */
	ck_assert_ptr_null(strstr(page, "<script"));
	ck_assert_ptr_null(strstr(page, "<link"));
	ck_assert_ptr_null(strstr(page, " src="));
	free(page);
	end();
}
END_TEST

START_TEST(test_files)
{
	static const char log[] = "[    0.000000] Linux version 6.1.0\n"
				  "[    0.100000] foo: probe failed <5>\n"
				  "[    0.200000] Kernel panic - not syncing: \033[31mx\n"
				  "no time";
	static const char console[] = "     0.123 [    0.200000] plain\n";
	char *page;

	begin();
	put_file("stdout", BYTES("\033[32mok\033[0m </pre>\n"));
	put_file("stderr", BYTES(""));
	put_file("kernel.log", BYTES(log));
	put_file("console.log", BYTES(console));
	put_file("vmcore", BYTES("x"));
	page = page_of("{}", NULL);
	ck_assert_ptr_nonnull(strstr(page, "<span class='a2'>ok</span> &lt;/pre&gt;\n</pre>"));
	ck_assert_ptr_null(strstr(page, "id='stderr'"));
	ck_assert_ptr_nonnull(
		strstr(page, "<i>[    0.000000]</i><b class='k'> Linux version 6.1.0</b>\n"));
	ck_assert_ptr_nonnull(strstr(page, "<b class='w'> foo: probe failed &lt;5&gt;</b>\n"));
	ck_assert_ptr_nonnull(strstr(page, "<b class='e'> Kernel panic - not syncing: <span "
					   "class='a1'>x</span></b>\nno time\n</pre>"));
	ck_assert_ptr_nonnull(strstr(page, "<i>     0.123 [    0.200000]</i> plain\n"));
	ck_assert_ptr_nonnull(strstr(page, "<a href='vmcore'>vmcore</a>"));
	ck_assert_ptr_null(strstr(page, "<a href='boot.svg'>"));
	ck_assert_ptr_null(strstr(page, "class='cut'"));
	free(page);
	end();
}
END_TEST

START_TEST(test_cut)
{
	size_t size = HTML_REPORT_OUTPUT + 10 * KIB;
	char *bytes = malloc(size), *page;

	begin();
	memset(bytes, 'x', size);
	memset(bytes, 'y', 10 * KIB);
	put_file("stdout", bytes, size);
	put_file("stderr", bytes + 10 * KIB, HTML_REPORT_OUTPUT);
	page = page_of("{}", NULL);
	ck_assert_ptr_nonnull(strstr(page, "<p class='cut'>Cut: the last 64 KiB of 74.</p>"));
	ck_assert_ptr_null(strstr(page, "yyyy"));
	/* Nothing is said of what is whole. */
	ck_assert_ptr_null(strstr(strstr(page, "id='stderr'"), "class='cut'"));
	ck_assert_uint_lt(strlen(page), 2 * HTML_REPORT_OUTPUT + 16 * KIB);
	free(page);
	free(bytes);
	end();
}
END_TEST

START_TEST(test_chart)
{
	const struct boot_chart_times times = {.command_us = 2000000};
	struct boot_chart *chart;
	char *page;

	begin();
	ck_assert_int_eq(boot_chart_create(&times, &chart), 0);
	boot_chart_line(chart, (const uint8_t *)BYTES("[    1.0] Run /init as init process"));
	page = page_of("{}", chart);
	ck_assert_ptr_nonnull(strstr(page, "<section id='boot' class='chart'>\n<svg xmlns="));
	ck_assert_ptr_nonnull(strstr(page, "</svg>\n</section>"));
	boot_chart_destroy(chart);
	free(page);
	end();
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_text, ARRAY_SIZE(texts)),
	UNIT_LOOP(test_copy, ARRAY_SIZE(copies)),
	UNIT_LOOP(test_page, ARRAY_SIZE(pages)),
	UNIT_CASE(test_files),
	UNIT_CASE(test_cut),
	UNIT_CASE(test_chart),
	{0},
};
const char unit_name[] = "html_report";
