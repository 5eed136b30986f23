/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SVE's contiguous loads and stores (DDI 0487, C8.2). The bytes from the first active element
 * to the last are one span, as those of any other instruction; inactive ones at its ends are
 * not accessed, and cannot fault.
 */
#include <string.h>

#include "insn_private.h"

#define REG_31      31
#define Z_REGS      32
#define REGS_MAX    4
#define ELEMENT_MAX 8

struct vector {
	const struct insn *insn;
	const struct insn_cpu *cpu;
	uint8_t active[INSN_PREDICATE_MAX]; /* a bit for each byte of a Z register */
	unsigned elements;                  /* of a register, or of what is replicated */
	unsigned first, last;               /* active ones; first > last: there are none */
	gva_t addr;
};

static bool is_active(const struct vector *v, unsigned element)
{
	unsigned bit = element * v->insn->bytes;

	return v->active[bit / 8] >> bit % 8 & 1;
}

static unsigned element_count(const struct insn *insn, const struct insn_cpu *cpu)
{
	return (insn->block ? insn->block : cpu->vector) / insn->bytes;
}

static void find_active(struct vector *v)
{
	v->first = v->elements;
	v->last = 0;
	for (unsigned i = 0; i < v->elements; i++) {
		if (!is_active(v, i))
			continue;
		if (v->first == v->elements)
			v->first = i;
		v->last = i;
	}
}

static gva_t address_of(const struct insn *insn, const struct insn_cpu *cpu, unsigned scale)
{
	gva_t base = cpu->ops->get_x(cpu->data, insn->rn);

	if (insn->address == INSN_REGISTER)
		return base + ((insn->rm == REG_31 ? 0 : cpu->ops->get_x(cpu->data, insn->rm))
			       << insn->shift);
	return base + (uint64_t)insn->offset * (insn->scaled ? scale : 1);
}

static int reach_vector(const struct vector *v)
{
	unsigned each = (unsigned)v->insn->count * v->insn->size;
	unsigned access = v->insn->load ? INSN_READ : INSN_WRITE;

	/* One element for all of them. */
	if (v->insn->replicate && !v->insn->block)
		return v->cpu->ops->reach(v->cpu->data, v->addr, each, access);
	return v->cpu->ops->reach(v->cpu->data, v->addr + (uint64_t)v->first * each,
				  (v->last - v->first + 1) * each, access);
}

/* An element in the order of memory, of @size bytes, as it is in a register, and back. */
static void turn(const struct vector *v, uint8_t *to, const uint8_t *from)
{
	unsigned size = v->insn->size;

	for (unsigned i = 0; i < size; i++)
		to[i] = from[v->cpu->big_endian ? size - 1 - i : i];
}

static void load_element(const struct vector *v, unsigned i, unsigned reg, uint8_t *lane)
{
	const struct insn *insn = v->insn;
	uint64_t at = insn->replicate && !insn->block
			      ? 0
			      : ((uint64_t)i * insn->count + reg) * insn->size;
	uint8_t bytes[ELEMENT_MAX];

	v->cpu->ops->load(v->cpu->data, v->addr + at, bytes, insn->size);
	turn(v, lane, bytes);
	if (insn->sign && lane[insn->size - 1] & 0x80)
		memset(lane + insn->size, 0xff, insn->bytes - insn->size);
}

/* To be inactive is to be zero. */
static void load_vector(const struct vector *v, uint8_t z[][INSN_VECTOR_MAX])
{
	const struct insn *insn = v->insn;
	bool one = insn->replicate && !insn->block;
	uint8_t lane[ELEMENT_MAX] = {0};

	if (one)
		load_element(v, 0, 0, lane);
	for (unsigned i = v->first; i <= v->last; i++) {
		for (unsigned reg = 0; reg < insn->count && is_active(v, i); reg++) {
			uint8_t *to = z[reg] + (size_t)i * insn->bytes;

			if (one)
				memcpy(to, lane, insn->bytes);
			else
				load_element(v, i, reg, to);
		}
	}
	for (unsigned at = insn->block; at && at < v->cpu->vector; at++)
		z[0][at] = z[0][at - insn->block];
}

static void store_vector(const struct vector *v, uint8_t z[][INSN_VECTOR_MAX])
{
	const struct insn *insn = v->insn;

	for (unsigned i = v->first; i <= v->last; i++) {
		for (unsigned reg = 0; reg < insn->count && is_active(v, i); reg++) {
			uint64_t at = ((uint64_t)i * insn->count + reg) * insn->size;
			uint8_t bytes[ELEMENT_MAX];

			turn(v, bytes, z[reg] + (size_t)i * insn->bytes);
			v->cpu->ops->store(v->cpu->data, v->addr + at, bytes, insn->size);
		}
	}
}

/* The FFR says no longer that @element and those behind it were loaded. */
static void clear_first_fault(const struct vector *v, unsigned element)
{
	const struct insn_cpu_ops *ops = v->cpu->ops;
	uint8_t ffr[INSN_PREDICATE_MAX];

	ops->get_p(v->cpu->data, INSN_FFR, ffr);
	for (unsigned bit = element * v->insn->bytes; bit < v->cpu->vector; bit++)
		ffr[bit / 8] &= (uint8_t) ~(1U << bit % 8);
	ops->set_p(v->cpu->data, INSN_FFR, ffr);
}

static int move_elements(struct vector *v)
{
	const struct insn *insn = v->insn;
	const struct insn_cpu *cpu = v->cpu;
	uint8_t z[REGS_MAX][INSN_VECTOR_MAX] = {0};
	unsigned all = v->last;
	bool any = v->first <= v->last && !insn->non_fault;
	int r;

	if (insn->first_fault && any)
		v->last = v->first;
	r = any ? reach_vector(v) : 0;
	if (r < 0)
		return r;
	for (unsigned reg = 0; reg < insn->count && !insn->load; reg++)
		cpu->ops->get_z(cpu->data, (insn->rt + reg) % Z_REGS, z[reg]);
	if (any)
		(insn->load ? load_vector : store_vector)(v, z);
	for (unsigned reg = 0; reg < insn->count && insn->load; reg++)
		cpu->ops->set_z(cpu->data, (insn->rt + reg) % Z_REGS, z[reg]);
	if (insn->first_fault && v->last < all)
		clear_first_fault(v, v->first + 1);
	if (insn->non_fault && v->first <= all)
		clear_first_fault(v, v->first);
	return 0;
}

/* Whole registers are bytes, whatever the byte order is. */
static int fill(const struct insn *insn, const struct insn_cpu *cpu)
{
	const struct insn_cpu_ops *ops = cpu->ops;
	unsigned size = insn->predicate ? cpu->vector / 8 : cpu->vector;
	gva_t addr = address_of(insn, cpu, size);
	unsigned part = (unsigned)min_u64(size, ELEMENT_MAX);
	uint8_t bytes[INSN_VECTOR_MAX] = {0};
	int r = ops->reach(cpu->data, addr, size, insn->load ? INSN_READ : INSN_WRITE);

	if (r < 0)
		return r;
	if (!insn->load)
		(insn->predicate ? ops->get_p : ops->get_z)(cpu->data, insn->rt, bytes);
	for (unsigned at = 0; at < size; at += part) {
		unsigned now = (unsigned)min_u64(part, size - at);

		if (insn->load)
			ops->load(cpu->data, addr + at, bytes + at, now);
		else
			ops->store(cpu->data, addr + at, bytes + at, now);
	}
	if (insn->load)
		(insn->predicate ? ops->set_p : ops->set_z)(cpu->data, insn->rt, bytes);
	return 0;
}

int insn_execute_vector(const struct insn *insn, const struct insn_cpu *cpu)
{
	struct vector vector = {.insn = insn, .cpu = cpu};

	if (!cpu->vector || insn->block > cpu->vector)
		return -EOPNOTSUPP;
	if (insn->kind == INSN_FILL)
		return fill(insn, cpu);
	vector.elements = element_count(insn, cpu);
	vector.addr = address_of(insn, cpu, vector.elements * insn->size);
	cpu->ops->get_p(cpu->data, insn->pg, vector.active);
	find_active(&vector);
	return move_elements(&vector);
}
