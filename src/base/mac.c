/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mac.h"

#include <stdio.h>
#include <string.h>

#define GROUP_BIT 0x01 /* of the first octet: not one station's */
#define LOCAL     0x02 /* the first octet of those that we make: locally administered */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int mac_parse(const char *text, uint8_t ret[static MAC_SIZE])
{
	uint8_t mac[MAC_SIZE];

	if (strlen(text) != MAC_TEXT_MAX - 1)
		return -EINVAL;
	for (unsigned i = 0; i < MAC_SIZE; i++) {
		const char *at = text + 3 * (size_t)i;
		int high = hex_digit(at[0]);
		int low = hex_digit(at[1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
		if (i == MAC_SIZE - 1)
			break;
		if ((at[2] != ':' && at[2] != '-') || at[2] != text[2])
			return -EINVAL;
	}
	if (!mac_usable(mac))
		return -EADDRNOTAVAIL;
	memcpy(ret, mac, MAC_SIZE);
	return 0;
}

const char *mac_format(const uint8_t mac[static MAC_SIZE], char text[static MAC_TEXT_MAX])
{
	snprintf(text, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return text;
}

bool mac_usable(const uint8_t mac[static MAC_SIZE])
{
	static const uint8_t zeroes[MAC_SIZE];

	return !(mac[0] & GROUP_BIT) && memcmp(mac, zeroes, MAC_SIZE) != 0;
}

/* FNV-1a: five octets of its 64 bits are ours. */
void mac_derive(const char *name, unsigned index, uint8_t ret[static MAC_SIZE])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const size_t length = strlen(name);

	for (size_t i = 0; i < length + 1 + sizeof(index); i++) {
		uint8_t octet =
			i <= length ? (uint8_t)name[i] : (uint8_t)(index >> (8 * (i - length - 1)));

		hash = (hash ^ octet) * UINT64_C(0x100000001b3);
	}
	/* Its low bits know little of the last octets: mix the halves. */
	hash ^= hash >> 32;
	ret[0] = LOCAL;
	for (unsigned i = 1; i < MAC_SIZE; i++)
		ret[i] = (uint8_t)(hash >> (8 * (i - 1)));
}
