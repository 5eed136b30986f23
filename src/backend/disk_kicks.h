/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What engines that wait with poll(2) have in common: the eventfds of the
 * kicks, one of their own that wakes them, and one descriptor more.
 */
#ifndef ARMLET_BACKEND_DISK_KICKS_H
#define ARMLET_BACKEND_DISK_KICKS_H

#include <poll.h>
#include <pthread.h>

#include "base/util.h"

struct disk_kicks {
	int wake_fd;
	unsigned count;         /* of the kicks */
	struct pollfd polled[]; /* wake_fd, the one more, the kicks */
};

int disk_kicks_create(const int *kick_fds, unsigned count, struct disk_kicks **ret);
void disk_kicks_destroy(struct disk_kicks *kicks); /* takes NULL */

DEFINE_CLEANUP(struct disk_kicks *, disk_kicks_destroy)

/* Any thread: let disk_kicks_wait() return. */
void disk_kicks_wake(struct disk_kicks *kicks);

/*
 * Wait until something can be read, or until @fd (-1: none) has one of
 * @events; *@ret_events are then those that it has. True if there was a kick.
 */
bool disk_kicks_wait(struct disk_kicks *kicks, int fd, short events, short *ret_events);

/* A thread of this layer: with a small stack, a name, and no signals. Returns 0 or -errno. */
int disk_thread_create(pthread_t *ret, const char *name, void *(*run)(void *data), void *data);

#endif
