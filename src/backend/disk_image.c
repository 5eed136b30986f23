/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Images of other formats
 *
 * A qemu-nbd of our own serves the image. We make the listening socket and
 * connect to it before there is a qemu-nbd, which inherits it: so there is
 * nothing to wait for, and the socket's name is gone before anybody could use
 * it. When our connection ends, so does qemu-nbd; when it cannot open the image
 * it ends with the socket, and its last words are our sentence.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "disk_nbd.h"

#define OPEN_MS 30000 /* for a qemu-nbd to open an image, which it may have to repair */
#define END_MS  2000  /* for one that has given up to end */

static int temporary_directory(char *to, size_t size)
{
	const char *base = getenv("XDG_RUNTIME_DIR");

	if (!base || !*base || strlen(base) > 60) /* a socket's name has 107 bytes */
		base = "/tmp";
	snprintf(to, size, "%s/armlet-XXXXXX", base);
	return mkdtemp(to) ? 0 : -errno;
}

/* A connection, and the socket that it waits at to be taken. */
static int make_connection(int *ret_listener, int *ret_connection)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char directory[80];
	int r = 0;

	if (listener < 0 || connection < 0)
		return -errno;
	r = temporary_directory(directory, sizeof(directory));
	if (r < 0)
		return r;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/nbd", directory);
	if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 1) < 0 ||
	    connect(connection, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	unlink(address.sun_path);
	rmdir(directory);
	if (r < 0)
		return r;
	*ret_listener = steal_fd(&listener);
	*ret_connection = steal_fd(&connection);
	return 0;
}

static const char *cache_mode(const struct disk_options *options)
{
	switch (options->cache) {
	case DISK_CACHE_WRITETHROUGH:
		return options->direct ? "--cache=directsync" : "--cache=writethrough";
	case DISK_CACHE_UNSAFE:
		return "--cache=unsafe";
	case DISK_CACHE_WRITEBACK:
		break;
	}
	return options->direct ? "--cache=none" : "--cache=writeback";
}

static int start_server(const struct disk_options *options, const char *format, const char *path,
			int listener, struct helper_process **ret, struct error *err)
{
	const char *argv[12] = {"qemu-nbd", "-f", format, cache_mode(options)};
	struct helper_options helper = {
		.argv = argv, .fds = &listener, .fd_count = 1, .activation = true};
	unsigned count = 4;
	int r;

	argv[count++] = options->no_discard ? "--discard=ignore" : "--discard=unmap";
	if (options->aio == DISK_AIO_URING)
		argv[count++] = "--aio=io_uring";
	if (options->aio == DISK_AIO_THREADS)
		argv[count++] = "--aio=threads";
	if (options->ephemeral)
		argv[count++] = "--snapshot";
	else if (options->read_only)
		argv[count++] = "--read-only";
	argv[count++] = "--";
	argv[count] = path;
	r = helper_process_start(&helper, ret);
	if (r == -ENOENT)
		return error_set(err, ENOENT,
				 "--disk %s: an image of format %s needs qemu-nbd, which is not "
				 "installed; install it (Debian: qemu-utils), or convert the image "
				 "by qemu-img convert -O raw",
				 options->path, format);
	if (r < 0)
		return error_set_errno(err, -r, "--disk %s: qemu-nbd cannot be started",
				       options->path);
	return 0;
}

static int refused(const struct disk_options *options, const char *format,
		   struct helper_process *helper, int code, struct error *err)
{
	const char *words = nbd_get_error();

	if (code == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT,
				 "--disk %s: qemu-nbd does not answer within %d s; look whether "
				 "the image's storage is stuck, or repair the image by qemu-img "
				 "check -r all",
				 options->path, OPEN_MS / 1000);
	if (helper_process_wait(helper, END_MS))
		words = helper_process_last_words(helper);
	return error_set(err, EINVAL, "--disk %s: qemu-nbd does not open it as %s: %s",
			 options->path, format, words && *words ? words : "it does not say why");
}

int disk_image_open(const struct disk_options *options, const char *format, struct disk **ret,
		    struct error *err)
{
	_cleanup_free_ char *path = realpath(options->path, NULL);
	_cleanup_close_ int listener = -EBADF;
	_cleanup_close_ int connection = -EBADF;
	struct helper_process *helper = NULL;
	struct nbd_handle *handle = NULL;
	int r;

	/* Whole, since qemu-nbd takes "name:rest" for a protocol. */
	if (!path)
		return error_set_errno(err, errno, "--disk %s: it cannot be opened", options->path);
	r = make_connection(&listener, &connection);
	if (r < 0)
		return error_set_errno(err, -r, "--disk %s: no socket for qemu-nbd", options->path);
	r = start_server(options, format, path, listener, &helper, err);
	if (r < 0)
		return r;
	/* The last one is the server's: its end shall be the connection's. */
	listener = close_fd(listener);
	r = disk_nbd_connect_socket(steal_fd(&connection), OPEN_MS, &handle);
	if (r < 0) {
		r = refused(options, format, helper, r, err);
		helper_process_end(helper, 0);
		return r;
	}
	r = disk_nbd_create(options, handle, helper, ret, err);
	if (r == 0)
		(*ret)->info.format = format;
	return r;
}
