/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any words as the command line of `armlet run`, and of `armlet test`: they are taken, or refused
 * with one sentence; what is taken keeps the bounds that the options promise.
 */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "cli.h"
#include "fuzz.h"
#include "test.h"

#define MAX_WORDS 64

/* The input, cut into words at its NULs, behind the command's name. */
static int split(char *text, size_t size, char **words)
{
	static char command[] = "command";
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

/* Whether they are taken. */
static bool parse_with(const struct option_table *table, int count, char **words, void *target)
{
	enum options_result result = OPTIONS_OK;
	struct error err = {0};
	int r = options_parse(table, count, words, target, &result, &err);

	FUZZ_ASSERT(r == 0 || (r < 0 && err.code > 0 && err.text[0]));
	FUZZ_ASSERT(strlen(err.text) < ERROR_TEXT_MAX);
	return r == 0 && result == OPTIONS_OK;
}

static void parse_run(int count, char **words)
{
	struct run_options options;

	if (names_config(count, words))
		return;
	run_options_init(&options);
	if (parse_with(&run_table, count, words, &options))
		check_bounds(&options.machine);
}

static void parse_test(int count, char **words)
{
	static struct test test;
	const struct test_options *options = &test.options;

	memset(&test.options, 0, sizeof(test.options));
	run_options_init(&test.run.options);
	if (!parse_with(&test_table, count, words, &test))
		return;
	check_bounds(&test.run.options.machine);
	FUZZ_ASSERT(options->word_count <= (size_t)count);
	FUZZ_ASSERT(options->environment_count <= TEST_ENVIRONMENT_MAX);
	FUZZ_ASSERT(options->more_module_count <= TEST_MODULES_MAX);
	FUZZ_ASSERT(options->terminal <= CONFIG_OFF);
}

/* Words of their own: a record is cut in place. */
static void parse_words(const uint8_t *data, size_t size, char *text,
			void (*parse)(int count, char **words))
{
	char *words[MAX_WORDS + 1];

	memcpy(text, data, size);
	text[size] = '\0';
	parse(split(text, size, words), words);
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
	char *text = malloc(size + 1);

	FUZZ_ASSERT(text);
	memcpy(text, data, size);
	text[size] = '\0';
	parse_values(text);
	parse_words(data, size, text, parse_run);
	parse_words(data, size, text, parse_test);
	free(text);
	return 0;
}
