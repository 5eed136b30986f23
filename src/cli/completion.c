/* SPDX-License-Identifier: Apache-2.0 */
/* armlet completion SHELL: a completion script, made from the option tables. */
#include <string.h>

#include "cli.h"
#include "control/qmp.h"

const char *const completion_shells[] = {"bash", "zsh", "fish", NULL};

struct completion_options {
	const char *shell;
};

static const struct option_def options[] = {
	{.name = "shell",
	 .argument = "SHELL",
	 .type = OPTION_STRING,
	 .offset = offsetof(struct completion_options, shell)},
	{0},
};

const struct option_table completion_table = {
	.command = "completion",
	.usage = "bash|zsh|fish",
	.summary = "print a completion script for a shell",
	.options = options,
	.positional = "shell",
	.epilogue = "bash: source <(armlet completion bash)\n"
		    "zsh:  source <(armlet completion zsh)\n"
		    "fish: armlet completion fish | source",
};

static bool is_file(const struct option_def *option)
{
	return option->type == OPTION_FILE || option->type == OPTION_FILES ||
	       option->type == OPTION_CONFIG;
}

/* The words that may be an option's value, separated by blanks. */
static void print_choices(const struct option_def *option)
{
	for (size_t i = 0; option->choices[i]; i++)
		printf("%s%s", i ? " " : "", option->choices[i]);
}

/* What prints the names that may follow. */
static const char *const name_commands[] = {
	[OPTION_NAMES_RUNNING] = "armlet ps -q",
	[OPTION_NAMES_KEPT] = "armlet ls -q",
};

static void print_qmp_commands(void)
{
	for (size_t i = 0; qmp_command_name(i); i++)
		printf("%s%s", i ? " " : "", qmp_command_name(i));
}

static void print_words(const struct command *command, const char *before)
{
	for (size_t i = 0; command->words && command->words[i]; i++) {
		printf("%s%s", before, command->words[i]);
		before = " ";
	}
}

static void bash_command(const struct command *command)
{
	printf("\t%s)\n", command->name);
	printf("\t\tcase $previous in\n");
	for (const struct option_def *o = command->table->options; o->name; o++) {
		if (!o->help || !o->argument || o->alone)
			continue;
		printf("\t\t--%s", o->name);
		if (o->letter)
			printf("|-%c", o->letter);
		printf(") ");
		/* The shell's own names of files come where none of the words fits. */
		if (is_file(o))
			printf("compopt -o default; ");
		if (o->choices) {
			printf("words=\"");
			print_choices(o);
			printf("\" ;;\n");
		} else {
			printf("return ;;\n");
		}
	}
	printf("\t\t*) words=\"--help");
	for (const struct option_def *o = command->table->options; o->name; o++) {
		if (o->help)
			printf(" --%s", o->name);
	}
	if (!command->table->names)
		print_words(command, " ");
	printf("\"\n");
	if (command->table->names)
		printf("\t\t\t[[ $word == -* ]] || words=$(%s 2>/dev/null)\n",
		       name_commands[command->table->names]);
	else if (command->table->positional && !command->words)
		printf("\t\t\t[[ $word == -* ]] || { compopt -o default; return; }\n");
	if (command->table->names && command->words) {
		printf("\t\t\t((COMP_CWORD < 3)) || [[ $word == -* ]] || words='");
		print_words(command, "");
		printf("'\n");
	}
	printf("\t\t\t;;\n\t\tesac");
	if (command->table == &ctl_table) {
		printf("\n\t\t((COMP_CWORD < 3)) || words='");
		print_qmp_commands();
		printf("'");
	}
	printf(" ;;\n");
}

static void print_bash(void)
{
	printf("# armlet's completion for bash\n"
	       "_armlet() {\n"
	       "\tlocal word=$2 previous=$3 words=\n"
	       "\tif ((COMP_CWORD == 1)); then\n"
	       "\t\tmapfile -t COMPREPLY < <(compgen -W '");
	for (const struct command *c = commands; c->name; c++)
		printf("%s ", c->name);
	printf("--help --version' -- \"$word\")\n"
	       "\t\treturn\n"
	       "\tfi\n"
	       "\t# --option=VALUE comes as three words\n"
	       "\tif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
	       "\tif [[ $word == = ]]; then word=; fi\n"
	       "\tcase ${COMP_WORDS[1]} in\n");
	for (const struct command *c = commands; c->name; c++)
		bash_command(c);
	printf("\tesac\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	       "}\n"
	       "complete -F _armlet armlet\n");
}

/* Text for a quoted zsh or fish word: what would end or split it is left out. */
static void print_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == ':')
			fputs("\\:", stdout);
		else if (!strchr("'[]\\", *text))
			putchar(*text);
	}
}

static void zsh_option(const struct option_def *option)
{
	printf("\t\t\t'--%s%s[", option->name,
	       !option->argument              ? ""
	       : option_takes_no_word(option) ? "=-"
					      : "=");
	print_quoted(option->help);
	printf("]");
	if (option->argument) {
		printf("%s:%s:", option->alone ? ":" : "",
		       option->type == OPTION_SWITCH ? "value" : option->name);
		if (is_file(option) && option->choices) {
			printf("{compadd ");
			print_choices(option);
			printf("; _files}");
		} else if (is_file(option)) {
			printf("_files");
		} else if (option->choices) {
			printf("(");
			print_choices(option);
			printf(")");
		}
	}
	printf("' \\\n");
}

static void print_zsh(void)
{
	printf("#compdef armlet\n"
	       "# armlet's completion for zsh\n"
	       "_armlet() {\n"
	       "\tlocal -a commands=(\n");
	for (const struct command *c = commands; c->name; c++) {
		printf("\t\t'%s:", c->name);
		print_quoted(c->table->summary);
		printf("'\n");
	}
	printf("\t)\n"
	       "\tif ((CURRENT == 2)); then _describe command commands; return; fi\n"
	       "\tlocal command=$words[2]\n"
	       "\tshift words; ((CURRENT--))\n"
	       "\tcase $command in\n");
	for (const struct command *c = commands; c->name; c++) {
		printf("\t%s)\n\t\t_arguments -s \\\n", c->name);
		for (const struct option_def *o = c->table->options; o->name; o++) {
			if (o->help)
				zsh_option(o);
		}
		if (c->words) {
			if (c->table->names)
				printf("\t\t\t'1:machine:($(%s 2>/dev/null))' \\\n",
				       name_commands[c->table->names]);
			printf("\t\t\t'%s:word:(", c->table->names ? "2" : "1");
			print_words(c, "");
			printf(")' \\\n");
		} else if (c->table->names) {
			printf("\t\t\t'%s:machine:($(%s 2>/dev/null))' \\\n",
			       c->table == &ctl_table ? "1" : "*", name_commands[c->table->names]);
		} else if (c->table->positional) {
			printf("\t\t\t'1:%s:_files' \\\n", c->table->positional);
		}
		if (c->table == &ctl_table) {
			printf("\t\t\t'2:command:(");
			print_qmp_commands();
			printf(")' \\\n");
		}
		printf("\t\t\t'--help[show the help]' ;;\n");
	}
	printf("\tesac\n}\ncompdef _armlet armlet\n");
}

static void fish_option(const char *command, const struct option_def *option)
{
	printf("complete -c armlet -n '__fish_seen_subcommand_from %s' -l %s", command,
	       option->name);
	if (option->letter)
		printf(" -s %c", option->letter);
	if (option->argument && !option_takes_no_word(option))
		printf(is_file(option) ? " -r -F" : " -x");
	if (option->choices) {
		printf(" -a '");
		print_choices(option);
		printf("'");
	}
	printf(" -d '");
	print_quoted(option->help);
	printf("'\n");
}

static void print_fish(void)
{
	printf("# armlet's completion for fish\n");
	for (const struct command *c = commands; c->name; c++) {
		printf("complete -c armlet -f -n __fish_use_subcommand -a %s -d '", c->name);
		print_quoted(c->table->summary);
		printf("'\n");
		for (const struct option_def *o = c->table->options; o->name; o++) {
			if (o->help)
				fish_option(c->name, o);
		}
		if (c->table->names)
			printf("complete -c armlet -f -n '__fish_seen_subcommand_from %s' -a "
			       "'(%s 2>/dev/null)'\n",
			       c->name, name_commands[c->table->names]);
		if (c->table == &ctl_table) {
			printf("complete -c armlet -f -n '__fish_seen_subcommand_from ctl' -a '");
			print_qmp_commands();
			printf("'\n");
		}
		for (size_t i = 0; c->words && c->words[i]; i++)
			printf("complete -c armlet -f -n '__fish_seen_subcommand_from %s' -a %s\n",
			       c->name, c->words[i]);
	}
}

int completion_main(int argc, char **argv)
{
	static void (*const printers[])(void) = {print_bash, print_zsh, print_fish};
	struct completion_options completion = {0};
	struct error err = {0};
	int status;

	if (!parse_or_end(&completion_table, argc, argv, &completion, &status))
		return status;
	for (size_t i = 0; completion.shell && completion_shells[i]; i++) {
		if (!strcmp(completion_shells[i], completion.shell)) {
			printers[i]();
			return EXIT_SUCCESS;
		}
	}
	error_set(&err, EINVAL, "name the shell: armlet completion bash, zsh or fish");
	return fail_with("completion", &err);
}
