/* SPDX-License-Identifier: Apache-2.0 */
/* The VM and its memory slots. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm_private.h"

int hyp_create_vm(struct hyp *hyp, unsigned ipa_bits, struct error *err)
{
	struct kvm_enable_cap nisv = {.cap = KVM_CAP_ARM_NISV_TO_USER};
	struct kvm_enable_cap suspend = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};

	/* The machine type is the IPA size (Documentation/virt/kvm/api.rst, 4.2). */
	hyp->vm_fd = ioctl(hyp->kvm_fd, KVM_CREATE_VM, (unsigned long)ipa_bits);
	if (hyp->vm_fd < 0)
		return error_set_errno(err, errno, "KVM cannot create a VM of %u address bits",
				       ipa_bits);
	/* Without it, KVM_RUN fails on an access that ESR_EL2 does not describe. */
	hyp->caps.nisv_to_user = kvm_ioctl(hyp->vm_fd, KVM_ENABLE_CAP, &nisv) == 0;
	/* Without it, PSCI_FEATURES says that there is no such call. */
	hyp->caps.system_suspend = kvm_ioctl(hyp->vm_fd, KVM_ENABLE_CAP, &suspend) == 0;
	return 0;
}

int hyp_set_halt_poll(struct hyp *hyp, uint32_t ns, struct error *err)
{
	struct kvm_enable_cap poll = {.cap = KVM_CAP_HALT_POLL, .args = {ns}};
	int r = kvm_ioctl(hyp->vm_fd, KVM_ENABLE_CAP, &poll);

	return r < 0 ? error_set_errno(err, -r, "--halt-poll: KVM does not take %u", ns) : 0;
}

int hyp_let_identity(struct hyp *hyp)
{
	struct kvm_enable_cap identity = {.cap = KVM_CAP_ARM_WRITABLE_IMP_ID_REGS};
	int r = kvm_ioctl(hyp->vm_fd, KVM_ENABLE_CAP, &identity);

	return r < 0 ? r : 0;
}

int hyp_forward_calls(struct hyp *hyp, uint32_t first, uint32_t count)
{
	const struct kvm_smccc_filter filter = {
		.base = first, .nr_functions = count, .action = KVM_SMCCC_FILTER_FWD_TO_USER};
	int r = kvm_set_attr(hyp->vm_fd, KVM_ARM_VM_SMCCC_CTRL, KVM_ARM_VM_SMCCC_FILTER, &filter);

	return r < 0 ? r : 0;
}

/* Where a register's mask is among all (Documentation/virt/kvm/api.rst, 4.138): op1 is 0, 1, 3. */
static unsigned mask_index(uint16_t sysreg)
{
	unsigned op1 = sysreg >> 11 & 7;

	return (op1 == 3 ? 2 : op1) << 6 | (sysreg & 0x3f);
}

int hyp_id_reg_mask(struct hyp *hyp, uint16_t sysreg, uint64_t *ret)
{
	uint64_t masks[KVM_ARM_FEATURE_ID_RANGE_SIZE] = {0};
	struct reg_mask_range range = {.addr = (uint64_t)(uintptr_t)masks,
				       .range = KVM_ARM_FEATURE_ID_RANGE};
	unsigned at = mask_index(sysreg);

	if (kvm_ioctl(hyp->vm_fd, KVM_ARM_GET_REG_WRITABLE_MASKS, &range) < 0)
		return -EOPNOTSUPP;
	*ret = at < ARRAY_SIZE(masks) ? masks[at] : 0;
	return 0;
}

static void destroy_vcpus(struct hyp *hyp)
{
	while (hyp->vcpus) {
		struct hyp_vcpu *vcpu = hyp->vcpus;

		hyp->vcpus = vcpu->next;
		if (vcpu->run)
			munmap(vcpu->run, hyp->run_size);
		close_fd(vcpu->stats_fd);
		close_fd(vcpu->fd);
		free(vcpu);
	}
}

void hyp_close(struct hyp *hyp)
{
	if (!hyp)
		return;
	destroy_vcpus(hyp);
	close_fd(hyp->gic_fd);
	close_fd(hyp->drop_fd);
	close_fd(hyp->vm_fd);
	close_fd(hyp->kvm_fd);
	pthread_mutex_destroy(&hyp->slots_lock);
	free(hyp);
}

static int set_slot(const struct hyp *hyp, uint32_t slot, uint64_t size, void *host, unsigned flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags & HYP_MEMORY_READ_ONLY ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = hyp->slots[slot].gpa,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)host,
	};

	return kvm_ioctl(hyp->vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static int find_slot(const struct hyp *hyp, gpa_t gpa, bool used)
{
	for (uint32_t i = 0; i < MEMORY_SLOTS; i++) {
		if (used ? hyp->slots[i].size && hyp->slots[i].gpa == gpa : !hyp->slots[i].size)
			return (int)i;
	}
	return used ? -ENOENT : -ENOSPC;
}

int hyp_map_memory(struct hyp *hyp, gpa_t gpa, uint64_t size, void *host, unsigned flags)
{
	int slot;
	int r;

	pthread_mutex_lock(&hyp->slots_lock);
	slot = find_slot(hyp, gpa, false);
	r = slot;
	if (slot >= 0) {
		hyp->slots[slot].gpa = gpa;
		r = set_slot(hyp, (uint32_t)slot, size, host, flags);
		if (r >= 0)
			hyp->slots[slot] =
				(struct memory_slot){gpa, size, host, flags & HYP_MEMORY_READ_ONLY};
	}
	pthread_mutex_unlock(&hyp->slots_lock);
	return r < 0 ? r : 0;
}

int hyp_unmap_memory(struct hyp *hyp, gpa_t gpa)
{
	int slot;
	int r;

	pthread_mutex_lock(&hyp->slots_lock);
	slot = find_slot(hyp, gpa, true);
	r = slot;
	if (slot >= 0) {
		r = set_slot(hyp, (uint32_t)slot, 0, NULL, 0);
		if (r >= 0)
			hyp->slots[slot].size = 0;
	}
	pthread_mutex_unlock(&hyp->slots_lock);
	return r < 0 ? r : 0;
}

bool hyp_memory(struct hyp *hyp, size_t index, struct hyp_memory *ret)
{
	bool found = false;

	pthread_mutex_lock(&hyp->slots_lock);
	for (size_t i = 0; i < MEMORY_SLOTS && !found; i++) {
		const struct memory_slot *slot = &hyp->slots[i];

		found = slot->size && index-- == 0;
		if (found)
			*ret = (struct hyp_memory){slot->gpa, slot->size, slot->host,
						   slot->read_only};
	}
	pthread_mutex_unlock(&hyp->slots_lock);
	return found;
}
