/* SPDX-License-Identifier: Apache-2.0 */
#include "jail.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The new root is mounted on it: any folder that is there will do, but what is taken from it. */
#define BUILT_ON "/proc"

/* What programs are made of. Links (as /lib is one) stay links. */
static const char *const system_paths[] = {
	"usr", "lib", "lib32", "lib64", "bin", "sbin", "etc/ld.so.cache", "dev/null",
};

/* What diod needs to act for the guest's users, and (the last) to set its limits. */
static const unsigned char kept_capabilities[] = {
	CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,       CAP_FSETID,
	CAP_SETGID, CAP_SETUID,       CAP_MKNOD,           CAP_SYS_RESOURCE,
};

void jail_init(struct jail *jail, const char *directory, bool read_only)
{
	*jail = (struct jail){
		.directory = directory,
		.read_only = read_only,
		.is_root = geteuid() == 0,
	};
	snprintf(jail->uid_map, sizeof(jail->uid_map), "%u %u 1", geteuid(), geteuid());
	snprintf(jail->gid_map, sizeof(jail->gid_map), "%u %u 1", getegid(), getegid());
}

static int write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t size = strlen(text);

	if (fd < 0)
		return -errno;
	return write(fd, text, size) == (ssize_t)size ? 0 : -errno;
}

static int leave_namespaces(const struct jail *jail)
{
	int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC;
	int r;

	if (unshare(jail->is_root ? flags : flags | CLONE_NEWUSER) < 0)
		return -errno;
	if (!jail->is_root) {
		r = write_file("/proc/self/setgroups", "deny");
		r = r < 0 ? r : write_file("/proc/self/gid_map", jail->gid_map);
		r = r < 0 ? r : write_file("/proc/self/uid_map", jail->uid_map);
		if (r < 0)
			return r;
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

/* A copy of the mounts at @path, which is nowhere yet. */
static int take_tree(const char *path, uint64_t attributes)
{
	struct mount_attr attr = {.attr_set = attributes};
	_cleanup_close_ int fd =
		open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		return -errno;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return -errno;
	return steal_fd(&fd);
}

static int put_tree(int fd, const char *at)
{
	return move_mount(fd, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* One of the host's own, at the same place below the current folder; not there: nothing. */
static int put_system_path(int host_root, const char *path)
{
	_cleanup_close_ int tree = -EBADF;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
	char target[256];
	struct stat status;
	ssize_t size;
	int made;

	if (fstatat(host_root, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(status.st_mode)) {
		size = readlinkat(host_root, path, target, sizeof(target) - 1);
		if (size < 0)
			return -errno;
		target[size] = '\0';
		return symlink(target, path) < 0 ? -errno : 0;
	}
	if (!S_ISCHR(status.st_mode))
		attr.attr_set |= MOUNT_ATTR_NODEV;
	tree = open_tree(host_root, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		made = mkdir(path, 0755);
	else
		made = mknod(path, S_IFREG | 0644, 0);
	return made < 0 ? -errno : put_tree(tree, path);
}

/* The new root is the current folder, empty. */
static int furnish(int host_root, int share)
{
	int r;

	if (mkdir("etc", 0755) < 0 || mkdir("dev", 0755) < 0 || mkdir(&JAIL_SHARE[1], 0755) < 0)
		return -errno;
	r = put_tree(share, &JAIL_SHARE[1]);
	for (unsigned i = 0; i < ARRAY_SIZE(system_paths) && r == 0; i++)
		r = put_system_path(host_root, system_paths[i]);
	return r;
}

static int move_in(const struct jail *jail)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			      (jail->read_only ? MOUNT_ATTR_RDONLY : 0);
	_cleanup_close_ int host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int share = -EBADF;
	int r;

	if (host_root < 0)
		return -errno;
	share = take_tree(jail->directory, attributes);
	if (share < 0)
		return share;
	if (mount("jail", BUILT_ON, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0 ||
	    chdir(BUILT_ON) < 0)
		return -errno;
	r = furnish(host_root, share);
	if (r < 0)
		return r;
	/* The old root comes to lie on top of the new one, and is taken away from there. */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) <
	    0)
		return -errno;
	return 0;
}

static bool is_kept(int capability)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kept_capabilities); i++) {
		if (kept_capabilities[i] == capability)
			return true;
	}
	return false;
}

/* What is not in the bounding set is gone with exec. */
static int drop_capabilities(void)
{
	for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++) {
		if (!is_kept(i) && prctl(PR_CAPBSET_DROP, i) < 0)
			return -errno;
	}
	return 0;
}

int jail_enter(const void *data)
{
	const struct jail *jail = data;
	int r = leave_namespaces(jail);

	r = r < 0 ? r : move_in(jail);
	r = r < 0 ? r : drop_capabilities();
	if (r < 0)
		return r;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}
