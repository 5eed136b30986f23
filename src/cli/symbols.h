/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of a kernel's addresses: of its vmlinux or another ELF file with a symbol
 * table, or of a list as System.map and /proc/kallsyms have it.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_CLI_SYMBOLS_H
#define ARMLET_CLI_SYMBOLS_H

#include "base/error.h"

struct symbols;

/* What is in @bytes; @what is it for the sentence. -EINVAL: there are no symbols in it. */
int symbols_read(const void *bytes, size_t size, const char *what, struct symbols **ret,
		 struct error *err);
int symbols_open(const char *path, struct symbols **ret, struct error *err);
void symbols_free(struct symbols *symbols); /* takes NULL */

DEFINE_CLEANUP(struct symbols *, symbols_free)

/*
 * Forget those of modules, which a list may have: they are somewhere else at each boot, and
 * not as far as the kernel.
 */
void symbols_drop_modules(struct symbols *symbols);

/* Where @name is; false: nowhere. */
bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *ret);

/* What @address is in, and how far behind its beginning; NULL: it is before all, or far behind. */
const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *ret_offset);

#endif
