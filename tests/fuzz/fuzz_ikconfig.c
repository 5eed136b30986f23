/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a kernel, behind one that says in what pieces it is shown: the same is found as at
 * once, or nothing.
 */
#include "trial/ikconfig.h"

#include <string.h>

#include "base/util.h"
#include "fuzz.h"

static void find(struct ikconfig *config, const uint8_t *data, size_t size, size_t piece)
{
	int r = 0;

	for (size_t at = 0; at < size && r == 0; at += piece)
		r = ikconfig_feed(config, data + at, min_u64(piece, size - at));
	FUZZ_ASSERT(r >= 0);
	FUZZ_ASSERT(!config->text || (r == 1 && config->text_size <= IKCONFIG_TEXT_MAX &&
				      !config->text[config->text_size]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ikconfig whole = {0}, pieces = {0};

	if (!size)
		return 0;
	find(&whole, data + 1, size - 1, size);
	find(&pieces, data + 1, size - 1, 1 + data[0]);
	FUZZ_ASSERT(!whole.text == !pieces.text);
	if (whole.text) {
		FUZZ_ASSERT(whole.text_size == pieces.text_size);
		FUZZ_ASSERT(!memcmp(whole.text, pieces.text, whole.text_size));
	}
	ikconfig_finish(&whole);
	ikconfig_finish(&pieces);
	return 0;
}
