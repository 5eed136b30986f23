/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `armlet test`. */
#include "machine_options.h"
#include "test.h"

#define AT(member)      .offset = offsetof(struct test, run.options.member)
#define TEST_AT(member) .offset = offsetof(struct test, options.member)
#define COUNTED(member, counter)                             \
	.offset = offsetof(struct test, run.options.member), \
	.count_offset = offsetof(struct test, run.options.counter)
#define TEST_COUNTED(member, counter)                    \
	.offset = offsetof(struct test, options.member), \
	.count_offset = offsetof(struct test, options.counter)

static const struct option_def test_rows[] = {
	{.group = "The command",
	 .name = "command",
	 .argument = "WORD",
	 .type = OPTION_STRINGS,
	 TEST_COUNTED(words, word_count),
	 .max = TEST_WORDS_MAX},
	{.name = "root",
	 .argument = "DIR|DISK|none",
	 .type = OPTION_FILE,
	 TEST_AT(root),
	 .help = "what its / is: a folder, a disk's file, or the initramfs (/)"},
	{.name = "rw",
	 .type = OPTION_FLAG,
	 TEST_AT(writable),
	 .help = "what it writes there stays; else it is gone at the end"},
	{.name = "workdir",
	 .letter = 'w',
	 .argument = "DIR",
	 .type = OPTION_STRING,
	 TEST_AT(directory),
	 .help = "where it begins (the present folder, if the root has it)"},
	{.name = "env",
	 .letter = 'e',
	 .argument = "NAME[=VALUE]",
	 .type = OPTION_STRINGS,
	 TEST_COUNTED(environment, environment_count),
	 .max = TEST_ENVIRONMENT_MAX,
	 .help = "in its environment; without a value, as here; repeat for more"},
	{.name = "env-file",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 TEST_AT(environment_file),
	 .help = "the same, a line each"},
	{.name = "user",
	 .letter = 'u',
	 .argument = "USER[:GROUP]",
	 .type = OPTION_STRING,
	 TEST_AT(user),
	 .help = "who it is, by a name of the root or a number (root)"},
	{.name = "tty",
	 .argument = "auto|on|off",
	 .type = OPTION_SWITCH,
	 TEST_AT(terminal),
	 .choices = switch_words,
	 .help = "a terminal for it (auto: if standard input and output are one)"},

	{.name = "kunit",
	 .type = OPTION_FLAG,
	 TEST_AT(kunit),
	 .help = "no command: the kernel's own tests (KUnit), told as kunit.py does"},

	{.group = "The verdict",
	 .name = "timeout",
	 .letter = 't',
	 .argument = "SECONDS",
	 .type = OPTION_U32,
	 AT(timeout),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "end it after this time, with status 124 (3600)"},
	{.name = "boot-timeout",
	 .argument = "SECONDS",
	 .type = OPTION_U32,
	 TEST_AT(boot_timeout),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "how long the kernel may take to the command (120)"},
	{.name = "quiet-timeout",
	 .argument = "SECONDS",
	 .type = OPTION_U32,
	 TEST_AT(quiet_timeout),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "end it when nothing was printed for so long, with status 124"},
	{.name = "fail-on",
	 .argument = "WHAT",
	 .type = OPTION_STRING,
	 TEST_AT(fail_on),
	 .help = "what of the kernel's is a failure: warn,hung-task,... all, none (default)"},
	{.name = "output",
	 .letter = 'o',
	 .argument = "DIR",
	 .type = OPTION_FILE,
	 TEST_AT(output),
	 .help = "keep logs, outputs and results in a folder"},
	{.name = "verbose",
	 .letter = 'V',
	 .type = OPTION_FLAG,
	 TEST_AT(verbose),
	 .help = "show the kernel's log on standard error, all of it"},

	{.group = "Modules",
	 .name = "modules",
	 .argument = "DIR",
	 .type = OPTION_FILE,
	 TEST_AT(modules),
	 .help = "where the kernel's modules.dep is (found beside the kernel)"},
	{.name = "modprobe",
	 .argument = "NAME",
	 .type = OPTION_STRINGS,
	 TEST_COUNTED(more_modules, more_module_count),
	 .max = TEST_MODULES_MAX,
	 .help = "load this module as well, before the command; repeat for more"},

#include "machine_options.inc"

	{0},
};

const struct option_table test_table = {
	.command = "test",
	.usage = "[OPTIONS] [-- COMMAND...]",
	.summary = "boot a kernel, run COMMAND in it, return its status",
	.options = test_rows,
	.positional = "command",
	.behind_dashes = true,
	.epilogue =
		"Without COMMAND: a shell on a terminal, else just whether the kernel boots.\n\n"
		"Exit status: the command's own; 128+N when signal N killed it; 126 and 127 when "
		"it\n"
		"could not be executed or was not found; 124 on a timeout; 125 when armlet or the\n"
		"set-up failed; 255 when the guest panicked, reset or powered off by itself.",
};
