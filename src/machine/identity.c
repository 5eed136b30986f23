/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <inttypes.h>

bool identity_lacks_pmu(const struct cpu_model *model)
{
	uint64_t version;

	/* 0b1111 is one that is the implementer's own (DDI 0487, D24.2.69). */
	return model && cpu_model_says_named(model, "ID_AA64DFR0_EL1", "PMUVer", &version) &&
	       (version == 0 || version == 0xf);
}

bool identity_lacks_sve(const struct cpu_model *model)
{
	uint64_t sve;

	return model && cpu_model_says_named(model, "ID_AA64PFR0_EL1", "SVE", &sve) && sve == 0;
}

bool identity_lacks_pauth(const struct cpu_model *model)
{
	static const struct {
		const char *reg;
		const char *field;
	} algorithms[] = {{"ID_AA64ISAR1_EL1", "APA"},
			  {"ID_AA64ISAR1_EL1", "API"},
			  {"ID_AA64ISAR2_EL1", "APA3"}};

	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		uint64_t has;

		if (!model ||
		    !cpu_model_says_named(model, algorithms[i].reg, algorithms[i].field, &has) ||
		    has)
			return false;
	}
	return true;
}

int identity_prepare(const struct cpu_model *model, struct hyp *hyp, struct error *err)
{
	int r;

	for (int reg = 0; model && reg < ID_REGS; reg++) {
		if (!id_regs[reg].is_identity || !cpu_model_names(model, reg))
			continue;
		r = hyp_let_identity(hyp);
		/* It may be the host's own, which need not be set. */
		if (r < 0 && r != -EINVAL)
			return error_set_errno(err, -r,
					       "--cpu-model %s: KVM does not let %s be set",
					       model->name, id_regs[reg].name);
		return 0;
	}
	return 0;
}

/* A register of the model's on this host. */
struct target {
	const struct cpu_model *model;
	int reg;
	uint64_t host; /* as it is */
	uint64_t wanted;
	uint64_t mask; /* bits that may be changed */
	bool changes;  /* whether this host changes any register */
};

static int refuse(const struct target *t, const struct id_field *field, const char *why,
		  struct error *err)
{
	return error_set(err, ENOTSUP,
			 "--cpu-model %s: %s.%s is to be 0x%" PRIx64
			 ", but this host's %s 0x%" PRIx64 "%s",
			 t->model->name, id_regs[t->reg].name, field->name,
			 id_field_get(field, t->wanted), why, id_field_get(field, t->host),
			 t->changes ? "" : " (Linux changes ID registers from 6.7 on)");
}

static bool differs(const struct target *t, const struct id_field *field)
{
	return id_field_get(field, t->host) != id_field_get(field, t->wanted);
}

/* The first field that the host cannot have as it is wanted. */
static int check_fields(const struct target *t, struct error *err)
{
	for (const struct id_field *field = id_regs[t->reg].fields; field->name; field++) {
		uint64_t mask = id_field_mask(field);

		if (!differs(t, field))
			continue;
		if ((t->mask & mask) != mask)
			return refuse(t, field, "KVM keeps it at", err);
		if (!id_regs[t->reg].is_identity &&
		    !id_field_fits(field, id_field_get(field, t->wanted),
				   id_field_get(field, t->host)))
			return refuse(t, field, "CPU has only", err);
	}
	return 0;
}

/* KVM takes or refuses a register as a whole: find the field that it does not like. */
static int find_refused(const struct target *t, struct hyp_vcpu *vcpu, struct error *err)
{
	uint16_t sysreg = id_regs[t->reg].sysreg;

	for (const struct id_field *field = id_regs[t->reg].fields; field->name; field++) {
		uint64_t only = id_field_set(field, t->host, id_field_get(field, t->wanted));

		if (differs(t, field) && hyp_vcpu_set_sysreg(vcpu, sysreg, only) < 0)
			return refuse(t, field, "KVM insists on", err);
	}
	return error_set(
		err, ENOTSUP,
		"--cpu-model %s: this host's KVM takes each field of %s by itself, but not "
		"0x%" PRIx64 " as a whole",
		t->model->name, id_regs[t->reg].name, t->wanted);
}

static int check_kept(const struct target *t, struct hyp_vcpu *vcpu, struct error *err)
{
	struct target kept = *t;
	int r = hyp_vcpu_get_sysreg(vcpu, id_regs[t->reg].sysreg, &kept.host);

	if (r < 0)
		return error_set_errno(err, -r, "%s cannot be read", id_regs[t->reg].name);
	for (const struct id_field *field = id_regs[t->reg].fields; field->name; field++) {
		if (differs(&kept, field))
			return refuse(&kept, field, "KVM has made it", err);
	}
	return 0;
}

static int apply_reg(struct target *t, struct hyp *hyp, struct hyp_vcpu *vcpu, struct error *err)
{
	uint16_t sysreg = id_regs[t->reg].sysreg;
	int r;

	/* A register that this host's KVM does not know yet reads as zero. */
	if (hyp_vcpu_get_sysreg(vcpu, sysreg, &t->host) < 0)
		t->host = 0;
	t->wanted = cpu_model_apply(t->model, t->reg, t->host);
	if (t->wanted == t->host)
		return 0;
	t->mask = 0;
	t->changes = hyp_id_reg_mask(hyp, sysreg, &t->mask) == 0;
	r = check_fields(t, err);
	if (r < 0)
		return r;
	if (hyp_vcpu_set_sysreg(vcpu, sysreg, t->wanted) < 0)
		return find_refused(t, vcpu, err);
	return check_kept(t, vcpu, err);
}

int identity_apply(const struct cpu_model *model, struct hyp *hyp, struct hyp_vcpu *vcpu,
		   struct error *err)
{
	for (int reg = 0; model && reg < ID_REGS; reg++) {
		struct target target = {.model = model, .reg = reg};
		int r = cpu_model_names(model, reg) ? apply_reg(&target, hyp, vcpu, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
