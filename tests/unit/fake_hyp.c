/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "fake_private.h"

struct fake_host fake_host;

struct fake fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Records. */

void fake_record(const struct hyp *hyp, enum fake_event event, uint64_t a, uint64_t b, uint64_t c)
{
	if (fake.record_count < MAX_RECORDS)
		fake.records[fake.record_count++] = (struct fake_record){
			.event = event, .boot = hyp ? hyp->boot : 0, .a = a, .b = b, .c = c};
}

void fake_note(const struct hyp *hyp, enum fake_event event, uint64_t a, uint64_t b, uint64_t c)
{
	pthread_mutex_lock(&fake.lock);
	fake_record(hyp, event, a, b, c);
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

const struct fake_record *fake_find(enum fake_event event, uint64_t a, unsigned nth)
{
	const struct fake_record *found = NULL;

	pthread_mutex_lock(&fake.lock);
	for (size_t i = 0; i < fake.record_count && !found; i++) {
		const struct fake_record *r = &fake.records[i];

		if (r->event == event && (a == FAKE_ANY || r->a == a) && nth-- == 0)
			found = r;
	}
	pthread_mutex_unlock(&fake.lock);
	return found;
}

unsigned fake_count(enum fake_event event, uint64_t a)
{
	unsigned count = 0;

	while (fake_find(event, a, count))
		count++;
	return count;
}

unsigned fake_open_vms(void)
{
	return fake.open_vms;
}

const struct hyp_gic_config *fake_gic(void)
{
	return &fake.gic;
}

void fake_program(unsigned boot, uint32_t vcpu, const struct fake_step *steps, size_t count)
{
	ck_assert(boot < FAKE_BOOTS && vcpu < FAKE_VCPUS);
	fake.programs[boot][vcpu] = (struct program){.steps = steps, .count = count};
}

void fake_reset(void)
{
	memset(fake.programs, 0, sizeof(fake.programs));
	fake.record_count = 0;
	fake.vms = 0;
	fake_host = (struct fake_host){
		.caps = {.ipa_bits = FAKE_IPA_MAX,
			 .max_vcpus = FAKE_VCPUS,
			 .sve = true,
			 .pauth = true,
			 .pmu = true,
			 .nisv_to_user = true,
			 .hw_breakpoints = 2,
			 .hw_watchpoints = 2,
			 .gicv2 = true,
			 .gicv3 = true},
		.mmfr0 = 0x00101122, /* a Cortex-A76: 16 KiB pages too, both endiannesses */
		.clusters_of = 16,
		.extends_signs = true,
		.keeps_mpidr = true,
	};
}

/* The VM. */

int hyp_open(const char *path, struct hyp **ret, struct error *err)
{
	struct hyp *hyp;

	if (fake_host.open_error)
		return error_set_errno(err, fake_host.open_error, "%s", path);
	hyp = calloc(1, sizeof(*hyp));
	ck_assert_ptr_nonnull(hyp);
	hyp->caps = fake_host.caps;
	hyp->boot = fake.vms;
	fake.open_vms++;
	*ret = hyp;
	return 0;
}

void hyp_close(struct hyp *hyp)
{
	if (!hyp)
		return;
	fake.open_vms--;
	while (hyp->vcpus) {
		struct hyp_vcpu *vcpu = hyp->vcpus;

		hyp->vcpus = vcpu->next;
		free(vcpu);
	}
	free(hyp);
}

const struct hyp_caps *hyp_caps(const struct hyp *hyp)
{
	return &hyp->caps;
}

void hyp_probe_caps(struct hyp *hyp)
{
	(void)hyp;
}

int hyp_create_vm(struct hyp *hyp, unsigned ipa_bits, struct error *err)
{
	if (ipa_bits > hyp->caps.ipa_bits || ipa_bits < 32)
		return error_set(err, EINVAL, "a VM of %u bits", ipa_bits);
	fake_note(hyp, FAKE_VM, ipa_bits, 0, 0);
	fake.vms++;
	return 0;
}

int hyp_set_halt_poll(struct hyp *hyp, uint32_t ns, struct error *err)
{
	(void)err;
	fake_note(hyp, FAKE_HALT_POLL, ns, 0, 0);
	return 0;
}

int hyp_let_identity(struct hyp *hyp)
{
	fake_note(hyp, FAKE_IDENTITY, 0, 0, 0);
	return fake_host.changes_ids ? 0 : -EINVAL;
}

int hyp_forward_calls(struct hyp *hyp, uint32_t first, uint32_t count)
{
	fake_note(hyp, FAKE_FORWARD, first, count, 0);
	return fake_host.caps.smccc_filter ? 0 : -EINVAL;
}

int hyp_id_reg_mask(struct hyp *hyp, uint16_t sysreg, uint64_t *ret)
{
	(void)hyp;
	(void)sysreg;
	*ret = fake_host.id_mask;
	return fake_host.changes_ids ? 0 : -EOPNOTSUPP;
}

static bool overlaps(const struct slot *slot, gpa_t base, uint64_t size)
{
	return slot->size && base < slot->base + slot->size && slot->base < base + size;
}

int hyp_map_memory(struct hyp *hyp, gpa_t gpa, uint64_t size, void *host, unsigned flags)
{
	struct slot *free_slot = NULL;
	int r = 0;

	if ((flags & HYP_MEMORY_READ_ONLY) && fake_host.shadow_error)
		return -fake_host.shadow_error;
	pthread_mutex_lock(&fake.lock);
	for (size_t i = 0; i < MAX_SLOTS; i++) {
		if (overlaps(&hyp->slots[i], gpa, size))
			r = -EEXIST;
		else if (!hyp->slots[i].size)
			free_slot = &hyp->slots[i];
	}
	if (!free_slot)
		r = -ENOSPC;
	if (r == 0)
		*free_slot = (struct slot){.base = gpa, .size = size, .host = host, .flags = flags};
	fake_record(hyp, FAKE_MAP, gpa, size, flags);
	pthread_mutex_unlock(&fake.lock);
	return r;
}

bool hyp_memory(struct hyp *hyp, size_t index, struct hyp_memory *ret)
{
	for (size_t i = 0; i < MAX_SLOTS; i++) {
		const struct slot *s = &hyp->slots[i];

		if (!s->size || index--)
			continue;
		*ret = (struct hyp_memory){s->base, s->size, s->host,
					   s->flags & HYP_MEMORY_READ_ONLY};
		return true;
	}
	return false;
}

uint64_t hyp_timer_frequency(void)
{
	return 62500000;
}

int hyp_unmap_memory(struct hyp *hyp, gpa_t gpa)
{
	int r = -ENOENT;

	pthread_mutex_lock(&fake.lock);
	for (size_t i = 0; i < MAX_SLOTS; i++) {
		if (hyp->slots[i].size && hyp->slots[i].base == gpa) {
			hyp->slots[i].size = 0;
			r = 0;
		}
	}
	fake_record(hyp, FAKE_UNMAP, gpa, 0, 0);
	pthread_mutex_unlock(&fake.lock);
	return r;
}

int hyp_create_gic(struct hyp *hyp, const struct hyp_gic_config *config, struct error *err)
{
	bool there = config->version == HYP_GIC_V3 ? hyp->caps.gicv3 : hyp->caps.gicv2;

	if (!there)
		return error_set(err, ENODEV, "no GICv%d", (int)config->version);
	fake.gic = *config;
	fake_note(hyp, FAKE_GIC, config->version, 0, 0);
	return 0;
}

char *hyp_gic_text(struct hyp *hyp)
{
	(void)hyp;
	return strdup("a line\n");
}

/* Of what is set up, SPIs go to the first CPU; INTID 27 is enabled and pending everywhere. */
int hyp_gic_read(struct hyp *hyp, enum hyp_gic_part part, uint64_t mpidr, uint32_t offset,
		 uint32_t *ret)
{
	uint32_t at = part == HYP_GIC_REDISTRIBUTOR ? offset - 0x10000 : offset;

	(void)hyp;
	(void)mpidr;
	*ret = at == 0x100 || at == 0x200 ? (uint32_t)BIT(27) : at == 0x418 ? 0xa0000000 : 0;
	return 0;
}

void hyp_set_irq(struct hyp *hyp, uint32_t intid, bool level)
{
	ck_assert_uint_lt(intid, MAX_INTIDS);
	ck_assert_uint_ge(intid, 32);
	pthread_mutex_lock(&fake.lock);
	hyp->irq[intid] = level;
	fake_record(hyp, FAKE_IRQ, intid, level, 0);
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

/* Posted and dropped writes. */

struct range *fake_find_range(struct range *ranges, gpa_t addr, uint32_t size, uint64_t value)
{
	for (size_t i = 0; i < MAX_RANGES; i++) {
		struct range *r = &ranges[i];

		if (r->size && r->addr == addr && r->size == size && r->value == value)
			return r;
	}
	return NULL;
}

static int change_range(struct range *ranges, const struct range *wanted, bool on)
{
	struct range *range = fake_find_range(ranges, wanted->addr, wanted->size, wanted->value);

	/* KVM refuses a second registration of an ioeventfd, and unknown ones. */
	ck_assert_msg(on == !range, "0x%lx: %s twice", (unsigned long)wanted->addr,
		      on ? "begun" : "ended");
	if (range) {
		range->size = 0;
		return 0;
	}
	for (size_t i = 0; i < MAX_RANGES; i++) {
		if (!ranges[i].size) {
			ranges[i] = *wanted;
			return 0;
		}
	}
	return -ENOSPC;
}

int hyp_post_writes(struct hyp *hyp, gpa_t addr, uint32_t size, bool on)
{
	int r = -EOPNOTSUPP;

	if (fake_host.no_ring)
		return r;
	pthread_mutex_lock(&fake.lock);
	r = change_range(hyp->posted, &(struct range){.addr = addr, .size = size}, on);
	fake_record(hyp, on ? FAKE_POST : FAKE_UNPOST, addr, size, 0);
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
	return r;
}

int hyp_drop_writes(struct hyp *hyp, gpa_t addr, uint32_t size, uint64_t value, bool on)
{
	int r;

	pthread_mutex_lock(&fake.lock);
	r = change_range(hyp->dropped, &(struct range){addr, size, value}, on);
	fake_record(hyp, on ? FAKE_DROP : FAKE_UNDROP, addr, size, value);
	pthread_mutex_unlock(&fake.lock);
	return r;
}

int hyp_notify_fd(struct hyp *hyp, gpa_t addr, uint32_t value, int fd, bool on)
{
	struct range *range;
	int r;

	pthread_mutex_lock(&fake.lock);
	r = change_range(hyp->notifying, &(struct range){addr, sizeof(value), value}, on);
	range = fake_find_range(hyp->notifying, addr, sizeof(value), value);
	if (range)
		hyp->notify_fds[range - hyp->notifying] = fd;
	fake_record(hyp, on ? FAKE_NOTIFY : FAKE_UNNOTIFY, addr, value, (uint64_t)fd);
	pthread_mutex_unlock(&fake.lock);
	return r;
}

int hyp_irq_fd(struct hyp *hyp, uint32_t intid, int fd, bool on)
{
	fake_note(hyp, on ? FAKE_IRQ_FD : FAKE_UNIRQ_FD, intid, 0, (uint64_t)fd);
	return 0;
}

bool fake_ring_push(struct hyp *hyp, gpa_t addr, unsigned size, uint64_t value)
{
	unsigned last = atomic_load(&hyp->last);

	if ((last + 1) % FAKE_RING == atomic_load(&hyp->first))
		return false;
	hyp->ring[last] = (struct hyp_posted_write){addr, size, value};
	atomic_store(&hyp->last, (last + 1) % FAKE_RING);
	fake_record(hyp, FAKE_QUEUED, addr, size, value);
	return true;
}

bool fake_queue_write(struct hyp *hyp, gpa_t addr, unsigned size, uint64_t value)
{
	bool done;

	pthread_mutex_lock(&fake.lock);
	done = fake_ring_push(hyp, addr, size, value);
	pthread_mutex_unlock(&fake.lock);
	return done;
}

bool hyp_posted_pending(const struct hyp *hyp)
{
	return atomic_load(&((struct hyp *)hyp)->first) != atomic_load(&((struct hyp *)hyp)->last);
}

size_t hyp_take_posted(const struct hyp *hyp, struct hyp_posted_write *writes, size_t max)
{
	unsigned at = atomic_load(&((struct hyp *)hyp)->first);
	unsigned last = atomic_load(&((struct hyp *)hyp)->last);
	size_t count = 0;

	for (; at != last && count < max; at = (at + 1) % FAKE_RING)
		writes[count++] = hyp->ring[at];
	return count;
}

void hyp_done_posted(struct hyp *hyp, size_t count)
{
	atomic_store(&hyp->first, (atomic_load(&hyp->first) + count) % FAKE_RING);
}

/* vCPUs. */

int hyp_create_vcpu(struct hyp *hyp, uint32_t index, const struct hyp_vcpu_options *options,
		    struct hyp_vcpu **ret, struct error *err)
{
	struct hyp_vcpu *vcpu;

	if (fake_host.vcpu_error && index >= fake_host.vcpu_error_from)
		return error_set_errno(err, fake_host.vcpu_error, "vCPU %u", index);
	vcpu = calloc(1, sizeof(*vcpu));
	ck_assert_ptr_nonnull(vcpu);
	vcpu->hyp = hyp;
	vcpu->index = index;
	vcpu->next = hyp->vcpus;
	hyp->vcpus = vcpu;
	fake_note(hyp, FAKE_VCPU, index, options->power_off,
		  (options->pmu ? FAKE_FEATURE_PMU : 0) | (options->sve ? FAKE_FEATURE_SVE : 0) |
			  (options->pauth ? FAKE_FEATURE_PAUTH : 0));
	vcpu->numbered = options->numbered && fake_host.keeps_mpidr;
	vcpu->mpidr = options->mpidr;
	*ret = vcpu;
	return 0;
}

int hyp_vcpu_start(struct hyp_vcpu *vcpu, struct error *err)
{
	(void)err;
	fake_note(vcpu->hyp, FAKE_START, vcpu->index, 0, 0);
	return 0;
}

int hyp_vcpu_steal_time(struct hyp_vcpu *vcpu, gpa_t at)
{
	if (fake_host.no_steal_time)
		return -ENXIO;
	fake_note(vcpu->hyp, FAKE_STEAL_TIME, vcpu->index, at, 0);
	return 0;
}

int hyp_vcpu_get_reg(struct hyp_vcpu *vcpu, enum hyp_reg reg, uint64_t *ret)
{
	if (fake_host.cpu)
		*ret = fake_host.cpu->regs[reg];
	else if (reg <= HYP_REG_X0 + 2 && fake_host.call[0])
		*ret = fake_host.call[reg - HYP_REG_X0];
	else
		*ret = FAKE_REG_VALUE(vcpu->index, reg);
	return 0;
}

int hyp_vcpu_is_off(struct hyp_vcpu *vcpu, bool *ret)
{
	*ret = !(fake_host.on >> vcpu->index & 1);
	return 0;
}

int hyp_vcpu_suspend(struct hyp_vcpu *vcpu)
{
	fake_note(vcpu->hyp, FAKE_SUSPEND, vcpu->index, 0, 0);
	return 0;
}

int hyp_vcpu_resume(struct hyp_vcpu *vcpu)
{
	fake_note(vcpu->hyp, FAKE_RESUME, vcpu->index, 0, 0);
	return 0;
}

int hyp_vcpu_turn_off(struct hyp_vcpu *vcpu)
{
	fake_note(vcpu->hyp, FAKE_TURN_OFF, vcpu->index, 0, 0);
	return 0;
}

int hyp_vcpu_reset(struct hyp_vcpu *vcpu)
{
	fake_note(vcpu->hyp, FAKE_RESET, vcpu->index, 0, 0);
	return 0;
}

void hyp_vcpu_read_done(struct hyp_vcpu *vcpu)
{
	vcpu->read_pending = false;
	fake_host.cpu->read_done = true;
}

bool hyp_extends_signs(struct hyp *hyp)
{
	(void)hyp;
	return fake_host.extends_signs;
}

int hyp_vcpu_debug(struct hyp_vcpu *vcpu, const struct hyp_debug *debug)
{
	static const struct hyp_debug none;

	(void)vcpu;
	if (fake_host.cpu) {
		fake_host.cpu->stepping = debug && debug->step;
		fake_host.cpu->debugged = debug != NULL;
		fake_host.cpu->debug = debug ? *debug : none;
	}
	return 0;
}

unsigned hyp_breakpoints(struct hyp *hyp)
{
	return hyp->caps.hw_breakpoints;
}

unsigned hyp_watchpoints(struct hyp *hyp)
{
	return hyp->caps.hw_watchpoints;
}

void hyp_vcpu_kick(struct hyp_vcpu *vcpu)
{
	vcpu->kicked = true;
	fake_note(vcpu->hyp, FAKE_KICK, vcpu->index, 0, 0);
}

void hyp_vcpu_unkick(struct hyp_vcpu *vcpu)
{
	vcpu->kicked = false;
}

int hyp_vcpu_inject_serror(struct hyp_vcpu *vcpu)
{
	fake_note(vcpu->hyp, FAKE_SERROR, vcpu->index, 0, 0);
	return 0;
}

int hyp_vcpu_inject_abort(struct hyp_vcpu *vcpu)
{
	fake_note(vcpu->hyp, FAKE_ABORT, vcpu->index, 0, 0);
	vcpu->read_pending = false;
	return 0;
}

/* What is counted. */

static const struct {
	const char *name;
	enum hyp_stat_type type;
	enum hyp_stat_unit unit;
	int exponent;
	uint32_t count;
} fake_stats[] = {
	{"remote_tlb_flush", HYP_STAT_CUMULATIVE, HYP_STAT_PURE, 0, 1},
	{"exits", HYP_STAT_CUMULATIVE, HYP_STAT_PURE, 0, 1},
	{"halt_wait_ns", HYP_STAT_CUMULATIVE, HYP_STAT_SECONDS, -9, 1},
	{"blocking", HYP_STAT_INSTANT, HYP_STAT_BOOLEAN, 0, 1},
	{"halt_wait_hist", HYP_STAT_LOG2_HISTOGRAM, HYP_STAT_SECONDS, -9, FAKE_HALT_WAIT_BUCKET},
};

static int make_stats(size_t first, size_t count, const uint64_t *values, size_t value_count,
		      struct hyp_stats **ret)
{
	size_t size = sizeof(struct hyp_stats) + count * sizeof(struct hyp_stat);
	struct hyp_stats *stats = malloc(size + value_count * sizeof(*values));
	uint64_t *at = (uint64_t *)(void *)((char *)stats + size);

	ck_assert_ptr_nonnull(stats);
	memcpy(at, values, value_count * sizeof(*values));
	stats->count = count;
	for (size_t i = 0; i < count; i++) {
		stats->stats[i] = (struct hyp_stat){
			.name = fake_stats[first + i].name,
			.type = fake_stats[first + i].type,
			.unit = fake_stats[first + i].unit,
			.base = 10,
			.exponent = fake_stats[first + i].exponent,
			.count = fake_stats[first + i].count,
			.values = at,
		};
		at += fake_stats[first + i].count;
	}
	*ret = stats;
	return 0;
}

int hyp_get_stats(const struct hyp *hyp, struct hyp_stats **ret)
{
	const uint64_t values[] = {FAKE_TLB_FLUSHES};

	(void)hyp;
	return fake_host.no_stats ? -EOPNOTSUPP : make_stats(0, 1, values, ARRAY_SIZE(values), ret);
}

/* KVM would wait for a vCPU in the guest, perhaps for ever. */
int hyp_vcpu_open_stats(struct hyp_vcpu *vcpu)
{
	if (fake_host.no_stats)
		return -EOPNOTSUPP;
	ck_assert(!vcpu->running);
	vcpu->stats_open = true;
	return 0;
}

int hyp_vcpu_get_stats(const struct hyp_vcpu *vcpu, struct hyp_stats **ret)
{
	const uint64_t values[4 + FAKE_HALT_WAIT_BUCKET - 1] = {
		FAKE_EXITS(vcpu->index), FAKE_HALT_WAIT_NS, true, 0, 1, 2, 3};

	return vcpu->stats_open
		       ? make_stats(1, ARRAY_SIZE(fake_stats) - 1, values, ARRAY_SIZE(values), ret)
		       : -EBADF;
}
