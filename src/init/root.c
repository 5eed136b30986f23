/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root that the command finds: the initramfs as it is, or a folder or disk of the host's,
 * below a layer in memory unless it is to be written to; and in it what every system has.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <sys/mount.h>
#include <time.h>

#include "init.h"

#define NEW_ROOT  "/" JOB_FOLDER "/root"
#define BASE      "/" JOB_FOLDER     /* where layers are put together, in the initramfs */
#define LATE_BASE "/run/" JOB_FOLDER /* and in the new root */
#define DISK_WAIT 10000              /* ms */

struct mount_row {
	const char *kind;
	const char *path;
	const char *options;
	unsigned long flags;
	bool only_new; /* of a root that is not the initramfs: what is there stays to be seen */
};

/* The first ones are needed before anything else. */
static const struct mount_row basics[] = {
	{.kind = "devtmpfs", .path = "/dev", .flags = MS_NOSUID},
	{.kind = "proc", .path = "/proc", .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{.kind = "sysfs", .path = "/sys", .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC},
};

static const struct mount_row rest[] = {
	{.kind = "devpts", .path = "/dev/pts", .options = "mode=0620,ptmxmode=0666,gid=5"},
	{.kind = "tmpfs", .path = "/dev/shm", .flags = MS_NOSUID | MS_NODEV},
	{.kind = "tmpfs",
	 .path = "/run",
	 .options = "mode=0755",
	 .flags = MS_NOSUID | MS_NODEV,
	 .only_new = true},
	{.kind = "tmpfs",
	 .path = "/tmp",
	 .options = "mode=1777",
	 .flags = MS_NOSUID | MS_NODEV,
	 .only_new = true},
	{.kind = "securityfs", .path = "/sys/kernel/security"},
	{.kind = "debugfs", .path = "/sys/kernel/debug"},
	{.kind = "tracefs", .path = "/sys/kernel/tracing"},
	{.kind = "cgroup2", .path = "/sys/fs/cgroup"},
	{.kind = "bpf", .path = "/sys/fs/bpf"},
};

static long mount_at(const char *source, const char *path, const struct mount_row *row)
{
	return SYS5(mount, source, path, row->kind, row->flags, row->options);
}

/* What a kernel has not, or an initramfs has already, does without. */
static void mount_rows(const struct mount_row *rows, size_t count, bool is_new)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].only_new && !is_new)
			continue;
		SYS3(mkdirat, AT_FDCWD, rows[i].path, 0755);
		mount_at(rows[i].kind, rows[i].path, &rows[i]);
	}
}

/* What a shell and its scripts take for granted. */
static void link_descriptors(void)
{
	static const char *const links[][2] = {
		{"/proc/self/fd", "/dev/fd"},
		{"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"},
		{"/proc/self/fd/2", "/dev/stderr"},
	};

	for (size_t i = 0; i < NUMBER_OF(links); i++)
		SYS3(symlinkat, links[i][0], AT_FDCWD, links[i][1]);
}

void mount_basics(void)
{
	mount_rows(basics, NUMBER_OF(basics), true);
	link_descriptors();
}

/* Compressed ones the kernel unpacks, if it was built to (CONFIG_MODULE_DECOMPRESS). */
static unsigned how_to_load(const char *path)
{
	size_t length = strlen(path);
	bool plain = length > 3 && text_equal(path + length - 3, ".ko");

	return plain ? 0 : MODULE_INIT_COMPRESSED_FILE;
}

void load_modules(struct init *init)
{
	for (size_t i = 0; i < init->job.module_count; i++) {
		const char *path = init->job.modules[i];
		long fd = SYS4(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
		long r = fd < 0 ? fd : SYS3(finit_module, fd, "", how_to_load(path));
		char text[512];

		/* It is there already: built in, or loaded by the initramfs. */
		if (r < 0 && r != -EEXIST)
			give_up(init,
				text_join(text, sizeof(text), "the module ", path,
					  " cannot be loaded; is it of this kernel?"),
				r);
		if (fd >= 0)
			SYS1(close, fd);
	}
}

/* All folders of @path, which begins with a slash. */
static void make_folders(const char *path)
{
	char part[1024];
	size_t length = strlen(path);

	for (size_t i = 1; i <= length && i < sizeof(part); i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		SYS3(mkdirat, AT_FDCWD, part, 0755);
	}
}

/* Whether the kernel can mount @kind, as filesystems(5) tells. */
static bool has_kind(const char *kind)
{
	static char text[8192];
	long fd = SYS4(openat, AT_FDCWD, "/proc/filesystems", O_RDONLY | O_CLOEXEC, 0);
	long n = fd < 0 ? 0 : SYS3(read, fd, text, sizeof(text) - 1);

	if (fd >= 0)
		SYS1(close, fd);
	for (long i = 0, begin = 0; i < n; i++) {
		if (text[i] == '\t')
			begin = i + 1;
		if (text[i] != '\n')
			continue;
		text[i] = '\0';
		if (text_equal(text + begin, kind))
			return true;
	}
	return false;
}

/* A folder of the host's, @kind being how it comes. */
static long mount_share(const char *kind, const char *tag, const char *path, bool writable)
{
	unsigned long flags = writable ? 0 : MS_RDONLY;
	const char *options = NULL;
	char second[64];

	if (text_equal(kind, JOB_EITHER)) {
		kind = has_kind("virtiofs") ? "virtiofs" : "9p";
		if (text_equal(kind, "9p"))
			tag = text_join(second, sizeof(second), tag, JOB_SECOND);
	}
	if (text_equal(kind, "9p"))
		options = writable ? "trans=virtio,version=9p2000.L,msize=262144,cache=mmap"
				   : "trans=virtio,version=9p2000.L,msize=262144,cache=loose";
	return SYS5(mount, tag, path, kind, flags, options);
}

static void refuse_share(struct init *init, const char *what, const char *kind, long error)
{
	char text[512];
	const char *why = " cannot be mounted";

	if (error == -ENODEV)
		why = text_equal(kind, JOB_EITHER)
			      ? " cannot be mounted: the kernel has neither virtiofs "
				"(CONFIG_VIRTIO_FS) nor 9p (CONFIG_9P_FS and "
				"CONFIG_NET_9P_VIRTIO); --root DIR:fs=copy needs none"
		      : text_equal(kind, "9p")
			      ? " cannot be mounted: the kernel has no 9p (CONFIG_9P_FS and "
				"CONFIG_NET_9P_VIRTIO)"
			      : " cannot be mounted: the kernel has no virtiofs (CONFIG_VIRTIO_FS)";
	give_up(init, text_join(text, sizeof(text), what, why), error);
}

/* ---- Disks ------------------------------------------------------------ */

static bool exists(const char *path)
{
	return SYS3(faccessat, AT_FDCWD, path, 0) == 0;
}

static void wait_for_device(const char *path)
{
	const struct timespec time = {.tv_nsec = 1000000};

	for (int waited = 0; !exists(path) && waited < DISK_WAIT; waited++)
		SYS2(nanosleep, &time, 0);
}

/* Whatever file system it has that this kernel knows. */
static long mount_any(const char *device, const char *path, bool writable)
{
	static const char *const kinds[] = {"ext4", "erofs", "squashfs", "xfs", "btrfs", "f2fs"};
	long r = -ENODEV;

	for (size_t i = 0; i < NUMBER_OF(kinds); i++) {
		long one = SYS5(mount, device, path, kinds[i], writable ? 0 : MS_RDONLY, 0);

		/* One that is read-only by nature, or cannot be repaired here. */
		if (one == -EROFS || one == -EACCES)
			one = SYS5(mount, device, path, kinds[i], MS_RDONLY, 0);
		if (one == 0)
			return 0;
		if (one != -ENODEV)
			r = one;
	}
	return r;
}

static bool has_programs(const char *root)
{
	char path[64];

	return exists(text_join(path, sizeof(path), root, "/bin")) ||
	       exists(text_join(path, sizeof(path), root, "/usr/bin"));
}

/* The disk itself, or the first of its partitions that looks like a root. */
static void mount_disk(struct init *init, const char *device, const char *path)
{
	static const char *const parts[] = {"", "1", "2", "3", "4", "5", "6"};
	char name[64], text[256];
	long r = -ENODEV;

	wait_for_device(device);
	for (size_t i = 0; i < NUMBER_OF(parts); i++) {
		long one;

		text_join(name, sizeof(name), device, parts[i]);
		if (!exists(name))
			continue;
		one = mount_any(name, path, true);
		if (one == 0 && (!i || has_programs(path)))
			return;
		if (one == 0)
			SYS2(umount2, path, 0);
		if (r == -ENODEV)
			r = one;
	}
	give_up(init,
		text_join(text, sizeof(text), "no root can be mounted from the disk ", device,
			  exists(device) ? ": it has no file system that this kernel can read"
					 : ": the kernel has no driver for it (CONFIG_VIRTIO_BLK)"),
		r);
}

/* ---- The root --------------------------------------------------------- */

/* A folder of the host's at @path, with a layer in memory above it that takes what is written. */
static void mount_layered(struct init *init, const char *base, const char *kind, const char *tag,
			  const char *path)
{
	const struct mount_row layer = {.kind = "tmpfs", .options = "mode=0755"};
	char lower[64], memory[64], upper[64], work[64], options[512], text[512];
	long r;

	make_folders(text_join(lower, sizeof(lower), base, "/lower"));
	make_folders(text_join(memory, sizeof(memory), base, "/memory"));
	r = mount_share(kind, tag, lower, false);
	if (r < 0)
		refuse_share(init, path, kind, r);
	mount_at("armlet", memory, &layer);
	make_folders(text_join(upper, sizeof(upper), memory, "/upper"));
	make_folders(text_join(work, sizeof(work), memory, "/work"));
	text_join(options, sizeof(options), "lowerdir=", lower, ",upperdir=", upper,
		  ",workdir=", work);
	r = SYS5(mount, "armlet", path, "overlay", 0, options);
	/* The overlay keeps both; their places are for the next one. */
	SYS2(umount2, memory, MNT_DETACH);
	if (r == 0) {
		SYS2(umount2, lower, MNT_DETACH);
		return;
	}
	say(init, WIRE_NOTE,
	    "the kernel has no overlay (CONFIG_OVERLAY_FS): the root is read-only, but for /tmp, "
	    "/run and /dev/shm");
	r = SYS5(mount, lower, path, 0, MS_MOVE, 0);
	if (r < 0)
		give_up(init, text_join(text, sizeof(text), path, " cannot be mounted"), r);
}

static void mount_folder(struct init *init, const char *kind, const char *tag)
{
	long r;

	if (!init->job.writable) {
		mount_layered(init, BASE, kind, tag, NEW_ROOT);
		return;
	}
	r = mount_share(kind, tag, NEW_ROOT, true);
	if (r < 0)
		refuse_share(init, "the root", kind, r);
}

static void move_root(struct init *init)
{
	long r = SYS1(chdir, NEW_ROOT);

	if (r == 0)
		r = SYS5(mount, ".", "/", 0, MS_MOVE, 0);
	if (r == 0)
		r = SYS1(chroot, ".");
	if (r < 0)
		give_up(init, "the root cannot be moved to its place", r);
	SYS1(chdir, "/");
	mount_rows(basics, NUMBER_OF(basics), true);
}

/* TAG:KIND:ro|rw|over:PATH */
static void mount_volume(struct init *init, const char *row)
{
	char copy[1024], *part[4] = {copy};
	size_t count = 1;
	long r;

	text_join(copy, sizeof(copy), row);
	for (char *at = copy; *at && count < 4; at++) {
		if (*at == ':') {
			*at = '\0';
			part[count++] = at + 1;
		}
	}
	if (count < 4)
		give_up(init, "/" JOB_FILE " has a volume that is none", 0);
	make_folders(part[3]);
	if (text_equal(part[2], "over")) {
		mount_layered(init, LATE_BASE, part[1], part[0], part[3]);
		return;
	}
	r = mount_share(part[1], part[0], part[3], text_equal(part[2], "rw"));
	if (r < 0)
		refuse_share(init, part[3], part[1], r);
}

void make_root(struct init *init)
{
	const char *root = init->job.root, *source;

	SYS3(mkdirat, AT_FDCWD, NEW_ROOT, 0755);
	if (root && (source = text_behind(root, "disk:")))
		mount_disk(init, source, NEW_ROOT);
	else if (root && (source = text_behind(root, "9p:")))
		mount_folder(init, "9p", source);
	else if (root && (source = text_behind(root, "virtiofs:")))
		mount_folder(init, "virtiofs", source);
	else if (root && (source = text_behind(root, JOB_EITHER ":")))
		mount_folder(init, JOB_EITHER, source);
	else if (root)
		give_up(init, "/" JOB_FILE " has a root that is none", 0);
	if (root)
		move_root(init);
	mount_rows(rest, NUMBER_OF(rest), root != NULL);
	for (size_t i = 0; i < init->job.mount_count; i++)
		mount_volume(init, init->job.mounts[i]);
}

void leave_root(void)
{
	SYS0(sync);
	SYS5(mount, 0, "/", 0, MS_REMOUNT | MS_RDONLY, 0);
}
