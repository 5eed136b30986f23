/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine that goes on without who has started it: armlet run --detach.
 *
 * The machine is a child in a session of its own, with nothing on standard input and
 * output. Until it is up its sentences go where the parent's do, and the parent waits; so
 * what fails is seen by who has started it, with its exit status.
 *
 * Threads: before there are any.
 */
#ifndef ARMLET_CLI_DETACH_H
#define ARMLET_CLI_DETACH_H

#include "base/error.h"

/*
 * True in the child: go on, and then say so by detach_ready(@ret_fd). False in the
 * parent, when it has come to that or to the child's end: end with @ret_status.
 */
bool detach(int *ret_fd, int *ret_status);

/* The machine is up: what it has to say goes to the end of the file @messages from now on. */
int detach_ready(int *fd, const char *messages, struct error *err);

#endif
