/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any words as QEMU's command line: they become words of `armlet run`, or are refused
 * with one sentence. A value never becomes an option: no file is ever read as --config.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fuzz.h"
#include "qemu.h"

#define MAX_WORDS 64

static int split(char *text, size_t size, char **words)
{
	static char name[] = "qemu-system-aarch64";
	int count = 0;

	words[count++] = name;
	for (size_t at = 0; at < size && count < MAX_WORDS; at += strlen(text + at) + 1)
		words[count++] = text + at;
	words[count] = NULL;
	return count;
}

static void parse(const struct qemu_command *command)
{
	enum options_result result = OPTIONS_OK;
	struct run_options options;
	struct error err = {0};
	int r;

	FUZZ_ASSERT(command->count >= 1 && !strcmp(command->words[0], "run"));
	FUZZ_ASSERT(!command->words[command->count]);
	run_options_init(&options);
	r = options_parse(&run_table, (int)command->count, command->words, &options, &result, &err);
	FUZZ_ASSERT(r == 0 || (r < 0 && err.text[0]));
	FUZZ_ASSERT(result == OPTIONS_OK);
	FUZZ_ASSERT(!options.config && !options.domain && !options.detach && !options.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qemu_command command = {0};
	char *words[MAX_WORDS + 1];
	char *text = malloc(size + 1);
	struct error err = {0};
	int r;

	FUZZ_ASSERT(text);
	memcpy(text, data, size);
	text[size] = '\0';
	r = qemu_translate(split(text, size, words), words, &command, &err);
	FUZZ_ASSERT(r == 0 || (r < 0 && err.code > 0 && err.text[0] && !command.words));
	if (r == 0 && command.wish == QEMU_RUN)
		parse(&command);
	qemu_command_finish(&command);
	free(text);
	return 0;
}
