/* SPDX-License-Identifier: Apache-2.0 */
/* armlet console: the terminal here, the console of a machine there, until Ctrl-a d. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/terminal.h"
#include "place.h"
#include "verbs.h"

#define PIECE_SIZE 4096
#define CTRL_A     1

struct attachment {
	const char *name;
	int fd; /* of the console */
	struct terminal terminal;
	bool in_escape; /* Ctrl-a was typed */
	bool in_ended;
	bool detached;
};

static const struct option_def options[] = {VERB_WORDS_ROW, {0}};

const struct option_table console_table = {
	.command = "console",
	.usage = "NAME",
	.summary = "attach to the console of a machine in the background",
	.options = options,
	.positional = "words",
	.names = OPTION_NAMES_RUNNING,
	.epilogue =
		"Ctrl-a d leaves the console, and the machine goes on; Ctrl-a h lists the keys.",
};

static int connect_console(const char *name, int *ret, struct error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct place place;
	int r = place_find(name, &place, err);

	if (r < 0)
		return r;
	/* No console has a path that does not fit: it could not have been made. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", place.console);
	place_leave(&place);
	if (fd < 0)
		return error_set_errno(err, errno, "%s", name);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		if (errno == ENOENT)
			return error_set(
				err, ENOENT,
				"%s runs in the foreground, where its console is; machines "
				"with --detach can be attached to",
				name);
		return error_set_errno(err, errno, "%s", addr.sun_path);
	}
	*ret = steal_fd(&fd);
	return 0;
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

static void say(const char *text)
{
	write_all(STDERR_FILENO, text, strlen(text));
}

/* Another connection, so that what it waits for is not in the way of the console. */
static void order(const struct attachment *attachment, const char *command)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct error err = {0};
	int r = verb_connect(attachment->name, &link, &err);

	if (r == 0)
		r = qmp_link_execute(link, command, NULL, NULL, &err);
	if (r < 0) {
		say(err.text);
		say("\r\n");
	}
}

/* The key behind Ctrl-a; false: it is for the guest. */
static bool act_on_key(struct attachment *attachment, char key)
{
	switch (key) {
	case 'd':
		attachment->detached = true;
		return true;
	case 'x':
		order(attachment, "quit");
		return true;
	case 'p':
		order(attachment, "system_powerdown");
		return true;
	case 'h':
	case '?':
		say("Ctrl-a h        this help\r\n"
		    "Ctrl-a d        leave the console; the machine goes on\r\n"
		    "Ctrl-a x        end the machine at once\r\n"
		    "Ctrl-a p        press the power key (the guest shuts down)\r\n"
		    "Ctrl-a Ctrl-a   send Ctrl-a to the guest\r\n");
		return true;
	default:
		return key != CTRL_A;
	}
}

/* What of @data is for the guest stays in it. */
static size_t take_keys(struct attachment *attachment, char *data, size_t size)
{
	size_t kept = 0;

	if (attachment->terminal.fd < 0)
		return size;
	for (size_t i = 0; i < size && !attachment->detached; i++) {
		if (attachment->in_escape) {
			attachment->in_escape = false;
			if (!act_on_key(attachment, data[i]))
				data[kept++] = data[i];
		} else if (data[i] == CTRL_A) {
			attachment->in_escape = true;
		} else {
			data[kept++] = data[i];
		}
	}
	return kept;
}

static int pass_input(struct attachment *attachment)
{
	char data[PIECE_SIZE];
	ssize_t size = read(STDIN_FILENO, data, sizeof(data));

	if (size < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (size == 0) {
		attachment->in_ended = true;
		shutdown(attachment->fd, SHUT_WR);
		return 0;
	}
	size = (ssize_t)take_keys(attachment, data, (size_t)size);
	return write_all(attachment->fd, data, (size_t)size) ? 0 : -errno;
}

/* 1: there is more to come. */
static int pass_output(struct attachment *attachment, struct error *err)
{
	char data[PIECE_SIZE];
	ssize_t size = read(attachment->fd, data, sizeof(data));

	if (size < 0 && errno == EINTR)
		return 1;
	if (size <= 0)
		return 0;
	if (write_all(STDOUT_FILENO, data, (size_t)size))
		return 1;
	return error_set_errno(err, errno, "standard output");
}

static int pass(struct attachment *attachment, struct error *err)
{
	int r = 1;

	while (r > 0 && !attachment->detached) {
		struct pollfd fds[] = {
			{.fd = attachment->fd, .events = POLLIN},
			{.fd = attachment->in_ended ? -1 : STDIN_FILENO, .events = POLLIN},
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			r = pass_output(attachment, err);
		/* A machine that has just ended is found by its output's end. */
		if (r > 0 && fds[1].revents)
			attachment->in_ended |= pass_input(attachment) < 0;
	}
	return r;
}

int console_main(int argc, char **argv)
{
	struct attachment attachment = {.fd = -EBADF, .terminal.fd = -1};
	struct verb_options asked = {0};
	struct error err = {0};
	int status;
	int r;

	if (!parse_or_end(&console_table, argc, argv, &asked, &status))
		return status;
	if (asked.word_count != 1) {
		error_set(&err, EINVAL,
			  "name one machine: armlet console NAME; `armlet ps` lists them");
		return fail_with("console", &err);
	}
	signal(SIGPIPE, SIG_IGN); /* the machine may end while we write */
	attachment.name = asked.words[0];
	r = connect_console(attachment.name, &attachment.fd, &err);
	if (r == 0)
		r = terminal_init(&attachment.terminal, STDIN_FILENO, &err);
	if (r == 0)
		r = pass(&attachment, &err);
	terminal_finish(&attachment.terminal);
	close_fd(attachment.fd);
	if (r < 0)
		return fail_with("console", &err);
	if (attachment.detached)
		say("\narmlet console: left; the machine goes on\n");
	return EXIT_SUCCESS;
}
