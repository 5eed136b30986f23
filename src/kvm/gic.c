/* SPDX-License-Identifier: Apache-2.0 */
/* The in-kernel interrupt controller (Documentation/virt/kvm/devices/arm-vgic*.rst). */
#include <stdio.h>

#include "kvm_private.h"

#define GICD_ICFGR 0xc00 /* two bits an interrupt: 0b10 edge, 0b00 level (IHI 0069, 12.9.9) */

static int set_address(const struct hyp *hyp, uint64_t type, uint64_t addr)
{
	return kvm_set_attr(hyp->gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, type, &addr);
}

static int place_v3(const struct hyp *hyp, const struct hyp_gic_config *config)
{
	int r = set_address(hyp, KVM_VGIC_V3_ADDR_TYPE_DIST, config->distributor);

	for (uint64_t i = 0; i < ARRAY_SIZE(config->redistributors) && r >= 0; i++) {
		uint64_t count = config->redistributors[i].count;

		if (count)
			r = set_address(hyp, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION,
					count << 52 | config->redistributors[i].base | i);
	}
	return r;
}

static int place_v2(const struct hyp *hyp, const struct hyp_gic_config *config)
{
	int r = set_address(hyp, KVM_VGIC_V2_ADDR_TYPE_DIST, config->distributor);

	return r < 0 ? r : set_address(hyp, KVM_VGIC_V2_ADDR_TYPE_CPU, config->cpu_interface);
}

/*
 * KVM starts all SPIs as edge-triggered. Raising a level line before the guest
 * has programmed ICFGR would lose the level, so lines start as what they are.
 */
static int configure_level_spis(const struct hyp *hyp, const struct hyp_gic_config *config)
{
	for (uint32_t group = 0; group < 4; group++) {
		uint32_t spis = (uint32_t)(config->level_spis >> (16 * group)) & 0xffff;
		uint64_t attr = GICD_ICFGR + 4 * (32 / 16 + group);
		uint32_t value = 0;
		int r;

		if (!spis)
			continue;
		for (uint32_t i = 0; i < 16; i++)
			value |= spis & BIT(i) ? 0 : UINT32_C(2) << (2 * i);
		r = kvm_set_attr(hyp->gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, attr, &value);
		if (r < 0)
			return r;
	}
	return 0;
}

int hyp_create_gic(struct hyp *hyp, const struct hyp_gic_config *config, struct error *err)
{
	bool v3 = config->version == HYP_GIC_V3;
	struct kvm_create_device request = {.type = v3 ? KVM_DEV_TYPE_ARM_VGIC_V3
						       : KVM_DEV_TYPE_ARM_VGIC_V2};
	int r = kvm_ioctl(hyp->vm_fd, KVM_CREATE_DEVICE, &request);

	if (r < 0)
		return error_set(err, -r, "--irqchip: this host's KVM has no GICv%d for guests",
				 (int)config->version);
	hyp->gic_fd = (int)request.fd;
	r = v3 ? place_v3(hyp, config) : place_v2(hyp, config);
	if (r >= 0)
		r = kvm_set_attr(hyp->gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &config->interrupts);
	if (r >= 0)
		r = kvm_set_attr(hyp->gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT,
				 NULL);
	if (r >= 0)
		r = configure_level_spis(hyp, config);
	if (r < 0)
		return error_set_errno(err, -r, "KVM cannot set up the GICv%d",
				       (int)config->version);
	return 0;
}

/*
 * With GICv3 the CPU is named by its affinity in bits 63:32, Aff3 at the top
 * (Documentation/virt/kvm/devices/arm-vgic-v3.rst); with GICv2 by its number.
 */
int hyp_gic_read(struct hyp *hyp, enum hyp_gic_part part, uint64_t mpidr, uint32_t offset,
		 uint32_t *ret)
{
	uint64_t cpu = (mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24;
	uint32_t group = part == HYP_GIC_REDISTRIBUTOR ? KVM_DEV_ARM_VGIC_GRP_REDIST_REGS
						       : KVM_DEV_ARM_VGIC_GRP_DIST_REGS;
	int r = kvm_get_attr(hyp->gic_fd, group, cpu << 32 | offset, ret);

	return r < 0 ? r : 0;
}

/* vgic-state of the VM's folder in debugfs, which is root's (virt/kvm/arm/vgic/vgic-debug.c). */
char *hyp_gic_text(struct hyp *hyp)
{
	char path[96];
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/vgic-state", (int)getpid(),
		 hyp->vm_fd);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	/* It has no such byte. */
	if (getdelim(&text, &size, '\0', file) < 0)
		free(steal_ptr(&text));
	fclose(file);
	return text;
}

void hyp_set_irq(struct hyp *hyp, uint32_t intid, bool level)
{
	struct kvm_irq_level request = {
		.irq = (uint32_t)KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | intid,
		.level = level,
	};

	/* It can only fail for an INTID that the GIC was not given. */
	kvm_ioctl(hyp->vm_fd, KVM_IRQ_LINE, &request);
}
