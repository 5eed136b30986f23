/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Locks of disk images
 *
 * QEMU's protocol, which libvirt's machines and qemu-img keep as well. Each way
 * of using an image has a number. A read lock on byte 100 + N says "I use it so",
 * one on byte 200 + N "nobody else may". Having set its own locks, a program
 * looks whether another has a lock that contradicts; so of two that come at the
 * same time at least one sees the other. The locks are those of open file
 * descriptions: they end with the descriptor, and not before.
 *
 * As QEMU's disks of machines do we let nobody else write.
 */
#ifndef ARMLET_BACKEND_DISK_LOCK_H
#define ARMLET_BACKEND_DISK_LOCK_H

#include "base/error.h"

/*
 * Lock @fd, for writing too if @writes, until it is closed. Fails with a
 * sentence for --disk @path. Where the file system knows no locks it goes well.
 */
int disk_lock(int fd, const char *path, bool writes, struct error *err);

#endif
