/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/ikconfig.h"

#include <string.h>

#include "base/util.h"
#include "trial/gunzip.h"

#define MARK       8                  /* bytes of either */
#define BEGIN      "IKCFG_ST\x1f\x8b" /* with the first two of gzip */
#define BEGIN_SIZE (MARK + 2)
#define END        "IKCFG_ED"
#define WINDOW     (MARK + IKCONFIG_PACKED_MAX + MARK)

/* Without the first @size bytes. */
static void drop(struct ikconfig *find, size_t size)
{
	find->size -= size;
	memmove(find->window, find->window + size, find->size);
}

/* What is in the window; as ikconfig_feed(). */
static int look(struct ikconfig *find)
{
	for (;;) {
		uint8_t *begin = memmem(find->window, find->size, BEGIN, BEGIN_SIZE), *end;
		int r;

		if (!begin) {
			drop(find, find->size - min_u64(find->size, BEGIN_SIZE - 1));
			return 0;
		}
		drop(find, (size_t)(begin - find->window));
		end = memmem(find->window, find->size, END, MARK);
		if (!end && find->size < WINDOW)
			return 0;
		r = end ? gunzip(find->window + MARK, (size_t)(end - find->window) - MARK,
				 IKCONFIG_TEXT_MAX, &find->text, &find->text_size)
			: -EINVAL;
		if (r == -EINVAL && ++find->tries < IKCONFIG_TRIES)
			drop(find, BEGIN_SIZE);
		else
			return r == -ENOMEM ? r : 1;
	}
}

int ikconfig_feed(struct ikconfig *find, const uint8_t *bytes, size_t size)
{
	int r = 0;

	if (!find->window)
		find->window = malloc(WINDOW);
	if (!find->window)
		return -ENOMEM;
	while (r == 0 && size) {
		size_t piece = min_u64(size, WINDOW - find->size);

		memcpy(find->window + find->size, bytes, piece);
		find->size += piece;
		bytes += piece;
		size -= piece;
		r = look(find);
	}
	return r;
}

void ikconfig_finish(struct ikconfig *find)
{
	free(find->window);
	free(find->text);
	*find = (struct ikconfig){0};
}
