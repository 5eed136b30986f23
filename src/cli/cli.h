/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands, one file each. */
#ifndef ARMLET_CLI_CLI_H
#define ARMLET_CLI_CLI_H

#include <json-c/json.h>

#include "machine/config.h"
#include "options.h"

/* Exit statuses (interface: those of env, timeout and docker run). */
enum {
	EXIT_TIMED_OUT = 124,
	EXIT_ARMLET_FAILED = 125,
	EXIT_SIGNALLED = 128, /* + its number */
	EXIT_PANICKED = 255,
};

struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	const struct option_table *table;
	const char *const *words; /* that may follow, for completion; ends with NULL; or NULL */
};

extern const struct command commands[]; /* ends with a zeroed row */

int run_main(int argc, char **argv);

/* The same; with @signals_end, SIGTERM and SIGINT do not press the power key first. */
int run_words(int argc, char **argv, bool signals_end);

int doctor_main(int argc, char **argv);
int cpu_main(int argc, char **argv);
int completion_main(int argc, char **argv);
int schema_main(int argc, char **argv);
int create_main(int argc, char **argv);
int ls_main(int argc, char **argv);
int start_main(int argc, char **argv);
int restart_main(int argc, char **argv);
int rm_main(int argc, char **argv);
int ps_main(int argc, char **argv);
int inspect_main(int argc, char **argv);
int top_main(int argc, char **argv);
int stop_main(int argc, char **argv);
int kill_main(int argc, char **argv);
int pause_main(int argc, char **argv);
int resume_main(int argc, char **argv);
int wait_main(int argc, char **argv);
int events_main(int argc, char **argv);
int ctl_main(int argc, char **argv);
int dump_main(int argc, char **argv);
int gdb_main(int argc, char **argv);
int stats_main(int argc, char **argv);
int test_main(int argc, char **argv);
int logs_main(int argc, char **argv);
int console_main(int argc, char **argv);
int qemu_main(int argc, char **argv);

/* Whether the program was started by a name that QEMU's words belong to. */
bool qemu_is_meant(const char *program);

extern const struct option_def run_rows[]; /* of struct run_options */
extern const struct option_table run_table;
extern const struct option_table doctor_table;
extern const struct option_table cpu_table;
extern const struct option_table completion_table;
extern const struct option_table schema_table;
extern const struct option_table create_table;
extern const struct option_table ls_table;
extern const struct option_table start_table;
extern const struct option_table restart_table;
extern const struct option_table rm_table;
extern const struct option_table ps_table;
extern const struct option_table inspect_table;
extern const struct option_table top_table;
extern const struct option_table stop_table;
extern const struct option_table kill_table;
extern const struct option_table pause_table;
extern const struct option_table resume_table;
extern const struct option_table wait_table;
extern const struct option_table events_table;
extern const struct option_table ctl_table;
extern const struct option_table dump_table;
extern const struct option_table gdb_table;
extern const struct option_table stats_table;
extern const struct option_table test_table; /* of struct test, test.h */
extern const struct option_table logs_table;
extern const struct option_table console_table;
extern const struct option_table qemu_table;
extern const char *const completion_shells[];
extern const char *const cpu_verbs[];

struct gdb_config {
	const char *where; /* NULL: where its machine is, or tcp:1234 */
};

/* What `armlet run` was asked for. */
struct run_options {
	struct machine_config machine;
	int log_level;    /* enum log_level */
	uint32_t timeout; /* seconds; 0: none */
	const char *name; /* NULL: none */
	const char *api;  /* of the control socket; NULL: the place's, if there is a name */
	struct json_object *config; /* what a file said, whose strings are in here; NULL: none */
	struct json_object *domain; /* what libvirt.h says it is; NULL: none */
	const char *directory;      /* to work in; NULL: the present one */
	bool lenient;
	int restart;       /* enum restart_policy */
	const char *ready; /* when the guest is up, as --ready has it; NULL: driver */
	bool dry_run;
	bool detach;
	bool attachable;
	struct gdb_config gdb;
	size_t gdb_count; /* 0 or 1 */
};

void run_options_init(struct run_options *options);
void run_options_finish(struct run_options *options);

/* When all options are read: what the domain has and armlet has not is refused, or warned of. */
int run_options_settle(const struct run_options *options, struct error *err);

/* Print @object, which is freed, for people as well; returns the exit status. */
int print_json(struct json_object *object);

/* Print @err's sentence once; returns EXIT_ARMLET_FAILED. */
int fail_with(const char *command, const struct error *err);

/*
 * Parse with @table; returns true to go on, or false with the exit status in
 * @ret_status: help was asked for and given, or the words were refused.
 */
bool parse_or_end(const struct option_table *table, int argc, char **argv, void *target,
		  int *ret_status);

#endif
