/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_slot(const struct cpu_image *in, struct cpu_image *out): every register as it is in
 * @in, one instruction, and every register into @out. The instruction is written into
 * run_slot_word before. No register is kept for our own use: TPIDR_EL0 and TPIDRRO_EL0 have
 * what is needed on the way.
 */
#define SP_AT   248
#define NZCV_AT 256
#define V_AT    272

	.arch	armv8-a

	.text
	.global run_slot
	.global run_slot_word
run_slot:
	adrp	x2, saved
	add	x2, x2, :lo12:saved
	stp	x19, x20, [x2]
	stp	x21, x22, [x2, #16]
	stp	x23, x24, [x2, #32]
	stp	x25, x26, [x2, #48]
	stp	x27, x28, [x2, #64]
	stp	x29, x30, [x2, #80]
	mov	x3, sp
	str	x3, [x2, #96]
	msr	tpidrro_el0, x1

	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	q\n, [x0, #(V_AT + 16 * \n)]
	.endr
	ldr	x2, [x0, #NZCV_AT]
	msr	nzcv, x2
	ldr	x2, [x0, #SP_AT]
	mov	sp, x2
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 0
	ldr	x\n, [x0, #(8 * \n)]
	.endr
run_slot_word:
	nop
run_slot_back:
	msr	tpidr_el0, x0
	mrs	x0, tpidrro_el0
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	str	x\n, [x0, #(8 * \n)]
	.endr
	mrs	x1, tpidr_el0
	str	x1, [x0]
	mov	x1, sp
	str	x1, [x0, #SP_AT]
	mrs	x1, nzcv
	str	x1, [x0, #NZCV_AT]
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x0, #(V_AT + 16 * \n)]
	.endr

	adrp	x2, saved
	add	x2, x2, :lo12:saved
	ldr	x3, [x2, #96]
	mov	sp, x3
	ldp	x19, x20, [x2]
	ldp	x21, x22, [x2, #16]
	ldp	x23, x24, [x2, #32]
	ldp	x25, x26, [x2, #48]
	ldp	x27, x28, [x2, #64]
	ldp	x29, x30, [x2, #80]
	ret

	/* What EL0 comes back to, by any exception: as if the word had been executed here. */
	.global el0_vectors
	.balign	0x800
el0_vectors:
	.skip	0x400
	b	run_slot_back

	.bss
	.balign	16
saved:
	.skip	112
