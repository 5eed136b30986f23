/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pty COMMAND... - runs a command on a terminal of its own, as an interactive
 * shell would, and does with it what standard input says, a line each:
 *
 *	expect TEXT	wait until TEXT is printed (behind what was expected before)
 *	send TEXT	type it; \r, \n, \\ and \xHH are understood
 *	paste FILE	type the file's bytes, as fast as they are taken
 *	raw		wait until the terminal is in another mode than at first
 *	restored	wait until it is as it was at first
 *	kill NAME	send the command (not what it has started) SIGKILL, SIGTSTP ...
 *	killchild NAME	the same to the first child of the command
 *	foreground	make the command the terminal's foreground again, and continue it
 *	status N	wait for the command's end, which must be with status N
 *	sleep N		for N milliseconds
 *	size COLUMNS ROWS	of the terminal's window; the foreground is told
 *
 * All that the terminal prints goes to standard output. A step that fails, or
 * takes longer than 60 seconds ($PTY_SECONDS), ends it with status 1.
 *
 * Three processes: we hold the master; our child leads the terminal's session
 * and waits, like a shell does; the command is its child, in a process group
 * of its own, in the foreground.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX (1 << 20)
#define STEP_MS    60000

static int master;
static int slave; /* kept open, so that its modes can be seen after the end of all */
static struct termios first_modes;
static pid_t command;
static int report; /* pipe: the command's wait status, from the session's leader */
static int orders; /* pipe: to the leader */
static char output[OUTPUT_MAX + 1];
static size_t output_size;
static size_t expected_to; /* where the next expect looks from */
static int ended = -1;     /* the command's status */

static _Noreturn void die(const char *what, const char *detail)
{
	fflush(stdout);
	fprintf(stderr, "\npty: %s %s\n", what, detail);
	exit(1);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static long step_ms(void)
{
	const char *seconds = getenv("PTY_SECONDS");

	return seconds ? atol(seconds) * 1000 : STEP_MS;
}

/* The session's leader. */

static int exit_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static _Noreturn void run_command(char **argv)
{
	setpgid(0, 0);
	/* The leader makes us the foreground; be sure before we start. */
	while (tcgetpgrp(0) != getpgrp())
		usleep(1000);
	signal(SIGTTOU, SIG_DFL);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static _Noreturn void lead(char **argv, int told, int asked)
{
	int status;
	pid_t child;

	setsid();
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		_exit(125);
	dup2(slave, 0);
	dup2(slave, 1);
	dup2(slave, 2);
	signal(SIGTTOU, SIG_IGN);
	close(master);
	close(slave);
	child = fork();
	if (child == 0) {
		close(told);
		close(asked);
		run_command(argv);
	}
	setpgid(child, child);
	tcsetpgrp(0, child);
	status = (int)child;
	if (write(told, &status, sizeof(status)) < 0)
		_exit(125);
	for (;;) {
		struct pollfd order = {.fd = asked, .events = POLLIN};
		char byte;

		if (child && waitpid(child, &status, WNOHANG) == child) {
			tcsetpgrp(0, getpgrp()); /* a shell takes the terminal back */
			status = exit_status(status);
			if (write(told, &status, sizeof(status)) < 0)
				_exit(125);
			child = 0;
		}
		if (poll(&order, 1, 10) <= 0)
			continue;
		if (read(asked, &byte, 1) <= 0)
			_exit(0); /* our parent is done */
		if (child) {
			tcsetpgrp(0, child);
			kill(-child, SIGCONT);
		}
	}
}

/* The master's side. */

static void open_terminal(void)
{
	const char *name;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master) || !(name = ptsname(master)))
		die("no terminal:", strerror(errno));
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &first_modes))
		die("no terminal:", strerror(errno));
	fcntl(master, F_SETFL, O_NONBLOCK);
}

static void start(char **argv)
{
	int told[2], asked[2];
	int pid;

	if (pipe(told) || pipe(asked))
		die("no pipe:", strerror(errno));
	if (fork() == 0) {
		close(told[0]);
		close(asked[1]);
		lead(argv, told[1], asked[0]);
	}
	close(told[1]);
	close(asked[0]);
	report = told[0];
	orders = asked[1];
	if (read(report, &pid, sizeof(pid)) != sizeof(pid))
		die("the command did not start:", argv[0]);
	command = pid;
}

static void take_output(void)
{
	ssize_t n;

	if (output_size > OUTPUT_MAX / 2) {
		size_t drop = expected_to;

		memmove(output, output + drop, output_size - drop);
		output_size -= drop;
		expected_to = 0;
	}
	n = read(master, output + output_size, OUTPUT_MAX - output_size);
	if (n <= 0)
		return;
	fwrite(output + output_size, 1, (size_t)n, stdout);
	output_size += (size_t)n;
}

static void take_report(void)
{
	int status;

	if (ended < 0 && read(report, &status, sizeof(status)) == sizeof(status))
		ended = status;
}

/* One round: whatever is there, or @ms of waiting. */
static void turn(int ms)
{
	struct pollfd fds[] = {{.fd = master, .events = POLLIN}, {.fd = report, .events = POLLIN}};

	poll(fds, 2, ms);
	if (fds[0].revents & POLLIN)
		take_output();
	else if (fds[0].revents)
		usleep(10000); /* nobody has the terminal open */
	if (fds[1].revents & POLLIN)
		take_report();
}

static bool found(const char *text)
{
	const char *at =
		memmem(output + expected_to, output_size - expected_to, text, strlen(text));

	if (!at)
		return false;
	expected_to = (size_t)(at - output) + strlen(text);
	return true;
}

static void expect(const char *text)
{
	long end = now_ms() + step_ms();

	while (!found(text)) {
		if (now_ms() > end)
			die("this was not printed:", text);
		turn(100);
	}
}

static void type(const char *data, size_t size)
{
	long end = now_ms() + step_ms();

	while (size) {
		ssize_t n = write(master, data, size);

		if (n > 0) {
			data += n;
			size -= (size_t)n;
		} else if (now_ms() > end) {
			die("the terminal takes no more", "");
		}
		turn(n > 0 ? 0 : 10);
	}
}

static void send_text(const char *text)
{
	char bytes[4096];
	size_t size = 0;

	while (*text && size < sizeof(bytes)) {
		char c = *text++;

		if (c == '\\' && *text) {
			c = *text++;
			if (c == 'r')
				c = '\r';
			else if (c == 'n')
				c = '\n';
			else if (c == 'x' && isxdigit(text[0]) && isxdigit(text[1])) {
				char hex[3] = {text[0], text[1], 0};

				c = (char)strtol(hex, NULL, 16);
				text += 2;
			}
		}
		bytes[size++] = c;
	}
	type(bytes, size);
}

static void paste(const char *path)
{
	FILE *file = fopen(path, "rb");
	char bytes[4096];
	size_t n;

	if (!file)
		die("cannot read", path);
	while ((n = fread(bytes, 1, sizeof(bytes), file)))
		type(bytes, n);
	fclose(file);
}

static bool modes_as_at_first(void)
{
	struct termios modes;

	if (tcgetattr(slave, &modes))
		die("the terminal is gone:", strerror(errno));
	return modes.c_iflag == first_modes.c_iflag && modes.c_oflag == first_modes.c_oflag &&
	       modes.c_cflag == first_modes.c_cflag && modes.c_lflag == first_modes.c_lflag &&
	       !memcmp(modes.c_cc, first_modes.c_cc, sizeof(modes.c_cc));
}

static void wait_for_modes(bool first, const char *name)
{
	long end = now_ms() + step_ms();

	while (modes_as_at_first() != first) {
		if (now_ms() > end)
			die("the terminal's modes are not", name);
		turn(50);
	}
}

static int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{"KILL", SIGKILL}, {"TERM", SIGTERM}, {"INT", SIGINT},   {"HUP", SIGHUP},
		{"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"CONT", SIGCONT}, {"QUIT", SIGQUIT},
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (!strcmp(signals[i].name, name))
			return signals[i].number;
	}
	die("no such signal:", name);
}

static pid_t child_of(pid_t parent)
{
	char path[64];
	FILE *file;
	int child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%d", &child) != 1)
		die("the command has no child", "");
	fclose(file);
	return child;
}

static void expect_end(int status)
{
	long end = now_ms() + step_ms();
	char text[32];

	while (ended < 0) {
		if (now_ms() > end)
			die("the command goes on", "and on");
		turn(50);
	}
	for (int i = 0; i < 5; i++)
		turn(10); /* the last it printed */
	snprintf(text, sizeof(text), "%d", ended);
	if (ended != status)
		die("the command's status is", text);
}

static void wait_ms(int ms)
{
	long end = now_ms() + ms;

	while (now_ms() < end)
		turn(10);
}

static void resume(void)
{
	if (write(orders, "f", 1) < 0)
		die("the session's leader is gone", "");
}

static void resize(const char *argument)
{
	struct winsize size = {0};

	if (sscanf(argument, "%hu %hu", &size.ws_col, &size.ws_row) != 2)
		die("this is no size:", argument);
	if (ioctl(master, TIOCSWINSZ, &size))
		die("the terminal keeps its size:", strerror(errno));
}

static void step(const char *verb, const char *argument)
{
	if (!strcmp(verb, "expect"))
		expect(argument);
	else if (!strcmp(verb, "send"))
		send_text(argument);
	else if (!strcmp(verb, "paste"))
		paste(argument);
	else if (!strcmp(verb, "raw"))
		wait_for_modes(false, "raw");
	else if (!strcmp(verb, "restored"))
		wait_for_modes(true, "restored");
	else if (!strcmp(verb, "kill"))
		kill(command, signal_number(argument));
	else if (!strcmp(verb, "killchild"))
		kill(child_of(command), signal_number(argument));
	else if (!strcmp(verb, "foreground"))
		resume();
	else if (!strcmp(verb, "status"))
		expect_end(atoi(argument));
	else if (!strcmp(verb, "size"))
		resize(argument);
	else if (!strcmp(verb, "sleep"))
		wait_ms(atoi(argument));
	else
		die("no such step:", verb);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (argc < 2)
		die("usage: pty COMMAND...", "");
	signal(SIGPIPE, SIG_IGN);
	open_terminal();
	start(argv + 1);
	while ((n = getline(&line, &size, stdin)) > 0) {
		char *argument;

		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		argument = strchr(line, ' ');
		if (argument)
			*argument++ = '\0';
		if (line[0] && line[0] != '#')
			step(line, argument ? argument : "");
	}
	fflush(stdout);
	return 0;
}
