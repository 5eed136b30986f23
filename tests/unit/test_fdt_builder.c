/* SPDX-License-Identifier: Apache-2.0 */
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "core/fdt_builder.h"
#include "unit.h"

struct tree {
	void *blob;
	size_t size;
};

static void tree_free(struct tree *tree)
{
	free(tree->blob);
}

static struct fdt_builder *new_builder(void)
{
	struct fdt_builder *fdt = NULL;

	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	return fdt;
}

static struct tree finish(struct fdt_builder *fdt)
{
	struct tree tree = {0};
	struct error err = {0};
	int r = fdt_builder_finish(fdt, &tree.blob, &tree.size, &err);

	ck_assert_msg(r == 0, "%d: %s", r, err.text);
	ck_assert_int_eq(fdt_check_full(tree.blob, tree.size), 0);
	ck_assert_uint_eq(fdt_totalsize(tree.blob), tree.size);
	return tree;
}

static void begin_root(struct fdt_builder *fdt)
{
	fdt_begin(fdt, "%s", "");
	fdt_str(fdt, "compatible", "linux,dummy-virt");
	fdt_u32(fdt, "#address-cells", 2);
	fdt_u32(fdt, "#size-cells", 2);
}

static void check_property(const void *blob, const char *path, const char *name, const void *want,
			   size_t size)
{
	int node = fdt_path_offset(blob, path);
	int got = 0;
	const void *value = fdt_getprop(blob, node, name, &got);

	ck_assert_msg(node >= 0, "no node %s", path);
	ck_assert_msg(value, "no %s in %s", name, path);
	ck_assert_int_eq(got, (int)size);
	ck_assert_mem_eq(value, want, size);
}

START_TEST(test_properties)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = new_builder();
	_cleanup_(tree_free) struct tree tree = {0};
	static const char path[] = "/device@90a0000";

	begin_root(fdt);
	fdt_begin(fdt, "device@%x", 0x90a0000);
	fdt_strings(fdt, "compatible", "arm,pl011\0arm,primecell", 24);
	fdt_reg(fdt, UINT64_C(0x123456789a), UINT64_C(0xfedcba9876));
	fdt_spi(fdt, 48, FDT_IRQ_EDGE_RISING);
	fdt_u64(fdt, "wide", UINT64_C(0x0102030405060708));
	FDT_CELLS(fdt, "cells", 1, 0xffffffff);
	fdt_bytes(fdt, "bytes", "\x01\x02\x03", 3);
	fdt_empty(fdt, "dma-coherent");
	fdt_label(fdt, "device", FDT_PHANDLE_PL061);
	fdt_end(fdt);
	fdt_end(fdt);
	tree = finish(fdt);
	check_property(tree.blob, "/", "compatible", "linux,dummy-virt", 17);
	check_property(tree.blob, "/", "#size-cells", "\0\0\0\2", 4);
	check_property(tree.blob, path, "compatible", "arm,pl011\0arm,primecell", 24);
	check_property(tree.blob, path, "reg",
		       "\x00\x00\x00\x12\x34\x56\x78\x9a\x00\x00\x00\xfe\xdc\xba\x98\x76", 16);
	check_property(tree.blob, path, "interrupts", "\0\0\0\0\0\0\0\x10\0\0\0\1", 12);
	check_property(tree.blob, path, "wide", "\1\2\3\4\5\6\7\x08", 8);
	check_property(tree.blob, path, "cells", "\0\0\0\1\xff\xff\xff\xff", 8);
	check_property(tree.blob, path, "bytes", "\1\2\3", 3);
	check_property(tree.blob, path, "dma-coherent", "", 0);
	check_property(tree.blob, path, "phandle", "\0\0\0\3", 4);
	ck_assert_int_eq(fdt_path_offset(tree.blob, "/__symbols__"), -FDT_ERR_NOTFOUND);
}
END_TEST

/* A label of which nobody asks costs nothing. */
START_TEST(test_labels_unwanted)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = new_builder();
	_cleanup_(tree_free) struct tree tree = {0};

	begin_root(fdt);
	fdt_begin(fdt, "a");
	fdt_label(fdt, "label", 0);
	fdt_end(fdt);
	fdt_end(fdt);
	tree = finish(fdt);
	ck_assert_uint_eq(fdt_get_phandle(tree.blob, fdt_path_offset(tree.blob, "/a")), 0);
}
END_TEST

START_TEST(test_symbols)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = new_builder();
	_cleanup_(tree_free) struct tree tree = {0};

	fdt_builder_want_symbols(fdt);
	begin_root(fdt);
	fdt_begin(fdt, "soc");
	fdt_begin(fdt, "uart@%x", 0x9000000);
	fdt_label(fdt, "uart0", 0);
	fdt_end(fdt);
	fdt_begin(fdt, "intc");
	fdt_label(fdt, "gic", FDT_PHANDLE_GIC);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_begin(fdt, "rtc");
	fdt_label(fdt, "rtc", 0);
	fdt_end(fdt);
	fdt_end(fdt);
	tree = finish(fdt);
	check_property(tree.blob, "/__symbols__", "uart0", "/soc/uart@9000000", 18);
	check_property(tree.blob, "/__symbols__", "gic", "/soc/intc", 10);
	check_property(tree.blob, "/__symbols__", "rtc", "/rtc", 5);
	check_property(tree.blob, "/soc/intc", "phandle", "\0\0\0\1", 4);
	check_property(tree.blob, "/soc/uart@9000000", "phandle", "\0\0\x80\0", 4);
	check_property(tree.blob, "/rtc", "phandle", "\0\0\x80\1", 4);
}
END_TEST

/* Far more than the first buffer holds; bytes that only align are zero. */
START_TEST(test_growth)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = new_builder();
	_cleanup_(tree_free) struct tree tree = {0};
	static uint8_t big[100000];
	char path[32];

	memset(big, 0xa5, sizeof(big));
	begin_root(fdt);
	for (unsigned i = 0; i < 3000; i++) {
		fdt_begin(fdt, "node@%x", i);
		fdt_u32(fdt, "index", i);
		fdt_end(fdt);
	}
	fdt_begin(fdt, "big");
	fdt_bytes(fdt, "big", big, sizeof(big));
	fdt_end(fdt);
	fdt_end(fdt);
	tree = finish(fdt);
	for (unsigned i = 0; i < 3000; i += 7) {
		fdt32_t index = cpu_to_fdt32(i);

		snprintf(path, sizeof(path), "/node@%x", i);
		check_property(tree.blob, path, "index", &index, sizeof(index));
	}
	check_property(tree.blob, "/big", "big", big, sizeof(big));
}
END_TEST

START_TEST(test_left_open)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = new_builder();
	struct tree tree = {0};
	struct error err = {0};

	begin_root(fdt);
	fdt_begin(fdt, "a");
	ck_assert_int_eq(fdt_builder_finish(fdt, &tree.blob, &tree.size, &err), -EINVAL);
	ck_assert_ptr_null(tree.blob);
	ck_assert_ptr_nonnull(strstr(err.text, "2 nodes left open"));
}
END_TEST

/* The first error stays, whatever is tried after it. */
static void check_error(struct fdt_builder *fdt, int code)
{
	struct tree tree = {0};
	struct error err = {0};

	fdt_begin(fdt, "later");
	fdt_u32(fdt, "later", 1);
	fdt_label(fdt, "later", 1);
	fdt_end(fdt);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &tree.blob, &tree.size, &err), code);
	ck_assert_ptr_null(tree.blob);
	ck_assert_uint_gt(strlen(err.text), 0);
}

START_TEST(test_sticky)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *property = new_builder();
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *name = new_builder();
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *huge = new_builder();
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *spent = new_builder();
	_cleanup_(tree_free) struct tree tree = {0};

	fdt_u32(property, "outside", 1); /* no node is open */
	check_error(property, -EINVAL);

	begin_root(name);
	fdt_begin(name, "%0300d", 1);
	check_error(name, -EINVAL);

	begin_root(huge);
	fdt_bytes(huge, "huge", NULL, 17 * MIB);
	check_error(huge, -ENOMEM);

	begin_root(spent);
	fdt_end(spent);
	tree = finish(spent);
	check_error(spent, -EINVAL);
	fdt_builder_destroy(NULL);
}
END_TEST

/* A path that is too long for a symbol is an error, not a wrong symbol. */
START_TEST(test_deep)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = new_builder();

	fdt_builder_want_symbols(fdt);
	begin_root(fdt);
	for (int i = 0; i < 10; i++)
		fdt_begin(fdt, "%0200d", i);
	check_error(fdt, -EINVAL);
}
END_TEST

/* What dtc (Debian: device-tree-compiler) has to say to a tree, where it is installed. */
START_TEST(test_dtc)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = new_builder();
	_cleanup_(tree_free) struct tree tree = {0};
	FILE *dtc;

	fdt_builder_want_symbols(fdt);
	begin_root(fdt);
	fdt_begin(fdt, "device@%x", 0x9000000);
	fdt_label(fdt, "device", 0);
	fdt_reg(fdt, 0x9000000, 0x1000);
	fdt_end(fdt);
	fdt_end(fdt);
	tree = finish(fdt);
	if (system("command -v dtc >/dev/null") != 0)
		return;
	dtc = popen("! dtc -I dtb -O dts -o /dev/null 2>&1 | grep .", "w");
	ck_assert_ptr_nonnull(dtc);
	ck_assert_uint_eq(fwrite(tree.blob, 1, tree.size, dtc), tree.size);
	ck_assert_int_eq(pclose(dtc), 0);
}
END_TEST

const char unit_name[] = "fdt_builder";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_properties),
	UNIT_CASE(test_labels_unwanted),
	UNIT_CASE(test_symbols),
	UNIT_CASE(test_growth),
	UNIT_CASE(test_left_open),
	UNIT_CASE(test_sticky),
	UNIT_CASE(test_deep),
	UNIT_CASE(test_dtc),
	{0},
};
