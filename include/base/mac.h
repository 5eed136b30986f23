/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet addresses as people write them, and stable ones for machines. */
#ifndef ARMLET_BASE_MAC_H
#define ARMLET_BASE_MAC_H

#include "base/util.h"

#define MAC_SIZE     6
#define MAC_TEXT_MAX 18 /* "52:54:00:12:34:56" and its end */

/*
 * Six pairs of hexadecimal digits, with colons between or hyphens. -EINVAL: it
 * is none. -EADDRNOTAVAIL: no machine can have it (mac_usable()).
 */
int mac_parse(const char *text, uint8_t ret[static MAC_SIZE]);

const char *mac_format(const uint8_t mac[static MAC_SIZE], char text[static MAC_TEXT_MAX]);

/* Whether it can be a machine's: neither of a group, nor all zeroes. */
bool mac_usable(const uint8_t mac[static MAC_SIZE]);

/*
 * The address of the machine @name's interface @index: always the same one,
 * locally administered (IEEE 802, 8.4), and of its own with high probability.
 */
void mac_derive(const char *name, unsigned index, uint8_t ret[static MAC_SIZE]);

#endif
