/* SPDX-License-Identifier: Apache-2.0 */
/* armlet cpu: models of CPUs, shown, compared, and met in the middle. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cpu_models.h"
#include "hyp/hyp.h"

#define WORDS_MAX 64

struct cpu_options {
	const char *words[WORDS_MAX];
	size_t word_count;
	bool writable;
	const char *kvm_device;
};

static const struct option_def options[] = {
	{.name = "words",
	 .argument = "WORD",
	 .type = OPTION_STRINGS,
	 .offset = offsetof(struct cpu_options, words),
	 .count_offset = offsetof(struct cpu_options, word_count),
	 .max = WORDS_MAX},
	{.group = "Options",
	 .name = "writable",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct cpu_options, writable),
	 .help = "show only the fields that a model can change on this host"},
	{.name = "kvm-device",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 .offset = offsetof(struct cpu_options, kvm_device),
	 .help = "KVM's device (/dev/kvm)"},
	{0},
};

const char *const cpu_verbs[] = {"show", "diff", "baseline", "list", NULL};

const struct option_table cpu_table = {
	.command = "cpu",
	.usage = "show [MODEL] | diff MODEL [MODEL] | baseline MODEL... | list",
	.summary = "show and compare CPU models, and make one that suits several hosts",
	.options = options,
	.positional = "words",
	.epilogue = "A MODEL is host (this host's CPU as guests see it, what show and diff mean if "
		    "none\n"
		    "is named), a shipped model (armlet cpu list), or a JSON file that show or "
		    "baseline\n"
		    "has printed. `armlet run --cpu-model MODEL` gives a guest that CPU.\n\n"
		    "Exit status: 0; of diff 1 if the models differ; 125 on an error.",
};

/* This host's CPU. */

/* Features that a vCPU has as a whole are in the registers if it has them. */
static int make_vcpu(struct hyp *hyp, struct hyp_vcpu **ret, struct error *err)
{
	const struct hyp_caps *caps = hyp_caps(hyp);
	struct hyp_vcpu_options features = {
		.pmu = caps->pmu, .sve = caps->sve, .pauth = caps->pauth};
	int r = hyp_create_vm(hyp, (unsigned)min_u64(40, caps->ipa_bits), err);

	return r < 0 ? r : hyp_create_vcpu(hyp, 0, &features, ret, err);
}

static int read_host(const struct cpu_options *cpu, struct cpu_model *ret, struct error *err)
{
	_cleanup_(cleanup_hyp_close_) struct hyp *hyp = NULL;
	struct hyp_vcpu *vcpu;
	int r = hyp_open(cpu->kvm_device, &hyp, err);

	*ret = (struct cpu_model){.name = CPU_MODEL_HOST};
	if (r == 0)
		r = make_vcpu(hyp, &vcpu, err);
	for (int reg = 0; reg < ID_REGS && r == 0; reg++) {
		uint64_t value, mask = 0;

		/* What KVM does not know a guest cannot have. */
		if (hyp_vcpu_get_sysreg(vcpu, id_regs[reg].sysreg, &value) < 0)
			value = 0;
		cpu_model_say_all(ret, reg, value);
		if (!cpu->writable)
			continue;
		hyp_id_reg_mask(hyp, id_regs[reg].sysreg, &mask);
		cpu_model_keep(ret, reg, mask);
	}
	return r;
}

static int load(const struct cpu_options *cpu, const char *word, struct cpu_model *ret,
		struct error *err)
{
	return strcmp(word, CPU_MODEL_HOST) ? cpu_model_load(word, ret, err)
					    : read_host(cpu, ret, err);
}

/* The verbs. Each returns the exit status, or -errno with a sentence. */

static int show(const struct cpu_options *cpu, struct error *err)
{
	const char *word = cpu->word_count > 1 ? cpu->words[1] : CPU_MODEL_HOST;
	struct cpu_model model;
	int r;

	if (cpu->writable && strcmp(word, CPU_MODEL_HOST) != 0)
		return error_set(err, EINVAL, "--writable: that is a matter of the host, not of %s",
				 word);
	r = load(cpu, word, &model, err);
	return r < 0 ? r : print_json(cpu_model_to_json(&model));
}

#define VALUE_MAX 24

static const char *value_text(bool said, uint64_t value, char text[static VALUE_MAX])
{
	snprintf(text, VALUE_MAX, value > 0xff ? "0x%" PRIx64 : "%" PRIu64, value);
	return said ? text : "as the host";
}

/* What one leaves to the host, and the other is the host, does not differ. */
static bool same(const struct cpu_model *a, const struct cpu_model *b, int reg,
		 const struct id_field *field)
{
	uint64_t ours, theirs;
	bool we_say = cpu_model_says(a, reg, field, &ours);
	bool they_say = cpu_model_says(b, reg, field, &theirs);

	if (we_say != they_say)
		return !strcmp(we_say ? a->name : b->name, CPU_MODEL_HOST);
	return ours == theirs;
}

/* Whether software made for @a may find less in @b. */
static bool print_field(const struct cpu_model *a, const struct cpu_model *b, int reg,
			const struct id_field *field, bool *ret_differ)
{
	uint64_t ours, theirs;
	bool we_say = cpu_model_says(a, reg, field, &ours);
	bool they_say = cpu_model_says(b, reg, field, &theirs);
	char name[64], text[VALUE_MAX], other[VALUE_MAX];

	if (same(a, b, reg, field))
		return false;
	if (!*ret_differ)
		printf("%-32s  %-18s  %s\n", "FIELD", a->name, b->name);
	*ret_differ = true;
	snprintf(name, sizeof(name), "%s.%s", id_regs[reg].name, field->name);
	printf("%-32s  %-18s  %s\n", name, value_text(we_say, ours, text),
	       value_text(they_say, theirs, other));
	return we_say && they_say && !id_regs[reg].is_identity &&
	       !id_field_fits(field, ours, theirs);
}

static int diff(const struct cpu_options *cpu, struct error *err)
{
	const char *word = cpu->word_count > 2 ? cpu->words[2] : CPU_MODEL_HOST;
	struct cpu_model a, b;
	bool differ = false, less = false;
	int r;

	if (cpu->word_count < 2)
		return error_set(err, EINVAL, "diff wants a model: armlet cpu diff MODEL [MODEL]");
	r = load(cpu, cpu->words[1], &a, err);
	if (r == 0)
		r = load(cpu, word, &b, err);
	if (r < 0)
		return r;
	for (int reg = 0; reg < ID_REGS; reg++) {
		for (const struct id_field *field = id_regs[reg].fields; field->name; field++)
			less |= print_field(&a, &b, reg, field, &differ);
	}
	if (!differ)
		printf("%s and %s are the same\n", a.name, b.name);
	else
		printf("\n%s\n",
		       less ? "The first has what the second has not: its software may not "
			      "run there."
			    : "The second has all that the first has.");
	return differ ? 1 : EXIT_SUCCESS;
}

static void tell_lost(void *data, const char *reg, const char *field)
{
	(void)data;
	fprintf(stderr, "armlet cpu: %s.%s: the models contradict each other, so it is left out\n",
		reg, field);
}

static int baseline(const struct cpu_options *cpu, struct error *err)
{
	struct cpu_model model, other;
	int r;

	if (cpu->word_count < 2)
		return error_set(err, EINVAL,
				 "baseline wants models: armlet cpu baseline MODEL...");
	r = load(cpu, cpu->words[1], &model, err);
	for (size_t i = 2; i < cpu->word_count && r == 0; i++) {
		r = load(cpu, cpu->words[i], &other, err);
		if (r == 0)
			cpu_model_meet(&model, &other, tell_lost, NULL);
	}
	if (r < 0)
		return r;
	if (cpu->word_count > 2) {
		snprintf(model.name, sizeof(model.name), "baseline");
		model.description[0] = '\0';
	}
	return print_json(cpu_model_to_json(&model));
}

static int list(void)
{
	struct cpu_model model;
	struct error err = {0};

	for (const struct cpu_model_text *text = cpu_model_texts; text->name; text++) {
		if (cpu_model_load(text->name, &model, &err) < 0)
			return fail_with("cpu", &err);
		printf("%-8s  %s\n", model.name, model.description);
	}
	return EXIT_SUCCESS;
}

static int run_verb(const struct cpu_options *cpu, struct error *err)
{
	static const size_t words_max[] = {2, 3, WORDS_MAX, 1};
	const char *word = cpu->word_count ? cpu->words[0] : "";
	size_t verb = 0;

	while (cpu_verbs[verb] && strcmp(cpu_verbs[verb], word) != 0)
		verb++;
	if (!cpu_verbs[verb])
		return error_set(err, EINVAL, "%s%s%sname what to do: show, diff, baseline or list",
				 *word ? "there is no '" : "", word, *word ? "'; " : "");
	if (cpu->word_count > words_max[verb])
		return error_set(err, EINVAL, "%s takes no '%s'", word,
				 cpu->words[words_max[verb]]);
	switch (verb) {
	case 0:
		return show(cpu, err);
	case 1:
		return diff(cpu, err);
	case 2:
		return baseline(cpu, err);
	default:
		return list();
	}
}

int cpu_main(int argc, char **argv)
{
	struct cpu_options cpu = {.kvm_device = "/dev/kvm"};
	struct error err = {0};
	int status;

	if (!parse_or_end(&cpu_table, argc, argv, &cpu, &status))
		return status;
	status = run_verb(&cpu, &err);
	if (status >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		status = error_set(&err, ENOSPC, "standard output takes no more");
	return status < 0 ? fail_with("cpu", &err) : status;
}
