/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a machine cannot go on: the reason by name, all registers of the vCPU
 * that met it, and the end of the console's log, as one text on stderr.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arm64/sysreg.h"
#include "base/log.h"
#include "machine_private.h"

#define REPORT_LINES 10

struct named_sysreg {
	const char *name;
	uint16_t sysreg;
};

static const struct named_sysreg sysregs[] = {
	{"MPIDR_EL1", SYSREG_MPIDR_EL1},       {"SCTLR_EL1", SYSREG_SCTLR_EL1},
	{"TCR_EL1", SYSREG_TCR_EL1},           {"MAIR_EL1", SYSREG_MAIR_EL1},
	{"TTBR0_EL1", SYSREG_TTBR0_EL1},       {"TTBR1_EL1", SYSREG_TTBR1_EL1},
	{"VBAR_EL1", SYSREG_VBAR_EL1},         {"ESR_EL1", SYSREG_ESR_EL1},
	{"FAR_EL1", SYSREG_FAR_EL1},           {"PAR_EL1", SYSREG_PAR_EL1},
	{"CONTEXTIDR", SYSREG_CONTEXTIDR_EL1}, {"TPIDR_EL0", SYSREG_TPIDR_EL0},
	{"TPIDRRO_EL0", SYSREG_TPIDRRO_EL0},   {"TPIDR_EL1", SYSREG_TPIDR_EL1},
};

static const struct {
	const char *name;
	enum hyp_reg reg;
} specials[] = {
	{"PC", HYP_REG_PC},
	{"PSTATE", HYP_REG_PSTATE},
	{"SP_EL0", HYP_REG_SP_EL0},
	{"SP_EL1", HYP_REG_SP_EL1},
};

/* What the reason means, for the person who reads it. */
static const char *explain(enum vcpu_exit_reason reason)
{
	switch (reason) {
	case VCPU_EXIT_FAIL_ENTRY:
		return "the host CPU cannot run this vCPU; on a host with unlike cores, bind the "
		       "vCPUs to cores of one kind with --pin";
	case VCPU_EXIT_RUN_FAILED:
		return "KVM_RUN failed";
	case VCPU_EXIT_INTERNAL_ERROR:
		return "KVM met a state that it does not handle";
	case VCPU_EXIT_MEMORY_FAULT:
	case VCPU_EXIT_SEA:
		return "the host lost memory of the guest";
	default:
		return "KVM gave an exit that this machine did not ask for";
	}
}

static void append(char *text, size_t size, size_t *used, const char *fmt, ...) PRINTF(4, 5);

static void append(char *text, size_t size, size_t *used, const char *fmt, ...)
{
	va_list args;
	int written;

	va_start(args, fmt);
	written = vsnprintf(text + *used, size - *used, fmt, args);
	va_end(args);
	if (written > 0)
		*used += min_u64((uint64_t)written, size - *used - 1);
}

static void append_registers(struct vcpu *vcpu, char *text, size_t size, size_t *used)
{
	unsigned column = 0;
	uint64_t value;

	for (unsigned i = 0; i <= 30; i++) {
		char name[8];

		snprintf(name, sizeof(name), "X%u", i);
		if (hyp_vcpu_get_reg(vcpu->hyp, (enum hyp_reg)(HYP_REG_X0 + i), &value) == 0)
			append(text, size, used, "%12s %016" PRIx64 "%s", name, value,
			       ++column % 4 ? "" : "\n");
	}
	for (size_t i = 0; i < ARRAY_SIZE(specials); i++) {
		if (hyp_vcpu_get_reg(vcpu->hyp, specials[i].reg, &value) == 0)
			append(text, size, used, "%12s %016" PRIx64 "%s", specials[i].name, value,
			       ++column % 4 ? "" : "\n");
	}
	for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++) {
		if (hyp_vcpu_get_sysreg(vcpu->hyp, sysregs[i].sysreg, &value) == 0)
			append(text, size, used, "%12s %016" PRIx64 "%s", sysregs[i].name, value,
			       ++column % 4 ? "" : "\n");
	}
	if (column % 4)
		append(text, size, used, "\n");
}

/* Print @text line by line, so that each ends as the terminal needs it. */
static void print_lines(char *text)
{
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			log_error("%s", line);
	}
}

void report_failure(struct vcpu *vcpu, const struct vcpu_exit *exit)
{
	char tail[CONSOLE_TAP_SIZE + 1];
	char text[4096];
	size_t used = 0;

	log_error("vCPU %u cannot go on: %s (%s, detail 0x%" PRIx64 ", address 0x%" PRIx64 ")%s%s",
		  vcpu->index, explain(exit->reason), vcpu_exit_name(exit->reason), exit->detail,
		  exit->addr, exit->reason == VCPU_EXIT_RUN_FAILED ? ": " : "",
		  exit->reason == VCPU_EXIT_RUN_FAILED ? strerror((int)exit->detail) : "");
	append_registers(vcpu, text, sizeof(text), &used);
	print_lines(text);
	console_tap_tail(&vcpu->machine->console, REPORT_LINES, tail);
	if (tail[0]) {
		log_error("the last lines of the console:");
		print_lines(tail);
	}
}
