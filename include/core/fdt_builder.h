/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way to write a device tree: nodes opened and closed in order, each
 * device writing its own. An error sticks, so callers check once, at the end.
 *
 * Addresses and sizes are two cells each throughout (#address-cells = 2,
 * #size-cells = 2 on the root). Devicetree Specification v0.4; bindings as
 * named beside each caller.
 *
 * libfdt has taken fdt_string(), so a string is fdt_str() here.
 *
 * Threads: a builder is one thread's.
 */
#ifndef ARMLET_CORE_FDT_BUILDER_H
#define ARMLET_CORE_FDT_BUILDER_H

#include "base/error.h"
#include "core/types.h"

/* Nodes that others point at. */
enum fdt_phandle {
	FDT_PHANDLE_GIC = 1,
	FDT_PHANDLE_APB_PCLK,
	FDT_PHANDLE_PL061,
	FDT_PHANDLE_CPU = 0x1000,   /* + index of the CPU */
	FDT_PHANDLE_LABEL = 0x8000, /* and up: the builder's, for labels without one */
};

/* arm,gic-v3 binding: the three cells of an interrupt. */
enum { FDT_GIC_SPI = 0, FDT_GIC_PPI = 1 };
enum { FDT_IRQ_EDGE_RISING = 1, FDT_IRQ_LEVEL_HIGH = 4 };

struct fdt_builder;

int fdt_builder_create(struct fdt_builder **ret);
void fdt_builder_destroy(struct fdt_builder *fdt); /* takes NULL */

DEFINE_CLEANUP(struct fdt_builder *, fdt_builder_destroy)

/*
 * Emit /__symbols__, so that overlays can say &label. Before the root is
 * opened; without it fdt_label() costs nothing in the tree.
 */
void fdt_builder_want_symbols(struct fdt_builder *fdt);

/* A name is at most 255 bytes. The root has none: fdt_begin(fdt, "%s", ""). */
void fdt_begin(struct fdt_builder *fdt, const char *fmt, ...) PRINTF(2, 3);
void fdt_end(struct fdt_builder *fdt);

/*
 * Label the node just begun, before its other properties: what an overlay
 * calls &label. @phandle is the node's number in the tree; 0: nothing in the
 * tree points at it, and it gets a number only if symbols are wanted. @label
 * outlives the builder.
 */
void fdt_label(struct fdt_builder *fdt, const char *label, uint32_t phandle);

void fdt_empty(struct fdt_builder *fdt, const char *name);
void fdt_str(struct fdt_builder *fdt, const char *name, const char *value);
/* Several strings: @values holds them one after the other, each with its NUL. */
void fdt_strings(struct fdt_builder *fdt, const char *name, const char *values, size_t size);
void fdt_bytes(struct fdt_builder *fdt, const char *name, const void *data, size_t size);
void fdt_u32(struct fdt_builder *fdt, const char *name, uint32_t value);
void fdt_u64(struct fdt_builder *fdt, const char *name, uint64_t value);
void fdt_cells(struct fdt_builder *fdt, const char *name, const uint32_t *cells, size_t count);
/* fdt_cells() with the cells written out. */
#define FDT_CELLS(fdt, name, ...)                             \
	fdt_cells(fdt, name, (const uint32_t[]){__VA_ARGS__}, \
		  sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
/* reg = <base size>. */
void fdt_reg(struct fdt_builder *fdt, gpa_t base, uint64_t size);
/* interrupts = <SPI, INTID - 32, trigger>. */
void fdt_spi(struct fdt_builder *fdt, uint32_t intid, uint32_t trigger);

/*
 * Finish the tree: *@ret is malloc()ed, *@ret_size its bytes. -EINVAL if nodes
 * are left open, -ENOMEM. The builder is spent then, and can only be destroyed.
 */
int fdt_builder_finish(struct fdt_builder *fdt, void **ret, size_t *ret_size, struct error *err);

#endif
