/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef ARMLET_KVM_PRIVATE_H
#define ARMLET_KVM_PRIVATE_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#include "hyp/hyp.h"
#include "kvm_newer.h"

#define MEMORY_SLOTS 64

struct memory_slot {
	gpa_t gpa;
	uint64_t size; /* 0: the slot is free */
	const void *host;
	bool read_only;
};

struct hyp {
	int kvm_fd;
	int vm_fd;
	int gic_fd;
	int drop_fd; /* the eventfd that nobody reads */
	size_t run_size;
	struct hyp_caps caps;

	pthread_mutex_t slots_lock;
	struct memory_slot slots[MEMORY_SLOTS];

	struct kvm_coalesced_mmio_ring *ring; /* a page of the first vCPU's mapping */
	uint32_t ring_entries;

	struct hyp_vcpu *vcpus;   /* all, newest first */
	atomic_int extends_signs; /* 0: not looked yet, else LOST or KEPT */
};

struct hyp_vcpu {
	struct hyp *hyp;
	struct hyp_vcpu *next;
	uint32_t index;
	int fd;
	int stats_fd; /* -1: not opened yet */
	struct kvm_run *run;
	bool read_pending; /* the last exit was an MMIO read: KVM waits for its value */
	struct hyp_vcpu_options options;
};

/* ioctl(2) that gives -errno. */
int kvm_ioctl(int fd, unsigned long request, const void *arg);

/* One attribute of a VM, vCPU or device. */
int kvm_set_attr(int fd, uint32_t group, uint64_t attr, const void *value);
int kvm_get_attr(int fd, uint32_t group, uint64_t attr, void *value);
bool kvm_has_attr(int fd, uint32_t group, uint64_t attr);

/* KVM_CHECK_EXTENSION on /dev/kvm or a VM; 0 for what is not there. */
int kvm_check_extension(int fd, int cap);

#endif
