/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Writing a device tree
 *
 * libfdt's sequential writer does the format; this adds what callers would
 * otherwise repeat: a buffer that grows, an error that sticks, names made by
 * printf, and labels.
 *
 * The tree is built at each start of a machine, so it must be cheap. Property
 * names are not shared (FDT_CREATE_FLAG_NO_NAME_DEDUP): libfdt looks for an
 * equal name by comparing at each byte of all names so far, which would cost
 * more than everything else that happens before the first instruction of the
 * guest. The names of a whole board are then some 4 KiB, not 1. And the
 * buffer starts at a size that few trees outgrow; only pages in use are ever
 * touched.
 *
 * Labels: fdt_label() notes the label and the path of the open node; the end
 * of the root writes them as the properties of /__symbols__, which is how dtc
 * -@ keeps labels for overlays (dtc, Documentation/dt-object-internal.txt).
 */
#include "core/fdt_builder.h"

#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FDT_BUILDER_SIZE (16 * KIB)
#define FDT_BUILDER_MAX  (16 * MIB)
#define FDT_NAME_MAX     256 /* with the NUL */
#define FDT_PATH_MAX     1024
#define GIC_SPI_BASE     32 /* INTID of the first shared peripheral interrupt */

struct fdt_symbol {
	struct fdt_symbol *next;
	const char *label;
	char path[];
};

struct fdt_builder {
	void *blob;
	size_t size;
	int error; /* libfdt's first, 0 while all is well */
	unsigned depth;

	/* Only if symbols are wanted */
	bool symbols;
	uint32_t next_phandle;
	struct fdt_symbol *first, **last;
	size_t path_length;
	char path[FDT_PATH_MAX];
};

/*
 * Buffers are zeroed: libfdt leaves the bytes that align names and values as it
 * finds them, and the guest shall not read scraps of our heap there.
 */
int fdt_builder_create(struct fdt_builder **ret)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = NULL;

	fdt = calloc(1, sizeof(*fdt));
	if (!fdt)
		return -ENOMEM;
	fdt->blob = calloc(1, FDT_BUILDER_SIZE);
	if (!fdt->blob)
		return -ENOMEM;
	fdt->size = FDT_BUILDER_SIZE;
	fdt->next_phandle = FDT_PHANDLE_LABEL;
	fdt->last = &fdt->first;
	fdt->error =
		fdt_create_with_flags(fdt->blob, FDT_BUILDER_SIZE, FDT_CREATE_FLAG_NO_NAME_DEDUP);
	if (!fdt->error)
		fdt->error = fdt_finish_reservemap(fdt->blob);
	*ret = steal_ptr(&fdt);
	return 0;
}

void fdt_builder_destroy(struct fdt_builder *fdt)
{
	if (!fdt)
		return;
	while (fdt->first) {
		struct fdt_symbol *symbol = fdt->first;

		fdt->first = symbol->next;
		free(symbol);
	}
	free(fdt->blob);
	free(fdt);
}

void fdt_builder_want_symbols(struct fdt_builder *fdt)
{
	fdt->symbols = true;
}

/*
 * Is it worth another try after @error? Yes if there was no room and now there
 * is. Any other outcome is the builder's, and sticks.
 */
static bool try_again(struct fdt_builder *fdt, int error)
{
	size_t size = fdt->size * 2;
	void *blob;

	fdt->error = error;
	if (error != -FDT_ERR_NOSPACE || size > FDT_BUILDER_MAX)
		return false;
	blob = calloc(1, size);
	if (!blob)
		return false;
	fdt->error = fdt_resize(fdt->blob, blob, (int)size);
	if (fdt->error) {
		free(blob);
		return false;
	}
	free(fdt->blob);
	fdt->blob = blob;
	fdt->size = size;
	return true;
}

/* Add a property and return where its @size bytes go; NULL after an error. */
static void *add_property(struct fdt_builder *fdt, const char *name, size_t size)
{
	void *value = NULL;
	int error;

	if (fdt->error)
		return NULL;
	if (size > FDT_BUILDER_MAX) {
		fdt->error = -FDT_ERR_NOSPACE;
		return NULL;
	}
	do {
		error = fdt_property_placeholder(fdt->blob, name, (int)size, &value);
	} while (try_again(fdt, error));
	return fdt->error ? NULL : value;
}

/* Keep the path of the open node, if anybody will ask for it. */
static void enter_path(struct fdt_builder *fdt, const char *name)
{
	size_t length = strlen(name);

	if (!fdt->symbols || !fdt->depth)
		return;
	if (length + 2 > sizeof(fdt->path) - fdt->path_length) {
		fdt->error = -FDT_ERR_BADPATH;
		return;
	}
	fdt->path[fdt->path_length++] = '/';
	memcpy(fdt->path + fdt->path_length, name, length + 1);
	fdt->path_length += length;
}

static void leave_path(struct fdt_builder *fdt)
{
	if (!fdt->symbols || !fdt->path_length)
		return;
	while (fdt->path[--fdt->path_length] != '/')
		;
	fdt->path[fdt->path_length] = '\0';
}

void fdt_begin(struct fdt_builder *fdt, const char *fmt, ...)
{
	char name[FDT_NAME_MAX];
	va_list args;
	int length, error;

	if (fdt->error)
		return;
	va_start(args, fmt);
	length = vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(name)) {
		fdt->error = -FDT_ERR_BADPATH;
		return;
	}
	do {
		error = fdt_begin_node(fdt->blob, name);
	} while (try_again(fdt, error));
	enter_path(fdt, name);
	fdt->depth++;
}

static void close_node(struct fdt_builder *fdt)
{
	int error;

	if (fdt->error)
		return;
	do {
		error = fdt_end_node(fdt->blob);
	} while (try_again(fdt, error));
	leave_path(fdt);
	fdt->depth--;
}

static void write_symbols(struct fdt_builder *fdt)
{
	fdt_begin(fdt, "__symbols__");
	for (const struct fdt_symbol *symbol = fdt->first; symbol; symbol = symbol->next)
		fdt_str(fdt, symbol->label, symbol->path);
	close_node(fdt);
}

void fdt_end(struct fdt_builder *fdt)
{
	if (fdt->symbols && fdt->depth == 1)
		write_symbols(fdt);
	close_node(fdt);
}

static void add_symbol(struct fdt_builder *fdt, const char *label)
{
	struct fdt_symbol *symbol = malloc(sizeof(*symbol) + fdt->path_length + 1);

	if (!symbol) {
		fdt->error = -FDT_ERR_NOSPACE;
		return;
	}
	symbol->next = NULL;
	symbol->label = label;
	memcpy(symbol->path, fdt->path, fdt->path_length + 1);
	*fdt->last = symbol;
	fdt->last = &symbol->next;
}

void fdt_label(struct fdt_builder *fdt, const char *label, uint32_t phandle)
{
	if (fdt->error)
		return;
	if (fdt->symbols) {
		if (!phandle)
			phandle = fdt->next_phandle++;
		add_symbol(fdt, label);
	}
	if (phandle)
		fdt_u32(fdt, "phandle", phandle);
}

void fdt_bytes(struct fdt_builder *fdt, const char *name, const void *data, size_t size)
{
	void *value = add_property(fdt, name, size);

	if (value && size)
		memcpy(value, data, size);
}

void fdt_empty(struct fdt_builder *fdt, const char *name)
{
	add_property(fdt, name, 0);
}

void fdt_str(struct fdt_builder *fdt, const char *name, const char *value)
{
	fdt_bytes(fdt, name, value, strlen(value) + 1);
}

void fdt_strings(struct fdt_builder *fdt, const char *name, const char *values, size_t size)
{
	fdt_bytes(fdt, name, values, size);
}

void fdt_u32(struct fdt_builder *fdt, const char *name, uint32_t value)
{
	fdt_cells(fdt, name, &value, 1);
}

void fdt_u64(struct fdt_builder *fdt, const char *name, uint64_t value)
{
	FDT_CELLS(fdt, name, (uint32_t)(value >> 32), (uint32_t)value);
}

void fdt_cells(struct fdt_builder *fdt, const char *name, const uint32_t *cells, size_t count)
{
	fdt32_t *value = add_property(fdt, name, count * sizeof(*cells));

	for (size_t i = 0; value && i < count; i++)
		value[i] = cpu_to_fdt32(cells[i]);
}

void fdt_reg(struct fdt_builder *fdt, gpa_t base, uint64_t size)
{
	FDT_CELLS(fdt, "reg", (uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(size >> 32),
		  (uint32_t)size);
}

void fdt_spi(struct fdt_builder *fdt, uint32_t intid, uint32_t trigger)
{
	FDT_CELLS(fdt, "interrupts", FDT_GIC_SPI, intid - GIC_SPI_BASE, trigger);
}

int fdt_builder_finish(struct fdt_builder *fdt, void **ret, size_t *ret_size, struct error *err)
{
	int error;

	if (!fdt->error && fdt->depth)
		return error_set(err, EINVAL, "device tree has %u nodes left open", fdt->depth);
	if (!fdt->error) {
		do {
			error = fdt_finish(fdt->blob);
		} while (try_again(fdt, error));
	}
	if (fdt->error == -FDT_ERR_NOSPACE)
		return error_set(err, ENOMEM, "device tree does not fit into the host's memory");
	if (fdt->error)
		return error_set(err, EINVAL, "device tree cannot be built: %s",
				 fdt_strerror(fdt->error));
	*ret_size = fdt_totalsize(fdt->blob);
	*ret = steal_ptr(&fdt->blob);
	fdt->error = -FDT_ERR_BADSTATE;
	return 0;
}
