/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of the guest that are published on the host (backend/publish.h), while the
 * machine runs. passt knows its ports when it starts and learns no others, so it is started
 * anew: connections that go through it are cut, and for a moment no frame comes or goes.
 * What is published stays over a reset of the guest.
 *
 * Threads: the main thread's, which waits for passt: tens of milliseconds.
 */
#ifndef ARMLET_MACHINE_PUBLISH_H
#define ARMLET_MACHINE_PUBLISH_H

#include "machine/machine.h"

/*
 * @text as for --publish. -ESRCH: the machine does not run; -ENODEV: it has no network of
 * the user; -EINVAL: @text, or the port is published already; -ENOENT: it is not; or what
 * the host has against the port. After an error all is as it was.
 */
int machine_publish(struct machine *machine, const char *text, struct error *err);
int machine_unpublish(struct machine *machine, const char *text, struct error *err);

/* The text of port @index; NULL: there are no more. */
const char *machine_published(const struct machine *machine, size_t index);

#endif
