/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tinyvm - a virtual machine monitor to read from top to bottom
 *
 *	tinyvm [PROGRAM]
 *
 * It makes a machine of one CPU, 64 MiB of memory, an interrupt controller and
 * a serial port, and lets PROGRAM run on it until the machine is switched off.
 * PROGRAM is a raw binary; without one, the guest in tinyvm-guest.S runs. There
 * is nothing of armlet in this file: all it needs is the C library and the
 * ioctls of /dev/kvm, and it uses them in the order in which one has to.
 *
 * What happens underneath
 *
 * An ARMv8 CPU has exception levels: programs run at EL0, their operating
 * system at EL1, and a hypervisor at EL2. With Linux as host, the hypervisor is
 * KVM, a part of the kernel. It enters a guest with ERET, as a kernel enters a
 * program, and from then on the CPU executes the guest's own instructions at
 * full speed. What EL2 keeps in its hands are three things:
 *
 * - the memory: what the guest takes for physical addresses are intermediate
 *   ones (IPA), and a second set of tables (VTTBR_EL2), the stage 2, translates
 *   them once more. Where it has no entry, the access traps;
 * - the interrupts: they are taken to EL2 (HCR_EL2.IMO), and the guest gets
 *   virtual ones, from list registers that KVM fills;
 * - a few instructions: HCR_EL2 has a bit for each kind that is to trap, such
 *   as WFI (TWI), by which an idle guest gives its CPU back.
 *
 * A trap is an exception to EL2. ESR_EL2 says what it was. KVM answers most by
 * itself; what only we can answer makes the ioctl KVM_RUN return to us. That is
 * an exit, and chapter 5 is about nothing else.
 *
 * The documents: "Arm Architecture Reference Manual" (DDI 0487), chapters D1
 * and D8; Linux, Documentation/virt/kvm/api.rst and devices/arm-vgic*.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * The map of the machine. Every board has one, and its device tree tells it to
 * the kernel; our guests just know it. These are addresses of the guest (IPAs).
 */
#define GIC_DISTRIBUTOR   UINT64_C(0x08000000)
#define GIC_CPU_INTERFACE UINT64_C(0x08010000) /* GICv2 */
#define GIC_REDISTRIBUTOR UINT64_C(0x080a0000) /* GICv3 */
#define UART              UINT64_C(0x09000000)
#define UART_SIZE         UINT64_C(0x1000)
#define RAM               UINT64_C(0x40000000)
#define RAM_SIZE          (UINT64_C(64) << 20)
#define PROGRAM           UINT64_C(0x80000) /* from the start of the RAM */

/* The guest of tinyvm-guest.S, assembled into our own read-only data. */
extern const char tinyvm_guest[];
extern const char tinyvm_guest_end[];

struct machine {
	int kvm;  /* /dev/kvm */
	int vm;   /* one machine: its stage 2 and its devices in the kernel */
	int vcpu; /* one CPU of it */
	struct kvm_run *run;
	char *ram;
	unsigned long exits, reads, writes;
};

/* An ioctl that has to succeed. They answer with a number, often a descriptor. */
#define KVM(fd, request, argument) kvm_ioctl(fd, request, (uintptr_t)(argument), #request)

static int kvm_ioctl(int fd, unsigned long request, uintptr_t argument, const char *name)
{
	int answer = ioctl(fd, request, argument);

	if (answer < 0) {
		fprintf(stderr, "tinyvm: %s: %s\n", name, strerror(errno));
		exit(1);
	}
	return answer;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "tinyvm: %s: %s\n", what, strerror(errno));
	exit(1);
}

/*
 * 1. The VM
 *
 * All begins with a descriptor of /dev/kvm, which stands for KVM as a whole. It
 * is asked for another one, which stands for a VM: an empty stage 2, with a
 * VMID of its own by which the TLB tells its entries from those of other VMs.
 * The VM lives as long as its descriptors, so if we die, it is gone too.
 *
 * The argument is the number of bits of an IPA, which becomes VTCR_EL2.T0SZ
 * (64 less this number). Fewer bits can mean fewer levels of tables to walk. 32
 * is the least that KVM takes, and our map ends below 4 GiB.
 */
static void create_vm(struct machine *m)
{
	m->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (m->kvm < 0)
		die("/dev/kvm");
	m->vm = KVM(m->kvm, KVM_CREATE_VM, 32);
}

/*
 * 2. The memory
 *
 * The guest's RAM is memory of this process, like any other. A slot tells KVM
 * which IPAs are backed by it. That fills no table yet: the first access of the
 * guest to each page traps as a stage-2 fault, KVM finds the slot, asks the
 * host's memory management for the page, and enters it. So a guest only costs
 * what it has touched. If both addresses are alike modulo 2 MiB, one entry can
 * map 2 MiB at once.
 *
 * The guest begins with its caches off, and what we write here may still be in
 * ours. KVM cleans each page to the point of coherency before it maps it for
 * the first time. A VMM must only mind while such a guest is running.
 */
static void create_memory(struct machine *m)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 0,
		.guest_phys_addr = RAM,
		.memory_size = RAM_SIZE,
	};

	m->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->ram == MAP_FAILED)
		die("memory");
	slot.userspace_addr = (uintptr_t)m->ram;
	KVM(m->vm, KVM_SET_USER_MEMORY_REGION, &slot);
}

/* The program goes where a kernel Image of old went, 512 KiB behind the start. */
static void load_program(struct machine *m, const char *path)
{
	ssize_t size;
	int fd;

	if (!path) {
		memcpy(m->ram + PROGRAM, tinyvm_guest, (size_t)(tinyvm_guest_end - tinyvm_guest));
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, m->ram + PROGRAM, RAM_SIZE - PROGRAM);
	if (size < 0)
		die(path);
	if (size == 0) {
		fprintf(stderr, "tinyvm: %s is empty\n", path);
		exit(1);
	}
	close(fd);
}

/*
 * 3. The CPU
 *
 * A vCPU is a set of registers, and the thread that calls KVM_RUN lends it a
 * real CPU. KVM_ARM_VCPU_INIT says what kind of CPU it is - the one that the
 * host has - and which features the guest may see; it is also its reset, after
 * which it is at EL1 with MMU, caches and interrupts off. PSCI, the interface
 * to switch CPUs and machine on and off, is always asked for: KVM then answers
 * the guest's HVC instructions for it, and tells us only of the last one.
 *
 * struct kvm_run is memory that we share with the kernel: there it leaves what
 * an exit was about, and we leave our answer.
 */
static void create_vcpu(struct machine *m)
{
	struct kvm_vcpu_init init = {0};
	int size = KVM(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	m->vcpu = KVM(m->vm, KVM_CREATE_VCPU, 0);
	m->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	if (m->run == MAP_FAILED)
		die("struct kvm_run");
	KVM(m->vm, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
	KVM(m->vcpu, KVM_ARM_VCPU_INIT, &init);
}

/* Registers are named by numbers: the general ones by their place in struct kvm_regs. */
static struct kvm_one_reg program_counter(uint64_t *value)
{
	return (struct kvm_one_reg){
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		      KVM_REG_ARM_CORE_REG(regs.pc),
		.addr = (uintptr_t)value,
	};
}

static void set_entry(struct machine *m)
{
	uint64_t entry = RAM + PROGRAM;
	struct kvm_one_reg pc = program_counter(&entry);

	KVM(m->vcpu, KVM_SET_ONE_REG, &pc);
}

/*
 * 4. The interrupt controller
 *
 * A GIC has two sides. One is in the CPU: the registers by which a kernel
 * acknowledges an interrupt and ends it. For a guest the hardware has these a
 * second time, as the virtual CPU interface, so the guest uses them with no
 * trap at all; what it finds there KVM has put into the list registers
 * (ICH_LR<n>_EL2). The other side is shared by the CPUs: the distributor, and in
 * GICv3 a redistributor for each CPU, which say what is enabled, of which
 * priority, for which CPU. Those are emulated, but in the kernel: an access to
 * them traps, and never comes to us.
 *
 * To KVM the GIC is a device: a descriptor with attributes, which are set once
 * the CPUs are there. We only say where in the map it is. The timer of each CPU
 * (PPI 27 is the virtual one) is KVM's, too, and wired to it.
 */
static void set_gic(int gic, uint32_t group, uint64_t attribute, const void *value)
{
	struct kvm_device_attr request = {
		.group = group, .attr = attribute, .addr = (uintptr_t)value};

	KVM(gic, KVM_SET_DEVICE_ATTR, &request);
}

static void create_gic(struct machine *m)
{
	static const uint64_t distributor = GIC_DISTRIBUTOR;
	static const uint64_t redistributor = GIC_REDISTRIBUTOR;
	static const uint64_t cpu_interface = GIC_CPU_INTERFACE;
	static const uint32_t interrupts = 64; /* 16 SGIs, 16 PPIs, 32 SPIs */
	const uint32_t place = KVM_DEV_ARM_VGIC_GRP_ADDR;
	struct kvm_create_device device = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
	int gic;

	if (ioctl(m->vm, KVM_CREATE_DEVICE, &device) == 0) {
		gic = (int)device.fd;
		set_gic(gic, place, KVM_VGIC_V3_ADDR_TYPE_DIST, &distributor);
		set_gic(gic, place, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redistributor);
	} else {
		/* The host's own GIC is a GICv2, whose CPU interface is memory-mapped. */
		device.type = KVM_DEV_TYPE_ARM_VGIC_V2;
		KVM(m->vm, KVM_CREATE_DEVICE, &device);
		gic = (int)device.fd;
		set_gic(gic, place, KVM_VGIC_V2_ADDR_TYPE_DIST, &distributor);
		set_gic(gic, place, KVM_VGIC_V2_ADDR_TYPE_CPU, &cpu_interface);
	}
	set_gic(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &interrupts);
	set_gic(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

/*
 * 5. Exits
 *
 * Say the guest executes "ldr w0, [x1]" to read a register of the UART. Stage 2
 * has no entry for that address, so the CPU takes a data abort to EL2:
 *
 *	HPFAR_EL2	the page of the IPA; FAR_EL2 has the low bits of the address
 *	ESR_EL2.EC	0x24: a data abort from a lower exception level
 *	ESR_EL2.ISS	what the instruction was about: SAS, its size (4 bytes); WnR,
 *			a read; SRT, the register (0); SF, whether that is Xn or Wn;
 *			SSE, whether the value is to be sign-extended
 *
 * KVM looks for a slot at the IPA, then for a device of its own (the GIC), finds
 * neither, and returns to us with KVM_EXIT_MMIO. It has read the syndrome: we
 * see an address, a length, a direction, and for a write the value. For a read
 * we put the value into the same place, and the next KVM_RUN writes it to W0 and
 * moves the PC past the instruction. This is "trap and emulate".
 *
 * Only loads and stores of one register are described so (ISS.ISV is 1 then).
 * At an LDP, say, KVM_RUN fails with ENOSYS, unless the VMM has asked to be told
 * of it (KVM_CAP_ARM_NISV_TO_USER) and decodes the instruction by itself.
 */

/*
 * The UART is a PL011 (Arm DDI 0183), of which two registers will do: what is
 * written to DR is sent, and FR says that everything has been sent and that
 * nothing was received. Reads of all others give zero.
 */
enum { UARTDR = 0x000, UARTFR = 0x018, UARTFR_RXFE = 1 << 4, UARTFR_TXFE = 1 << 7 };

static uint64_t uart_read(uint64_t offset)
{
	return offset == UARTFR ? UARTFR_RXFE | UARTFR_TXFE : 0;
}

static void uart_write(uint64_t offset, uint64_t value)
{
	char c = (char)value;

	if (offset == UARTDR && write(STDOUT_FILENO, &c, 1) != 1)
		die("standard output");
}

/*
 * A whole exit for each byte is what makes a simple UART slow. (armlet's causes
 * none: HACKING.md, "The way of one access".) Where no device is, reads give
 * zero and writes are lost, as on many a bus; a real one might answer with an
 * external abort.
 */
static void handle_mmio(struct machine *m)
{
	uint64_t address = m->run->mmio.phys_addr;
	bool is_uart = address >= UART && address < UART + UART_SIZE;
	uint64_t value = 0;

	if (!is_uart)
		fprintf(stderr, "tinyvm: nothing is at 0x%08" PRIx64 ", %s\n", address,
			m->run->mmio.is_write ? "the write is lost" : "it reads as zero");
	if (m->run->mmio.is_write) {
		m->writes++;
		memcpy(&value, m->run->mmio.data, sizeof(value));
		if (is_uart)
			uart_write(address - UART, value);
	} else {
		m->reads++;
		if (is_uart)
			value = uart_read(address - UART);
		memcpy(m->run->mmio.data, &value, sizeof(value));
	}
}

/* What the guest's last PSCI call asked for; all else of PSCI was KVM's matter. */
static void tell_system_event(const struct machine *m)
{
	uint32_t type = m->run->system_event.type;

	fprintf(stderr, "tinyvm: %s; exits: %lu, %lu of them reads and %lu writes of devices\n",
		type == KVM_SYSTEM_EVENT_SHUTDOWN ? "the guest powered off (PSCI SYSTEM_OFF)"
		: type == KVM_SYSTEM_EVENT_RESET ? "the guest asked for a reset (PSCI SYSTEM_RESET)"
						 : "KVM reported an event that is unknown here",
		m->exits, m->reads, m->writes);
}

static void tell_failure(const struct machine *m, const char *what, unsigned number)
{
	uint64_t pc = 0;
	struct kvm_one_reg reg = program_counter(&pc);

	ioctl(m->vcpu, KVM_GET_ONE_REG, &reg);
	fprintf(stderr, "tinyvm: %s %u, with the guest at 0x%" PRIx64 "\n", what, number, pc);
}

/*
 * The loop that every VMM has. Interrupts of the host, stage-2 faults in the
 * RAM, WFI, the timer, the GIC: KVM sees to them and goes on, and we wait in
 * KVM_RUN as in any system call. Ctrl-C ends it as it ends any process.
 */
static int run(struct machine *m)
{
	for (;;) {
		if (ioctl(m->vcpu, KVM_RUN, 0) < 0) {
			if (errno == EINTR)
				continue; /* stopped and continued, by Ctrl-Z and fg */
			tell_failure(m, "KVM_RUN failed with errno", (unsigned)errno);
			return 1;
		}
		m->exits++;
		switch (m->run->exit_reason) {
		case KVM_EXIT_MMIO:
			handle_mmio(m);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			tell_system_event(m);
			return 0;
		default:
			tell_failure(m, "an exit for a reason that is unknown here:",
				     m->run->exit_reason);
			return 1;
		}
	}
}

int main(int argc, char **argv)
{
	struct machine m = {0};

	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		fprintf(stderr, "Usage: tinyvm [PROGRAM]\n");
		return 1;
	}
	create_vm(&m);
	create_memory(&m);
	load_program(&m, argv[1]);
	create_vcpu(&m);
	set_entry(&m);
	create_gic(&m);
	return run(&m);
}
