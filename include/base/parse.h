/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and lists as people write them. All return 0 or -EINVAL, -ERANGE. */
#ifndef ARMLET_BASE_PARSE_H
#define ARMLET_BASE_PARSE_H

#include "base/util.h"

/* Decimal, or hexadecimal behind 0x; no sign, no white space, nothing behind. */
int parse_u64(const char *text, uint64_t *ret);

/*
 * Bytes: a number and K, M, G or T (powers of 1024; also KiB, MiB, ...; B for
 * bytes). A bare number counts @unit bytes. A fraction is refused.
 */
int parse_size(const char *text, uint64_t unit, uint64_t *ret);

/* "1,4-6": the numbers in order, at most @max of them into @list. */
int parse_list(const char *text, uint32_t *list, size_t max, size_t *ret_count);

/* The first two numbers of a kernel's release, as of "6.1.0-37-arm64"; 0: none stands there. */
void parse_release(const char *release, unsigned *ret_major, unsigned *ret_minor);

/* Write @bytes as "512 MiB" or "1.5 GiB" into @text, exact where it can be. */
#define FORMAT_SIZE_MAX 32
const char *format_size(uint64_t bytes, char text[static FORMAT_SIZE_MAX]);

/*
 * The entry of @names (of @count) that @word was most likely meant to be:
 * one that it begins, else the one of fewest edits, at most a third of its
 * length and one; NULL if none is near.
 */
const char *nearest_name(const char *word, const char *const *names, size_t count);

#endif
