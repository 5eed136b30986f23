/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree: what belongs to the board itself; each device adds its own
 * node. Bindings are those of the Linux kernel's Documentation/devicetree.
 */
#include <inttypes.h>

#include "boot/chosen.h"
#include "core/fdt_builder.h"
#include "devices/pl061.h"
#include "machine/layout.h"
#include "machine_private.h"
#include "topology.h"

/* The third cell of a PPI; a GICv2 is also told which CPUs share it (arm,gic binding). */
static uint32_t ppi_flags(const struct machine *machine)
{
	uint32_t cpus = machine->board.vcpu_count;

	if (machine->board.gic == HYP_GIC_V2)
		return FDT_IRQ_LEVEL_HIGH | ((UINT32_C(1) << cpus) - 1) << 8;
	return FDT_IRQ_LEVEL_HIGH;
}

static uint32_t ppi(uint32_t intid)
{
	return intid - 16;
}

/* As was asked for; or by MPIDR: Aff1 is the cluster, Aff2 and Aff3 are sockets. */
static struct topology_place place_of(const struct machine *machine, uint32_t index,
				      const struct topology_place *before)
{
	const struct vcpu *vcpus = machine->board.vcpus;
	struct topology_place place = {0};
	uint64_t changed;

	if (machine->config->topology_count)
		return topology_place(machine->config, index);
	if (index == 0)
		return place;
	changed = vcpus[index].mpidr ^ vcpus[index - 1].mpidr;
	place = *before;
	if (changed >> 16) {
		place = (struct topology_place){.socket = before->socket + 1};
	} else if (changed >> 8) {
		place.cluster++;
		place.core = 0;
	} else {
		place.core++;
	}
	return place;
}

/* Linux: Documentation/devicetree/bindings/cpu/cpu-topology.txt. */
static void describe_cpu_map(const struct machine *machine, struct fdt_builder *fdt)
{
	bool threads = machine->config->topology.threads > 1;
	struct topology_place last = {0};
	uint32_t count = machine->board.vcpu_count;

	fdt_begin(fdt, "cpu-map");
	for (uint32_t i = 0; i < count; i++) {
		struct topology_place place = place_of(machine, i, &last);
		bool socket = i == 0 || place.socket != last.socket;
		bool cluster = socket || place.cluster != last.cluster;
		bool core = cluster || place.core != last.core;

		/* The nodes of the CPU before that this one is not in any more. */
		for (unsigned ends = i ? (unsigned)socket + cluster + (core && threads) : 0;
		     ends > 0; ends--)
			fdt_end(fdt);
		if (socket)
			fdt_begin(fdt, "socket%u", place.socket);
		if (cluster)
			fdt_begin(fdt, "cluster%u", place.cluster);
		if (core)
			fdt_begin(fdt, "core%u", place.core);
		if (threads)
			fdt_begin(fdt, "thread%u", place.thread);
		fdt_u32(fdt, "cpu", FDT_PHANDLE_CPU + i);
		fdt_end(fdt);
		last = place;
	}
	for (unsigned ends = threads ? 4 : 3; ends > 0; ends--)
		fdt_end(fdt);
}

static void describe_cpus(const struct machine *machine, struct fdt_builder *fdt)
{
	const struct board *board = &machine->board;
	/* reg holds Aff3 in a cell of its own, and the last vCPU has the highest. */
	bool wide = board->vcpus[board->vcpu_count - 1].mpidr >> 32 != 0;

	fdt_begin(fdt, "cpus");
	fdt_u32(fdt, "#address-cells", wide ? 2 : 1);
	fdt_u32(fdt, "#size-cells", 0);
	for (uint32_t i = 0; i < board->vcpu_count; i++) {
		uint64_t mpidr = board->vcpus[i].mpidr;

		fdt_begin(fdt, "cpu@%" PRIx64, mpidr);
		fdt_str(fdt, "device_type", "cpu");
		fdt_str(fdt, "compatible", "arm,armv8");
		if (wide)
			fdt_u64(fdt, "reg", mpidr);
		else
			fdt_u32(fdt, "reg", (uint32_t)mpidr);
		fdt_str(fdt, "enable-method", "psci");
		fdt_u32(fdt, "phandle", FDT_PHANDLE_CPU + i);
		fdt_end(fdt);
	}
	describe_cpu_map(machine, fdt);
	fdt_end(fdt);
}

static void describe_memory(const struct machine *machine, struct fdt_builder *fdt)
{
	fdt_begin(fdt, "memory@%" PRIx64, machine->mem->base);
	fdt_str(fdt, "device_type", "memory");
	fdt_reg(fdt, machine->mem->base, machine->mem->size);
	fdt_end(fdt);
}

static void describe_psci(struct fdt_builder *fdt)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	fdt_begin(fdt, "psci");
	fdt_strings(fdt, "compatible", compatible, sizeof(compatible));
	fdt_str(fdt, "method", "hvc");
	fdt_end(fdt);
}

static void describe_timer(const struct machine *machine, struct fdt_builder *fdt)
{
	uint32_t flags = ppi_flags(machine);

	fdt_begin(fdt, "timer");
	fdt_str(fdt, "compatible", "arm,armv8-timer");
	/* Secure, non-secure physical, virtual, hypervisor: the binding's order. */
	FDT_CELLS(fdt, "interrupts", FDT_GIC_PPI, ppi(LAYOUT_PPI_SECURE_TIMER), flags, FDT_GIC_PPI,
		  ppi(LAYOUT_PPI_TIMER), flags, FDT_GIC_PPI, ppi(LAYOUT_PPI_VIRTUAL_TIMER), flags,
		  FDT_GIC_PPI, ppi(LAYOUT_PPI_HYP_TIMER), flags);
	fdt_empty(fdt, "always-on");
	fdt_end(fdt);
}

static void describe_pmu(const struct machine *machine, struct fdt_builder *fdt)
{
	if (!machine->board.features.pmu)
		return;
	fdt_begin(fdt, "pmu");
	fdt_str(fdt, "compatible", "arm,armv8-pmuv3");
	FDT_CELLS(fdt, "interrupts", FDT_GIC_PPI, ppi(LAYOUT_PPI_PMU), ppi_flags(machine));
	fdt_end(fdt);
}

static void describe_gic_registers(const struct hyp_gic_config *gic, struct fdt_builder *fdt)
{
	uint64_t reg[6] = {gic->distributor, LAYOUT_GIC_DISTRIBUTOR_SIZE};
	uint32_t cells[12] = {0};
	uint32_t regions = 0;
	size_t used = 2;

	if (gic->version == HYP_GIC_V2) {
		reg[used++] = gic->cpu_interface;
		reg[used++] = LAYOUT_GIC_CPU_INTERFACE_SIZE;
	} else {
		for (; regions < 2 && gic->redistributors[regions].count; regions++) {
			reg[used++] = gic->redistributors[regions].base;
			reg[used++] =
				gic->redistributors[regions].count * LAYOUT_GIC_REDISTRIBUTOR_SIZE;
		}
		fdt_u32(fdt, "#redistributor-regions", regions);
	}
	for (size_t i = 0; i < used; i++) {
		cells[2 * i] = (uint32_t)(reg[i] >> 32);
		cells[2 * i + 1] = (uint32_t)reg[i];
	}
	fdt_cells(fdt, "reg", cells, 2 * used);
}

static void describe_gic(const struct machine *machine, struct fdt_builder *fdt)
{
	const struct hyp_gic_config *gic = &machine->board.gic_config;

	fdt_begin(fdt, "interrupt-controller@%" PRIx64, gic->distributor);
	fdt_label(fdt, "gic", FDT_PHANDLE_GIC);
	fdt_str(fdt, "compatible",
		gic->version == HYP_GIC_V2 ? "arm,cortex-a15-gic" : "arm,gic-v3");
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", 3);
	fdt_u32(fdt, "#address-cells", 0);
	describe_gic_registers(gic, fdt);
	fdt_end(fdt);
}

static void describe_clock(struct fdt_builder *fdt)
{
	fdt_begin(fdt, "apb-pclk");
	fdt_label(fdt, "apb_pclk", FDT_PHANDLE_APB_PCLK);
	fdt_str(fdt, "compatible", "fixed-clock");
	fdt_u32(fdt, "#clock-cells", 0);
	fdt_u32(fdt, "clock-frequency", LAYOUT_APB_PCLK_HZ);
	fdt_str(fdt, "clock-output-names", "clk24mhz");
	fdt_end(fdt);
}

static void describe_aliases(struct fdt_builder *fdt)
{
	fdt_begin(fdt, "aliases");
	fdt_str(fdt, "serial0", LAYOUT_PL011_NODE);
	fdt_end(fdt);
}

int machine_describe(const struct machine *machine, const struct boot_chosen *chosen, void **ret,
		     size_t *ret_size, struct error *err)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = NULL;
	const struct board *board = &machine->board;
	int r = fdt_builder_create(&fdt);

	if (r < 0)
		return error_set_errno(err, -r, "the device tree");
	/* Overlays name our nodes by label, and a person looks the labels up in a dump. */
	if (machine->config->dtb_overlay_count || machine->config->dump_dtb)
		fdt_builder_want_symbols(fdt);
	fdt_begin(fdt, "%s", "");
	fdt_str(fdt, "compatible", "linux,dummy-virt");
	fdt_str(fdt, "model", "armlet");
	fdt_u32(fdt, "#address-cells", 2);
	fdt_u32(fdt, "#size-cells", 2);
	fdt_u32(fdt, "interrupt-parent", FDT_PHANDLE_GIC);
	describe_aliases(fdt);
	boot_describe_chosen(fdt, chosen);
	describe_memory(machine, fdt);
	describe_cpus(machine, fdt);
	describe_psci(fdt);
	describe_timer(machine, fdt);
	describe_pmu(machine, fdt);
	describe_gic(machine, fdt);
	describe_clock(fdt);
	for (size_t i = 0; i < board->device_count; i++) {
		const struct board_device *row = &board->devices[i];

		row->device->ops->describe(row->device, &row->slot, fdt);
	}
	if (board->gpio)
		pl061_describe_power_key(fdt);
	fdt_end(fdt);
	return fdt_builder_finish(fdt, ret, ret_size, err);
}
