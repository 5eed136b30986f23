/* SPDX-License-Identifier: Apache-2.0 */
/* PL061, from its Technical Reference Manual (DDI 0190B), chapter 3. */
#ifndef ARMLET_GUEST_PL061_H
#define ARMLET_GUEST_PL061_H

#define GPIO(reg)         (PL061_BASE + (reg))
#define GPIODATA_OF(mask) ((mask) << 2) /* bits 9 to 2 of the address choose lines */
#define POWER_KEY         0x08          /* line 3 */

enum {
	GPIODATA_ALL = 0x3fc,
	GPIODIR = 0x400,
	GPIOIS = 0x404,
	GPIOIBE = 0x408,
	GPIOIEV = 0x40c,
	GPIOIE = 0x410,
	GPIORIS = 0x414,
	GPIOMIS = 0x418,
	GPIOIC = 0x41c,
	GPIOAFSEL = 0x420,
	GPIOPeriphID0 = 0xfe0,
};

#endif
