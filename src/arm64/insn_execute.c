/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What loads and stores do. All bytes of an A64 instruction are one span of addresses, so
 * each goes the same way: address, reach, move, registers, writeback.
 */
#include <string.h>

#include "insn_private.h"

#define REG_31  31
#define V_REGS  32
#define V_BYTES 16

/* ---- Registers and bytes -------------------------------------------------- */

static uint64_t get_x(const struct insn_cpu *cpu, unsigned reg)
{
	return reg == REG_31 ? 0 : cpu->ops->get_x(cpu->data, reg);
}

static void set_x(const struct insn_cpu *cpu, unsigned reg, uint64_t value)
{
	if (reg != REG_31)
		cpu->ops->set_x(cpu->data, reg, value);
}

/* Between the order of a register, bits 7:0 first, and the order of memory. */
static void order(const struct insn_cpu *cpu, uint8_t *to, const uint8_t *from, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = from[cpu->big_endian ? size - 1 - i : i];
}

static uint64_t to_value(const struct insn_cpu *cpu, const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | bytes[cpu->big_endian ? i : size - 1 - i];
	return value;
}

static void to_bytes(const struct insn_cpu *cpu, uint8_t *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[cpu->big_endian ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

static uint64_t low_bytes(uint64_t value, unsigned size)
{
	return size >= 8 ? value : value & (BIT(8 * size) - 1);
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	uint64_t sign = BIT((8 * size - 1) & 63);

	return (low_bytes(value, size) ^ sign) - sign;
}

/* ---- Addresses (DDI 0487, J1.3.3, "ExtendReg") ----------------------------- */

static uint64_t extended(const struct insn *insn, const struct insn_cpu *cpu)
{
	uint64_t value = get_x(cpu, insn->rm);

	/* UXTW, LSL (UXTX), SXTW, SXTX: the only ones here. */
	if (!(insn->option & 1))
		value = insn->option & 4 ? sign_extend(value, 4) : low_bytes(value, 4);
	return value << insn->shift;
}

struct place {
	gva_t base;
	gva_t addr;
};

static struct place find_place(const struct insn *insn, const struct insn_cpu *cpu)
{
	struct place place = {.base = insn->address == INSN_LITERAL
					      ? cpu->pc
					      : cpu->ops->get_x(cpu->data, insn->rn)};

	if (insn->authenticated)
		place.base = cpu->ops->strip(cpu->data, place.base);
	place.addr = place.base;
	if (insn->address == INSN_REGISTER)
		place.addr += extended(insn, cpu);
	else if (insn->address != INSN_POST && insn->address != INSN_POST_REG)
		place.addr += (uint64_t)insn->offset;
	return place;
}

static void write_back(const struct insn *insn, const struct insn_cpu *cpu,
		       const struct place *place)
{
	switch (insn->address) {
	case INSN_PRE:
		cpu->ops->set_x(cpu->data, insn->rn, place->addr);
		break;
	case INSN_POST:
		cpu->ops->set_x(cpu->data, insn->rn, place->base + (uint64_t)insn->offset);
		break;
	case INSN_POST_REG:
		cpu->ops->set_x(cpu->data, insn->rn, place->base + get_x(cpu, insn->rm));
		break;
	case INSN_BASE:
	case INSN_REGISTER:
	case INSN_LITERAL:
		break;
	}
}

static int reach(const struct insn *insn, const struct insn_cpu *cpu, gva_t addr, unsigned size)
{
	unsigned access = 0;

	if (insn->load)
		access |= INSN_READ;
	if (!insn->load || insn->kind == INSN_ATOMIC || insn->kind == INSN_COMPARE)
		access |= INSN_WRITE;
	if (insn->unprivileged)
		access |= INSN_AS_EL0;
	return cpu->ops->reach(cpu->data, addr, size, access);
}

/* ---- One register, or two ------------------------------------------------- */

static unsigned register_of(const struct insn *insn, unsigned i)
{
	return i == 0 ? insn->rt : insn->rt2;
}

static void load_registers(const struct insn *insn, const struct insn_cpu *cpu, gva_t addr)
{
	uint8_t bytes[2][V_BYTES] = {0};

	for (unsigned i = 0; i < insn->count; i++)
		cpu->ops->load(cpu->data, addr + (uint64_t)i * insn->size, bytes[i], insn->size);
	for (unsigned i = 0; i < insn->count; i++) {
		uint64_t value;

		if (insn->simd) {
			uint8_t v[V_BYTES] = {0};

			order(cpu, v, bytes[i], insn->size);
			cpu->ops->set_v(cpu->data, register_of(insn, i), v);
			continue;
		}
		value = to_value(cpu, bytes[i], insn->size);
		if (insn->sign)
			value = low_bytes(sign_extend(value, insn->size), insn->width);
		set_x(cpu, register_of(insn, i), value);
	}
}

static void store_registers(const struct insn *insn, const struct insn_cpu *cpu, gva_t addr)
{
	uint8_t bytes[2][V_BYTES];

	for (unsigned i = 0; i < insn->count; i++) {
		if (insn->simd) {
			uint8_t v[V_BYTES];

			cpu->ops->get_v(cpu->data, register_of(insn, i), v);
			order(cpu, bytes[i], v, insn->size);
		} else {
			to_bytes(cpu, bytes[i], get_x(cpu, register_of(insn, i)), insn->size);
		}
	}
	for (unsigned i = 0; i < insn->count; i++)
		cpu->ops->store(cpu->data, addr + (uint64_t)i * insn->size, bytes[i], insn->size);
}

static int load_exclusive(const struct insn *insn, const struct insn_cpu *cpu)
{
	struct place place = find_place(insn, cpu);
	unsigned size = (unsigned)insn->size * insn->count;
	int r = reach(insn, cpu, place.addr, size);

	if (r < 0)
		return r;
	cpu->ops->watch(cpu->data, place.addr, size);
	load_registers(insn, cpu, place.addr);
	return 0;
}

static int store_exclusive(const struct insn *insn, const struct insn_cpu *cpu)
{
	struct place place = find_place(insn, cpu);
	unsigned size = (unsigned)insn->size * insn->count;
	int r = reach(insn, cpu, place.addr, size);
	bool mine;

	if (r < 0)
		return r;
	mine = cpu->ops->watched(cpu->data, place.addr, size);
	if (mine) {
		store_registers(insn, cpu, place.addr);
		cpu->ops->settle(cpu->data, place.addr, size);
	}
	set_x(cpu, insn->rs, mine ? 0 : 1);
	return 0;
}

/* ---- Atomics -------------------------------------------------------------- */

struct atomic {
	const struct insn *insn;
	const struct insn_cpu *cpu;
	uint64_t operand;
	uint64_t *old;
};

static uint64_t compute(const struct insn *insn, uint64_t old, uint64_t operand)
{
	int64_t left = (int64_t)sign_extend(old, insn->size);
	int64_t right = (int64_t)sign_extend(operand, insn->size);

	operand = low_bytes(operand, insn->size);
	switch (insn->operation) {
	case INSN_ADD:
		return old + operand;
	case INSN_CLR:
		return old & ~operand;
	case INSN_EOR:
		return old ^ operand;
	case INSN_SET:
		return old | operand;
	case INSN_SMAX:
		return left > right ? old : operand;
	case INSN_SMIN:
		return left < right ? old : operand;
	case INSN_UMAX:
		return max_u64(old, operand);
	case INSN_UMIN:
		return min_u64(old, operand);
	case INSN_SWP:
		break;
	}
	return operand;
}

static bool combine_atomic(uint8_t *bytes, const void *data)
{
	const struct atomic *atomic = data;
	const struct insn *insn = atomic->insn;

	*atomic->old = to_value(atomic->cpu, bytes, insn->size);
	to_bytes(atomic->cpu, bytes, compute(insn, *atomic->old, atomic->operand), insn->size);
	return true;
}

static int atomic(const struct insn *insn, const struct insn_cpu *cpu)
{
	struct place place = find_place(insn, cpu);
	uint64_t old = 0;
	struct atomic data = {insn, cpu, get_x(cpu, insn->rs), &old};
	int r = reach(insn, cpu, place.addr, insn->size);

	if (r < 0)
		return r;
	cpu->ops->update(cpu->data, place.addr, insn->size, 1, combine_atomic, &data);
	set_x(cpu, insn->rt, old);
	return 0;
}

/* Element i of CASP goes with the i-th register of each pair, whatever the byte order is. */
struct compare {
	unsigned size; /* of all */
	uint8_t wanted[V_BYTES];
	uint8_t replacement[V_BYTES];
	uint8_t *old;
};

static bool combine_compare(uint8_t *bytes, const void *data)
{
	const struct compare *compare = data;

	memcpy(compare->old, bytes, compare->size);
	if (memcmp(bytes, compare->wanted, compare->size) != 0)
		return false;
	memcpy(bytes, compare->replacement, compare->size);
	return true;
}

static int compare(const struct insn *insn, const struct insn_cpu *cpu)
{
	struct place place = find_place(insn, cpu);
	uint8_t old[V_BYTES] = {0};
	struct compare data = {.size = (unsigned)insn->size * insn->count, .old = old};
	int r = reach(insn, cpu, place.addr, data.size);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < insn->count; i++) {
		unsigned at = i * insn->size;

		to_bytes(cpu, data.wanted + at, get_x(cpu, insn->rs + i), insn->size);
		to_bytes(cpu, data.replacement + at, get_x(cpu, insn->rt + i), insn->size);
	}
	cpu->ops->update(cpu->data, place.addr, insn->size, insn->count, combine_compare, &data);
	for (unsigned i = 0; i < insn->count; i++)
		set_x(cpu, insn->rs + i, to_value(cpu, old + (size_t)i * insn->size, insn->size));
	return 0;
}

/* ---- SIMD structures (DDI 0487, C7.2, "LD1 (multiple structures)" and so on) - */

#define STRUCTURE_MAX 4 /* registers */

/* Where in the registers the element is that is the @at-th in memory. */
struct slot {
	unsigned reg; /* from Rt on */
	unsigned lane;
};

static struct slot find_slot(const struct insn *insn, unsigned at)
{
	unsigned lanes = insn->bytes / insn->size;
	unsigned each = lanes * insn->count;

	if (!insn->whole)
		return (struct slot){at, insn->lane};
	return (struct slot){at / each + at % insn->count, at % each / insn->count};
}

static unsigned elements(const struct insn *insn)
{
	if (!insn->whole)
		return insn->count;
	return (unsigned)insn->count * insn->repeat * (insn->bytes / insn->size);
}

static void load_structure(const struct insn *insn, const struct insn_cpu *cpu, gva_t addr)
{
	uint8_t v[STRUCTURE_MAX][V_BYTES] = {0};
	unsigned regs = (unsigned)insn->count * insn->repeat;

	/* One lane leaves the others as they were; all else begins from zero. */
	for (unsigned i = 0; i < regs && !insn->whole && !insn->replicate; i++)
		cpu->ops->get_v(cpu->data, (insn->rt + i) % V_REGS, v[i]);
	for (unsigned i = 0; i < elements(insn); i++) {
		struct slot slot = find_slot(insn, i);
		uint8_t bytes[V_BYTES];

		cpu->ops->load(cpu->data, addr + (uint64_t)i * insn->size, bytes, insn->size);
		order(cpu, v[slot.reg] + (size_t)slot.lane * insn->size, bytes, insn->size);
	}
	for (unsigned i = 0; i < regs; i++) {
		for (unsigned at = insn->size; insn->replicate && at < insn->bytes;
		     at += insn->size)
			memcpy(v[i] + at, v[i], insn->size);
		cpu->ops->set_v(cpu->data, (insn->rt + i) % V_REGS, v[i]);
	}
}

static void store_structure(const struct insn *insn, const struct insn_cpu *cpu, gva_t addr)
{
	uint8_t v[STRUCTURE_MAX][V_BYTES];
	unsigned regs = (unsigned)insn->count * insn->repeat;

	for (unsigned i = 0; i < regs; i++)
		cpu->ops->get_v(cpu->data, (insn->rt + i) % V_REGS, v[i]);
	for (unsigned i = 0; i < elements(insn); i++) {
		struct slot slot = find_slot(insn, i);
		uint8_t bytes[V_BYTES];

		order(cpu, bytes, v[slot.reg] + (size_t)slot.lane * insn->size, insn->size);
		cpu->ops->store(cpu->data, addr + (uint64_t)i * insn->size, bytes, insn->size);
	}
}

/* ---- All that is moved and no more ---------------------------------------- */

static int transfer(const struct insn *insn, const struct insn_cpu *cpu)
{
	bool structure = insn->kind == INSN_STRUCTURE;
	unsigned count = structure ? elements(insn) : insn->count;
	struct place place = find_place(insn, cpu);
	int r = reach(insn, cpu, place.addr, count * insn->size);

	if (r < 0)
		return r;
	if (insn->load)
		(structure ? load_structure : load_registers)(insn, cpu, place.addr);
	else
		(structure ? store_structure : store_registers)(insn, cpu, place.addr);
	write_back(insn, cpu, &place);
	return 0;
}

/* ---- DC ZVA (DDI 0487, C5.3) ---------------------------------------------- */

static int zero(const struct insn *insn, const struct insn_cpu *cpu)
{
	static const uint8_t zeroes[8];
	gva_t addr = align_down(get_x(cpu, insn->rt), cpu->zero_block);
	int r = reach(insn, cpu, addr, cpu->zero_block);

	if (r < 0)
		return r;
	for (unsigned at = 0; at < cpu->zero_block; at += sizeof(zeroes))
		cpu->ops->store(cpu->data, addr + at, zeroes,
				(unsigned)min_u64(sizeof(zeroes), cpu->zero_block));
	return 0;
}

int insn_execute(const struct insn *insn, const struct insn_cpu *cpu)
{
	switch (insn->kind) {
	case INSN_TRANSFER:
	case INSN_STRUCTURE:
		return transfer(insn, cpu);
	case INSN_LOAD_EXCLUSIVE:
		return load_exclusive(insn, cpu);
	case INSN_STORE_EXCLUSIVE:
		return store_exclusive(insn, cpu);
	case INSN_ATOMIC:
		return atomic(insn, cpu);
	case INSN_COMPARE:
		return compare(insn, cpu);
	case INSN_ZERO:
		return zero(insn, cpu);
	case INSN_VECTOR:
	case INSN_FILL:
		return insn_execute_vector(insn, cpu);
	case INSN_COPY:
		return insn_execute_copy(insn, cpu);
	case INSN_HINT:
		return 0;
	case INSN_OTHER:
	case INSN_UNPREDICTABLE:
		break;
	}
	return -EOPNOTSUPP;
}
