/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/parse.h"
#include "qemu_words.h"

#define MAX_OPTIONS 128
#define HELP_COLUMN 30

static const struct qemu_option *find_option(const char *name)
{
	for (const struct qemu_option *o = qemu_options; o->name; o++) {
		if (!strcmp(o->name, name))
			return o;
	}
	return NULL;
}

static int refuse_option(const char *word, const char *name, struct error *err)
{
	const char *names[MAX_OPTIONS] = {0};
	const char *near;
	size_t count = 0;

	for (const struct qemu_option *o = qemu_options; o->name && count < MAX_OPTIONS; o++)
		names[count++] = o->name;
	near = nearest_name(name, names, count);
	if (near)
		return error_set(err, EINVAL,
				 "armlet has not the option %.60s of QEMU; did you "
				 "mean -%s?",
				 word, near);
	return error_set(err, EINVAL,
			 "armlet has not the option %.60s of QEMU; `armlet qemu -help` "
			 "lists those that it has",
			 word);
}

static int take_option(struct qemu *qemu, const struct qemu_option *option, const char *value,
		       struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	int r;

	if (option->refused)
		return error_set(err, EOPNOTSUPP, "%s", option->refused);
	if (option->take)
		return option->take(qemu, value, err);
	if (option->rules) {
		r = qemu_properties_read(value, option->implied, &properties, err);
		return r < 0 ? r : qemu_apply(qemu, &properties, option->rules, NULL, err);
	}
	if (option->word)
		qemu_push(qemu, option->word);
	if (option->word && option->argument)
		qemu_push(qemu, value);
	return 0;
}

/* Whether this word is all that there is to do. */
static bool ends_all(struct qemu *qemu, const struct qemu_option *option, const char *value)
{
	struct qemu_command *command = qemu->command;

	if (!strcmp(option->name, "help") || !strcmp(option->name, "h"))
		command->wish = QEMU_HELP;
	else if (!strcmp(option->name, "version"))
		command->wish = QEMU_VERSION;
	else if (option->list && qemu_is_one_of(value, "help ?"))
		command->wish = QEMU_LIST;
	else
		return false;
	command->list = option->list;
	return true;
}

/* What stands alone is a disk. */
static int take_alone(struct qemu *qemu, const char *word, bool late, struct error *err)
{
	int r = late ? 0 : qemu_take_disk(qemu, word, err);

	return r < 0 ? error_prefix(err, "'%.60s': ", word) : 0;
}

/* All words, for those options that are @late or those that are not. */
static int take_words(struct qemu *qemu, char *const *words, bool late, struct error *err)
{
	for (; *words; words++) {
		const struct qemu_option *option;
		const char *value = NULL;
		int r = 0;

		if (words[0][0] != '-' || !words[0][1]) {
			r = take_alone(qemu, words[0], late, err);
			if (r < 0)
				return r;
			continue;
		}
		option = find_option(words[0] + (words[0][1] == '-' ? 2 : 1));
		if (!option)
			return refuse_option(words[0], words[0] + strspn(words[0], "-"), err);
		if (option->argument) {
			value = *++words;
			if (!value)
				return error_set(err, EINVAL, "-%s needs a value: -%s %s",
						 option->name, option->name, option->argument);
		}
		if (ends_all(qemu, option, value))
			return 0;
		if (option->late == late)
			r = take_option(qemu, option, value, err);
		if (r < 0)
			return error_prefix(err, "-%s: ", option->name);
	}
	return 0;
}

/* What QEMU has if nothing is said, and what is known when all is said. */
static int settle(struct qemu *qemu, struct error *err)
{
	struct qemu_command *command = qemu->command;
	int r = qemu_apply_cpu(qemu, err);

	if (r < 0)
		return r;
	if (qemu->accel && !qemu->kvm)
		return error_set(err, EOPNOTSUPP,
				 "-accel: armlet runs guests by KVM alone; name "
				 "kvm beside the others, or none");
	if (!qemu->mem)
		qemu_push_value(qemu, "--mem", QEMU_MEMORY);
	if (!qemu->console)
		qemu_push_value(qemu, "--console", "none");
	if (!qemu->stdio || !command->serial)
		return 0;
	/* The serial port is on the same standard output then. */
	if (strcmp(command->serial, "/dev/null") != 0)
		return error_set(err, EINVAL,
				 "-serial: it goes where standard output goes, which "
				 "a virtio console has");
	free(steal_ptr(&command->serial));
	return 0;
}

static bool is_over(const struct qemu *qemu)
{
	return qemu->command->wish != QEMU_RUN && qemu->command->wish != QEMU_PRINT;
}

static int translate(struct qemu *qemu, char *const *words, struct error *err)
{
	int r;

	qemu_push(qemu, "run");
	r = take_words(qemu, words, false, err);
	if (r < 0 || is_over(qemu))
		return r;
	qemu_plug_drives(qemu);
	r = take_words(qemu, words, true, err);
	return r < 0 ? r : settle(qemu, err);
}

int qemu_translate(int argc, char *const *argv, struct qemu_command *ret, struct error *err)
{
	struct qemu_command command = {0};
	struct qemu qemu = {.command = &command};
	int r = argc > 0 ? translate(&qemu, argv + 1, err) : 0;

	while (qemu.parts) {
		struct qemu_part *part = qemu.parts;

		qemu.parts = part->next;
		free(part->id);
		free(part->text);
		free(part);
	}
	if (qemu.no_memory)
		r = error_set_errno(err, ENOMEM, "the words of the command line");
	if (r < 0)
		qemu_command_finish(&command);
	else
		*ret = command;
	return r;
}

void qemu_command_finish(struct qemu_command *command)
{
	for (size_t i = 0; i < command->count; i++)
		free(command->words[i]);
	free(command->words);
	free(command->pidfile);
	free(command->serial);
	*command = (struct qemu_command){0};
}

void qemu_help(FILE *out)
{
	fputs("Usage: armlet-qemu [OPTION OF QEMU]... [DISK]\n\n"
	      "Runs the machine that qemu-system-aarch64 would run with these words, by armlet "
	      "run.\n"
	      "Behind each option is what it becomes there; any other is refused.\n\n",
	      out);
	for (const struct qemu_option *o = qemu_options; o->name; o++) {
		char left[80];

		if (!o->help)
			continue;
		snprintf(left, sizeof(left), "  -%s %s", o->name, o->argument ? o->argument : "");
		/* A long one has its text on the next line. */
		if (strlen(left) >= HELP_COLUMN)
			fprintf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", o->help);
		else
			fprintf(out, "%-*s%s\n", HELP_COLUMN, left, o->help);
	}
}

/* As a shell reads it. */
static void print_quoted(const char *word, FILE *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_=+:,./@%";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

void qemu_print(const struct qemu_command *command, FILE *out)
{
	fputs("armlet", out);
	for (size_t i = 0; i < command->count; i++) {
		fputc(' ', out);
		print_quoted(command->words[i], out);
	}
	if (command->serial) {
		fputs(" </dev/null >", out);
		print_quoted(command->serial, out);
	}
	fputc('\n', out);
}
