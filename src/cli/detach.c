/* SPDX-License-Identifier: Apache-2.0 */
#include "detach.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

static int wait_for_child(pid_t child, int fd)
{
	char word;
	ssize_t size;
	int status;

	do {
		size = read(fd, &word, 1);
	} while (size < 0 && errno == EINTR);
	if (size > 0)
		return EXIT_SUCCESS;
	if (waitpid(child, &status, 0) < 0)
		return EXIT_ARMLET_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNALLED + WTERMSIG(status);
}

static bool become_daemon(void)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	return null >= 0 && setsid() >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	       dup2(null, STDOUT_FILENO) >= 0;
}

bool detach(int *ret_fd, int *ret_status)
{
	struct error err = {0};
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		error_set_errno(&err, errno, "--detach");
		*ret_status = fail_with("run", &err);
		return false;
	}
	child = fork();
	if (child == 0 && become_daemon()) {
		close_fd(ends[0]);
		*ret_fd = ends[1];
		return true;
	}
	close_fd(ends[1]);
	if (child <= 0) {
		error_set_errno(&err, errno, "--detach");
		*ret_status = fail_with("run", &err);
	} else {
		*ret_status = wait_for_child(child, ends[0]);
	}
	close_fd(ends[0]);
	return false;
}

int detach_ready(int *fd, const char *messages, struct error *err)
{
	_cleanup_close_ int log =
		open(messages, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	char word = 0;

	if (log < 0 || dup2(log, STDERR_FILENO) < 0)
		return error_set_errno(err, errno, "%s", messages);
	/* If nobody waits any more, the machine is up all the same. */
	if (write(*fd, &word, 1) < 0)
		errno = 0;
	*fd = close_fd(*fd);
	return 0;
}
