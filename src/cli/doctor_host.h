/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's own files tell about KVM, without asking KVM. */
#ifndef ARMLET_CLI_DOCTOR_HOST_H
#define ARMLET_CLI_DOCTOR_HOST_H

#include "base/util.h"

enum kvm_mode {
	KVM_MODE_UNKNOWN,
	KVM_MODE_VHE,       /* the host kernel itself runs at EL2 (HCR_EL2.E2H) */
	KVM_MODE_NVHE,      /* the host kernel runs at EL1, a small part of KVM at EL2 */
	KVM_MODE_PROTECTED, /* nVHE, and the host cannot look into protected guests */
	KVM_MODE_NESTED,    /* VHE, and guests may have an EL2 of their own */
};

const char *kvm_mode_name(enum kvm_mode mode);
const char *kvm_mode_explained(enum kvm_mode mode);

#define HOST_MAX_CORE_KINDS 8

struct host_info {
	char machine[65]; /* uname's, "aarch64" */
	char kernel[65];  /* uname's release */
	unsigned kernel_major;
	unsigned kernel_minor;
	unsigned page_size;   /* bytes */
	unsigned cpus;        /* online */
	uint64_t memory;      /* bytes in all */
	uint64_t memory_free; /* bytes available */
	enum kvm_mode mode;
	unsigned core_kinds; /* distinct MIDR_EL1 values */
	uint64_t midr[HOST_MAX_CORE_KINDS];
	bool kvm_there;     /* /dev/kvm exists */
	bool kvm_usable;    /* and we may open it */
	char kvm_group[65]; /* the group that owns it */
	bool has_vhost_net;
	bool has_vhost_vsock;
	bool has_tun;
	uint64_t huge_pages; /* free ones of 2 MiB */
};

void host_info_read(struct host_info *host, const char *kvm_device);

/* "Cortex-A76" and the like; NULL if it is not known. */
const char *core_name(uint64_t midr);

#endif
