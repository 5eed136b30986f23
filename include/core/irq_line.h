/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One interrupt output of a device, wired to an input of the interrupt
 * controller. The device says the level; the line tells the controller only
 * of changes. The caller holds its device's lock.
 */
#ifndef ARMLET_CORE_IRQ_LINE_H
#define ARMLET_CORE_IRQ_LINE_H

#include "base/util.h"

struct irq_line {
	void (*set)(void *controller, uint32_t intid, bool level);
	void *controller;
	uint32_t intid; /* GIC interrupt number: SPIs start at 32 */
	bool level;     /* as the controller was last told */
};

/* A line with no controller (zeroed) is open: the level is kept and goes nowhere. */
static inline void irq_line_set(struct irq_line *line, bool level)
{
	if (line->level == level)
		return;
	line->level = level;
	if (line->set)
		line->set(line->controller, line->intid, level);
}

#endif
