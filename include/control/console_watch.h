/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a machine and its console's back end: sees a text go by.
 *
 * Threads: its char_port is used as core/char_port.h says, all else is the main thread's.
 */
#ifndef ARMLET_CONTROL_CONSOLE_WATCH_H
#define ARMLET_CONTROL_CONSOLE_WATCH_H

#include "core/char_port.h"
#include "core/event_loop.h"

struct console_watch;

struct console_watch_options {
	struct event_loop *loop;
	struct char_port below;
	const char *text;         /* not empty */
	void (*seen)(void *data); /* it was written; the main thread, once */
	void *data;
};

int console_watch_create(const struct console_watch_options *options, struct console_watch **ret,
			 struct error *err);
void console_watch_destroy(struct console_watch *watch); /* takes NULL */

/* The port to give to the machine. */
struct char_port console_watch_port(struct console_watch *watch);

/* Nobody writes now: look for the text from the beginning, and tell once more. Takes NULL. */
void console_watch_again(struct console_watch *watch);

#endif
