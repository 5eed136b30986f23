/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Vhost-user
 *
 * A vhost that is another process, at the end of a UNIX socket (the protocol is
 * QEMU's docs/interop/vhost-user.rst): it maps the guest's memory, which has to
 * be shared, and gets the eventfds of each queue.
 *
 * The server is trusted with the guest's memory and with nothing else. What it
 * sends is checked, and waited for so long and no longer; a server that does
 * not answer, answers what cannot be, or goes, is lost for good: all that is
 * asked of it then fails. Since it has no say in where its rings stopped, they
 * are left as they began, and the device has to be broken.
 *
 * Threads: under the device's lock, which is held while an answer is waited for.
 */
#ifndef ARMLET_VIRTIO_VHOST_USER_H
#define ARMLET_VIRTIO_VHOST_USER_H

#include "virtio/vhost.h"

#define VHOST_USER_TIMEOUT_MS 10000

struct vhost_user_options {
	int fd;              /* a connected UNIX socket; taken over, even on failure */
	unsigned timeout_ms; /* for an answer; 0: VHOST_USER_TIMEOUT_MS */
};

/* Agree on a protocol with the server. Fails with a sentence. */
int vhost_user_create(const struct vhost_user_options *options, struct vhost **ret,
		      struct error *err);

/* How many queues it can serve, at most. */
unsigned vhost_user_queue_count(const struct vhost *vhost);

/* To be watched for EVENT_READ; then vhost_user_fault() tells what it was. */
int vhost_user_fd(const struct vhost *vhost);

/* NULL, or why the server is lost, behind "its server ". Looks anew. */
const char *vhost_user_fault(struct vhost *vhost);

#endif
