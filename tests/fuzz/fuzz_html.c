/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as text of a page: characters of HTML, and no markup but spans that end. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "html_text.h"
#include "trial/utf8.h"

static void check(const char *html)
{
	bool inside = false;

	while (*html) {
		uint32_t character;
		size_t size = utf8_take(html, &character);

		FUZZ_ASSERT(size);
		FUZZ_ASSERT(character >= ' ' || character == '\n' || character == '\t');
		FUZZ_ASSERT(character < 0x7f || character > 0x9f);
		FUZZ_ASSERT(character != '>' && character != '"' && character != '\'');
		if (character == '<') {
			const char *begin = inside ? "</span>" : "<span class='a";

			FUZZ_ASSERT(!strncmp(html, begin, strlen(begin)));
			inside = !inside;
			html = strchr(html, '>');
			FUZZ_ASSERT(html);
		}
		html += size;
	}
	FUZZ_ASSERT(!inside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *html = NULL;
	size_t length;
	FILE *file = open_memstream(&html, &length);

	html_bytes(file, data, size);
	fclose(file);
	FUZZ_ASSERT(strlen(html) == length && length <= size * 32);
	check(html);
	return 0;
}
