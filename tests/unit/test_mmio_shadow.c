/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mmio_shadow.h"

#include <string.h>

#include "base/log.h"
#include "unit.h"

#define BASE UINT64_C(0x09000000)

/* A hypervisor that checks each call and can refuse. */
struct fake_hyp {
	void *page; /* while it is mapped */
	unsigned maps, unmaps, posts, drops;
	bool posting;
	gpa_t post_addr;
	uint64_t dropped[5]; /* by width: 0, or the value + 1 */
	gpa_t drop_addr;
	int map_result, unmap_result, post_result;
	uint32_t refused_width; /* of drops */
};

static int fake_map(void *hyp, gpa_t base, void *page, size_t size)
{
	struct fake_hyp *fake = hyp;

	fake->maps++;
	ck_assert_uint_eq(base, BASE);
	ck_assert_uint_eq(size, (size_t)sysconf(_SC_PAGESIZE));
	ck_assert(is_aligned((uintptr_t)page, size));
	ck_assert_ptr_null(fake->page);
	if (fake->map_result == 0)
		fake->page = page;
	return fake->map_result;
}

static int fake_unmap(void *hyp, gpa_t base, size_t size)
{
	struct fake_hyp *fake = hyp;

	fake->unmaps++;
	ck_assert_uint_eq(base, BASE);
	ck_assert_uint_eq(size, (size_t)sysconf(_SC_PAGESIZE));
	ck_assert_ptr_nonnull(fake->page);
	if (fake->unmap_result == 0)
		fake->page = NULL;
	return fake->unmap_result;
}

static int fake_post(void *hyp, gpa_t addr, uint32_t size, bool on)
{
	struct fake_hyp *fake = hyp;

	fake->posts++;
	ck_assert_uint_eq(size, 4);
	ck_assert(fake->posting != on);
	if (!on)
		ck_assert_uint_eq(addr, fake->post_addr);
	if (fake->post_result < 0)
		return fake->post_result;
	fake->posting = on;
	fake->post_addr = addr;
	return 0;
}

static int fake_drop(void *hyp, gpa_t addr, uint32_t size, uint64_t value, bool on)
{
	struct fake_hyp *fake = hyp;

	fake->drops++;
	ck_assert(size == 2 || size == 4);
	if (on && size == fake->refused_width)
		return -ENOSPC;
	ck_assert_uint_eq(fake->dropped[size], on ? 0 : value + 1);
	fake->dropped[size] = on ? value + 1 : 0;
	fake->drop_addr = addr;
	return 0;
}

static const struct mmio_shadow_ops fake_ops = {
	.map = fake_map,
	.unmap = fake_unmap,
	.post = fake_post,
	.drop = fake_drop,
};

static struct mmio_shadow *open_shadow(struct fake_hyp *fake)
{
	struct mmio_shadow *shadow;

	log_set_level(LOG_LEVEL_ERROR);
	*fake = (struct fake_hyp){0};
	ck_assert_int_eq(mmio_shadow_create(BASE, &fake_ops, fake, &shadow), 0);
	return shadow;
}

START_TEST(test_words)
{
	struct fake_hyp fake;
	struct mmio_shadow *shadow = open_shadow(&fake);
	uint32_t last = (uint32_t)sysconf(_SC_PAGESIZE) - 4;
	uint32_t seen;

	ck_assert_uint_eq(mmio_shadow_get(shadow, 0), 0);
	ck_assert_uint_eq(mmio_shadow_get(shadow, last), 0);
	mmio_shadow_set(shadow, 0x18, 0x90);
	mmio_shadow_show(shadow);
	mmio_shadow_set(shadow, last, 0xb1);
	ck_assert_uint_eq(mmio_shadow_get(shadow, 0x18), 0x90);
	memcpy(&seen, (char *)fake.page + 0x18, sizeof(seen));
	ck_assert_uint_eq(seen, 0x90);
	memcpy(&seen, (char *)fake.page + last, sizeof(seen));
	ck_assert_uint_eq(seen, 0xb1);
	mmio_shadow_destroy(shadow);
	ck_assert_ptr_null(fake.page);
	mmio_shadow_destroy(NULL);
}
END_TEST

START_TEST(test_show_and_hide)
{
	struct fake_hyp fake;
	struct mmio_shadow *shadow = open_shadow(&fake);

	ck_assert(!mmio_shadow_shown(shadow));
	mmio_shadow_hide(shadow);
	ck_assert_uint_eq(fake.unmaps, 0);
	mmio_shadow_show(shadow);
	mmio_shadow_show(shadow);
	ck_assert(mmio_shadow_shown(shadow));
	ck_assert_uint_eq(fake.maps, 1);
	mmio_shadow_hide(shadow);
	mmio_shadow_hide(shadow);
	ck_assert(!mmio_shadow_shown(shadow));
	ck_assert_uint_eq(fake.unmaps, 1);
	mmio_shadow_show(shadow);
	ck_assert_uint_eq(fake.maps, 2);
	mmio_shadow_destroy(shadow);
	ck_assert_uint_eq(fake.unmaps, 2);
}
END_TEST

START_TEST(test_refusals)
{
	struct fake_hyp fake;
	struct mmio_shadow *shadow = open_shadow(&fake);

	fake.map_result = -EINVAL;
	mmio_shadow_show(shadow);
	ck_assert(!mmio_shadow_shown(shadow));
	mmio_shadow_show(shadow); /* is not asked again */
	ck_assert_uint_eq(fake.maps, 1);
	fake.post_result = -ENOSPC;
	mmio_shadow_post(shadow, 0, true);
	ck_assert(!mmio_shadow_posting(shadow));
	mmio_shadow_post(shadow, 0, false);
	ck_assert_uint_eq(fake.posts, 1);
	fake.refused_width = 4; /* the second: the first is taken back */
	mmio_shadow_drop(shadow, 0x30, 0x301);
	ck_assert(!mmio_shadow_dropping(shadow, NULL));
	ck_assert_uint_eq(fake.dropped[2], 0);
	mmio_shadow_destroy(shadow);
}
END_TEST

START_TEST(test_cannot_be_hidden)
{
	struct fake_hyp fake;
	struct mmio_shadow *shadow = open_shadow(&fake);

	mmio_shadow_show(shadow);
	fake.unmap_result = -ENOMEM;
	mmio_shadow_hide(shadow);
	ck_assert(mmio_shadow_shown(shadow));
	fake.unmap_result = 0;
	mmio_shadow_hide(shadow);
	ck_assert(!mmio_shadow_shown(shadow));
	mmio_shadow_destroy(shadow);
}
END_TEST

START_TEST(test_posting)
{
	struct fake_hyp fake;
	struct mmio_shadow *shadow = open_shadow(&fake);

	mmio_shadow_post(shadow, 0x40, false);
	ck_assert_uint_eq(fake.posts, 0);
	mmio_shadow_post(shadow, 0x40, true);
	mmio_shadow_post(shadow, 0x40, true);
	ck_assert(mmio_shadow_posting(shadow));
	ck_assert_uint_eq(fake.posts, 1);
	ck_assert_uint_eq(fake.post_addr, BASE + 0x40);
	mmio_shadow_post(shadow, 0x44, true); /* one range: the other ends */
	ck_assert_uint_eq(fake.posts, 3);
	ck_assert_uint_eq(fake.post_addr, BASE + 0x44);
	mmio_shadow_post(shadow, 0x44, false);
	mmio_shadow_post(shadow, 0x44, false);
	ck_assert(!mmio_shadow_posting(shadow) && !fake.posting);
	ck_assert_uint_eq(fake.posts, 4);
	mmio_shadow_destroy(shadow);
}
END_TEST

START_TEST(test_dropping)
{
	struct fake_hyp fake;
	struct mmio_shadow *shadow = open_shadow(&fake);
	uint32_t value = 0;

	ck_assert(!mmio_shadow_dropping(shadow, &value));
	mmio_shadow_drop_none(shadow);
	ck_assert_uint_eq(fake.drops, 0);
	mmio_shadow_drop(shadow, 0x30, 0x301);
	mmio_shadow_drop(shadow, 0x30, 0x301);
	ck_assert(mmio_shadow_dropping(shadow, &value));
	ck_assert_uint_eq(value, 0x301);
	ck_assert_uint_eq(fake.drops, 2);
	ck_assert_uint_eq(fake.drop_addr, BASE + 0x30);
	ck_assert_uint_eq(fake.dropped[2], 0x302);
	ck_assert_uint_eq(fake.dropped[4], 0x302);
	mmio_shadow_drop(shadow, 0x30, 0);
	ck_assert_uint_eq(fake.dropped[2], 1);
	ck_assert_uint_eq(fake.dropped[4], 1);
	mmio_shadow_drop_none(shadow);
	ck_assert_uint_eq(fake.dropped[2] + fake.dropped[4], 0);
	ck_assert(!mmio_shadow_dropping(shadow, NULL));
	mmio_shadow_destroy(shadow);
}
END_TEST

START_TEST(test_withdraw)
{
	struct fake_hyp fake;
	struct mmio_shadow *shadow = open_shadow(&fake);

	for (int last = 0; last < 2; last++) {
		mmio_shadow_show(shadow);
		mmio_shadow_post(shadow, 0, true);
		mmio_shadow_drop(shadow, 0x30, 7);
		ck_assert(fake.page && fake.posting && fake.dropped[4]);
		if (last)
			mmio_shadow_destroy(shadow);
		else
			mmio_shadow_withdraw(shadow);
		ck_assert(!fake.page && !fake.posting && !fake.dropped[2] && !fake.dropped[4]);
	}
}
END_TEST

/* A hypervisor that can do none of it. */
START_TEST(test_nothing_offered)
{
	static const struct mmio_shadow_ops none = {0};
	struct mmio_shadow *shadow;

	ck_assert_int_eq(mmio_shadow_create(BASE, &none, NULL, &shadow), 0);
	mmio_shadow_set(shadow, 0, 1);
	mmio_shadow_show(shadow);
	mmio_shadow_post(shadow, 0, true);
	mmio_shadow_drop(shadow, 0, 1);
	ck_assert(!mmio_shadow_shown(shadow) && !mmio_shadow_posting(shadow) &&
		  !mmio_shadow_dropping(shadow, NULL));
	mmio_shadow_hide(shadow);
	mmio_shadow_post(shadow, 0, false);
	mmio_shadow_drop_none(shadow);
	ck_assert_uint_eq(mmio_shadow_get(shadow, 0), 1);
	mmio_shadow_destroy(shadow);
}
END_TEST

const char unit_name[] = "mmio_shadow";
const struct unit_case unit_cases[] = {
	UNIT_CASE(test_words),    UNIT_CASE(test_show_and_hide),    UNIT_CASE(test_refusals),
	UNIT_CASE(test_posting),  UNIT_CASE(test_cannot_be_hidden), UNIT_CASE(test_dropping),
	UNIT_CASE(test_withdraw), UNIT_CASE(test_nothing_offered),  {0},
};
