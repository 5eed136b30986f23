/* SPDX-License-Identifier: Apache-2.0 */
/* Opening /dev/kvm, and what the host behind it can do. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/parse.h"

#include "kvm_private.h"

int kvm_ioctl(int fd, unsigned long request, const void *arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

int kvm_check_extension(int fd, int cap)
{
	int r = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	return r < 0 ? 0 : r;
}

int kvm_set_attr(int fd, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr request = {
		.group = group, .attr = attr, .addr = (uint64_t)(uintptr_t)value};

	return kvm_ioctl(fd, KVM_SET_DEVICE_ATTR, &request);
}

int kvm_get_attr(int fd, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr request = {
		.group = group, .attr = attr, .addr = (uint64_t)(uintptr_t)value};

	return kvm_ioctl(fd, KVM_GET_DEVICE_ATTR, &request);
}

bool kvm_has_attr(int fd, uint32_t group, uint64_t attr)
{
	struct kvm_device_attr request = {.group = group, .attr = attr};

	return kvm_ioctl(fd, KVM_HAS_DEVICE_ATTR, &request) == 0;
}

static int explain_open(const char *path, int code, struct error *err)
{
	switch (code) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return error_set(err, code,
				 "%s is not there: this host's kernel offers no KVM (not booted at "
				 "EL2, or built without it); `armlet doctor` tells more",
				 path);
	case EACCES:
	case EPERM:
		return error_set(err, code,
				 "%s may not be opened by you: join the group that owns it "
				 "(sudo usermod -aG kvm $USER, then log in again) or run as root",
				 path);
	default:
		return error_set_errno(err, code, "%s cannot be opened", path);
	}
}

static int check_api(struct hyp *hyp, const char *path, struct error *err)
{
	int version = kvm_ioctl(hyp->kvm_fd, KVM_GET_API_VERSION, NULL);

	if (version < 0)
		return error_set(err, ENODEV, "%s is not KVM: it knows none of its requests", path);
	if (version != KVM_API_VERSION)
		return error_set(err, ENODEV, "%s speaks version %d of KVM's interface, not %d",
				 path, version, KVM_API_VERSION);
	if (!kvm_check_extension(hyp->kvm_fd, KVM_CAP_ARM_PSCI_0_2))
		return error_set(err, ENODEV,
				 "%s is the KVM of another architecture: armlet needs an arm64 "
				 "host (tools/armhost emulates one)",
				 path);
	return 0;
}

static void read_caps(struct hyp *hyp)
{
	int fd = hyp->kvm_fd;
	struct hyp_caps *caps = &hyp->caps;
	int ipa = kvm_check_extension(fd, KVM_CAP_ARM_VM_IPA_SIZE);

	caps->ipa_bits = ipa > 0 ? (unsigned)ipa : 40;
	caps->max_vcpus = (unsigned)kvm_check_extension(fd, KVM_CAP_MAX_VCPUS);
	caps->sve = kvm_check_extension(fd, KVM_CAP_ARM_SVE) > 0;
	caps->pauth = kvm_check_extension(fd, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
		      kvm_check_extension(fd, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0;
	caps->pmu = kvm_check_extension(fd, KVM_CAP_ARM_PMU_V3) > 0;
}

int hyp_open(const char *path, struct hyp **ret, struct error *err)
{
	_cleanup_(cleanup_hyp_close_) struct hyp *hyp = calloc(1, sizeof(*hyp));
	int r;

	if (!hyp)
		return error_set_errno(err, ENOMEM, "KVM");
	hyp->vm_fd = -EBADF;
	hyp->gic_fd = -EBADF;
	hyp->drop_fd = -EBADF;
	pthread_mutex_init(&hyp->slots_lock, NULL);
	hyp->kvm_fd = open(path, O_RDWR | O_CLOEXEC);
	if (hyp->kvm_fd < 0)
		return explain_open(path, errno, err);
	r = check_api(hyp, path, err);
	if (r < 0)
		return r;
	read_caps(hyp);
	*ret = steal_ptr(&hyp);
	return 0;
}

const struct hyp_caps *hyp_caps(const struct hyp *hyp)
{
	return &hyp->caps;
}

static bool has_device(const struct hyp *hyp, uint32_t type)
{
	struct kvm_create_device request = {.type = type, .flags = KVM_CREATE_DEVICE_TEST};

	return kvm_ioctl(hyp->vm_fd, KVM_CREATE_DEVICE, &request) == 0;
}

void hyp_probe_caps(struct hyp *hyp)
{
	int fd = hyp->vm_fd;
	struct hyp_caps *caps = &hyp->caps;

	caps->recommended_vcpus = (unsigned)kvm_check_extension(fd, KVM_CAP_NR_VCPUS);
	caps->gicv2 = has_device(hyp, KVM_DEV_TYPE_ARM_VGIC_V2);
	caps->gicv3 = has_device(hyp, KVM_DEV_TYPE_ARM_VGIC_V3);
	caps->its = has_device(hyp, KVM_DEV_TYPE_ARM_VGIC_ITS);
	caps->mte = kvm_check_extension(fd, KVM_CAP_ARM_MTE) > 0;
	caps->el1_32bit = kvm_check_extension(fd, KVM_CAP_ARM_EL1_32BIT) > 0;
	caps->el2 = kvm_check_extension(fd, KVM_CAP_ARM_EL2) > 0;
	caps->steal_time = kvm_check_extension(fd, KVM_CAP_STEAL_TIME) > 0;
	caps->counter_offset = kvm_check_extension(fd, KVM_CAP_COUNTER_OFFSET) > 0;
	caps->writable_id_regs = kvm_check_extension(fd, KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES) > 0;
	caps->writable_imp_id_regs = kvm_check_extension(fd, KVM_CAP_ARM_WRITABLE_IMP_ID_REGS) > 0;
	caps->smccc_filter = kvm_has_attr(fd, KVM_ARM_VM_SMCCC_CTRL, KVM_ARM_VM_SMCCC_FILTER);
	caps->hw_breakpoints = (unsigned)kvm_check_extension(fd, KVM_CAP_GUEST_DEBUG_HW_BPS);
	caps->hw_watchpoints = (unsigned)kvm_check_extension(fd, KVM_CAP_GUEST_DEBUG_HW_WPS);
}

/* Linux's version, as far as it matters here, with three digits for the minor number. */
#define SIGNS_SINCE 7000

bool hyp_extends_signs(struct hyp *hyp)
{
	enum { UNKNOWN, LOST, KEPT };
	int signs = hyp->extends_signs;

	/* Nothing but the version tells; to think of an old host what is not so costs time only. */
	if (signs == UNKNOWN) {
		unsigned major = 0;
		unsigned minor = 0;
		struct utsname host;

		if (uname(&host) == 0)
			parse_release(host.release, &major, &minor);
		signs = major * 1000 + minor >= SIGNS_SINCE ? KEPT : LOST;
		hyp->extends_signs = signs;
	}
	return signs == KEPT;
}
