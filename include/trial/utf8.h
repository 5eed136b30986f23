/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of anybody as characters, for those who have to print them. Threads: any. */
#ifndef ARMLET_TRIAL_UTF8_H
#define ARMLET_TRIAL_UTF8_H

#include "base/util.h"

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/*
 * The character that @text, which is not empty and ends with a 0, begins with: how many bytes it
 * has, 1 to 4. 0: the first byte begins none (RFC 3629: nothing overlong, no surrogates).
 */
size_t utf8_take(const char *text, uint32_t *ret);

/*
 * Characters of @text, as many as fit into @size bytes with a 0, each byte that begins none as
 * '?': JSON has to be valid.
 */
void utf8_copy(char *copy, const char *text, size_t size);

#endif
