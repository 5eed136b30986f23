/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any word as an instruction, with any registers, in a guest whose memory and whose
 * translation tables are the input: it is decoded and done, and every access is within what
 * was reached before. The input is struct header, and then what the memory begins with.
 */
#include <stdlib.h>
#include <string.h>

#include "arm64/insn.h"
#include "arm64/stage1.h"
#include "fuzz.h"

#define PAGE     4096
#define PAGES    4
#define RAM_BASE UINT64_C(0x40000000)
#define SP       31

struct header {
	uint64_t x[4]; /* X0 to X30 and SP, again and again */
	uint64_t tcr;
	uint64_t sctlr;
	uint64_t ttbr[2];
	uint64_t pir;
	uint32_t word;
	uint8_t access; /* what else: STAGE1_EL0, STAGE1_PAN */
	uint8_t flags;
};

struct cpu {
	const struct header *header;
	const struct guest_mem *mem;
	struct stage1 stage1;
	gva_t reached, reached_before; /* a copy has two spans */
	unsigned reached_size, before_size;
	unsigned sets; /* registers set */
	bool refused;
};

static uint64_t get_x(void *data, unsigned reg)
{
	const struct cpu *cpu = data;

	FUZZ_ASSERT(reg <= SP);
	return cpu->header->x[reg % 4];
}

static void set_x(void *data, unsigned reg, uint64_t value)
{
	struct cpu *cpu = data;

	(void)value;
	FUZZ_ASSERT(reg <= SP && !cpu->refused);
	cpu->sets++;
}

static void get_v(void *data, unsigned reg, uint8_t value[16])
{
	(void)data;
	FUZZ_ASSERT(reg < 32);
	memset(value, (int)reg, 16);
}

static void set_v(void *data, unsigned reg, const uint8_t value[16])
{
	struct cpu *cpu = data;
	static volatile uint8_t sink;

	FUZZ_ASSERT(reg < 32 && !cpu->refused);
	for (unsigned i = 0; i < 16; i++)
		sink = value[i];
	(void)sink;
	cpu->sets++;
}

static void get_z(void *data, unsigned reg, uint8_t value[INSN_VECTOR_MAX])
{
	(void)data;
	FUZZ_ASSERT(reg < 32);
	memset(value, (int)reg, INSN_VECTOR_MAX);
}

static void set_z(void *data, unsigned reg, const uint8_t value[INSN_VECTOR_MAX])
{
	struct cpu *cpu = data;
	static volatile uint8_t sink;

	FUZZ_ASSERT(reg < 32 && !cpu->refused);
	for (unsigned i = 0; i < INSN_VECTOR_MAX; i++)
		sink = value[i];
	(void)sink;
	cpu->sets++;
}

/* As many kinds of predicates as X registers. */
static void get_p(void *data, unsigned reg, uint8_t value[INSN_PREDICATE_MAX])
{
	const struct cpu *cpu = data;

	FUZZ_ASSERT(reg <= INSN_FFR);
	for (unsigned i = 0; i < INSN_PREDICATE_MAX; i++)
		value[i] = (uint8_t)(cpu->header->x[reg % 4] >> i % 8 * 8);
}

static void set_p(void *data, unsigned reg, const uint8_t value[INSN_PREDICATE_MAX])
{
	struct cpu *cpu = data;
	static volatile uint8_t sink;

	FUZZ_ASSERT(reg <= INSN_FFR && !cpu->refused);
	for (unsigned i = 0; i < INSN_PREDICATE_MAX; i++)
		sink = value[i];
	(void)sink;
	cpu->sets++;
}

static uint64_t get_flags(void *data)
{
	const struct cpu *cpu = data;

	return cpu->header->x[2] & UINT64_C(0xf0000000);
}

static void set_flags(void *data, uint64_t flags)
{
	struct cpu *cpu = data;

	FUZZ_ASSERT(!(flags & ~UINT64_C(0xf0000000)) && !cpu->refused);
}

static gva_t strip(void *data, gva_t addr)
{
	const struct cpu *cpu = data;
	gva_t stripped = stage1_strip_code(&cpu->stage1, addr);

	FUZZ_ASSERT(stage1_strip_code(&cpu->stage1, stripped) == stripped);
	return stripped;
}

static int reach(void *data, gva_t addr, unsigned size, unsigned access)
{
	struct cpu *cpu = data;
	unsigned wanted = (access & INSN_READ ? STAGE1_READ : 0) |
			  (access & INSN_WRITE ? STAGE1_WRITE : 0) |
			  (cpu->header->access & (STAGE1_EL0 | STAGE1_PAN));
	gpa_t at = UINT64_MAX;
	unsigned status;
	int r = stage1_walk(&cpu->stage1, cpu->mem, addr, wanted, &at, &status);

	FUZZ_ASSERT(size >= 1 && size <= INSN_SPAN_MAX && access != 0);
	FUZZ_ASSERT(r == 0 ? at != UINT64_MAX : r == -EFAULT && status < 0x40);
	FUZZ_ASSERT(r < 0 || at >> 52 == 0);
	cpu->reached_before = cpu->reached;
	cpu->before_size = cpu->reached_size;
	cpu->reached = addr;
	cpu->reached_size = size;
	cpu->refused = r < 0;
	return r;
}

static void check_inside(const struct cpu *cpu, gva_t addr, unsigned size)
{
	FUZZ_ASSERT(!cpu->refused && size >= 1 && size <= 16);
	FUZZ_ASSERT(
		(cpu->reached_size >= size && addr - cpu->reached <= cpu->reached_size - size) ||
		(cpu->before_size >= size &&
		 addr - cpu->reached_before <= cpu->before_size - size));
}

static void load(void *data, gva_t addr, uint8_t *bytes, unsigned size)
{
	const struct cpu *cpu = data;

	check_inside(cpu, addr, size);
	FUZZ_ASSERT(cpu->sets == 0); /* registers come last */
	memset(bytes, 0x5a, size);
}

static void store(void *data, gva_t addr, const uint8_t *bytes, unsigned size)
{
	static volatile uint8_t sink;

	check_inside(data, addr, size);
	for (unsigned i = 0; i < size; i++)
		sink = bytes[i];
	(void)sink;
}

static void update(void *data, gva_t addr, unsigned size, unsigned count, insn_combine combine,
		   const void *argument)
{
	uint8_t *bytes = calloc(count, size); /* of its own, as above */

	check_inside(data, addr, size * count);
	FUZZ_ASSERT(bytes);
	combine(bytes, argument);
	free(bytes);
}

static void watch(void *data, gva_t addr, unsigned size)
{
	check_inside(data, addr, size);
}

static bool watched(void *data, gva_t addr, unsigned size)
{
	const struct cpu *cpu = data;

	check_inside(cpu, addr, size);
	return cpu->header->flags & 1;
}

static void settle(void *data, gva_t addr, unsigned size)
{
	check_inside(data, addr, size);
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

static void run(const struct header *header, const struct guest_mem *mem)
{
	struct cpu cpu = {.header = header,
			  .mem = mem,
			  .stage1 = {.sctlr = header->sctlr,
				     .tcr = header->tcr,
				     .ttbr = {header->ttbr[0], header->ttbr[1]},
				     .indirect = header->flags & 2,
				     .pir = header->pir,
				     .pire0 = ~header->pir}};
	const struct insn_cpu view = {
		.ops = &ops,
		.data = &cpu,
		.pc = header->x[0],
		.vector = header->flags & 8 ? 0 : 16 + 16 * (header->x[3] >> 60 & 15),
		.copy_option = (header->access >> 5) % 3 - 1,
		.zero_block = 4U << (header->flags >> 4 & 7),
		.big_endian = header->flags & 4};
	const struct insn insn = insn_decode(header->word);
	int r = insn_execute(&insn, &view);

	if (insn.kind == INSN_COPY) {
		FUZZ_ASSERT(r == 0 || r == INSN_AGAIN || r == -EOPNOTSUPP || cpu.refused);
		return;
	}
	FUZZ_ASSERT(r == 0 || (r == -EFAULT && cpu.refused) ||
		    (r == -EOPNOTSUPP &&
		     (insn.kind == INSN_OTHER || insn.kind == INSN_UNPREDICTABLE)) ||
		    (r == -EOPNOTSUPP && (insn.kind == INSN_VECTOR || insn.kind == INSN_FILL) &&
		     view.vector < 32));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *ram = calloc(PAGES, PAGE);
	const struct guest_mem mem = {
		.base = RAM_BASE, .size = (uint64_t)PAGES * PAGE, .host = ram};
	struct header header;

	FUZZ_ASSERT(ram);
	if (size >= sizeof(header)) {
		memcpy(&header, data, sizeof(header));
		size -= sizeof(header);
		if (size > 0)
			memcpy(ram, data + sizeof(header),
			       size < PAGES * PAGE ? size : PAGES * PAGE);
		run(&header, &mem);
	}
	free(ram);
	return 0;
}
