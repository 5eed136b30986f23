/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A char_port that hands the main thread what a guest prints, line by line. What is printed
 * is kept until the main thread has seen it; a guest that is faster waits.
 *
 * Threads: its char_port is used as core/char_port.h says, all else is the main thread's.
 */
#ifndef ARMLET_TRIAL_LINE_PORT_H
#define ARMLET_TRIAL_LINE_PORT_H

#include "core/char_port.h"
#include "core/event_loop.h"

#define LINE_PORT_LINE 4096 /* bytes of a line at most: what is longer comes in parts */

struct line_port;

struct line_port_options {
	struct event_loop *loop;
	/* A line without its end; also the last one, which may have none. */
	void (*line)(void *data, const char *text, size_t size);
	void *data;
};

int line_port_create(const struct line_port_options *options, struct line_port **ret,
		     struct error *err);
void line_port_destroy(struct line_port *port); /* takes NULL */

struct char_port line_port_port(struct line_port *port);

/* Nobody prints now: hand out all that there is, a begun line too. */
void line_port_finish(struct line_port *port);

#endif
