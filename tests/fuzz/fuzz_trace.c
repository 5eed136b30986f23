/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the file of a trace, and as what names a kernel's functions: they are read, or
 * refused with one sentence. The first byte says where the one ends and the other begins.
 */
#include <string.h>

#include "fuzz.h"
#include "stats.h"

static struct json_object *read_trace(const uint8_t *data, size_t size)
{
	struct json_object *profile = NULL;
	struct error err = {0};
	int r = stats_of_trace(data, size, &profile, &err);

	FUZZ_ASSERT(r == 0 ? profile != NULL : r < 0 && err.code > 0 && err.text[0]);
	FUZZ_ASSERT(strlen(err.text) < ERROR_TEXT_MAX);
	return profile;
}

static struct symbols *read_symbols(const uint8_t *data, size_t size)
{
	struct symbols *symbols = NULL;
	struct error err = {0};
	int r = symbols_read(data, size, "it", &symbols, &err);
	uint64_t offset;

	FUZZ_ASSERT(r == 0 ? symbols != NULL : r < 0 && err.code > 0 && err.text[0]);
	if (symbols) {
		symbols_find(symbols, 0, &offset);
		symbols_find(symbols, UINT64_MAX, &offset);
	}
	return symbols;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first = size ? (size - 1) * data[0] / 255 : 0;
	struct json_object *profile = read_trace(data + (size > 0), first);
	struct symbols *symbols =
		read_symbols(data + (size > 0) + first, size - (size > 0) - first);

	if (profile && symbols)
		stats_name_pcs(profile, symbols);
	json_object_put(profile);
	symbols_free(symbols);
	return 0;
}
