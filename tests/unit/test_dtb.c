/* SPDX-License-Identifier: Apache-2.0 */
/* Device trees of the user: read, overlaid, told of this boot, written. */
#include <fcntl.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/dtb.h"
#include "core/fdt_builder.h"
#include "unit.h"

/* A file in a folder of its own that goes with it. */
struct place {
	char folder[32];
	char file[48];
};

static struct place place_create(void)
{
	struct place place = {.folder = "/tmp/armlet-dtb-XXXXXX"};

	ck_assert_ptr_nonnull(mkdtemp(place.folder));
	snprintf(place.file, sizeof(place.file), "%s/tree", place.folder);
	return place;
}

static void place_remove(struct place *place)
{
	unlink(place->file);
	ck_assert_msg(rmdir(place->folder) == 0, "%s is not empty", place->folder);
}

static void place_fill(const struct place *place, const void *data, size_t size)
{
	_cleanup_close_ int fd = open(place->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
}

/* A board with a labelled device, and what a boot before this one left in /chosen. */
static struct dtb make_board(void)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = NULL;
	struct dtb dtb = DTB_INIT;

	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	fdt_builder_want_symbols(fdt);
	fdt_begin(fdt, "%s", "");
	fdt_u32(fdt, "#address-cells", 2);
	fdt_u32(fdt, "#size-cells", 2);
	fdt_begin(fdt, "chosen");
	fdt_str(fdt, "bootargs", "console=ttyAMA0");
	fdt_str(fdt, "stdout-path", "/uart");
	fdt_u64(fdt, "linux,initrd-start", 0x1234);
	fdt_u64(fdt, "linux,initrd-end", 0x5678);
	fdt_end(fdt);
	fdt_begin(fdt, "uart");
	fdt_label(fdt, "uart0", 0);
	fdt_str(fdt, "status", "okay");
	fdt_end(fdt);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &dtb.blob, &dtb.size, NULL), 0);
	return dtb;
}

/* Node /fragment@0 { TARGET; __overlay__ { status = "disabled"; added {}; }; }; */
static void write_fragment(struct fdt_builder *fdt, const char *target)
{
	fdt_begin(fdt, "fragment@0");
	if (target[0] == '/')
		fdt_str(fdt, "target-path", target);
	else
		fdt_u32(fdt, "target", 0xffffffff);
	fdt_begin(fdt, "__overlay__");
	fdt_str(fdt, "status", "disabled");
	fdt_begin(fdt, "added");
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_end(fdt);
	if (target[0] == '/')
		return;
	fdt_begin(fdt, "__fixups__");
	fdt_str(fdt, target, "/fragment@0:target:0");
	fdt_end(fdt);
}

/* An overlay for the path or label @target; NULL: a tree without fragments. */
static struct dtb make_overlay(const char *target)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = NULL;
	struct dtb dtb = DTB_INIT;

	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	fdt_begin(fdt, "%s", "");
	if (target)
		write_fragment(fdt, target);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &dtb.blob, &dtb.size, NULL), 0);
	return dtb;
}

static int node_of(const struct dtb *dtb, const char *path)
{
	return fdt_path_offset(dtb->blob, path);
}

static const char *text_of(const struct dtb *dtb, const char *path, const char *name)
{
	return fdt_getprop(dtb->blob, node_of(dtb, path), name, NULL);
}

static uint64_t u64_of(const struct dtb *dtb, const char *path, const char *name)
{
	int size = 0;
	const fdt64_t *value = fdt_getprop(dtb->blob, node_of(dtb, path), name, &size);

	ck_assert_int_eq(size, sizeof(*value));
	return fdt64_ld(value);
}

static void check_error(const struct error *err, const struct place *place, const char *word)
{
	ck_assert_msg(strstr(err->text, place->file), "%s", err->text);
	ck_assert_msg(strstr(err->text, word), "'%s' is not in: %s", word, err->text);
}

START_TEST(test_read)
{
	_cleanup_(place_remove) struct place place = place_create();
	_cleanup_(dtb_finish) struct dtb board = make_board();
	_cleanup_(dtb_finish) struct dtb dtb = DTB_INIT;
	struct error err = {0};

	place_fill(&place, board.blob, board.size);
	ck_assert_msg(dtb_read(place.file, &dtb, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(dtb.size, board.size);
	ck_assert_mem_eq(dtb.blob, board.blob, board.size);
}
END_TEST

START_TEST(test_read_truncated)
{
	_cleanup_(place_remove) struct place place = place_create();
	_cleanup_(dtb_finish) struct dtb board = make_board();

	for (size_t size = 0; size < board.size; size++) {
		struct dtb dtb = DTB_INIT;
		struct error err = {0};

		place_fill(&place, board.blob, size);
		ck_assert_int_lt(dtb_read(place.file, &dtb, &err), 0);
		ck_assert_ptr_null(dtb.blob);
		check_error(&err, &place, "device tree ");
	}
}
END_TEST

START_TEST(test_read_wrong)
{
	_cleanup_(place_remove) struct place place = place_create();
	static uint8_t large[2 * MIB + 1];
	struct dtb dtb = DTB_INIT;
	struct error err = {0};

	place_fill(&place, "/dts-v1/;\n/ { chosen { }; };\n", 29);
	ck_assert_int_eq(dtb_read(place.file, &dtb, &err), -EINVAL);
	check_error(&err, &place, "is a source file; compile it with dtc");
	place_fill(&place, "something that is longer than the header of a device tree", 57);
	ck_assert_int_eq(dtb_read(place.file, &dtb, &err), -EINVAL);
	check_error(&err, &place, "is no device tree blob");
	place_fill(&place, large, sizeof(large));
	ck_assert_int_eq(dtb_read(place.file, &dtb, &err), -EFBIG);
	check_error(&err, &place, "larger than 2 MiB");
	place_fill(&place, "", 0);
	ck_assert_int_eq(dtb_read(place.file, &dtb, &err), -ENODATA);
	check_error(&err, &place, "is empty");
	ck_assert_int_eq(dtb_read(place.folder, &dtb, &err), -EISDIR);
}
END_TEST

/* Trees of every version: libfdt must not see those that it stumbles over. */
START_TEST(test_read_versions)
{
	_cleanup_(place_remove) struct place place = place_create();
	_cleanup_(dtb_finish) struct dtb board = make_board();

	for (uint32_t version = 0; version < 20; version++) {
		_cleanup_(dtb_finish) struct dtb dtb = DTB_INIT;
		struct error err = {0};

		fdt_set_version(board.blob, version);
		fdt_set_last_comp_version(board.blob, version);
		place_fill(&place, board.blob, board.size);
		if (dtb_read(place.file, &dtb, &err) == 0)
			ck_assert_uint_ge(version, DTB_VERSION_MIN);
		else if (version < DTB_VERSION_MIN)
			check_error(&err, &place, "of before version 16; convert it with dtc");
	}
}
END_TEST

static const char *const targets[] = {"/uart", "uart0"};

START_TEST(test_overlay)
{
	_cleanup_(place_remove) struct place place = place_create();
	_cleanup_(dtb_finish) struct dtb board = make_board();
	_cleanup_(dtb_finish) struct dtb overlay = make_overlay(targets[_i]);
	struct error err = {0};

	place_fill(&place, overlay.blob, overlay.size);
	ck_assert_msg(dtb_apply_overlay(&board, place.file, &err) == 0, "%s", err.text);
	ck_assert_str_eq(text_of(&board, "/uart", "status"), "disabled");
	ck_assert_int_ge(node_of(&board, "/uart/added"), 0);
	ck_assert_int_eq(fdt_check_full(board.blob, board.size), 0);
}
END_TEST

static const struct {
	const char *target;
	const char *word;
} wrong_overlays[] = {
	{NULL, "no fragment"},
	{"/nowhere", "names a node or label"},
	{"nobody", "names a node or label"},
};

START_TEST(test_overlay_wrong)
{
	_cleanup_(place_remove) struct place place = place_create();
	_cleanup_(dtb_finish) struct dtb board = make_board();
	_cleanup_(dtb_finish) struct dtb before = make_board();
	_cleanup_(dtb_finish) struct dtb overlay = make_overlay(wrong_overlays[_i].target);
	struct error err = {0};

	place_fill(&place, overlay.blob, overlay.size);
	ck_assert_int_eq(dtb_apply_overlay(&board, place.file, &err), -EINVAL);
	check_error(&err, &place, wrong_overlays[_i].word);
	ck_assert_uint_eq(board.size, before.size);
	ck_assert_mem_eq(board.blob, before.blob, before.size);
}
END_TEST

/* An overlay whose property of eight bytes has a phandle at @offset. */
static struct dtb make_local_fixup(uint32_t offset)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = NULL;
	struct dtb dtb = DTB_INIT;

	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	fdt_begin(fdt, "%s", "");
	fdt_begin(fdt, "fragment@0");
	fdt_str(fdt, "target-path", "/uart");
	fdt_begin(fdt, "__overlay__");
	fdt_u64(fdt, "link", 1);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_begin(fdt, "__local_fixups__");
	fdt_begin(fdt, "fragment@0");
	fdt_begin(fdt, "__overlay__");
	fdt_u32(fdt, "link", offset);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &dtb.blob, &dtb.size, NULL), 0);
	return dtb;
}

/* libfdt 1.6 reads wherever the offset says. */
START_TEST(test_local_fixup)
{
	static const uint32_t wrong[] = {5, 8, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
	_cleanup_(place_remove) struct place place = place_create();
	_cleanup_(dtb_finish) struct dtb board = make_board();
	_cleanup_(dtb_finish) struct dtb right = make_local_fixup(4);
	struct error err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_(dtb_finish) struct dtb overlay = make_local_fixup(wrong[i]);

		place_fill(&place, overlay.blob, overlay.size);
		ck_assert_int_eq(dtb_apply_overlay(&board, place.file, &err), -EINVAL);
		check_error(&err, &place, "FDT_ERR_BADOVERLAY");
	}
	place_fill(&place, right.blob, right.size);
	ck_assert_int_eq(dtb_apply_overlay(&board, place.file, NULL), 0);
	/* the board's own phandles reach to 0x8000 */
	ck_assert_uint_eq(u64_of(&board, "/uart", "link"), 0x8001);
}
END_TEST

/* libfdt recurses: a tree of many levels would overrun the stack. */
START_TEST(test_deep)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = NULL;
	_cleanup_(place_remove) struct place place = place_create();
	_cleanup_(dtb_finish) struct dtb deep = DTB_INIT;
	struct dtb dtb = DTB_INIT;
	struct error err = {0};

	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	for (int i = 0; i <= _i; i++)
		fdt_begin(fdt, "%s", i ? "a" : "");
	for (int i = 0; i <= _i; i++)
		fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &deep.blob, &deep.size, NULL), 0);
	place_fill(&place, deep.blob, deep.size);
	ck_assert_int_eq(dtb_read(place.file, &dtb, &err), _i > DTB_DEPTH_MAX ? -EINVAL : 0);
	if (_i > DTB_DEPTH_MAX)
		check_error(&err, &place, "more than 64 deep");
	dtb_finish(&dtb);
}
END_TEST

START_TEST(test_chosen)
{
	_cleanup_(dtb_finish) struct dtb board = make_board();
	struct boot_chosen chosen = {
		.bootargs = "quiet",
		.initrd = UINT64_C(0x4fff0000),
		.initrd_size = 0x1001,
		.seeds.kaslr = UINT64_C(0x1122334455667788),
	};
	struct error err = {0};

	memset(chosen.seeds.rng, 0x5a, sizeof(chosen.seeds.rng));
	ck_assert_msg(dtb_set_chosen(&board, &chosen, &err) == 0, "%s", err.text);
	ck_assert_str_eq(text_of(&board, "/chosen", "bootargs"), "quiet");
	ck_assert_str_eq(text_of(&board, "/chosen", "stdout-path"), "/uart");
	ck_assert_uint_eq(u64_of(&board, "/chosen", "linux,initrd-start"), 0x4fff0000);
	ck_assert_uint_eq(u64_of(&board, "/chosen", "linux,initrd-end"), 0x4fff1001);
	ck_assert_uint_eq(u64_of(&board, "/chosen", "kaslr-seed"), chosen.seeds.kaslr);
	ck_assert_mem_eq(text_of(&board, "/chosen", "rng-seed"), chosen.seeds.rng, 64);
}
END_TEST

START_TEST(test_move_initrd)
{
	_cleanup_(dtb_finish) struct dtb board = make_board();
	_cleanup_(dtb_finish) struct dtb bare = make_overlay(NULL);
	struct boot_chosen chosen = {.initrd = 0x40000000, .initrd_size = 0x1001};
	struct error err = {0};
	size_t size;

	ck_assert_int_eq(dtb_set_chosen(&board, &chosen, NULL), 0);
	size = board.size;
	chosen.initrd = UINT64_C(0x1234567890);
	ck_assert_int_eq(dtb_move_initrd(&board, &chosen, NULL), 0);
	ck_assert_uint_eq(u64_of(&board, "/chosen", "linux,initrd-start"), 0x1234567890);
	ck_assert_uint_eq(u64_of(&board, "/chosen", "linux,initrd-end"), 0x1234568891);
	ck_assert_uint_eq(board.size, size);
	ck_assert_int_eq(dtb_move_initrd(&bare, &chosen, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "FDT_ERR_NOTFOUND"));
}
END_TEST

/* No initrd this time, nothing said of the rest. */
START_TEST(test_chosen_kept)
{
	_cleanup_(dtb_finish) struct dtb board = make_board();
	const struct boot_chosen chosen = {0};

	ck_assert_int_eq(dtb_set_chosen(&board, &chosen, NULL), 0);
	ck_assert_str_eq(text_of(&board, "/chosen", "bootargs"), "console=ttyAMA0");
	ck_assert_ptr_null(text_of(&board, "/chosen", "linux,initrd-start"));
	ck_assert_ptr_null(text_of(&board, "/chosen", "linux,initrd-end"));
}
END_TEST

START_TEST(test_chosen_made)
{
	_cleanup_(dtb_finish) struct dtb tree = make_overlay(NULL);
	const struct boot_chosen chosen = {.bootargs = "quiet"};

	ck_assert_int_eq(dtb_set_chosen(&tree, &chosen, NULL), 0);
	ck_assert_str_eq(text_of(&tree, "/chosen", "bootargs"), "quiet");
}
END_TEST

/* The builder and the editor write the same node. */
START_TEST(test_describe_chosen)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = NULL;
	_cleanup_(dtb_finish) struct dtb built = DTB_INIT;
	struct boot_chosen chosen = {
		.bootargs = "quiet",
		.stdout_path = "/pl011@9000000",
		.initrd = 0x50000000,
		.initrd_size = 5,
	};

	ck_assert_int_eq(boot_seeds_generate(&chosen.seeds, NULL), 0);
	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	fdt_begin(fdt, "%s", "");
	boot_describe_chosen(fdt, &chosen);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &built.blob, &built.size, NULL), 0);
	ck_assert_str_eq(text_of(&built, "/chosen", "bootargs"), "quiet");
	ck_assert_str_eq(text_of(&built, "/chosen", "stdout-path"), "/pl011@9000000");
	ck_assert_uint_eq(u64_of(&built, "/chosen", "linux,initrd-start"), 0x50000000);
	ck_assert_uint_eq(u64_of(&built, "/chosen", "linux,initrd-end"), 0x50000005);
	ck_assert_uint_eq(u64_of(&built, "/chosen", "kaslr-seed"), chosen.seeds.kaslr);
	ck_assert_mem_eq(text_of(&built, "/chosen", "rng-seed"), chosen.seeds.rng, 64);
}
END_TEST

START_TEST(test_seeds)
{
	struct boot_seeds a = {0}, b = {0};

	ck_assert_int_eq(boot_seeds_generate(&a, NULL), 0);
	ck_assert_int_eq(boot_seeds_generate(&b, NULL), 0);
	ck_assert_mem_ne(&a, &b, sizeof(a));
}
END_TEST

START_TEST(test_bootargs)
{
	char text[BOOT_ARGS_MAX + 2] = {0};
	struct error err = {0};

	memset(text, 'a', BOOT_ARGS_MAX);
	ck_assert_int_eq(boot_check_bootargs("", &err), 0);
	ck_assert_int_eq(boot_check_bootargs(text, &err), 0);
	text[BOOT_ARGS_MAX] = 'a';
	ck_assert_int_eq(boot_check_bootargs(text, &err), -E2BIG);
	ck_assert_ptr_nonnull(strstr(err.text, "2048 bytes"));
}
END_TEST

START_TEST(test_write)
{
	_cleanup_(place_remove) struct place place = place_create();
	_cleanup_(dtb_finish) struct dtb board = make_board();
	_cleanup_(dtb_finish) struct dtb back = DTB_INIT;
	struct error err = {0};

	place_fill(&place, "what was there before", 21);
	ck_assert_msg(dtb_write(&board, place.file, &err) == 0, "%s", err.text);
	ck_assert_int_eq(dtb_read(place.file, &back, NULL), 0);
	ck_assert_mem_eq(back.blob, board.blob, board.size);
	ck_assert_int_eq(dtb_write(&board, "/dev/null", NULL), 0);
	ck_assert_int_eq(dtb_write(&board, "/nonexistent/tree", &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "'/nonexistent/tree': No such file"));
	ck_assert_int_eq(dtb_write(&board, "/dev/full", &err), -ENOSPC);
}
END_TEST

const char unit_name[] = "dtb";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_read),
	UNIT_CASE(test_read_truncated),
	UNIT_CASE(test_read_wrong),
	UNIT_CASE(test_read_versions),
	UNIT_LOOP(test_overlay, ARRAY_SIZE(targets)),
	UNIT_LOOP(test_overlay_wrong, ARRAY_SIZE(wrong_overlays)),
	UNIT_CASE(test_local_fixup),
	UNIT_LOOP(test_deep, DTB_DEPTH_MAX + 3),
	UNIT_CASE(test_chosen),
	UNIT_CASE(test_move_initrd),
	UNIT_CASE(test_chosen_kept),
	UNIT_CASE(test_chosen_made),
	UNIT_CASE(test_describe_chosen),
	UNIT_CASE(test_seeds),
	UNIT_CASE(test_bootargs),
	UNIT_CASE(test_write),
	{0},
};
