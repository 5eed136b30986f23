/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Register shadow and posted writes
 *
 * Two facts of KVM on arm64 let a guest use a device's registers without
 * leaving the kernel:
 *
 * - A page of host memory that is mapped at the registers as a read-only
 *   memory slot answers reads with no exit at all, while writes still trap.
 *   This is the shadow. The device keeps the page's words equal to what a
 *   trapped read would return, and withdraws it while a read would have a side
 *   effect.
 * - Writes to a posted range are queued in a ring that the kernel shares with
 *   us (KVM's coalesced MMIO) and performed later, in order. A range may be
 *   posted only while writing it changes nothing that the guest can read.
 *   mmio_shadow_post() is the device's permission, not its wish: whether and
 *   when posting begins (only once writes come often, say) is the machine's
 *   choice behind mmio_shadow_ops.post. When the permission ends, no write may
 *   be queued any more; the machine performs queued writes before any other
 *   access of the guest's to the device.
 * - Writes of one given value to one register can be dropped (an ioeventfd that
 *   nobody reads): for a register that already has this value, so that writing
 *   it again changes nothing.
 *
 * The guest maps the page as Device memory, while we write it through a
 * cacheable mapping. Without FEAT_S2FWB the two are not coherent (Arm ARM,
 * "Mismatched memory attributes"), so every update is cleaned to the point of
 * coherency.
 *
 * Threads: all calls under the owning device's lock.
 */
#ifndef ARMLET_CORE_MMIO_SHADOW_H
#define ARMLET_CORE_MMIO_SHADOW_H

#include "base/error.h"
#include "core/types.h"

struct mmio_shadow;

/*
 * What the hypervisor does for a shadow; each returns 0 or -errno. Optional
 * operations may be NULL: then everything traps, and all works as without.
 */
struct mmio_shadow_ops {
	/* Map @page (one page of the host) read-only at @base, or take it away. Both or none. */
	int (*map)(void *hyp, gpa_t base, void *page, size_t size);
	int (*unmap)(void *hyp, gpa_t base, size_t size);
	/* Permit or forbid to post writes to [@addr, @addr + @size). Forbidding never fails. */
	int (*post)(void *hyp, gpa_t addr, uint32_t size, bool on);
	/* Begin or end to drop writes of @value, @size bytes wide, to @addr. Ending never fails. */
	int (*drop)(void *hyp, gpa_t addr, uint32_t size, uint64_t value, bool on);
};

/* The shadow of registers at @base (aligned to the host's page). -ENOMEM. */
int mmio_shadow_create(gpa_t base, const struct mmio_shadow_ops *ops, void *hyp,
		       struct mmio_shadow **ret);

/* Withdraws everything first. Takes NULL. */
void mmio_shadow_destroy(struct mmio_shadow *shadow);

DEFINE_CLEANUP(struct mmio_shadow *, mmio_shadow_destroy)

/* Set the 32-bit word at @offset (aligned); takes effect for the next read. */
void mmio_shadow_set(struct mmio_shadow *shadow, uint32_t offset, uint32_t value);
uint32_t mmio_shadow_get(const struct mmio_shadow *shadow, uint32_t offset);

/*
 * Map the page, or take it away; no-ops when it is so already. A failure to map
 * is logged once, and the page stays hidden for good. A failure to unmap (the
 * host has no memory for it) is logged, and the page stays shown.
 */
void mmio_shadow_show(struct mmio_shadow *shadow);
void mmio_shadow_hide(struct mmio_shadow *shadow);
bool mmio_shadow_shown(const struct mmio_shadow *shadow);

/* Permit or forbid posting of the 4 bytes at @offset; one range a shadow. */
void mmio_shadow_post(struct mmio_shadow *shadow, uint32_t offset, bool on);
bool mmio_shadow_posting(const struct mmio_shadow *shadow);

/*
 * Drop writes of @value to @offset, in any of the widths of 2 and 4 bytes that
 * drivers use; replaces what was dropped before. mmio_shadow_drop_none() ends it.
 */
void mmio_shadow_drop(struct mmio_shadow *shadow, uint32_t offset, uint32_t value);
void mmio_shadow_drop_none(struct mmio_shadow *shadow);

/* Whether anything is dropped, and (@ret_value may be NULL) which value. */
bool mmio_shadow_dropping(const struct mmio_shadow *shadow, uint32_t *ret_value);

/* End all of it: nothing is dropped, posted or shown. */
void mmio_shadow_withdraw(struct mmio_shadow *shadow);

#endif
