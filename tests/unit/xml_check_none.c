/* SPDX-License-Identifier: Apache-2.0 */
#include "xml_check.h"

#include <check.h>
#include <string.h>

/* Without libxml2: at least it has one element. */
void xml_check(const char *text)
{
	size_t size = strlen(text);

	ck_assert_int_eq(text[0], '<');
	ck_assert(size > 7 && !strcmp(text + size - 7, "</svg>\n"));
}
