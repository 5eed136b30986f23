/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Changing a finished tree
 *
 * libfdt edits in place within a buffer, and an edit that fails may leave the
 * tree in ruins (libfdt.h, fdt_overlay_apply()). So each change here is made
 * on a copy in a larger buffer, checked, packed, and only then swapped in. The
 * files are the user's and may be broken in any way: fdt_check_full() is asked
 * before and after.
 */
#include "boot/dtb.h"

#include <fcntl.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/boot_file.h"
#include "dtb_overlay.h"

/* A tree in the making, the node that is changed, and libfdt's first error. */
struct dtb_edit {
	struct dtb dtb;
	int node;
	int error;
};

void dtb_finish(struct dtb *dtb)
{
	free(steal_ptr(&dtb->blob));
	dtb->size = 0;
}

/* Swap in @edited, packed, if it is a valid tree that a kernel takes; 0 or libfdt's error. */
static int commit(struct dtb *dtb, struct dtb *edited)
{
	int r = fdt_pack(edited->blob);

	if (r < 0)
		return r;
	edited->size = fdt_totalsize(edited->blob);
	if (edited->size > DTB_SIZE_MAX)
		return -FDT_ERR_NOSPACE;
	r = fdt_check_full(edited->blob, edited->size);
	if (r < 0)
		return r;
	dtb_finish(dtb);
	*dtb = *edited;
	*edited = (struct dtb)DTB_INIT;
	return 0;
}

/* A copy of @dtb with room to grow beyond what is allowed; 0 or libfdt's error. */
static int copy_with_room(const struct dtb *dtb, struct dtb *ret)
{
	size_t size = dtb->size + DTB_SIZE_MAX;
	void *blob = calloc(1, size);
	int r;

	if (!blob)
		return -FDT_ERR_NOSPACE;
	r = fdt_open_into(dtb->blob, blob, (int)size);
	if (r < 0) {
		free(blob);
		return r;
	}
	*ret = (struct dtb){.blob = blob, .size = size};
	return 0;
}

static int refuse_source(const struct boot_file *file, const struct dtb *dtb, struct error *err)
{
	static const char source[] = "/dts-v1/";

	if (dtb->size >= strlen(source) && memcmp(dtb->blob, source, strlen(source)) == 0)
		return error_set(err, EINVAL,
				 "%s '%s' is a source file; compile it with dtc -@ -O dtb",
				 file->what, file->path);
	return error_set(err, EINVAL, "%s '%s' is no device tree blob; make one with dtc -@ -O dtb",
			 file->what, file->path);
}

/* A deep tree would overrun the stack: libfdt's overlay code recurses. */
static bool is_too_deep(const void *blob)
{
	int depth = -1;
	int node = fdt_next_node(blob, -1, &depth);

	while (node >= 0 && depth >= 0 && depth <= DTB_DEPTH_MAX)
		node = fdt_next_node(blob, node, &depth);
	return depth > DTB_DEPTH_MAX;
}

/* Nodes have had their present names since version 16; some libfdts crash on older ones. */
static bool is_too_old(const struct dtb *dtb)
{
	return dtb->size >= sizeof(struct fdt_header) && fdt_magic(dtb->blob) == FDT_MAGIC &&
	       fdt_version(dtb->blob) < DTB_VERSION_MIN;
}

static int check(const struct boot_file *file, struct dtb *dtb, struct error *err)
{
	int r;

	if (is_too_old(dtb))
		return error_set(err, EINVAL,
				 "%s '%s' has the form of before version %d; convert it with "
				 "dtc -I dtb -O dtb",
				 file->what, file->path, DTB_VERSION_MIN);
	r = fdt_check_full(dtb->blob, dtb->size);
	if (r == -FDT_ERR_BADMAGIC || (r < 0 && dtb->size < sizeof(struct fdt_header)))
		return refuse_source(file, dtb, err);
	if (r < 0)
		return error_set(err, EINVAL,
				 "%s '%s' is damaged (%s); compile or download it again",
				 file->what, file->path, fdt_strerror(r));
	if (is_too_deep(dtb->blob))
		return error_set(err, EINVAL,
				 "%s '%s' has nodes within nodes more than %d deep, which no "
				 "kernel reads; make it flatter",
				 file->what, file->path, DTB_DEPTH_MAX);
	dtb->size = fdt_totalsize(dtb->blob);
	return 0;
}

static int read_tree(const char *what, const char *path, struct dtb *ret, struct error *err)
{
	_cleanup_(boot_file_close) struct boot_file file = BOOT_FILE_INIT;
	_cleanup_(dtb_finish) struct dtb dtb = DTB_INIT;
	int r;

	r = boot_file_open(what, path, &file, err);
	if (r < 0)
		return r;
	if (file.size > DTB_SIZE_MAX)
		return error_set(
			err, EFBIG,
			"%s '%s' is larger than 2 MiB, the most that a kernel takes; is it a "
			"device tree?",
			what, path);
	dtb.size = file.size;
	dtb.blob = malloc(dtb.size);
	if (!dtb.blob)
		return error_set_errno(err, ENOMEM, "%s '%s' cannot be read", what, path);
	r = boot_file_read(&file, 0, dtb.blob, dtb.size, err);
	if (r == 0)
		r = check(&file, &dtb, err);
	if (r < 0)
		return r;
	*ret = dtb;
	dtb = (struct dtb)DTB_INIT;
	return 0;
}

int dtb_read(const char *path, struct dtb *ret, struct error *err)
{
	return read_tree("device tree", path, ret, err);
}

/* What libfdt's reasons mean for overlays. */
static const char *overlay_advice(int error)
{
	switch (error) {
	case -FDT_ERR_NOTFOUND:
		return "it names a node or label that the tree has not; dump the tree with "
		       "--dump-dtb to see its labels";
	case -FDT_ERR_NOSPACE:
		return "the tree would become larger than 2 MiB";
	default:
		return "compile it again with dtc -@ from a source with /plugin/";
	}
}

/* Merge @overlay, which libfdt ruins, into a copy of @dtb; 0 or libfdt's error. */
static int merge(struct dtb *dtb, struct dtb *overlay)
{
	_cleanup_(dtb_finish) struct dtb edited = DTB_INIT;
	int r;

	r = copy_with_room(dtb, &edited);
	if (r == 0)
		r = fdt_overlay_apply(edited.blob, overlay->blob);
	return r < 0 ? r : commit(dtb, &edited);
}

int dtb_apply_overlay(struct dtb *dtb, const char *path, struct error *err)
{
	_cleanup_(dtb_finish) struct dtb overlay = DTB_INIT;
	int r;

	r = read_tree("device tree overlay", path, &overlay, err);
	if (r < 0)
		return r;
	if (!dtb_overlay_has_fragment(overlay.blob))
		return error_set(
			err, EINVAL,
			"device tree overlay '%s' holds no fragment to apply; compile it with "
			"dtc -@ from a source with /plugin/",
			path);
	r = dtb_overlay_check(overlay.blob);
	if (r == 0)
		r = merge(dtb, &overlay);
	if (r < 0)
		return error_set(err, EINVAL, "device tree overlay '%s' cannot be applied (%s): %s",
				 path, fdt_strerror(r), overlay_advice(r));
	return 0;
}

static void set_property(void *data, const char *name, const void *value, size_t size)
{
	struct dtb_edit *edit = data;

	if (!edit->error)
		edit->error = fdt_setprop(edit->dtb.blob, edit->node, name, value, (int)size);
}

static void delete_property(struct dtb_edit *edit, const char *name)
{
	int r;

	if (edit->error)
		return;
	r = fdt_delprop(edit->dtb.blob, edit->node, name);
	if (r != -FDT_ERR_NOTFOUND)
		edit->error = r;
}

static void edit_chosen(struct dtb_edit *edit, const struct boot_chosen *chosen)
{
	edit->node = fdt_path_offset(edit->dtb.blob, "/chosen");
	if (edit->node == -FDT_ERR_NOTFOUND)
		edit->node = fdt_add_subnode(edit->dtb.blob, 0, "chosen");
	if (edit->node < 0) {
		edit->error = edit->node;
		return;
	}
	delete_property(edit, "linux,initrd-start");
	delete_property(edit, "linux,initrd-end");
	boot_chosen_each(chosen, set_property, edit);
}

int dtb_set_chosen(struct dtb *dtb, const struct boot_chosen *chosen, struct error *err)
{
	struct dtb_edit edit = {0};

	edit.error = copy_with_room(dtb, &edit.dtb);
	if (!edit.error)
		edit_chosen(&edit, chosen);
	if (!edit.error)
		edit.error = commit(dtb, &edit.dtb);
	dtb_finish(&edit.dtb);
	if (edit.error)
		return error_set(err, EINVAL, "device tree takes no /chosen (%s)",
				 fdt_strerror(edit.error));
	return 0;
}

int dtb_move_initrd(struct dtb *dtb, const struct boot_chosen *chosen, struct error *err)
{
	int node = fdt_path_offset(dtb->blob, "/chosen");
	int r = node;

	if (node >= 0)
		r = fdt_setprop_inplace_u64(dtb->blob, node, "linux,initrd-start", chosen->initrd);
	if (r >= 0)
		r = fdt_setprop_inplace_u64(dtb->blob, node, "linux,initrd-end",
					    chosen->initrd + chosen->initrd_size);
	if (r < 0)
		return error_set(err, EINVAL, "device tree loses the initrd's address (%s)",
				 fdt_strerror(r));
	return 0;
}

static int write_failed(const char *path, struct error *err)
{
	return error_set_errno(err, errno, "device tree cannot be written to '%s'", path);
}

static int write_all(int fd, const struct dtb *dtb, const char *path, struct error *err)
{
	const uint8_t *from = dtb->blob;
	size_t left = dtb->size;

	while (left) {
		ssize_t done = write(fd, from, left);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return write_failed(path, err);
		from += done;
		left -= (size_t)done;
	}
	return 0;
}

/* Into a new file beside @path, which then takes its name. */
static int replace_file(const struct dtb *dtb, const char *path, struct error *err)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (asprintf(&temporary, "%s.%d.tmp", path, (int)getpid()) < 0) {
		temporary = NULL;
		return error_set_errno(err, ENOMEM, "device tree cannot be written to '%s'", path);
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return write_failed(path, err);
	r = write_all(fd, dtb, path, err);
	if (r == 0 && rename(temporary, path) < 0)
		r = write_failed(path, err);
	if (r < 0)
		unlink(temporary);
	return r;
}

int dtb_write(const struct dtb *dtb, const char *path, struct error *err)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return replace_file(dtb, path, err);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return write_failed(path, err);
	return write_all(fd, dtb, path, err);
}
