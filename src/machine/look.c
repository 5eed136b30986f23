/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/look.h"

#include <fcntl.h>
#include <string.h>

#include "arm64/sysreg.h"
#include "cpu_state.h"
#include "machine_private.h"

bool machine_hold(struct machine *machine)
{
	return pause_hold(machine);
}

void machine_release(struct machine *machine, bool held)
{
	if (held)
		pause_release(machine);
}

/* ---- The host's side of a page (Documentation/admin-guide/mm/pagemap.rst) ----- */

#define PAGEMAP_PFN     (BIT(55) - 1)
#define PAGEMAP_PRESENT BIT(63)
#define KPF_HUGE        17
#define KPF_THP         22

/* The @index-th number of a file of them; 0 if it is not for us to read. */
static uint64_t read_number(const char *path, uint64_t index)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	if (fd < 0 ||
	    pread(fd, &value, sizeof(value), (off_t)(index * sizeof(value))) != sizeof(value))
		return 0;
	return value;
}

/* Only root is told frames; a page that was never touched has none. */
void machine_find_host_page(const struct machine *machine, struct machine_translation *ret)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t addr = (uint64_t)(uintptr_t)ret->host;
	uint64_t entry, frame;

	if (!ret->host)
		return;
	entry = read_number("/proc/self/pagemap", addr / page);
	frame = entry & PAGEMAP_PFN;
	ret->page = machine->config->hugepages ? 2 * MIB : 0;
	if (!(entry & PAGEMAP_PRESENT) || !frame)
		return;
	ret->physical = frame * page + addr % page;
	if (!ret->page) {
		uint64_t flags = read_number("/proc/kpageflags", frame);

		if (flags)
			ret->page = flags & (BIT(KPF_HUGE) | BIT(KPF_THP)) ? 2 * MIB : page;
	}
}

/* ---- Addresses ---------------------------------------------------------------- */

static bool take_place(struct machine_translation *ret, const char *name, gpa_t base, uint64_t size)
{
	if (ret->path.addr - base >= size)
		return false;
	ret->device = name;
	ret->offset = ret->path.addr - base;
	return true;
}

/* What is no RAM: a device's registers, the interrupt controller's, or KVM's page for us. */
static void find_device(const struct machine *machine, struct machine_translation *ret)
{
	const struct device *device;
	struct machine_gic_place gic;
	struct machine_area area;
	struct device_slot slot;

	for (size_t i = 0; (device = machine_device(machine, i, &slot)); i++) {
		if (take_place(ret, device->name, slot.base, slot.size))
			return;
	}
	for (size_t i = 0; machine_gic_place(machine, i, &gic); i++) {
		if (take_place(ret, gic.name, gic.base, gic.size))
			return;
	}
	for (size_t i = 0; machine_area(machine, i, &area); i++) {
		if (take_place(ret, area.name, area.base, area.size))
			return;
	}
}

int machine_translate(struct machine *machine, uint32_t cpu, gva_t addr,
		      struct machine_translation *ret)
{
	const struct vcpu *vcpu = &machine->board.vcpus[cpu];
	bool held;

	if (machine->outcome != MACHINE_RUNNING || cpu >= machine->board.vcpu_count)
		return -ESRCH;
	*ret = (struct machine_translation){0};
	/* The registers are of one moment; the tables are read while the guest goes on. */
	held = machine_hold(machine);
	cpu_stage1(vcpu, &ret->stage1);
	ret->mair = cpu_sysreg(vcpu, SYSREG_MAIR_EL1);
	machine_release(machine, held);
	ret->faults = stage1_look(&ret->stage1, machine->mem, addr, &ret->path) < 0;
	if (ret->faults)
		return 0;
	ret->host = guest_mem_at(machine->mem, ret->path.addr, 1);
	if (!ret->host)
		find_device(machine, ret);
	return 0;
}

/* ---- Timers ------------------------------------------------------------------- */

int machine_timers(struct machine *machine, uint32_t cpu, struct machine_timers *ret)
{
	/* KVM has the two of the virtual timer swapped (hyp_vcpu_list_sysregs()). */
	const uint16_t cntv_ctl = SYSREG(3, 3, 14, 3, 1), cntvct = SYSREG(3, 3, 14, 3, 2),
		       cntv_cval = SYSREG(3, 3, 14, 0, 2), cntp_ctl = SYSREG(3, 3, 14, 2, 1),
		       cntp_cval = SYSREG(3, 3, 14, 2, 2);
	struct hyp_vcpu *vcpu;

	if (machine->outcome != MACHINE_RUNNING || cpu >= machine->board.vcpu_count)
		return -ESRCH;
	vcpu = machine->board.vcpus[cpu].hyp;
	*ret = (struct machine_timers){
		.frequency = hyp_timer_frequency(),
		.timers = {{.name = "virtual", .intid = LAYOUT_PPI_VIRTUAL_TIMER},
			   {.name = "physical", .intid = LAYOUT_PPI_TIMER}},
	};
	ret->timers[0].known = hyp_vcpu_get_sysreg(vcpu, cntv_ctl, &ret->timers[0].control) >= 0 &&
			       hyp_vcpu_get_sysreg(vcpu, cntv_cval, &ret->timers[0].compare) >= 0 &&
			       hyp_vcpu_get_sysreg(vcpu, cntvct, &ret->counter) >= 0;
	ret->timers[1].known = hyp_vcpu_get_sysreg(vcpu, cntp_ctl, &ret->timers[1].control) >= 0 &&
			       hyp_vcpu_get_sysreg(vcpu, cntp_cval, &ret->timers[1].compare) >= 0;
	return 0;
}

/* ---- Interrupts (IHI 0069, 12.9 and 12.11; IHI 0048, 4.3) ----------------------- */

#define GICD_ISENABLER  0x100 /* a bit an interrupt */
#define GICD_ISPENDR    0x200
#define GICD_ISACTIVER  0x300
#define GICD_IPRIORITYR 0x400 /* a byte */
#define GICD_ITARGETSR  0x800
#define GICD_ICFGR      0xc00  /* two bits */
#define GICD_IROUTER    0x6000 /* 64 bits */
#define GICR_SGI_BASE   0x10000

const char *machine_irq_owner(const struct machine *machine, uint32_t intid)
{
	const struct device *device;
	struct device_slot slot;

	switch (intid) {
	case LAYOUT_PPI_PMU:
		return "pmu";
	case LAYOUT_PPI_VIRTUAL_TIMER:
		return "virtual timer";
	case LAYOUT_PPI_TIMER:
		return "physical timer";
	default:
		break;
	}
	for (size_t i = 0; (device = machine_device(machine, i, &slot)); i++) {
		if (slot.intid == intid && intid >= 32)
			return device->name;
	}
	return NULL;
}

struct irq_reader {
	struct machine *machine;
	enum hyp_gic_part part;
	uint64_t cpu;
	uint32_t base;
	uint32_t intid;
	int r; /* of the first that failed */
};

/* The interrupt's @bits, a power of two of them, in registers that begin at @offset. */
static uint32_t read_bits(struct irq_reader *reader, uint32_t offset, uint32_t bits)
{
	uint32_t at = reader->intid * bits;
	uint32_t value = 0;
	int r = hyp_gic_read(reader->machine->board.hyp, reader->part, reader->cpu,
			     reader->base + offset + at / 32 * 4, &value);

	if (r < 0 && reader->r == 0)
		reader->r = r;
	return value >> at % 32 & (uint32_t)(BIT(bits) - 1);
}

static uint64_t read_target(struct irq_reader *reader)
{
	struct hyp *hyp = reader->machine->board.hyp;
	uint32_t low = 0, high = 0;

	if (reader->machine->board.gic == HYP_GIC_V2)
		return read_bits(reader, GICD_ITARGETSR, 8);
	hyp_gic_read(hyp, HYP_GIC_DISTRIBUTOR, 0, GICD_IROUTER + 8 * reader->intid, &low);
	hyp_gic_read(hyp, HYP_GIC_DISTRIBUTOR, 0, GICD_IROUTER + 8 * reader->intid + 4, &high);
	return (uint64_t)high << 32 | low;
}

int machine_irq(struct machine *machine, uint32_t cpu, uint32_t intid, struct machine_irq *ret)
{
	struct irq_reader reader = {.machine = machine, .intid = intid};
	bool v3 = machine->board.gic == HYP_GIC_V3;

	if (machine->outcome != MACHINE_RUNNING || cpu >= machine->board.vcpu_count)
		return -ESRCH;
	reader.cpu = v3 ? machine->board.vcpus[cpu].mpidr : cpu;
	if (v3 && intid < 32) {
		reader.part = HYP_GIC_REDISTRIBUTOR;
		reader.base = GICR_SGI_BASE;
	}
	*ret = (struct machine_irq){
		.intid = intid,
		.enabled = read_bits(&reader, GICD_ISENABLER, 1),
		.pending = read_bits(&reader, GICD_ISPENDR, 1),
		.active = read_bits(&reader, GICD_ISACTIVER, 1),
		.edge = read_bits(&reader, GICD_ICFGR, 2) & 2,
		.priority = (uint8_t)read_bits(&reader, GICD_IPRIORITYR, 8),
		.target = intid < 32 ? 0 : read_target(&reader),
		.name = machine_irq_owner(machine, intid),
	};
	return reader.r;
}

char *machine_gic_text(struct machine *machine)
{
	return machine->board.hyp ? hyp_gic_text(machine->board.hyp) : NULL;
}

uint32_t machine_irq_count(const struct machine *machine)
{
	return machine->board.gic_config.interrupts;
}

unsigned machine_gic_version(const struct machine *machine)
{
	return machine->board.gic;
}

/* ---- What is where ------------------------------------------------------------ */

static const char *area_name(const struct machine *machine, gpa_t base)
{
	const struct device *device;
	struct device_slot slot;

	if (base == machine->mem->base)
		return "ram";
	if (base == LAYOUT_STEAL_TIME)
		return "stolen time";
	for (size_t i = 0; (device = machine_device(machine, i, &slot)); i++) {
		if (base - slot.base < slot.size)
			return device->name;
	}
	return "";
}

bool machine_area(const struct machine *machine, size_t index, struct machine_area *ret)
{
	struct hyp_memory memory;

	if (!machine->board.hyp || !hyp_memory(machine->board.hyp, index, &memory))
		return false;
	*ret = (struct machine_area){.name = area_name(machine, memory.gpa),
				     .base = memory.gpa,
				     .size = memory.size,
				     .host = memory.host,
				     .read_only = memory.read_only};
	return true;
}

const struct device *machine_device(const struct machine *machine, size_t index,
				    struct device_slot *ret)
{
	const struct board *board = &machine->board;

	if (index >= board->device_count)
		return NULL;
	*ret = board->devices[index].slot;
	return board->devices[index].device;
}

bool machine_gic_place(const struct machine *machine, size_t index, struct machine_gic_place *ret)
{
	const struct hyp_gic_config *gic = &machine->board.gic_config;
	const struct machine_gic_place places[] = {
		{"gic distributor", gic->distributor, LAYOUT_GIC_DISTRIBUTOR_SIZE},
		{"gic cpu interface", gic->cpu_interface,
		 gic->version == HYP_GIC_V2 ? LAYOUT_GIC_CPU_INTERFACE_SIZE : 0},
		{"gic redistributors", gic->redistributors[0].base,
		 gic->redistributors[0].count * LAYOUT_GIC_REDISTRIBUTOR_SIZE},
		{"gic redistributors", gic->redistributors[1].base,
		 gic->redistributors[1].count * LAYOUT_GIC_REDISTRIBUTOR_SIZE},
	};

	if (!machine->board.hyp || index >= ARRAY_SIZE(places))
		return false;
	*ret = places[index];
	return true;
}

const char *machine_register(const struct machine *machine, gpa_t addr,
			     char ret[MMIO_REGISTER_NAME_MAX])
{
	const struct board *board = &machine->board;
	const struct mmio_region *region = board->bus ? mmio_bus_find(board->bus, addr, 1) : NULL;

	if (!region && board->covered)
		region = mmio_bus_find(board->covered, addr, 1);
	if (!region)
		return NULL;
	mmio_register_name(region->ops, addr - region->base, ret);
	return region->device->name;
}
