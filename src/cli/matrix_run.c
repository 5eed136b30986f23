/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The processes of a matrix
 *
 * Each test is this program once more, in a process group of its own: the terminal's signals
 * come to us alone. It reads nothing; what it prints is kept by its --output, and what armlet
 * says of it, in all its tries, in armlet.log beside that. When we are killed it is killed. When
 * we are to end it is told so in three ways, with some seconds in between.
 */
#include "matrix.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/now.h"
#include "options_json.h"
#include "test.h"

#define TICK_MS   1000 /* while something is shown, or has to end */
#define WORDS_MAX 2048 /* bytes, from the end of armlet.log */
#define PREFIX    "armlet test: "

/* ---- Beginning -------------------------------------------------------- */

/* With those above it. */
static int make_folder(char *path, struct error *err)
{
	for (char *at = path + 1;; at++) {
		char end = *at;

		if (end != '/' && end != '\0')
			continue;
		*at = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return error_set_errno(err, errno, "--output: '%s'", path);
		*at = end;
		if (!end)
			return 0;
	}
}

/* What would be taken for this run's if it comes to none of its own. */
static int remove_former(const char *folder, struct error *err)
{
	static const char *const names[] = {"result.json", "junit.xml", "vmcore"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", folder, names[i]) < 0)
			return error_set_errno(err, ENOMEM, "--output");
		if (unlink(path) < 0 && errno != ENOENT)
			return error_set_errno(err, errno, "--output: '%s'", path);
	}
	return 0;
}

/* In its folder; armlet.log is what is told of all tries. */
static int open_log(const struct matrix *matrix, size_t i, int *ret, struct error *err)
{
	_cleanup_free_ char *folder = NULL, *log = NULL;
	int again = matrix->results[i].tries ? 0 : O_TRUNC;
	int r;

	if (asprintf(&folder, "%s/%s", matrix->output, matrix->plan.tests[i].name) < 0 ||
	    asprintf(&log, "%s/armlet.log", folder) < 0)
		return error_set_errno(err, ENOMEM, "--output");
	r = make_folder(folder, err);
	if (r == 0)
		r = remove_former(folder, err);
	if (r < 0)
		return r;
	*ret = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | again, 0666);
	return *ret < 0 ? error_set_errno(err, errno, "--output: '%s'", log) : 0;
}

static _Noreturn void become(const struct matrix *matrix, char **words, int log, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setpgid(0, 0);
	sigprocmask(SIG_SETMASK, &matrix->signals_as, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_ARMLET_FAILED);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
	    dup2(log, STDERR_FILENO) >= 0) {
		execv("/proc/self/exe", words);
		dprintf(STDERR_FILENO, PREFIX "it cannot be started: %s\n", strerror(errno));
	}
	_exit(EXIT_ARMLET_FAILED);
}

static int begin(struct matrix *matrix, size_t i, struct error *err)
{
	struct matrix_result *result = &matrix->results[i];
	_cleanup_close_ int log = -EBADF;
	pid_t parent = getpid();
	int r = open_log(matrix, i, &log, err);

	if (r < 0)
		return r;
	result->began_ms = now_ms();
	result->pid = fork();
	if (result->pid == 0)
		become(matrix, matrix->plan.tests[i].words, log, parent);
	if (result->pid < 0)
		return error_set_errno(err, errno, "--matrix: no process can be made");
	result->state = MATRIX_RUNNING;
	result->tries++;
	matrix->running++;
	return 0;
}

/* ---- The end of one --------------------------------------------------- */

/* For a terminal. */
static void take_reason(struct matrix_result *result, const char *text)
{
	snprintf(result->reason, sizeof(result->reason), "%s", text);
	for (char *at = result->reason; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == '\x7f')
			*at = '?';
	}
}

/* The last line of armlet.log, for what has left no result. */
static void read_last_words(struct matrix_result *result, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[WORDS_MAX + 1];
	const char *line;
	ssize_t size;
	off_t end;

	end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	if (end < 0)
		return;
	size = pread(fd, text, WORDS_MAX, end > WORDS_MAX ? end - WORDS_MAX : 0);
	if (size <= 0)
		return;
	text[size] = '\0';
	if (text[size - 1] == '\n')
		text[size - 1] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (!strncmp(line, PREFIX, strlen(PREFIX)))
		line += strlen(PREFIX);
	take_reason(result, line);
}

static const char *string_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* What its result.json says; false: it has none. */
static bool read_result(struct matrix_result *result, const char *path)
{
	struct json_object *object = access(path, R_OK) == 0 ? json_object_from_file(path) : NULL;
	const char *verdict = string_member(object, "verdict");
	const char *reason = string_member(object, "reason");

	if (verdict)
		snprintf(result->verdict, sizeof(result->verdict), "%s", verdict);
	if (reason)
		take_reason(result, reason);
	json_object_put(object);
	return verdict != NULL;
}

static void judge(const struct matrix *matrix, size_t i, int status)
{
	struct matrix_result *result = &matrix->results[i];
	_cleanup_free_ char *file = NULL, *log = NULL;
	const char *name = matrix->plan.tests[i].name;
	char text[64];

	result->took_ms = now_ms() - result->began_ms;
	result->verdict[0] = result->reason[0] = '\0';
	if (WIFSIGNALED(status)) {
		result->status = EXIT_SIGNALLED + WTERMSIG(status);
		snprintf(result->verdict, sizeof(result->verdict), "stopped");
		snprintf(text, sizeof(text), "armlet itself was ended by signal %d",
			 WTERMSIG(status));
		take_reason(result, text);
		return;
	}
	result->status = WEXITSTATUS(status);
	if (asprintf(&file, "%s/%s/result.json", matrix->output, name) < 0 ||
	    asprintf(&log, "%s/%s/armlet.log", matrix->output, name) < 0)
		return;
	if (read_result(result, file) && result->status != EXIT_ARMLET_FAILED)
		return;
	snprintf(result->verdict, sizeof(result->verdict), "armlet");
	read_last_words(result, log);
}

static int take_end(struct matrix *matrix, size_t i, int status, struct error *err)
{
	struct matrix_result *result = &matrix->results[i];
	bool again;

	matrix->running--;
	judge(matrix, i, status);
	/* Only what is no verdict on the kernel. */
	again = result->status == EXIT_ARMLET_FAILED && result->tries <= matrix->retries &&
		!matrix->ending;
	result->state = again ? MATRIX_WAITING : MATRIX_ENDED;
	if (!again && result->status == EXIT_SUCCESS)
		matrix->passed++;
	else if (!again)
		matrix->failed++;
	matrix_view_tell(matrix, i);
	return again ? begin(matrix, i, err) : 0;
}

static int reap(struct matrix *matrix, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < matrix->next; i++) {
		struct matrix_result *result = &matrix->results[i];
		int status, ret;

		if (result->state != MATRIX_RUNNING ||
		    waitpid(result->pid, &status, WNOHANG) != result->pid)
			continue;
		ret = take_end(matrix, i, status, r < 0 ? NULL : err);
		r = r < 0 ? r : ret;
	}
	return r;
}

/* ---- The end of all --------------------------------------------------- */

/* How they are told to end, one after the other. */
static const struct way {
	int number;
	int patience_ms;
} ways[] = {
	{SIGTERM, 2000}, /* goes to the command, if that has begun */
	{SIGINT, 8000},  /* to armlet itself */
	{SIGKILL, 1000},
};

static void send_signal(const struct matrix *matrix, int number)
{
	for (size_t i = 0; i < matrix->next; i++) {
		if (matrix->results[i].state == MATRIX_RUNNING)
			kill(matrix->results[i].pid, number);
	}
}

/* The next way of telling them. */
static void end_all(struct matrix *matrix)
{
	const struct way *way = &ways[min_u64(matrix->asked, ARRAY_SIZE(ways) - 1)];

	matrix->ending = true;
	matrix->asked++;
	matrix->patience_ms = now_ms() + way->patience_ms;
	send_signal(matrix, way->number);
}

static void stop_ourselves(struct matrix *matrix)
{
	matrix_view_close(matrix);
	kill(getpid(), SIGSTOP);
}

static void take_signal(struct matrix *matrix, int number)
{
	switch (number) {
	case SIGCHLD:
	case SIGWINCH:
		break; /* both are looked after in each round */
	case SIGTSTP:
		stop_ourselves(matrix);
		break;
	case SIGCONT:
		matrix_view_close(matrix);
		matrix_view_open(matrix);
		break;
	default:
		if (!matrix->ended_by)
			matrix->ended_by = number;
		end_all(matrix);
		break;
	}
}

static void wait_a_round(struct matrix *matrix)
{
	struct pollfd poll_fd = {.fd = matrix->signals, .events = POLLIN};
	struct signalfd_siginfo info;

	poll(&poll_fd, 1, matrix->view.live || matrix->ending ? TICK_MS : -1);
	while (read(matrix->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		take_signal(matrix, (int)info.ssi_signo);
	if (matrix->ending && now_ms() >= matrix->patience_ms)
		end_all(matrix);
}

/* ---- All -------------------------------------------------------------- */

static int open_signals(struct matrix *matrix, struct error *err)
{
	static const int numbers[] = {SIGCHLD, SIGINT,   SIGTERM, SIGHUP,
				      SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT};
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	/* nohup(1) */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		sigdelset(&set, SIGHUP);
	/* Who started us may have ignored it, and then nobody would tell of an end. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, &matrix->signals_as);
	matrix->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return matrix->signals < 0 ? error_set_errno(err, errno, "--matrix: signals") : 0;
}

static int fill(struct matrix *matrix, struct error *err)
{
	int r = 0;

	while (r == 0 && !matrix->ending && matrix->running < matrix->jobs &&
	       matrix->next < matrix->plan.count) {
		r = begin(matrix, matrix->next, err);
		matrix->next++;
	}
	return r;
}

int matrix_run(struct matrix *matrix, struct error *err)
{
	int r = open_signals(matrix, err);
	int ret;

	if (r < 0)
		return r;
	matrix->began_ms = now_ms();
	matrix_view_open(matrix);
	r = fill(matrix, err);
	while (matrix->running) {
		if (r < 0 && !matrix->ending)
			end_all(matrix);
		matrix_view_draw(matrix);
		wait_a_round(matrix);
		ret = reap(matrix, r < 0 ? NULL : err);
		r = r < 0 ? r : ret;
		if (r == 0)
			r = fill(matrix, err);
	}
	matrix_view_close(matrix);
	matrix->signals = close_fd(matrix->signals);
	sigprocmask(SIG_SETMASK, &matrix->signals_as, NULL);
	return r;
}
