/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of seeds share. */
#ifndef ARMLET_TESTS_FUZZ_SEEDS_H
#define ARMLET_TESTS_FUZZ_SEEDS_H

#include "kernel_bytes.h"

/* An input of fuzz_KIND, in @folder. */
void save(const char *folder, const char *kind, const char *name, const struct bytes *bytes);

void save_backtrace(const char *folder);

#endif
