/* SPDX-License-Identifier: Apache-2.0 */
/* armlet top: what machines do, as a table on the whole screen, once, or as JSON. */
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "cli.h"
#include "top_ask.h"
#include "top_view.h"
#include "verbs.h"

struct top_options {
	const char *words[VERB_MAX_WORDS];
	size_t word_count;
	uint32_t delay; /* seconds */
	bool json;
	bool once;
};

static const struct option_def options[] = {
	{.name = "words",
	 .argument = "WORD",
	 .type = OPTION_STRINGS,
	 .offset = offsetof(struct top_options, words),
	 .count_offset = offsetof(struct top_options, word_count),
	 .max = VERB_MAX_WORDS},
	{.name = "delay",
	 .letter = 'd',
	 .argument = "SECONDS",
	 .type = OPTION_U32,
	 .offset = offsetof(struct top_options, delay),
	 .min = 1,
	 .max = 3600,
	 .help = "how long each interval is (2)"},
	{.name = "once",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct top_options, once),
	 .help = "print one table, of one interval, and end"},
	{.name = "json",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct top_options, json),
	 .help = "print a line of JSON for each interval"},
	{0},
};

const struct option_table top_table = {
	.command = "top",
	.usage = "[OPTIONS] [NAME...]",
	.summary = "show what machines do: CPU, exits, disks, networks, memory",
	.options = options,
	.positional = "words",
	.names = OPTION_NAMES_RUNNING,
	.epilogue =
		"Keys: up and down choose a machine, Enter shows its vCPUs and devices, left and\n"
		"right choose what the list is sorted by, q goes back and ends.",
};

/* Everybody is asked, and has answered or lost our patience. */
static int sample(struct top *top, struct error *err)
{
	int r = top_ask(top, err);

	while (r == 0 && top_is_owed(top))
		r = top_wait(top, NULL, 0, TOP_PATIENCE_MS, err);
	return r;
}

static int sleep_until(struct top *top, int64_t deadline, struct error *err)
{
	int64_t left;
	int r = 0;

	while (r == 0 && (left = deadline - now_ms()) > 0)
		r = top_wait(top, NULL, 0, (int)left, err);
	return r;
}

static int say_line(const char *text, struct error *err)
{
	if (puts(text) < 0 || fflush(stdout) < 0)
		return error_set_errno(err, errno, "standard output");
	return 0;
}

static int print_table(const struct top *top, struct error *err)
{
	char line[TOP_LINE_MAX];
	size_t width = TOP_NAME_WIDTH;
	int r;

	for (size_t i = 0; i < top->count; i++)
		width = max_u64(width, strlen(top->entries[i].machine.name));
	r = say_line(top_heading((unsigned)width, line), err);
	for (size_t i = 0; i < top->count && r == 0; i++)
		r = say_line(top_row(&top->entries[i].machine, (unsigned)width, line), err);
	return r;
}

static int print_objects(const struct top *top, struct error *err)
{
	struct json_object *object = json_object_new_object();
	struct json_object *list = json_object_new_array();
	int r;

	for (size_t i = 0; i < top->count; i++)
		json_object_array_add(list, top_json(&top->entries[i].machine));
	json_object_object_add(object, "time", json_object_new_int64(time(NULL)));
	json_object_object_add(object, "machines", list);
	r = say_line(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
								    JSON_C_TO_STRING_NOSLASHESCAPE),
		     err);
	json_object_put(object);
	return r;
}

static int print(struct top *top, const struct top_options *asked, struct error *err)
{
	int64_t next = now_ms();
	int r = sample(top, err);

	do {
		next += asked->delay * INT64_C(1000);
		if (r == 0)
			r = sleep_until(top, next, err);
		if (r == 0)
			r = sample(top, err);
		if (r == 0)
			r = asked->json ? print_objects(top, err) : print_table(top, err);
	} while (r == 0 && !asked->once);
	return r;
}

int top_main(int argc, char **argv)
{
	struct top_options asked = {.delay = 2};
	int status = EXIT_SUCCESS;
	struct error err = {0};
	struct top top;
	int r;

	if (!parse_or_end(&top_table, argc, argv, &asked, &status))
		return status;
	if (!asked.once && !asked.json && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))) {
		error_set(&err, EINVAL,
			  "standard input and output are no terminal; print one table with --once, "
			  "or lines of JSON with --json");
		return fail_with("top", &err);
	}
	r = top_open(&top, asked.words, asked.word_count, &err);
	if (r == 0 && (asked.once || asked.json))
		r = print(&top, &asked, &err);
	else if (r == 0)
		r = top_view(&top, asked.delay, &status, &err);
	top_close(&top);
	return r < 0 ? fail_with("top", &err) : status;
}
