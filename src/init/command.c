/* SPDX-License-Identifier: Apache-2.0 */
/* The command: its descriptors, who it is, and its first instruction. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "init.h"

#define PASSWD_MAX   65536
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the command and we have of the same pipes. */
struct ends {
	int ours[3];
	int its[3];
};

struct identity {
	unsigned long user;
	unsigned long group;
};

/* ---- Before it is there ----------------------------------------------- */

/* Ours never waits; its does, as a program expects. */
static void set_nonblocking(int fd)
{
	SYS3(fcntl, fd, F_SETFL, SYS3(fcntl, fd, F_GETFL, 0) | O_NONBLOCK);
}

static long make_pipes(struct ends *ends)
{
	for (int i = 0; i < 3; i++) {
		int pair[2] = {-1, -1};
		long r = SYS2(pipe2, pair, O_CLOEXEC);

		if (r < 0)
			return r;
		ends->its[i] = pair[i != 0];
		ends->ours[i] = pair[i == 0];
		set_nonblocking(ends->ours[i]);
	}
	return 0;
}

static long make_terminal(const struct job *job, struct ends *ends)
{
	const struct winsize size = {.ws_col = (unsigned short)job->columns,
				     .ws_row = (unsigned short)job->rows};
	int unlock = 0;
	long fd = SYS4(openat, AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_CLOEXEC | O_NOCTTY, 0);
	long peer = fd < 0 ? fd : SYS3(ioctl, fd, TIOCSPTLCK, &unlock);

	if (peer >= 0)
		peer = SYS3(ioctl, fd, TIOCGPTPEER, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (peer < 0)
		return peer;
	SYS3(ioctl, fd, TIOCSWINSZ, &size);
	set_nonblocking((int)fd);
	*ends = (struct ends){.ours = {(int)fd, (int)fd, -1},
			      .its = {(int)peer, (int)peer, (int)peer}};
	return 0;
}

/* Tests expect a machine that can talk to itself. */
static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	long fd = SYS3(socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	SYS3(ioctl, fd, SIOCSIFFLAGS, &request);
	SYS1(close, fd);
}

/* ---- Who it is -------------------------------------------------------- */

/* "NAME:x:UID:GID:..." at @line: whether it is @name's; its numbers are in @ret then. */
static bool take_line(char *line, const char *name, struct identity *ret)
{
	char *fields[5] = {line};
	int count = 1;

	for (char *at = line; *at && count < 5; at++) {
		if (*at == ':') {
			*at = '\0';
			fields[count++] = at + 1;
		}
	}
	return count == 5 && text_equal(fields[0], name) && text_number(fields[2], &ret->user) &&
	       text_number(fields[3], &ret->group);
}

static bool find_user(const char *name, struct identity *ret)
{
	static char bytes[PASSWD_MAX];
	long fd = SYS4(openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC, 0);
	size_t size = 0, begin = 0;
	long n;

	while (fd >= 0 && (n = SYS3(read, fd, bytes + size, sizeof(bytes) - 1 - size)) > 0)
		size += (size_t)n;
	SYS1(close, fd);
	/* The last line may lack its end. */
	for (size_t at = 0; at <= size; at++) {
		if (at < size && bytes[at] != '\n')
			continue;
		bytes[at] = '\0';
		if (take_line(bytes + begin, name, ret))
			return true;
		begin = at + 1;
	}
	return false;
}

/* USER or USER:GROUP; a group is a number. */
static long become(const char *text)
{
	struct identity who = {0};
	char user[128];
	char *colon = NULL;
	uint32_t group;

	text_join(user, sizeof(user), text);
	for (char *at = user; *at && !colon; at++)
		colon = *at == ':' ? at : NULL;
	if (colon)
		*colon = '\0';
	if (text_number(user, &who.user))
		who.group = who.user;
	else if (!find_user(user, &who))
		return -EPERM;
	if (colon && !text_number(colon + 1, &who.group))
		return -EPERM;
	group = (uint32_t)who.group;
	if (SYS2(setgroups, 1, &group) < 0 || SYS1(setgid, who.group) < 0 ||
	    SYS1(setuid, who.user) < 0)
		return -EPERM;
	return 0;
}

/* ---- In the new process ----------------------------------------------- */

/* A script without a first line that says what it is: a shell's, as execvp(3) has it. */
static long execute(const char *path, struct job *job)
{
	long r = SYS3(execve, path, job->words, job->environment);

	if (r == -ENOEXEC) {
		const char *words[WORDS_MAX + 2] = {"/bin/sh", path};

		for (size_t i = 1; i < job->word_count; i++)
			words[i + 1] = job->words[i];
		r = SYS3(execve, "/bin/sh", words, job->environment);
		if (r == -ENOENT)
			r = -ENOEXEC;
	}
	return r;
}

static const char *path_of(const struct job *job)
{
	for (size_t i = 0; i < job->environment_count; i++) {
		const char *value = text_behind(job->environment[i], "PATH=");

		if (value)
			return value;
	}
	return DEFAULT_PATH;
}

static bool has_slash(const char *text)
{
	while (*text && *text != '/')
		text++;
	return *text == '/';
}

/* As execvp(3). Returns only with an error. */
static long execute_by_name(struct job *job)
{
	const char *at = path_of(job);
	long error = -ENOENT, r;
	char path[4096];

	if (has_slash(job->words[0]))
		return execute(job->words[0], job);
	for (;;) {
		size_t length = 0;

		while (at[length] && at[length] != ':')
			length++;
		if (length && length + 2 + strlen(job->words[0]) < sizeof(path)) {
			memcpy(path, at, length);
			text_join(path + length, sizeof(path) - length, "/", job->words[0]);
			r = execute(path, job);
			if (r != -ENOENT && r != -ENOTDIR)
				error = r;
		}
		if (!at[length])
			return error;
		at += length + 1;
	}
}

/* What the new process tells of its failure. */
struct report {
	long error;
	char text[256]; /* "": it is the program that could not be executed */
};

static void enter(struct job *job, const struct ends *ends, struct report *report)
{
	const unsigned long nothing = 0;
	const unsigned long usual[4] = {(unsigned long)SIG_DFL};

	SYS0(setsid);
	if (job->terminal)
		SYS3(ioctl, ends->its[0], TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		SYS3(dup3, ends->its[i], i, 0);
	SYS4(rt_sigaction, SIGPIPE, usual, 0, 8);
	SYS4(rt_sigprocmask, SIG_SETMASK, &nothing, 0, 8);
	SYS1(umask, job->mask);
	if (job->user && (report->error = become(job->user)) < 0) {
		text_join(report->text, sizeof(report->text),
			  "the guest's /etc/passwd has no user '", job->user,
			  "', or it is no number of one");
		return;
	}
	if (job->directory && (report->error = SYS1(chdir, job->directory)) < 0) {
		char number[TEXT_NUMBER_MAX];

		text_join(report->text, sizeof(report->text), "the folder '", job->directory,
			  "' cannot be entered in the guest (errno ",
			  text_of(number, (unsigned long)-report->error), ")");
		return;
	}
	report->error = execute_by_name(job);
}

static void close_all(const int fds[3])
{
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			SYS1(close, fds[i]);
	}
}

long start_command(struct init *init)
{
	struct report report = {0};
	struct ends ends;
	int pipe[2] = {-1, -1};
	long r;

	raise_loopback();
	r = init->job.terminal ? make_terminal(&init->job, &ends) : make_pipes(&ends);
	if (r == 0)
		r = SYS2(pipe2, pipe, O_CLOEXEC);
	if (r < 0)
		give_up(init, "the command's descriptors cannot be made", r);
	init->pid = SYS5(clone, SIGCHLD, 0, 0, 0, 0);
	if (init->pid < 0)
		give_up(init, "the command's process cannot be made", init->pid);
	if (init->pid == 0) {
		enter(&init->job, &ends, &report);
		SYS3(write, pipe[1], &report, sizeof(report));
		SYS1(exit_group, 127);
	}
	SYS1(close, pipe[1]);
	close_all(ends.its);
	init->input = ends.ours[0];
	init->outputs = ends.ours[1];
	init->errors = ends.ours[2];
	/* The pipe ends when the command begins. */
	SYS3(read, pipe[0], &report, sizeof(report));
	SYS1(close, pipe[0]);
	if (report.text[0])
		say(init, WIRE_SAY, report.text);
	return -report.error;
}
