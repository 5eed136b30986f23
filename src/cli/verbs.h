/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share that act on machines by their names. */
#ifndef ARMLET_CLI_VERBS_H
#define ARMLET_CLI_VERBS_H

#include "cli.h"
#include "control/qmp_link.h"

#define VERB_MAX_WORDS    128
#define VERB_STOP_SECONDS 10 /* as docker stop */

/* What such a command was asked for. */
struct verb_options {
	const char *words[VERB_MAX_WORDS];
	size_t word_count;
	uint32_t time; /* seconds */
	uint32_t cpu;
	bool json;
	bool quiet;
	bool force;
};

/* The row of @words, which have no dashes in front. */
#define VERB_WORDS_ROW                                                                            \
	{                                                                                         \
		.name = "words", .argument = "WORD", .type = OPTION_STRINGS,                      \
		.offset = offsetof(struct verb_options, words),                                   \
		.count_offset = offsetof(struct verb_options, word_count), .max = VERB_MAX_WORDS, \
	}

/*
 * Connect to the machine of that name. One that is just starting is waited for.
 * -ENOENT: there is none, and as qmp_link_open().
 */
int verb_connect(const char *name, struct qmp_link **ret, struct error *err);

/* The options of what stops a machine. */
extern const struct option_def verb_stop_rows[];

/* What `inspect` of its socket answers, with its name in front. The caller's to put. */
int verb_inspect(const char *name, struct json_object **ret, struct error *err);

/* A member of @object as text; "-": it has none of that name. It lives as long as @object. */
const char *verb_text(struct json_object *object, const char *name);

/* What state the machine is in, of which `inspect` tells, in people's words. */
const char *verb_status(struct json_object *machine);

/* Press its power key, and end it after that time; wait for its end. */
int verb_stop(const char *name, uint32_t seconds, struct error *err);

/* End it at once, and wait for that. */
int verb_kill(const char *name, struct error *err);

/* A list of machines. */
struct verb_list {
	int (*each)(void (*seen)(void *data, const char *name), void *data, struct error *err);
	void (*add)(void *data, const char *name);  /* what is told of it, to an array of JSON */
	void (*print)(struct json_object *machine); /* the same as a line */
	const char *heading;
};
extern const struct option_def verb_list_rows[];
int verb_list_main(const struct option_table *table, int argc, char **argv,
		   const struct verb_list *list);

/* The table of such a command: @which machines its words name, and what it does. */
#define VERB_TABLE(verb, rows, which, text)        \
	const struct option_table verb##_table = { \
		.command = #verb,                  \
		.usage = "[OPTIONS] NAME...",      \
		.summary = text,                   \
		.options = rows,                   \
		.positional = "words",             \
		.names = which,                    \
	}

/*
 * The whole of it: call @act for each name; what fails is told, and does not keep the
 * others from being done. Returns the exit status.
 */
int verb_main(const struct option_table *table, int argc, char **argv,
	      int (*act)(const char *name, const struct verb_options *options, struct error *err));

#endif
