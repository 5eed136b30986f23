/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: QMP's dialect on a UNIX socket, for programs that manage the
 * machine. Any number of clients, of the same user or root.
 *
 * Threads: all of it is the main thread's.
 */
#ifndef ARMLET_CONTROL_QMP_H
#define ARMLET_CONTROL_QMP_H

#include "machine/machine.h"

struct qmp_server;

struct qmp_options {
	const char *path; /* of the socket */
	struct event_loop *loop;
	struct machine *machine;
	const struct machine_config *config;
	void (*quit)(void *data); /* a client wants the machine to end now */
	void *quit_data;
};

/* Options as of qmp_options; fails with a sentence. */
int qmp_server_create(const struct qmp_options *options, struct qmp_server **ret,
		      struct error *err);

/* Clients get what is on its way to them if they take it at once. Takes NULL. */
void qmp_server_destroy(struct qmp_server *server);

/* Tell the clients; takes a @server that is NULL. */
void qmp_server_event(struct qmp_server *server, enum machine_event event);

/* The last event: the machine has ended, because of the guest or not; @reason as QMP's
 * ShutdownCause. */
void qmp_server_shutdown(struct qmp_server *server, bool guest, const char *reason);

#endif
