/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: passt
 *
 * passt(1) gives a guest the host's network without any privilege. It is
 * started by us with one end of a pair of stream sockets; the other end is the
 * port that its frames come through.
 *
 * Its forking into the background, which its first process reports by its end,
 * is the one sign of readiness that all versions give, and until then it tells
 * on standard error what is wrong. From then on the socket alone ties it to us:
 * passt ends as soon as our end is closed, however we die, and its death is an
 * end of file for us.
 *
 * As root it becomes the user nobody, where that is possible: not in a container
 * with one user only, or without CAP_SETUID. It isolates itself by a user
 * namespace; where those are forbidden, it is tried without one, which old
 * versions allow to those who have CAP_SYS_ADMIN.
 */
#ifndef ARMLET_BACKEND_PASST_H
#define ARMLET_BACKEND_PASST_H

#include "backend/publish.h"
#include "base/mac.h"
#include "core/net_port.h"

struct passt_options {
	const char *program;                 /* NULL: "passt", found by $PATH */
	const struct publish_table *publish; /* NULL: nothing is */
	uint8_t mac[MAC_SIZE];               /* the guest's; passt's own is derived from it */
	uint16_t mtu;                        /* that passt tells the guest of; 0: of none */
};

/*
 * Start it; the sentences begin "--net user: " or "--publish TEXT: ". It is not
 * ready before passt_ready(), which must be called before frames are moved: so
 * other work can be done while it starts. All of @options is copied.
 */
int passt_open(const struct passt_options *options, struct net_port **ret, struct error *err);

/*
 * Have it end, and wait until it has, so that its ports are free; the port is still there,
 * and at its end. True of one that has ended by itself, too.
 */
void passt_end(struct net_port *port);

/*
 * Tell it the guest's address @mac, which it learns from frames: until it has seen one, what
 * it sends is for all, and a guest takes no connection that comes so. For one that is started
 * while its guest has nothing to say. It must be ready.
 */
void passt_introduce(struct net_port *port, const uint8_t mac[MAC_SIZE]);

/* Wait until it has come up, or has said why it cannot. */
int passt_ready(struct net_port *port, struct error *err);

#endif
