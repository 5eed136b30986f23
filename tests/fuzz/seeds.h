/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that write inputs to start from share. */
#ifndef ARMLET_TESTS_FUZZ_SEEDS_H
#define ARMLET_TESTS_FUZZ_SEEDS_H

#include "kernel_bytes.h"

/* @bytes as FOLDER/KIND/NAME, or the end. */
void save(const char *folder, const char *kind, const char *name, const struct bytes *bytes);

/* seeds_backtrace.c and seeds_trial.c: of what armlet test reads. */
void save_backtrace(const char *folder);
void save_trial(const char *folder);

#endif
