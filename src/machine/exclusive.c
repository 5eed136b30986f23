/* SPDX-License-Identifier: Apache-2.0 */
#include "exclusive.h"

#include "machine_private.h"
#include "undescribed.h"

/* Compilers and people put no more between the two, and loads and stores are not to be there. */
#define STEPS_MAX 64

/* CLREX with any operand, and ERET (DDI 0487, C6.2). */
#define CLREX      UINT32_C(0xd503305f)
#define CLREX_MASK UINT32_C(0xfffff0ff)
#define ERET       UINT32_C(0xd69f03e0)

void exclusives_init(struct exclusives *exclusives)
{
	pthread_mutex_init(&exclusives->lock, NULL);
	exclusives->watching = 0;
}

void exclusives_finish(struct exclusives *exclusives)
{
	pthread_mutex_destroy(&exclusives->lock);
}

/* With the lock held. */
static void set_watching(struct machine *machine, struct exclusive *exclusive, bool on)
{
	if (exclusive->watching != on)
		machine->exclusives.watching += on ? 1 : -1U;
	exclusive->watching = on;
}

static void forget(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->machine->exclusives.lock);
	set_watching(vcpu->machine, &vcpu->exclusive, false);
	pthread_mutex_unlock(&vcpu->machine->exclusives.lock);
}

static void step(struct vcpu *vcpu, bool on)
{
	bool was = vcpu->exclusive.stepping;

	vcpu->exclusive.stepping = on;
	if (was != on)
		debug_apply(vcpu);
}

void exclusive_watch(struct vcpu *vcpu, gpa_t addr, unsigned size)
{
	pthread_mutex_lock(&vcpu->machine->exclusives.lock);
	set_watching(vcpu->machine, &vcpu->exclusive, true);
	vcpu->exclusive.addr = addr;
	vcpu->exclusive.size = size;
	pthread_mutex_unlock(&vcpu->machine->exclusives.lock);
	vcpu->exclusive.steps = STEPS_MAX;
	step(vcpu, true);
}

/* With the lock held: all that watch a part of it have lost. */
static void clear_watches(struct machine *machine, gpa_t addr, unsigned size)
{
	struct board *board = &machine->board;

	for (uint32_t i = 0; i < board->vcpu_count; i++) {
		struct exclusive *exclusive = &board->vcpus[i].exclusive;

		if (addr < exclusive->addr + exclusive->size && exclusive->addr < addr + size)
			set_watching(machine, exclusive, false);
	}
}

bool exclusive_watched(struct vcpu *vcpu, gpa_t addr, unsigned size)
{
	struct exclusive *exclusive = &vcpu->exclusive;

	pthread_mutex_lock(&vcpu->machine->exclusives.lock);
	exclusive->storing =
		exclusive->watching && exclusive->addr == addr && exclusive->size == size;
	set_watching(vcpu->machine, exclusive, false);
	if (!exclusive->storing)
		pthread_mutex_unlock(&vcpu->machine->exclusives.lock);
	return exclusive->storing;
}

void exclusive_settle(struct vcpu *vcpu, gpa_t addr, unsigned size)
{
	clear_watches(vcpu->machine, addr, size);
	vcpu->exclusive.storing = false;
	pthread_mutex_unlock(&vcpu->machine->exclusives.lock);
}

bool exclusive_begin_write(struct vcpu *vcpu)
{
	if (vcpu->machine->exclusives.watching == 0 || vcpu->exclusive.storing)
		return false;
	pthread_mutex_lock(&vcpu->machine->exclusives.lock);
	return true;
}

void exclusive_end_write(struct vcpu *vcpu, bool begun, gpa_t addr, unsigned size)
{
	struct machine *machine = vcpu->machine;

	/* A watch may have begun meanwhile, and have loaded what was there before. */
	if (!begun)
		begun = exclusive_begin_write(vcpu);
	if (!begun)
		return;
	clear_watches(machine, addr, size);
	pthread_mutex_unlock(&machine->exclusives.lock);
}

bool exclusive_step(struct vcpu *vcpu)
{
	struct exclusive *exclusive = &vcpu->exclusive;
	struct undescribed_insn here;
	bool go_on;

	if (!exclusive->stepping)
		return false;
	exclusive->steps--;
	go_on = undescribed_look(vcpu, &here) && here.kind != INSN_STORE_EXCLUSIVE &&
		(here.word & CLREX_MASK) != CLREX && here.word != ERET && exclusive->steps > 0;
	if (!go_on) {
		/* If it is not for the device, the CPU does it, and fails without a watch. */
		if (here.kind == INSN_STORE_EXCLUSIVE)
			undescribed_execute(vcpu, exclusive->addr);
		forget(vcpu);
		step(vcpu, false);
	}
	return true;
}
