/* SPDX-License-Identifier: Apache-2.0 */
/*
 * armlet stop, kill, pause, resume, wait, events, inspect: what is done to machines by
 * their names, with the words of docker(1).
 */
#include "verbs.h"

#include <string.h>
#include <time.h>

#include "base/now.h"
#include "place.h"

#define GONE_MS   5000 /* from the last word of a machine to its end */
#define START_MS  5000 /* from its name to its socket */
#define FOR_EVER  (-1)
#define MOMENT_MS 10

static void sleep_moment(void)
{
	const struct timespec moment = {.tv_nsec = MOMENT_MS * 1000000L};

	nanosleep(&moment, NULL);
}

int verb_connect(const char *name, struct qmp_link **ret, struct error *err)
{
	int r = -ENOENT;

	for (int waited = 0; waited < START_MS; waited += MOMENT_MS) {
		struct place place;

		r = place_find(name, &place, err);
		if (r < 0)
			return r;
		r = qmp_link_open(place.api, ret, err);
		place_leave(&place);
		if (r != -ENOENT && r != -ECONNREFUSED)
			return r;
		sleep_moment();
	}
	return r;
}

/* Lists. */

const struct option_def verb_list_rows[] = {
	{.name = "json",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct verb_options, json),
	 .help = "print all there is to tell of each, as JSON"},
	{.name = "quiet",
	 .letter = 'q',
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct verb_options, quiet),
	 .help = "print the names alone"},
	{0},
};

static void print_name(void *data, const char *name)
{
	(void)data;
	puts(name);
}

int verb_list_main(const struct option_table *table, int argc, char **argv,
		   const struct verb_list *list)
{
	struct verb_options options = {0};
	struct json_object *machines;
	struct error err = {0};
	int status;
	int r;

	if (!parse_or_end(table, argc, argv, &options, &status))
		return status;
	machines = json_object_new_array();
	r = list->each(options.quiet ? print_name : list->add, machines, &err);
	if (r == 0 && options.json)
		return print_json(machines);
	if (r == 0 && !options.quiet)
		puts(list->heading);
	for (size_t i = 0; r == 0 && i < json_object_array_length(machines); i++)
		list->print(json_object_array_get_idx(machines, i));
	json_object_put(machines);
	return r < 0 ? fail_with(table->command, &err) : EXIT_SUCCESS;
}

/* What is done to a machine. */

/* Until the name is free again. */
static int await_end(const char *name, struct error *err)
{
	for (int waited = 0; waited < GONE_MS; waited += MOMENT_MS) {
		struct place place;

		if (place_find(name, &place, NULL) == -ENOENT)
			return 0;
		place_leave(&place);
		sleep_moment();
	}
	return error_set(err, ETIMEDOUT, "%s does not end", name);
}

/*
 * -ETIMEDOUT, or the machine says how it ends: its event is the caller's to put.
 * @seconds may be FOR_EVER.
 */
static int await_shutdown(struct qmp_link *link, int64_t seconds, struct json_object **ret,
			  struct error *err)
{
	int64_t deadline = now_ms() + seconds * 1000;

	for (;;) {
		int64_t left = deadline - now_ms();
		struct json_object *event = NULL, *name;
		int r = qmp_link_event(link,
				       seconds == FOR_EVER ? -1
				       : left > 0          ? (int)left
							   : 0,
				       &event, err);

		if (r < 0)
			return r;
		if (json_object_object_get_ex(event, "event", &name) &&
		    !strcmp(json_object_get_string(name), "SHUTDOWN")) {
			*ret = event;
			return 0;
		}
		json_object_put(event);
	}
}

/* One command, and no more of the machine. */
static int order(const char *name, const char *command, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	int r = verb_connect(name, &link, err);

	if (r == 0)
		r = qmp_link_execute(link, command, NULL, NULL, err);
	if (r == 0)
		puts(name);
	return r;
}

static int pause_machine(const char *name, const struct verb_options *options, struct error *err)
{
	(void)options;
	return order(name, "stop", err);
}

static int resume_machine(const char *name, const struct verb_options *options, struct error *err)
{
	(void)options;
	return order(name, "cont", err);
}

/* A machine that has ended meanwhile is no failure. */
static int end_machine(const char *name, struct qmp_link *link, struct error *err)
{
	int r = qmp_link_execute(link, "quit", NULL, NULL, err);

	return r < 0 && r != -ENOTCONN ? r : await_end(name, err);
}

int verb_kill(const char *name, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	int r = verb_connect(name, &link, err);

	return r < 0 ? r : end_machine(name, link, err);
}

/* A paused guest would not hear the key. */
int verb_stop(const char *name, uint32_t seconds, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct json_object *last = NULL;
	int r = verb_connect(name, &link, err);

	if (r == 0)
		r = qmp_link_execute(link, "cont", NULL, NULL, err);
	if (r == 0)
		r = qmp_link_execute(link, "system_powerdown", NULL, NULL, err);
	if (r == 0)
		r = await_shutdown(link, seconds, &last, err);
	json_object_put(last);
	if (r == -ETIMEDOUT)
		return end_machine(name, link, err);
	return r < 0 && r != -ENOTCONN ? r : await_end(name, err);
}

static int kill_machine(const char *name, const struct verb_options *options, struct error *err)
{
	int r = verb_kill(name, err);

	(void)options;
	if (r == 0)
		puts(name);
	return r;
}

static int stop_machine(const char *name, const struct verb_options *options, struct error *err)
{
	int r = verb_stop(name, options->time, err);

	if (r == 0)
		puts(name);
	return r;
}

/* One that ran in the background is remembered. */
static int wait_for_machine(const char *name, const struct verb_options *options, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct json_object *event = NULL, *data, *value;
	int r = verb_connect(name, &link, err);
	int status = EXIT_ARMLET_FAILED;

	(void)options;
	if (r == 0)
		r = await_shutdown(link, FOR_EVER, &event, err);
	if (r == 0 && json_object_object_get_ex(event, "data", &data) &&
	    json_object_object_get_ex(data, "exit-status", &value))
		status = json_object_get_int(value);
	json_object_put(event);
	if (r == -ENOTCONN)
		return error_set(err, ENOTCONN, "%s has died without a word", name);
	if (r == -ENOENT && place_last_status(name, &status) == 0)
		r = 0;
	if (r < 0)
		return r;
	printf("%d\n", status);
	fflush(stdout);
	return await_end(name, err);
}

static int print_events(const char *name, const struct verb_options *options, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	int r = verb_connect(name, &link, err);

	(void)options;
	while (r == 0) {
		struct json_object *event = NULL;

		r = qmp_link_event(link, -1, &event, err);
		if (r < 0)
			break;
		puts(json_object_to_json_string_ext(event, JSON_C_TO_STRING_SPACED));
		json_object_put(event);
		if (fflush(stdout) < 0)
			return error_set_errno(err, errno, "standard output");
	}
	return r == -ENOTCONN ? 0 : r;
}

/* Commands. */

static const struct option_def plain_options[] = {VERB_WORDS_ROW, {0}};

const struct option_def verb_stop_rows[] = {
	VERB_WORDS_ROW,
	{.name = "time",
	 .letter = 't',
	 .argument = "SECONDS",
	 .type = OPTION_U32,
	 .offset = offsetof(struct verb_options, time),
	 .max = 1000000, /* milliseconds fit an int */
	 .help = "how long the guest may take before the machine is ended (10)"},
	{0},
};

VERB_TABLE(stop, verb_stop_rows, OPTION_NAMES_RUNNING,
	   "press a machine's power key, and wait for its end");
VERB_TABLE(kill, plain_options, OPTION_NAMES_RUNNING, "end a machine at once");
VERB_TABLE(pause, plain_options, OPTION_NAMES_RUNNING, "pause a machine");
VERB_TABLE(resume, plain_options, OPTION_NAMES_RUNNING, "let a paused machine go on");
VERB_TABLE(wait, plain_options, OPTION_NAMES_RUNNING,
	   "wait for a machine's end, and print its exit status");
VERB_TABLE(events, plain_options, OPTION_NAMES_RUNNING,
	   "print what happens to a machine, until its end");

/* What fails is told, and does not keep the others from being done. */
static int each_word(const struct option_table *table, const struct verb_options *options,
		     int (*act)(const char *name, const struct verb_options *options,
				struct error *err))
{
	struct error err = {0};
	int status = EXIT_SUCCESS;

	if (!options->word_count) {
		error_set(&err, EINVAL, "name a machine: armlet %s NAME; `armlet %s` lists them",
			  table->command, table->names == OPTION_NAMES_KEPT ? "ls" : "ps");
		return fail_with(table->command, &err);
	}
	for (size_t i = 0; i < options->word_count; i++) {
		if (act(options->words[i], options, &err) < 0)
			status = fail_with(table->command, &err);
	}
	return status;
}

int verb_main(const struct option_table *table, int argc, char **argv,
	      int (*act)(const char *name, const struct verb_options *options, struct error *err))
{
	struct verb_options options = {.time = VERB_STOP_SECONDS};
	int status;

	if (!parse_or_end(table, argc, argv, &options, &status))
		return status;
	return each_word(table, &options, act);
}

int stop_main(int argc, char **argv)
{
	return verb_main(&stop_table, argc, argv, stop_machine);
}

int kill_main(int argc, char **argv)
{
	return verb_main(&kill_table, argc, argv, kill_machine);
}

int pause_main(int argc, char **argv)
{
	return verb_main(&pause_table, argc, argv, pause_machine);
}

int resume_main(int argc, char **argv)
{
	return verb_main(&resume_table, argc, argv, resume_machine);
}

int wait_main(int argc, char **argv)
{
	return verb_main(&wait_table, argc, argv, wait_for_machine);
}

int events_main(int argc, char **argv)
{
	return verb_main(&events_table, argc, argv, print_events);
}
