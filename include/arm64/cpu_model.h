/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CPU as a guest is to see it: values for fields of its ID registers. What a model does
 * not say is as the host has it. Plain values: any thread that owns one may use it.
 */
#ifndef ARMLET_ARM64_CPU_MODEL_H
#define ARMLET_ARM64_CPU_MODEL_H

#include "arm64/id_regs.h"

#define CPU_MODEL_NAME_MAX        64
#define CPU_MODEL_DESCRIPTION_MAX 256

struct cpu_model {
	char name[CPU_MODEL_NAME_MAX + 1];
	char description[CPU_MODEL_DESCRIPTION_MAX + 1];
	struct {
		uint64_t said;  /* the bits of the fields that are */
		uint64_t value; /* zero elsewhere */
	} regs[ID_REGS];        /* as id_regs */
};

/* Whether @model says something of register @reg, an index of id_regs. */
static inline bool cpu_model_names(const struct cpu_model *model, int reg)
{
	return model->regs[reg].said;
}

/* Whether it says what each field of it is. */
bool cpu_model_says_all(const struct cpu_model *model, int reg);

/* Whether it says what @field is, and then what. */
bool cpu_model_says(const struct cpu_model *model, int reg, const struct id_field *field,
		    uint64_t *ret);

/* The same by names, which are to be right. */
bool cpu_model_says_named(const struct cpu_model *model, const char *reg, const char *field,
			  uint64_t *ret);

void cpu_model_say(struct cpu_model *model, int reg, const struct id_field *field, uint64_t value);

/* All fields of a register; bits that are in no field are not said. */
void cpu_model_say_all(struct cpu_model *model, int reg, uint64_t value);

/* Of what is said of a register, leave only the fields that are wholly in @mask. */
void cpu_model_keep(struct cpu_model *model, int reg, uint64_t mask);

/* The register of a CPU that has @host in it, if it were the model's. */
static inline uint64_t cpu_model_apply(const struct cpu_model *model, int reg, uint64_t host)
{
	return (host & ~model->regs[reg].said) | model->regs[reg].value;
}

/*
 * Make @model one whose software runs on @other as well: field by field the safe value of the
 * two. What only one of them says is no longer said; nor is what they contradict each other
 * in without one being safe, which @lost is called for.
 */
void cpu_model_meet(struct cpu_model *model, const struct cpu_model *other,
		    void (*lost)(void *data, const char *reg, const char *field), void *data);

#endif
