/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board, from top to bottom: VM, vCPUs, interrupt controller, devices. It
 * is built anew for every boot, so a guest that resets finds everything as a
 * machine that was just switched on has it.
 */
#include <inttypes.h>
#include <string.h>

#include "arm64/sysreg.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/probe.h"
#include "devices/pl011.h"
#include "devices/pl031.h"
#include "devices/pl061.h"
#include "devices/pvpanic.h"
#include "devices/scratch.h"
#include "identity.h"
#include "machine/layout.h"
#include "machine_private.h"
#include "topology.h"

#define GICV2_MAX_VCPUS 8
#define STEAL_TIME_SIZE 64

static gpa_t ram_end(const struct machine_config *config)
{
	return LAYOUT_RAM + config->mem;
}

/* Redistributors that find no room below the PL011 stand behind the RAM. */
static gpa_t high_redistributors(const struct machine_config *config)
{
	return align_up(ram_end(config), GUEST_MEM_ALIGN);
}

unsigned board_ipa_bits(const struct machine_config *config)
{
	gpa_t end = ram_end(config);
	unsigned bits = 32; /* the least that KVM accepts */

	if (config->cpus > LAYOUT_GIC_REDISTRIBUTORS_MAX)
		end = high_redistributors(config) + (config->cpus - LAYOUT_GIC_REDISTRIBUTORS_MAX) *
							    LAYOUT_GIC_REDISTRIBUTOR_SIZE;
	while (bits < 64 && end > BIT(bits))
		bits++;
	return bits;
}

static int check_host(const struct machine *machine, const struct hyp_caps *caps, struct error *err)
{
	const struct machine_config *config = machine->config;
	unsigned ipa_bits = board_ipa_bits(config);
	char text[FORMAT_SIZE_MAX];

	if (config->cpus > caps->max_vcpus)
		return error_set(err, EINVAL,
				 "--cpus: this host's KVM allows at most %u vCPUs, not %u",
				 caps->max_vcpus, config->cpus);
	if (ipa_bits > caps->ipa_bits)
		return error_set(err, EINVAL,
				 "--mem: %s needs %u address bits, but this host's KVM gives a "
				 "guest at most %u",
				 format_size(config->mem, text), ipa_bits, caps->ipa_bits);
	return 0;
}

/* Whether a vCPU gets a feature; an error if it is demanded and not there. */
static int decide(enum config_switch wanted, bool there, const char *option, bool *ret,
		  struct error *err)
{
	if (wanted == CONFIG_ON && !there)
		return error_set(err, ENOTSUP,
				 "--%s=on: this host's KVM does not have it for "
				 "guests (see `armlet doctor`)",
				 option);
	*ret = there && wanted != CONFIG_OFF;
	return 0;
}

/* Of what nothing is said, the model has the say. */
static enum config_switch follow(enum config_switch wanted, bool model_lacks_it)
{
	return wanted == CONFIG_AUTO && model_lacks_it ? CONFIG_OFF : wanted;
}

static int decide_features(struct machine *machine, const struct hyp_caps *caps, struct error *err)
{
	const struct machine_config *config = machine->config;
	struct hyp_vcpu_options *features = &machine->board.features;
	const struct cpu_model *model = config->cpu;
	int r = decide(follow(config->pmu, identity_lacks_pmu(model)), caps->pmu, "pmu",
		       &features->pmu, err);

	if (r == 0)
		r = decide(follow(config->sve, identity_lacks_sve(model)), caps->sve, "sve",
			   &features->sve, err);
	if (r == 0)
		r = decide(follow(config->pauth, identity_lacks_pauth(model)), caps->pauth, "pauth",
			   &features->pauth, err);
	features->pmu_intid = LAYOUT_PPI_PMU;
	return r;
}

static int build_vcpu(struct machine *machine, uint32_t index, struct error *err)
{
	const struct machine_config *config = machine->config;
	struct board *board = &machine->board;
	struct hyp_vcpu_options options = board->features;
	struct vcpu *vcpu = &board->vcpus[index];
	int r;

	options.power_off = index > 0;
	vcpu->psci.power = index > 0 ? CPU_POWER_OFF : CPU_POWER_ON;
	options.numbered = topology_mpidr(config, index, &options.mpidr);
	vcpu->machine = machine;
	vcpu->index = index;
	vcpu->pin = config->pin_count ? (int)config->pin[index % config->pin_count] : -1;
	r = hyp_create_vcpu(board->hyp, index, &options, &vcpu->hyp, err);
	if (r < 0)
		return r;
	board->vcpu_count++;
	r = hyp_vcpu_get_sysreg(vcpu->hyp, SYSREG_MPIDR_EL1, &vcpu->mpidr);
	if (r < 0)
		return error_set_errno(err, -r, "vCPU %u does not tell its MPIDR_EL1", index);
	vcpu->mpidr &= MPIDR_AFFINITY_MASK;
	return 0;
}

static int build_vcpus(struct machine *machine, struct error *err)
{
	struct board *board = &machine->board;
	uint32_t count = machine->config->cpus;

	board->vcpus = calloc(count, sizeof(*board->vcpus));
	if (!board->vcpus)
		return error_set_errno(err, ENOMEM, "the vCPUs");
	for (uint32_t i = 0; i < count; i++) {
		int r = build_vcpu(machine, i, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static void place_redistributors(const struct machine_config *config, struct hyp_gic_config *gic)
{
	uint32_t low = config->cpus < LAYOUT_GIC_REDISTRIBUTORS_MAX ? config->cpus
								    : LAYOUT_GIC_REDISTRIBUTORS_MAX;

	gic->redistributors[0].base = LAYOUT_GIC_REDISTRIBUTORS;
	gic->redistributors[0].count = low;
	gic->redistributors[1].base = high_redistributors(config);
	gic->redistributors[1].count = config->cpus - low;
}

static int create_gic(struct machine *machine, struct error *err)
{
	const struct hyp_gic_config *gic = &machine->board.gic_config;
	uint32_t cpus = machine->config->cpus;

	/* GICD_TYPER.CPUNumber has three bits (IHI 0048B, 4.3.2). */
	if (gic->version == HYP_GIC_V2 && cpus > GICV2_MAX_VCPUS)
		return error_set(err, EINVAL, "--cpus: a GICv2 serves at most %d vCPUs, not %u",
				 GICV2_MAX_VCPUS, cpus);
	return hyp_create_gic(machine->board.hyp, gic, err);
}

static int build_gic(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	struct board *board = &machine->board;
	struct hyp_gic_config *gic = &board->gic_config;
	int r;

	*gic = (struct hyp_gic_config){
		.version = config->irqchip == CONFIG_IRQCHIP_GICV2 ? HYP_GIC_V2 : HYP_GIC_V3,
		.distributor = LAYOUT_GIC_DISTRIBUTOR,
		.cpu_interface = LAYOUT_GIC_CPU_INTERFACE,
		.interrupts = LAYOUT_INTERRUPTS,
		.level_spis = BIT(LAYOUT_SPI_PL011 - 32) | BIT(LAYOUT_SPI_PL031 - 32) |
			      BIT(LAYOUT_SPI_PL061 - 32) | BIT(LAYOUT_SPI_SBSA_GWDT - 32),
	};
	place_redistributors(config, gic);
	r = create_gic(machine, err);
	if (r == -ENODEV && config->irqchip == CONFIG_IRQCHIP_AUTO) {
		gic->version = HYP_GIC_V2;
		r = create_gic(machine, err);
		if (r == -ENODEV)
			error_set(err, ENODEV,
				  "this host's KVM has no interrupt controller for guests, "
				  "neither GICv3 nor GICv2; `armlet doctor` tells more");
	}
	board->gic = gic->version;
	for (uint32_t i = 0; i < board->vcpu_count && r == 0; i++)
		r = hyp_vcpu_start(board->vcpus[i].hyp, err);
	return r;
}

/* Of all vCPUs; where the host does not count it, there is none. */
static int build_steal_time(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	struct board *board = &machine->board;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = align_up(config->cpus * STEAL_TIME_SIZE, page);
	int r;

	if (config->steal_time == CONFIG_OFF)
		return 0;
	board->steal_time = aligned_alloc(page, size);
	if (!board->steal_time)
		return error_set_errno(err, ENOMEM, "the vCPUs' stolen time");
	memset(board->steal_time, 0, size);
	r = hyp_map_memory(board->hyp, LAYOUT_STEAL_TIME, size, board->steal_time, 0);
	for (uint32_t i = 0; i < board->vcpu_count && r == 0; i++)
		r = hyp_vcpu_steal_time(board->vcpus[i].hyp,
					LAYOUT_STEAL_TIME + i * STEAL_TIME_SIZE);
	if (r == -ENXIO && config->steal_time == CONFIG_AUTO)
		r = hyp_unmap_memory(board->hyp, LAYOUT_STEAL_TIME);
	if (r == -ENXIO)
		return error_set(err, ENOTSUP,
				 "--steal-time=on: this host's kernel does not count what it "
				 "takes of a thread's time (it wants CONFIG_SCHED_INFO)");
	return r < 0 ? error_set_errno(err, -r, "KVM cannot tell the vCPUs' stolen time") : 0;
}

/* mmio_shadow_ops over the hypervisor. */

/* What is to trap is not mapped, posted, dropped or given an eventfd; nobody misses it. */
static bool is_to_trap(struct board *board, gpa_t base, uint64_t size)
{
	return fault_covers(&container_of(board, struct machine, board)->faults, base, size);
}

static int shadow_map(void *data, gpa_t base, void *page, size_t size)
{
	struct board *board = data;

	if (is_to_trap(board, base, size))
		return 0;
	return hyp_map_memory(board->hyp, base, size, page, HYP_MEMORY_READ_ONLY);
}

static int shadow_unmap(void *data, gpa_t base, size_t size)
{
	struct board *board = data;

	return board->finishing || is_to_trap(board, base, size)
		       ? 0
		       : hyp_unmap_memory(board->hyp, base);
}

static int shadow_post(void *data, gpa_t addr, uint32_t size, bool on)
{
	struct board *board = data;

	return board->finishing || is_to_trap(board, addr, size)
		       ? 0
		       : posted_permit(&board->posted, addr, size, on);
}

static int shadow_drop(void *data, gpa_t addr, uint32_t size, uint64_t value, bool on)
{
	struct board *board = data;

	return board->finishing || is_to_trap(board, addr, size)
		       ? 0
		       : hyp_drop_writes(board->hyp, addr, size, value, on);
}

const struct mmio_shadow_ops board_shadow_ops = {
	.map = shadow_map,
	.unmap = shadow_unmap,
	.post = shadow_post,
	.drop = shadow_drop,
};

/* eventfd_ops, likewise. */

static int notify_fd(void *data, gpa_t addr, uint32_t value, int fd, bool on)
{
	struct board *board = data;

	if (is_to_trap(board, addr, sizeof(value)))
		return on ? -EOPNOTSUPP : 0;
	return board->finishing ? 0 : hyp_notify_fd(board->hyp, addr, value, fd, on);
}

static int interrupt_fd(void *data, uint32_t intid, int fd, bool on)
{
	struct board *board = data;

	return board->finishing ? 0 : hyp_irq_fd(board->hyp, intid, fd, on);
}

const struct eventfd_ops board_eventfd_ops = {
	.notify = notify_fd,
	.interrupt = interrupt_fd,
};

/* Devices. */

static void set_irq(void *controller, uint32_t intid, bool level)
{
	struct board *board = controller;
	struct machine *machine = container_of(board, struct machine, board);

	PROBE(irq, intid, level);
	if (machine->attention & ATTEND_TRACE)
		trace_irq(machine, intid, level);
	hyp_set_irq(board->hyp, intid, level);
}

struct irq_line board_wire(struct board *board, uint32_t intid)
{
	return (struct irq_line){.set = set_irq, .controller = board, .intid = intid};
}

int board_plug(struct board *board, struct device *device, const struct mmio_ops *ops,
	       const struct device_slot *slot)
{
	const struct mmio_region region = {
		.base = slot->base, .size = slot->size, .ops = ops, .device = device};

	board->devices[board->device_count++] =
		(struct board_device){.device = device, .slot = *slot};
	if (fault_place(&container_of(board, struct machine, board)->faults, device->name, slot))
		return mmio_bus_add(board->covered, &region);
	return mmio_bus_add(board->bus, &region);
}

static int plug_pl011(struct machine *machine)
{
	struct board *board = &machine->board;
	const struct device_slot slot = {
		.base = LAYOUT_PL011, .size = PL011_SIZE, .intid = LAYOUT_SPI_PL011};
	struct pl011_options options = {
		.name = "serial0",
		.port = machine_uart_port(machine),
		.irq = board_wire(board, slot.intid),
		.clock = &machine->clock,
	};
	int r = mmio_shadow_create(slot.base, &board_shadow_ops, board, &board->uart_shadow);

	if (r < 0)
		return r;
	options.shadow = board->uart_shadow;
	r = pl011_create(&options, &board->uart);
	if (r < 0)
		return r;
	r = board_plug(board, board->uart, &pl011_mmio_ops, &slot);
	/* As boot firmware leaves the console: kernels' early consoles rely on it. */
	pl011_hand_over(board->uart);
	return r;
}

static int plug_pl031(struct machine *machine)
{
	struct board *board = &machine->board;
	const struct device_slot slot = {
		.base = LAYOUT_PL031, .size = PL031_SIZE, .intid = LAYOUT_SPI_PL031};
	const struct pl031_options options = {
		.name = "rtc0",
		.irq = board_wire(board, slot.intid),
		.clock = &machine->clock,
		.time_offset = machine->rtc_offset,
	};
	int r = pl031_create(&options, &board->rtc);

	return r < 0 ? r : board_plug(board, board->rtc, &pl031_mmio_ops, &slot);
}

static int plug_pl061(struct machine *machine)
{
	struct board *board = &machine->board;
	const struct device_slot slot = {
		.base = LAYOUT_PL061, .size = PL061_SIZE, .intid = LAYOUT_SPI_PL061};
	struct pl061_options options = {.name = "gpio0", .irq = board_wire(board, slot.intid)};
	int r = mmio_shadow_create(slot.base, &board_shadow_ops, board, &board->gpio_shadow);

	if (r < 0)
		return r;
	options.shadow = board->gpio_shadow;
	r = pl061_create(&options, &board->gpio);
	return r < 0 ? r : board_plug(board, board->gpio, &pl061_mmio_ops, &slot);
}

static int plug_pvpanic(struct machine *machine)
{
	const struct device_slot slot = {.base = LAYOUT_PVPANIC, .size = PVPANIC_SIZE};
	const struct pvpanic_options options = {
		.name = "pvpanic0", .tell = distress_tell, .data = machine};
	struct device *pvpanic;
	int r = pvpanic_create(&options, &pvpanic);

	return r < 0 ? r : board_plug(&machine->board, pvpanic, &pvpanic_mmio_ops, &slot);
}

static int plug_scratch(struct board *board)
{
	const struct device_slot slot = {.base = LAYOUT_SCRATCH, .size = SCRATCH_SIZE};
	struct device *scratch;
	int r = scratch_create("scratch0", &scratch);

	return r < 0 ? r : board_plug(board, scratch, &scratch_mmio_ops, &slot);
}

static int build_devices(struct machine *machine, struct error *err)
{
	struct board *board = &machine->board;
	int r = mmio_bus_create(&board->bus);

	if (r == 0 && machine->faults.count)
		r = mmio_bus_create(&board->covered);
	if (r == 0)
		r = posted_init(&board->posted, board->hyp, board->bus, machine->loop,
				&machine->port);
	board->posted.traced = machine;
	if (r == 0)
		r = plug_pl011(machine);
	if (r == 0 && !machine->config->nodefaults)
		r = plug_pl031(machine);
	if (r == 0 && !machine->config->nodefaults)
		r = plug_pl061(machine);
	if (r == 0 && !machine->config->nodefaults)
		r = plug_pvpanic(machine);
	if (r == 0)
		r = board_plug_watchdog(machine);
	if (r == 0 && machine->config->scratch)
		r = plug_scratch(board);
	if (r < 0)
		return error_set_errno(err, -r, "the devices cannot be made");
	r = board_build_virtio(machine, err);
	if (r == 0)
		r = faults_check(machine, err);
	if (r < 0)
		return r;
	mmio_bus_seal(board->bus);
	if (board->covered)
		mmio_bus_seal(board->covered);
	return 0;
}

int board_build(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	struct board *board = &machine->board;
	const struct hyp_caps *caps;
	int r;

	*board = (struct board){0};
	machine->exclusives.watching = 0; /* those that watched are gone */
	r = hyp_open(config->kvm_device, &board->hyp, err);
	if (r < 0)
		return r;
	caps = hyp_caps(board->hyp);
	r = check_host(machine, caps, err);
	if (r == 0)
		r = decide_features(machine, caps, err);
	if (r == 0)
		r = hyp_create_vm(board->hyp, board_ipa_bits(config), err);
	if (r == 0 && config->halt_poll != MACHINE_HALT_POLL_HOST)
		r = hyp_set_halt_poll(board->hyp, config->halt_poll, err);
	if (r < 0)
		return r;
	r = hyp_map_memory(board->hyp, machine->mem->base, machine->mem->size, machine->mem->host,
			   0);
	if (r < 0)
		return error_set_errno(err, -r, "KVM cannot map the guest's memory");
	r = identity_prepare(config->cpu, board->hyp, err);
	if (r == 0)
		r = psci_prepare(machine, err);
	if (r == 0)
		r = build_vcpus(machine, err);
	if (r == 0)
		r = identity_apply(config->cpu, board->hyp, board->vcpus[0].hyp, err);
	if (r == 0)
		r = build_gic(machine, err);
	if (r == 0)
		r = build_steal_time(machine, err);
	if (r == 0)
		r = build_devices(machine, err);
	return r;
}

void board_finish(struct machine *machine)
{
	struct board *board = &machine->board;

	/* The VM takes its slots and ranges with it, without a wait for each. */
	board->finishing = true;
	if (board->rtc)
		machine->rtc_offset = pl031_time_offset(board->rtc);
	while (board->device_count)
		device_destroy(board->devices[--board->device_count].device);
	machine_stop_volumes(machine);
	mmio_shadow_destroy(board->uart_shadow);
	mmio_shadow_destroy(board->gpio_shadow);
	posted_finish(&board->posted);
	mmio_bus_destroy(board->bus);
	mmio_bus_destroy(board->covered);
	free(board->vcpus);
	hyp_close(board->hyp);
	free(board->registers);
	free(board->steal_time);
	*board = (struct board){0};
}
