/* SPDX-License-Identifier: Apache-2.0 */
#include "stray.h"

#include <inttypes.h>

#include "base/log.h"

void stray_init(struct stray *stray)
{
	*stray = (struct stray){0};
	pthread_mutex_init(&stray->lock, NULL);
}

void stray_finish(struct stray *stray)
{
	pthread_mutex_destroy(&stray->lock);
}

enum first_sight { SEEN, NEW, TABLE_FULL };

static enum first_sight look(struct stray *stray, gpa_t addr)
{
	for (unsigned i = 0; i < stray->count; i++) {
		if (stray->seen[i] == addr)
			return SEEN;
	}
	if (stray->count < STRAY_ADDRESSES) {
		stray->seen[stray->count++] = addr;
		return NEW;
	}
	if (stray->told_full)
		return SEEN;
	stray->told_full = true;
	return TABLE_FULL;
}

void stray_access(struct stray *stray, struct hyp_vcpu *vcpu, const struct mmio_access *access)
{
	enum first_sight sight;
	uint64_t pc = 0;

	pthread_mutex_lock(&stray->lock);
	stray->accesses++;
	sight = look(stray, access->addr);
	pthread_mutex_unlock(&stray->lock);
	if (sight == SEEN)
		return;
	if (sight == TABLE_FULL) {
		log_warning("the guest touches ever more addresses without a device; "
			    "no more of them will be named");
		return;
	}
	hyp_vcpu_get_reg(vcpu, HYP_REG_PC, &pc);
	if (access->is_write)
		log_warning("no device at 0x%" PRIx64 ": write of 0x%" PRIx64
			    " (%u bytes) ignored, guest PC 0x%" PRIx64,
			    access->addr, access->value, access->size, pc);
	else
		log_warning("no device at 0x%" PRIx64
			    ": %u bytes read as zero, guest PC 0x%" PRIx64,
			    access->addr, access->size, pc);
}
