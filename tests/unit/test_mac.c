/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mac.h"

#include <string.h>

#include "unit.h"

static const struct {
	const char *text;
	int r;
	uint8_t mac[MAC_SIZE];
} rows[] = {
	{"52:54:00:12:34:56", 0, {0x52, 0x54, 0, 0x12, 0x34, 0x56}},
	{"02-aB-Cd-EF-09-ff", 0, {0x02, 0xab, 0xcd, 0xef, 0x09, 0xff}},
	{"00:00:00:00:00:01", 0, {0, 0, 0, 0, 0, 1}},
	{"00:00:00:00:00:00", -EADDRNOTAVAIL, {0}},
	{"01:00:5e:00:00:01", -EADDRNOTAVAIL, {0}},
	{"ff:ff:ff:ff:ff:ff", -EADDRNOTAVAIL, {0}},
	{"", -EINVAL, {0}},
	{"52:54:00:12:34:5", -EINVAL, {0}},
	{"52:54:00:12:34:567", -EINVAL, {0}},
	{"52:54:00:12:34:5g", -EINVAL, {0}},
	{"52:54:00:12:34-56", -EINVAL, {0}},
	{"52.54.00.12.34.56", -EINVAL, {0}},
	{"525400123456", -EINVAL, {0}},
	{" 2:54:00:12:34:56", -EINVAL, {0}},
	{"-2:54:00:12:34:56", -EINVAL, {0}},
};

START_TEST(test_parse)
{
	uint8_t mac[MAC_SIZE] = {9, 9, 9, 9, 9, 9};
	uint8_t before[MAC_SIZE] = {9, 9, 9, 9, 9, 9};

	ck_assert_int_eq(mac_parse(rows[_i].text, mac), rows[_i].r);
	ck_assert(!memcmp(mac, rows[_i].r ? before : rows[_i].mac, MAC_SIZE));
}
END_TEST

START_TEST(test_format)
{
	const uint8_t mac[MAC_SIZE] = {0x02, 0xab, 0, 1, 0x10, 0xff};
	uint8_t again[MAC_SIZE];
	char text[MAC_TEXT_MAX];

	ck_assert_str_eq(mac_format(mac, text), "02:ab:00:01:10:ff");
	ck_assert_int_eq(mac_parse(text, again), 0);
	ck_assert(!memcmp(mac, again, MAC_SIZE));
}
END_TEST

/* The same for the same machine, another for each other one; never a real card's. */
START_TEST(test_derive)
{
	static uint8_t macs[26 * 26 * 4][MAC_SIZE];
	unsigned count = 0;

	for (char a = 'a'; a <= 'z'; a++) {
		for (char b = 'a'; b <= 'z'; b++) {
			for (unsigned index = 0; index < 4; index++) {
				const char name[] = {'v', 'm', a, b, '\0'};
				uint8_t *mac = macs[count++];
				uint8_t again[MAC_SIZE];

				mac_derive(name, index, mac);
				mac_derive(name, index, again);
				ck_assert(!memcmp(mac, again, MAC_SIZE));
				ck_assert(mac_usable(mac) && mac[0] == 0x02);
			}
		}
	}
	for (unsigned i = 0; i < count; i += 17) {
		for (unsigned j = 0; j < i; j++) {
			if (!memcmp(macs[i], macs[j], MAC_SIZE))
				ck_abort_msg("%u and %u", i, j);
		}
	}
}
END_TEST

/* Guests keep their addresses from one version of the program to the next. */
START_TEST(test_derive_for_ever)
{
	char text[MAC_TEXT_MAX];
	uint8_t mac[MAC_SIZE];

	mac_derive("", 0, mac);
	ck_assert_str_eq(mac_format(mac, text), "02:96:a6:97:c1:d9");
}
END_TEST

const char unit_name[] = "mac";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_parse, ARRAY_SIZE(rows)),
	UNIT_CASE(test_format),
	UNIT_CASE(test_derive),
	UNIT_CASE(test_derive_for_ever),
	{0},
};
