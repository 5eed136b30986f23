/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's registers by their names, for who looks at a paused machine.
 *
 * Threads: the main thread's.
 */
#ifndef ARMLET_MACHINE_REGISTERS_H
#define ARMLET_MACHINE_REGISTERS_H

#include "machine/machine.h"

enum machine_register_group {
	MACHINE_REGISTERS_CORE, /* X0 to X30, SP, PC, CPSR: SP is the one in use, CPSR is PSTATE */
	MACHINE_REGISTERS_VECTOR, /* V0 to V31, or with SVE Z0 to Z31, FPSR, FPCR */
	MACHINE_REGISTERS_SVE,    /* P0 to P15, FFR, VG: how many 64-bit pieces a Z register has */
	MACHINE_REGISTERS_SYSTEM,
};

struct machine_register {
	char name[24];
	enum machine_register_group group;
	uint16_t number; /* within the group; of a system register its encoding */
	uint16_t size;   /* bytes */
};

/*
 * The largest register. All vCPUs of a machine have the same registers, in the order of the
 * groups; they stay so for a boot.
 */
#define MACHINE_REGISTER_MAX 256
size_t machine_registers(struct machine *machine, const struct machine_register **ret);

/*
 * The value of register @index of vCPU @cpu, bits 7:0 first, as many bytes as it has. The
 * machine is paused. -EINVAL: there is no such register or vCPU; or as KVM says.
 */
int machine_get_register(struct machine *machine, uint32_t cpu, size_t index,
			 uint8_t value[static MACHINE_REGISTER_MAX]);
int machine_set_register(struct machine *machine, uint32_t cpu, size_t index,
			 const uint8_t value[static MACHINE_REGISTER_MAX]);

#endif
