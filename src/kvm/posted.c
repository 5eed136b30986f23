/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Posted and dropped writes
 *
 * KVM's coalesced MMIO ring is one a VM; every vCPU's mapping shows it, and
 * ours is seen through the first vCPU's. The kernel moves `last` under its own
 * lock, we move `first`. A full ring makes the next write an ordinary exit.
 */
#include <linux/kvm.h>
#include <string.h>
#include <sys/eventfd.h>

#include "kvm_private.h"

int hyp_post_writes(struct hyp *hyp, gpa_t addr, uint32_t size, bool on)
{
	struct kvm_coalesced_mmio_zone zone = {.addr = addr, .size = size};

	if (!hyp->ring)
		return -EOPNOTSUPP;
	return kvm_ioctl(hyp->vm_fd,
			 on ? KVM_REGISTER_COALESCED_MMIO : KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

int hyp_drop_writes(struct hyp *hyp, gpa_t addr, uint32_t size, uint64_t value, bool on)
{
	struct kvm_ioeventfd request = {
		.datamatch = value,
		.addr = addr,
		.len = size,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH | (on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	if (hyp->drop_fd < 0) {
		hyp->drop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (hyp->drop_fd < 0)
			return -errno;
	}
	request.fd = hyp->drop_fd;
	return kvm_ioctl(hyp->vm_fd, KVM_IOEVENTFD, &request);
}

bool hyp_posted_pending(const struct hyp *hyp)
{
	const struct kvm_coalesced_mmio_ring *ring = hyp->ring;

	return ring && __atomic_load_n(&ring->first, __ATOMIC_RELAXED) !=
			       __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
}

size_t hyp_take_posted(const struct hyp *hyp, struct hyp_posted_write *writes, size_t max)
{
	const struct kvm_coalesced_mmio_ring *ring = hyp->ring;
	uint32_t at = ring ? ring->first : 0;
	uint32_t last = ring ? __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE) : 0;
	size_t count = 0;

	while (at != last && count < max) {
		const struct kvm_coalesced_mmio *entry = &ring->coalesced_mmio[at];
		struct hyp_posted_write *write = &writes[count++];

		/* The bytes are in the order of the host, which is little-endian. */
		memcpy(&write->value, entry->data, sizeof(write->value));
		write->addr = entry->phys_addr;
		write->size = entry->len;
		if (write->size < sizeof(write->value))
			write->value &= BIT(8 * write->size) - 1;
		if (++at == hyp->ring_entries)
			at = 0;
	}
	return count;
}

void hyp_done_posted(struct hyp *hyp, size_t count)
{
	uint32_t first = (hyp->ring->first + (uint32_t)count) % hyp->ring_entries;

	__atomic_store_n(&hyp->ring->first, first, __ATOMIC_RELEASE);
}
