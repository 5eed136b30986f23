/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the control socket share. */
#ifndef ARMLET_CONTROL_QMP_PRIVATE_H
#define ARMLET_CONTROL_QMP_PRIVATE_H

#include "backend/unix_listener.h"
#include "control/qmp.h"
#include "qmp_client.h"

#define QMP_FDS_MAX 64

/* A descriptor that a client has handed over. */
struct qmp_fd {
	char *name; /* NULL: the place is free */
	int fd;
};

struct qmp_server {
	struct qmp_options options;
	struct unix_listener listener;
	struct event_source source; /* of the listener */
	struct qmp_client *clients;
	struct machine *machine; /* NULL: between two lives */
	bool ready;              /* the guest of this boot is */
	uint32_t restarts;
	int64_t born_ms; /* CLOCK_MONOTONIC */
	struct qmp_fd fds[QMP_FDS_MAX];
	struct qmp_client *dump_client; /* waits for the end of the dump; NULL: nobody */
};

/* Seconds since the server was made. */
int64_t qmp_server_uptime(const struct qmp_server *server);

/* The commands and events of a machine; the context of the commands is struct qmp_server. */
extern const struct qmp_schema qmp_machine_schema;

#endif
