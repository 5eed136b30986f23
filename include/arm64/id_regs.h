/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers in which a CPU says what it is and can do, and their fields (Arm ARM DDI 0487,
 * D24.2). Those of AArch32 are not among them: no guest of armlet runs it at EL1.
 */
#ifndef ARMLET_ARM64_ID_REGS_H
#define ARMLET_ARM64_ID_REGS_H

#include "base/util.h"

/* Of two values of a field, the one that software made for either CPU can live with. */
enum id_order {
	ID_LOWER,  /* the lower one */
	ID_SIGNED, /* the lower one, as a signed number: 0b1111 is less than nothing */
	ID_HIGHER, /* the higher one */
	ID_EXACT,  /* there is none, unless they are equal */
};

struct id_field {
	const char *name; /* NULL: the end of the list */
	uint8_t shift;
	uint8_t width; /* in bits, 64 at most */
	uint8_t order; /* enum id_order */
};

struct id_reg {
	const char *name; /* NULL: the end of the list */
	uint16_t sysreg;  /* arm64/sysreg.h */
	/* MIDR_EL1 and its like: whose CPU it is, which KVM lets be changed by itself only. */
	bool is_identity;
	const struct id_field *fields;
};

#define ID_REGS 19
extern const struct id_reg id_regs[ID_REGS + 1];

/* Its index in id_regs, or -1. */
int id_reg_find(const char *name);

/* NULL if there is none. */
const struct id_field *id_field_find(const struct id_reg *reg, const char *name);

/* The bits of a field, in place. */
static inline uint64_t id_field_mask(const struct id_field *field)
{
	return (field->width == 64 ? UINT64_MAX : BIT(field->width) - 1) << field->shift;
}

static inline uint64_t id_field_get(const struct id_field *field, uint64_t reg)
{
	return (reg & id_field_mask(field)) >> field->shift;
}

static inline uint64_t id_field_set(const struct id_field *field, uint64_t reg, uint64_t value)
{
	return (reg & ~id_field_mask(field)) | (value << field->shift & id_field_mask(field));
}

/*
 * Whether @a stands for less than @b, or the same: software made for a CPU with @a runs on
 * one with @b.
 */
bool id_field_fits(const struct id_field *field, uint64_t a, uint64_t b);

#endif
