/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt controller, GICv3 (IHI 0069) or GICv2 (IHI 0048), whichever
 * the device tree names. All interrupts are of group 1 (v3) or the only group
 * that a non-secure guest sees (v2), with the same priority.
 */
#ifndef ARMLET_GUEST_GIC_H
#define ARMLET_GUEST_GIC_H

#include <stdbool.h>
#include <stdint.h>

#define GIC_SPURIOUS 1020 /* and up */

/* The distributor's registers that both versions have. */
enum {
	GICD_CTLR = 0x000,
	GICD_TYPER = 0x004,
	GICD_ISENABLER = 0x100,
	GICD_ICENABLER = 0x180,
	GICD_ISPENDR = 0x200,
	GICD_ICPENDR = 0x280,
	GICD_ISACTIVER = 0x300,
	GICD_IPRIORITYR = 0x400,
	GICD_ICFGR = 0xc00,
};

void gic_init(void);     /* the distributor; CPU 0, before any gic_init_cpu() */
void gic_init_cpu(void); /* each CPU for itself */
bool gic_is_v3(void);
uint64_t gic_distributor(void);

/* PPIs and SGIs: this CPU's. SPIs go to CPU 0. */
void gic_enable(unsigned intid);
void gic_disable(unsigned intid);
bool gic_is_enabled(unsigned intid);
bool gic_is_pending(unsigned intid);
bool gic_is_active(unsigned intid);
void gic_set_pending(unsigned intid, bool pending);
void gic_set_edge(unsigned intid, bool edge);
bool gic_is_edge(unsigned intid);

unsigned gic_acknowledge(void);
void gic_end(unsigned intid);
void gic_send_sgi(unsigned sgi, unsigned cpu);

#endif
