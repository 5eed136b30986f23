/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Disks by NBD
 *
 * A server has the bytes, and libnbd speaks with it: one connection, many
 * commands under way. The engine is one more that waits with poll(2).
 */
#ifndef ARMLET_BACKEND_DISK_NBD_H
#define ARMLET_BACKEND_DISK_NBD_H

#include <libnbd.h>

#include "backend/helper_process.h"
#include "disk_open.h"

extern const struct disk_engine_ops disk_nbd_engine; /* its context: struct disk_nbd_connection */

/* What a server tells of what it has. */
struct disk_nbd_export {
	int64_t size;           /* -1: not told */
	uint64_t block_minimum; /* bytes; 0: not told, as the others */
	uint64_t block_preferred;
	uint64_t block_maximum;
	bool read_only;
	bool flush;
	bool fua;
	bool zero;
	bool trim;
};

struct disk_nbd_connection {
	struct nbd_handle *handle;
	const char *path;
	struct helper_process *helper; /* the server, if it is ours */
	struct disk_nbd_export export;
	bool flushes; /* if the guest relies on flushes */

	/* Of the disk's thread; here, since a pause ends that. */
	bool dead;
	int failure;      /* -errno: what came of the last try to connect anew */
	int64_t next_try; /* ms of CLOCK_MONOTONIC */
	uint64_t changes; /* made so far, and not in a way that is stable at once */
	uint64_t stable;  /* of those, by flushes */
	bool doubtful;    /* the next flush fails */
};

/* Returns 0, or -errno, with libnbd's own words in nbd_get_error() if it was not the time. */
int disk_nbd_connect(const char *uri, struct nbd_handle **ret);
/* The same by a socket that is connected, and libnbd's from now on, also on failure. */
int disk_nbd_connect_socket(int fd, int timeout_ms, struct nbd_handle **ret);
struct disk_nbd_export disk_nbd_examine(struct nbd_handle *handle);

/* A connection that is dead, with no command under way: connect anew. Returns 0 or -errno. */
int disk_nbd_revive(struct disk_nbd_connection *connection);

/* The disk behind a handle that is connected; both are its own now, also on failure. */
int disk_nbd_create(const struct disk_options *options, struct nbd_handle *handle,
		    struct helper_process *helper, struct disk **ret, struct error *err);

#endif
