/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_vector_slot(const struct vector_image *in, struct vector_image *out): all Z and P
 * registers as they are in @in, the FFR all ones, X1 and X2, one instruction, and all of it
 * into @out. The instruction is written into run_vector_word before.
 */
#define X2_AT 8
#define P_AT  16
#define Z_AT  (P_AT + 144)

	.arch	armv8.2-a+sve

	.text
	.global run_vector_slot
	.global run_vector_word
	.global vector_length
run_vector_slot:
	mov	x9, x1
	setffr
	add	x3, x0, #P_AT
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	ldr	p\n, [x3, #\n, mul vl]
	.endr
	add	x3, x0, #Z_AT
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	z\n, [x3, #\n, mul vl]
	.endr
	ldp	x1, x2, [x0]
run_vector_word:
	nop
	stp	x1, x2, [x9]
	add	x3, x9, #P_AT
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	p\n, [x3, #\n, mul vl]
	.endr
	rdffr	p0.b
	str	p0, [x3, #16, mul vl]
	add	x3, x9, #Z_AT
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	z\n, [x3, #\n, mul vl]
	.endr
	ret

vector_length:
	rdvl	x0, #1
	ret
