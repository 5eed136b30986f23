/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest guest: PSCI SYSTEM_OFF, and nothing else. */
	.section .text.start, "ax"
	.global _start
_start:
	mov	w0, #0x0008
	movk	w0, #0x8400, lsl #16
	hvc	#0
	b	.
