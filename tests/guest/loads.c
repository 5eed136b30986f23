/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores of every form, each done twice with the same registers: to RAM, by the
 * CPU, and to the scratch device, whose accesses all trap. The registers and bytes that come
 * of it must be the same. "count=N" random instructions from "seed=N", then what chance
 * does not find: faults in between, exclusives, both kinds of memory in one access.
 */
#include "loads.h"
#include "arm64/insn.h"

#define WINDOW 0x1000 /* what is compared lies around its middle */

/* ---- One instruction ------------------------------------------------------ */

static uint64_t random_state;

uint64_t next_random(void)
{
	/* SplitMix64. */
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void put_word_at(volatile uint32_t *slot, uint32_t word)
{
	*slot = word;
	__asm__ volatile("dc cvau, %0\n\tdsb sy\n\tic iallu\n\tdsb sy\n\tisb"
			 :
			 : "r"(slot)
			 : "memory");
}

void put_word(uint32_t word)
{
	put_word_at(&run_slot_word, word);
}

static uint64_t *base_of(const struct insn *insn, struct cpu_image *image)
{
	return insn->rn == 31 ? &image->sp : &image->x[insn->rn];
}

/* What is added to the base before the access. */
static uint64_t displacement(const struct insn *insn, const struct cpu_image *image)
{
	uint64_t x = insn->rm == 31 ? 0 : image->x[insn->rm];

	switch (insn->address) {
	case INSN_REGISTER:
		if (insn->option == 2)
			x = (uint32_t)x;
		else if (insn->option == 6)
			x = (uint64_t)(int32_t)x;
		return x << insn->shift;
	case INSN_POST:
	case INSN_POST_REG:
		return 0;
	default:
		return (uint64_t)insn->offset;
	}
}

static unsigned span(const struct insn *insn)
{
	if (insn->kind == INSN_ZERO)
		return 64;
	if (insn->kind == INSN_STRUCTURE)
		return insn->count * (insn->whole ? insn->repeat * insn->bytes : insn->size);
	return insn->size * insn->count;
}

static bool must_be_aligned(const struct insn *insn, uint32_t word)
{
	/* Ordered accesses are in the group of exclusives, or of LDAPR. */
	return insn->kind != INSN_TRANSFER
		       ? insn->kind != INSN_STRUCTURE
		       : (word >> 24 & 0x3f) == 8 || (word & 0x3f20fc00) == 0x3820c000 ||
				 (word >> 24 & 0x3b) == 0x19;
}

static bool uses_base_as_data(const struct insn *insn)
{
	unsigned n = insn->rn;

	if (insn->address == INSN_REGISTER || insn->address == INSN_POST_REG) {
		if (insn->rm == n)
			return true;
	}
	if (insn->simd || insn->kind == INSN_HINT || insn->kind == INSN_ZERO)
		return false;
	if (insn->kind == INSN_ATOMIC)
		return insn->rs == n;
	if (insn->kind == INSN_COMPARE)
		return n - insn->rs < insn->count || n - insn->rt < insn->count;
	return !insn->load && (insn->rt == n || (insn->count == 2 && insn->rt2 == n));
}

struct features {
	bool atomics;
	unsigned rcpc;
	bool regions; /* LDLAR, STLLR */
	bool authentication;
};

static struct features features;

static void read_features(void)
{
	features.atomics = read_sysreg("id_aa64isar0_el1") >> 20 & 0xf;
	features.rcpc = read_sysreg("id_aa64isar1_el1") >> 20 & 0xf;
	features.regions = read_sysreg("id_aa64mmfr1_el1") >> 16 & 0xf;
}

static bool can_do(const struct insn *insn, uint32_t word)
{
	bool ordered = (word & 0x3fa00000) == 0x08800000;

	switch (insn->kind) {
	case INSN_ATOMIC:
		return features.atomics;
	case INSN_COMPARE:
		/* QEMU takes SP for XZR where that is the second of a pair. */
		return features.atomics && (insn->count == 1 || (insn->rs < 30 && insn->rt < 30));
	case INSN_TRANSFER:
		if (insn->authenticated || insn->address == INSN_LITERAL)
			return false;
		if (ordered)
			return insn->rs == 31 && insn->rt2 == 31 &&
			       (word >> 15 & 1 || features.regions);
		if ((word & 0x3f20fc00) == 0x3820c000)
			return features.rcpc >= 1 && insn->rs == 31;
		if ((word & 0x3b000000) == 0x19000000)
			return features.rcpc >= ((word & 0xc00) || insn->simd ? 3 : 2);
		return true;
	case INSN_STRUCTURE:
		return (word & 0x00bf0000) != 0x00010000; /* LDAP1, STL1 */
	case INSN_HINT:
	case INSN_ZERO:
		return true;
	default:
		return false;
	}
}

/* The groups of the encoding, so that small ones are met as often as large ones. */
static const struct {
	uint32_t mask;
	uint32_t value;
} groups[] = {
	{0x3b000000, 0x39000000}, /* unsigned offset */
	{0x3b200000, 0x38000000}, /* unscaled, post, unprivileged, pre */
	{0x3b200c00, 0x38200800}, /* register */
	{0x3f200c00, 0x38200000}, /* atomics */
	{0x3a000000, 0x28000000}, /* pairs */
	{0x3fa0fc00, 0x0880fc00}, /* ordered */
	{0x3fa07c00, 0x08a07c00}, /* CAS */
	{0xbfa07c00, 0x08207c00}, /* CASP */
	{0x3f200c00, 0x19000000}, /* LDAPUR, STLUR */
	{0x3ffffc00, 0x38bfc000}, /* LDAPR */
	{0xbfbf0000, 0x0c000000}, /* structures */
	{0xbfa00000, 0x0c800000}, {0xbf9f0000, 0x0d000000},
	{0xbf800000, 0x0d800000}, {0xffffffe0, 0xd50b7420}, /* DC ZVA */
};

static uint32_t random_word(void)
{
	uint64_t random = next_random();
	unsigned group = (random >> 32) % ARRAY_SIZE(groups);

	return ((uint32_t)random & ~groups[group].mask) | groups[group].value;
}

/* ---- Twice the same ------------------------------------------------------- */

static uint8_t spare_stack[4 * PAGE] __attribute__((aligned(16)));
struct cpu_image before, by_device;
static struct cpu_image by_ram;
static uint64_t wrong;

uint64_t spare_sp(void)
{
	return (uint64_t)spare_stack + sizeof(spare_stack);
}

uint64_t differences(void)
{
	uint64_t count = wrong;

	wrong = 0;
	return count;
}

void complain(const char *what, uint32_t word, uint64_t got, uint64_t wanted)
{
	if (wrong++ > 10)
		return;
	print("not ok ");
	print(what);
	print(" of ");
	print_hex(word);
	print(": got ");
	print_hex(got);
	print(", RAM gave ");
	print_hex(wanted);
	print("\n");
}

static void compare_registers(const struct insn *insn, uint32_t word, uint64_t apart)
{
	const uint64_t *device = (const uint64_t *)&by_device;
	const uint64_t *memory = (const uint64_t *)&by_ram;

	/* X0 to X30, SP, NZCV, and then the vectors. */
	for (unsigned i = 0; i < sizeof(by_ram) / 8; i++) {
		bool base = i == insn->rn && device[i] - memory[i] == apart;

		if (device[i] != memory[i] && !base)
			complain("register", word, device[i], memory[i]);
	}
}

void compare_bytes(uint32_t word, uint64_t at, unsigned size, uint64_t apart)
{
	uint64_t first = (at & ~UINT64_C(63)) - 64;

	for (uint64_t i = 0; i < size + 128; i += 8) {
		uint64_t wanted = read64(first + i);
		uint64_t got = read64(first + apart + i);

		if (got != wanted) {
			complain("memory", word, got, wanted);
			write64(first + apart + i, wanted);
		}
	}
}

/* ---- As EL0 --------------------------------------------------------------- */

#define ERET      0xd69f03e0
#define SVC       0xd4000001
#define EC_SVC    0x15
#define EL0T      0x3c0 /* with all exceptions masked */
#define SCTLR_DZE BIT(14)
#define SCTLR_E0E BIT(24)

static uint32_t el0_code[PAGE / 4] __attribute__((aligned(PAGE)));
static bool as_el0;

/* The slot goes to EL0 and comes back from there, so the word is done in between. */
static void run_as_el0(struct cpu_image *out)
{
	uint64_t vectors = read_sysreg("vbar_el1");

	write_sysreg("elr_el1", page_at(EL0_CODE));
	write_sysreg("spsr_el1", EL0T | before.nzcv);
	write_sysreg("vbar_el1", el0_vectors);
	run_slot(&before, out);
	write_sysreg("vbar_el1", vectors);
	if (read_sysreg("esr_el1") >> 26 != EC_SVC)
		complain("exception", el0_code[0], read_sysreg("esr_el1"), 0);
}

static void run_at(const struct insn *insn, uint64_t addr, struct cpu_image *out)
{
	*base_of(insn, &before) = addr - displacement(insn, &before);
	if (as_el0)
		run_as_el0(out);
	else
		run_slot(&before, out);
}

static void try_word(uint32_t word, uint64_t ram_at, uint64_t device_at)
{
	struct insn insn = insn_decode(word);
	uint64_t *words = (uint64_t *)&before;

	if (insn.kind == INSN_ZERO)
		insn.rn = insn.rt;
	for (unsigned i = 0; i < sizeof(before) / 8; i++)
		words[i] = next_random();
	before.nzcv &= UINT64_C(0xf0000000);
	/* What is compared should be equal now and then. */
	if (insn.kind == INSN_COMPARE && next_random() & 1) {
		for (unsigned i = 0; i < insn.count && insn.rs + i < 31; i++)
			memcpy(&before.x[insn.rs + i], (void *)(ram_at + i * insn.size), insn.size);
	}
	before.sp = spare_sp(); /* for an abort in between */
	put_word(as_el0 ? ERET : word);
	if (as_el0)
		put_word_at(el0_code, word);
	run_at(&insn, ram_at, &by_ram);
	run_at(&insn, device_at, &by_device);
	compare_registers(&insn, word, device_at - ram_at);
	compare_bytes(word, ram_at, 128, device_at - ram_at);
}

static bool wants(uint32_t word, struct insn *ret)
{
	*ret = insn_decode(word);
	if (ret->kind == INSN_ZERO && ret->rt == 31)
		return false;
	return can_do(ret, word) && !uses_base_as_data(ret);
}

/* Where in the window: aligned if it must be, and for SP, which must be. */
static uint64_t random_place(const struct insn *insn, uint32_t word)
{
	uint64_t at = WINDOW / 2 + next_random() % 128;

	if (must_be_aligned(insn, word))
		at &= ~(uint64_t)(span(insn) - 1);
	if (insn->rn == 31)
		at &= ~UINT64_C(15);
	return at;
}

/* SP must be a multiple of 16: an offset that keeps it so is rare, and can be chosen. */
static bool sp_is_aligned(const struct insn *insn)
{
	return insn->rn != 31 || insn->address == INSN_POST || insn->address == INSN_POST_REG ||
	       (insn->address != INSN_REGISTER && insn->offset % 16 == 0);
}

static void try_random(uint64_t count)
{
	uint64_t done = 0;

	while (done < count) {
		uint32_t word = random_word();
		struct insn insn;
		uint64_t at;

		if (!wants(word, &insn) || !sp_is_aligned(&insn) || (as_el0 && insn.rn == 31))
			continue;
		at = random_place(&insn, word);
		if (option_number("verbose", 0))
			note("next", word);
		try_word(word, RAM_AT + at, DEV_AT + at);
		done++;
	}
	check_equal(as_el0 ? "instructions_of_el0_that_differ" : "instructions_that_differ",
		    differences(), 0);
	note("instructions", done);
}

/* Of little-endian programs, and of big-endian ones. */
static void try_el0(uint64_t count)
{
	uint64_t sctlr = read_sysreg("sctlr_el1") | SCTLR_DZE;

	as_el0 = true;
	el0_code[1] = SVC;
	map_page(EL0_CODE, (uint64_t)el0_code, FOR_EL0_CODE);
	write_sysreg("sctlr_el1", sctlr);
	try_random(count);
	write_sysreg("sctlr_el1", sctlr | SCTLR_E0E);
	if (read_sysreg("id_aa64mmfr0_el1") >> 8 & 0xf) /* BigEnd */
		check_equal("big_endian_it_is", read_sysreg("sctlr_el1") & SCTLR_E0E, SCTLR_E0E);
	try_random(count);
	write_sysreg("sctlr_el1", sctlr);
	as_el0 = false;
}

static void fill(void)
{
	for (uint64_t at = 0; at < WINDOW; at += 8) {
		uint64_t value = next_random();

		write64(RAM_AT + at, value);
		write64(DEV_AT + at, value);
	}
}

/* ---- Two pages ------------------------------------------------------------ */

static uint8_t mixed[(MIXED_COUNT + 2) * PAGE] __attribute__((aligned(PAGE)));

static void map_mixed(void)
{
	map_page(MIXED, SCRATCH_BASE + 4 * PAGE, FOR_ALL);
	map_page(MIXED + 1, (uint64_t)mixed, FOR_ALL);
	map_page(MIXED + 2, SCRATCH_BASE + 5 * PAGE, FOR_ALL);
	map_page(NOTHING, 0, FOR_ALL);
	map_page(DEVICE_2, SCRATCH_BASE + 6 * PAGE, FOR_ALL);
	map_page(READABLE, (uint64_t)mixed + PAGE, FOR_READING);
	for (unsigned i = 0; i < MIXED_COUNT; i++)
		map_page(PLAIN + i, (uint64_t)mixed + (2 + (uint64_t)i) * PAGE, FOR_ALL);
	for (uint64_t at = 0; at < MIXED_COUNT * PAGE; at += 8) {
		/* Only what is near the ends of pages is looked at. */
		if (at % PAGE < 256 || at % PAGE >= PAGE - 256) {
			uint64_t value = next_random();

			write64(page_at(MIXED) + at, value);
			write64(page_at(PLAIN) + at, value);
		}
	}
}

/* Those that the hardware does not describe: for the others KVM is told too little. */
static bool is_undescribed(const struct insn *insn)
{
	return insn->simd || insn->count > 1 || insn->address == INSN_PRE ||
	       insn->address == INSN_POST;
}

static void try_crossing(uint64_t count)
{
	uint64_t done = 0;

	map_mixed();
	while (done < count) {
		uint32_t word = random_word();
		struct insn insn;
		uint64_t at;

		if (!wants(word, &insn) || insn.rn == 31 || span(&insn) < 2 ||
		    must_be_aligned(&insn, word) || !is_undescribed(&insn))
			continue;
		at = PAGE * (1 + next_random() % 2) - 1 - next_random() % (span(&insn) - 1);
		try_word(word, page_at(PLAIN) + at, page_at(MIXED) + at);
		done++;
	}
	check_equal("crossings_that_differ", differences(), 0);
}

/* ---- What it costs -------------------------------------------------------- */

#define RTC_ID (PL031_BASE + 0xfe0) /* RTCPeriphID0: nothing has to be worked out for it */

/* "cost=N": so many accesses to a register, "form=ldp" or of a form that has a syndrome. */
static void spend(uint64_t count)
{
	bool pairs = option_is("form", "ldp");

	for (uint64_t i = 0; i < count; i++) {
		if (pairs)
			__asm__ volatile("ldp w4, w5, [%0]" : : "r"(RTC_ID) : "x4", "x5", "memory");
		else
			read32(RTC_ID);
	}
}

void payload_main(void)
{
	random_state = option_number("seed", 1);
	read_features();
	tables_make();
	if (option_number("cost", UINT64_MAX) != UINT64_MAX) {
		spend(option_number("cost", 0));
		return;
	}
	fill();
	try_random(option_number("count", 2000));
	try_crossing(option_number("crossings", 300));
	try_vectors(option_number("vectors", 300));
	try_copies(option_number("copies", 300));
	try_el0(option_number("el0", 300));
	check_faults();
	check_watchpoints();
	check_exclusives();
	check_two_cpus();
	check_literals();
}
