/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What instructions do (src/arm64/insn_execute.c, insn_vector.c, insn_copy.c), on a CPU that is
 * a few arrays: above all what tests/guest/loads.c cannot show, as one option of copies and
 * what is left undone when a part of it is refused.
 */
#include <string.h>

#include "arm64/insn.h"
#include "unit.h"

#define MEM_BASE UINT64_C(0x1000)
#define MEM_SIZE 0x100
#define SP       31

struct cpu {
	uint64_t x[32]; /* the last is SP */
	uint8_t v[32][16];
	uint8_t z[32][INSN_VECTOR_MAX];
	uint8_t p[INSN_FFR + 1][INSN_PREDICATE_MAX];
	unsigned vector;
	uint64_t flags;
	int copy_option;
	uint8_t mem[MEM_SIZE];
	unsigned access; /* that was asked for last */
	unsigned loads;
	unsigned stores;
	gva_t order[64]; /* of loads and stores */
	gva_t watch;
	unsigned watch_size;
	int refuse; /* what reach() returns */
};

static uint64_t get_x(void *data, unsigned reg)
{
	return ((struct cpu *)data)->x[reg];
}

static void set_x(void *data, unsigned reg, uint64_t value)
{
	((struct cpu *)data)->x[reg] = value;
}

static void get_v(void *data, unsigned reg, uint8_t value[16])
{
	memcpy(value, ((struct cpu *)data)->v[reg], 16);
}

static void set_v(void *data, unsigned reg, const uint8_t value[16])
{
	memcpy(((struct cpu *)data)->v[reg], value, 16);
}

static void get_z(void *data, unsigned reg, uint8_t value[INSN_VECTOR_MAX])
{
	memcpy(value, ((struct cpu *)data)->z[reg], INSN_VECTOR_MAX);
}

static void set_z(void *data, unsigned reg, const uint8_t value[INSN_VECTOR_MAX])
{
	memcpy(((struct cpu *)data)->z[reg], value, INSN_VECTOR_MAX);
}

static void get_p(void *data, unsigned reg, uint8_t value[INSN_PREDICATE_MAX])
{
	memcpy(value, ((struct cpu *)data)->p[reg], INSN_PREDICATE_MAX);
}

static void set_p(void *data, unsigned reg, const uint8_t value[INSN_PREDICATE_MAX])
{
	memcpy(((struct cpu *)data)->p[reg], value, INSN_PREDICATE_MAX);
}

static uint64_t get_flags(void *data)
{
	return ((struct cpu *)data)->flags;
}

static void set_flags(void *data, uint64_t flags)
{
	((struct cpu *)data)->flags = flags;
}

static gva_t strip(void *data, gva_t addr)
{
	(void)data;
	return addr & 0xffff;
}

static int reach(void *data, gva_t addr, unsigned size, unsigned access)
{
	struct cpu *cpu = data;

	if (cpu->refuse)
		return cpu->refuse;
	ck_assert_uint_ge(addr, MEM_BASE);
	ck_assert_uint_le(addr + size, MEM_BASE + MEM_SIZE);
	cpu->access = access;
	return 0;
}

static void load(void *data, gva_t addr, uint8_t *bytes, unsigned size)
{
	struct cpu *cpu = data;

	cpu->order[cpu->loads++ + cpu->stores] = addr;
	memcpy(bytes, cpu->mem + (addr - MEM_BASE), size);
}

static void store(void *data, gva_t addr, const uint8_t *bytes, unsigned size)
{
	struct cpu *cpu = data;

	cpu->order[cpu->loads + cpu->stores++] = addr;
	memcpy(cpu->mem + (addr - MEM_BASE), bytes, size);
}

static void update(void *data, gva_t addr, unsigned size, unsigned count, insn_combine combine,
		   const void *argument)
{
	struct cpu *cpu = data;
	uint8_t bytes[16];

	memcpy(bytes, cpu->mem + (addr - MEM_BASE), (size_t)size * count);
	if (combine(bytes, argument))
		memcpy(cpu->mem + (addr - MEM_BASE), bytes, (size_t)size * count);
}

static void watch(void *data, gva_t addr, unsigned size)
{
	((struct cpu *)data)->watch = addr;
	((struct cpu *)data)->watch_size = size;
}

static bool watched(void *data, gva_t addr, unsigned size)
{
	struct cpu *cpu = data;

	return cpu->watch == addr && cpu->watch_size == size;
}

static void settle(void *data, gva_t addr, unsigned size)
{
	(void)data;
	(void)addr;
	(void)size;
}

static const struct insn_cpu_ops ops = {
	.get_x = get_x,
	.set_x = set_x,
	.get_v = get_v,
	.set_v = set_v,
	.get_z = get_z,
	.set_z = set_z,
	.get_p = get_p,
	.set_p = set_p,
	.get_flags = get_flags,
	.set_flags = set_flags,
	.strip = strip,
	.reach = reach,
	.load = load,
	.store = store,
	.update = update,
	.watch = watch,
	.watched = watched,
	.settle = settle,
};

/* Memory counts up from 0x80, so that every byte is another and negative; X0 points to it. */
static void reset(struct cpu *cpu)
{
	*cpu = (struct cpu){.x[0] = MEM_BASE, .x[SP] = MEM_BASE + 0x40};
	for (unsigned i = 0; i < MEM_SIZE; i++)
		cpu->mem[i] = (uint8_t)(0x80 + i);
}

static int run(struct cpu *cpu, uint32_t word, bool big_endian)
{
	const struct insn_cpu view = {.ops = &ops,
				      .data = cpu,
				      .pc = MEM_BASE - 4,
				      .vector = cpu->vector,
				      .zero_block = 64,
				      .copy_option = cpu->copy_option,
				      .big_endian = big_endian};
	struct insn insn = insn_decode(word);

	return insn_execute(&insn, &view);
}

/* Loads into X1, and what it is then. */
static const struct {
	uint64_t x1;
	uint64_t x2;
	uint32_t word;
	bool big_endian;
} loads[] = {
	{0x83828180, 0, 0xb9400001, false}, /* ldr w1, [x0] */
	{0x80818283, 0, 0xb9400001, true},
	{0xffffffffffffff80, 0, 0x39800001, true}, /* ldrsb x1, [x0] */
	{0xffff8180, 0, 0x79c00001, false},        /* ldrsh w1, [x0] */
	{0xffff8081, 0, 0x79c00001, true},
	{0xffffffff80818283, 0, 0xb9800001, true},                   /* ldrsw x1, [x0] */
	{0x8786858483828180, 0x8f8e8d8c8b8a8988, 0xa9400801, false}, /* ldp x1, x2, [x0] */
	{0x8081828384858687, 0x88898a8b8c8d8e8f, 0xa9400801, true},
	{0xffffffff80818283, 0xffffffff84858687, 0x69400801, true}, /* ldpsw x1, x2, [x0] */
	{0x8081828384858687, 0x88898a8b8c8d8e8f, 0xc87f0801, true}, /* ldxp x1, x2, [x0] */
	{0x80818283, 0x84858687, 0x887f0801, true},                 /* ldxp w1, w2, [x0] */
	{0x83828180, 0, 0x18000021, false},                         /* ldr w1, .+4 */
	{0x8786858483828180, 0, 0xf8200401, false},                 /* ldraa x1, [x0] */
	{0xcfcecdcccbcac9c8, 0, 0xf84083e1, false},                 /* ldur x1, [sp, #8] */
};

START_TEST(test_loads)
{
	struct cpu cpu;

	reset(&cpu);
	cpu.x[0] |= loads[_i].word == 0xf8200401 ? 0x7f000000000000 : 0;
	ck_assert_int_eq(run(&cpu, loads[_i].word, loads[_i].big_endian), 0);
	ck_assert_uint_eq(cpu.x[1], loads[_i].x1);
	ck_assert_uint_eq(cpu.x[2], loads[_i].x2);
	ck_assert_uint_eq(cpu.access, INSN_READ);
}
END_TEST

/* What a big-endian store leaves in memory. */
START_TEST(test_stores)
{
	static const uint8_t pair[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	struct cpu cpu;

	reset(&cpu);
	cpu.x[1] = 0x0102030405060708;
	cpu.x[2] = 0x090a0b0c0d0e0f10;
	ck_assert_int_eq(run(&cpu, 0xa9000801, true), 0); /* stp x1, x2, [x0] */
	ck_assert_mem_eq(cpu.mem, pair, sizeof(pair));
	ck_assert_uint_eq(cpu.access, INSN_WRITE);
	ck_assert_uint_eq(cpu.order[0], MEM_BASE);
	ck_assert_uint_eq(cpu.order[1], MEM_BASE + 8);
	for (unsigned i = 0; i < 16; i++)
		cpu.v[1][i] = (uint8_t)(16 - i);
	ck_assert_int_eq(run(&cpu, 0x3d800401, true), 0); /* str q1, [x0, #16] */
	ck_assert_mem_eq(cpu.mem + 16, pair, sizeof(pair));
	ck_assert_int_eq(run(&cpu, 0x78002801, false), 0); /* sttrh w1, [x0, #2] */
	ck_assert_uint_eq(cpu.access, INSN_WRITE | INSN_AS_EL0);
	ck_assert_uint_eq(cpu.mem[2], 8);
	ck_assert_uint_eq(cpu.mem[3], 7);
}
END_TEST

/* Elements are swapped, their order is not. */
START_TEST(test_structures)
{
	static const uint8_t v1[] = {0x81, 0x80, 0x85, 0x84, 0x89, 0x88, 0x8d, 0x8c};
	static const uint8_t v2[] = {0x83, 0x82, 0x87, 0x86, 0x8b, 0x8a, 0x8f, 0x8e};
	struct cpu cpu;
	uint8_t before[MEM_SIZE];

	reset(&cpu);
	memset(cpu.v[1], 0xee, 16);
	ck_assert_int_eq(run(&cpu, 0x0cdf8401, true), 0); /* ld2 {v1.4h, v2.4h}, [x0], #16 */
	ck_assert_mem_eq(cpu.v[1], v1, sizeof(v1));
	ck_assert_mem_eq(cpu.v[2], v2, sizeof(v2));
	ck_assert_uint_eq(cpu.v[1][8], 0);
	ck_assert_uint_eq(cpu.x[0], MEM_BASE + 16);
	cpu.x[0] = MEM_BASE;
	memcpy(before, cpu.mem, sizeof(before));
	ck_assert_int_eq(run(&cpu, 0x0c008401, true), 0); /* st2 {v1.4h, v2.4h}, [x0] */
	ck_assert_mem_eq(cpu.mem, before, sizeof(before));
	memset(cpu.v[1], 0xee, 16);
	ck_assert_int_eq(run(&cpu, 0x0d409001, false), 0); /* ld1 {v1.s}[1], [x0] */
	ck_assert_uint_eq(cpu.v[1][3], 0xee);
	ck_assert_uint_eq(cpu.v[1][4], 0x80);
	ck_assert_uint_eq(cpu.v[1][8], 0xee);
	ck_assert_int_eq(run(&cpu, 0x0d40c401, false), 0); /* ld1r {v1.4h}, [x0] */
	ck_assert_uint_eq(cpu.v[1][6], 0x80);
	ck_assert_uint_eq(cpu.v[1][7], 0x81);
	ck_assert_uint_eq(cpu.v[1][8], 0);
}
END_TEST

/* The operations, on the byte 0x80 with the operand 0x01 or, if @operand says so, another. */
static const struct {
	uint64_t operand;
	uint32_t word;
	uint8_t left;
} atomics[] = {
	{0x101, 0x38220001, 0x81},                            /* ldaddb w2, w1, [x0] */
	{0xff, 0x38220001, 0x7f},   {0xff, 0x38221001, 0x00}, /* ldclrb */
	{0x81, 0x38222001, 0x01},                             /* ldeorb */
	{0x01, 0x38223001, 0x81},                             /* ldsetb */
	{0x01, 0x38224001, 0x01},                             /* ldsmaxb */
	{0xff80, 0x38224001, 0x80}, {0x01, 0x38225001, 0x80}, /* ldsminb */
	{0x01, 0x38226001, 0x80},                             /* ldumaxb */
	{0x1f0, 0x38226001, 0xf0},  {0x01, 0x38227001, 0x01}, /* lduminb */
	{0x1234, 0x38228001, 0x34},                           /* swpb */
};

START_TEST(test_atomics)
{
	struct cpu cpu;

	reset(&cpu);
	cpu.x[2] = atomics[_i].operand;
	ck_assert_int_eq(run(&cpu, atomics[_i].word, _i % 2), 0);
	ck_assert_uint_eq(cpu.x[1], 0x80);
	ck_assert_uint_eq(cpu.mem[0], atomics[_i].left);
	ck_assert_uint_eq(cpu.mem[1], 0x81);
	ck_assert_uint_eq(cpu.access, INSN_READ | INSN_WRITE);
}
END_TEST

START_TEST(test_big_endian_atomics)
{
	struct cpu cpu;

	reset(&cpu);
	cpu.x[2] = 1;
	ck_assert_int_eq(run(&cpu, 0xb8220001, true), 0); /* ldadd w2, w1, [x0] */
	ck_assert_uint_eq(cpu.x[1], 0x80818283);
	ck_assert_uint_eq(cpu.mem[3], 0x84);
	cpu.mem[3] = 0x83;
	cpu.x[2] = 0x80818283;
	cpu.x[3] = 0x84858687;
	cpu.x[4] = 0x01020304;
	cpu.x[5] = 0x05060708;
	ck_assert_int_eq(run(&cpu, 0x08227c04, true), 0); /* casp w2, w3, w4, w5, [x0] */
	ck_assert_uint_eq(cpu.mem[0], 1);
	ck_assert_uint_eq(cpu.mem[7], 8);
	ck_assert_uint_eq(cpu.x[2], 0x80818283);
	ck_assert_int_eq(run(&cpu, 0x08227c04, true), 0);
	ck_assert_uint_eq(cpu.x[2], 0x01020304);
	ck_assert_uint_eq(cpu.x[3], 0x05060708);
}
END_TEST

START_TEST(test_exclusives)
{
	struct cpu cpu;

	reset(&cpu);
	ck_assert_int_eq(run(&cpu, 0xc8017c02, false), 0); /* stxr w1, x2, [x0] */
	ck_assert_uint_eq(cpu.x[1], 1);
	ck_assert_uint_eq(cpu.stores, 0);
	ck_assert_int_eq(run(&cpu, 0xc85f7c03, false), 0); /* ldxr x3, [x0] */
	ck_assert_uint_eq(cpu.watch, MEM_BASE);
	ck_assert_uint_eq(cpu.watch_size, 8);
	ck_assert_int_eq(run(&cpu, 0xc8017c02, false), 0);
	ck_assert_uint_eq(cpu.x[1], 0);
	ck_assert_uint_eq(cpu.stores, 1);
	ck_assert_int_eq(run(&cpu, 0x88217c02, false), 0); /* stxp w1, w2, wzr, [x0] */
	ck_assert_uint_eq(cpu.x[1], 0);                    /* of the same 8 bytes */
	ck_assert_uint_eq(cpu.mem[4], 0);
}
END_TEST

START_TEST(test_zero)
{
	struct cpu cpu;

	reset(&cpu);
	cpu.x[0] += 0x7f;
	ck_assert_int_eq(run(&cpu, 0xd50b7420, false), 0); /* dc zva, x0 */
	for (unsigned i = 0; i < MEM_SIZE; i++)
		ck_assert_uint_eq(cpu.mem[i], i / 64 == 1 ? 0 : (uint8_t)(0x80 + i));
	ck_assert_uint_eq(cpu.stores, 8);
}
END_TEST

/* Refused in the middle: nothing is done, and what was refused comes back. */
START_TEST(test_refused)
{
	static const uint32_t words[] = {
		0xa8c10801, /* ldp x1, x2, [x0], #16 */
		0xa9810801, /* stp x1, x2, [x0, #16]! */
		0xc85f7c03, 0xc8017c02, 0x38220001, 0x08227c04, 0x0cdf8401, 0xd50b7420,
	};
	struct cpu cpu;
	struct cpu before;

	reset(&cpu);
	cpu.refuse = -EFAULT;
	before = cpu;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		ck_assert_int_eq(run(&cpu, words[i], false), -EFAULT);
		ck_assert_mem_eq(&cpu, &before, sizeof(cpu));
	}
}
END_TEST

START_TEST(test_unsupported)
{
	struct cpu cpu;

	reset(&cpu);
	ck_assert_int_eq(run(&cpu, 0xd503201f, false), -EOPNOTSUPP); /* nop */
	ck_assert_int_eq(run(&cpu, 0xf8404400, false), -EOPNOTSUPP); /* ldr x0, [x0], #4 */
	cpu.refuse = -EFAULT;
	ck_assert_int_eq(run(&cpu, 0xf9800000, false), 0); /* prfm */
}
END_TEST

/* SVE, with vectors of 32 bytes: the memory counts from 0x80, and Z1 is what is loaded. */
static const struct {
	uint32_t word;
	uint32_t active; /* P1 */
	bool big_endian;
	unsigned at; /* X0 is so far into the memory */
	uint8_t z[32];
	uint32_t ffr; /* that was all ones */
} vectors[] = {
	/* ld1sb {z1.h}, p1/z, [x0] */
	{0xa5c0a401, 0x00000031, false, 0, {0x80, 0xff, 0, 0, 0x82, 0xff}, UINT32_MAX},
	/* ld1w {z1.s}, p1/z, [x0] */
	{0xa540a401, 0x00000010, true, 0, {0, 0, 0, 0, 0x87, 0x86, 0x85, 0x84}, UINT32_MAX},
	/* ld1sh {z1.d}, p1/z, [x0] */
	{0xa500a401,
	 0x00000101,
	 true,
	 0,
	 {0x81, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x83, 0x82, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff},
	 UINT32_MAX},
	/* ld1b {z1.b}, p1/z, [x0]: inactive elements at both ends are not there. */
	{0xa400a401, 0x00000006, false, 0xfd, {0, 0x7e, 0x7f}, UINT32_MAX},
	{0xa400a401, 0x80000000, false, (unsigned)-31, {[31] = 0x80}, UINT32_MAX},
	{0xa400a401, 0, false, 0x10000, {0}, UINT32_MAX},
	/* ldff1b {z1.b}, p1/z, [x0, xzr]: the first, and no more. */
	{0xa41f6401, 0x00000070, false, 0xfb, {0, 0, 0, 0, 0x7f}, 0x0000001f},
	{0xa41f6401, 0x00000010, false, 0xfb, {0, 0, 0, 0, 0x7f}, UINT32_MAX},
	/* ldnf1h {z1.h}, p1/z, [x0]: none. */
	{0xa4b0a401, 0x00000050, false, 0x10000, {0}, 0x0000000f},
	/* ld1rw {z1.s}, p1/z, [x0, #4] */
	{0x8541c401,
	 0x10000010,
	 false,
	 0,
	 {[4] = 0x84, 0x85, 0x86, 0x87, [28] = 0x84, 0x85, 0x86, 0x87},
	 UINT32_MAX},
	/* ld1rqh {z1.h}, p1/z, [x0, #16] */
	{0xa4812401, 0x00000004, true, 0, {[2] = 0x93, 0x92, [18] = 0x93, 0x92}, UINT32_MAX},
	/* ldr z1, [x0, #1, mul vl]: bytes in either order. */
	{0x85804401,
	 0,
	 true,
	 0,
	 {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa,
	  0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5,
	  0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf},
	 UINT32_MAX},
};

static void reset_vectors(struct cpu *cpu, uint32_t active)
{
	reset(cpu);
	cpu->vector = 32;
	memset(cpu->z, 0x11, sizeof(cpu->z));
	memcpy(cpu->p[1], &active, sizeof(active));
	memset(cpu->p[INSN_FFR], 0xff, 4);
}

START_TEST(test_vectors)
{
	struct cpu cpu;

	reset_vectors(&cpu, vectors[_i].active);
	cpu.x[0] += (uint64_t)(int64_t)(int)vectors[_i].at;
	ck_assert_int_eq(run(&cpu, vectors[_i].word, vectors[_i].big_endian), 0);
	ck_assert_mem_eq(cpu.z[1], vectors[_i].z, 32);
	ck_assert_mem_eq(cpu.p[INSN_FFR], &vectors[_i].ffr, 4);
	ck_assert_uint_eq(cpu.z[0][0], 0x11);
	ck_assert_uint_eq(cpu.z[2][0], 0x11);
}
END_TEST

START_TEST(test_vector_stores)
{
	static const uint8_t wanted[] = {0x80, 0x81, 2, 0xff, 2, 0xfe, 0x86, 0x87};
	struct cpu cpu;

	/* st2b {z1.b, z2.b}, p1, [x0]: the second and the third pair. */
	reset_vectors(&cpu, 6);
	for (unsigned i = 0; i < 32; i++) {
		cpu.z[1][i] = 2;
		cpu.z[2][i] = (uint8_t)(0 - i);
	}
	ck_assert_int_eq(run(&cpu, 0xe430e401, false), 0);
	ck_assert_mem_eq(cpu.mem, wanted, sizeof(wanted));
	ck_assert_uint_eq(cpu.stores, 4);
	ck_assert_uint_eq(cpu.access, INSN_WRITE);
	/* str p1, [x0, #1, mul vl]: four bytes. */
	ck_assert_int_eq(run(&cpu, 0xe5800401, true), 0);
	ck_assert_uint_eq(cpu.mem[4], 6);
	ck_assert_uint_eq(cpu.mem[7], 0);
	ck_assert_uint_eq(cpu.mem[8], 0x88);
	/* Refused, nothing is done; and without SVE it is not known at all. */
	cpu.refuse = -EFAULT;
	ck_assert_int_eq(run(&cpu, 0xa400a401, false), -EFAULT);
	ck_assert_uint_eq(cpu.z[1][0], 2);
	cpu.vector = 0;
	ck_assert_int_eq(run(&cpu, 0xa400a401, false), -EOPNOTSUPP);
	/* LD1ROB wants 32 bytes. */
	cpu.vector = 16;
	ck_assert_int_eq(run(&cpu, 0xa4202401, false), -EOPNOTSUPP);
}
END_TEST

/*
 * Copies within the memory by each option, all stages by hand: X1 to X0, X2 bytes. The CPU goes
 * on with a main part until that has nothing to do.
 */
static const struct {
	uint32_t prologue;
	unsigned to, from, size;
} copies[] = {
	{0x19010440, 0x80, 0x10, 0x33}, /* cpyfp */
	{0x1d010440, 0x80, 0x10, 0x33}, /* cpyp */
	{0x1d010440, 0x18, 0x10, 0x60}, /* backward, over itself */
	{0x1d010440, 0x10, 0x18, 0x60}, /* forward, over itself */
	{0x1d010440, 0x30, 0x30, 0x20}, {0x1d010440, 0, 0x7f, 0x7f},
	{0x19010440, 0, 0, 0},          {0x19c10440, 0x11, 0, 0x55}, /* setp: the byte in X1 */
	{0x19c10440, 0, 0, 0},
};

START_TEST(test_copies)
{
	int option = _i % 2;
	uint32_t word = copies[_i / 2].prologue;
	unsigned to = copies[_i / 2].to, from = copies[_i / 2].from, size = copies[_i / 2].size;
	bool set = (word & 0x00c00000) == 0x00c00000;
	uint8_t wanted[MEM_SIZE];
	struct cpu cpu;
	int r;

	reset(&cpu);
	cpu.copy_option = option;
	memcpy(wanted, cpu.mem, MEM_SIZE);
	if (set)
		memset(wanted + to, 0x5a, size);
	else
		memmove(wanted + to, cpu.mem + from, size);
	cpu.x[0] = MEM_BASE + to;
	cpu.x[1] = set ? 0x1234565a : MEM_BASE + from;
	cpu.x[2] = size;
	ck_assert_int_eq(run(&cpu, word, false), 0);
	ck_assert_uint_eq(cpu.flags >> 29 & 1, (unsigned)option);
	ck_assert_uint_eq(cpu.stores, 0);
	word |= set ? 0x4000 : 0x00400000;
	for (unsigned rounds = 0; (r = run(&cpu, word, false)) == INSN_AGAIN; rounds++)
		ck_assert_uint_lt(rounds, 16);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(cpu.x[2], 0);
	ck_assert_mem_eq(cpu.mem, wanted, MEM_SIZE);
	if (set)
		ck_assert_uint_eq(cpu.x[1], 0x1234565a);
	/* An epilogue has nothing to do then. */
	ck_assert_int_eq(run(&cpu, set ? 0x19c18440 : word ^ 0x00c00000, false), 0);
}
END_TEST

START_TEST(test_copy_refused)
{
	struct cpu cpu;

	reset(&cpu);
	cpu.x[1] = MEM_BASE + 0x80;
	cpu.x[2] = 16;
	cpu.copy_option = -EOPNOTSUPP;
	ck_assert_int_eq(run(&cpu, 0x19010440, false), -EOPNOTSUPP);
	cpu.copy_option = 0;
	ck_assert_int_eq(run(&cpu, 0x19010440, false), 0);
	cpu.refuse = -EFAULT;
	ck_assert_int_eq(run(&cpu, 0x19410440, false), -EFAULT);
	ck_assert_int_eq((int64_t)cpu.x[2], -16);
	ck_assert_uint_eq(cpu.stores, 0);
	/* Sizes are cut, not taken for something else. */
	cpu.x[2] = UINT64_MAX;
	ck_assert_int_eq(run(&cpu, 0x1d010440, false), 0);
	ck_assert_uint_le(cpu.x[2] > INT64_MAX ? 0 - cpu.x[2] : cpu.x[2], 0x007fffffffffffff);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_copies, 2 * ARRAY_SIZE(copies)),
	UNIT_CASE(test_copy_refused),
	UNIT_LOOP(test_vectors, ARRAY_SIZE(vectors)),
	UNIT_CASE(test_vector_stores),
	UNIT_LOOP(test_loads, ARRAY_SIZE(loads)),
	UNIT_CASE(test_stores),
	UNIT_CASE(test_structures),
	UNIT_LOOP(test_atomics, ARRAY_SIZE(atomics)),
	UNIT_CASE(test_big_endian_atomics),
	UNIT_CASE(test_exclusives),
	UNIT_CASE(test_zero),
	UNIT_CASE(test_refused),
	UNIT_CASE(test_unsupported),
	{0},
};
const char unit_name[] = "insn_execute";
