/* SPDX-License-Identifier: Apache-2.0 */
/* Walks through tables that are made for them, of every granule and size. */
#include <string.h>

#include "arm64/stage1.h"
#include "arm64/sysreg.h"
#include "unit.h"

#define RAM      UINT64_C(0x40000000)
#define RAM_SIZE (4 * MIB)
#define ROOT     (RAM + 1 * MIB)

#define TABLE  UINT64_C(3)
#define BLOCK  UINT64_C(1)
#define AF     BIT(10)
#define EL0    BIT(6)
#define RDONLY BIT(7)
#define DBM    BIT(51)
#define PXN    BIT(53)
#define UXN    BIT(54)

enum { TRANSLATION = 4, ACCESS_FLAG = 8, PERMISSION = 12, EXTERNAL = 0x14 };

struct world {
	struct guest_mem *mem;
	struct stage1 stage1;
	unsigned granule; /* log2 */
	unsigned input;
	bool lpa2;
	bool wide;
	gpa_t free; /* where the next table goes */
	gpa_t leaf; /* where the last descriptor of map() is */
};

static void open_world(struct world *world)
{
	const struct guest_mem_options options = {0};
	struct error err = {0};

	*world = (struct world){.granule = 12, .input = 39};
	ck_assert_int_eq(guest_mem_create(RAM, RAM_SIZE, &options, &world->mem, &err), 0);
}

static void close_world(struct world *world)
{
	guest_mem_destroy(world->mem);
}

static uint64_t *at(const struct world *world, gpa_t addr)
{
	return guest_mem_at(world->mem, addr, sizeof(uint64_t));
}

static uint64_t encode(const struct world *world, gpa_t addr)
{
	if (world->lpa2)
		return (addr & (BIT(50) - 1)) | (addr >> 50 & 3) << 8;
	if (world->wide)
		return (addr & (BIT(48) - 1)) | (addr >> 48 & 0xf) << 12;
	return addr;
}

/* The registers for this granule and input size, both halves, with the tables at ROOT. */
static void set_registers(struct world *world, unsigned output)
{
	static const uint64_t tg0[] = {[12] = 0, [14] = 2, [16] = 1};
	static const uint64_t tg1[] = {[12] = 2, [14] = 1, [16] = 3};
	uint64_t size = 64 - world->input;
	uint64_t ps = output == 52 ? 6 : 5;

	world->stage1.sctlr = SCTLR_M;
	world->stage1.tcr = size | size << 16 | tg0[world->granule] << 14 |
			    tg1[world->granule] << 30 | ps << 32 | (world->lpa2 ? TCR_DS : 0);
	world->stage1.ttbr[0] = ROOT | UINT64_C(0x1234) << 48 | 1;
	world->stage1.ttbr[1] = world->stage1.ttbr[0];
	world->free = ROOT + MIB;
}

static unsigned below(const struct world *world, int level)
{
	return (unsigned)(3 - level) * (world->granule - 3) + world->granule;
}

static int first_level(const struct world *world)
{
	int level = 3;

	while (below(world, level) + world->granule - 3 < world->input)
		level--;
	return level;
}

/* Map @va to @pa by a descriptor of @level; @tables goes into those on the way. */
static void map(struct world *world, gva_t va, gpa_t pa, int level, uint64_t leaf, uint64_t tables)
{
	gpa_t table = ROOT;

	for (int i = first_level(world);; i++) {
		unsigned bits =
			(unsigned)min_u64(world->granule - 3, world->input - below(world, i));
		uint64_t index = va >> below(world, i) & (BIT(bits) - 1);
		uint64_t *desc = at(world, table + 8 * index);

		ck_assert_ptr_nonnull(desc);
		if (i == level) {
			world->leaf = table + 8 * index;
			*desc = encode(world, align_down(pa, BIT(below(world, i)))) | leaf |
				(i == 3 ? TABLE : BLOCK);
			return;
		}
		if (!*desc) {
			*desc = encode(world, world->free) | tables | TABLE;
			world->free += BIT(world->granule);
		}
		table = align_down(*desc & (BIT(48) - 1), BIT(world->granule));
	}
}

static int walk(const struct world *world, gva_t va, unsigned access, gpa_t *ret, unsigned *status)
{
	return stage1_walk(&world->stage1, world->mem, va, access, ret, status);
}

/* ---- Geometry ------------------------------------------------------------- */

static const struct {
	unsigned granule;
	unsigned input;
	unsigned output;
	bool lpa2;
	int first; /* level */
	int leaf;
} shapes[] = {
	{12, 39, 48, false, 1, 1}, {12, 39, 48, false, 1, 2}, {12, 39, 48, false, 1, 3},
	{12, 48, 48, false, 0, 1}, {12, 48, 48, false, 0, 2}, {12, 48, 48, false, 0, 3},
	{12, 40, 48, false, 0, 3}, {12, 25, 48, false, 2, 2}, {12, 25, 48, false, 2, 3},
	{12, 16, 48, false, 3, 3}, {12, 52, 52, true, -1, 0}, {12, 52, 52, true, -1, 1},
	{12, 52, 52, true, -1, 3}, {12, 48, 52, true, 0, 2},  {14, 47, 48, false, 1, 2},
	{14, 47, 48, false, 1, 3}, {14, 36, 48, false, 2, 2}, {14, 36, 48, false, 2, 3},
	{14, 48, 48, false, 0, 3}, {14, 52, 52, true, 0, 1},  {14, 52, 52, true, 0, 2},
	{14, 52, 52, true, 0, 3},  {16, 42, 48, false, 2, 2}, {16, 42, 48, false, 2, 3},
	{16, 48, 48, false, 1, 2}, {16, 48, 48, false, 1, 3}, {16, 52, 52, false, 1, 1},
	{16, 52, 52, false, 1, 2}, {16, 52, 52, false, 1, 3}, {16, 17, 48, false, 3, 3},
	{16, 29, 52, false, 3, 3},
};

/* Who looks sees each descriptor, from the first level to the leaf's. */
static void check_look(const struct world *world, gva_t va, gpa_t wanted, int leaf)
{
	int first = first_level(world);
	struct stage1_path path;

	ck_assert_int_eq(stage1_look(&world->stage1, world->mem, va, &path), 0);
	ck_assert_uint_eq(path.addr, wanted);
	ck_assert_uint_eq(path.granule, world->granule);
	ck_assert(!path.flat);
	ck_assert_uint_eq(path.count, (unsigned)(leaf - first + 1));
	for (unsigned i = 0; i < path.count; i++) {
		ck_assert_int_eq(path.steps[i].level, first + (int)i);
		ck_assert_uint_eq(path.steps[i].desc, *at(world, path.steps[i].at));
	}
	ck_assert_uint_eq(path.steps[path.count - 1].at, world->leaf);
}

START_TEST(test_shapes)
{
	gva_t inside = UINT64_C(0x000a5f8d3c7b6a59) & (BIT(shapes[_i].input) - 1);
	gpa_t pa = UINT64_C(0x000d3a5c78912345) & (BIT(shapes[_i].output) - 1);

	for (unsigned upper = 0; upper < 2; upper++) {
		gva_t va = upper ? inside | ~(BIT(shapes[_i].input) - 1) : inside;
		struct world world;
		unsigned status;
		gpa_t got;
		uint64_t low;

		open_world(&world);
		world.granule = shapes[_i].granule;
		world.input = shapes[_i].input;
		world.lpa2 = shapes[_i].lpa2;
		world.wide = shapes[_i].granule == 16 && shapes[_i].output == 52;
		set_registers(&world, shapes[_i].output);
		ck_assert_int_eq(first_level(&world), shapes[_i].first);
		ck_assert_int_eq(walk(&world, va, STAGE1_READ, &got, &status), -EFAULT);
		ck_assert_uint_eq(status, shapes[_i].first < 0
						  ? 0x2b
						  : TRANSLATION | (unsigned)shapes[_i].first);
		map(&world, va, pa, shapes[_i].leaf, AF, 0);
		low = BIT(below(&world, shapes[_i].leaf)) - 1;
		ck_assert_int_eq(walk(&world, va, STAGE1_READ, &got, &status), 0);
		ck_assert_uint_eq(got, (pa & ~low) | (va & low));
		check_look(&world, va, got, shapes[_i].leaf);
		/* The other half, and what is beyond this one. */
		world.stage1.tcr |= upper ? TCR_EPD1 : TCR_EPD0;
		ck_assert_int_eq(walk(&world, va, STAGE1_READ, &got, &status), -EFAULT);
		ck_assert_uint_eq(status, TRANSLATION);
		world.stage1.tcr &= ~(TCR_EPD0 | TCR_EPD1);
		ck_assert_int_eq(walk(&world, va ^ BIT(54), STAGE1_READ, &got, &status), -EFAULT);
		ck_assert_uint_eq(status, TRANSLATION);
		close_world(&world);
	}
}
END_TEST

/* Descriptors that are no blocks where there can be none, and reserved ones. */
START_TEST(test_reserved)
{
	struct world world;
	unsigned status;
	gpa_t got;

	open_world(&world);
	world.input = 48;
	set_registers(&world, 48);
	map(&world, 0x1000, 0x2000, 3, AF, 0);
	*at(&world, world.leaf) &= ~UINT64_C(2);
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_READ, &got, &status), -EFAULT);
	ck_assert_uint_eq(status, TRANSLATION | 3);
	*at(&world, ROOT) = 0x40000000 | AF | BLOCK; /* 512 GiB without LPA2 */
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_READ, &got, &status), -EFAULT);
	ck_assert_uint_eq(status, TRANSLATION | 0);
	*at(&world, ROOT) = 0x800000000 | TABLE; /* a table where no memory is */
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_READ, &got, &status), -EFAULT);
	ck_assert_uint_eq(status, EXTERNAL | 1);
	world.stage1.tcr &= ~(UINT64_C(7) << 32); /* 32 bits out */
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_READ, &got, &status), -EFAULT);
	ck_assert_uint_eq(status, 0);
	world.stage1.ttbr[0] = BIT(47);
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_READ, &got, &status), -EFAULT);
	ck_assert_uint_eq(status, 0);
	close_world(&world);
}
END_TEST

/* A table that contains itself ends at level 3, as each walk does. */
START_TEST(test_loop)
{
	struct world world;
	unsigned status;
	gpa_t got;

	open_world(&world);
	set_registers(&world, 48);
	*at(&world, ROOT) = ROOT | AF | TABLE;
	ck_assert_int_eq(walk(&world, 0x123, STAGE1_READ, &got, &status), 0);
	ck_assert_uint_eq(got, ROOT | 0x123);
	close_world(&world);
}
END_TEST

START_TEST(test_off)
{
	struct world world;
	unsigned status;
	gpa_t got;

	open_world(&world);
	ck_assert_int_eq(walk(&world, 0x9000018, STAGE1_WRITE, &got, &status), 0);
	ck_assert_uint_eq(got, 0x9000018);
	ck_assert_int_eq(walk(&world, BIT(52), STAGE1_READ, &got, &status), -EFAULT);
	ck_assert_uint_eq(status, 0);
	close_world(&world);
}
END_TEST

/* Rights and the Access flag are nothing to who looks, and stay what they are. */
START_TEST(test_looks_only)
{
	struct stage1_path path;
	struct world world;

	open_world(&world);
	ck_assert_int_eq(stage1_look(&world.stage1, world.mem, 0x9000018, &path), 0);
	ck_assert(path.flat && path.count == 0 && path.addr == 0x9000018);
	ck_assert_int_eq(stage1_look(&world.stage1, world.mem, BIT(52), &path), -EFAULT);
	set_registers(&world, 48);
	world.stage1.tcr |= TCR_HA | TCR_HD;
	map(&world, 0x1000, 0x2000, 3, RDONLY | DBM, 0);
	ck_assert_int_eq(stage1_look(&world.stage1, world.mem, 0x1234, &path), 0);
	ck_assert_uint_eq(path.addr, 0x2234);
	ck_assert_uint_eq(*at(&world, world.leaf) & (AF | RDONLY), RDONLY);
	*at(&world, world.leaf) = 0;
	ck_assert_int_eq(stage1_look(&world.stage1, world.mem, 0x1234, &path), -EFAULT);
	ck_assert_uint_eq(path.count, 3);
	ck_assert_uint_eq(path.status, TRANSLATION | 3);
	close_world(&world);
}
END_TEST

/* ---- Tags and codes ------------------------------------------------------- */

START_TEST(test_tags)
{
	const gva_t tag = UINT64_C(0x5a) << 56;
	struct world world;
	unsigned status;
	gpa_t got;

	open_world(&world);
	set_registers(&world, 48);
	map(&world, 0x1000, 0x2000, 3, AF, 0);
	ck_assert_int_eq(walk(&world, tag | 0x1000, STAGE1_READ, &got, &status), -EFAULT);
	world.stage1.tcr |= TCR_TBI0;
	ck_assert_int_eq(walk(&world, tag | 0x1000, STAGE1_READ, &got, &status), 0);
	ck_assert_uint_eq(got, 0x2000);
	ck_assert_int_eq(walk(&world, tag | 0x1000, STAGE1_FETCH, &got, &status), 0);
	world.stage1.tcr |= TCR_TBID0;
	ck_assert_int_eq(walk(&world, tag | 0x1000, STAGE1_FETCH, &got, &status), -EFAULT);
	ck_assert_int_eq(walk(&world, tag | 0x1000, STAGE1_READ, &got, &status), 0);
	/* Codes are between the tag, or the end, and the address. */
	ck_assert_uint_eq(stage1_strip_code(&world.stage1, tag | UINT64_C(0x5a8000001000)),
			  tag | 0x1000);
	ck_assert_uint_eq(stage1_strip_code(&world.stage1, UINT64_C(0x55aa800000001000)),
			  UINT64_C(0xffffff8000001000));
	close_world(&world);
}
END_TEST

/* ---- Permissions ---------------------------------------------------------- */

#define R       STAGE1_READ
#define W       STAGE1_WRITE
#define U       STAGE1_EL0
#define P       STAGE1_PAN
#define ALL_HPD (TCR_HPD0 | TCR_HPD1)

static const struct {
	uint64_t leaf;
	uint64_t tables;
	uint64_t tcr;
	uint64_t sctlr;
	unsigned access;
	unsigned status; /* 0: it is allowed */
} rights[] = {
	{AF, 0, 0, 0, R, 0},
	{AF, 0, 0, 0, W, 0},
	{AF, 0, 0, 0, R | P, 0},
	{AF, 0, 0, 0, R | U, PERMISSION | 3},
	{AF | RDONLY, 0, 0, 0, R, 0},
	{AF | RDONLY, 0, 0, 0, W, PERMISSION | 3},
	{AF | RDONLY, 0, 0, 0, R | W, PERMISSION | 3},
	{AF | EL0, 0, 0, 0, W | U, 0},
	{AF | EL0, 0, 0, 0, W, 0},
	{AF | EL0, 0, 0, 0, R | P, PERMISSION | 3},
	{AF | EL0, 0, 0, 0, R | P | U, 0},
	{AF | EL0 | RDONLY, 0, 0, 0, W | U, PERMISSION | 3},
	{AF | EL0 | RDONLY, 0, 0, 0, R | U, 0},
	{AF | EL0, BIT(61), 0, 0, R | U, PERMISSION | 3}, /* APTable[0] */
	{AF | EL0, BIT(61), 0, 0, W, 0},
	{AF | EL0, BIT(62), 0, 0, W, PERMISSION | 3}, /* APTable[1] */
	{AF | EL0, BIT(61) | BIT(62), ALL_HPD, 0, W | U, 0},
	{AF, 0, 0, SCTLR_EPAN, R | P, PERMISSION | 3}, /* EL0 may execute it */
	{AF | UXN, 0, 0, SCTLR_EPAN, R | P, 0},
	{AF, BIT(60), 0, SCTLR_EPAN, R | P, 0},
	{AF, 0, 0, 0, R | P, 0},
	{AF | EL0, 0, TCR_E0PD0, 0, R | U, TRANSLATION},
	{AF | EL0, 0, TCR_E0PD0, 0, R, 0},
	{0, 0, 0, 0, R, ACCESS_FLAG | 3},
	{RDONLY, 0, 0, 0, W, ACCESS_FLAG | 3},
	{AF | RDONLY | DBM, 0, 0, 0, W, PERMISSION | 3},
	{AF, 0, 0, 0, STAGE1_FETCH | U, 0},
};

START_TEST(test_rights)
{
	struct world world;
	unsigned status;
	gpa_t got = 1;
	int r;

	open_world(&world);
	set_registers(&world, 48);
	world.stage1.tcr |= rights[_i].tcr;
	world.stage1.sctlr |= rights[_i].sctlr;
	map(&world, 0x1000, 0x2000, 3, rights[_i].leaf, rights[_i].tables);
	r = walk(&world, 0x1008, rights[_i].access, &got, &status);
	ck_assert_uint_eq(status, rights[_i].status);
	ck_assert_int_eq(r, rights[_i].status ? -EFAULT : 0);
	ck_assert_uint_eq(got, rights[_i].status ? 1 : 0x2008);
	close_world(&world);
}
END_TEST

/* The hardware's management of flags, which is ours then; big-endian tables as well. */
START_TEST(test_managed)
{
	struct world world;
	unsigned status;
	gpa_t got;
	uint64_t *leaf;

	open_world(&world);
	set_registers(&world, 48);
	world.stage1.tcr |= TCR_HA | TCR_HD;
	map(&world, 0x1000, 0x2000, 3, RDONLY | DBM, 0);
	leaf = at(&world, world.leaf);
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_READ, &got, &status), 0);
	ck_assert_uint_eq(*leaf, 0x2000 | RDONLY | DBM | AF | TABLE);
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_WRITE, &got, &status), 0);
	ck_assert_uint_eq(*leaf, 0x2000 | DBM | AF | TABLE);
	*leaf = 0x2000 | RDONLY | TABLE;
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_WRITE, &got, &status), -EFAULT);
	ck_assert_uint_eq(*leaf, 0x2000 | RDONLY | TABLE); /* no access, no flag */
	world.stage1.sctlr |= SCTLR_EE;
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_READ, &got, &status), -EFAULT);
	for (gpa_t i = ROOT; i < RAM + RAM_SIZE; i += 8)
		*at(&world, i) = __builtin_bswap64(*at(&world, i));
	ck_assert_int_eq(walk(&world, 0x1000, STAGE1_READ, &got, &status), 0);
	ck_assert_uint_eq(got, 0x2000);
	ck_assert_uint_eq(*leaf, __builtin_bswap64(0x2000 | RDONLY | AF | TABLE));
	close_world(&world);
}
END_TEST

/* FEAT_S1PIE: the descriptor has an index only; here, 5, into what each row says. */
static const struct {
	uint64_t el1;
	uint64_t el0;
	unsigned access;
	unsigned status;
} indirect[] = {
	{0xc, 0x0, R | W, 0},
	{0xc, 0x0, R | U, PERMISSION | 3},
	{0x8, 0xc, W, PERMISSION | 3},
	{0x8, 0xc, W | U, 0},
	{0xc, 0xc, R | P, PERMISSION | 3},
	{0xc, 0x2, R | P, 0},
	{0x0, 0x8, R, PERMISSION | 3},
	{0xe, 0xa, R | U, 0},
	{0x9, 0x9, W, PERMISSION | 3},
	{0x5, 0x6, W | U, 0},
};

START_TEST(test_indirect)
{
	/* PIIndex 5: bits 54:53 are 1, bit 51 is 0, bit 6 is 1. */
	const uint64_t index5 = PXN | EL0;
	struct world world;
	unsigned status;
	gpa_t got;

	open_world(&world);
	set_registers(&world, 48);
	world.stage1.indirect = true;
	world.stage1.pir = indirect[_i].el1 << 20 | UINT64_C(0xfffffffff0000000);
	world.stage1.pire0 = indirect[_i].el0 << 20;
	map(&world, 0x1000, 0x2000, 3, AF | index5, BIT(61) | BIT(62));
	walk(&world, 0x1000, indirect[_i].access, &got, &status);
	ck_assert_uint_eq(status, indirect[_i].status);
	/* A clean page is not written, unless the hardware may make it dirty. */
	*at(&world, world.leaf) |= RDONLY;
	if (indirect[_i].access & W && indirect[_i].status == 0) {
		walk(&world, 0x1000, indirect[_i].access, &got, &status);
		ck_assert_uint_eq(status, PERMISSION | 3);
		world.stage1.tcr |= TCR_HA | TCR_HD;
		ck_assert_int_eq(walk(&world, 0x1000, indirect[_i].access, &got, &status), 0);
		ck_assert_uint_eq(*at(&world, world.leaf) & RDONLY, 0);
	}
	close_world(&world);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_shapes, ARRAY_SIZE(shapes)),
	UNIT_CASE(test_reserved),
	UNIT_CASE(test_loop),
	UNIT_CASE(test_off),
	UNIT_CASE(test_looks_only),
	UNIT_CASE(test_tags),
	UNIT_LOOP(test_rights, ARRAY_SIZE(rights)),
	UNIT_CASE(test_managed),
	UNIT_LOOP(test_indirect, ARRAY_SIZE(indirect)),
	{0},
};
const char unit_name[] = "stage1";
