/* SPDX-License-Identifier: Apache-2.0 */
/*
 * armlet doctor: what this host offers to guests, in plain words, and how to
 * mend what is missing.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arm64/sysreg.h"
#include "base/parse.h"
#include "cli.h"
#include "doctor_host.h"
#include "hyp/hyp.h"

#define MAX_ADVICE 16

struct doctor_options {
	bool json;
	const char *kvm_device;
};

static const struct option_def options[] = {
	{.group = "Options",
	 .name = "json",
	 .type = OPTION_FLAG,
	 .offset = offsetof(struct doctor_options, json),
	 .help = "print JSON, for programs"},
	{.name = "kvm-device",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 .offset = offsetof(struct doctor_options, kvm_device),
	 .help = "KVM's device (/dev/kvm)"},
	{0},
};

const struct option_table doctor_table = {
	.command = "doctor",
	.usage = "[OPTIONS]",
	.summary = "tell what this host can do, and how to mend what it cannot",
	.options = options,
	.epilogue = "Exit status: 0 when machines can run here, 1 when they cannot, 125 on wrong "
		    "usage.",
};

/* What was found; the report is made of it. */
struct findings {
	struct host_info host;
	struct hyp_caps caps;
	bool kvm_works; /* a VM and a vCPU could be made */
	struct error kvm_error;
	uint64_t mmfr0; /* ID_AA64MMFR0_EL1 as a guest sees it */
	bool has_mmfr0;
	char advice[MAX_ADVICE][320];
	size_t advice_count;
};

static void advise(struct findings *f, const char *fmt, ...) PRINTF(2, 3);

static void advise(struct findings *f, const char *fmt, ...)
{
	va_list args;

	if (f->advice_count == MAX_ADVICE)
		return;
	va_start(args, fmt);
	vsnprintf(f->advice[f->advice_count++], sizeof(f->advice[0]), fmt, args);
	va_end(args);
}

static int probe_kvm(struct findings *f, const char *path)
{
	static const struct hyp_vcpu_options plain = {0};
	_cleanup_(cleanup_hyp_close_) struct hyp *hyp = NULL;
	struct hyp_vcpu *vcpu;
	int r = hyp_open(path, &hyp, &f->kvm_error);

	if (r < 0)
		return r;
	f->caps = *hyp_caps(hyp);
	/* The default machine has 40 bits of address; a smaller host has fewer. */
	r = hyp_create_vm(hyp, (unsigned)min_u64(40, f->caps.ipa_bits), &f->kvm_error);
	if (r < 0)
		return r;
	hyp_probe_caps(hyp);
	f->caps = *hyp_caps(hyp);
	r = hyp_create_vcpu(hyp, 0, &plain, &vcpu, &f->kvm_error);
	if (r < 0)
		return r;
	f->has_mmfr0 = hyp_vcpu_get_sysreg(vcpu, SYSREG_ID_AA64MMFR0_EL1, &f->mmfr0) == 0;
	return 0;
}

static bool kernel_older(const struct host_info *host, unsigned major, unsigned minor)
{
	return host->kernel_major < major ||
	       (host->kernel_major == major && host->kernel_minor < minor);
}

static void advise_kvm(struct findings *f, const char *path)
{
	const struct host_info *host = &f->host;

	if (strcmp(host->machine, "aarch64") != 0) {
		advise(f,
		       "This is a %s machine: guests of arm64 need an arm64 host. "
		       "tools/armhost emulates one.",
		       host->machine);
		return;
	}
	if (!host->kvm_there) {
		advise(f,
		       "%s is missing. Load the module (sudo modprobe kvm), or, if that fails: "
		       "the kernel must be booted at EL2 (firmware setting, or this is itself a "
		       "guest without nested virtualization), and not with kvm-arm.mode=none.",
		       path);
		return;
	}
	if (!host->kvm_usable) {
		advise(f,
		       "You may not open %s. Join its group: sudo usermod -aG %s $USER, then "
		       "log in again.",
		       path, host->kvm_group[0] ? host->kvm_group : "kvm");
		return;
	}
	advise(f, "%s", f->kvm_error.text);
}

static void advise_host(struct findings *f)
{
	const struct host_info *host = &f->host;
	const struct hyp_caps *caps = &f->caps;

	if (!caps->gicv3 && caps->gicv2)
		advise(f, "The host has only a GICv2 for guests: at most 8 vCPUs, and no message-"
			  "signalled interrupts.");
	if (!caps->gicv3 && !caps->gicv2)
		advise(f, "The host has no interrupt controller for guests: no machine can run.");
	if (host->core_kinds > 1)
		advise(f,
		       "The host has %u kinds of cores: bind each machine to cores of one kind "
		       "with --pin, or its PMU and cache sizes change under it.",
		       host->core_kinds);
	if (!caps->writable_id_regs)
		advise(f,
		       "Linux %u.%u cannot hide CPU features from a guest (6.7 and later can): "
		       "machines cannot move between unlike hosts.",
		       host->kernel_major, host->kernel_minor);
	if (!caps->counter_offset)
		advise(f, "Linux %u.%u keeps no physical counter offset per VM (6.4 and later do).",
		       host->kernel_major, host->kernel_minor);
	if (kernel_older(host, 6, 13))
		advise(f,
		       "Linux %u.%u loses the sign of narrow signed loads (LDRSB, LDRSH, LDRSW) "
		       "from device registers; no common driver uses them.",
		       host->kernel_major, host->kernel_minor);
	if (!caps->pmu)
		advise(f, "No PMU for guests: the host kernel has no driver for its own (see "
			  "dmesg | grep -i pmu).");
}

static void examine(struct findings *f, const char *path)
{
	int r;

	host_info_read(&f->host, path);
	r = probe_kvm(f, path);
	f->kvm_works = r == 0 && (f->caps.gicv2 || f->caps.gicv3);
	if (r < 0)
		advise_kvm(f, path);
	else
		advise_host(f);
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void print_cores(const struct host_info *host)
{
	printf("  %-24s%u online", "CPUs", host->cpus);
	for (unsigned i = 0; i < host->core_kinds; i++) {
		const char *name = core_name(host->midr[i]);

		printf("%s%s", i ? " and " : ", ", name ? name : "unnamed core");
		printf(" (MIDR_EL1 0x%08" PRIx64 ")", host->midr[i]);
	}
	printf("\n");
}

static void print_host(const struct host_info *host)
{
	char total[FORMAT_SIZE_MAX];
	char available[FORMAT_SIZE_MAX];

	printf("Host\n");
	printf("  %-24s%s, Linux %s\n", "machine", host->machine, host->kernel);
	print_cores(host);
	printf("  %-24s%s, %s available\n", "memory",
	       format_size(align_down(host->memory, MIB), total),
	       format_size(align_down(host->memory_free, MIB), available));
	printf("  %-24s%u KiB\n", "page size", host->page_size / 1024);
	printf("  %-24s%" PRIu64 " free of 2 MiB\n", "huge pages", host->huge_pages);
}

static void granules_text(unsigned granules, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", granules & GRANULE_4K ? "4 " : "",
		 granules & GRANULE_16K ? "16 " : "", granules & GRANULE_64K ? "64 " : "");
}

static void print_kvm(const struct findings *f)
{
	const struct hyp_caps *caps = &f->caps;
	char granules[16] = "";

	granules_text(f->has_mmfr0 ? id_granules(f->mmfr0) : 0, granules, sizeof(granules));
	printf("\nKVM\n");
	printf("  %-24s%s: %s\n", "mode", kvm_mode_name(f->host.mode),
	       kvm_mode_explained(f->host.mode));
	printf("  %-24sat most %u a machine, %u recommended\n", "vCPUs", caps->max_vcpus,
	       caps->recommended_vcpus);
	printf("  %-24sGICv3 %s, ITS %s, GICv2 %s\n", "interrupt controller", yes_no(caps->gicv3),
	       yes_no(caps->its), yes_no(caps->gicv2));
	printf("  %-24s%u bits\n", "guest addresses", caps->ipa_bits);
	printf("  %-24s%sKiB\n", "guest page sizes", granules);
	printf("\nFor guests\n");
	printf("  %-24s%s\n", "SVE", yes_no(caps->sve));
	printf("  %-24s%s\n", "pointer authentication", yes_no(caps->pauth));
	printf("  %-24s%s\n", "PMU", yes_no(caps->pmu));
	printf("  %-24s%s\n", "MTE", yes_no(caps->mte));
	printf("  %-24s%s\n", "nested virtualization", yes_no(caps->el2));
	printf("  %-24s%s\n", "32-bit EL1", yes_no(caps->el1_32bit));
	printf("  %-24s%s\n", "stolen time", yes_no(caps->steal_time));
	printf("  %-24s%s\n", "CPU models", yes_no(caps->writable_id_regs));
	printf("  %-24s%s\n", "SMCCC filter", yes_no(caps->smccc_filter));
	printf("  %-24s%s\n", "suspend to RAM", yes_no(caps->system_suspend));
	printf("  %-24s%u breakpoints, %u watchpoints\n", "hardware debugging",
	       caps->hw_breakpoints, caps->hw_watchpoints);
	printf("  %-24svhost-net %s, vhost-vsock %s, tun %s\n", "host helpers",
	       yes_no(f->host.has_vhost_net), yes_no(f->host.has_vhost_vsock),
	       yes_no(f->host.has_tun));
}

static void print_text(const struct findings *f)
{
	print_host(&f->host);
	if (!f->kvm_error.code)
		print_kvm(f);
	if (f->advice_count)
		printf("\nTo know or to mend\n");
	for (size_t i = 0; i < f->advice_count; i++)
		printf("  - %s\n", f->advice[i]);
	printf("\n%s\n", f->kvm_works ? "Machines can run on this host."
				      : "No machine can run on this host.");
}

static void add_bool(json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

static void add_number(json_object *object, const char *name, uint64_t value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

static void add_string(json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, json_object_new_string(value));
}

static json_object *host_json(const struct host_info *host)
{
	json_object *object = json_object_new_object();
	json_object *cores = json_object_new_array();

	add_string(object, "machine", host->machine);
	add_string(object, "kernel", host->kernel);
	add_number(object, "cpus", host->cpus);
	add_number(object, "memory", host->memory);
	add_number(object, "memory-available", host->memory_free);
	add_number(object, "page-size", host->page_size);
	add_number(object, "huge-pages-free", host->huge_pages);
	for (unsigned i = 0; i < host->core_kinds; i++) {
		const char *name = core_name(host->midr[i]);
		json_object *core = json_object_new_object();

		add_number(core, "midr", host->midr[i]);
		if (name)
			add_string(core, "name", name);
		json_object_array_add(cores, core);
	}
	json_object_object_add(object, "cores", cores);
	add_bool(object, "vhost-net", host->has_vhost_net);
	add_bool(object, "vhost-vsock", host->has_vhost_vsock);
	add_bool(object, "tun", host->has_tun);
	return object;
}

static json_object *kvm_json(const struct findings *f)
{
	const struct hyp_caps *caps = &f->caps;
	unsigned granules = f->has_mmfr0 ? id_granules(f->mmfr0) : 0;
	json_object *object = json_object_new_object();
	json_object *sizes = json_object_new_array();

	for (unsigned i = 0; i < 3; i++) {
		if (granules & (1U << i))
			json_object_array_add(sizes, json_object_new_int(4096 << (2 * i)));
	}
	add_string(object, "mode", kvm_mode_name(f->host.mode));
	add_number(object, "max-vcpus", caps->max_vcpus);
	add_number(object, "recommended-vcpus", caps->recommended_vcpus);
	add_bool(object, "gicv3", caps->gicv3);
	add_bool(object, "its", caps->its);
	add_bool(object, "gicv2", caps->gicv2);
	add_number(object, "ipa-bits", caps->ipa_bits);
	json_object_object_add(object, "guest-page-sizes", sizes);
	add_bool(object, "sve", caps->sve);
	add_bool(object, "pauth", caps->pauth);
	add_bool(object, "pmu", caps->pmu);
	add_bool(object, "mte", caps->mte);
	add_bool(object, "nested", caps->el2);
	add_bool(object, "el1-32bit", caps->el1_32bit);
	add_bool(object, "steal-time", caps->steal_time);
	add_bool(object, "writable-id-registers", caps->writable_id_regs);
	add_bool(object, "writable-midr", caps->writable_imp_id_regs);
	add_bool(object, "smccc-filter", caps->smccc_filter);
	add_bool(object, "counter-offset", caps->counter_offset);
	add_bool(object, "system-suspend", caps->system_suspend);
	add_number(object, "hw-breakpoints", caps->hw_breakpoints);
	add_number(object, "hw-watchpoints", caps->hw_watchpoints);
	return object;
}

static json_object *findings_json(const struct findings *f)
{
	json_object *object = json_object_new_object();
	json_object *advice = json_object_new_array();

	add_bool(object, "usable", f->kvm_works);
	json_object_object_add(object, "host", host_json(&f->host));
	if (f->kvm_error.code)
		add_string(object, "error", f->kvm_error.text);
	else
		json_object_object_add(object, "kvm", kvm_json(f));
	for (size_t i = 0; i < f->advice_count; i++)
		json_object_array_add(advice, json_object_new_string(f->advice[i]));
	json_object_object_add(object, "advice", advice);
	return object;
}

int doctor_main(int argc, char **argv)
{
	struct doctor_options doctor = {.kvm_device = "/dev/kvm"};
	struct findings findings = {0};
	int status = EXIT_SUCCESS;

	if (!parse_or_end(&doctor_table, argc, argv, &doctor, &status))
		return status;
	examine(&findings, doctor.kvm_device);
	if (doctor.json)
		status = print_json(findings_json(&findings));
	else
		print_text(&findings);
	if (status)
		return status;
	return findings.kvm_works ? EXIT_SUCCESS : EXIT_FAILURE;
}
