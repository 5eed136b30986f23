/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/registers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arm64/sysreg_name.h"
#include "machine_private.h"

enum { CORE_SP = 31, CORE_PC, CORE_CPSR, CORE_COUNT };
enum { VECTOR_FPSR = 32, VECTOR_FPCR, VECTOR_COUNT };
enum { SVE_FFR = 16, SVE_VG, SVE_COUNT };
#define SYSREGS_MAX 512

static void add(struct machine_registers *list, enum machine_register_group group, unsigned number,
		unsigned size, const char *name)
{
	struct machine_register *reg = &list->rows[list->count++];

	*reg = (struct machine_register){
		.group = group, .number = (uint16_t)number, .size = (uint16_t)size};
	snprintf(reg->name, sizeof(reg->name), "%s", name);
}

static void add_numbered(struct machine_registers *list, enum machine_register_group group,
			 char letter, unsigned count, unsigned size)
{
	char name[8];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%c%u", letter, i);
		add(list, group, i, size, name);
	}
}

static void add_system(struct machine_registers *list, const uint16_t *sysregs, size_t count)
{
	char name[SYSREG_NAME_MAX];

	for (size_t i = 0; i < count; i++) {
		sysreg_name(sysregs[i], name);
		/* KVM tells of ID registers that are not allocated, and read as zero. */
		if (strncmp(name, "S3_0_C0_", 8) != 0)
			add(list, MACHINE_REGISTERS_SYSTEM, sysregs[i], 8, name);
	}
}

static int by_encoding(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void fill(struct machine_registers *list, struct hyp_vcpu *vcpu)
{
	uint16_t sysregs[SYSREGS_MAX];
	int count = hyp_vcpu_list_sysregs(vcpu, sysregs, SYSREGS_MAX);
	unsigned vector = hyp_vcpu_vector_max(vcpu);

	add_numbered(list, MACHINE_REGISTERS_CORE, 'X', 31, 8);
	add(list, MACHINE_REGISTERS_CORE, CORE_SP, 8, "SP");
	add(list, MACHINE_REGISTERS_CORE, CORE_PC, 8, "PC");
	add(list, MACHINE_REGISTERS_CORE, CORE_CPSR, 4, "CPSR");
	add_numbered(list, MACHINE_REGISTERS_VECTOR, vector ? 'Z' : 'V', 32, vector ? vector : 16);
	add(list, MACHINE_REGISTERS_VECTOR, VECTOR_FPSR, 4, "FPSR");
	add(list, MACHINE_REGISTERS_VECTOR, VECTOR_FPCR, 4, "FPCR");
	if (vector) {
		add_numbered(list, MACHINE_REGISTERS_SVE, 'P', 16, vector / 8);
		add(list, MACHINE_REGISTERS_SVE, SVE_FFR, vector / 8, "FFR");
		add(list, MACHINE_REGISTERS_SVE, SVE_VG, 8, "VG");
	}
	if (count <= 0)
		return;
	count = count < SYSREGS_MAX ? count : SYSREGS_MAX;
	qsort(sysregs, (size_t)count, sizeof(sysregs[0]), by_encoding);
	add_system(list, sysregs, (size_t)count);
}

size_t machine_registers(struct machine *machine, const struct machine_register **ret)
{
	struct board *board = &machine->board;

	if (!board->registers && board->vcpu_count) {
		size_t most = CORE_COUNT + VECTOR_COUNT + SVE_COUNT + SYSREGS_MAX;

		board->registers = calloc(1, sizeof(*board->registers) +
						     most * sizeof(board->registers->rows[0]));
		if (board->registers)
			fill(board->registers, board->vcpus[0].hyp);
	}
	*ret = board->registers ? board->registers->rows : NULL;
	return board->registers ? board->registers->count : 0;
}

static enum hyp_reg core_of(struct hyp_vcpu *vcpu, unsigned number)
{
	uint64_t pstate = 0;

	switch (number) {
	case CORE_SP:
		/* PSTATE.M: at EL1 with SPSel it is SP_EL1 (DDI 0487, C5.2.19). */
		hyp_vcpu_get_reg(vcpu, HYP_REG_PSTATE, &pstate);
		return (pstate & PSTATE_M) == PSTATE_EL1H ? HYP_REG_SP_EL1 : HYP_REG_SP_EL0;
	case CORE_PC:
		return HYP_REG_PC;
	case CORE_CPSR:
		return HYP_REG_PSTATE;
	default:
		return (enum hyp_reg)(HYP_REG_X0 + number);
	}
}

/* KVM swaps these two (hyp_vcpu_list_sysregs()). */
static uint16_t sysreg_of(const struct machine_register *reg)
{
	const uint16_t cntvct = SYSREG(3, 3, 14, 0, 2), cntv_cval = SYSREG(3, 3, 14, 3, 2);

	return reg->number == cntvct ? cntv_cval : reg->number == cntv_cval ? cntvct : reg->number;
}

/* A register of at most 64 bits. */
static int get_plain(struct hyp_vcpu *vcpu, const struct machine_register *reg, uint64_t *ret)
{
	switch (reg->group) {
	case MACHINE_REGISTERS_CORE:
		return hyp_vcpu_get_reg(vcpu, core_of(vcpu, reg->number), ret);
	case MACHINE_REGISTERS_VECTOR:
		return hyp_vcpu_get_reg(
			vcpu, reg->number == VECTOR_FPSR ? HYP_REG_FPSR : HYP_REG_FPCR, ret);
	case MACHINE_REGISTERS_SVE:
		*ret = hyp_vcpu_vector_max(vcpu) / 8;
		return 0;
	default:
		return hyp_vcpu_get_sysreg(vcpu, sysreg_of(reg), ret);
	}
}

static int set_plain(struct hyp_vcpu *vcpu, const struct machine_register *reg, uint64_t value)
{
	switch (reg->group) {
	case MACHINE_REGISTERS_CORE:
		return hyp_vcpu_set_reg(vcpu, core_of(vcpu, reg->number), value);
	case MACHINE_REGISTERS_VECTOR:
		return hyp_vcpu_set_reg(
			vcpu, reg->number == VECTOR_FPSR ? HYP_REG_FPSR : HYP_REG_FPCR, value);
	case MACHINE_REGISTERS_SVE:
		return value == hyp_vcpu_vector_max(vcpu) / 8 ? 0 : -EINVAL;
	default:
		return hyp_vcpu_set_sysreg(vcpu, sysreg_of(reg), value);
	}
}

static bool is_vector(const struct machine_register *reg)
{
	return reg->group == MACHINE_REGISTERS_VECTOR && reg->number < 32;
}

static bool is_predicate(const struct machine_register *reg)
{
	return reg->group == MACHINE_REGISTERS_SVE && reg->number <= SVE_FFR;
}

static const struct machine_register *find(struct machine *machine, uint32_t cpu, size_t index)
{
	const struct machine_register *list;
	size_t count = machine_registers(machine, &list);

	return cpu < machine->board.vcpu_count && index < count ? &list[index] : NULL;
}

int machine_get_register(struct machine *machine, uint32_t cpu, size_t index,
			 uint8_t value[static MACHINE_REGISTER_MAX])
{
	const struct machine_register *reg = find(machine, cpu, index);
	struct hyp_vcpu *vcpu;
	uint64_t plain = 0;
	int r;

	if (!reg)
		return -EINVAL;
	vcpu = machine->board.vcpus[cpu].hyp;
	if (is_vector(reg))
		return reg->size == 16 && reg->name[0] == 'V'
			       ? hyp_vcpu_get_vector(vcpu, reg->number, value)
			       : hyp_vcpu_get_z(vcpu, reg->number, value);
	if (is_predicate(reg))
		return hyp_vcpu_get_p(vcpu, reg->number, value);
	r = get_plain(vcpu, reg, &plain);
	for (unsigned i = 0; i < reg->size; i++)
		value[i] = (uint8_t)(plain >> 8 * i);
	return r;
}

int machine_set_register(struct machine *machine, uint32_t cpu, size_t index,
			 const uint8_t value[static MACHINE_REGISTER_MAX])
{
	const struct machine_register *reg = find(machine, cpu, index);
	struct hyp_vcpu *vcpu;
	uint64_t plain = 0;

	if (!reg)
		return -EINVAL;
	vcpu = machine->board.vcpus[cpu].hyp;
	if (is_vector(reg))
		return reg->size == 16 && reg->name[0] == 'V'
			       ? hyp_vcpu_set_vector(vcpu, reg->number, value)
			       : hyp_vcpu_set_z(vcpu, reg->number, value);
	if (is_predicate(reg))
		return hyp_vcpu_set_p(vcpu, reg->number, value);
	for (unsigned i = 0; i < reg->size; i++)
		plain |= (uint64_t)value[i] << 8 * i;
	return set_plain(vcpu, reg, plain);
}
