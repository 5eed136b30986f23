/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SVE's contiguous loads and stores, each done twice as in loads.c, with vectors of several
 * lengths and any predicates.
 */
#include "arm64/insn.h"
#include "loads.h"

#define BASE   1
#define OFFSET 2

static const struct {
	uint32_t mask;
	uint32_t value;
} groups[] = {
	{0xfe00e000, 0xa4000000}, {0xfe10e000, 0xa4002000}, /* LD1RQ, LD1RO */
	{0xfe00e000, 0xa4004000}, {0xfe10e000, 0xa400a000}, /* LD1 */
	{0xfe00e000, 0xa400c000}, {0xfe10e000, 0xa400e000}, /* LDNT1, LD2 to LD4 */
	{0xfe00e000, 0xe4004000}, {0xfe10e000, 0xe400e000}, /* ST1 */
	{0xfe00e000, 0xe4006000}, {0xfe10e000, 0xe410e000}, /* STNT1, ST2 to ST4 */
	{0xfe408000, 0x84408000},                           /* LD1R */
	{0xffc0e000, 0x85804000}, {0xffc0e010, 0x85800000}, /* LDR */
	{0xffc0e000, 0xe5804000}, {0xffc0e010, 0xe5800000}, /* STR */
};

static struct vector_image in, device_image, ram_image;

static bool has_f64mm(void)
{
	return read_sysreg("s3_0_c0_c4_4") >> 56 & 0xf;
}

static uint32_t random_word(void)
{
	uint64_t random = next_random();
	unsigned group = (random >> 32) % ARRAY_SIZE(groups);
	uint32_t word = ((uint32_t)random & ~groups[group].mask) | groups[group].value;

	word = (word & ~(31U << 5)) | BASE << 5;
	/* Xm, where there is one. */
	if ((insn_decode(word).address) == INSN_REGISTER)
		word = (word & ~(31U << 16)) | OFFSET << 16;
	return word;
}

static uint64_t displacement(const struct insn *insn, unsigned vector)
{
	unsigned scale = insn->kind == INSN_VECTOR ? vector / insn->bytes * insn->size
			 : insn->predicate         ? vector / 8
						   : vector;

	if (insn->address == INSN_REGISTER)
		return in.x2 << insn->shift;
	return (uint64_t)insn->offset * (insn->scaled ? scale : 1);
}

/* Few or many elements are active, or all. */
static void choose(unsigned vector)
{
	uint64_t mask = next_random() & 1 ? next_random() : UINT64_MAX;
	uint64_t *z = (uint64_t *)in.z;

	for (unsigned i = 0; i < 32 * vector / 8; i++)
		z[i] = next_random();
	for (unsigned i = 0; i < 16 * vector / 8; i++)
		in.p[i] = (uint8_t)(next_random() & mask);
	if (next_random() % 4 == 0)
		memset(in.p, 0xff, 16 * vector / 8);
	in.x2 = next_random() % 4096;
}

static void compare(uint32_t word, unsigned vector, uint64_t apart)
{
	const uint64_t *z = (const uint64_t *)device_image.z,
		       *z_ram = (const uint64_t *)ram_image.z;

	if (device_image.x1 - ram_image.x1 != apart || device_image.x2 != ram_image.x2)
		complain("general register", word, device_image.x1, ram_image.x1);
	for (unsigned i = 0; i < 32 * vector / 8; i++) {
		if (z[i] != z_ram[i])
			complain("vector", word, z[i], z_ram[i]);
	}
	for (unsigned i = 0; i < 17 * vector / 8; i++) {
		if (device_image.p[i] != ram_image.p[i])
			complain("predicate", word, device_image.p[i], ram_image.p[i]);
	}
}

static void try_word(uint32_t word, const struct insn *insn, unsigned vector)
{
	uint64_t at = PAGE / 2 + next_random() % 128;

	choose(vector);
	put_word_at(&run_vector_word, word);
	in.x1 = RAM_AT + at - displacement(insn, vector);
	run_vector_slot(&in, &ram_image);
	in.x1 += DEV_AT - RAM_AT;
	run_vector_slot(&in, &device_image);
	compare(word, vector, DEV_AT - RAM_AT);
	compare_bytes(word, RAM_AT + at, 4 * vector, DEV_AT - RAM_AT);
}

static bool wants(const struct insn *insn, unsigned vector)
{
	if (insn->kind == INSN_FILL)
		return true;
	return insn->kind == INSN_VECTOR &&
	       (insn->block < 32 || (has_f64mm() && insn->block <= vector));
}

/* What a device gives of LDFF1: the first active element; the FFR tells. */
static void check_first_fault(unsigned vector)
{
	write64(DEV_AT, 0x1716151413121110);
	write64(RAM_AT, 0x1716151413121110);
	choose(vector);
	memset(in.p, 0, sizeof(in.p));
	in.p[0] = 0x6;
	in.x1 = DEV_AT;
	in.x2 = 0;
	put_word_at(&run_vector_word, 0xa4026020); /* ldff1b {z0.b}, p0/z, [x1, x2] */
	run_vector_slot(&in, &device_image);
	check_equal("ldff1_has_the_first",
		    device_image.z[0] | device_image.z[1] << 8 | device_image.z[2] << 16, 0x1100);
	check_equal("ldff1_s_ffr", device_image.p[16 * vector / 8], 0x3);
}

void try_vectors(uint64_t count)
{
	uint64_t done = 0;

	if (!(read_sysreg("id_aa64pfr0_el1") >> 32 & 0xf))
		return;
	write_sysreg("cpacr_el1", read_sysreg("cpacr_el1") | 3 << 16); /* ZEN */
	while (done < count) {
		uint32_t word = random_word();
		struct insn insn = insn_decode(word);
		unsigned vector;

		write_sysreg("s3_0_c1_c2_0", (BIT(next_random() % 3)) - 1); /* ZCR_EL1.LEN */
		vector = (unsigned)vector_length();
		if (!wants(&insn, vector))
			continue;
		try_word(word, &insn, vector);
		done++;
	}
	check_equal("vectors_that_differ", differences(), 0);
	check_first_fault((unsigned)vector_length());
	note("vector instructions", done);
}
