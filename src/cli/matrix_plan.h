/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of --matrix as a list of tests: the product of its kernels, machines and commands. What
 * it says is checked as on the command line before the first one begins; files that it names are
 * not looked at.
 */
#ifndef ARMLET_CLI_MATRIX_PLAN_H
#define ARMLET_CLI_MATRIX_PLAN_H

#include "base/error.h"

#define MATRIX_TESTS_MAX  4096
#define MATRIX_WORDS_SIZE (64 * MIB) /* of all their words */
#define MATRIX_SHARDS_MAX 4096

struct matrix_test {
	char *name;      /* KERNEL/MACHINE/COMMAND; printable ASCII, a relative path */
	char **words;    /* "armlet", "test", ...; ends with NULL */
	uint32_t cpus;   /* of its machine */
	int64_t took_ms; /* formerly; 0: not known */
};

struct matrix_plan {
	struct matrix_test *tests;
	size_t count;
};

/*
 * The file @path, whose @text of @size bytes has a NUL behind; each test keeps its results in
 * @output/NAME. Fails with a sentence that begins with @path, and leaves @plan empty.
 */
int matrix_plan_read(const char *path, const char *text, size_t size, const char *output,
		     struct matrix_plan *plan, struct error *err);

/* Takes an empty one. */
void matrix_plan_finish(struct matrix_plan *plan);

/* matrix_shard.c: a part of it. */

/* Keep those whose names are like @pattern (* is any text, ? any character, / as well). */
int matrix_plan_only(struct matrix_plan *plan, const char *pattern, struct error *err);

/* Learn from a summary.json how long they took. */
int matrix_plan_durations(struct matrix_plan *plan, const char *path, const char *text, size_t size,
			  struct error *err);

/* "I/N", from 1 on. */
int matrix_parse_shard(const char *text, uint32_t *ret_index, uint32_t *ret_count,
		       struct error *err);

/*
 * Keep the part @index (from 1) of @count. Every test is in one part; who has the same plan and
 * the same durations finds the same parts.
 */
int matrix_plan_shard(struct matrix_plan *plan, uint32_t index, uint32_t count, struct error *err);

#endif
