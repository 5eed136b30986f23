/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores of every form, each done twice with the same registers: to RAM, by the
 * CPU, and to the scratch device, whose accesses all trap. The registers and bytes that come
 * of it must be the same. "count=N" random instructions from "seed=N", then what chance
 * does not find: faults in between, exclusives, both kinds of memory in one access.
 */
#include "arm64/insn.h"
#include "runtime.h"

#define SCRATCH_BASE UINT64_C(0x0c000000)
#define WINDOW       0x1000 /* what is compared lies around its middle */

struct cpu_image {
	uint64_t x[31];
	uint64_t sp;
	uint64_t nzcv;
	uint64_t pad;
	uint8_t v[32][16];
};

void run_slot(const struct cpu_image *in, struct cpu_image *out);
extern volatile uint32_t run_slot_word;

/* ---- The MMU -------------------------------------------------------------- */

/*
 * 39 bits, 4 KiB: the first GiB and the RAM as they are, in blocks, and from PAGES on single
 * pages that EL0 may use, too: the RAM that is compared, the scratch device, and others. All
 * of these are Normal memory.
 */
#define PAGES     UINT64_C(0x80000000)
#define RAM_PAGES 0
#define DEV_PAGES 16
#define DEV_COUNT 4
#define RAM_AT    (PAGES + RAM_PAGES * PAGE)
#define DEV_AT    (PAGES + DEV_PAGES * PAGE)
#define EL0       BIT(6)
#define PAGE      0x1000
#define VALID     UINT64_C(1)
#define TABLE     UINT64_C(3)
#define AF        BIT(10)
#define INNER     (UINT64_C(3) << 8)
#define XN        (BIT(53) | BIT(54))
#define READ_ONLY BIT(7)
#define ATTR(n)   ((uint64_t)(n) << 2)
#define ATTR_DEV  ATTR(0)
#define ATTR_MEM  ATTR(1)
#define BLOCK_2M  UINT64_C(0x200000)
#define ENTRIES   512

static uint64_t level1[ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t level2[ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t pages2[ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t pages3[ENTRIES] __attribute__((aligned(PAGE)));
static uint8_t ram[DEV_COUNT * PAGE] __attribute__((aligned(PAGE)));

/* Page @index of PAGES is that at @addr; 0: none. */
static void map_page(unsigned index, uint64_t addr, uint64_t more)
{
	pages3[index] = addr ? addr | TABLE | AF | INNER | ATTR_MEM | EL0 | XN | more : 0;
	__asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
}

static void use_tables(void)
{
	write_sysreg("mair_el1", 0xff00); /* 0: Device-nGnRnE, 1: Normal, write-back */
	/* T0SZ 25, walks through the caches, no TTBR1, 40 bits out. */
	write_sysreg("tcr_el1", 25 | 0x3500 | BIT(23) | UINT64_C(2) << 32);
	write_sysreg("ttbr0_el1", level1);
	__asm__ volatile("tlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
	write_sysreg("sctlr_el1", read_sysreg("sctlr_el1") | BIT(0) | BIT(2) | BIT(12));
	write_sysreg("cpacr_el1", read_sysreg("cpacr_el1") | UINT64_C(3) << 20);
}

static void mmu_on(void)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t at = i * BLOCK_2M;

		level2[i] = at | VALID | AF | XN | ATTR_DEV;
	}
	level1[0] = (uint64_t)level2 | TABLE;
	level1[1] = RAM_BASE | VALID | AF | INNER | ATTR_MEM;
	level1[PAGES >> 30] = (uint64_t)pages2 | TABLE;
	pages2[0] = (uint64_t)pages3 | TABLE;
	barrier();
	use_tables();
	for (unsigned i = 0; i < DEV_COUNT; i++) {
		map_page(RAM_PAGES + i, (uint64_t)ram + (uint64_t)i * PAGE, 0);
		map_page(DEV_PAGES + i, SCRATCH_BASE + (uint64_t)i * PAGE, 0);
	}
}

/* ---- One instruction ------------------------------------------------------ */

static uint64_t random_state;

static uint64_t next_random(void)
{
	/* SplitMix64. */
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void put_word(uint32_t word)
{
	run_slot_word = word;
	__asm__ volatile("dc cvau, %0\n\tdsb sy\n\tic iallu\n\tdsb sy\n\tisb"
			 :
			 : "r"(&run_slot_word)
			 : "memory");
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
static struct cpu_image before, by_ram, by_device;
static uint64_t wrong;

static void complain(const char *what, uint32_t word, uint64_t got, uint64_t wanted)
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

/* @apart: from the RAM to the device. */
static void compare_bytes(uint32_t word, uint64_t at, uint64_t apart)
{
	uint64_t first = (at & ~UINT64_C(63)) - 64;

	for (uint64_t i = 0; i < 256; i += 8) {
		uint64_t wanted = read64(first + i);
		uint64_t got = read64(first + apart + i);

		if (got != wanted) {
			complain("memory", word, got, wanted);
			write64(first + apart + i, wanted);
		}
	}
}

static void run_at(const struct insn *insn, uint64_t addr, struct cpu_image *out)
{
	*base_of(insn, &before) = addr - displacement(insn, &before);
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
	before.sp = (uint64_t)spare_stack + sizeof(spare_stack); /* for an abort in between */
	put_word(word);
	run_at(&insn, ram_at, &by_ram);
	run_at(&insn, device_at, &by_device);
	compare_registers(&insn, word, device_at - ram_at);
	compare_bytes(word, ram_at, device_at - ram_at);
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

		if (!wants(word, &insn) || !sp_is_aligned(&insn))
			continue;
		at = random_place(&insn, word);
		if (option_number("verbose", 0))
			note("next", word);
		try_word(word, RAM_AT + at, DEV_AT + at);
		done++;
	}
	check_equal("instructions_that_differ", wrong, 0);
	note("instructions", done);
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

/* Device, RAM, device, nothing, device, read-only RAM; and RAM alone, to compare with. */
#define MIXED       32
#define MIXED_COUNT 3
#define NOTHING     35
#define DEVICE_2    36
#define READABLE    37
#define PLAIN       40

static uint8_t mixed[(MIXED_COUNT + 2) * PAGE] __attribute__((aligned(PAGE)));

static uint64_t page_at(unsigned index)
{
	return PAGES + (uint64_t)index * PAGE;
}

static void map_mixed(void)
{
	map_page(MIXED, SCRATCH_BASE + 4 * PAGE, 0);
	map_page(MIXED + 1, (uint64_t)mixed, 0);
	map_page(MIXED + 2, SCRATCH_BASE + 5 * PAGE, 0);
	map_page(NOTHING, 0, 0);
	map_page(DEVICE_2, SCRATCH_BASE + 6 * PAGE, 0);
	map_page(READABLE, (uint64_t)mixed + PAGE, READ_ONLY);
	for (unsigned i = 0; i < MIXED_COUNT; i++)
		map_page(PLAIN + i, (uint64_t)mixed + (2 + (uint64_t)i) * PAGE, 0);
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

	wrong = 0;
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
	check_equal("crossings_that_differ", wrong, 0);
}

/* ldp x2, x3, [x1, #16]!, across into what cannot be read, or written. */
static void check_fault(const char *name, uint32_t word, unsigned page, uint64_t status)
{
	uint64_t at = page_at(page) - 8;

	memset(&before, 0x5a, sizeof(before));
	before.nzcv = 0;
	before.x[1] = at - 16;
	before.sp = (uint64_t)spare_stack + sizeof(spare_stack);
	put_word(word);
	expect_aborts(true);
	aborts_taken();
	run_slot(&before, &by_device);
	expect_aborts(false);
	check_equal(name, aborts_taken(), 1);
	check_equal("its_status", aborts[0].esr & 0x7f, status);
	check_equal("its_address", aborts[0].far, page_at(page));
	check_equal("no_writeback", by_device.x[1], at - 16);
	check_equal("no_first_register", by_device.x[2], before.x[2]);
	check_equal("no_second_register", by_device.x[3], before.x[3]);
}

static void check_faults(void)
{
	uint64_t last = page_at(READABLE) - 8;

	check_fault("ldp_into_nothing", 0xa9c10c22, NOTHING, 0x07);
	check_fault("stp_into_nothing", 0xa9810c22, NOTHING, 0x47);
	write64(last, 0x1234);
	check_fault("stp_into_read_only", 0xa9810c22, READABLE, 0x4f);
	check_equal("nothing_is_stored_before", read64(last), 0x1234);
}

/* ---- Exclusives ----------------------------------------------------------- */

#define COUNTER (DEV_AT + 0x800)

/* Adds one; how many tries it took. */
static uint64_t add_exclusive(uint64_t addr)
{
	uint64_t tries = 0, value, status;

	__asm__ volatile("1:	add	%0, %0, #1\n\t"
			 "ldaxr	%1, [%3]\n\t"
			 "add	%1, %1, #1\n\t"
			 "stlxr	%w2, %1, [%3]\n\t"
			 "cbnz	%w2, 1b"
			 : "+r"(tries), "=&r"(value), "=&r"(status)
			 : "r"(addr)
			 : "memory");
	return tries;
}

static uint64_t add_exclusive_pair(uint64_t addr)
{
	uint64_t tries = 0, low, high, status;

	__asm__ volatile("1:	add	%0, %0, #1\n\t"
			 "ldxp	%1, %2, [%4]\n\t"
			 "adds	%1, %1, #1\n\t"
			 "adc	%2, %2, xzr\n\t"
			 "stxp	%w3, %1, %2, [%4]\n\t"
			 "cbnz	%w3, 1b"
			 : "+r"(tries), "=&r"(low), "=&r"(high), "=&r"(status)
			 : "r"(addr)
			 : "memory", "cc");
	return tries;
}

/* The status of a store-exclusive after a load-exclusive and @between. */
#define EXCLUSIVE_STATUS(between, load_at, store_at)                                   \
	({                                                                             \
		uint64_t value_, status_;                                              \
		__asm__ volatile("ldxr	%w0, [%2]\n\t" between "\n\t"                  \
				 "stxr	%w1, %w0, [%3]"                                 \
				 : "=&r"(value_), "=&r"(status_)                       \
				 : "r"((uint64_t)(load_at)), "r"((uint64_t)(store_at)) \
				 : "memory");                                          \
		status_;                                                               \
	})

#define ROUNDS 50

static volatile bool other_begins, other_ends;

static void add_many(void)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		add_exclusive(COUNTER);
}

static void other_cpu(void)
{
	use_tables();
	other_begins = true;
	add_many();
	other_ends = true;
}

static void check_two_cpus(void)
{
	if (fdt_cpu_count() < 2)
		return;
	write64(COUNTER, 0);
	check_equal("cpu_on", (uint64_t)cpu_on(1, other_cpu), PSCI_SUCCESS);
	check("the_other_begins", wait_for(other_begins, 5000));
	add_many();
	check("the_other_ends", wait_for(other_ends, 20000));
	check_equal("all_of_both_are_counted", read64(COUNTER), 2 * ROUNDS);
}

static void check_exclusives(void)
{
	write64(COUNTER, 41);
	check_equal("one_try", add_exclusive(COUNTER), 1);
	check_equal("one_more", read64(COUNTER), 42);
	write64(COUNTER, ~UINT64_C(0));
	write64(COUNTER + 8, 7);
	check_equal("one_try_of_a_pair", add_exclusive_pair(COUNTER), 1);
	check_equal("the_low_one", read64(COUNTER), 0);
	check_equal("the_carry", read64(COUNTER + 8), 8);
	check_equal("plain", EXCLUSIVE_STATUS("nop", COUNTER, COUNTER), 0);
	check_equal("cleared", EXCLUSIVE_STATUS("clrex", COUNTER, COUNTER), 1);
	check_equal("written", EXCLUSIVE_STATUS("str %w0, [%3]", COUNTER, COUNTER), 1);
	check_equal("elsewhere", EXCLUSIVE_STATUS("nop", COUNTER, COUNTER + 64), 1);
	check_equal("of_ram", EXCLUSIVE_STATUS("nop", COUNTER, RAM_AT), 1);
}

/* ---- Literals ------------------------------------------------------------- */

#define CODE 48 /* a page, and behind it one of the device */

static uint32_t code[PAGE / 4] __attribute__((aligned(PAGE)));

/* @word loads register 0 from the next page; what is in V0 or X0 then. */
static uint64_t run_literal(uint32_t word, bool simd)
{
	uint64_t x0;

	code[0] = word | (PAGE / 4) << 5;
	code[1] = simd ? 0x9e660000 : 0xd503201f; /* fmov x0, d0; nop */
	code[2] = 0xd65f03c0;                     /* ret */
	__asm__ volatile("dc cvau, %1\n\tdsb sy\n\tic iallu\n\tdsb sy\n\tisb\n\t"
			 "blr %2\n\tmov %0, x0"
			 : "=r"(x0)
			 : "r"(code), "r"(page_at(CODE))
			 : "x0", "x30", "memory");
	return x0;
}

static void check_literals(void)
{
	const uint64_t value = UINT64_C(0x8877665584332211);

	pages3[CODE] = (uint64_t)code | TABLE | AF | INNER | ATTR_MEM;
	map_page(CODE + 1, SCRATCH_BASE + 7 * PAGE, 0);
	write64(page_at(CODE + 1), value);
	check_equal("ldr_w", run_literal(0x18000000, false), (uint32_t)value);
	check_equal("ldr_x", run_literal(0x58000000, false), value);
	check_equal("ldrsw", run_literal(0x98000000, false), UINT64_C(0xffffffff84332211));
	expect_aborts(true);
	run_literal(0xd8000000, false);
	check_equal("prfm_is_nothing", aborts_taken(), 0);
	expect_aborts(false);
	check_equal("ldr_s", run_literal(0x1c000000, true), (uint32_t)value);
	check_equal("ldr_d", run_literal(0x5c000000, true), value);
	check_equal("ldr_q", run_literal(0x9c000000, true), value);
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
	mmu_on();
	if (option_number("cost", UINT64_MAX) != UINT64_MAX) {
		spend(option_number("cost", 0));
		return;
	}
	fill();
	try_random(option_number("count", 2000));
	try_crossing(option_number("crossings", 300));
	check_faults();
	check_exclusives();
	check_two_cpus();
	check_literals();
}
