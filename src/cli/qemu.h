/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: QEMU's command line
 *
 * Programs that start qemu-system-aarch64 are understood: its words become those of
 * `armlet run`, which are then parsed as if somebody had written them, so that every
 * value is checked in one place. A table has a row for each option of QEMU's that is
 * known (qemu_options.c); properties become what they are by rules, which are tables
 * as well (qemu_words.h). What armlet has not is refused by name, never passed over;
 * what tells nothing to a guest, or has the value that armlet has anyway, is ignored.
 *
 * QEMU looks at what has a name (-drive, -netdev, -fsdev, -chardev) before it looks
 * at what uses it (-device), wherever they stand; so the words are gone through twice.
 */
#ifndef ARMLET_CLI_QEMU_H
#define ARMLET_CLI_QEMU_H

#include <stdio.h>

#include "base/error.h"

enum qemu_wish {
	QEMU_RUN,
	QEMU_PRINT, /* the words, and start nothing */
	QEMU_HELP,
	QEMU_VERSION,
	QEMU_LIST, /* what an option takes */
};

struct qemu_command {
	enum qemu_wish wish;
	char **words;     /* of `armlet run`, beginning with "run"; NULL behind the last */
	size_t count;     /* of them */
	char *pidfile;    /* NULL: none is written */
	char *serial;     /* a file that the serial port goes to; NULL: standard output */
	const char *list; /* with QEMU_LIST, to be printed */
};

/*
 * What the words of QEMU's behind argv[0] are for `armlet run`. Fails with a sentence
 * that names the option. @ret is freed by qemu_command_finish().
 */
int qemu_translate(int argc, char *const *argv, struct qemu_command *ret, struct error *err);

void qemu_command_finish(struct qemu_command *command);

/* The options that are known, and what becomes of each. */
void qemu_help(FILE *out);

/* As a line for the shell. */
void qemu_print(const struct qemu_command *command, FILE *out);

#endif
