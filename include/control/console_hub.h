/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of a machine that no terminal belongs to: what the guest writes goes to a
 * log and to whoever is attached, and what they type goes to the guest. Who attaches gets
 * the last of what was written before.
 *
 * DOC: Nobody can make the guest wait
 *
 * The hub has one end of a socket pair, and the console (control/console.h) the other in
 * place of a terminal. The hub takes all that comes. A log that cannot be written, as on
 * a full disk, costs its lines; a reader that does not keep up is dropped. What is typed
 * is left with who types it until the guest takes it.
 *
 * Threads: all of it is the main thread's.
 */
#ifndef ARMLET_CONTROL_CONSOLE_HUB_H
#define ARMLET_CONTROL_CONSOLE_HUB_H

#include "core/event_loop.h"

struct console_hub;

struct console_hub_options {
	struct event_loop *loop;
	const char *socket; /* where programs of the same user, and root, attach */
	const char *log;    /* as of stream_open() (backend/stream.h) */
};

int console_hub_create(const struct console_hub_options *options, struct console_hub **ret,
		       struct error *err);

/* What was written last still goes out, as far as it is taken at once. Takes NULL. */
void console_hub_destroy(struct console_hub *hub);

/* The console's end, for its input and for its output; both are the hub's. */
int console_hub_in(const struct console_hub *hub);
int console_hub_out(const struct console_hub *hub);

#endif
