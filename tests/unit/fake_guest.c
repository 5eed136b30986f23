/* SPDX-License-Identifier: Apache-2.0 */
/* The guest of the fake: a vCPU goes through its script until a step is an exit. */
#include <check.h>
#include <string.h>
#include <time.h>

#include "devices/pl011.h"
#include "fake_private.h"
#include "machine/layout.h"

static uint8_t *shadow_at(struct hyp *hyp, gpa_t addr)
{
	for (size_t i = 0; i < MAX_SLOTS; i++) {
		const struct slot *s = &hyp->slots[i];

		if (s->size && addr - s->base < s->size)
			return s->host + (addr - s->base);
	}
	return NULL;
}

static void check_read(const struct hyp_vcpu *vcpu, const struct fake_step *step, uint64_t value)
{
	ck_assert_msg((value & step->mask) == step->value,
		      "vCPU %u, step %zu: 0x%lx reads as 0x%lx, must be 0x%lx", vcpu->index,
		      vcpu->step, (unsigned long)step->addr, (unsigned long)value,
		      (unsigned long)step->value);
}

/* These return true when the guest leaves with @exit. */

static bool do_read(struct hyp_vcpu *vcpu, const struct fake_step *step, struct vcpu_exit *exit)
{
	struct hyp *hyp = vcpu->hyp;
	const uint8_t *at = shadow_at(hyp, step->addr);
	uint64_t value = 0;

	if (at) {
		/* As the CPU: a whole word, of which the instruction takes its bytes. */
		unsigned odd = (unsigned)(step->addr % sizeof(uint32_t));

		value = __atomic_load_n((const uint32_t *)(const void *)(at - odd),
					__ATOMIC_ACQUIRE) >>
			(8 * odd);
		if (step->size < sizeof(uint32_t))
			value &= BIT(8 * step->size) - 1;
		fake_record(hyp, FAKE_DIRECT, step->addr, 0, value);
		check_read(vcpu, step, value);
		vcpu->step++;
		return false;
	}
	*exit = (struct vcpu_exit){
		.reason = VCPU_EXIT_MMIO, .addr = step->addr, .size = (uint8_t)step->size};
	fake_record(hyp, FAKE_TRAPPED, step->addr, false, 0);
	vcpu->read_pending = true;
	return true;
}

static bool signals(struct hyp *hyp, gpa_t addr, unsigned size, uint64_t value)
{
	const struct range *range = fake_find_range(hyp->notifying, addr, size, value);
	uint64_t one = 1;

	if (!range)
		return false;
	ck_assert(write(hyp->notify_fds[range - hyp->notifying], &one, sizeof(one)) > 0);
	fake_record(hyp, FAKE_SIGNALED, addr, 0, value);
	return true;
}

static bool write_to(struct hyp *hyp, gpa_t addr, unsigned size, uint64_t value,
		     struct vcpu_exit *exit)
{
	if (fake_find_range(hyp->dropped, addr, size, value))
		return false;
	if (signals(hyp, addr, size, value))
		return false;
	for (size_t i = 0; i < MAX_RANGES; i++) {
		const struct range *r = &hyp->posted[i];

		if (r->size && addr >= r->addr && addr + size <= r->addr + r->size &&
		    fake_ring_push(hyp, addr, size, value))
			return false;
	}
	*exit = (struct vcpu_exit){.reason = VCPU_EXIT_MMIO,
				   .addr = addr,
				   .size = (uint8_t)size,
				   .is_write = true,
				   .value = value};
	fake_record(hyp, FAKE_TRAPPED, addr, true, value);
	return true;
}

static bool do_print(struct hyp_vcpu *vcpu, const struct fake_step *step, struct vcpu_exit *exit)
{
	size_t length = strlen(step->text);

	while (vcpu->at < length * step->times) {
		uint8_t byte = (uint8_t)step->text[vcpu->at++ % length];

		if (write_to(vcpu->hyp, LAYOUT_PL011 + UARTDR, 4, byte, exit))
			return true;
	}
	vcpu->at = 0;
	vcpu->step++;
	return false;
}

static struct timespec after_ms(uint64_t ms)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += (long)(ms * 1000000);
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

/* Wait until kicked or something changes, or @ms have passed. */
static void wait_changed(uint64_t ms)
{
	struct timespec at = after_ms(ms);

	pthread_cond_timedwait(&fake.changed, &fake.lock, &at);
}

static void wait_ms(const struct hyp_vcpu *vcpu, uint64_t ms)
{
	struct timespec at = after_ms(ms);

	while (!vcpu->kicked && pthread_cond_timedwait(&fake.changed, &fake.lock, &at) == 0)
		;
}

static bool do_exit(struct hyp_vcpu *vcpu, const struct fake_step *step, struct vcpu_exit *exit)
{
	*exit = (struct vcpu_exit){
		.reason = step->reason, .addr = step->addr, .detail = step->detail};
	vcpu->step++;
	return true;
}

static bool do_step(struct hyp_vcpu *vcpu, const struct fake_step *step, struct vcpu_exit *exit)
{
	switch (step->kind) {
	case FAKE_STEP_WRITE:
		vcpu->step++;
		return write_to(vcpu->hyp, step->addr, step->size, step->value, exit);
	case FAKE_STEP_READ:
		return do_read(vcpu, step, exit);
	case FAKE_STEP_PRINT:
		return do_print(vcpu, step, exit);
	case FAKE_STEP_EXIT:
		return do_exit(vcpu, step, exit);
	case FAKE_STEP_WAIT_IRQ:
		if (vcpu->hyp->irq[step->addr] == (step->value != 0))
			vcpu->step++;
		else
			wait_changed(1000);
		return false;
	case FAKE_STEP_WAIT_MS:
		wait_ms(vcpu, step->value);
		vcpu->step++;
		return false;
	case FAKE_STEP_WAIT_WORD:
		if (atomic_load((atomic_int *)step->data))
			vcpu->step++;
		else
			wait_changed(1);
		return false;
	case FAKE_STEP_CALL:
		vcpu->step++;
		pthread_mutex_unlock(&fake.lock);
		step->call(step->data);
		pthread_mutex_lock(&fake.lock);
		return false;
	}
	return false;
}

void hyp_vcpu_run(struct hyp_vcpu *vcpu, struct vcpu_exit *exit)
{
	const struct program *program;
	bool left = false;

	vcpu->running = true;
	pthread_mutex_lock(&fake.lock);
	ck_assert_uint_lt(vcpu->hyp->boot, FAKE_BOOTS);
	program = &fake.programs[vcpu->hyp->boot][vcpu->index];
	if (vcpu->read_pending) {
		check_read(vcpu, &program->steps[vcpu->step], exit->value);
		vcpu->read_pending = false;
		vcpu->step++;
	}
	while (!left && !vcpu->kicked) {
		if (vcpu->step < program->count)
			left = do_step(vcpu, &program->steps[vcpu->step], exit);
		else
			wait_changed(1000);
	}
	if (!left)
		exit->reason = VCPU_EXIT_INTERRUPTED;
	pthread_mutex_unlock(&fake.lock);
	vcpu->running = false;
}
