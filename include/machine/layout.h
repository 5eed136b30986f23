/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board's memory map and interrupts. They are those of QEMU's "virt"
 * machine, so that firmware and kernels built for it run unchanged, but each
 * device has 64 KiB to itself: a register shadow needs a page of its own, and
 * pages are up to 64 KiB large.
 */
#ifndef ARMLET_MACHINE_LAYOUT_H
#define ARMLET_MACHINE_LAYOUT_H

#include "base/util.h"

#define LAYOUT_SLOT_SIZE (64 * KIB)

#define LAYOUT_GIC_DISTRIBUTOR        UINT64_C(0x08000000)
#define LAYOUT_GIC_DISTRIBUTOR_SIZE   UINT64_C(0x00010000)
#define LAYOUT_GIC_CPU_INTERFACE      UINT64_C(0x08010000) /* GICv2 */
#define LAYOUT_GIC_CPU_INTERFACE_SIZE UINT64_C(0x00002000)
#define LAYOUT_GIC_REDISTRIBUTORS     UINT64_C(0x080a0000)
#define LAYOUT_GIC_REDISTRIBUTOR_SIZE UINT64_C(0x00020000) /* each */
#define LAYOUT_GIC_REDISTRIBUTORS_MAX 123                  /* up to the PL011 */

#define LAYOUT_PL011 UINT64_C(0x09000000)
#define LAYOUT_PL031 UINT64_C(0x09010000)
#define LAYOUT_PL061 UINT64_C(0x09030000)

/* What QEMU has elsewhere, or not at all. */
#define LAYOUT_PVPANIC        UINT64_C(0x09050000)
#define LAYOUT_SBSA_GWDT      UINT64_C(0x09060000) /* and the next */
#define LAYOUT_STALL_DETECTOR UINT64_C(0x09080000)

/* Stolen time of the vCPUs, 64 bytes each (DEN0057). */
#define LAYOUT_STEAL_TIME UINT64_C(0x090a0000)

/* QEMU's bus for devices of the host, which nobody builds into firmware. */
#define LAYOUT_SCRATCH UINT64_C(0x0c000000)

/* virtio-mmio transports, LAYOUT_SLOT_SIZE apart; slot n interrupts on SPI 48 + n. */
#define LAYOUT_VIRTIO       UINT64_C(0x0a000000)
#define LAYOUT_VIRTIO_SLOTS 32

#define LAYOUT_RAM UINT64_C(0x40000000)

/* The node that the console's UART describes itself in. */
#define LAYOUT_PL011_NODE "/serial@9000000"

/* INTIDs: PPIs are 16 to 31, SPIs 32 and up. */
enum {
	LAYOUT_PPI_PMU = 23,
	LAYOUT_PPI_HYP_VIRTUAL_TIMER = 28,
	LAYOUT_PPI_HYP_TIMER = 26,
	LAYOUT_PPI_VIRTUAL_TIMER = 27,
	LAYOUT_PPI_SECURE_TIMER = 29,
	LAYOUT_PPI_TIMER = 30,
	LAYOUT_SPI_PL011 = 33,
	LAYOUT_SPI_PL031 = 34,
	LAYOUT_SPI_PL061 = 39,
	LAYOUT_SPI_SBSA_GWDT = 42,
	LAYOUT_SPI_VIRTIO = 48, /* and LAYOUT_VIRTIO_SLOTS - 1 more */
	LAYOUT_INTERRUPTS = 96, /* INTIDs that the GIC has in all */
};

/* Clock of the UART and of the APB: any will do that divides into baud rates. */
#define LAYOUT_APB_PCLK_HZ 24000000

#endif
