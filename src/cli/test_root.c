/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command's root. A folder is shared with the guest, by virtiofs or 9p, and has a layer in
 * memory above it, so that nothing of it is changed; a disk is one that forgets; both but for
 * --rw. A folder that cannot be shared is copied (test_copy.c). Without --root it is the initramfs
 * if one was given, else the host's own root.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "device_options.h"
#include "test.h"
#include "trial/job.h"

#define ROOT_TAG    "armlet.root"
#define PRESENT_TAG "armlet.here"
#define NONE        "none"
#define WAY         ":fs=" /* as of --volume */
#define WAY_COPY    WAY "copy"

#define NO_WAY                                                                     \
	"the kernel has neither virtiofs (CONFIG_VIRTIO_FS) nor 9p (CONFIG_9P_FS " \
	"and CONFIG_NET_9P_VIRTIO)"
#define NO_PROGRAM "no program is installed that can share it (virtiofsd, diod)"

static bool is_initramfs(const struct test *test)
{
	const char *root = test->options.root;

	if (test->options.kunit)
		return true;
	return root ? !strcmp(root, NONE) : test->run.options.machine.initrd != NULL;
}

/* How the folder of a volume comes: the guest has to know before it is there. */
static int learn_kind(struct test *test, const char *text, struct share_options *options,
		      const char **ret, struct error *err)
{
	struct share *share = NULL;
	int r = share_parse(text, options, err);

	if (r == 0)
		r = share_open(options, &share, err);
	if (r < 0)
		return r;
	test->shares[share_kind(share)] = true;
	*ret = share_kind(share) == SHARE_VIRTIOFS ? "virtiofs" : "9p";
	share_close(share);
	return 0;
}

/*
 * Of a kernel of which nothing is known, what is shared by virtiofs is by 9p as well, if that can
 * be: its init takes what works. @volume is the first one.
 */
static void offer_both(struct test *test, const char *volume, const char *tag, const char **kind)
{
	struct machine_config *config = &test->run.options.machine;
	bool is_root = volume == test->root_volume;
	char *second = test->second_volumes[is_root];
	const char *colon = strchr(volume, ':'), *other;
	struct share_options options;
	struct error err = {0};

	kconfig_look_inside(test->run.options.machine.kernel, &test->kconfig);
	if (strcmp(*kind, "virtiofs") != 0 || test->root_way[0] || test->kconfig.text ||
	    config->volume_count == MACHINE_MAX_VOLUMES || test_has_module(test, "virtiofs"))
		return;
	snprintf(second, sizeof(test->second_volumes[0]), "%.*s:%s" JOB_SECOND "%s" WAY "9p",
		 (int)(colon - volume), volume, tag, test->options.writable ? "" : ":ro");
	if (learn_kind(test, second, &options, &other, &err) < 0)
		return;
	config->volumes[config->volume_count++] = second;
	*kind = JOB_EITHER;
}

/* A row of JOB_MOUNT: the share of @tag, by @kind, at @path as @how says. */
static int add_mount(struct test *test, const char *tag, const char *kind, const char *how,
		     const char *path)
{
	if (asprintf(&test->mounts[test->mount_count], "%s:%s:%s:%s", tag, kind, how, path) < 0)
		return -ENOMEM;
	test->mount_count++;
	return 0;
}

/* The last one is to be mounted first, as others may be in it. */
static void bring_forward(struct test *test)
{
	char *last = test->mounts[test->mount_count - 1];

	memmove(test->mounts + 1, test->mounts, (test->mount_count - 1) * sizeof(*test->mounts));
	test->mounts[0] = last;
}

/* Those of --volume; what is no path is a tag, and the command's own business. */
static int plan_volumes(struct test *test, struct error *err)
{
	const struct machine_config *config = &test->run.options.machine;
	struct share_options options;
	const char *kind;
	int r = 0;

	for (size_t i = 0; i < config->volume_count && r == 0; i++) {
		r = learn_kind(test, config->volumes[i], &options, &kind, err);
		if (r == 0 && options.tag[0] == '/' &&
		    add_mount(test, options.tag, kind, options.read_only ? "ro" : "rw",
			      options.tag) < 0)
			r = error_set_errno(err, ENOMEM, "--volume");
	}
	return r;
}

/* A way that was not asked for, to a root that is not written to. */
static bool may_copy(const struct test *test)
{
	return !test->options.writable && !test->run.options.machine.initrd &&
	       !(test->options.root && strstr(test->options.root, WAY));
}

static int plan_folder(struct test *test, struct error *err)
{
	struct machine_config *config = &test->run.options.machine;
	struct share_options options;
	const char *kind;
	int r;

	if (config->volume_count == MACHINE_MAX_VOLUMES)
		return error_set(err, E2BIG, "--volume: there may be %d beside the root",
				 MACHINE_MAX_VOLUMES - 1);
	if (strpbrk(test->root_path, ":,"))
		return error_set(err, EINVAL,
				 "--root %s: the folder's name may have no colon or comma",
				 test->root_path);
	snprintf(test->root_volume, sizeof(test->root_volume), "%s:" ROOT_TAG "%s%s",
		 test->root_path, test->options.writable ? "" : ":ro", test->root_way);
	r = learn_kind(test, test->root_volume, &options, &kind, err);
	if (r == -ENOENT && may_copy(test)) {
		test->root_volume[0] = '\0';
		test->copy_reason = NO_PROGRAM;
		test->copies = true;
		return 0;
	}
	if (r < 0)
		return error_prefix(err, "--root: ");
	config->volumes[config->volume_count++] = test->root_volume;
	offer_both(test, test->root_volume, ROOT_TAG, &kind);
	snprintf(test->root_row, sizeof(test->root_row), "%s:" ROOT_TAG, kind);
	return 0;
}

/* Whether the guest has a file system of its own at @path, in memory. */
static bool is_temporary(const char *path)
{
	return !strncmp(path, "/tmp/", strlen("/tmp/")) || !strncmp(path, "/run/", strlen("/run/"));
}

/* The top of the file system that @path is on. */
static void find_top(char path[static PATH_MAX], const struct stat *here)
{
	char up[PATH_MAX];
	struct stat above;

	for (;;) {
		snprintf(up, sizeof(up), "%s", path);
		*strrchr(up, '/') = '\0';
		if (!*up || stat(up, &above) < 0 || above.st_dev != here->st_dev)
			return;
		snprintf(path, PATH_MAX, "%s", up);
	}
}

/*
 * The folder that the command begins in may be on another file system than the root, of which
 * only one is shared: then the whole of that one, from its top, is laid over its place, and
 * treated alike. So is one in a folder that is the guest's own.
 */
static int plan_present(struct test *test, struct error *err)
{
	struct machine_config *config = &test->run.options.machine;
	const char *directory = test->options.directory ? test->options.directory : ".";
	struct share_options options;
	struct stat root, here;
	char top[PATH_MAX];
	const char *kind;
	int r;

	if (strcmp(test->root_path, "/") != 0 || !realpath(directory, top) ||
	    stat("/", &root) < 0 || stat(top, &here) < 0)
		return 0;
	if (here.st_dev == root.st_dev && !is_temporary(top))
		return 0;
	if (here.st_dev != root.st_dev && !is_temporary(top))
		find_top(top, &here);
	if (config->volume_count == MACHINE_MAX_VOLUMES || strpbrk(top, ":,"))
		return error_set(
			err, EINVAL,
			"'%s', where the present folder is, cannot be shared with the guest: "
			"its name has a colon or comma, or there are too many volumes",
			top);
	snprintf(test->present_volume, sizeof(test->present_volume), "%s:" PRESENT_TAG "%s%s", top,
		 test->options.writable ? "" : ":ro", test->root_way);
	r = learn_kind(test, test->present_volume, &options, &kind, err);
	if (r < 0)
		return error_prefix(err, "the present folder: ");
	config->volumes[config->volume_count++] = test->present_volume;
	offer_both(test, test->present_volume, PRESENT_TAG, &kind);
	r = add_mount(test, PRESENT_TAG, kind, test->options.writable ? "rw" : "over", top);
	if (r < 0)
		return error_set_errno(err, -r, "the present folder");
	bring_forward(test);
	return 0;
}

static int plan_disk(struct test *test, struct error *err)
{
	struct machine_config *config = &test->run.options.machine;
	struct disk_config *disk = &config->disks[config->disk_count];

	if (config->disk_count >= 26)
		return error_set(err, E2BIG, "--disk: there may be 25 beside the root");
	init_disk_config(disk);
	disk->file = test->root_path;
	disk->ephemeral = !test->options.writable;
	snprintf(test->root_row, sizeof(test->root_row), "disk:/dev/vd%c",
		 (char)('a' + config->disk_count++));
	return 0;
}

static bool lacks(struct test *test, const char *option)
{
	kconfig_look_inside(test->run.options.machine.kernel, &test->kconfig);
	return kconfig_get(&test->kconfig, option) == KCONFIG_NO;
}

/* A kernel that has only one of them, as its configuration says, gets that. */
static const char *choose_way(struct test *test)
{
	bool no_virtiofs = lacks(test, "VIRTIO_FS");
	bool no_9p = lacks(test, "9P_FS") || lacks(test, "NET_9P_VIRTIO");

	if (no_virtiofs && no_9p && may_copy(test)) {
		test->copy_reason = NO_WAY;
		return WAY_COPY;
	}
	return no_virtiofs == no_9p ? "" : no_9p ? WAY "virtiofs" : WAY "9p";
}

static void take_root(struct test *test)
{
	const char *root = test->options.root ? test->options.root : "/";
	const char *way = strstr(root, WAY);
	size_t length = way ? (size_t)(way - root) : strlen(root);

	snprintf(test->root_path, sizeof(test->root_path), "%.*s",
		 (int)min_u64(length, sizeof(test->root_path) - 1), root);
	test->root_way = way ? way : "";
}

/* The initramfs is made of it, and so is none that was given, nor is it written back. */
static int plan_copy(struct test *test, struct error *err)
{
	test->copies = true;
	if (test->options.writable)
		return error_set(err, EINVAL, "--rw: the root is a copy, of which nothing stays");
	if (test->run.options.machine.initrd)
		return error_set(err, EINVAL,
				 "--root %s" WAY_COPY " makes the initramfs; give none with -i",
				 test->root_path);
	return 0;
}

static int plan_folders(struct test *test, struct error *err)
{
	int r;

	if (!test->root_way[0])
		test->root_way = choose_way(test);
	if (!strcmp(test->root_way, WAY_COPY))
		return plan_copy(test, err);
	r = plan_folder(test, err);
	return r < 0 || test->copies ? r : plan_present(test, err);
}

int test_plan_root(struct test *test, struct error *err)
{
	struct stat st;
	int r = plan_volumes(test, err);

	if (r < 0)
		return r;
	take_root(test);
	if (is_initramfs(test)) {
		if (test->options.writable)
			return error_set(err, EINVAL,
					 "--rw: the root is in the guest's memory, where nothing "
					 "stays; give --root DIR");
		return 0;
	}
	if (stat(test->root_path, &st) < 0)
		return error_set_errno(err, errno, "--root %s", test->root_path);
	if (S_ISDIR(st.st_mode))
		return plan_folders(test, err);
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return plan_disk(test, err);
	return error_set(err, EINVAL, "--root %s: it is neither a folder nor a disk",
			 test->root_path);
}
