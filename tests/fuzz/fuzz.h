/* SPDX-License-Identifier: Apache-2.0 */
/* The entry that libFuzzer calls with each input; returns 0. */
#ifndef ARMLET_TESTS_FUZZ_FUZZ_H
#define ARMLET_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stop, with a stack trace, if what must hold does not. */
#define FUZZ_ASSERT(condition)            \
	do {                              \
		if (!(condition))         \
			__builtin_trap(); \
	} while (0)

#endif
