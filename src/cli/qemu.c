/* SPDX-License-Identifier: Apache-2.0 */
/* armlet qemu: what is told by the words of QEMU's command line. */
#include "qemu.h"

#include <fcntl.h>
#include <string.h>

#include "cli.h"

static const struct option_def options[] = {{0}};

const struct option_table qemu_table = {
	.command = "qemu",
	.usage = "[OPTION OF QEMU]...",
	.summary = "run, by the words that QEMU takes",
	.options = options,
};

bool qemu_is_meant(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	return !strcmp(name, "armlet-qemu") || !strcmp(name, "qemu-system-aarch64");
}

static int write_pid(const char *path, struct error *err)
{
	FILE *file = fopen(path, "we");
	bool written = file && fprintf(file, "%d\n", (int)getpid()) > 0;

	/* What is lacking may show at the end only. */
	if (file && fclose(file) != 0)
		written = false;
	return written ? 0 : error_set_errno(err, errno, "-pidfile %s", path);
}

/* The serial port is on standard input and output; here that is a file, and nobody. */
static int redirect(const char *path, struct error *err)
{
	_cleanup_close_ int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		return error_set_errno(err, errno, "-serial file:%s", path);
	return 0;
}

static int run(const struct qemu_command *command)
{
	struct error err = {0};
	int r = command->serial ? redirect(command->serial, &err) : 0;
	int status;

	if (r == 0 && command->pidfile)
		r = write_pid(command->pidfile, &err);
	if (r < 0)
		return fail_with("qemu", &err);
	status = run_words((int)command->count, command->words, true);
	if (command->pidfile)
		unlink(command->pidfile);
	return status;
}

static int grant(const struct qemu_command *command)
{
	switch (command->wish) {
	case QEMU_RUN:
		return run(command);
	case QEMU_PRINT:
		qemu_print(command, stdout);
		break;
	case QEMU_HELP:
		qemu_help(stdout);
		break;
	case QEMU_VERSION:
		puts("armlet " ARMLET_VERSION ", told by the words of qemu-system-aarch64");
		break;
	case QEMU_LIST:
		fputs(command->list, stdout);
		break;
	}
	return EXIT_SUCCESS;
}

int qemu_main(int argc, char **argv)
{
	struct qemu_command command = {0};
	struct error err = {0};
	int status;

	if (qemu_translate(argc, argv, &command, &err) < 0)
		return fail_with("qemu", &err);
	status = grant(&command);
	qemu_command_finish(&command);
	return status;
}
