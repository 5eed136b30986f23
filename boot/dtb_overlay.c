/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Overlays, and what libfdt leaves unchecked in them
 *
 * An overlay's nodes refer to each other by phandle. As phandles change when it
 * is merged, /__local_fixups__ tells where they stand: it has the same nodes
 * and properties as the tree, and each property's value is a list of offsets
 * into the tree's property of that name (dtc,
 * Documentation/dt-object-internal.txt). fdt_overlay_apply() of libfdt 1.6.1
 * reads four bytes at each offset, wherever that is; so the offsets are
 * checked here.
 */
#include "dtb_overlay.h"

#include <libfdt.h>

bool dtb_overlay_has_fragment(const void *blob)
{
	int node;

	fdt_for_each_subnode(node, blob, 0)
	{
		if (fdt_subnode_offset(blob, node, "__overlay__") >= 0)
			return true;
	}
	return false;
}

/* The offsets of one property, @offsets in the tree, must lie within @node's. */
static int check_offsets(const void *blob, int node, int offsets)
{
	const char *name;
	int count, size;
	const fdt32_t *offset = fdt_getprop_by_offset(blob, offsets, &name, &count);

	if (!offset)
		return count;
	if (!fdt_getprop(blob, node, name, &size))
		return size == -FDT_ERR_NOTFOUND ? -FDT_ERR_BADOVERLAY : size;
	if (count % (int)sizeof(*offset) != 0)
		return -FDT_ERR_BADOVERLAY;
	for (count /= (int)sizeof(*offset); count > 0; count--, offset++) {
		if (size < (int)sizeof(*offset) ||
		    fdt32_ld(offset) > (uint32_t)size - sizeof(*offset))
			return -FDT_ERR_BADOVERLAY;
	}
	return 0;
}

/* @fixups is /__local_fixups__ or below it, @node what it tells of. */
static int check_fixups(const void *blob, int node, int fixups)
{
	int property, child, r;

	fdt_for_each_property_offset(property, blob, fixups)
	{
		r = check_offsets(blob, node, property);
		if (r < 0)
			return r;
	}
	fdt_for_each_subnode(child, blob, fixups)
	{
		const char *name = fdt_get_name(blob, child, &r);
		int twin = name ? fdt_subnode_offset(blob, node, name) : r;

		if (twin < 0)
			return -FDT_ERR_BADOVERLAY;
		r = check_fixups(blob, twin, child);
		if (r < 0)
			return r;
	}
	return 0;
}

int dtb_overlay_check(const void *blob)
{
	int fixups = fdt_path_offset(blob, "/__local_fixups__");

	if (fixups == -FDT_ERR_NOTFOUND)
		return 0;
	return fixups < 0 ? fixups : check_fixups(blob, 0, fixups);
}
