/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options, said once: a table names each with its type, bounds and help; from
 * it come parsing, error sentences, --help and the shells' completions.
 */
#ifndef ARMLET_CLI_OPTIONS_H
#define ARMLET_CLI_OPTIONS_H

#include <stdio.h>

#include "base/error.h"

struct json_object;
struct option_table;

enum option_type {
	OPTION_FLAG,    /* bool: set to true */
	OPTION_STRING,  /* const char * */
	OPTION_STRINGS, /* const char *[max], count at count_offset (size_t) */
	OPTION_FILE,    /* OPTION_STRING that is a file's name */
	OPTION_FILES,   /* OPTION_STRINGS that are files' names */
	OPTION_U32,     /* uint32_t within [min, max] */
	OPTION_SIZE,    /* uint64_t bytes within [min, max]; a bare number is MiB */
	OPTION_LIST,    /* uint32_t[max] as "1,4-6", count at count_offset (size_t) */
	OPTION_CHOICE,  /* enum (int): the index of the word in choices */
	OPTION_SWITCH,  /* OPTION_CHOICE; without a word it is choices[1] */
	OPTION_RECORDS, /* structures[max] as "WORD,name=value,flag", count at count_offset */
	OPTION_CONFIG,  /* options that stand elsewhere; struct json_object *, what they were */
};

struct option_def {
	const char *name;     /* without the dashes */
	const char *group;    /* heading in the help; NULL: as the one before */
	const char *argument; /* as the help shows it; NULL for flags */
	const char *help;     /* NULL: another spelling, not shown */
	const char *plural;   /* its name in JSON if it may be repeated; NULL: @name */
	char letter;          /* 0: none */
	bool alone;           /* OPTION_RECORDS: it may have no value; a value is then behind = */
	bool only_here;       /* on the command line, and in no JSON */
	bool power_of_two;    /* OPTION_U32 */
	enum option_type type;
	size_t offset; /* of the value in the target structure */
	size_t count_offset;
	uint64_t min;
	uint64_t max;
	const char *const *choices; /* ends with NULL */

	/*
	 * Of OPTION_RECORDS: rows for what is in one structure, the first for a
	 * word without a name in front. Two commas are a comma of the value.
	 */
	const struct option_def *record;
	size_t record_size;
	void (*record_init)(void *record); /* NULL: zeroes */
	void (*record_done)(void *record); /* NULL; what follows from what was said */

	/* Of OPTION_CONFIG, as options_read_file() of options_json.h. */
	int (*read)(const struct option_table *table, const char *where, void *target,
		    struct json_object **ret, struct error *err);
};

/* Whether the next word is none of the option's: a value that it may have is joined to it. */
static inline bool option_takes_no_word(const struct option_def *option)
{
	return option->type == OPTION_FLAG || option->type == OPTION_SWITCH || option->alone;
}

/* For completion: of nothing, a machine that runs, one that is kept. */
enum option_names { OPTION_NAMES_NONE, OPTION_NAMES_RUNNING, OPTION_NAMES_KEPT };

struct option_table {
	const char *command;              /* "run" */
	const char *usage;                /* "[OPTIONS] [KERNEL]" */
	const char *summary;              /* one line */
	const char *epilogue;             /* behind the options; NULL: nothing */
	void (*more)(FILE *out);          /* between the two; NULL: nothing */
	const struct option_def *options; /* ends with a zeroed row */
	/* What stands alone is a value of this option; NULL: is refused. */
	const char *positional;
	bool behind_dashes;      /* and only behind -- */
	enum option_names names; /* what it is the name of */
};

/* What the parser found that ends the program before the command. */
enum options_result { OPTIONS_OK, OPTIONS_HELP };

/*
 * Parse @argv[1..] into @target. Fails with a sentence that names the option.
 * Strings stay @argv's, whose words are cut in place where a record has
 * several values.
 */
int options_parse(const struct option_table *table, int argc, char **argv, void *target,
		  enum options_result *ret, struct error *err);

void options_help(const struct option_table *table, FILE *out);

/* Whether a number is one that the option takes (OPTION_U32, OPTION_SIZE). */
bool option_takes(const struct option_def *option, uint64_t value);

/* What an OPTION_U32 or OPTION_CHOICE takes: "a number from 1 to 512". Returns @text. */
#define OPTION_WANTED_MAX 128
const char *option_wanted(const struct option_def *option, char text[static OPTION_WANTED_MAX]);

static inline void *option_field(void *target, size_t offset)
{
	return (char *)target + offset;
}

/* The next record of an OPTION_RECORDS, as when nothing is said of it; it does not count yet. */
void *option_new_record(const struct option_def *option, void *target);

/* The name of @rows that @name was most likely meant to be; NULL if none is near. */
const char *option_nearest(const struct option_def *rows, const char *name);

#endif
