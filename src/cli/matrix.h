/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `armlet test --matrix` share: many tests, each a process of this program. */
#ifndef ARMLET_CLI_MATRIX_H
#define ARMLET_CLI_MATRIX_H

#include <signal.h>
#include <sys/types.h>

#include "control/terminal.h"
#include "matrix_plan.h"

#define MATRIX_OUTPUT      "armlet-matrix"
#define MATRIX_NOT_ENDED   (-1)
#define MATRIX_VERDICT_MAX 16

enum matrix_state { MATRIX_WAITING, MATRIX_RUNNING, MATRIX_ENDED };

/* Of one test. */
struct matrix_result {
	enum matrix_state state;
	pid_t pid;
	unsigned tries;
	int64_t began_ms; /* CLOCK_MONOTONIC; the last try */
	int64_t took_ms;
	int status; /* as a shell has it */
	char verdict[MATRIX_VERDICT_MAX];
	char reason[ERROR_TEXT_MAX]; /* without control characters; "": it has none */
};

/* What is seen of it: a table at the end of a terminal, or a line for each that ends. */
struct matrix_view {
	bool live;
	struct terminal terminal;
	unsigned lines; /* of the table that is there */
};

struct matrix {
	const char *output;
	uint32_t retries;
	uint32_t jobs;
	struct matrix_plan plan;
	struct matrix_result *results; /* of the plan's tests */
	size_t next;                   /* to be started */
	size_t running;
	size_t passed;
	size_t failed;
	int64_t began_ms;
	int signals;         /* signalfd */
	sigset_t signals_as; /* before */
	bool ending;         /* nothing more is started, and what runs is told to end */
	unsigned asked;      /* so many times */
	int64_t patience_ms; /* when it is told again */
	int ended_by;        /* a signal; 0: none */
	struct matrix_view view;
};

/* matrix_run.c: run them all, or until a signal; nothing runs any more then. */
int matrix_run(struct matrix *matrix, struct error *err);

/* matrix_report.c: what is known at the end, in files, and in short to people. */
struct matrix_options;
int matrix_report(const struct matrix *matrix, const struct matrix_options *asked,
		  struct error *err);

/* matrix_view.c */
void matrix_view_open(struct matrix *matrix);
void matrix_view_close(struct matrix *matrix);
void matrix_view_draw(struct matrix *matrix);

/* A test has ended, or is tried again. */
void matrix_view_tell(struct matrix *matrix, size_t test);
void matrix_view_sum(const struct matrix *matrix, const char *summary);

#endif
