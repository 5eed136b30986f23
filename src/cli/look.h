/* SPDX-License-Identifier: Apache-2.0 */
/* armlet inspect NAME WHAT: the window into a machine, for people. */
#ifndef ARMLET_CLI_LOOK_H
#define ARMLET_CLI_LOOK_H

#include "base/error.h"

struct look_options {
	const char *name;    /* of the machine */
	const char *what;    /* one of look_words */
	const char *address; /* of translate; NULL: none was given */
	uint32_t cpu;
	bool json;
};

/* What can be looked at; ends with NULL. */
extern const char *const look_words[];

/* Whether @word is one of them. */
bool look_knows(const char *word);

/* Print it. */
int look(const struct look_options *options, struct error *err);

#endif
