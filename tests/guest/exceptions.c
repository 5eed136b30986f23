/* SPDX-License-Identifier: Apache-2.0 */
/* What the vectors call, and further CPUs. */
#include "gic.h"
#include "pl011.h"
#include "runtime.h"

/* Arm ARM (DDI 0487), D17.2.37 "ESR_EL1". */
#define ESR_EC_SHIFT 26

enum {
	EC_INSTRUCTION_ABORT = 0x21,
	EC_DATA_ABORT = 0x25,
	EC_WATCHPOINT = 0x35,
	EC_BRK = 0x3c,
};

/* The vectors: four from each of SP_EL0, SP_ELx, lower AArch64, lower AArch32. */
enum { VECTOR_SYNC = 0, VECTOR_IRQ = 1, VECTOR_FIQ = 2, VECTOR_SERROR = 3 };

struct aborts aborts[MAX_CPUS];
void (*irq_handler)(unsigned intid);

static volatile uint64_t call_return[MAX_CPUS];

static _Noreturn void die(uint64_t kind, const struct exception_frame *frame)
{
	static const char *const names[] = {"exception", "IRQ", "FIQ", "SError"};

	report_release();
	write32(PL011_BASE + UARTCR, UARTCR_UARTEN | UARTCR_TXE);
	print("\nnot ok unexpected ");
	print(names[kind & 3]);
	print(": CPU ");
	print_number(this_cpu());
	print(" ESR ");
	print_hex(read_sysreg("esr_el1"));
	print(" FAR ");
	print_hex(read_sysreg("far_el1"));
	print(" ELR ");
	print_hex(frame->elr);
	print_char('\n');
	report_end();
}

static void take_irq(void)
{
	unsigned intid = gic_acknowledge();

	if (intid >= GIC_SPURIOUS)
		return;
	if (irq_handler)
		irq_handler(intid);
	gic_end(intid);
}

static bool take_abort(struct exception_frame *frame)
{
	struct aborts *mine = &aborts[this_cpu()];
	uint64_t ec = read_sysreg("esr_el1") >> ESR_EC_SHIFT & 0x3f;

	if (!mine->expected || (ec != EC_DATA_ABORT && ec != EC_INSTRUCTION_ABORT &&
				ec != EC_WATCHPOINT && ec != EC_BRK))
		return false;
	mine->count++;
	mine->esr = read_sysreg("esr_el1");
	mine->far = read_sysreg("far_el1");
	frame->elr = ec == EC_INSTRUCTION_ABORT ? call_return[this_cpu()] : frame->elr + 4;
	return true;
}

void handle_exception(uint64_t kind, struct exception_frame *frame);

void handle_exception(uint64_t kind, struct exception_frame *frame)
{
	switch (kind & 3) {
	case VECTOR_SYNC:
		if (take_abort(frame))
			return;
		break;
	case VECTOR_IRQ:
		take_irq();
		return;
	default:
		break;
	}
	die(kind, frame);
}

void expect_aborts(bool on)
{
	barrier();
	aborts[this_cpu()].expected = on;
}

uint64_t aborts_taken(void)
{
	uint64_t count;

	barrier();
	count = aborts[this_cpu()].count;
	aborts[this_cpu()].count = 0;
	return count;
}

bool try_call(uint64_t addr)
{
	uint64_t came_back = 0;

	__asm__ volatile("adr x9, 1f\n\t"
			 "str x9, [%2]\n\t"
			 "blr %1\n\t"
			 "mov %0, #1\n"
			 "1:"
			 : "+r"(came_back)
			 : "r"(addr), "r"(&call_return[this_cpu()])
			 : "x9", "x30", "memory");
	return came_back;
}

/* CPUs. */

static void (*volatile cpu_function[MAX_CPUS])(void);

unsigned this_cpu(void)
{
	return (unsigned)read_sysreg("tpidr_el1");
}

void secondary_entry(void);
void secondary_main(void);

int64_t cpu_on(unsigned index, void (*function)(void))
{
	cpu_function[index] = function;
	barrier();
	return psci(PSCI_CPU_ON, fdt_cpu_mpidr(index), (uint64_t)secondary_entry, index);
}

void secondary_main(void)
{
	cpu_function[this_cpu()]();
	psci(PSCI_CPU_OFF, 0, 0, 0);
	for (;;)
		wfi();
}
