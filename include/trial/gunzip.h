/* SPDX-License-Identifier: Apache-2.0 */
/* A gzip stream (RFC 1952) that is in memory whole. Threads: any. */
#ifndef ARMLET_TRIAL_GUNZIP_H
#define ARMLET_TRIAL_GUNZIP_H

#include <stddef.h>

/*
 * Unpack the @size bytes at @packed, one stream and nothing else, to memory of free(3)'s, with a
 * zero behind. -EINVAL: it is none, or damaged, or of more than @most bytes; -ENOMEM.
 */
int gunzip(const void *packed, size_t size, size_t most, char **ret, size_t *ret_size);

#endif
