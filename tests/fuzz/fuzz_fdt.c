/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any file as device tree, any other as overlay: read, merge, tell it of the
 * boot. A tree that is accepted stays valid; one that a change was refused for
 * is what it was. The input is the tree's size in two bytes, the tree, and the
 * overlay.
 */
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "boot/dtb.h"
#include "fuzz.h"
#include "kernel_bytes.h"

#define PATH_SIZE 32

/* The same file each time: dtb_read() wants a path. */
struct input {
	int fd;
	char path[PATH_SIZE];
};

static struct input input_open(const uint8_t *data, size_t size)
{
	struct bytes bytes = {.data = (uint8_t *)data, .size = size};
	struct input input = {.fd = bytes_fd(&bytes, size)};

	snprintf(input.path, sizeof(input.path), "/proc/self/fd/%d", input.fd);
	return input;
}

static void input_close(struct input *input)
{
	close_fd(input->fd);
}

/* The outcome @r of a change that made @before into @after. */
static void check_change(int r, const struct error *err, const struct dtb *before,
			 const struct dtb *after)
{
	if (r < 0) {
		FUZZ_ASSERT(r == -err->code && err->text[0]);
		FUZZ_ASSERT(before->size == after->size);
		FUZZ_ASSERT(memcmp(before->blob, after->blob, after->size) == 0);
		return;
	}
	FUZZ_ASSERT(after->size <= DTB_SIZE_MAX);
	FUZZ_ASSERT(fdt_check_full(after->blob, after->size) == 0);
}

static struct dtb copy(const struct dtb *dtb)
{
	struct dtb twin = {.blob = malloc(dtb->size), .size = dtb->size};

	FUZZ_ASSERT(twin.blob);
	memcpy(twin.blob, dtb->blob, dtb->size);
	return twin;
}

static void try_overlay(struct dtb *dtb, const uint8_t *data, size_t size)
{
	_cleanup_(input_close) struct input overlay = input_open(data, size);
	_cleanup_(dtb_finish) struct dtb before = copy(dtb);
	struct error err = {0};
	int r = dtb_apply_overlay(dtb, overlay.path, &err);

	check_change(r, &err, &before, dtb);
}

static void try_chosen(struct dtb *dtb, uint64_t initrd_size)
{
	_cleanup_(dtb_finish) struct dtb before = copy(dtb);
	struct boot_chosen chosen = {
		.bootargs = "console=ttyAMA0 quiet",
		.initrd = 0x48000000,
		.initrd_size = initrd_size,
	};
	struct error err = {0};
	int r = dtb_set_chosen(dtb, &chosen, &err);

	check_change(r, &err, &before, dtb);
	if (r < 0 || !initrd_size)
		return;
	chosen.initrd += 0x10000;
	r = dtb_move_initrd(dtb, &chosen, &err);
	FUZZ_ASSERT(r == 0);
	FUZZ_ASSERT(fdt_check_full(dtb->blob, dtb->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(dtb_finish) struct dtb dtb = DTB_INIT;
	_cleanup_(input_close) struct input tree = {.fd = -EBADF};
	struct error err = {0};
	size_t tree_size;
	int r;

	if (size < 2)
		return 0;
	tree_size = min_u64(data[0] | (size_t)data[1] << 8, size - 2);
	tree = input_open(data + 2, tree_size);
	r = dtb_read(tree.path, &dtb, &err);
	FUZZ_ASSERT(r == 0 || (r == -err.code && strstr(err.text, tree.path)));
	if (r < 0)
		return 0;
	try_chosen(&dtb, 4096);
	try_overlay(&dtb, data + 2 + tree_size, size - 2 - tree_size);
	try_chosen(&dtb, 0);
	return 0;
}
