/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Where a named machine lives
 *
 * While it runs, in a folder of its name in $XDG_RUNTIME_DIR/armlet, or /run/armlet for
 * root, which only its owner may enter:
 *
 *	lock	locked as long as the machine lives, whatever ends it; has its process ID
 *	api	its control socket
 *	console	its console, if it runs in the background
 *	gdb	its stub for gdb, if it has one
 *
 * Who has the lock has the name. So of two that start at once one wins, and what a
 * killed machine has left is known by its free lock, and cleared away by whoever finds
 * it.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_CLI_PLACE_H
#define ARMLET_CLI_PLACE_H

#include <sys/types.h>

#include "base/error.h"

#define PLACE_NAME_MAX 64

struct place {
	char *base; /* of all machines */
	char *folder;
	char *api;     /* path of the control socket */
	char *console; /* and of the console's, of a machine in the background */
	char *gdb;     /* and of the stub's for gdb */
	int lock;      /* -1: it is another's */
};

/* Whether a machine can have the name: 0, or -EINVAL with a sentence. */
int place_check_name(const char *name, struct error *err);

/*
 * Take the name for this process. -EINVAL: no name is like that; -EADDRINUSE: a machine
 * has it; or what the host says. @ret is then as after place_leave().
 */
int place_take(const char *name, struct place *ret, struct error *err);

/* The control socket is at @path, not in the folder. */
int place_point(const struct place *place, const char *path, struct error *err);

/* What the machine of that name has. -EINVAL; -ENOENT: no machine of that name runs. */
int place_find(const char *name, struct place *ret, struct error *err);

/*
 * The folder of what stays when the machine has ended, $XDG_STATE_HOME/armlet/NAME or
 * /var/log/armlet/NAME for root: what its console said, and what armlet did. It is made if
 * @make says so; else -ENOENT. @ret is the caller's to free.
 */
int place_state(const char *name, bool make, char **ret, struct error *err);

/*
 * The file with the definition of the machine of that name, $XDG_CONFIG_HOME/armlet/NAME.json
 * or /etc/armlet/NAME.json for root, which need not be there; its folder is made if @make
 * says so. @ret is the caller's to free.
 */
int place_definition(const char *name, bool make, char **ret, struct error *err);

/* Call @seen with the name of each machine that is defined, in the order of the alphabet. */
int place_each_definition(void (*seen)(void *data, const char *name), void *data,
			  struct error *err);

/* Remove what stays of a machine. -ENOENT: there was nothing. */
int place_forget(const char *name, struct error *err);

/*
 * The exit status of the machine of that name that ran in the background last: to be
 * kept in the folder @state, -1 for one that has begun; and to be known. -ENOENT: there
 * is none.
 */
void place_keep_status(const char *state, int status);
int place_last_status(const char *name, int *ret);

/* Forget it; what was taken is gone from the disk, too. Takes one that is empty. */
void place_leave(struct place *place);

/*
 * Call @seen with the name of each machine that runs, in the order of the alphabet, and
 * clear away what dead ones have left. -errno: the folder cannot be read; none: 0.
 */
int place_each(void (*seen)(void *data, const char *name), void *data, struct error *err);

#endif
