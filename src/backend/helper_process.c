/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/helper_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define FIRST_FD      3
#define WORDS_MAX     (16 * KIB) /* that it can say in all */
#define LAST_MAX      256
#define END_WAIT_MS   5000 /* from asking it to end until it is killed */
#define ENVIRON_EXTRA 3    /* LISTEN_FDS, LISTEN_PID, NULL */

struct helper_process {
	pid_t pid;
	int pidfd;
	int words_fd;
	char name[32];
	char last[LAST_MAX];
};

/* All that the child needs between fork and exec, where nothing can be allocated. */
struct child {
	const struct helper_options *options;
	pid_t parent;
	int words_fd;
	int report_fd; /* takes errno if exec fails, and closes if it does not */
	char listen_fds[32];
	char listen_pid[32];
	char **environ;
};

static void write_pid(char *to)
{
	char digits[16];
	size_t count = 0;

	for (pid_t pid = getpid(); pid; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	while (count)
		*to++ = digits[--count];
	*to = '\0';
}

/* The descriptors to their places, by way of numbers that are in nobody's way. */
static int place_fds(struct child *child)
{
	unsigned count = child->options->fd_count;
	int high = FIRST_FD + (int)count;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int copies[HELPER_FDS_MAX] = {0}, output;

	child->report_fd = fcntl(child->report_fd, F_DUPFD_CLOEXEC, high);
	child->words_fd = fcntl(child->words_fd, F_DUPFD_CLOEXEC, high);
	for (unsigned i = 0; i < count; i++)
		copies[i] = fcntl(child->options->fds[i], F_DUPFD_CLOEXEC, high);
	output = child->options->output ? copies[0] : child->words_fd;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(child->words_fd, STDERR_FILENO) < 0)
		return -errno;
	for (unsigned i = 0; i < count; i++) {
		if (dup2(copies[i], FIRST_FD + (int)i) < 0)
			return -errno;
	}
	return 0;
}

/* As after a fresh start: our own masks and handlers are not its. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(struct child *child)
{
	const struct helper_options *options = child->options;
	int r;

	reset_signals();
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Our death may have come before that. */
	if (getppid() != child->parent)
		_exit(1);
	r = place_fds(child);
	if (r == 0 && options->prepare)
		r = options->prepare(options->data);
	if (r == 0) {
		write_pid(child->listen_pid + strlen(child->listen_pid));
		execvpe(options->argv[0], (char *const *)(uintptr_t)options->argv, child->environ);
		r = -errno;
	}
	if (write(child->report_fd, &r, sizeof(r)) < 0) {
		/* Nobody is there to be told. */
	}
	_exit(1);
}

/* Our environment, and what tells of the descriptors. */
static char **make_environ(struct child *child)
{
	size_t count = 0, kept = 0;
	char **copy;

	while (environ[count])
		count++;
	copy = calloc(count + ENVIRON_EXTRA, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		if (strncmp(environ[i], "LISTEN_", strlen("LISTEN_")) != 0)
			copy[kept++] = environ[i];
	}
	strcpy(child->listen_pid, "LISTEN_PID=");
	snprintf(child->listen_fds, sizeof(child->listen_fds), "LISTEN_FDS=%u",
		 child->options->fd_count);
	if (copy && child->options->activation) {
		copy[kept++] = child->listen_fds;
		copy[kept] = child->listen_pid;
	}
	return copy;
}

int helper_process_file(size_t size)
{
	_cleanup_close_ int fd = memfd_create("helper", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* What came of exec(): 0 or -errno. */
static int read_report(int fd)
{
	int r = 0;
	ssize_t got;

	do
		got = read(fd, &r, sizeof(r));
	while (got < 0 && errno == EINTR);
	return got == sizeof(r) ? r : 0;
}

static int spawn(struct helper_process *helper, struct child *child)
{
	_cleanup_free_ char **variables = make_environ(child);
	_cleanup_close_ int report = -EBADF;
	int report_fds[2];

	if (!variables)
		return -ENOMEM;
	if (pipe2(report_fds, O_CLOEXEC) < 0)
		return -errno;
	report = report_fds[0];
	child->environ = variables;
	child->report_fd = report_fds[1];
	helper->pid = fork();
	if (helper->pid == 0)
		run_child(child);
	close_fd(report_fds[1]);
	if (helper->pid < 0)
		return -errno;
	helper->pidfd = pidfd_open(helper->pid, 0);
	if (helper->pidfd < 0)
		return -errno;
	return read_report(report);
}

int helper_process_start(const struct helper_options *options, struct helper_process **ret)
{
	struct child child = {.options = options, .parent = getpid()};
	struct helper_process *helper;
	int r;

	if (options->fd_count > HELPER_FDS_MAX)
		return -EINVAL;
	helper = calloc(1, sizeof(*helper));
	if (!helper)
		return -ENOMEM;
	helper->pidfd = -EBADF;
	snprintf(helper->name, sizeof(helper->name), "%s: ", options->argv[0]);
	helper->words_fd = helper_process_file(WORDS_MAX);
	child.words_fd = helper->words_fd;
	r = helper->words_fd < 0 ? helper->words_fd : spawn(helper, &child);
	if (r < 0) {
		helper_process_end(helper, 0);
		return r;
	}
	*ret = helper;
	return 0;
}

int helper_process_fd(const struct helper_process *helper)
{
	return helper->pidfd;
}

bool helper_process_wait(const struct helper_process *helper, int timeout_ms)
{
	struct pollfd polled = {.fd = helper->pidfd, .events = POLLIN};
	int r;

	do
		r = poll(&polled, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

/* The last line with the program's name in front, else the last one: hints may follow. */
static const char *telling_line(const struct helper_process *helper, char *text)
{
	size_t name = strlen(helper->name);
	const char *last = "", *named = NULL;
	char *save;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		last = line;
		if (strncmp(line, helper->name, name) == 0)
			named = line + name;
	}
	return named ? named : last;
}

const char *helper_process_last_words(struct helper_process *helper)
{
	_cleanup_free_ char *text = calloc(1, WORDS_MAX + 1);

	helper->last[0] = '\0';
	if (text && pread(helper->words_fd, text, WORDS_MAX, 0) > 0)
		snprintf(helper->last, sizeof(helper->last), "%s", telling_line(helper, text));
	return helper->last;
}

/* With those that it has started, as soon as it leads them. */
static void signal_all(const struct helper_process *helper, int number)
{
	if (kill(-helper->pid, number) < 0)
		kill(helper->pid, number);
}

void helper_process_end(struct helper_process *helper, int grace_ms)
{
	if (!helper)
		return;
	if (helper->pid > 0) {
		if (helper->pidfd < 0 || !helper_process_wait(helper, grace_ms)) {
			signal_all(helper, SIGTERM);
			signal_all(helper, SIGCONT); /* who is stopped does not hear */
			if (helper->pidfd < 0 || !helper_process_wait(helper, END_WAIT_MS))
				signal_all(helper, SIGKILL);
		}
		while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR) {
			/* Again. */
		}
	}
	close_fd(helper->pidfd);
	close_fd(helper->words_fd);
	free(helper);
}
