/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entry of a payload: notes what the machine gave it (struct boot_state),
 * makes itself at home on CPU 0 and calls payload_main(); when that returns
 * the machine is switched off. Further CPUs come in at secondary_entry.
 *
 * The MMU stays off: memory is Device-nGnRnE to the guest, so nothing here may
 * be unaligned, and there are no caches to think of.
 */
#include "cpus.h"

	.section .text.start, "ax"
	.global _start
_start:
	adr	x9, boot_state
	stp	x0, x1, [x9]
	stp	x2, x3, [x9, #16]
	adr	x10, _start
	mrs	x11, CurrentEL
	stp	x10, x11, [x9, #32]
	mrs	x10, daif
	mrs	x11, sctlr_el1
	stp	x10, x11, [x9, #48]
	mrs	x10, SPSel
	mov	x11, sp
	stp	x10, x11, [x9, #64]

	adr	x10, bss_start
	adrp	x11, bss_end
	add	x11, x11, :lo12:bss_end
1:	cmp	x10, x11
	b.hs	2f
	stp	xzr, xzr, [x10], #16
	b	1b
2:	mov	x0, #0
	bl	enter_c
	bl	payload_main
	bl	report_end
	b	.

	/* PSCI CPU_ON comes here with the CPU's number as context in x0. */
	.global secondary_entry
secondary_entry:
	bl	enter_c
	bl	secondary_main
	b	.

	/* x0: this CPU's number, kept in TPIDR_EL1. */
enter_c:
	msr	SPSel, #1
	msr	tpidr_el1, x0
	adrp	x1, stacks
	add	x1, x1, :lo12:stacks
	mov	x2, #STACK_SIZE
	madd	x1, x0, x2, x1
	add	sp, x1, #STACK_SIZE
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	isb
	ret

	/* Each vector saves the general registers and calls handle_exception(kind, frame). */
	.macro	vector kind
	.balign	0x80
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x0, #\kind
	b	exception_common
	.endm

	.text
	.balign	0x800
vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\kind
	.endr

exception_common:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x1, elr_el1
	stp	x30, x1, [sp, #240]
	mrs	x1, spsr_el1
	str	x1, [sp, #256]
	mov	x1, sp
	bl	handle_exception
	ldr	x1, [sp, #256]
	msr	spsr_el1, x1
	ldp	x30, x1, [sp, #240]
	msr	elr_el1, x1
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

	.section .noinit, "aw", %nobits
	.balign	16
	.global	boot_state
boot_state:
	.space	80
	.balign	16
stacks:
	.space	STACK_SIZE * MAX_CPUS
