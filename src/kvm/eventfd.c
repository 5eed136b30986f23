/* SPDX-License-Identifier: Apache-2.0 */
/* Eventfds on either end of the guest (Documentation/virt/kvm/api.rst, 4.59 and 4.75). */
#include "kvm_private.h"

int hyp_notify_fd(struct hyp *hyp, gpa_t addr, uint32_t value, int fd, bool on)
{
	struct kvm_ioeventfd request = {
		.datamatch = value,
		.addr = addr,
		.len = sizeof(value),
		.fd = fd,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH | (on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return kvm_ioctl(hyp->vm_fd, KVM_IOEVENTFD, &request);
}

/* KVM routes GSI n to SPI 32 + n from the vGIC's initialization on. */
int hyp_irq_fd(struct hyp *hyp, uint32_t intid, int fd, bool on)
{
	struct kvm_irqfd request = {
		.fd = (uint32_t)fd,
		.gsi = intid - 32,
		.flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};

	return kvm_ioctl(hyp->vm_fd, KVM_IRQFD, &request);
}
