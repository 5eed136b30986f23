/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/stage1.h"

#include <assert.h>

#include "arm64/sysreg.h"

/* Fault status codes: a kind, and the level in bits 1:0 (DDI 0487, ESR_ELx.DFSC). */
enum {
	FAULT_ADDRESS_SIZE = 0x00,
	FAULT_TRANSLATION = 0x04,
	FAULT_ACCESS_FLAG = 0x08,
	FAULT_PERMISSION = 0x0c,
	FAULT_EXTERNAL_WALK = 0x14,
};

/* A descriptor of VMSAv8-64 (DDI 0487, D8.3.1). */
#define DESC_VALID      BIT(0)
#define DESC_TABLE      BIT(1) /* or, at level 3, a page */
#define DESC_AP1        BIT(6) /* EL0 may, too */
#define DESC_AP2        BIT(7) /* read-only */
#define DESC_AF         BIT(10)
#define DESC_DBM        BIT(51)
#define DESC_PXN        BIT(53)
#define DESC_UXN        BIT(54)
#define DESC_TABLE_AP0  BIT(61)
#define DESC_TABLE_AP1  BIT(62)
#define DESC_TABLE_UXN  BIT(60)
#define DESC_TABLE_PXN  BIT(59)
#define DESC_ADDRESS    (BIT(48) - 1)
#define DESC_ADDRESS_50 (BIT(50) - 1)

#define OUTPUT_MAX 52 /* bits */

/* What the registers say about the half of the address space that an address is in. */
struct geometry {
	unsigned granule; /* log2 of its bytes */
	unsigned stride;  /* bits that a level resolves */
	unsigned input;   /* bits of the address */
	unsigned output;  /* bits of the address that it leads to */
	int level;        /* that the walk begins at */
	bool lpa2;        /* TCR_EL1.DS */
	bool wide;        /* 64 KiB granule with 52 bits out */
	bool flat;        /* TCR_EL1.HPDn: tables have no permissions */
	gpa_t table;
};

struct walk {
	const struct stage1 *stage1;
	const struct guest_mem *mem;
	struct geometry geometry;
	gva_t addr;
	unsigned access;
	int level;
	gpa_t at;     /* of the last descriptor */
	uint64_t raw; /* as it is in memory */
	uint64_t desc;
	uint64_t tables; /* the permissions of those on the way, or-ed together */
	unsigned status;
	struct stage1_path *path; /* NULL: nobody looks */
};

static int fault(struct walk *walk, unsigned kind, int level)
{
	/* Level -1, which only the first descriptor can be of, has codes of its own. */
	static const uint8_t before_0[] = {[FAULT_ADDRESS_SIZE] = 0x29,
					   [FAULT_TRANSLATION] = 0x2b,
					   [FAULT_EXTERNAL_WALK] = 0x13};

	walk->status = level < 0 ? before_0[kind] : kind | (unsigned)level;
	return -EFAULT;
}

/* ---- Geometry (DDI 0487, D8.2) -------------------------------------------- */

static unsigned tcr_field(const struct stage1 *stage1, unsigned high, unsigned low)
{
	return (unsigned)(stage1->tcr >> low) & (unsigned)(BIT(high - low + 1) - 1);
}

static unsigned granule_of(const struct stage1 *stage1, bool upper)
{
	static const uint8_t lower_bits[] = {12, 16, 14, 12}; /* TG0; 0b11 is reserved */
	static const uint8_t upper_bits[] = {12, 14, 12, 16}; /* TG1; 0b00 is reserved */

	return upper ? upper_bits[tcr_field(stage1, 31, 30)]
		     : lower_bits[tcr_field(stage1, 15, 14)];
}

static unsigned output_of(const struct stage1 *stage1)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52, 52};

	return bits[tcr_field(stage1, 34, 32)];
}

static gpa_t table_of(const struct stage1 *stage1, const struct geometry *geometry, bool upper)
{
	uint64_t ttbr = stage1->ttbr[upper];
	unsigned below = (unsigned)(3 - geometry->level) * geometry->stride + geometry->granule;
	unsigned align = geometry->input - below + 3;
	gpa_t table = ttbr & DESC_ADDRESS & ~UINT64_C(1); /* bit 0 is CnP */

	if (geometry->output == 52 && (geometry->lpa2 || geometry->wide)) {
		table = (table & ~UINT64_C(0x3f)) | (ttbr >> 2 & 0xf) << 48;
		align = (unsigned)max_u64(align, 6);
	}
	return align_down(table, BIT(align));
}

static bool is_upper(gva_t addr)
{
	return addr >> 55 & 1;
}

static bool is_lpa2(const struct stage1 *stage1, unsigned granule)
{
	return stage1->tcr & TCR_DS && granule != 16;
}

/* 64 - TnSZ; out of its range, that counts as the nearest that is in it (D8.2.4). */
static unsigned input_of(const struct stage1 *stage1, bool upper)
{
	unsigned granule = granule_of(stage1, upper);
	unsigned size = upper ? tcr_field(stage1, 21, 16) : tcr_field(stage1, 5, 0);
	unsigned least = is_lpa2(stage1, granule) || granule == 16 ? 12 : 16;
	unsigned most = granule == 16 ? 47 : 48;

	return 64 - (unsigned)max_u64(min_u64(size, most), least);
}

/* Whether bits 63:56 of an address are a tag, which is looked past. */
static bool is_tagged(const struct stage1 *stage1, bool upper, bool fetch)
{
	return stage1->tcr & (upper ? TCR_TBI1 : TCR_TBI0) &&
	       !(fetch && stage1->tcr & (upper ? TCR_TBID1 : TCR_TBID0));
}

static gva_t without_tag(const struct stage1 *stage1, gva_t addr, bool fetch)
{
	const gva_t tag = UINT64_C(0xff) << 56;
	bool upper = is_upper(addr);

	if (!is_tagged(stage1, upper, fetch))
		return addr;
	return upper ? addr | tag : addr & ~tag;
}

gva_t stage1_strip_tag(const struct stage1 *stage1, gva_t addr)
{
	return without_tag(stage1, addr, false);
}

gva_t stage1_strip_code(const struct stage1 *stage1, gva_t addr)
{
	bool upper = is_upper(addr);
	gva_t code = ~(BIT(input_of(stage1, upper)) - 1);

	if (is_tagged(stage1, upper, false))
		code &= BIT(56) - 1;
	return upper ? addr | code : addr & ~code;
}

/* False: the address is outside of what the registers describe. */
static bool find_geometry(const struct stage1 *stage1, gva_t addr, struct geometry *ret)
{
	bool upper = is_upper(addr);
	unsigned levels;

	ret->granule = granule_of(stage1, upper);
	ret->stride = ret->granule - 3;
	ret->input = input_of(stage1, upper);
	ret->lpa2 = is_lpa2(stage1, ret->granule);
	ret->output = output_of(stage1);
	ret->wide = ret->granule == 16 && ret->output == 52;
	if (ret->output == 52 && !ret->lpa2 && !ret->wide)
		ret->output = 48;
	ret->flat = stage1->tcr & (upper ? TCR_HPD1 : TCR_HPD0);
	levels = (ret->input - ret->granule + ret->stride - 1) / ret->stride;
	ret->level = 4 - (int)levels;
	ret->table = table_of(stage1, ret, upper);
	return (int64_t)addr >> ret->input == (upper ? -1 : 0) &&
	       !(stage1->tcr & (upper ? TCR_EPD1 : TCR_EPD0));
}

/* ---- Descriptors ---------------------------------------------------------- */

static uint64_t in_order(const struct walk *walk, uint64_t raw)
{
	return walk->stage1->sctlr & SCTLR_EE ? __builtin_bswap64(raw) : raw;
}

static uint64_t *descriptor(const struct walk *walk)
{
	return guest_mem_at(walk->mem, walk->at, sizeof(uint64_t));
}

static void note_step(const struct walk *walk)
{
	struct stage1_path *path = walk->path;
	path->steps[path->count++] =
		(struct stage1_step){.level = walk->level, .at = walk->at, .desc = walk->desc};
}

static int lead(const struct walk *walk, int r, gpa_t next)
{
	struct stage1_path *path = walk->path;

	if (path && r == 0) {
		path->steps[path->count - 1].leads = true;
		path->steps[path->count - 1].next = next;
	}
	return r;
}

static int read_descriptor(struct walk *walk, gpa_t table)
{
	const struct geometry *geometry = &walk->geometry;
	unsigned below = (unsigned)(3 - walk->level) * geometry->stride + geometry->granule;
	unsigned bits = (unsigned)min_u64(geometry->stride, geometry->input - below);
	const uint64_t *desc;

	assert(walk->level <= 3);
	walk->at = table + (walk->addr >> below & (BIT(bits) - 1)) * sizeof(uint64_t);
	desc = descriptor(walk);
	if (!desc)
		return fault(walk, FAULT_EXTERNAL_WALK, walk->level);
	walk->raw = __atomic_load_n(desc, __ATOMIC_ACQUIRE);
	walk->desc = in_order(walk, walk->raw);
	if (walk->path)
		note_step(walk);
	return 0;
}

/* The address in a descriptor, whose bits below @low are others (D8.3.1). */
static int output_address(struct walk *walk, unsigned low, gpa_t *ret)
{
	const struct geometry *geometry = &walk->geometry;
	uint64_t desc = walk->desc;

	*ret = align_down(desc & DESC_ADDRESS, BIT(low));
	if (geometry->lpa2)
		*ret = align_down(desc & DESC_ADDRESS_50, BIT(low)) | (desc >> 8 & 3) << 50;
	else if (geometry->wide)
		*ret |= (desc >> 12 & 0xf) << 48;
	return *ret >> geometry->output ? fault(walk, FAULT_ADDRESS_SIZE, walk->level) : 0;
}

static bool can_be_block(const struct geometry *geometry, int level)
{
	switch (geometry->granule) {
	case 12:
		return level == 2 || level == 1 || (level == 0 && geometry->lpa2);
	case 14:
		return level == 2 || (level == 1 && geometry->lpa2);
	default:
		return level == 2 || (level == 1 && geometry->wide);
	}
}

/* Find the descriptor of the page or block. */
static int descend(struct walk *walk, gpa_t *ret)
{
	const struct geometry *geometry = &walk->geometry;
	gpa_t table = geometry->table;

	if (table >> geometry->output)
		return fault(walk, FAULT_ADDRESS_SIZE, 0);
	for (walk->level = geometry->level;; walk->level++) {
		unsigned below = (unsigned)(3 - walk->level) * geometry->stride + geometry->granule;
		bool bit1;
		int r = read_descriptor(walk, table);

		if (r < 0)
			return r;
		bit1 = walk->desc & DESC_TABLE;
		if (!(walk->desc & DESC_VALID))
			return fault(walk, FAULT_TRANSLATION, walk->level);
		if (walk->level == 3 ? bit1 : !bit1 && can_be_block(geometry, walk->level)) {
			r = output_address(walk, below, ret);
			r = lead(walk, r, *ret);
			*ret |= walk->addr & (BIT(below) - 1);
			return r;
		}
		if (walk->level == 3 || !bit1)
			return fault(walk, FAULT_TRANSLATION, walk->level);
		r = output_address(walk, geometry->granule, &table);
		if (lead(walk, r, table) < 0)
			return r;
		if (!geometry->flat)
			walk->tables |= walk->desc;
	}
}

/* ---- Permissions (DDI 0487, D8.4) ----------------------------------------- */

static struct stage1_rights direct_rights(const struct walk *walk)
{
	bool managed = walk->desc & DESC_DBM && walk->stage1->tcr & TCR_HD;
	bool writable = !(walk->desc & DESC_AP2) || managed;
	bool el0 = walk->desc & DESC_AP1 && !(walk->tables & DESC_TABLE_AP0);

	writable = writable && !(walk->tables & DESC_TABLE_AP1);
	/* What EL0 may write is nothing that EL1 executes. */
	return (struct stage1_rights){
		.read = {el0, true},
		.write = {el0 && writable, writable},
		.execute = {!(walk->desc & DESC_UXN) && !(walk->tables & DESC_TABLE_UXN),
			    !(walk->desc & DESC_PXN) && !(walk->tables & DESC_TABLE_PXN) &&
				    !(el0 && writable)},
	};
}

/* FEAT_S1PIE: four bits of the descriptor choose four bits of the registers (D8.4.1.3). */
static struct stage1_rights indirect_rights(const struct walk *walk)
{
	const unsigned readable = 0x57ea; /* each a bit for a value of these four bits */
	const unsigned writable = 0x50e0;
	const unsigned executable = 0x448c;
	unsigned index = (unsigned)(walk->desc >> 6 & 1) | (unsigned)(walk->desc >> 51 & 1) << 1 |
			 (unsigned)(walk->desc >> 53 & 3) << 2;
	unsigned el0 = walk->stage1->pire0 >> 4 * index & 0xf;
	unsigned el1 = walk->stage1->pir >> 4 * index & 0xf;
	bool clean = walk->desc & DESC_AP2 && !(walk->stage1->tcr & TCR_HD); /* nDirty */

	return (struct stage1_rights){
		.read = {readable >> el0 & 1, readable >> el1 & 1},
		.write = {writable >> el0 & !clean, writable >> el1 & !clean},
		.execute = {executable >> el0 & 1, executable >> el1 & 1},
	};
}

static struct stage1_rights rights_of(const struct walk *walk)
{
	return walk->stage1->indirect ? indirect_rights(walk) : direct_rights(walk);
}

static bool permitted(const struct walk *walk)
{
	struct stage1_rights rights = rights_of(walk);
	unsigned el = walk->access & STAGE1_EL0 ? 0 : 1;
	bool of_el0 = rights.read[0] || rights.write[0] ||
		      (walk->stage1->sctlr & SCTLR_EPAN && rights.execute[0]);

	if (walk->access & STAGE1_FETCH)
		return true;
	if (el == 1 && walk->access & STAGE1_PAN && of_el0)
		return false;
	return (!(walk->access & STAGE1_READ) || rights.read[el]) &&
	       (!(walk->access & STAGE1_WRITE) || rights.write[el]);
}

/* Hardware management of the Access flag and dirty state (D8.5.1, D8.5.2). */
static int update_descriptor(struct walk *walk)
{
	uint64_t wanted = walk->desc | DESC_AF;
	uint64_t expected = walk->raw;

	if (walk->access & STAGE1_WRITE)
		wanted &= ~DESC_AP2;
	if (wanted == walk->desc)
		return 0;
	if (!__atomic_compare_exchange_n(descriptor(walk), &expected, in_order(walk, wanted), false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -EAGAIN;
	return 0;
}

static int walk_once(struct walk *walk, gpa_t *ret)
{
	gpa_t addr;
	int r;

	walk->tables = 0;
	r = descend(walk, &addr);
	if (r < 0)
		return r;
	if (!(walk->desc & DESC_AF) && !(walk->stage1->tcr & TCR_HA))
		return fault(walk, FAULT_ACCESS_FLAG, walk->level);
	if (!permitted(walk))
		return fault(walk, FAULT_PERMISSION, walk->level);
	r = update_descriptor(walk);
	if (r == 0)
		*ret = addr;
	return r;
}

#define WALK_TRIES 16 /* a guest that changes a descriptor faster does not want it read */

int stage1_walk(const struct stage1 *stage1, const struct guest_mem *mem, gva_t addr,
		unsigned access, gpa_t *ret, unsigned *ret_status)
{
	struct walk walk = {.stage1 = stage1, .mem = mem, .access = access};
	int r = -EAGAIN;

	*ret_status = 0;
	walk.addr = without_tag(stage1, addr, access & STAGE1_FETCH);
	if (!(stage1->sctlr & SCTLR_M)) {
		if (walk.addr >> OUTPUT_MAX)
			return fault(&walk, FAULT_ADDRESS_SIZE, 0);
		*ret = walk.addr;
		return 0;
	}
	if (!find_geometry(stage1, walk.addr, &walk.geometry) ||
	    (access & STAGE1_EL0 && stage1->tcr & (is_upper(addr) ? TCR_E0PD1 : TCR_E0PD0)))
		r = fault(&walk, FAULT_TRANSLATION, 0);
	for (unsigned i = 0; r == -EAGAIN && i < WALK_TRIES; i++)
		r = walk_once(&walk, ret);
	if (r == -EAGAIN)
		r = fault(&walk, FAULT_TRANSLATION, walk.level);
	*ret_status = walk.status;
	return r;
}

int stage1_look(const struct stage1 *stage1, const struct guest_mem *mem, gva_t addr,
		struct stage1_path *ret)
{
	struct walk walk = {.stage1 = stage1, .mem = mem, .path = ret};
	int r;

	*ret = (struct stage1_path){0};
	walk.addr = without_tag(stage1, addr, false);
	if (!(stage1->sctlr & SCTLR_M)) {
		ret->flat = true;
		ret->addr = walk.addr;
		ret->rights = (struct stage1_rights){{true, true}, {true, true}, {true, true}};
		return walk.addr >> OUTPUT_MAX ? fault(&walk, FAULT_ADDRESS_SIZE, 0) : 0;
	}
	if (find_geometry(stage1, walk.addr, &walk.geometry))
		r = descend(&walk, &ret->addr);
	else
		r = fault(&walk, FAULT_TRANSLATION, 0);
	ret->upper = is_upper(walk.addr);
	ret->granule = walk.geometry.granule;
	ret->input = walk.geometry.input;
	ret->status = walk.status;
	if (r == 0) {
		ret->rights = rights_of(&walk);
		ret->size = BIT((unsigned)(3 - walk.level) * walk.geometry.stride +
				walk.geometry.granule);
	}
	return r;
}
