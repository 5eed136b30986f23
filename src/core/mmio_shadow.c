/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mmio_shadow.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "cache.h"

/* The widths in which drivers write to registers of 16 bits. */
static const uint32_t drop_widths[] = {2, 4};

struct mmio_shadow {
	const struct mmio_shadow_ops *ops;
	void *hyp;
	gpa_t base;
	void *page;
	size_t size;  /* of the page: the host's */
	bool refused; /* the hypervisor cannot map it: do not ask again */
	bool shown;

	bool posting;
	uint32_t post_offset;

	bool dropping;
	uint32_t drop_offset;
	uint32_t drop_value;
};

int mmio_shadow_create(gpa_t base, const struct mmio_shadow_ops *ops, void *hyp,
		       struct mmio_shadow **ret)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	_cleanup_free_ struct mmio_shadow *shadow = calloc(1, sizeof(*shadow));
	void *page;

	assert(is_aligned(base, size));
	if (!shadow)
		return -ENOMEM;
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -ENOMEM;
	memset(page, 0, size); /* a page of our own, not the kernel's one of zeroes */
	cache_clean_poc(page, size);
	shadow->ops = ops;
	shadow->hyp = hyp;
	shadow->base = base;
	shadow->page = page;
	shadow->size = size;
	*ret = steal_ptr(&shadow);
	return 0;
}

void mmio_shadow_destroy(struct mmio_shadow *shadow)
{
	if (!shadow)
		return;
	mmio_shadow_withdraw(shadow);
	/* A page that is still mapped must live as long as the VM. */
	if (!shadow->shown)
		munmap(shadow->page, shadow->size);
	free(shadow);
}

static _Atomic uint32_t *word_at(const struct mmio_shadow *shadow, uint32_t offset)
{
	assert(is_aligned(offset, sizeof(uint32_t)) && offset < shadow->size);
	return (_Atomic uint32_t *)((char *)shadow->page + offset);
}

void mmio_shadow_set(struct mmio_shadow *shadow, uint32_t offset, uint32_t value)
{
	_Atomic uint32_t *word = word_at(shadow, offset);

	if (atomic_load_explicit(word, memory_order_relaxed) == value)
		return;
	atomic_store_explicit(word, value, memory_order_release);
	cache_clean_poc((const void *)word, sizeof(*word));
}

uint32_t mmio_shadow_get(const struct mmio_shadow *shadow, uint32_t offset)
{
	return atomic_load_explicit(word_at(shadow, offset), memory_order_relaxed);
}

void mmio_shadow_show(struct mmio_shadow *shadow)
{
	int r;

	if (shadow->shown || shadow->refused || !shadow->ops->map)
		return;
	r = shadow->ops->map(shadow->hyp, shadow->base, shadow->page, shadow->size);
	if (r < 0) {
		shadow->refused = true;
		log_warning("registers at 0x%" PRIx64 " cannot be shadowed (%s): "
			    "the guest's reads of them stay slow",
			    shadow->base, strerror(-r));
		return;
	}
	shadow->shown = true;
}

void mmio_shadow_hide(struct mmio_shadow *shadow)
{
	int r;

	if (!shadow->shown)
		return;
	r = shadow->ops->unmap(shadow->hyp, shadow->base, shadow->size);
	if (r < 0) {
		log_error("the shadow of the registers at 0x%" PRIx64 " cannot be withdrawn: %s",
			  shadow->base, strerror(-r));
		return;
	}
	shadow->shown = false;
}

bool mmio_shadow_shown(const struct mmio_shadow *shadow)
{
	return shadow->shown;
}

static void end_posting(struct mmio_shadow *shadow)
{
	if (!shadow->posting)
		return;
	shadow->posting = false;
	shadow->ops->post(shadow->hyp, shadow->base + shadow->post_offset, sizeof(uint32_t), false);
}

void mmio_shadow_post(struct mmio_shadow *shadow, uint32_t offset, bool on)
{
	if (!on || (shadow->posting && shadow->post_offset != offset))
		end_posting(shadow);
	if (!on || shadow->posting || !shadow->ops->post)
		return;
	if (shadow->ops->post(shadow->hyp, shadow->base + offset, sizeof(uint32_t), true) < 0)
		return;
	shadow->posting = true;
	shadow->post_offset = offset;
}

bool mmio_shadow_posting(const struct mmio_shadow *shadow)
{
	return shadow->posting;
}

/* Begin or end the drop in the first @count widths; returns how many were done. */
static size_t drop_in_widths(struct mmio_shadow *shadow, size_t count, bool on)
{
	for (size_t i = 0; i < count; i++) {
		int r = shadow->ops->drop(shadow->hyp, shadow->base + shadow->drop_offset,
					  drop_widths[i], shadow->drop_value, on);

		if (r < 0 && on)
			return i;
	}
	return count;
}

void mmio_shadow_drop(struct mmio_shadow *shadow, uint32_t offset, uint32_t value)
{
	size_t done;

	if (shadow->dropping && shadow->drop_offset == offset && shadow->drop_value == value)
		return;
	mmio_shadow_drop_none(shadow);
	if (!shadow->ops->drop)
		return;
	shadow->drop_offset = offset;
	shadow->drop_value = value;
	done = drop_in_widths(shadow, ARRAY_SIZE(drop_widths), true);
	shadow->dropping = done == ARRAY_SIZE(drop_widths);
	if (!shadow->dropping)
		drop_in_widths(shadow, done, false);
}

void mmio_shadow_drop_none(struct mmio_shadow *shadow)
{
	if (!shadow->dropping)
		return;
	shadow->dropping = false;
	drop_in_widths(shadow, ARRAY_SIZE(drop_widths), false);
}

bool mmio_shadow_dropping(const struct mmio_shadow *shadow, uint32_t *ret_value)
{
	if (shadow->dropping && ret_value)
		*ret_value = shadow->drop_value;
	return shadow->dropping;
}

void mmio_shadow_withdraw(struct mmio_shadow *shadow)
{
	mmio_shadow_drop_none(shadow);
	end_posting(shadow);
	mmio_shadow_hide(shadow);
}
