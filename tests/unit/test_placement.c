/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "boot/placement.h"
#include "unit.h"

#define RAM UINT64_C(0x40000000)

/* A present-day kernel, one from before 4.6, a raw binary, and ELF files. */
#define MODERN(size)                                                          \
	{                                                                     \
		.format = IMAGE_ARM64, .align = 2 * MIB, .relocatable = true, \
		.memory_size = (size), .anywhere = true                       \
	}
#define OLD(size)                                                             \
	{                                                                     \
		.format = IMAGE_ARM64, .align = 2 * MIB, .relocatable = true, \
		.memory_size = (size), .text_offset = 0x80000                 \
	}
#define RAW(size)                                                                                  \
	{                                                                                          \
		.format = IMAGE_RAW, .align = 2 * MIB, .relocatable = true, .memory_size = (size), \
		.text_offset = 0x80000                                                             \
	}
#define ELF_AT(address, moves, size)                                           \
	{                                                                      \
		.format = IMAGE_ELF, .align = 2 * MIB, .relocatable = (moves), \
		.memory_size = (size), .link_address = (address),              \
		.text_offset = (address) % (2 * MIB), .entry_offset = 0x40     \
	}

static const struct {
	uint64_t ram_size;
	struct image_info image;
	uint64_t initrd_size, fdt_size;
	struct placement plan;
} rows[] = {
	{256 * MIB, MODERN(30 * MIB), 0, 64 * KIB, {RAM, RAM, RAM + 254 * MIB, 0}},
	{256 * MIB,
	 MODERN(30 * MIB),
	 3 * MIB,
	 64 * KIB,
	 {RAM, RAM, RAM + 252 * MIB, RAM + 253 * MIB}},
	{256 * MIB,
	 MODERN(30 * MIB),
	 1,
	 2 * MIB,
	 {RAM, RAM, RAM + 252 * MIB, RAM + 256 * MIB - 64 * KIB}},
	/* just enough: the tree no longer has a block of its own */
	{32 * MIB, MODERN(30 * MIB), MIB, 64 * KIB, {RAM, RAM, RAM + 30 * MIB, RAM + 31 * MIB}},
	{32 * MIB,
	 MODERN(31 * MIB),
	 960 * KIB,
	 64 * KIB,
	 {RAM, RAM, RAM + 31 * MIB, RAM + 32 * MIB - 960 * KIB}},
	/* small machines */
	{16 * MIB, RAW(64 * KIB), 0, 8 * KIB, {RAM + 0x80000, RAM + 0x80000, RAM + 14 * MIB, 0}},
	{2 * MIB,
	 RAW(64 * KIB),
	 0,
	 8 * KIB,
	 {RAM + 0x80000, RAM + 0x80000, RAM + 2 * MIB - 8 * KIB, 0}},
	{16 * MIB,
	 RAW(4),
	 8 * MIB,
	 8 * KIB,
	 {RAM + 0x80000, RAM + 0x80000, RAM + 6 * MIB, RAM + 8 * MIB}},
	/* not a multiple of 2 MiB */
	{17 * MIB, RAW(4), 0, 8 * KIB, {RAM + 0x80000, RAM + 0x80000, RAM + 16 * MIB, 0}},
	/* old kernels: the tree within 512 MiB */
	{4 * GIB,
	 OLD(20 * MIB),
	 3 * MIB,
	 64 * KIB,
	 {RAM + 0x80000, RAM + 0x80000, RAM + 510 * MIB, RAM + 4 * GIB - 3 * MIB}},
	/* all: the initrd within 32 GiB */
	{64 * GIB,
	 MODERN(20 * MIB),
	 2 * MIB,
	 64 * KIB,
	 {RAM, RAM, RAM + 32 * GIB - 4 * MIB, RAM + 32 * GIB - 2 * MIB}},
	/* ELF where it is linked, or moved */
	{256 * MIB,
	 ELF_AT(RAM + 0x1000, false, MIB),
	 0,
	 64 * KIB,
	 {RAM + 0x1000, RAM + 0x1040, RAM + 254 * MIB, 0}},
	{256 * MIB,
	 ELF_AT(UINT64_C(0xffff800080080000), true, MIB),
	 0,
	 64 * KIB,
	 {RAM + 0x80000, RAM + 0x80040, RAM + 254 * MIB, 0}},
	{256 * MIB, ELF_AT(0, true, MIB), 0, 64 * KIB, {RAM, RAM + 0x40, RAM + 254 * MIB, 0}},
	/* linked high: the others go below */
	{256 * MIB,
	 ELF_AT(RAM + 255 * MIB, false, MIB),
	 MIB,
	 64 * KIB,
	 {RAM + 255 * MIB, RAM + 255 * MIB + 0x40, RAM + 252 * MIB, RAM + 254 * MIB}},
};

START_TEST(test_plan)
{
	struct placement_request request = {
		.ram_base = RAM,
		.ram_size = rows[_i].ram_size,
		.image = &rows[_i].image,
		.initrd_size = rows[_i].initrd_size,
		.fdt_size = rows[_i].fdt_size,
	};
	const struct placement *want = &rows[_i].plan;
	struct placement plan;
	struct error err = {0};

	ck_assert_msg(placement_plan(&request, &plan, &err) == 0, "%s", err.text);
	ck_assert_msg(plan.kernel == want->kernel, "kernel 0x%" PRIx64, plan.kernel);
	ck_assert_msg(plan.entry == want->entry, "entry 0x%" PRIx64, plan.entry);
	ck_assert_msg(plan.fdt == want->fdt, "fdt 0x%" PRIx64, plan.fdt);
	ck_assert_msg(plan.initrd == want->initrd, "initrd 0x%" PRIx64, plan.initrd);
}
END_TEST

static const struct {
	uint64_t ram_size;
	struct image_info image;
	uint64_t initrd_size, fdt_size;
	int code;
	const char *sentence;
} refusals[] = {
	{32 * MIB, MODERN(38 * MIB), 20 * MIB, 64 * KIB, -ENOMEM,
	 "the kernel needs 38 MiB and the initrd 20 MiB, but the machine has 32 MiB of memory; "
	 "give it at least --mem 64M"},
	{32 * MIB, MODERN(38 * MIB), 0, 64 * KIB, -ENOMEM,
	 "the kernel needs 38 MiB, but the machine has 32 MiB of memory; give it at least --mem "
	 "64M"},
	/* the last bytes are missing */
	{32 * MIB, MODERN(31 * MIB), 960 * KIB, 68 * KIB, -ENOMEM, "give it at least --mem 64M"},
	{32 * MIB, MODERN(32 * MIB), 0, 1, -ENOMEM, "give it at least --mem 64M"},
	{2 * GIB, MODERN(2 * TIB), 0, 64 * KIB, -ENOMEM, "fits into no machine"},
	{2 * GIB, MODERN(MIB), 33 * GIB, 64 * KIB, -ENOMEM, "fits into no machine"},
	{2 * GIB, MODERN(MIB), ~UINT64_C(0), 64 * KIB, -ENOMEM, "fits into no machine"},
	{2 * GIB, MODERN(MIB), 0, 2 * MIB + 1, -EFBIG, "no more than 2 MiB"},
	{2 * GIB, ELF_AT(0x80000, false, MIB), 0, 4 * KIB, -EADDRNOTAVAIL,
	 "is linked for address 0x80000, but the machine's memory starts at 0x40000000; link it"},
	{64 * MIB, ELF_AT(RAM + 64 * MIB, false, MIB), 0, 4 * KIB, -ENOMEM,
	 "the kernel needs 65 MiB, but the machine has 64 MiB of memory; give it at least --mem "
	 "128M"},
	{64 * MIB, ELF_AT(RAM + 2 * TIB, false, MIB), 0, 4 * KIB, -EADDRNOTAVAIL, "is linked for"},
};

START_TEST(test_refused)
{
	struct placement_request request = {
		.ram_base = RAM,
		.ram_size = refusals[_i].ram_size,
		.image = &refusals[_i].image,
		.initrd_size = refusals[_i].initrd_size,
		.fdt_size = refusals[_i].fdt_size,
	};
	struct placement plan = {.kernel = 1};
	struct error err = {0};

	ck_assert_int_eq(placement_plan(&request, &plan, &err), refusals[_i].code);
	ck_assert_msg(strstr(err.text, refusals[_i].sentence), "%s", err.text);
	ck_assert_uint_eq(plan.kernel, 1);
}
END_TEST

struct span {
	uint64_t start, size;
};

static bool disjoint(struct span a, struct span b)
{
	return !a.size || !b.size || a.start + a.size <= b.start || b.start + b.size <= a.start;
}

static void check_plan(const struct placement_request *request, const struct placement *plan)
{
	const struct image_info *image = request->image;
	struct span ram = {request->ram_base, request->ram_size};
	struct span spans[] = {
		{plan->kernel, image->memory_size},
		{plan->fdt, request->fdt_size},
		{plan->initrd, request->initrd_size},
	};

	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		if (!spans[i].size)
			continue;
		ck_assert_uint_ge(spans[i].start, ram.start);
		ck_assert_uint_le(spans[i].start + spans[i].size, ram.start + ram.size);
		for (size_t j = 0; j < i; j++)
			ck_assert(disjoint(spans[i], spans[j]));
	}
	ck_assert(is_aligned(plan->fdt, 8));
	ck_assert(is_aligned(plan->initrd, 64 * KIB));
	ck_assert_uint_eq(plan->entry, plan->kernel + image->entry_offset);
	if (plan->kernel != image->link_address)
		ck_assert_uint_eq(plan->kernel % (2 * MIB), image->text_offset);
	if (request->initrd_size)
		ck_assert_uint_le(plan->initrd + request->initrd_size,
				  align_down(plan->kernel, GIB) + 32 * GIB);
}

/* xorshift64 */
static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Of any number of bits up to @bits, each as likely. */
static uint64_t next_bits(uint64_t *state, unsigned bits)
{
	return next(state) >> (64 - 1 - next(state) % bits);
}

START_TEST(test_any)
{
	uint64_t state = 88172645463325252;
	unsigned planned = 0;

	for (unsigned i = 0; i < 30000; i++) {
		struct image_info image = {
			.format = (enum image_format)(next(&state) % 3),
			.align = 2 * MIB,
			.text_offset = next(&state) % 2 ? 0 : 0x80000,
			.link_address = next(&state) % 2 ? 0 : RAM + next_bits(&state, 30),
			.relocatable = next(&state) % 4,
			.memory_size = 1 + next_bits(&state, 28),
			.entry_offset = next_bits(&state, 16),
			.anywhere = next(&state) % 2,
		};
		struct placement_request request = {
			.ram_base = RAM,
			.ram_size = 4 * KIB + align_up(next_bits(&state, 37), 4 * KIB),
			.image = &image,
			.initrd_size = next_bits(&state, 29),
			.fdt_size = 40 + next_bits(&state, 20),
		};
		struct placement plan;
		struct error err = {0};
		int r = placement_plan(&request, &plan, &err);

		if (r == 0)
			check_plan(&request, &plan);
		else
			ck_assert_msg(err.text[0] && err.code == -r, "a refusal with no sentence");
		planned += r == 0;
	}
	ck_assert_uint_gt(planned, 7500);
}
END_TEST

const char unit_name[] = "placement";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_plan, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_refused, ARRAY_SIZE(refusals)),
	UNIT_CASE(test_any),
	{0},
};
