/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/cpu_model.h"

bool cpu_model_says(const struct cpu_model *model, int reg, const struct id_field *field,
		    uint64_t *ret)
{
	*ret = id_field_get(field, model->regs[reg].value);
	return (model->regs[reg].said & id_field_mask(field)) == id_field_mask(field);
}

bool cpu_model_says_all(const struct cpu_model *model, int reg)
{
	uint64_t value;

	for (const struct id_field *field = id_regs[reg].fields; field->name; field++) {
		if (!cpu_model_says(model, reg, field, &value))
			return false;
	}
	return true;
}

bool cpu_model_says_named(const struct cpu_model *model, const char *reg, const char *field,
			  uint64_t *ret)
{
	int at = id_reg_find(reg);

	return cpu_model_says(model, at, id_field_find(&id_regs[at], field), ret);
}

void cpu_model_say(struct cpu_model *model, int reg, const struct id_field *field, uint64_t value)
{
	model->regs[reg].said |= id_field_mask(field);
	model->regs[reg].value = id_field_set(field, model->regs[reg].value, value);
}

static void unsay(struct cpu_model *model, int reg, const struct id_field *field)
{
	model->regs[reg].said &= ~id_field_mask(field);
	model->regs[reg].value = id_field_set(field, model->regs[reg].value, 0);
}

void cpu_model_keep(struct cpu_model *model, int reg, uint64_t mask)
{
	for (const struct id_field *field = id_regs[reg].fields; field->name; field++) {
		if ((mask & id_field_mask(field)) != id_field_mask(field))
			unsay(model, reg, field);
	}
}

void cpu_model_say_all(struct cpu_model *model, int reg, uint64_t value)
{
	for (const struct id_field *field = id_regs[reg].fields; field->name; field++)
		cpu_model_say(model, reg, field, id_field_get(field, value));
}

void cpu_model_meet(struct cpu_model *model, const struct cpu_model *other,
		    void (*lost)(void *data, const char *reg, const char *field), void *data)
{
	for (int reg = 0; reg < ID_REGS; reg++) {
		for (const struct id_field *field = id_regs[reg].fields; field->name; field++) {
			uint64_t ours, theirs;
			bool both = cpu_model_says(model, reg, field, &ours) &
				    cpu_model_says(other, reg, field, &theirs);

			if (!both) {
				unsay(model, reg, field);
			} else if (id_field_fits(field, theirs, ours)) {
				cpu_model_say(model, reg, field, theirs);
			} else if (!id_field_fits(field, ours, theirs)) {
				unsay(model, reg, field);
				lost(data, id_regs[reg].name, field->name);
			}
		}
	}
}
