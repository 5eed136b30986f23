/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "arm64/psci.h"
#include "base/parse.h"
#include "devices/pl011.h"
#include "devices/pl031.h"
#include "devices/pl061.h"
#include "devices/scratch.h"
#include "machine/layout.h"
#include "machine_private.h"

#define WORD 4 /* what an address or offset without an end stands for */

/* ---- What a rule is about ------------------------------------------------- */

/* Devices whose shadows may be shown as soon as they are made. */
static const struct {
	const char *name;
	gpa_t base;
	uint64_t size;
} fixed[] = {
	{"serial0", LAYOUT_PL011, PL011_SIZE},
	{"rtc0", LAYOUT_PL031, PL031_SIZE},
	{"gpio0", LAYOUT_PL061, PL061_SIZE},
	{"scratch0", LAYOUT_SCRATCH, SCRATCH_SIZE},
};

static int refuse(const struct fault_config *config, struct error *err)
{
	return error_set(err, EINVAL,
			 "--fault %s: that is no function of PSCI, no address as 0x9000000 or "
			 "0x9000000-0x9000fff, and no device's name as disk0 or disk0+0x70",
			 config->where);
}

/* "FIRST" or "FIRST-LAST". */
static int read_range(const char *text, uint64_t *ret_base, uint64_t *ret_size)
{
	const char *dash = strchr(text, '-');
	char first[24];
	uint64_t last;

	if (!dash) {
		*ret_size = WORD;
		return parse_u64(text, ret_base);
	}
	if ((size_t)(dash - text) >= sizeof(first))
		return -EINVAL;
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = '\0';
	if (parse_u64(first, ret_base) < 0 || parse_u64(dash + 1, &last) < 0 || last < *ret_base ||
	    last - *ret_base == UINT64_MAX)
		return -EINVAL;
	*ret_size = last - *ret_base + 1;
	return 0;
}

/* A device's name, and what of it: all, or what is behind a plus. */
static size_t name_size(const char *where)
{
	return strcspn(where, "+");
}

static bool is_called(const char *where, const char *name)
{
	return strlen(name) == name_size(where) && !strncmp(where, name, name_size(where));
}

static int place(struct fault *fault, gpa_t base, uint64_t size, struct error *err)
{
	const char *where = fault->config->where;
	uint64_t offset = 0;

	if (where[name_size(where)]) {
		if (read_range(where + name_size(where) + 1, &offset, &fault->size) < 0)
			return refuse(fault->config, err);
		if (offset >= size || fault->size > size - offset)
			return error_set(err, EINVAL,
					 "--fault %s: the device has only 0x%" PRIx64 " bytes",
					 where, size);
	} else {
		fault->size = size;
	}
	fault->base = base + offset;
	return 0;
}

static int check_action(const struct fault *fault, struct error *err)
{
	const struct fault_config *config = fault->config;
	bool of_psci = config->action >= FAULT_PSCI_FIRST;

	if (config->action == FAULT_PASS && !config->delay)
		return error_set(err, EINVAL, "--fault %s: say what is to happen, by do= or delay=",
				 config->where);
	if (fault->function && config->access)
		return error_set(err, EINVAL, "--fault %s: a call is neither read nor write",
				 config->where);
	if (config->action == FAULT_PASS || of_psci == (fault->function != 0))
		return 0;
	return error_set(err, EINVAL,
			 fault->function
				 ? "--fault %s: a call can fail with PSCI's errors, as "
				   "do=DENIED"
				 : "--fault %s: PSCI's errors are for its functions, as CPU_ON; an "
				   "access can be zero, ones, drop, abort or serror",
			 config->where);
}

static int init_rule(struct fault *fault, struct error *err)
{
	const char *where = fault->config->where;
	int r = 0;

	if (!where)
		return error_set(err, EINVAL, "--fault: say where, as --fault serial0,do=zero");
	fault->function = psci_function_number(where);
	for (size_t i = 0; i < ARRAY_SIZE(fixed) && r == 0; i++) {
		if (is_called(where, fixed[i].name))
			r = place(fault, fixed[i].base, fixed[i].size, err);
	}
	if (where[0] >= '0' && where[0] <= '9' && read_range(where, &fault->base, &fault->size) < 0)
		r = refuse(fault->config, err);
	return r < 0 ? r : check_action(fault, err);
}

int faults_init(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	struct faults *faults = &machine->faults;

	faults->budget = (struct log_budget)LOG_BUDGET_INIT;
	for (size_t i = 0; i < config->fault_count; i++) {
		struct fault *fault = &faults->rules[i];
		int r;

		fault->config = &config->faults[i];
		r = init_rule(fault, err);
		if (r < 0)
			return r;
		faults->of_psci = faults->of_psci || fault->function;
		faults->count++;
	}
	return 0;
}

static bool has_no_name(const struct fault *fault)
{
	return fault->function ||
	       (fault->config->where[0] >= '0' && fault->config->where[0] <= '9');
}

static bool overlaps(const struct fault *fault, gpa_t base, uint64_t size)
{
	return fault->size && (base - fault->base < fault->size || fault->base - base < size);
}

bool fault_covers(const struct faults *faults, gpa_t base, uint64_t size)
{
	for (size_t i = 0; i < faults->count; i++) {
		if (overlaps(&faults->rules[i], base, size))
			return true;
	}
	return false;
}

bool fault_place(struct faults *faults, const char *name, const struct device_slot *slot)
{
	struct error nobody;

	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->rules[i];

		/* What is wrong with it is told by faults_check(). */
		if (!has_no_name(fault) && is_called(fault->config->where, name))
			place(fault, slot->base, slot->size, &nobody);
	}
	return fault_covers(faults, slot->base, slot->size);
}

int faults_check(const struct machine *machine, struct error *err)
{
	const struct board *board = &machine->board;

	for (size_t i = 0; i < machine->faults.count; i++) {
		struct fault fault = {.config = &machine->config->faults[i]};
		bool known = has_no_name(&machine->faults.rules[i]);
		int r = 0;

		for (size_t d = 0; d < board->device_count && !known && r == 0; d++) {
			const struct device_slot *slot = &board->devices[d].slot;

			known = is_called(fault.config->where, board->devices[d].device->name);
			if (known)
				r = place(&fault, slot->base, slot->size, err);
		}
		if (r < 0)
			return r;
		if (!known)
			return refuse(fault.config, err);
	}
	return 0;
}

/* ---- When it is due ------------------------------------------------------- */

/* Counts it, too. */
static bool is_due(struct fault *fault)
{
	const struct fault_config *config = fault->config;
	uint32_t first = config->nth ? config->nth : 1;
	uint32_t count = config->count ? config->count : config->nth ? 1 : UINT32_MAX;
	uint32_t seen = atomic_fetch_add(&fault->seen, 1) + 1;

	/* The counter stops before it begins anew. */
	if (seen == 0 || seen == UINT32_MAX)
		atomic_store(&fault->seen, UINT32_MAX - 1);
	return seen >= first && seen - first < count;
}

/* Whoever has the vCPU leave the guest ends the wait. */
static void wait_ms(uint32_t ms)
{
	const struct timespec delay = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	if (ms)
		nanosleep(&delay, NULL);
}

static void tell(struct vcpu *vcpu, const struct fault *fault, const char *what, uint64_t where)
{
	log_guest_info(&vcpu->machine->faults.budget, "vCPU %u: fault %s at %s 0x%" PRIx64,
		       vcpu->index, fault->config->where, what, where);
}

enum fault_action fault_take(struct vcpu *vcpu, gpa_t addr, uint64_t size, bool is_write)
{
	struct faults *faults = &vcpu->machine->faults;
	int other = is_write ? FAULT_OF_READS : FAULT_OF_WRITES;

	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->rules[i];

		if (!overlaps(fault, addr, size) || fault->config->access == other ||
		    !is_due(fault))
			continue;
		tell(vcpu, fault, is_write ? "the write to" : "the read of", addr);
		wait_ms(fault->config->delay);
		if (fault->config->action != FAULT_SERROR)
			return (enum fault_action)fault->config->action;
		hyp_vcpu_inject_serror(vcpu->hyp);
		return FAULT_PASS;
	}
	return FAULT_PASS;
}

bool fault_take_call(struct vcpu *vcpu, uint32_t function, int64_t *ret_error)
{
	struct faults *faults = &vcpu->machine->faults;

	for (size_t i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->rules[i];

		if (fault->function != function || !is_due(fault))
			continue;
		tell(vcpu, fault, "the call", function);
		wait_ms(fault->config->delay);
		if (fault->config->action == FAULT_PASS)
			return false;
		/* As PSCI numbers them, from the first down. */
		*ret_error = PSCI_NOT_SUPPORTED - (fault->config->action - FAULT_PSCI_FIRST);
		return true;
	}
	return false;
}

/* ---- The accesses --------------------------------------------------------- */

bool fault_pass(struct vcpu *vcpu, struct mmio_access *access)
{
	const struct mmio_region *last = NULL;

	return mmio_bus_access(vcpu->machine->board.covered, access, &last) != MMIO_UNCLAIMED;
}

enum mmio_result fault_pass_update(struct vcpu *vcpu, const struct mmio_update *update)
{
	const struct mmio_region *last = NULL;

	return mmio_bus_update(vcpu->machine->board.covered, update, &last);
}

bool fault_access(struct vcpu *vcpu, struct mmio_access *access)
{
	enum fault_action action = fault_take(vcpu, access->addr, access->size, access->is_write);

	if (action == FAULT_PASS)
		return fault_pass(vcpu, access);
	if (action == FAULT_ABORT)
		hyp_vcpu_inject_abort(vcpu->hyp);
	if (!access->is_write)
		access->value = fault_value(action);
	return true;
}
