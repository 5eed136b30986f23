/* SPDX-License-Identifier: Apache-2.0 */
#include "disk_lock.h"

#include <fcntl.h>
#include <string.h>

#include "base/log.h"

/* The ways of using an image that matter here, by QEMU's numbers. */
enum { USE_READ = 0, USE_WRITE = 1 };

#define BYTE_USED     100
#define BYTE_UNSHARED 200

static struct flock lock_at(int byte, short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

static int hold(int fd, int byte)
{
	struct flock lock = lock_at(byte, F_RDLCK);

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

/* 1 if somebody else has a lock there, 0 if not, or -errno. */
static int is_held(int fd, int byte)
{
	struct flock lock = lock_at(byte, F_WRLCK);

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}

static int hold_all(int fd, bool writes)
{
	int r = hold(fd, BYTE_USED + USE_READ);

	if (r == 0 && writes)
		r = hold(fd, BYTE_USED + USE_WRITE);
	return r < 0 ? r : hold(fd, BYTE_UNSHARED + USE_WRITE);
}

static int in_use(const char *path, bool written, struct error *err)
{
	if (written)
		return error_set(err, EBUSY,
				 "--disk %s: another program has it open for writing; end that one "
				 "first, or give each a copy of its own",
				 path);
	return error_set(err, EBUSY,
			 "--disk %s: another program uses it, so it cannot be written; end that "
			 "one first, or add ,ro",
			 path);
}

int disk_lock(int fd, const char *path, bool writes, struct error *err)
{
	int r = hold_all(fd, writes);

	if (r == -EAGAIN || r == -EACCES) /* somebody holds it against QEMU's protocol */
		return in_use(path, true, err);
	if (r < 0) {
		log_debug("--disk %s: not locked: %s", path, strerror(-r));
		return 0;
	}
	if (is_held(fd, BYTE_USED + USE_WRITE) > 0)
		return in_use(path, true, err);
	if (is_held(fd, BYTE_UNSHARED + USE_READ) > 0 ||
	    (writes && is_held(fd, BYTE_UNSHARED + USE_WRITE) > 0))
		return in_use(path, false, err);
	return 0;
}
