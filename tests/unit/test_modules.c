/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of modules, made as depmod(8) makes them and as it never would. */
#include "trial/modules.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "unit.h"

#define VERSION "0.0.1-armlet-unit" /* that the host's /lib/modules has not */

static char top[PATH_MAX];
static struct modules modules;
static struct error err;

static void make_top(void)
{
	char name[] = "/tmp/armlet-modules-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(name));
	ck_assert_ptr_nonnull(realpath(name, top));
	err = (struct error){0};
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

static void remove_top(void)
{
	modules_finish(&modules);
	nftw(top, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *at(const char *name)
{
	static char paths[4][PATH_MAX + 64];
	static unsigned turn;
	char *path = paths[turn++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

/* With the folders that it is in. */
static void make_file(const char *name, const char *bytes, size_t size)
{
	char path[PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof(path), "%s", at(name));
	for (char *slash = strchr(path + strlen(top) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), size);
	close(fd);
}

static void make_list(const char *text)
{
	make_top();
	make_file("modules.dep", text, strlen(text));
	ck_assert_int_eq(modules_find("no-kernel", top, &modules, &err), 0);
	ck_assert_str_eq(modules.folder, top);
}

/* The modules that are to be loaded, a space between. */
static const char *loaded(void)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0, used = 0; i < modules.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 modules.files[i]);
	return text;
}

/* Names with a space between; returns what the last one said. */
static int need(const char *names)
{
	char text[256];
	char *rest = text, *name;
	int r = 0;

	snprintf(text, sizeof(text), "%s", names);
	while (r == 0 && (name = strsep(&rest, " ")))
		r = modules_need(&modules, name, &err);
	return r;
}

/* ---- What they need --------------------------------------------------- */

/* As of a Debian kernel, shortened. */
static const char debian[] = "kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz "
			     "kernel/fs/netfs/netfs.ko.xz kernel/fs/fscache.ko.xz\n"
			     "kernel/net/9p/9pnet.ko.xz:\n"
			     "kernel/net/9p/9pnet_virtio.ko.xz: kernel/net/9p/9pnet.ko.xz\n"
			     "kernel/fs/netfs/netfs.ko.xz: kernel/fs/fscache.ko.xz\n"
			     "kernel/fs/fscache.ko.xz:\n"
			     "kernel/fs/fuse/virtiofs.ko.xz: kernel/fs/fuse/fuse.ko.xz\n"
			     "kernel/fs/fuse/fuse.ko.xz:\n";

static const struct {
	const char *text;
	const char *names;
	const char *loaded;
} rows[] = {
	{debian, "9pnet", "kernel/net/9p/9pnet.ko.xz"},
	{debian, "9pnet_virtio", "kernel/net/9p/9pnet.ko.xz kernel/net/9p/9pnet_virtio.ko.xz"},
	/* What is needed first comes first, none twice. */
	{debian, "9p",
	 "kernel/fs/fscache.ko.xz kernel/fs/netfs/netfs.ko.xz kernel/net/9p/9pnet.ko.xz "
	 "kernel/fs/9p/9p.ko.xz"},
	{debian, "9pnet_virtio 9p netfs 9p",
	 "kernel/net/9p/9pnet.ko.xz kernel/net/9p/9pnet_virtio.ko.xz kernel/fs/fscache.ko.xz "
	 "kernel/fs/netfs/netfs.ko.xz kernel/fs/9p/9p.ko.xz"},
	{debian, "virtiofs overlay fuse",
	 "kernel/fs/fuse/fuse.ko.xz kernel/fs/fuse/virtiofs.ko.xz"},
	/* No part of a name is one, nor is a folder. */
	{debian, "9pne", ""},
	{debian, "pnet", ""},
	{debian, "netfs.ko", ""},
	{debian, "kernel/fs/fscache", ""},
	{debian, "fs", ""},
	{debian, "net", ""},
	{debian, "", ""},
	{debian, "overlay ext4 virtio_mmio", ""},
	{"virtio_net.ko:\nvirtio.ko:\n", "virtio", "virtio.ko"},
	{"net9p.ko:\n9p.ko:\n", "9p", "9p.ko"},
	{"9p.o:\n9p:\n9p.k:\n9p.xz:\n9p.ko.zst:\n", "9p", "9p.ko.zst"},
	/* A dash is an underscore. */
	{"a/virtio-rng.ko: b/rng-core.ko\nb/rng-core.ko:\n", "virtio_rng",
	 "b/rng-core.ko a/virtio-rng.ko"},
	{"a/virtio-rng.ko:\n", "virtio-rng", "a/virtio-rng.ko"},
	{"a/nf_tables.ko.gz:\n", "nf-tables", "a/nf_tables.ko.gz"},
	{"a/x-y_z.ko:\n", "x_y-z", "a/x-y_z.ko"},
	{"a/x-y_z.ko:\n", "x_y.z xyz", ""},
	/* Of any packing, in any folder. */
	{"a.ko: extra/b.ko.gz updates/dkms/c.ko.zst\n", "a",
	 "updates/dkms/c.ko.zst extra/b.ko.gz a.ko"},
	{"/lib/modules/1/a.ko: /lib/modules/1/b.ko\n", "a",
	 "/lib/modules/1/b.ko /lib/modules/1/a.ko"},
	/* The first of two counts, as for modprobe. */
	{"updates/a.ko:\nkernel/a.ko: kernel/b.ko\n", "a", "updates/a.ko"},
	/* What is no line of it is none. */
	{"a.ko\nb.ko: c.ko\na.ko: d.ko\n", "a", "d.ko a.ko"},
	{"# a.ko\n\n\n:\n: a.ko\nb.ko: c.ko\n", "a b", "c.ko b.ko"},
	{"b.ko: a.ko:\n", "a", ""},
	{"a.ko: b.ko", "a", "b.ko a.ko"},
	{"a.ko:", "a", "a.ko"},
	{"a.ko", "a", ""},
	{"a.ko:  b.ko   c.ko \n", "a", "c.ko b.ko a.ko"},
	{"a.ko:b.ko\n", "a", "b.ko a.ko"},
	{"a.ko: a.ko b.ko b.ko\n", "a", "b.ko a.ko"},
	{"\n", "a", ""},
	{":", "a", ""},
	{"", "a", ""},
};

START_TEST(test_needed)
{
	make_list(rows[_i].text);
	ck_assert_int_eq(need(rows[_i].names), 0);
	ck_assert_str_eq(loaded(), rows[_i].loaded);
	remove_top();
}
END_TEST

/* Lines of a megabyte: one that is passed over, and one with a name as long as that. */
START_TEST(test_long_lines)
{
	char *text = malloc(3 * MIB), *p = text;

	p = stpcpy(p, "long.ko:");
	for (unsigned i = 0; i < MIB / 8; i++)
		p = stpcpy(p, " same.ko");
	p = stpcpy(p, "\nno-colon");
	memset(p, 'x', MIB);
	p = stpcpy(p + MIB, "\na.ko: ");
	memset(p, 'y', MIB / 2);
	stpcpy(p + MIB / 2, ".ko b.ko\n");
	make_list(text);
	free(text);
	ck_assert_int_eq(need("long"), 0);
	ck_assert_str_eq(loaded(), "same.ko long.ko");
	ck_assert_int_eq(need("a"), 0);
	ck_assert_uint_eq(modules.count, 5);
	ck_assert_str_eq(modules.files[2], "b.ko");
	ck_assert_uint_eq(strlen(modules.files[3]), MIB / 2 + 3);
	ck_assert_str_eq(modules.files[4], "a.ko");
	remove_top();
}
END_TEST

/* "all.ko" needs @count others. */
static void make_many(size_t count)
{
	char text[8192] = "z.ko:\nall.ko:";
	size_t used = strlen(text);

	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " m%zu.ko", i);
	make_list(text);
}

START_TEST(test_many)
{
	char says[PATH_MAX + 128];

	make_many(MODULES_LOADED_MAX - 1);
	ck_assert_int_eq(need("all"), 0);
	ck_assert_uint_eq(modules.count, MODULES_LOADED_MAX);
	ck_assert_str_eq(modules.files[MODULES_LOADED_MAX - 1], "all.ko");
	/* Those that are there cost nothing. */
	ck_assert_int_eq(need("all all"), 0);
	ck_assert_int_eq(need("z"), -E2BIG);
	snprintf(says, sizeof(says), "'%s/modules.dep' asks for more than 64 modules", top);
	ck_assert_str_eq(err.text, says);
	ck_assert_int_eq(err.code, E2BIG);
	remove_top();

	make_many(MODULES_LOADED_MAX);
	ck_assert_int_eq(need("all"), -E2BIG);
	ck_assert_uint_eq(modules.count, MODULES_LOADED_MAX);
	remove_top();
	make_many(1000);
	ck_assert_int_eq(need("all"), -E2BIG);
	remove_top();
}
END_TEST

/* ---- Lists that are refused ------------------------------------------- */

/* By "'TOP" and what is @behind. */
static void check_refused(int code, const char *behind)
{
	char says[2 * PATH_MAX];

	snprintf(says, sizeof(says), "'%s%s", top, behind);
	ck_assert_int_eq(modules_find("no-kernel", top, &modules, &err), -code);
	ck_assert_int_eq(err.code, code);
	ck_assert_str_eq(err.text, says);
	/* And there is nothing in it then. */
	ck_assert_uint_eq(modules.count, 0);
	remove_top();
}

static const char no_list[] = "' has no modules.dep; give the folder that depmod writes it to, as "
			      "DIR/lib/modules/VERSION";

START_TEST(test_no_list)
{
	make_top();
	check_refused(ENOENT, no_list);
	make_top();
	ck_assert_int_eq(symlink("nowhere", at("modules.dep")), 0);
	check_refused(ENOENT, no_list);
	/* Everything is readable for root. */
	if (geteuid()) {
		make_top();
		make_file("modules.dep", "a.ko:\n", 6);
		ck_assert_int_eq(chmod(at("modules.dep"), 0), 0);
		check_refused(ENOENT, no_list);
	}
	make_top();
	make_file("modules.dep/file", "", 0);
	check_refused(EISDIR, "/modules.dep': Is a directory");
	ck_assert_int_eq(modules_find("no-kernel", "/dev/null", &modules, &err), -ENOENT);
	ck_assert_int_eq(modules_find("no-kernel", "", &modules, &err), -ENOENT);
}
END_TEST

START_TEST(test_long_path)
{
	static char path[2 * PATH_MAX];

	memset(path, '/', sizeof(path) - 1);
	ck_assert_int_eq(modules_find("no-kernel", path, &modules, &err), -ENOENT);
	ck_assert_int_eq(modules_find(path, NULL, &modules, &err), 0);
	ck_assert_ptr_null(modules.folder);
}
END_TEST

START_TEST(test_huge_list)
{
	make_top();
	make_file("modules.dep", "a.ko:\n", 6);
	ck_assert_int_eq(truncate(at("modules.dep"), 64 * MIB + 1), 0);
	check_refused(EFBIG, "/modules.dep' is too large for a list of modules");
}
END_TEST

START_TEST(test_nul)
{
	static const struct {
		const char *bytes;
		size_t size;
	} nuls[] = {{"\0", 1}, {"a.ko: b\0.ko\n", 12}, {"a.ko:\n\0\0\0", 9}, {"a.ko:\0", 6}};

	for (size_t i = 0; i < ARRAY_SIZE(nuls); i++) {
		make_top();
		make_file("modules.dep", nuls[i].bytes, nuls[i].size);
		check_refused(EINVAL, "/modules.dep' is damaged, it has NUL bytes; let depmod "
				      "write it anew");
	}
}
END_TEST

/* ---- Where they are --------------------------------------------------- */

static const struct {
	const char *kernel;
	const char *files[4];
	const char *folder; /* NULL: none is found */
} places[] = {
	/* As it is in / and in DIR, by the version. */
	{"boot/vmlinuz-" VERSION, {"lib/modules/" VERSION}, "boot/../lib/modules/" VERSION},
	{"boot/vmlinuz-" VERSION, {"boot/lib/modules/" VERSION}, "boot/lib/modules/" VERSION},
	{"boot/vmlinuz-" VERSION,
	 {"lib/modules/" VERSION, "boot/lib/modules/" VERSION},
	 "boot/lib/modules/" VERSION},
	{"boot/vmlinuz-" VERSION,
	 {"boot/lib/modules/1", "boot/lib/modules/" VERSION, "boot/lib/modules/2"},
	 "boot/lib/modules/" VERSION},
	/* Those of another are none. */
	{"boot/vmlinuz-" VERSION, {"lib/modules/" VERSION "-2", "boot/lib/modules/1"}, NULL},
	{"boot/vmlinuz-", {"lib/modules/1"}, NULL},
	{"boot/vmlinuz-" VERSION, {NULL}, NULL},
	/* The only folder beside a kernel without a version. */
	{"boot/Image", {"boot/lib/modules/1"}, "boot/lib/modules/1"},
	{"boot/vmlinuz", {"boot/lib/modules/" VERSION}, "boot/lib/modules/" VERSION},
	{"boot/Image", {"boot/lib/modules/1", "boot/lib/modules/2"}, NULL},
	{"boot/Image", {"boot/lib/modules/1", "boot/lib/modules/2", "boot/lib/modules/3"}, NULL},
	{"boot/Image", {"boot/lib/modules/1", "boot/lib/modules/.2"}, "boot/lib/modules/1"},
	{"boot/Image", {"lib/modules/1"}, NULL},
	{"boot/Image", {"boot/lib/modules"}, NULL},
	{"boot/Image", {NULL}, NULL},
};

static void check_place(const char *kernel, const char *folder)
{
	ck_assert_int_eq(modules_find(kernel, NULL, &modules, &err), 0);
	if (folder) {
		ck_assert_str_eq(modules.folder, folder);
		ck_assert_int_eq(need("a"), 0);
		ck_assert_str_eq(loaded(), "a.ko");
	} else {
		ck_assert_ptr_null(modules.folder);
		ck_assert_int_eq(need("a"), 0);
		ck_assert_uint_eq(modules.count, 0);
	}
	modules_finish(&modules);
}

START_TEST(test_places)
{
	const char *folder;

	make_top();
	make_file(places[_i].kernel, "", 0);
	/* One without a list does not count. */
	make_file("boot/lib/modules/empty/modules.alias", "", 0);
	make_file("boot/lib/modules/file", "", 0);
	for (size_t i = 0; i < ARRAY_SIZE(places[_i].files) && places[_i].files[i]; i++) {
		char name[256];

		snprintf(name, sizeof(name), "%s/modules.dep", places[_i].files[i]);
		make_file(name, "a.ko:\n", 6);
	}
	folder = places[_i].folder ? at(places[_i].folder) : NULL;
	check_place(at(places[_i].kernel), folder);
	/* A link is the file that it leads to; so /vmlinuz is. */
	ck_assert_int_eq(symlink(places[_i].kernel, at("link")), 0);
	check_place(at("link"), folder);
	ck_assert_int_eq(chdir(top), 0);
	check_place(places[_i].kernel, folder);
	ck_assert_int_eq(chdir("/"), 0);
	remove_top();
}
END_TEST

START_TEST(test_given)
{
	make_top();
	make_file("boot/vmlinuz-" VERSION, "", 0);
	make_file("lib/modules/" VERSION "/modules.dep", "a.ko: b.ko\n", 11);
	make_file("mine/modules.dep", "a.ko: c.ko\n", 11);
	ck_assert_int_eq(modules_find(at("boot/vmlinuz-" VERSION), at("mine"), &modules, &err), 0);
	ck_assert_str_eq(modules.folder, at("mine"));
	ck_assert_int_eq(need("a"), 0);
	ck_assert_str_eq(loaded(), "c.ko a.ko");
	remove_top();
	/* Of nothing there are none. */
	check_place("/nowhere/vmlinuz-" VERSION, NULL);
	check_place("", NULL);
	modules_finish(&modules);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_needed, ARRAY_SIZE(rows)),
	UNIT_CASE(test_long_lines),
	UNIT_CASE(test_many),
	UNIT_CASE(test_no_list),
	UNIT_CASE(test_long_path),
	UNIT_CASE(test_huge_list),
	UNIT_CASE(test_nul),
	UNIT_LOOP(test_places, ARRAY_SIZE(places)),
	UNIT_CASE(test_given),
	{0},
};
const char unit_name[] = "modules";
