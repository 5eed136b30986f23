/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of the guest that are published on the host: [ADDR:]HOST:GUEST[/tcp|/udp],
 * an IPv6 address in brackets.
 */
#ifndef ARMLET_BACKEND_PUBLISH_H
#define ARMLET_BACKEND_PUBLISH_H

#include <netinet/in.h>

#include "base/error.h"

#define PUBLISH_MAX      64
#define PUBLISH_TEXT_MAX 64

struct publish {
	char text[PUBLISH_TEXT_MAX];    /* as it was written */
	char address[INET6_ADDRSTRLEN]; /* of the host; empty: all of them */
	bool ipv6;                      /* the address is */
	bool udp;
	uint16_t host;
	uint16_t guest;
};

struct publish_table {
	struct publish rows[PUBLISH_MAX];
	unsigned count;
};

/* Add what @text says. Fails with a sentence that begins "--publish TEXT: ". */
int publish_add(struct publish_table *table, const char *text, struct error *err);

/* Take out what is at the place on the host that @text says; likewise. -ENOENT: nothing is. */
int publish_remove(struct publish_table *table, const char *text, struct error *err);

/* Whether the host's ports are free, and may be used by us: a sentence if not. */
int publish_check(const struct publish_table *table, struct error *err);

#endif
