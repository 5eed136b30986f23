/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest of tinyvm: a program without an operating system, alone at EL1.
 *
 * It shows the four ways out of a guest, and what each costs:
 *   1. a register of the CPU that is the guest's own: nothing
 *   2. a device that the VMM emulates: an exit to it for each access
 *   3. the timer and the interrupt controller: KVM alone, no exit to the VMM
 *   4. a call of the hypervisor, HVC: here the last one, which ends the machine
 *
 * It is entered at its first instruction with MMU and caches off and interrupts
 * masked, so it needs neither tables nor vectors. It uses no stack. It lies in
 * tinyvm's read-only data and is copied from there, so every address is taken
 * relative to the PC.
 */
#define UART_DR		    0x000
#define UART_FR		    0x018
#define UART_FR_TXFF	    5 /* bit: the transmit FIFO is full */
#define GICD_CTLR	    0x0000
#define GICD_ISENABLER0	    0x0100
#define GICC_CTLR	    0x0000 /* GICv2 */
#define GICC_PMR	    0x0004
#define GICC_IAR	    0x000c
#define GICC_EOIR	    0x0010
#define GICR_IGROUPR0	    0x0080 /* GICv3, in the redistributor's second frame */
#define GICR_ISENABLER0	    0x0100
#define PPI_VIRTUAL_TIMER   27
#define ID_AA64PFR0_GIC	    24 /* the field's lowest bit: 0 without GICv3 registers */
#define PSCI_SYSTEM_OFF	    0x84000008

	.section .rodata.tinyvm_guest, "a"
	.balign	8
	.global	tinyvm_guest
tinyvm_guest:
	ldr	x20, =0x09000000	/* the UART, for all of the program */

	/*
	 * 1. CurrentEL is the guest's to read. So would MPIDR_EL1 be: there the
	 * CPU gives the value of VMPIDR_EL2, with no trap either.
	 */
	adr	x0, hello
	bl	print
	mrs	x0, CurrentEL
	lsr	x0, x0, #2		/* bits 3:2 */
	bl	print_number

	/* 2. Nothing is there: the VMM decides what this is. */
	adr	x0, nothing
	bl	print
	ldr	x1, =0x0a000000
	ldr	w0, [x1]
	bl	print_number

	/*
	 * 3. Let the virtual timer fire in a tenth of a second, and wait. WFI
	 * traps to KVM, which lends our CPU to others meanwhile. That interrupts
	 * are masked (PSTATE.I) keeps them from being taken, but not from ending
	 * the wait.
	 */
	mrs	x0, id_aa64pfr0_el1
	ubfx	x21, x0, #ID_AA64PFR0_GIC, #4
	cbz	x21, 1f
	bl	start_gicv3
	b	2f
1:	bl	start_gicv2
2:	mrs	x0, cntfrq_el0
	mov	x1, #10
	udiv	x0, x0, x1
	msr	cntv_tval_el0, x0
	mov	x0, #1			/* ENABLE, and IMASK is clear */
	msr	cntv_ctl_el0, x0
	isb
3:	wfi
	mrs	x0, cntv_ctl_el0
	tbz	x0, #2, 3b		/* ISTATUS: not yet; WFI may end early */
	cbz	x21, 4f
	mrs	x22, icc_iar1_el1		/* acknowledge it */
	msr	cntv_ctl_el0, xzr	/* the timer lets go of the line */
	isb
	msr	icc_eoir1_el1, x22	/* done with it */
	b	5f
4:	ldr	x1, =0x08010000
	ldr	w22, [x1, #GICC_IAR]
	msr	cntv_ctl_el0, xzr
	isb
	str	w22, [x1, #GICC_EOIR]
5:	adr	x0, timer
	bl	print
	mov	x0, x22
	bl	print_number

	/* 4. The SMC calling convention: the function in w0, its answer in x0. */
	adr	x0, bye
	bl	print
	ldr	w0, =PSCI_SYSTEM_OFF
	hvc	#0
	b	.			/* it does not come back */

	/* Enable the timer's interrupt, all along the way from it to the CPU. */
start_gicv3:
	ldr	x1, =0x08000000		/* the distributor passes group 1 on */
	mov	w0, #2			/* EnableGrp1 */
	str	w0, [x1, #GICD_CTLR]
	ldr	x1, =0x080b0000		/* the redistributor: SGIs and PPIs */
	mov	w0, #-1
	str	w0, [x1, #GICR_IGROUPR0]
	mov	w0, #1 << PPI_VIRTUAL_TIMER
	str	w0, [x1, #GICR_ISENABLER0]
	mov	x0, #0xf0		/* the CPU interface: any priority */
	msr	icc_pmr_el1, x0
	mov	x0, #1
	msr	icc_igrpen1_el1, x0
	isb
	ret

start_gicv2:
	ldr	x1, =0x08000000
	mov	w0, #1 << PPI_VIRTUAL_TIMER
	str	w0, [x1, #GICD_ISENABLER0]
	mov	w0, #1
	str	w0, [x1, #GICD_CTLR]
	ldr	x1, =0x08010000		/* the CPU interface, which is memory here */
	mov	w0, #0xf0
	str	w0, [x1, #GICC_PMR]
	mov	w0, #1
	str	w0, [x1, #GICC_CTLR]
	ret

	/* x0: a string. Each character costs two exits. */
print:
	ldrb	w1, [x0], #1		/* from the RAM: no trap */
	cbz	w1, 2f
1:	ldr	w2, [x20, #UART_FR]
	tbnz	w2, #UART_FR_TXFF, 1b
	str	w1, [x20, #UART_DR]
	b	print
2:	ret

	/* x0: a number of up to two digits; then the line ends. */
print_number:
	mov	x3, #10
	udiv	x1, x0, x3
	msub	x2, x1, x3, x0
	cbz	x1, 1f
	add	w1, w1, #'0'
	str	w1, [x20, #UART_DR]
1:	add	w2, w2, #'0'
	str	w2, [x20, #UART_DR]
	mov	w2, #'\n'
	str	w2, [x20, #UART_DR]
	ret

hello:	.asciz	"Hello from a guest. This is exception level "
nothing:
	.asciz	"Where there is no device, a word reads as "
timer:	.asciz	"The timer's interrupt came; the GIC gave it the number "
bye:	.asciz	"Bye.\n"
	.balign	8
	.ltorg				/* the constants of "ldr x, =" */
	.global	tinyvm_guest_end
tinyvm_guest_end:

	.section .note.GNU-stack, "", %progbits
