/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system device of virtio 1.3, 5.11, whose queues virtiofsd serves by
 * vhost-user (virtio/vhost_user.h): one for requests of high priority, and one
 * for all others.
 *
 * When the server ends, that is told, and all that it has not answered, and all
 * that comes, is answered with EIO. (It is taken to answer in the order of its
 * requests, as virtiofsd does without a pool of threads.) When it is silent for a
 * while, that is told, too. What the server knows of the guest's files is not saved: in
 * a machine that was loaded, the folder has to be mounted anew.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_FS_H
#define ARMLET_VIRTIO_VIRTIO_FS_H

#include "virtio/virtio_device.h"

#define VIRTIO_FS_TAG_MAX 36 /* bytes */

struct virtio_fs_options {
	const char *name;
	const struct guest_mem *mem; /* shared */
	struct event_loop *loop;
	const char *tag;      /* what the guest mounts: 1 to VIRTIO_FS_TAG_MAX bytes */
	int server_fd;        /* connected to the server; taken over, even on failure */
	unsigned timeout_ms;  /* as struct vhost_user_options */
	unsigned patience_ms; /* until it is told that the server is silent; 0: 10 s */
};

/* Waits for the server's first answers. Fails with a sentence that begins with the name. */
int virtio_fs_create(const struct virtio_fs_options *options, struct virtio_device **ret,
		     struct error *err);

#endif
