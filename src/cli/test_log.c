/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's log, from both sides: what it prints on its serial console, and the records that
 * init reads from /dev/kmsg. A quiet console has only what is bad, but that to the last word;
 * the records are all, but end with init. The last lines of both are kept in memory, for who
 * wants to know why.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/now.h"
#include "test.h"
#include "trial/job.h"

/* ---- The last lines --------------------------------------------------- */

/* What is behind "[    1.234567] ", if @text begins so. */
static const char *behind_time(const char *text)
{
	const char *at = text;

	if (*at++ != '[')
		return text;
	at += strspn(at, " 0123456789.");
	return at[0] == ']' && at[1] == ' ' ? at + 2 : text;
}

static bool in_tail(const struct test *test, const char *text)
{
	size_t count = min_u64(test->lines_seen, TEST_TAIL);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(behind_time(test->tail[i].text), behind_time(text)))
			return true;
	}
	return false;
}

static void remember(struct test *test, const char *text, size_t size)
{
	struct test_line line;

	snprintf(line.text, sizeof(line.text), "%.*s", (int)min_u64(size, sizeof(line.text) - 1),
		 text);
	/* What the console has said comes as a record, too. */
	if (!line.text[0] || in_tail(test, line.text))
		return;
	test->tail[test->lines_seen++ % TEST_TAIL] = line;
}

/* What of @text is no character of a terminal's is none of ours. */
static void print_line(const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' && *text != '\t' ? '?' : *text, stderr);
	fputc('\n', stderr);
}

void test_print_tail(const struct test *test)
{
	size_t first = test->lines_seen > TEST_TAIL ? test->lines_seen - TEST_TAIL : 0;

	if (!test->lines_seen || test->options.verbose)
		return;
	fputs("---- the end of the kernel's log:\n", stderr);
	for (size_t i = first; i < test->lines_seen; i++)
		print_line(test->tail[i % TEST_TAIL].text);
	fputs("----\n", stderr);
}

static void look(struct test *test, enum klog_source source, const char *text, size_t size)
{
	uint64_t seen = klog_line(test->klog, source, (const uint8_t *)text, size);

	if (seen & (BIT(KLOG_PANIC) | KLOG_ENDED))
		test_take_panic(test, seen & KLOG_ENDED);
}

/* ---- Lines as they come ----------------------------------------------- */

/* The line that came soonest after it was made tells most of when the guest's time began. */
static void note_time(struct test *test, uint64_t us)
{
	int64_t began = now_ms() - (int64_t)min_u64(us / 1000, INT64_MAX / 2);

	if (!test->guest_ms || began < test->guest_ms)
		test->guest_ms = began;
}

/* The same for a line of the console, "[    1.234567] ". */
static void note_time_of_line(struct test *test, const char *text, size_t size)
{
	char copy[32], *dot;
	uint64_t seconds, us;

	snprintf(copy, sizeof(copy), "%.*s", (int)min_u64(size, sizeof(copy) - 1), text);
	if (copy[0] != '[')
		return;
	seconds = strtoull(copy + strspn(copy, "[ "), &dot, 10);
	us = *dot == '.' ? strtoull(dot + 1, &dot, 10) : 0;
	if (*dot == ']' && seconds < UINT32_MAX && us < 1000000)
		note_time(test, seconds * 1000000 + us);
}

void test_take_console(void *data, const char *text, size_t size)
{
	struct test *test = data;
	const char *complaint = memmem(text, size, JOB_COMPLAINT, strlen(JOB_COMPLAINT));
	int64_t ms = now_ms() - test->began_ms;

	/* Later it is some other program's: init has the port then. */
	if (complaint && !test->up) {
		complaint += strlen(JOB_COMPLAINT);
		snprintf(test->sentence, sizeof(test->sentence), "%.*s",
			 (int)(text + size - complaint), complaint);
		test->verdict = TEST_SET_UP;
	}
	test->printed = true;
	note_time_of_line(test, text, size);
	remember(test, text, size);
	if (test->console_log)
		fprintf(test->console_log, "%6" PRId64 ".%03" PRId64 " %.*s\n", ms / 1000,
			ms % 1000, (int)size, text);
	if (test->options.verbose)
		fprintf(stderr, "%.*s\n", (int)size, text);
	look(test, KLOG_CONSOLE, text, size);
	if (test->options.kunit)
		ktap_line(test->kernel_results, (const uint8_t *)text, size);
}

/* The third of the numbers in a record's head, which has no zero at its end. */
static uint64_t microseconds_of(const char *head, size_t size)
{
	char copy[64];
	const char *at = copy;

	snprintf(copy, sizeof(copy), "%.*s", (int)min_u64(size, sizeof(copy) - 1), head);
	for (int commas = 0; commas < 2 && at; commas++) {
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

/* "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT\n KEY=VALUE\n..." (Linux, ABI/testing/dev-kmsg) */
void test_take_record(struct test *test, const char *record, size_t size)
{
	const char *semicolon = memchr(record, ';', size);
	const char *text = semicolon ? semicolon + 1 : record;
	const char *end = memchr(text, '\n', size - (size_t)(text - record));
	size_t length = end ? (size_t)(end - text) : size - (size_t)(text - record);
	uint64_t us = microseconds_of(record, semicolon ? (size_t)(semicolon - record) : 0);
	char line[LINE_PORT_LINE];

	snprintf(line, sizeof(line), "[%5" PRIu64 ".%06" PRIu64 "] %.*s", us / 1000000,
		 us % 1000000, (int)min_u64(length, sizeof(line) - 64), text);
	note_time(test, us);
	remember(test, line, strlen(line));
	if (test->kernel_log)
		fprintf(test->kernel_log, "%s\n", line);
	look(test, KLOG_KMSG, record, size);
	ktap_line(test->kernel_results, (const uint8_t *)text, length);
}

/* ---- What is kept ----------------------------------------------------- */

static int open_file(const struct test *test, const char *name, FILE **ret, struct error *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", test->options.output, name) >= (int)sizeof(path))
		return error_set_errno(err, ENAMETOOLONG, "--output %s", test->options.output);
	*ret = fopen(path, "we");
	return *ret ? 0 : error_set_errno(err, errno, "--output: '%s'", path);
}

int test_open_output(struct test *test, struct error *err)
{
	const struct {
		const char *name;
		FILE **file;
	} files[] = {
		{"console.log", &test->console_log},
		{"kernel.log", &test->kernel_log},
		{"stdout", &test->kept[0]},
		{"stderr", &test->kept[1]},
	};
	int r = 0;

	if (!test->options.output)
		return 0;
	if (mkdir(test->options.output, 0777) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "--output %s", test->options.output);
	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++)
		r = open_file(test, files[i].name, files[i].file, err);
	return r;
}

void test_keep_output(struct test *test, bool errors, const uint8_t *bytes, size_t size)
{
	if (!test->kept[errors])
		return;
	/* So that it can be followed, and is there whatever becomes of us. */
	fwrite(bytes, 1, size, test->kept[errors]);
	fflush(test->kept[errors]);
}

static int close_file(FILE **file, const char *name, struct error *err)
{
	bool bad;

	if (!*file)
		return 0;
	bad = ferror(*file);
	bad |= fclose(*file) != 0;
	*file = NULL;
	return bad ? error_set(err, EIO, "--output: %s cannot be written: the disk may be full",
			       name)
		   : 0;
}

int test_close_output(struct test *test, struct error *err)
{
	int r = close_file(&test->console_log, "console.log", err);

	r = close_file(&test->kernel_log, "kernel.log", err) < 0 ? -EIO : r;
	r = close_file(&test->kept[0], "stdout", err) < 0 ? -EIO : r;
	return close_file(&test->kept[1], "stderr", err) < 0 ? -EIO : r;
}
