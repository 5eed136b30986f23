/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration within a kernel: found whatever is around it, and however it is shown. */
#include "trial/ikconfig.h"

#include <stdio.h>
#include <string.h>

#include "kernel_bytes.h"
#include "unit.h"

#define TEXT "CONFIG_A=y\n"

/* What a kernel's bytes are made of, in order. */
enum part {
	END,
	ZEROES, /* 100 of them */
	MANY,   /* more than a whole window */
	BEGIN,  /* the marks */
	FINISH,
	PACKED,    /* the text */
	CUT,       /* without its last byte */
	DAMAGED,   /* with another byte in the middle */
	FALSE_ONE, /* the first mark and gzip's first bytes */
	FALSE_ALL, /* as many as are tried */
	LARGE,     /* one that claims to have 4 GiB */
};

static const struct {
	enum part parts[8];
	bool found;
} kernels[] = {
	{{ZEROES, BEGIN, PACKED, FINISH, ZEROES}, true},
	{{BEGIN, PACKED, FINISH}, true},
	{{MANY, BEGIN, PACKED, FINISH, MANY}, true},
	{{FALSE_ONE, ZEROES, BEGIN, PACKED, FINISH}, true},
	{{FALSE_ONE, MANY, BEGIN, PACKED, FINISH}, true},
	{{BEGIN, CUT, FINISH, BEGIN, PACKED, FINISH}, true},
	{{FINISH, BEGIN, PACKED, FINISH}, true},
	{{0}, false},
	{{ZEROES}, false},
	{{BEGIN}, false},
	{{BEGIN, PACKED}, false},
	{{BEGIN, FINISH}, false},
	{{PACKED, FINISH}, false},
	{{BEGIN, CUT, FINISH}, false},
	{{BEGIN, DAMAGED, FINISH}, false},
	{{BEGIN, PACKED, ZEROES, FINISH}, false},
	{{BEGIN, PACKED, MANY, FINISH}, false},
	{{BEGIN, LARGE, FINISH}, false},
	{{FALSE_ALL, FINISH, BEGIN, PACKED, FINISH}, false},
};

static void put(FILE *file, enum part part, const struct bytes *packed)
{
	size_t zeroes = part == MANY ? IKCONFIG_PACKED_MAX + 100 : part == ZEROES ? 100 : 0;
	size_t size = packed->size;

	while (zeroes--)
		fputc(0, file);
	if (part == BEGIN)
		fputs("IKCFG_ST", file);
	else if (part == FINISH)
		fputs("IKCFG_ED", file);
	else if (part == PACKED)
		fwrite(packed->data, 1, size, file);
	else if (part == CUT)
		fwrite(packed->data, 1, size - 1, file);
	else if (part == LARGE)
		fwrite("\x1f\x8b\x08\0\xff\xff\xff\xff", 1, 8, file);
	for (size_t i = 0; part == DAMAGED && i < size; i++)
		fputc(packed->data[i] ^ (i == size / 2), file);
	for (size_t i = 0; i < (part == FALSE_ONE   ? 1
				: part == FALSE_ALL ? IKCONFIG_TRIES
						    : 0);
	     i++)
		fputs("IKCFG_ST\x1f\x8b", file);
}

static struct bytes make(const enum part *parts)
{
	const struct bytes text = {.data = (uint8_t *)TEXT, .size = strlen(TEXT)};
	_cleanup_bytes_ struct bytes packed = bytes_gzip(&text);
	struct bytes all = {0};
	FILE *file = open_memstream((char **)&all.data, &all.size);

	for (; *parts; parts++)
		put(file, *parts, &packed);
	ck_assert_int_eq(fclose(file), 0);
	return all;
}

static bool find(const struct bytes *kernel, size_t piece)
{
	_cleanup_(ikconfig_finish) struct ikconfig config = {0};
	int r = 0;

	for (size_t at = 0; at < kernel->size && r == 0; at += piece) {
		_cleanup_free_ uint8_t *copy = malloc(piece);
		size_t size = min_u64(piece, kernel->size - at);

		memcpy(copy, kernel->data + at, size);
		r = ikconfig_feed(&config, copy, size);
		ck_assert_int_ge(r, 0);
	}
	if (config.text)
		ck_assert_str_eq(config.text, TEXT);
	ck_assert(!config.text || (r == 1 && config.text_size == strlen(TEXT)));
	return config.text;
}

START_TEST(test_kernels)
{
	static const size_t pieces[] = {1009, 65536, 3 << 20};
	_cleanup_bytes_ struct bytes kernel = make(kernels[_i].parts);

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		ck_assert_int_eq(find(&kernel, pieces[i]), kernels[_i].found);
	if (kernel.size < 4096)
		ck_assert_int_eq(find(&kernel, 1), kernels[_i].found);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_kernels, ARRAY_SIZE(kernels)),
	{0},
};
const char unit_name[] = "ikconfig";
