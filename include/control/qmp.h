/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: QMP's dialect on a UNIX socket, for programs that manage the
 * machine. Any number of clients, of the same user or root.
 *
 * Threads: all of it is the main thread's.
 */
#ifndef ARMLET_CONTROL_QMP_H
#define ARMLET_CONTROL_QMP_H

#include <json-c/json.h>
#include <stdio.h>

#include "machine/machine.h"

struct qmp_server;

struct qmp_options {
	const char *path; /* of the socket */
	struct event_loop *loop;
	struct machine *machine;
	const struct machine_config *config;
	const char *console;      /* socket of the serial port; NULL: it is on stdin and stdout */
	void (*quit)(void *data); /* a client wants the machine to end now */
	void (*powerdown)(void *data); /* or its power key to be pressed */

	/*
	 * Plug a device into a slot of the machine's: a disk or, with @net, a network of these
	 * properties, an object that is the callee's to put.
	 */
	int (*plug)(void *data, const char *name, bool net, struct json_object *properties,
		    struct error *err);

	/* Let gdb in, see the command gdbserver; @where may be NULL. */
	int (*debug)(void *data, const char *where, const char **ret_target, struct error *err);

	/* The machine as JSON, as `armlet run --dry-run` prints it; the caller's to put. */
	struct json_object *(*describe)(void *data);
	void *data; /* for all */
};

/* Options as of qmp_options; fails with a sentence. */
int qmp_server_create(const struct qmp_options *options, struct qmp_server **ret,
		      struct error *err);

/* Clients get what is on its way to them if they take it at once. Takes NULL. */
void qmp_server_destroy(struct qmp_server *server);

/* Tell the clients; takes a @server that is NULL. */
void qmp_server_event(struct qmp_server *server, enum machine_event event);

/* The guest is up; likewise. */
void qmp_server_ready(struct qmp_server *server);

/* How a machine has ended, or a life of it. */
struct qmp_end {
	bool guest;         /* that wanted it */
	const char *reason; /* as QMP's ShutdownCause */
	int status;         /* what the process ends with */
};

/*
 * It begins another life in @delay_ms, the one after @restarts restarts. Commands that act
 * on a machine are refused until it has one again: that of the next life.
 */
void qmp_server_restart(struct qmp_server *server, const struct qmp_end *end, uint32_t restarts,
			uint64_t delay_ms);
void qmp_server_machine(struct qmp_server *server, struct machine *machine);

/* The last event. */
void qmp_server_shutdown(struct qmp_server *server, const struct qmp_end *end);

/*
 * A command as words, "balloon" "value=512M", of which there is at least one: the
 * arguments in JSON, the caller's to put. -EINVAL: there is no such command or argument.
 */
int qmp_read_words(const char *const *words, size_t count, struct json_object **ret,
		   struct error *err);

/* Whether the answer to a command comes when all is done, which may take long. */
bool qmp_command_is_long(const char *name);

/* The name of command @index of the socket; NULL: there are no more. */
const char *qmp_command_name(size_t index);

/* The list of commands and their arguments, for people. */
void qmp_print_commands(FILE *out);

#endif
