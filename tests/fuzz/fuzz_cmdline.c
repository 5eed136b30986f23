/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any words as the command line of `armlet run`: they are taken, or refused
 * with one sentence; what is taken keeps the bounds that the options promise.
 */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "cli.h"
#include "fuzz.h"

#define MAX_WORDS 64

/* The input, cut into words at its NULs, behind the command's name. */
static int split(char *text, size_t size, char **words)
{
	static char command[] = "run";
	int count = 0;

	words[count++] = command;
	for (size_t at = 0; at < size && count < MAX_WORDS; at += strlen(text + at) + 1)
		words[count++] = text + at;
	words[count] = NULL;
	return count;
}

static void check_bounds(const struct machine_config *config)
{
	FUZZ_ASSERT(config->cpus >= 1 && config->cpus <= MACHINE_MAX_VCPUS);
	FUZZ_ASSERT(config->mem >= MACHINE_MIN_MEM);
	FUZZ_ASSERT(config->pin_count <= MACHINE_MAX_VCPUS);
	FUZZ_ASSERT(config->dtb_overlay_count <= MACHINE_MAX_OVERLAYS);
	FUZZ_ASSERT(config->irqchip <= CONFIG_IRQCHIP_GICV2);
	FUZZ_ASSERT(config->pmu <= CONFIG_OFF && config->sve <= CONFIG_OFF);
}

/* The files of this machine are not ours to read; fuzz_config.c has that. */
static bool names_config(int count, char **words)
{
	for (int i = 1; i < count; i++) {
		if (!strncmp(words[i], "--config", strlen("--config")))
			return true;
	}
	return false;
}

static void parse_words(int count, char **words)
{
	enum options_result result = OPTIONS_OK;
	struct run_options options;
	struct error err = {0};
	int r;

	if (names_config(count, words))
		return;
	run_options_init(&options);
	r = options_parse(&run_table, count, words, &options, &result, &err);
	FUZZ_ASSERT(r == 0 || (r < 0 && err.code > 0 && err.text[0]));
	FUZZ_ASSERT(strlen(err.text) < ERROR_TEXT_MAX);
	if (r == 0 && result == OPTIONS_OK)
		check_bounds(&options.machine);
}

/* The parsers of single values, on the whole input. */
static void parse_values(const char *text)
{
	static const char *const names[] = {"kernel", "initrd", "append", "dtb"};
	char formatted[FORMAT_SIZE_MAX];
	uint32_t list[16];
	size_t count = 0;
	uint64_t value;

	if (parse_u64(text, &value) == 0)
		format_size(value, formatted);
	if (parse_size(text, MIB, &value) == 0)
		format_size(value, formatted);
	if (parse_list(text, list, ARRAY_SIZE(list), &count) == 0)
		FUZZ_ASSERT(count >= 1 && count <= ARRAY_SIZE(list));
	nearest_name(text, names, ARRAY_SIZE(names));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *words[MAX_WORDS + 1];
	char *text = malloc(size + 1);

	FUZZ_ASSERT(text);
	memcpy(text, data, size);
	text[size] = '\0';
	parse_values(text);
	parse_words(split(text, size, words), words);
	free(text);
	return 0;
}
