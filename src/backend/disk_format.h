/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of disk images, by how they begin or end; named as qemu-nbd names them. */
#ifndef ARMLET_BACKEND_DISK_FORMAT_H
#define ARMLET_BACKEND_DISK_FORMAT_H

#include "base/util.h"

#define DISK_FORMAT_HEAD 128 /* bytes that tell */

/* NULL: none of them. */
const char *disk_format_of_head(const void *head, size_t size);

/* The same of a file. Returns 0, or -errno: what could not be read may be any of them. */
int disk_format_of_file(int fd, uint64_t size, const char **ret);

#endif
