/* SPDX-License-Identifier: Apache-2.0 */
/* A matrix in TOML. Threads: one at a time. */
#ifndef ARMLET_CLI_MATRIX_TOML_H
#define ARMLET_CLI_MATRIX_TOML_H

#include "base/error.h"

/* By the end of its name. */
bool matrix_is_toml(const char *path);

/*
 * As options_read_text(), but it is the JSON that the file stands for. It takes a moment, and
 * python3: -ENOENT with a sentence without it.
 */
int matrix_read_toml(const char *path, char **ret, size_t *ret_size, struct error *err);

#endif
