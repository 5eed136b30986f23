/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A UNIX stream socket at a path, for its owner only (mode 0600). One that a dead
 * process has left there makes way; one that is in use does not.
 *
 * Threads: as its user likes, one at a time.
 */
#ifndef ARMLET_BACKEND_UNIX_LISTENER_H
#define ARMLET_BACKEND_UNIX_LISTENER_H

#include <sys/types.h>

#include "base/error.h"

struct unix_listener {
	int fd; /* does not block; -1: none */
	char *path;
	dev_t dev; /* what we have put at @path */
	ino_t ino;
};

/*
 * -ENAMETOOLONG, -EADDRINUSE, -EEXIST for what is no socket, or as bind(2); @ret is
 * then as after unix_listener_close().
 */
int unix_listen(const char *path, int backlog, struct unix_listener *ret, struct error *err);

/*
 * The next connection, which does not block and is the caller's to close. -EAGAIN: none
 * is there; -EPERM: one of another user, not root, was turned away; -EMFILE, -ENFILE,
 * -ENOMEM: it waits, and the listener stays readable.
 */
int unix_accept(const struct unix_listener *listener);

/* Closes it, and removes the path unless something else stands there by now. Takes one that is
 * closed. */
void unix_listener_close(struct unix_listener *listener);

#endif
