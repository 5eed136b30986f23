/* SPDX-License-Identifier: Apache-2.0 */
#include "control/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/log.h"

#define GUARDIAN_DISMISSED 'd'

static void set_modes(int fd, const struct termios *modes)
{
	/* TCSADRAIN: what is on its way to the screen is still shown as it was meant. */
	while (tcsetattr(fd, TCSADRAIN, modes) < 0 && errno == EINTR)
		;
}

static void close_all_but(int first, int second)
{
	int low = first < second ? first : second;
	int high = first < second ? second : first;

	if (low > 0)
		close_range(0, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0U, 0);
}

/* The guardian's whole life. */
static _Noreturn void guard(const struct terminal *terminal, int pipe_fd)
{
	char word = 0;
	sigset_t all;
	ssize_t n;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "armlet-tty");
	close_all_but(terminal->fd, pipe_fd);
	do {
		n = read(pipe_fd, &word, 1);
	} while (n < 0 && errno == EINTR);
	if (n > 0 && word == GUARDIAN_DISMISSED)
		_exit(0);
	set_modes(terminal->fd, &terminal->saved);
	n = write(terminal->fd, terminal->farewell, strlen(terminal->farewell));
	_exit(n < 0);
}

static int start_guardian(struct terminal *terminal, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "the terminal's guardian has no pipe");
	terminal->guardian = fork();
	if (terminal->guardian == 0) {
		close_fd(ends[1]);
		guard(terminal, ends[0]);
	}
	close_fd(ends[0]);
	if (terminal->guardian < 0) {
		close_fd(ends[1]);
		return error_set_errno(err, errno, "the terminal's guardian cannot be started");
	}
	terminal->guardian_pipe = ends[1];
	return 0;
}

static void make_raw(struct terminal *terminal)
{
	set_modes(terminal->fd, &terminal->raw);
	terminal->is_raw = true;
	log_set_raw_terminal(true);
}

int terminal_guard(struct terminal *terminal, int fd, const char *farewell, struct error *err)
{
	int r;

	*terminal = (struct terminal){.fd = -1, .guardian_pipe = -EBADF};
	if (!isatty(fd) || tcgetattr(fd, &terminal->saved) < 0)
		return 0;
	/* In the background the terminal is somebody else's. */
	if (tcgetpgrp(fd) != getpgrp())
		return 0;
	terminal->fd = fd;
	terminal->raw = terminal->saved;
	cfmakeraw(&terminal->raw);
	snprintf(terminal->farewell, sizeof(terminal->farewell), "%s", farewell);
	r = start_guardian(terminal, err);
	if (r < 0) {
		terminal->fd = -1;
		return r;
	}
	/* When what started us is killed, nobody else tells us to let go. */
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	return 0;
}

int terminal_init(struct terminal *terminal, int fd, struct error *err)
{
	int r = terminal_guard(terminal, fd, "", err);

	if (r == 0 && terminal->fd >= 0)
		make_raw(terminal);
	return r;
}

void terminal_continue(struct terminal *terminal)
{
	if (terminal->fd >= 0 && tcgetpgrp(terminal->fd) == getpgrp())
		make_raw(terminal);
}

bool terminal_size(int in_fd, int out_fd, uint16_t *ret_columns, uint16_t *ret_rows)
{
	struct winsize size;

	if (ioctl(out_fd, TIOCGWINSZ, &size) < 0 && ioctl(in_fd, TIOCGWINSZ, &size) < 0)
		return false;
	if (!size.ws_col || !size.ws_row)
		return false;
	*ret_columns = size.ws_col;
	*ret_rows = size.ws_row;
	return true;
}

void terminal_finish(struct terminal *terminal)
{
	char word = GUARDIAN_DISMISSED;
	sigset_t block;
	sigset_t before;

	if (terminal->fd < 0)
		return;
	/* From the background, tcsetattr() would stop us. */
	sigemptyset(&block);
	sigaddset(&block, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &block, &before);
	set_modes(terminal->fd, &terminal->saved);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	log_set_raw_terminal(false);
	if (write(terminal->guardian_pipe, &word, 1) < 0)
		log_debug("the terminal's guardian was gone");
	close_fd(terminal->guardian_pipe);
	while (waitpid(terminal->guardian, NULL, 0) < 0 && errno == EINTR)
		;
	terminal->fd = -1;
}
