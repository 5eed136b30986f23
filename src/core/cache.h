/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data caches, where another observer looks past them. One of cache_arm64.c
 * and cache_generic.c is built.
 */
#ifndef ARMLET_CORE_CACHE_INTERNAL_H
#define ARMLET_CORE_CACHE_INTERNAL_H

#include <stddef.h>

/*
 * Clean [@data, @data + @size) to the point of coherency: when this returns,
 * an observer that maps the memory uncached sees what we have written.
 */
void cache_clean_poc(const void *data, size_t size);

#endif
