/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stub for gdb: its remote serial protocol ("Debugging with GDB", appendix E) on a UNIX
 * socket, or on TCP of this host alone. One client at a time, while which is there the
 * machine is paused whenever gdb has its prompt. Each vCPU is a thread.
 *
 * Threads: all of it is the main thread's.
 */
#ifndef ARMLET_CONTROL_GDB_H
#define ARMLET_CONTROL_GDB_H

#include "machine/machine.h"

struct gdb_server;

struct gdb_options {
	/* tcp:PORT, PORT, unix:PATH, or a path with a slash in it. */
	const char *where;
	struct event_loop *loop;
	struct machine *machine;  /* NULL: there is none yet */
	void (*quit)(void *data); /* the client kills the machine */
	void *data;
};

/* Fails with a sentence that does not name the option. */
int gdb_server_create(const struct gdb_options *options, struct gdb_server **ret,
		      struct error *err);
void gdb_server_destroy(struct gdb_server *server); /* takes NULL */

/* What gdb's command `target remote` is to be given. */
const char *gdb_server_target(const struct gdb_server *server);

/* These take no server, NULL, as well. */

/* The machine of the next life; NULL: the last one has ended, with @status. */
void gdb_server_machine(struct gdb_server *server, struct machine *machine, int status);

void gdb_server_event(struct gdb_server *server, enum machine_event event);

#endif
