/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's back end on standard input and output: a terminal with Ctrl-a
 * keys, a pipe, a file, or nothing.
 *
 * Threads: console_create/destroy and the callbacks are the main thread's; its
 * char_port is used as core/char_port.h says.
 */
#ifndef ARMLET_CONTROL_CONSOLE_H
#define ARMLET_CONTROL_CONSOLE_H

#include "control/terminal.h"
#include "core/char_port.h"
#include "core/event_loop.h"

struct console;

enum console_key {
	CONSOLE_KEY_EXIT,  /* Ctrl-a x */
	CONSOLE_KEY_POWER, /* Ctrl-a p */
	CONSOLE_KEY_BREAK, /* Ctrl-a b */
};

struct console_callbacks {
	void (*input_ready)(void *data);
	void (*key)(void *data, enum console_key key);
	void (*ended)(void *data); /* optional: nothing more comes in; not told of a file */
	void *data;
};

int console_create(struct event_loop *loop, int in_fd, int out_fd, struct console **ret,
		   struct error *err);
void console_destroy(struct console *console); /* takes NULL */

DEFINE_CLEANUP(struct console *, console_destroy)

struct char_port console_port(struct console *console);

/* Begin to read input; @terminal is that of the input, or one that is none. */
int console_start(struct console *console, const struct terminal *terminal,
		  const struct console_callbacks *callbacks, struct error *err);

/* Whether all input has been taken, and no more comes. */
bool console_input_ended(struct console *console);

/* Nobody may wait for the output any more: what cannot be written at once is lost. */
void console_abandon(struct console *console);

#endif
