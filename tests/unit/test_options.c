/* SPDX-License-Identifier: Apache-2.0 */
/* The option tables of `armlet run` and `armlet test`: every option in every spelling, every
 * refusal. */
#include "options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli.h"
#include "test.h"
#include "unit.h"

#define MAX_WORDS 40

static struct run_options run;
static struct test test;
static enum options_result result;
static struct error err;

/* The tables, and what they fill. */
static const struct {
	const struct option_table *table;
	void *target;
	size_t size;
} tables[] = {{&run_table, &run, sizeof(run)}, {&test_table, &test, sizeof(test)}};

static void begin(void)
{
	run_options_init(&run);
	memset(&test, 0, sizeof(test));
	run_options_init(&test.run.options);
	err = (struct error){0};
}

static int parse_by(size_t table, const char *const *words, size_t count)
{
	static char *argv[MAX_WORDS + 2];
	static char copies[MAX_WORDS][512];
	static char name[] = "command";

	/* Words of their own, as those of a program are: a record is cut in place. */
	argv[0] = name;
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_lt(
			snprintf(copies[i], sizeof(copies[i]), "%s", words[i] ? words[i] : ""),
			(int)sizeof(copies[i]));
		argv[i + 1] = copies[i];
	}
	argv[count + 1] = NULL;
	begin();
	return options_parse(tables[table].table, (int)count + 1, argv, tables[table].target,
			     &result, &err);
}

/* Words of a command line, separated by '|'. */
static int parse_line_by(size_t table, const char *line)
{
	static char text[512];
	const char *words[MAX_WORDS];
	char *rest = text;
	size_t count = 0;

	snprintf(text, sizeof(text), "%s", line);
	while (*line && rest && count + 1 < MAX_WORDS)
		words[count++] = strsep(&rest, "|");
	return parse_by(table, words, count);
}

static int parse_line(const char *line)
{
	return parse_line_by(0, line);
}

START_TEST(test_defaults)
{
	ck_assert_int_eq(parse_line(""), 0);
	ck_assert_int_eq(result, OPTIONS_OK);
	ck_assert_ptr_null(run.machine.kernel);
	ck_assert_uint_eq(run.machine.cpus, 1);
	ck_assert_uint_eq(run.machine.mem, 512 * MIB);
	ck_assert_str_eq(run.machine.kvm_device, "/dev/kvm");
	ck_assert_int_eq(run.log_level, LOG_LEVEL_WARNING);
	ck_assert_uint_eq(run.timeout, 0);
	ck_assert_int_eq(run.machine.pmu, CONFIG_AUTO);
	ck_assert(!run.machine.no_reboot);
}
END_TEST

/* A value that an option of this table takes, and whether the field then holds it. */
static const char *good_value(const struct option_def *option)
{
	switch (option->type) {
	case OPTION_FLAG:
		return NULL;
	case OPTION_U32:
		return "7";
	case OPTION_SIZE:
		return "64M";
	case OPTION_LIST:
		return "1,4-6";
	case OPTION_CHOICE:
	case OPTION_SWITCH:
		return option->choices[1];
	case OPTION_RECORDS:
		return option->record->type == OPTION_STRING ? "some/file"
							     : good_value(option->record);
	default:
		return "some/file -with=odd words";
	}
}

static void check_field(size_t table, const struct option_def *option, const char *value)
{
	const void *field = option_field(tables[table].target, option->offset);
	const void *counter = option_field(tables[table].target, option->count_offset);

	switch (option->type) {
	case OPTION_FLAG:
		ck_assert(*(const bool *)field);
		break;
	case OPTION_U32:
		ck_assert_uint_eq(*(const uint32_t *)field, 7);
		break;
	case OPTION_SIZE:
		ck_assert_uint_eq(*(const uint64_t *)field, 64 * MIB);
		break;
	case OPTION_LIST:
		ck_assert_uint_eq(*(const size_t *)counter, 4);
		ck_assert_uint_eq(((const uint32_t *)field)[3], 6);
		break;
	case OPTION_CHOICE:
	case OPTION_SWITCH:
		ck_assert_int_eq(*(const int *)field, 1);
		break;
	case OPTION_RECORDS:
		ck_assert_uint_eq(*(const size_t *)counter, 1);
		break;
	case OPTION_STRINGS:
	case OPTION_FILES:
		ck_assert_uint_eq(*(const size_t *)counter, 1);
		ck_assert_str_eq(*(const char *const *)field, value);
		break;
	default:
		ck_assert_str_eq(*(const char *const *)field, value);
		break;
	}
}

static void check_spelling(size_t table, const struct option_def *option, const char *const *words,
			   size_t count, const char *value)
{
	ck_assert_msg(parse_by(table, words, count) == 0, "%s: %s", words[0], err.text);
	ck_assert_int_eq(result, OPTIONS_OK);
	check_field(table, option, value);
}

/* --name VALUE, --name=VALUE, -l VALUE, -lVALUE */
START_TEST(test_every_spelling)
{
	for (const struct option_def *o = tables[_i].table->options; o->name; o++) {
		const char *value = good_value(o);
		char name[64], joined[128], letter[3] = {'-', o->letter}, joined_letter[64];
		const char *words[2] = {name, value};

		snprintf(name, sizeof(name), "--%s", o->name);
		snprintf(joined, sizeof(joined), "--%s=%s", o->name, value ? value : "");
		snprintf(joined_letter, sizeof(joined_letter), "-%c%s", o->letter,
			 value ? value : "");
		if (o->type == OPTION_CONFIG) /* test_config.c, test_libvirt.c */
			continue;
		if (o->type == OPTION_FLAG) {
			check_spelling((size_t)_i, o, words, 1, NULL);
			continue;
		}
		check_spelling((size_t)_i, o, &(const char *){joined}, 1, value);
		if (option_takes_no_word(o)) {
			check_spelling((size_t)_i, o, words, 1, NULL); /* alone it is "on" */
			continue;
		}
		check_spelling((size_t)_i, o, words, 2, value);
		if (!o->letter)
			continue;
		words[0] = letter;
		check_spelling((size_t)_i, o, words, 2, value);
		check_spelling((size_t)_i, o, &(const char *){joined_letter}, 1, value);
	}
}
END_TEST

static const struct {
	const char *line;
	const char *says; /* the whole sentence */
} refused_rows[] = {
	{"--kernal|Image", "unknown option --kernal; did you mean --kernel?"},
	{"--kern=Image", "unknown option --kern; did you mean --kernel?"},
	{"--cpu=2", "unknown option --cpu; did you mean --cpus?"},
	{"--no-rebot", "unknown option --no-rebot; did you mean --no-reboot?"},
	{"--zzzzzzzz", "unknown option --zzzzzzzz; `armlet run --help` lists them all"},
	{"--=x", "unknown option --; `armlet run --help` lists them all"},
	{"-z", "unknown option -z; `armlet run --help` lists them all"},
	{"--cpus", "--cpus needs a value: --cpus N"},
	{"-c", "--cpus needs a value: --cpus N"},
	{"--kernel", "--kernel needs a value: --kernel FILE"},
	{"--cpus=", "--cpus: '' is not a number from 1 to 512"},
	{"--cpus|0", "--cpus: '0' is not a number from 1 to 512"},
	{"--cpus|513", "--cpus: '513' is not a number from 1 to 512"},
	{"-c100000", "--cpus: '100000' is not a number from 1 to 512"},
	{"--cpus|-1", "--cpus: '-1' is not a number from 1 to 512"},
	{"--cpus|two", "--cpus: 'two' is not a number from 1 to 512"},
	{"--cpus|4294967297", "--cpus: '4294967297' is not a number from 1 to 512"},
	{"--mem|0", "--mem: 0 is out of range, which is 16 MiB to 4 PiB"},
	{"--mem|15M", "--mem: 15M is out of range, which is 16 MiB to 4 PiB"},
	{"--mem|12Q", "--mem: '12Q' is not a size; write it as 512M or 2G"},
	{"--mem=", "--mem: '' is not a size; write it as 512M or 2G"},
	{"--mem|5000T", "--mem: 5000T is out of range, which is 16 MiB to 4 PiB"},
	{"--mem|99999999999999999999", "--mem: 99999999999999999999 is out of range, which is "
				       "16 MiB to 4 PiB"},
	{"--irqchip|gicv4", "--irqchip: 'gicv4' is not one of auto gicv3 gicv2"},
	{"--pmu=maybe", "--pmu: 'maybe' is not one of auto on off"},
	{"--net|bridge", "--net: 'bridge' is not one of none user tap"},
	{"--net|user,mac", "--net: mac needs a value: mac=MAC"},
	{"--loglevel=loud", "--loglevel: 'loud' is not one of error warning info debug"},
	{"--pin|a", "--pin: 'a' is not a list of numbers such as 0,2,4-7"},
	{"--pin|3-1", "--pin: '3-1' is not a list of numbers such as 0,2,4-7"},
	{"--timeout|0", "--timeout: '0' is not a number from 1 to 4294967295"},
	{"--no-reboot=yes", "--no-reboot takes no value, but was given 'yes'"},
	{"--hugepages=", "--hugepages takes no value, but was given ''"},
	{"one|two", "'two': there is a kernel already, 'one'; quote words that belong together"},
	{"--kernel|one|two", "'two': there is a kernel already, 'one'; quote words that belong "
			     "together"},
};

START_TEST(test_refused)
{
	ck_assert_int_eq(parse_line(refused_rows[_i].line), -EINVAL);
	ck_assert_str_eq(err.text, refused_rows[_i].says);
}
END_TEST

/* Records: "WORD,name=value,flag". */
START_TEST(test_disks)
{
	const struct disk_config *disk = run.machine.disks;

	ck_assert_int_eq(parse_line("-d|a.img|--disk=b.img,ro,serial=S 1,block-size=4096,direct|"
				    "--disk|file=c,,d.img,cache=unsafe,on-error=pause,ephemeral|"
				    "-dodd=name,format=raw,aio=threads,discard=off,queues=4"),
			 0);
	ck_assert_uint_eq(run.machine.disk_count, 4);
	ck_assert_str_eq(disk[0].file, "a.img");
	ck_assert(!disk[0].read_only && !disk[0].direct);
	ck_assert_uint_eq(disk[0].queues, 1);
	ck_assert_str_eq(disk[1].file, "b.img");
	ck_assert_str_eq(disk[1].serial, "S 1");
	ck_assert(disk[1].read_only && disk[1].direct && !disk[1].ephemeral);
	ck_assert_uint_eq(disk[1].block_size, 4096);
	ck_assert_str_eq(disk[2].file, "c,d.img");
	ck_assert(disk[2].ephemeral);
	ck_assert_int_eq(disk[2].cache, 2);
	ck_assert_int_eq(disk[2].on_error, 1);
	ck_assert_str_eq(disk[3].file, "odd=name");
	ck_assert_str_eq(disk[3].format, "raw");
	ck_assert_int_eq(disk[3].aio, 2);
	ck_assert_int_eq(disk[3].discard, 1);
	ck_assert_uint_eq(disk[3].queues, 4);
}
END_TEST

static const struct {
	const char *line;
	const char *says;
} bad_disk_rows[] = {
	{"-d", "--disk needs a value: --disk FILE[,PROPERTY]..."},
	{"-d|a,sreial=1", "--disk: unknown property 'sreial'; did you mean 'serial'?"},
	{"-d|a,zzzzzzzz", "--disk: unknown property 'zzzzzzzz'"},
	{"-d|a,", "--disk: unknown property ''"},
	{"--topology|cpus=3", "--topology: unknown property 'cpus'"},
	{"--topology|2x", "--topology: '2x' is not a number from 1 to 512"},
	{"--net|tab=x", "--net: unknown property 'tab'; did you mean 'tap'?"},
	{"-d|a,serial", "--disk: serial needs a value: serial=TEXT"},
	{"-d|a,ro=1", "--disk: ro takes no value, but was given '1'"},
	{"-d|a,queues=0", "--disk: queues: '0' is not a number from 1 to 16"},
	{"-d|a,block-size=256",
	 "--disk: block-size: '256' is not a power of two from 512 to 65536"},
	{"-d|a,block-size=1000", "--disk: block-size: '1000' is not a power of two from 512 to "
				 "65536"},
	{"-d|a,cache=none", "--disk: cache: 'none' is not one of writeback writethrough unsafe"},
};

START_TEST(test_bad_disks)
{
	ck_assert_int_eq(parse_line(bad_disk_rows[_i].line), -EINVAL);
	ck_assert_str_eq(err.text, bad_disk_rows[_i].says);
}
END_TEST

/* What may be repeated, and how often. */
static const struct {
	size_t table;
	const char *word;
	const size_t *count;
	size_t most;
	const char *says;
} repeated_rows[] = {
	{0, "--disk=file", &run.machine.disk_count, MACHINE_MAX_DISKS,
	 "--disk: given more than 32 times"},
	{0, "--dtb-overlay=file", &run.machine.dtb_overlay_count, MACHINE_MAX_OVERLAYS,
	 "--dtb-overlay: given more than 16 times"},
	{1, "--disk=file", &test.run.options.machine.disk_count, MACHINE_MAX_DISKS,
	 "--disk: given more than 32 times"},
	{1, "--modprobe=x", &test.options.more_module_count, TEST_MODULES_MAX,
	 "--modprobe: given more than 16 times"},
};

START_TEST(test_repeated)
{
	const char *words[MAX_WORDS];

	for (size_t i = 0; i < MAX_WORDS; i++)
		words[i] = repeated_rows[_i].word;
	ck_assert_int_eq(parse_by(repeated_rows[_i].table, words, repeated_rows[_i].most), 0);
	ck_assert_uint_eq(*repeated_rows[_i].count, repeated_rows[_i].most);
	ck_assert_int_eq(parse_by(repeated_rows[_i].table, words, repeated_rows[_i].most + 1),
			 -EINVAL);
	ck_assert_str_eq(err.text, repeated_rows[_i].says);
}
END_TEST

/* The kernel may stand anywhere; behind -- all is words; the last of two values counts. */
START_TEST(test_order)
{
	ck_assert_int_eq(parse_line("Image|-c|2|--cpus=3"), 0);
	ck_assert_str_eq(run.machine.kernel, "Image");
	ck_assert_uint_eq(run.machine.cpus, 3);
	ck_assert_int_eq(parse_line("-c2|--|--odd-name"), 0);
	ck_assert_str_eq(run.machine.kernel, "--odd-name");
	ck_assert_int_eq(parse_line("-"), 0);
	ck_assert_str_eq(run.machine.kernel, "-");
	ck_assert_int_eq(parse_line("--append|--root=/dev/vda -x|Image"), 0);
	ck_assert_str_eq(run.machine.append, "--root=/dev/vda -x");
	ck_assert_int_eq(parse_line("--append=|Image"), 0);
	ck_assert_str_eq(run.machine.append, "");
	ck_assert_int_eq(parse_line("--pmu|Image"), 0); /* a switch takes no word */
	ck_assert_str_eq(run.machine.kernel, "Image");
	ck_assert_int_eq(run.machine.pmu, CONFIG_ON);
}
END_TEST

/* A caller of kvmtool (interface of its `run`) is understood. */
START_TEST(test_kvmtool_spellings)
{
	ck_assert_int_eq(parse_line("--kernel|Image|--cpus|2|--params|console=ttyAMA0|--nodefaults|"
				    "--network|mode=none|--loglevel=warning|--mem|256|--pmu|"
				    "--irqchip=gicv3|--initrd|i.cpio"),
			 0);
	ck_assert_str_eq(run.machine.append, "console=ttyAMA0");
	ck_assert_uint_eq(run.machine.mem, 256 * MIB);
	ck_assert_int_eq(run.machine.pmu, CONFIG_ON);
	ck_assert(run.machine.nodefaults);
}
END_TEST

START_TEST(test_help)
{
	static const char *const lines[] = {"--help", "-h", "-c2|--help|--nonsense", "Image|-h"};
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		ck_assert_int_eq(parse_line(lines[i]), 0);
		ck_assert_int_eq(result, OPTIONS_HELP);
	}
	out = open_memstream(&text, &size);
	options_help(&run_table, out);
	fclose(out);
	ck_assert_int_eq(strncmp(text, "Usage: armlet run [OPTIONS] [KERNEL]\n", 37), 0);
	for (const struct option_def *o = run_table.options; o->name; o++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", o->name);
		ck_assert_msg(!o->help || strstr(text, name), "%s", name);
	}
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		ck_assert_msg(strlen(line) <= 100, "%s", line);
	free(text);
}
END_TEST

/* The tables themselves: nothing twice, and each row complete. */
START_TEST(test_tables)
{
	for (const struct option_def *o = tables[_i].table->options; o->name; o++) {
		for (const struct option_def *p = o + 1; p->name; p++) {
			ck_assert_str_ne(o->name, p->name);
			ck_assert_msg(!o->letter || o->letter != p->letter, "--%s and --%s",
				      o->name, p->name);
		}
		ck_assert_msg(o->letter != 'h' && strcmp(o->name, "help") != 0, "--%s", o->name);
		ck_assert_msg(o->offset < tables[_i].size, "--%s", o->name);
		ck_assert_int_eq(!o->argument, o->type == OPTION_FLAG);
		if (o->type == OPTION_CHOICE || o->type == OPTION_SWITCH)
			ck_assert_ptr_nonnull(o->choices);
		if (o->type == OPTION_U32)
			ck_assert_uint_le(o->max, UINT32_MAX);
		if (o->type == OPTION_STRINGS || o->type == OPTION_FILES ||
		    o->type == OPTION_LIST || o->type == OPTION_RECORDS)
			ck_assert_uint_ne(o->max * o->count_offset, 0);
		ck_assert_int_eq(!o->record, o->type != OPTION_RECORDS);
		ck_assert(!o->power_of_two || o->type == OPTION_U32);
		for (const char *c = o->name; *c; c++)
			ck_assert(islower(*c) || isdigit(*c) || *c == '-');
	}
}
END_TEST

/* A table that takes no word of its own. */
static const struct option_def few[] = {
	{.name = "flag", .type = OPTION_FLAG, .offset = 0, .help = "a flag"}, {0}};
static const struct option_table few_table = {
	.command = "few", .usage = "", .summary = "few", .options = few};

START_TEST(test_no_positional)
{
	char word[] = "word";
	char *argv[] = {(char *)"few", word, NULL};
	bool flag = false;

	ck_assert_int_eq(options_parse(&few_table, 2, argv, &flag, &result, &err), -EINVAL);
	ck_assert_str_eq(err.text, "'word' is not an option, and `armlet few` takes no more");
	argv[1] = (char *)"--flag";
	ck_assert_int_eq(options_parse(&few_table, 2, argv, &flag, &result, &err), 0);
	ck_assert(flag);
	ck_assert_int_eq(options_parse(&few_table, 0, argv, &flag, &result, &err), 0);
}
END_TEST

/* ---- armlet test ------------------------------------------------------ */

/* Behind -- is the command, whatever it looks like. */
static const struct {
	const char *line;
	const char *words; /* a '|' between */
} command_rows[] = {
	{"", ""},
	{"--", ""},
	{"--|make", "make"},
	{"-c2|--|make|-j4|--help|-h|-c|3", "make|-j4|--help|-h|-c|3"},
	{"--|-c|3", "-c|3"},
	{"--|--", "--"},
	{"--|a|--|b", "a|--|b"},
	{"--|-", "-"},
	{"--|sh|-c||x y", "sh|-c||x y"},
	{"--|--zzzzzzzz|--cpus=0", "--zzzzzzzz|--cpus=0"},
	{"--env|--|--|x", "x"}, /* the first is the value */
};

START_TEST(test_command)
{
	char joined[256] = "";

	ck_assert_int_eq(parse_line_by(1, command_rows[_i].line), 0);
	ck_assert_int_eq(result, OPTIONS_OK);
	for (size_t i = 0, used = 0; i < test.options.word_count; i++)
		used += (size_t)snprintf(joined + used, sizeof(joined) - used, "%s%s", i ? "|" : "",
					 test.options.words[i]);
	ck_assert_str_eq(joined, command_rows[_i].words);
	ck_assert_ptr_null(test.run.options.machine.kernel);
}
END_TEST

START_TEST(test_too_many_words)
{
	static char *argv[TEST_WORDS_MAX + 4];
	static char dashes[] = "--", word[] = "word";

	argv[0] = word;
	argv[1] = dashes;
	for (size_t i = 0; i <= TEST_WORDS_MAX; i++)
		argv[2 + i] = word;
	begin();
	ck_assert_int_eq(options_parse(&test_table, TEST_WORDS_MAX + 2, argv, &test, &result, &err),
			 0);
	ck_assert_uint_eq(test.options.word_count, TEST_WORDS_MAX);
	begin();
	ck_assert_int_eq(options_parse(&test_table, TEST_WORDS_MAX + 3, argv, &test, &result, &err),
			 -EINVAL);
	ck_assert_str_eq(err.text, "--command: given more than 4000 times");
}
END_TEST

/* What the test is, and what its machine is. */
START_TEST(test_of_test)
{
	const struct test_options *options = &test.options;
	const struct run_options *of_run = &test.run.options;

	ck_assert_int_eq(parse_line_by(1,
				       "-t|9|--root|/srv:fs=9p|-e|A=1|-eB|--env=C=|--fail-on=all|"
				       "--rw|-w/tmp|-u|nobody:tty|-o|out|-V|--tty=off|"
				       "--boot-timeout=5|--quiet-timeout|6|--modules|lib|"
				       "--modprobe=x|--modprobe|y|--env-file|f"),
			 0);
	ck_assert_uint_eq(of_run->timeout, 9);
	ck_assert_str_eq(options->root, "/srv:fs=9p");
	ck_assert_uint_eq(options->environment_count, 3);
	ck_assert_str_eq(options->environment[0], "A=1");
	ck_assert_str_eq(options->environment[1], "B");
	ck_assert_str_eq(options->environment[2], "C=");
	ck_assert_str_eq(options->environment_file, "f");
	ck_assert_str_eq(options->fail_on, "all");
	ck_assert_str_eq(options->directory, "/tmp");
	ck_assert_str_eq(options->user, "nobody:tty");
	ck_assert_str_eq(options->output, "out");
	ck_assert(options->writable && options->verbose);
	ck_assert_int_eq(options->terminal, CONFIG_OFF);
	ck_assert_uint_eq(options->boot_timeout, 5);
	ck_assert_uint_eq(options->quiet_timeout, 6);
	ck_assert_str_eq(options->modules, "lib");
	ck_assert_uint_eq(options->more_module_count, 2);
	ck_assert_str_eq(options->more_modules[1], "y");
	ck_assert_uint_eq(options->word_count, 0);
}
END_TEST

START_TEST(test_machine_of_test)
{
	const struct machine_config *config = &test.run.options.machine;

	ck_assert_int_eq(parse_line_by(1, "-k|Image|-m|2G|-c4|-v|/srv:data:ro|--append=loglevel=8|"
					  "--loglevel=debug|--|-m|1G"),
			 0);
	ck_assert_str_eq(config->kernel, "Image");
	ck_assert_uint_eq(config->mem, 2 * GIB);
	ck_assert_uint_eq(config->cpus, 4);
	ck_assert_uint_eq(config->volume_count, 1);
	ck_assert_str_eq(config->append, "loglevel=8");
	ck_assert_int_eq(test.run.options.log_level, LOG_LEVEL_DEBUG);
	ck_assert_uint_eq(test.options.word_count, 2);
}
END_TEST

static const struct {
	const char *line;
	const char *says;
} refused_tests[] = {
	{"make", "'make' is no option; a command stands behind --, as in -- make"},
	{"-c2|make|--|x", "'make' is no option; a command stands behind --, as in -- make"},
	{"-", "'-' is no option; a command stands behind --, as in -- -"},
	{"--rot=/", "unknown option --rot; did you mean --root?"},
	{"--zzzzzzzz", "unknown option --zzzzzzzz; `armlet test --help` lists them all"},
	{"-z|--", "unknown option -z; `armlet test --help` lists them all"},
	{"-e", "--env needs a value: --env NAME[=VALUE]"},
	{"--root", "--root needs a value: --root DIR|DISK|none"},
	{"--rw=yes", "--rw takes no value, but was given 'yes'"},
	{"-t0", "--timeout: '0' is not a number from 1 to 4294967295"},
	{"--boot-timeout=x", "--boot-timeout: 'x' is not a number from 1 to 4294967295"},
	{"--quiet-timeout=0", "--quiet-timeout: '0' is not a number from 1 to 4294967295"},
	{"--tty=maybe", "--tty: 'maybe' is not one of auto on off"},
	{"-c0", "--cpus: '0' is not a number from 1 to 512"},
};

START_TEST(test_refused_tests)
{
	ck_assert_int_eq(parse_line_by(1, refused_tests[_i].line), -EINVAL);
	ck_assert_str_eq(err.text, refused_tests[_i].says);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_defaults),
	UNIT_LOOP(test_every_spelling, ARRAY_SIZE(tables)),
	UNIT_LOOP(test_refused, ARRAY_SIZE(refused_rows)),
	UNIT_CASE(test_disks),
	UNIT_LOOP(test_bad_disks, ARRAY_SIZE(bad_disk_rows)),
	UNIT_LOOP(test_repeated, ARRAY_SIZE(repeated_rows)),
	UNIT_CASE(test_order),
	UNIT_CASE(test_kvmtool_spellings),
	UNIT_CASE(test_help),
	UNIT_LOOP(test_tables, ARRAY_SIZE(tables)),
	UNIT_CASE(test_no_positional),
	UNIT_LOOP(test_command, ARRAY_SIZE(command_rows)),
	UNIT_CASE(test_too_many_words),
	UNIT_CASE(test_of_test),
	UNIT_CASE(test_machine_of_test),
	UNIT_LOOP(test_refused_tests, ARRAY_SIZE(refused_tests)),
	{0},
};
const char unit_name[] = "options";
