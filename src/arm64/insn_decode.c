/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder: a table of the encoding groups, each with a function that reads its fields.
 * Field names are those of the Arm ARM's diagrams.
 */
#include "arm64/insn.h"

#define REG_31 31

static unsigned field(uint32_t word, unsigned high, unsigned low)
{
	return word >> low & (unsigned)(BIT(high - low + 1) - 1);
}

static bool flag(uint32_t word, unsigned bit)
{
	return word >> bit & 1;
}

/* A field as a signed number. */
static int64_t signed_field(uint32_t word, unsigned high, unsigned low)
{
	int64_t sign = (int64_t)BIT(high - low);

	return ((int64_t)field(word, high, low) ^ sign) - sign;
}

static bool writes_back(const struct insn *insn)
{
	return insn->address == INSN_PRE || insn->address == INSN_POST ||
	       insn->address == INSN_POST_REG;
}

/* With writeback, the base must not be moved as well: nobody knows what comes of it. */
static void check_writeback(struct insn *insn)
{
	bool same = insn->rn == insn->rt || (insn->count == 2 && insn->rn == insn->rt2);

	if (writes_back(insn) && !insn->simd && same && insn->rn != REG_31)
		insn->kind = INSN_UNPREDICTABLE;
}

static void check_pair(struct insn *insn)
{
	if (insn->load && insn->rt == insn->rt2)
		insn->kind = INSN_UNPREDICTABLE;
	check_writeback(insn);
}

/* ---- Load/store exclusive, ordered, compare and swap (C4.1.95) ------------- */

static void decode_exclusive(uint32_t word, struct insn *insn)
{
	bool pair = flag(word, 21);

	insn->kind = insn->load ? INSN_LOAD_EXCLUSIVE : INSN_STORE_EXCLUSIVE;
	insn->count = pair ? 2 : 1;
	if (insn->load) {
		if (pair && insn->rt == insn->rt2)
			insn->kind = INSN_UNPREDICTABLE;
		return;
	}
	if (insn->rs == insn->rt || (pair && insn->rs == insn->rt2) ||
	    (insn->rs == insn->rn && insn->rn != REG_31))
		insn->kind = INSN_UNPREDICTABLE;
}

static void decode_compare(uint32_t word, struct insn *insn)
{
	if (insn->rt2 != REG_31)
		return; /* unallocated */
	insn->load = true;
	if (flag(word, 23)) { /* CAS */
		insn->kind = INSN_COMPARE;
		return;
	}
	/* CASP: sz is bit 30 alone; odd registers are UNDEFINED. */
	insn->size = flag(word, 30) ? 8 : 4;
	insn->width = insn->size;
	insn->count = 2;
	if (insn->rs % 2 == 0 && insn->rt % 2 == 0)
		insn->kind = INSN_COMPARE;
}

static void decode_ordered_group(uint32_t word, struct insn *insn)
{
	unsigned size = field(word, 31, 30);
	bool o2 = flag(word, 23);
	bool o1 = flag(word, 21);

	insn->size = (uint8_t)(1 << size);
	insn->width = size == 3 ? 8 : 4;
	insn->load = flag(word, 22);
	if (!o2 && (!o1 || size >= 2))
		decode_exclusive(word, insn);
	else if (o1)
		decode_compare(word, insn);
	else
		insn->kind = INSN_TRANSFER; /* LDAR, STLR, LDLAR, STLLR */
}

/* ---- One register --------------------------------------------------------- */

/* SIMD&FP: opc<1> and size make the size, opc<0> is the direction. */
static void decode_simd_form(uint32_t word, struct insn *insn)
{
	unsigned size = field(word, 31, 30);
	unsigned opc = field(word, 23, 22);

	if (opc & 2 && size != 0)
		return;
	insn->kind = INSN_TRANSFER;
	insn->size = opc & 2 ? 16 : (uint8_t)(1 << size);
	insn->load = opc & 1;
}

static void decode_general_form(uint32_t word, struct insn *insn)
{
	unsigned size = field(word, 31, 30);
	unsigned opc = field(word, 23, 22);

	insn->size = (uint8_t)(1 << size);
	insn->load = opc != 0;
	insn->sign = opc >= 2;
	insn->width = opc == 2 || size == 3 ? 8 : 4;
	if (opc < 2 || (opc == 2 && size < 3) || (opc == 3 && size < 2))
		insn->kind = INSN_TRANSFER;
	else if (opc == 2)
		insn->kind = INSN_HINT; /* PRFM, in the forms that have it */
}

static void decode_form(uint32_t word, struct insn *insn)
{
	insn->simd = flag(word, 26);
	if (insn->simd)
		decode_simd_form(word, insn);
	else
		decode_general_form(word, insn);
}

static void decode_unsigned(uint32_t word, struct insn *insn)
{
	decode_form(word, insn);
	insn->offset = (int64_t)field(word, 21, 10) * insn->size;
}

/* Unscaled, post-indexed, unprivileged, pre-indexed: bits 11:10. */
static void decode_imm9(uint32_t word, struct insn *insn)
{
	static const enum insn_address addresses[] = {INSN_BASE, INSN_POST, INSN_BASE, INSN_PRE};
	unsigned form = field(word, 11, 10);

	decode_form(word, insn);
	insn->offset = signed_field(word, 20, 12);
	insn->address = addresses[form];
	insn->unprivileged = form == 2;
	if (form != 0 && insn->kind == INSN_HINT)
		insn->kind = INSN_OTHER;
	if (insn->unprivileged && insn->simd)
		insn->kind = INSN_OTHER;
	if (insn->kind == INSN_TRANSFER)
		check_writeback(insn);
}

static void decode_register(uint32_t word, struct insn *insn)
{
	decode_form(word, insn);
	insn->address = INSN_REGISTER;
	insn->option = (uint8_t)field(word, 15, 13);
	insn->shift = flag(word, 12) ? (uint8_t)__builtin_ctz(insn->size | 0x100) : 0;
	if (!(insn->option & 2))
		insn->kind = INSN_OTHER;
}

/* LDAPR is among the atomics, by its encoding. */
static void decode_atomic(uint32_t word, struct insn *insn)
{
	unsigned size = field(word, 31, 30);
	unsigned opc = field(word, 14, 12);
	bool o3 = flag(word, 15);

	if (flag(word, 26))
		return;
	insn->size = (uint8_t)(1 << size);
	insn->width = size == 3 ? 8 : 4;
	insn->load = true;
	if (!o3 || opc == 0) {
		insn->kind = INSN_ATOMIC;
		insn->operation = o3 ? INSN_SWP : (enum insn_operation)opc;
	} else if (opc == 4 && field(word, 23, 22) == 2) {
		insn->kind = INSN_TRANSFER;
	}
}

static void decode_authenticated(uint32_t word, struct insn *insn)
{
	if (field(word, 31, 30) != 3 || flag(word, 26))
		return;
	insn->kind = INSN_TRANSFER;
	insn->load = true;
	insn->authenticated = true;
	insn->size = 8;
	insn->width = 8;
	insn->address = flag(word, 11) ? INSN_PRE : INSN_BASE;
	/* S is the sign, above imm9. */
	insn->offset = ((int64_t)field(word, 20, 12) - (flag(word, 22) ? 512 : 0)) * 8;
	check_writeback(insn);
}

static void decode_literal(uint32_t word, struct insn *insn)
{
	unsigned opc = field(word, 31, 30);

	insn->simd = flag(word, 26);
	insn->load = true;
	insn->address = INSN_LITERAL;
	insn->offset = signed_field(word, 23, 5) * 4;
	insn->rn = REG_31;
	if (insn->simd) {
		insn->kind = opc == 3 ? INSN_OTHER : INSN_TRANSFER;
		insn->size = (uint8_t)(4 << opc);
		return;
	}
	insn->kind = opc == 3 ? INSN_HINT : INSN_TRANSFER;
	insn->sign = opc == 2; /* LDRSW */
	insn->size = opc == 1 ? 8 : 4;
	insn->width = opc == 0 ? 4 : 8;
}

/* LDAPUR, STLUR (RCpc of Armv8.4): as unscaled ones, without PRFUM. */
static void decode_rcpc_unscaled(uint32_t word, struct insn *insn)
{
	decode_form(word, insn);
	insn->offset = signed_field(word, 20, 12);
	if (insn->kind == INSN_HINT)
		insn->kind = INSN_OTHER;
}

/* LDIAPP, STILP (RCPC3): pairs in the same group; opc2 tells those that write back. */
static void decode_rcpc_pair(uint32_t word, struct insn *insn)
{
	unsigned opc = field(word, 23, 22);
	unsigned opc2 = field(word, 15, 12);

	if (!flag(word, 31) || opc > 1 || opc2 > 1)
		return;
	insn->kind = INSN_TRANSFER;
	insn->load = opc == 1;
	insn->count = 2;
	insn->rt2 = (uint8_t)field(word, 20, 16);
	insn->size = flag(word, 30) ? 8 : 4;
	insn->width = insn->size;
	if (opc2 == 0) {
		insn->address = insn->load ? INSN_POST : INSN_PRE;
		insn->offset = (insn->load ? 2 : -2) * insn->size;
	}
	check_pair(insn);
}

/* ---- Pairs ---------------------------------------------------------------- */

static void decode_pair(uint32_t word, struct insn *insn)
{
	/* Bits 24:23: no-allocate, post-indexed, offset, pre-indexed. */
	static const enum insn_address addresses[] = {INSN_BASE, INSN_POST, INSN_BASE, INSN_PRE};
	unsigned opc = field(word, 31, 30);
	unsigned form = field(word, 24, 23);

	insn->simd = flag(word, 26);
	insn->load = flag(word, 22);
	insn->count = 2;
	insn->address = addresses[form];
	if (opc == 3)
		return;
	if (insn->simd) {
		insn->size = (uint8_t)(4 << opc);
	} else {
		if (opc == 1 && (!insn->load || form == 0))
			return;        /* STGP writes tags, too */
		insn->sign = opc == 1; /* LDPSW */
		insn->size = opc == 2 ? 8 : 4;
		insn->width = opc == 0 ? 4 : 8;
	}
	insn->kind = INSN_TRANSFER;
	insn->offset = signed_field(word, 21, 15) * insn->size;
	check_pair(insn);
}

/* ---- SIMD structures (C4.1.95, "Advanced SIMD load/store ... structures") -- */

static void decode_post_index(uint32_t word, struct insn *insn, unsigned bytes)
{
	insn->rm = (uint8_t)field(word, 20, 16);
	if (!flag(word, 23))
		return;
	insn->address = insn->rm == REG_31 ? INSN_POST : INSN_POST_REG;
	insn->offset = bytes;
}

static void decode_structures(uint32_t word, struct insn *insn)
{
	/* By opcode, bits 15:12: elements of a structure, and registers in a row. */
	static const struct {
		uint8_t count;
		uint8_t repeat;
	} forms[16] = {
		[0] = {4, 1}, [2] = {1, 4}, [4] = {3, 1},  [6] = {1, 3},
		[7] = {1, 1}, [8] = {2, 1}, [10] = {1, 2},
	};
	unsigned opcode = field(word, 15, 12);
	unsigned size = field(word, 11, 10);
	bool q = flag(word, 30);

	if (!flag(word, 23) && field(word, 20, 16) != 0)
		return;
	if (forms[opcode].count == 0 || (size == 3 && !q && forms[opcode].count != 1))
		return;
	insn->kind = INSN_STRUCTURE;
	insn->simd = true;
	insn->whole = true;
	insn->load = flag(word, 22);
	insn->count = forms[opcode].count;
	insn->repeat = forms[opcode].repeat;
	insn->size = (uint8_t)(1 << size);
	insn->bytes = q ? 16 : 8;
	decode_post_index(word, insn, (unsigned)insn->count * insn->repeat * insn->bytes);
}

/* Which lane, and of what size; false: unallocated. */
static bool decode_lane(uint32_t word, struct insn *insn)
{
	unsigned scale = field(word, 15, 14);
	unsigned size = field(word, 11, 10);
	unsigned index = (unsigned)flag(word, 30) << 3 | (unsigned)flag(word, 12) << 2 | size;

	if (scale == 3) { /* to all lanes */
		insn->replicate = true;
		insn->size = (uint8_t)(1 << size);
		return insn->load && !flag(word, 12);
	}
	if (scale == 2 && size == 1 && !flag(word, 12))
		scale = 3; /* doublewords are in the group of words */
	else if (size & (BIT(scale) - 1))
		return false;
	insn->size = (uint8_t)(1 << scale);
	insn->lane = (uint8_t)(index >> scale);
	return true;
}

static void decode_single_structure(uint32_t word, struct insn *insn)
{
	/* LDAP1 and STL1 (RCPC3) have a bit more, in one form only. */
	bool ordered = !flag(word, 23) && field(word, 20, 16) == 1 && !flag(word, 21) &&
		       field(word, 15, 10) == 0x21;

	if (!flag(word, 23) && field(word, 20, 16) != 0 && !ordered)
		return;
	insn->load = flag(word, 22);
	if (!decode_lane(word, insn))
		return;
	insn->kind = INSN_STRUCTURE;
	insn->simd = true;
	insn->count = (uint8_t)((flag(word, 13) << 1 | flag(word, 21)) + 1);
	insn->repeat = 1;
	insn->bytes = flag(word, 30) ? 16 : 8;
	decode_post_index(word, insn, (unsigned)insn->count * insn->size);
}

/* ---- The table ------------------------------------------------------------ */

static void decode_zero(uint32_t word, struct insn *insn)
{
	(void)word;
	insn->kind = INSN_ZERO;
	insn->rn = insn->rt; /* the address is in Xt */
}

/* ---- SVE (C4.1.39 and on: "SVE memory") ------------------------------------ */

/*
 * dtype: the size in memory, and that in the register; where that would be the smaller one,
 * both are turned around, and the sign is extended.
 */
static void decode_dtype(unsigned dtype, struct insn *insn)
{
	unsigned memory = dtype >> 2;
	unsigned lane = dtype & 3;

	insn->sign = lane < memory;
	insn->size = (uint8_t)(1 << (insn->sign ? 3 - memory : memory));
	insn->bytes = (uint8_t)(1 << (insn->sign ? 3 - lane : lane));
}

static void decode_vector(uint32_t word, struct insn *insn)
{
	insn->kind = INSN_VECTOR;
	insn->load = !flag(word, 30);
	insn->pg = (uint8_t)field(word, 12, 10);
}

/* Xn plus an immediate, in multiples of all that is moved; or plus Xm, in elements. */
static void decode_vector_address(uint32_t word, struct insn *insn, bool immediate)
{
	if (immediate) {
		insn->address = INSN_BASE;
		insn->scaled = true;
		insn->offset = signed_field(word, 19, 16) * insn->count;
		return;
	}
	insn->address = INSN_REGISTER;
	insn->option = 3; /* LSL */
	while (1 << insn->shift < insn->size)
		insn->shift++;
	if (insn->rm == REG_31)
		insn->kind = INSN_OTHER;
}

/* LD1 of one register: its elements may be larger than those in memory. */
static void decode_vector_load(uint32_t word, struct insn *insn)
{
	decode_vector(word, insn);
	decode_dtype(field(word, 24, 21), insn);
	decode_vector_address(word, insn, flag(word, 15));
}

static void decode_first_fault(uint32_t word, struct insn *insn)
{
	decode_vector_load(word, insn);
	insn->kind = INSN_VECTOR; /* with XZR, too */
	insn->first_fault = true;
}

static void decode_non_fault(uint32_t word, struct insn *insn)
{
	decode_vector_load(word, insn);
	insn->non_fault = true;
}

/* ST1, likewise. */
static void decode_vector_store(uint32_t word, struct insn *insn)
{
	unsigned memory = field(word, 24, 23);
	unsigned lane = field(word, 22, 21);

	if (lane < memory)
		return;
	decode_vector(word, insn);
	insn->size = (uint8_t)(1 << memory);
	insn->bytes = (uint8_t)(1 << lane);
	decode_vector_address(word, insn, flag(word, 15));
}

/* LDNT1, LD2 to LD4, and their stores. */
static void decode_vector_structure(uint32_t word, struct insn *insn)
{
	decode_vector(word, insn);
	insn->count = (uint8_t)(field(word, 22, 21) + 1);
	insn->size = (uint8_t)(1 << field(word, 24, 23));
	insn->bytes = insn->size;
	decode_vector_address(word, insn, field(word, 15, 13) == 7);
}

static void decode_replicate(uint32_t word, struct insn *insn)
{
	decode_vector(word, insn);
	decode_dtype(field(word, 24, 23) << 2 | field(word, 14, 13), insn);
	insn->replicate = true;
	insn->offset = (int64_t)field(word, 21, 16) * insn->size;
}

/* LD1RQ and LD1RO. */
static void decode_replicate_block(uint32_t word, struct insn *insn)
{
	if (field(word, 22, 21) > 1)
		return;
	decode_vector(word, insn);
	insn->size = (uint8_t)(1 << field(word, 24, 23));
	insn->bytes = insn->size;
	insn->replicate = true;
	insn->block = flag(word, 21) ? 32 : 16;
	decode_vector_address(word, insn, flag(word, 13));
	if (!insn->scaled)
		return;
	insn->scaled = false;
	insn->offset *= insn->block;
}

static void decode_fill(uint32_t word, struct insn *insn)
{
	insn->kind = INSN_FILL;
	insn->load = !flag(word, 30);
	insn->predicate = !flag(word, 14);
	insn->size = 1;
	insn->scaled = true;
	insn->offset = signed_field(word, 21, 16) * 8 + field(word, 12, 10);
}

/* ---- Memory copy and memory set (C4.1.95.27) ------------------------------- */

static void decode_copy(uint32_t word, struct insn *insn)
{
	unsigned stage = field(word, 23, 22);

	insn->set = stage == 3;
	insn->forward = !flag(word, 26);
	if (insn->set && !insn->forward)
		return; /* SETG: with tags */
	if (insn->set)
		stage = field(word, 15, 14);
	insn->stage = (uint8_t)stage;
	insn->size = 1;
	insn->unprivileged = flag(word, 12);
	insn->unprivileged_read = !insn->set && flag(word, 13);
	/* Registers that are one another, or none, are not allocated. */
	if (stage == 3 || insn->rt == insn->rn || insn->rt == insn->rs || insn->rn == insn->rs ||
	    insn->rt == REG_31 || insn->rn == REG_31 || (!insn->set && insn->rs == REG_31))
		return;
	insn->kind = INSN_COPY;
}

struct encoding {
	uint32_t mask;
	uint32_t value;
	void (*decode)(uint32_t word, struct insn *insn);
};

static const struct encoding encodings[] = {
	{0x3b000000, 0x39000000, decode_unsigned},
	{0x3b200000, 0x38000000, decode_imm9},
	{0x3b200c00, 0x38200800, decode_register},
	{0x3b200c00, 0x38200000, decode_atomic},
	{0x3b200400, 0x38200400, decode_authenticated},
	{0x3a000000, 0x28000000, decode_pair},
	{0x3b000000, 0x18000000, decode_literal},
	{0x3f000000, 0x08000000, decode_ordered_group},
	{0x3f200c00, 0x19000000, decode_rcpc_unscaled},
	{0x3f200c00, 0x1d000800, decode_rcpc_unscaled},
	{0x3f200c00, 0x19000800, decode_rcpc_pair},
	{0xbfa00000, 0x0c000000, decode_structures},
	{0xbfa00000, 0x0c800000, decode_structures},
	{0xbf800000, 0x0d000000, decode_single_structure},
	{0xbf800000, 0x0d800000, decode_single_structure},
	{0xffffffe0, 0xd50b7420, decode_zero},
	{0xfb200c00, 0x19000400, decode_copy},
	{0xffc0e000, 0x85804000, decode_fill},
	{0xffc0e010, 0x85800000, decode_fill},
	{0xffc0e000, 0xe5804000, decode_fill},
	{0xffc0e010, 0xe5800000, decode_fill},
	{0xfe408000, 0x84408000, decode_replicate},
	{0xfe00e000, 0xa4000000, decode_replicate_block},
	{0xfe10e000, 0xa4002000, decode_replicate_block},
	{0xfe00e000, 0xa4004000, decode_vector_load},
	{0xfe10e000, 0xa400a000, decode_vector_load},
	{0xfe00e000, 0xa4006000, decode_first_fault},
	{0xfe10e000, 0xa410a000, decode_non_fault},
	{0xfe00e000, 0xa400c000, decode_vector_structure},
	{0xfe10e000, 0xa400e000, decode_vector_structure},
	{0xfe00e000, 0xe4004000, decode_vector_store},
	{0xfe10e000, 0xe400e000, decode_vector_store},
	{0xfe00e000, 0xe4006000, decode_vector_structure},
	{0xfe10e000, 0xe410e000, decode_vector_structure},
};

struct insn insn_decode(uint32_t word)
{
	struct insn insn = {
		.kind = INSN_OTHER,
		.count = 1,
		.rt = (uint8_t)field(word, 4, 0),
		.rn = (uint8_t)field(word, 9, 5),
		.rt2 = (uint8_t)field(word, 14, 10),
		.rs = (uint8_t)field(word, 20, 16),
		.rm = (uint8_t)field(word, 20, 16),
	};

	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		if ((word & encodings[i].mask) == encodings[i].value) {
			encodings[i].decode(word, &insn);
			break;
		}
	}
	return insn;
}
