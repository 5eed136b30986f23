/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of stage 1 in every shape that the CPU has: granule, size of the input, level of the
 * page or block. For some addresses of each the CPU itself says where they lead to (AT S1E1R,
 * PAR_EL1), as "walk VA IPA SIZE"; one address of each shape leads nowhere. At "shape N" the
 * host's test compares, and sends a byte when it is done.
 */
#include "pl011.h"
#include "runtime.h"

#define POOL      (RAM_BASE + 0x2000000) /* too far from the code for a variable */
#define POOL_SIZE 0x100000
#define VALID     UINT64_C(1)
#define TABLE     UINT64_C(3)
#define AF        BIT(10)
#define INNER     (UINT64_C(3) << 8)
#define ATTR_MEM  (UINT64_C(1) << 2)
#define OUTPUT    40 /* bits: TCR_EL1.IPS 0b010 */
#define PAR_F     BIT(0)
#define PAR_PA    ((BIT(52) - 1) & ~UINT64_C(0xfff))

static const struct shape {
	unsigned granule; /* log2 */
	unsigned input;
	unsigned leaf;
} shapes[] = {
	{12, 39, 1}, {12, 39, 2}, {12, 39, 3}, {12, 48, 1}, {12, 48, 2}, {12, 48, 3},
	{12, 40, 3}, {12, 30, 2}, {14, 47, 2}, {14, 47, 3}, {14, 36, 2}, {14, 36, 3},
	{14, 48, 3}, {16, 42, 2}, {16, 42, 3}, {16, 48, 2}, {16, 48, 3}, {16, 29, 3},
};

static uint64_t identity[512] __attribute__((aligned(4096)));
static uint64_t pool_used;

static uint64_t new_table(const struct shape *shape)
{
	uint64_t table = POOL + pool_used;

	pool_used += BIT(shape->granule);
	return table;
}

static unsigned shift_of(const struct shape *shape, unsigned level)
{
	return shape->granule + (3 - level) * (shape->granule - 3);
}

static unsigned first_level(const struct shape *shape)
{
	unsigned level = 3;

	while (shift_of(shape, level) + shape->granule - 3 < shape->input)
		level--;
	return level;
}

static void map(const struct shape *shape, uint64_t root, uint64_t va, uint64_t pa)
{
	uint64_t table = root;

	for (unsigned level = first_level(shape);; level++) {
		unsigned shift = shift_of(shape, level);
		unsigned bits = shape->granule - 3;
		uint64_t *entry;

		if (shape->input - shift < bits)
			bits = shape->input - shift;
		entry = (uint64_t *)table + (va >> shift & (BIT(bits) - 1));
		if (level == shape->leaf) {
			*entry = (pa & ~(BIT(shift) - 1)) | (level == 3 ? TABLE : VALID) | AF |
				 INNER | ATTR_MEM;
			return;
		}
		if (!*entry)
			*entry = new_table(shape) | TABLE;
		table = *entry & ~(BIT(shape->granule) - 1) & (BIT(48) - 1);
	}
}

/* By TTBR0 all is where it is, in blocks of 1 GiB; TTBR1 is the shape's. */
static void use(const struct shape *shape, uint64_t root)
{
	static const uint64_t tg1[] = {[12] = 2, [14] = 1, [16] = 3};
	uint64_t size = 64 - shape->input;

	write_sysreg("mair_el1", 0xff00);
	write_sysreg("tcr_el1", 25 | 0x3500 | size << 16 | UINT64_C(0x35) << 24 |
					tg1[shape->granule] << 30 | UINT64_C(2) << 32);
	write_sysreg("ttbr0_el1", identity);
	write_sysreg("ttbr1_el1", root);
	__asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
	write_sysreg("sctlr_el1", read_sysreg("sctlr_el1") | BIT(0));
}

/* Where the CPU finds it; false: it faults. */
static bool at_s1e1r(uint64_t va, uint64_t *ret)
{
	uint64_t par;

	__asm__ volatile("at s1e1r, %0\n\tisb" : : "r"(va) : "memory");
	par = read_sysreg("par_el1");
	*ret = (par & PAR_PA) | (va & 0xfff);
	return !(par & PAR_F);
}

static void tell(const struct shape *shape, uint64_t va)
{
	uint64_t ipa;

	print("walk ");
	print_hex(va);
	if (at_s1e1r(va, &ipa)) {
		print(" ");
		print_hex(ipa);
		print_char(' ');
		print_number(BIT(shift_of(shape, shape->leaf)));
	} else {
		print(" nowhere 0");
	}
	print_char('\n');
}

static void wait_for_host(void)
{
	while (read32(PL011_BASE + UARTFR) & UARTFR_RXFE)
		;
	read32(PL011_BASE + UARTDR);
}

static void try_shape(const struct shape *shape)
{
	const uint64_t upper = ~(BIT(shape->input) - 1);
	const uint64_t vas[] = {0x123456789abc, 0x5a5a5a5a5a58, 0xfedcba987650};
	uint64_t root;

	memset((void *)POOL, 0, POOL_SIZE);
	pool_used = 0;
	root = new_table(shape);
	for (unsigned i = 0; i < ARRAY_SIZE(vas); i++)
		map(shape, root, vas[i], (vas[i] * 0x9e3779b97f4a7c15) & (BIT(OUTPUT) - 1));
	barrier();
	use(shape, root);
	for (unsigned i = 0; i < ARRAY_SIZE(vas); i++)
		tell(shape, vas[i] | upper);
	tell(shape, 0x0f0f0f0f0f0f | upper);
}

static bool has_granule(unsigned granule)
{
	uint64_t mmfr0 = read_sysreg("id_aa64mmfr0_el1");

	if (granule == 14)
		return (mmfr0 >> 20 & 0xf) != 0;
	return (mmfr0 >> (granule == 12 ? 28 : 24) & 0xf) != 0xf;
}

void payload_main(void)
{
	for (unsigned i = 0; i < 4; i++)
		identity[i] = (uint64_t)i << 30 | VALID | AF | (i == 0 ? 0 : INNER | ATTR_MEM);
	write32(PL011_BASE + UARTCR, UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE);
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (!has_granule(shapes[i].granule))
			continue;
		try_shape(&shapes[i]);
		note("shape", i);
		wait_for_host();
	}
	check("shapes", true);
}
