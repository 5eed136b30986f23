/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: A server that comes back
 *
 * When the connection to a server breaks, what is under way fails, and so does
 * whatever comes until the server can be reached again, which each access tries
 * anew. With on-error=pause it is the machine's going on that tries.
 *
 * A server that has crashed may have lost what it had taken but not made stable.
 * The guest relies on a flush for that; so if there were such changes, the first
 * flush on the new connection fails. Nobody is told that something is stable
 * which may be gone.
 */
#include <string.h>

#include "base/log.h"
#include "base/now.h"
#include "disk_nbd.h"

#define CONNECT_MS 10000
#define PATIENCE   10 /* the part of the time that is spent in vain is at most one of so many */

static int last_error(void)
{
	return nbd_get_errno() > 0 ? -nbd_get_errno() : -EIO;
}

/* What was begun comes to its end in time: 0, or -errno. */
static int connected(struct nbd_handle *handle, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;

	while (nbd_aio_is_connecting(handle) > 0) {
		int64_t now = now_ms();

		if (now >= end)
			return -ETIMEDOUT;
		if (nbd_poll(handle, (int)(end - now)) < 0)
			return last_error();
	}
	return nbd_aio_is_ready(handle) > 0 ? 0 : -EIO;
}

static int keep_if(int r, struct nbd_handle *handle, struct nbd_handle **ret)
{
	if (r == 0)
		*ret = handle;
	else
		nbd_close(handle);
	return r;
}

int disk_nbd_connect(const char *uri, struct nbd_handle **ret)
{
	struct nbd_handle *handle = nbd_create();
	int r;

	if (!handle)
		return -ENOMEM;
	nbd_set_uri_allow_local_file(handle, true); /* keys for nbds: the path is the user's own */
	nbd_set_pread_initialize(handle, false);
	r = nbd_aio_connect_uri(handle, uri) < 0 ? last_error() : connected(handle, CONNECT_MS);
	return keep_if(r, handle, ret);
}

int disk_nbd_connect_socket(int fd, int timeout_ms, struct nbd_handle **ret)
{
	struct nbd_handle *handle = nbd_create();
	int r;

	if (!handle) {
		close_fd(fd);
		return -ENOMEM;
	}
	nbd_set_pread_initialize(handle, false);
	r = nbd_aio_connect_socket(handle, fd) < 0 ? last_error() : connected(handle, timeout_ms);
	return keep_if(r, handle, ret);
}

/* A size that the server may tell, or not: then 0. */
static uint64_t block_size(struct nbd_handle *handle, int which)
{
	int64_t size = nbd_get_block_size(handle, which);

	return size > 0 ? (uint64_t)size : 0;
}

struct disk_nbd_export disk_nbd_examine(struct nbd_handle *handle)
{
	return (struct disk_nbd_export){
		.size = nbd_get_size(handle),
		.block_minimum = block_size(handle, LIBNBD_SIZE_MINIMUM),
		.block_preferred = block_size(handle, LIBNBD_SIZE_PREFERRED),
		.block_maximum = block_size(handle, LIBNBD_SIZE_MAXIMUM),
		.read_only = nbd_is_read_only(handle) > 0,
		.flush = nbd_can_flush(handle) > 0,
		.fua = nbd_can_fua(handle) > 0,
		.zero = nbd_can_zero(handle) > 0,
		.trim = nbd_can_trim(handle) > 0,
	};
}

/* Whether what the guest was told of its disk, and what we rely on, is still true. */
static bool is_same(const struct disk_nbd_export *a, const struct disk_nbd_export *b)
{
	return a->size == b->size && a->block_minimum == b->block_minimum &&
	       a->block_maximum == b->block_maximum && a->read_only == b->read_only &&
	       a->flush == b->flush && a->fua == b->fua && a->zero == b->zero && a->trim == b->trim;
}

static int reconnect(struct disk_nbd_connection *connection)
{
	struct disk_nbd_export export;
	struct nbd_handle *handle = NULL;
	int r = disk_nbd_connect(connection->path, &handle);

	if (r < 0)
		return r;
	export = disk_nbd_examine(handle);
	if (!is_same(&connection->export, &export)) {
		nbd_close(handle);
		return -ESTALE;
	}
	nbd_close(connection->handle);
	connection->handle = handle;
	return 0;
}

int disk_nbd_revive(struct disk_nbd_connection *connection)
{
	int64_t begin = now_ms();

	if (connection->helper)
		return -EIO;
	if (begin < connection->next_try)
		return connection->failure;
	connection->failure = reconnect(connection);
	if (connection->failure < 0) {
		log_debug("--disk %s: the NBD server cannot be reached: %s", connection->path,
			  strerror(-connection->failure));
		connection->next_try = now_ms() + (now_ms() - begin) * PATIENCE;
		return connection->failure;
	}
	connection->dead = false;
	connection->doubtful = connection->flushes && connection->changes != connection->stable;
	log_warning("--disk %s: the NBD server is there again%s", connection->path,
		    connection->doubtful
			    ? "; it may have lost what it was sent since the last flush, so the "
			      "next flush fails"
			    : "");
	return 0;
}
