/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source lines of the traces in the kernel's log, when the machine has ended: where a symbol
 * is tells the kernel's vmlinux, what is there addr2line, which is asked once for all.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backend/helper_process.h"
#include "base/log.h"
#include "base/now.h"
#include "test.h"
#include "trial/vmlinux.h"

#define ANSWER_MAX  (8 * MIB)
#define PATIENCE_MS 1000  /* that it may take without a word from us, */
#define END_MS      30000 /* and in all */
#define STEP_MS     100
#define OPTIONS     6

/* Those of which one is there, in the order in which they are tried; their answers are alike. */
static const char *const programs[] = {"addr2line", "aarch64-linux-gnu-addr2line",
				       "llvm-addr2line"};

int test_check_vmlinux(const struct test *test, struct error *err)
{
	_cleanup_close_ int fd = -EBADF;

	if (!test->options.vmlinux)
		return 0;
	fd = vmlinux_open(test->options.vmlinux, err);
	return fd < 0 ? error_prefix(err, "--vmlinux: ") : 0;
}

static void complain(const char *path, const char *why)
{
	log_warning("the trace is without source lines: '%s': %s", path, why);
}

/* ---- addr2line -------------------------------------------------------- */

/* The event loop, which watches signals, is over: whoever does not want to wait is heard here. */
static bool is_hurried(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (sigismember(&pending, numbers[i]) == 1)
			return true;
	}
	return false;
}

static bool wait_for(const struct test *test, const struct helper_process *helper, const char *path)
{
	int64_t begin = now_ms(), waited = 0;
	bool told = !test->options.verbose && !isatty(STDERR_FILENO);

	while (!helper_process_wait(helper, STEP_MS)) {
		waited = now_ms() - begin;
		if (waited >= END_MS || is_hurried())
			return false;
		if (waited >= PATIENCE_MS && !told)
			fprintf(stderr, "armlet test: source lines are read from '%s' ...\n", path);
		told |= waited >= PATIENCE_MS;
	}
	return true;
}

/* What it is asked, in one piece; the first word is missing. */
static const char **make_words(const struct backtrace *backtrace, const char *path)
{
	size_t room = OPTIONS + backtrace->count + 1, number = 3 * sizeof(char *), count = 0;
	const char **words = calloc(room + 3 * backtrace->count, sizeof(*words));
	char *numbers;

	if (!words)
		return NULL;
	numbers = (char *)(words + room);
	words[1] = "-a";
	words[2] = "-f";
	words[3] = "-i";
	words[4] = "-e";
	words[5] = path;
	for (size_t i = 0; i < backtrace->count; i++) {
		char *text = numbers + count * number;

		if (!backtrace->frames[i].address)
			continue;
		snprintf(text, number, "0x%" PRIx64, backtrace_address(&backtrace->frames[i]));
		words[OPTIONS + count++] = text;
	}
	return words;
}

static int ask(const struct test *test, const char *const *words, char **ret)
{
	_cleanup_close_ int fd = helper_process_file(ANSWER_MAX);
	const struct helper_options options = {
		.argv = words, .fds = &fd, .fd_count = 1, .output = true};
	struct helper_process *helper;
	int r = fd < 0 ? fd : helper_process_start(&options, &helper);
	bool ended;
	off_t size;

	if (r < 0)
		return r;
	ended = wait_for(test, helper, words[OPTIONS - 1]);
	helper_process_end(helper, 0);
	if (!ended)
		return -ETIMEDOUT;
	size = lseek(fd, 0, SEEK_CUR); /* its position is ours */
	*ret = size >= 0 ? calloc(1, (size_t)size + 1) : NULL;
	if (!*ret)
		return -ENOMEM;
	return pread(fd, *ret, (size_t)size, 0) < 0 ? -errno : 0;
}

/* Whichever knows most is not asked for: the first that knows anything will do. */
static void ask_any(struct test *test, const char *path)
{
	_cleanup_free_ const char **words = make_words(&test->backtrace, path);
	int r = words ? -ENOENT : -ENOMEM;
	bool asked = false;

	for (size_t i = 0; i < ARRAY_SIZE(programs) && words && r != -ETIMEDOUT; i++) {
		char *answer = NULL;

		words[0] = programs[i];
		r = ask(test, words, &answer);
		asked |= r != -ENOENT;
		if (r < 0)
			free(answer);
		else if (backtrace_take(&test->backtrace, answer))
			return;
	}
	if (r == -ETIMEDOUT)
		complain(path, "addr2line was not done with it when it was ended");
	else if (asked)
		complain(path, "it has none (CONFIG_DEBUG_INFO)");
	else
		complain(path, "addr2line is needed to read it; install binutils");
}

/* ---- All findings ----------------------------------------------------- */

static int add_findings(struct test *test)
{
	struct klog_finding finding;
	int r = 0;

	for (size_t i = 0; r == 0 && klog_finding(test->klog, i, &finding); i++)
		r = backtrace_add(&test->backtrace, finding.trace);
	return r == 0 && test->backtrace.count ? backtrace_ready(&test->backtrace) : r;
}

void test_decode(struct test *test)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *found = NULL;
	const char *path = test->options.vmlinux;
	struct error err = {0};
	int r = add_findings(test);

	if (r < 0 || !test->backtrace.count)
		return;
	if (path)
		fd = vmlinux_open(path, &err);
	else
		fd = vmlinux_find(test->run.options.machine.kernel, &found);
	path = path ? path : found;
	if (!path)
		return;
	r = fd < 0 ? fd : vmlinux_look_up(fd, &test->backtrace, &err);
	if (r < 0)
		complain(path, err.text);
	else if (!r)
		complain(path, "it is of another kernel, and has not one of its functions");
	else
		ask_any(test, path);
}

/* ---- What was found --------------------------------------------------- */

bool test_has_frames(const char *trace)
{
	struct backtrace_cursor cursor = {.at = trace};
	struct backtrace_line line;

	while (backtrace_next(&cursor, &line)) {
		if (line.is_frame)
			return true;
	}
	return false;
}

char *test_decoded(const struct test *test, const char *trace, bool frames)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	backtrace_write(&test->backtrace, trace, frames, out);
	fclose(out);
	return text;
}

static void add_text(struct json_object *row, const char *name, const char *text, size_t size)
{
	json_object_object_add(row, name, json_object_new_string_len(text, (int)size));
}

static void add_place(struct json_object *row, const struct backtrace_place *place)
{
	add_text(row, "file", place->file, place->file_size);
	json_object_object_add(row, "line", json_object_new_int64(place->line));
}

static void add_frame(const struct backtrace *backtrace, const struct backtrace_frame *frame,
		      struct json_object *frames)
{
	const char *lines = backtrace_lines(backtrace, frame);
	struct json_object *row = json_object_new_object();
	struct backtrace_place place = {0};
	bool known;

	while ((known = backtrace_next_place(backtrace, &lines, &place)) && place.inlined) {
		struct json_object *inlined = json_object_new_object();

		add_text(inlined, "symbol", place.function, place.function_size);
		json_object_object_add(inlined, "inlined", json_object_new_boolean(true));
		add_place(inlined, &place);
		json_object_array_add(frames, inlined);
	}
	add_text(row, "symbol", frame->symbol, frame->symbol_size);
	json_object_object_add(row, "offset", json_object_new_int64((int64_t)frame->offset));
	json_object_object_add(row, "size", json_object_new_int64((int64_t)frame->size));
	if (frame->module)
		add_text(row, "module", frame->module, frame->module_size);
	if (known) {
		if (backtrace_is_behind(frame))
			add_text(row, "function", place.function, place.function_size);
		add_place(row, &place);
	}
	json_object_array_add(frames, row);
}

struct json_object *test_describe_frames(const struct test *test, const char *trace)
{
	struct json_object *frames = json_object_new_array();
	struct backtrace_cursor cursor = {.at = trace};
	struct backtrace_line line;

	while (backtrace_next(&cursor, &line)) {
		if (line.is_frame && !line.frame.is_register)
			add_frame(&test->backtrace, &line.frame, frames);
	}
	return frames;
}
