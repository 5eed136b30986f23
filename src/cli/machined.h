/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd-machined lists machines for machinectl(1), and knows which unit is whose. Where
 * it is installed and we are root, a machine with a name registers with it, by the program
 * busctl: one that runs in a unit of systemd's stays in that, any other gets a scope of its
 * own, as systemd-nspawn does it. What comes of it is told if it fails, and changes nothing.
 * machined forgets a machine when its process has ended.
 *
 * Threads: the main thread.
 */
#ifndef ARMLET_CLI_MACHINED_H
#define ARMLET_CLI_MACHINED_H

#include "core/event_loop.h"

#define MACHINED_UUID_SIZE 16
#define MACHINED_WORDS_MAX 40

struct machined; /* a registration that is under way */

/* Whether machined takes such a name: a host's, of RFC 1123, up to 64 characters. */
bool machined_takes_name(const char *name);

/* The machine's UUID, of version 8 (RFC 9562): the same as long as its name and @host are. */
void machined_uuid(const char *name, const char *host, uint8_t ret[static MACHINED_UUID_SIZE]);

/* What is registered. */
struct machined_entry {
	const char *name;
	uint8_t uuid[MACHINED_UUID_SIZE];
	long pid;
	bool in_unit; /* of systemd's */
};

/* The command that does it, as words that end with NULL. */
struct machined_command {
	const char *words[MACHINED_WORDS_MAX];
	char numbers[MACHINED_UUID_SIZE + 1][16];
};
void machined_command(const struct machined_entry *entry, struct machined_command *ret);

/* Begin with it for this process. NULL: there is nothing to be done, or it has failed. */
struct machined *machined_register(struct event_loop *loop, const char *name, bool in_unit);

/* Takes NULL. */
void machined_forget(struct machined *machined);

#endif
