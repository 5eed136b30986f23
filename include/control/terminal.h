/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The terminal comes back
 *
 * While the guest has the terminal it is in raw mode. It is put back on every
 * way out: by terminal_restore() on an orderly one, and else by a guardian, a
 * small child process in a session of its own that waits for us to be gone
 * (its end of a pipe closes, whatever ended us, SIGKILL included) and then
 * restores what it was told at the start. Being in another session, it is not
 * reached by a signal to our process group nor stopped by job control.
 */
#ifndef ARMLET_CONTROL_TERMINAL_H
#define ARMLET_CONTROL_TERMINAL_H

#include <sys/types.h>
#include <termios.h>

#include "base/error.h"

#define TERMINAL_FAREWELL_MAX 64

struct terminal {
	int fd; /* -1: there is none */
	struct termios saved;
	struct termios raw;
	bool is_raw;
	pid_t guardian;
	int guardian_pipe; /* closing it without a word makes the guardian act */
	char farewell[TERMINAL_FAREWELL_MAX];
};

/*
 * Take the terminal @fd, if it is one and we are in its foreground: remember
 * its modes, start the guardian, and make it raw. Else @terminal->fd is -1.
 * Before any thread or descriptor that a child should not have.
 */
int terminal_init(struct terminal *terminal, int fd, struct error *err);

/*
 * The same for who sets the modes himself, and leaves more behind than these: @farewell
 * is what the guardian says to the terminal besides.
 */
int terminal_guard(struct terminal *terminal, int fd, const char *farewell, struct error *err);

/* Raw mode again, after the process was stopped and went on. */
void terminal_continue(struct terminal *terminal);

/* The size of the terminal at one of the two; false: there is none, or it has no size. */
bool terminal_size(int in_fd, int out_fd, uint16_t *ret_columns, uint16_t *ret_rows);

/* Back to what it was; the guardian ends. Takes a terminal that is none. */
void terminal_finish(struct terminal *terminal);

#endif
