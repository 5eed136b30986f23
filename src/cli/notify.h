/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is told of us, by the protocol of sd_notify(3): datagrams of VARIABLE=VALUE
 * lines to the socket that $NOTIFY_SOCKET names, and one now and then if $WATCHDOG_USEC
 * asks for it. Without them nothing is told.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_CLI_NOTIFY_H
#define ARMLET_CLI_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

struct notify {
	int fd; /* -1: nobody is told */
	struct sockaddr_un address;
	socklen_t address_size;
	uint64_t watchdog_ns; /* "WATCHDOG=1" is missed after this time; 0: it is not */
};

#define NOTIFY_NONE      \
	{                \
		.fd = -1 \
	}

/*
 * Take both from the environment, where they are no more then: they are not for the
 * programs that we start. -EINVAL: one of them is no address or no number, with a
 * sentence; @ret is NOTIFY_NONE then.
 */
int notify_open(struct notify *ret, struct error *err);

/* Takes one that is none. */
void notify_close(struct notify *notify);

/* Lines, with newlines between them. Who does not take them does not get them. */
void notify_send(const struct notify *notify, const char *fmt, ...) PRINTF(2, 3);

#endif
