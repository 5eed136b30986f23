/* SPDX-License-Identifier: Apache-2.0 */
/* As long as the command runs: what it prints and what it is given, the kernel's log, its end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

#include "init.h"

#define SIGNALFD_INFO    128 /* bytes: struct signalfd_siginfo */
#define FAREWELL_SECONDS 10  /* that the host may take to hear of the end */

enum { POLL_PORT, POLL_OUTPUT, POLL_ERRORS, POLL_KERNEL, POLL_CHILD, POLL_INPUT, POLL_COUNT };

static void close_input(struct init *init)
{
	/* A terminal has one descriptor for both ways; its end is a key. */
	if (init->input >= 0 && !init->job.terminal)
		SYS1(close, init->input);
	init->input = -1;
	init->input_waits = false;
}

/* ---- What the host sends ---------------------------------------------- */

/* Whether all of the present STDIN has gone where it belongs. */
static bool pass_input(struct init *init, const uint8_t *payload, size_t size)
{
	const char end_key = 4; /* Ctrl-d, as termios(3) has VEOF */

	if (!size && init->job.terminal && init->input >= 0)
		SYS3(write, init->input, &end_key, 1);
	if (!size)
		close_input(init);
	while (init->input >= 0 && init->given < size) {
		long n = SYS3(write, init->input, payload + init->given, size - init->given);

		if (n == -EAGAIN) {
			init->input_waits = true;
			return false;
		}
		if (n < 0 && n != -EINTR)
			close_input(init);
		else if (n > 0)
			init->given += (size_t)n;
	}
	init->input_waits = false;
	init->given = 0;
	return true;
}

static void resize(const struct init *init, const uint8_t *payload)
{
	struct wire_size size;
	struct winsize window = {0};

	memcpy(&size, payload, sizeof(size));
	window.ws_col = size.columns;
	window.ws_row = size.rows;
	if (init->job.terminal && init->outputs >= 0)
		SYS3(ioctl, init->outputs, TIOCSWINSZ, &window);
}

/* Whether the frame that is complete in @init->in is done with. */
static bool take_frame(struct init *init, enum wire_kind kind, size_t size)
{
	const uint8_t *payload = init->in + WIRE_HEADER;

	switch (kind) {
	case WIRE_STDIN:
		return init->ended || pass_input(init, payload, size);
	case WIRE_SIZE:
		if (size == sizeof(struct wire_size))
			resize(init, payload);
		return true;
	case WIRE_SIGNAL:
		if (size == 1 && !init->ended)
			SYS2(kill, -init->pid, payload[0]);
		return true;
	case WIRE_ACK:
		init->acknowledged = true;
		return true;
	default:
		return true;
	}
}

static bool take_whole_frame(struct init *init)
{
	uint32_t header;

	memcpy(&header, init->in, WIRE_HEADER);
	if (init->have < WIRE_HEADER || init->have < WIRE_HEADER + wire_size_of(header))
		return false;
	if (take_frame(init, wire_kind_of(header), wire_size_of(header)))
		init->have = 0;
	return true;
}

/* One read of a header or of the rest of a frame: never beyond it. */
static void read_port(struct init *init)
{
	size_t wanted = WIRE_HEADER;
	uint32_t header;
	long n;

	memcpy(&header, init->in, WIRE_HEADER);
	if (init->have >= WIRE_HEADER)
		wanted += wire_size_of(header);
	if (wanted > sizeof(init->in))
		give_up(init, "the host has sent what is no frame", 0);
	n = SYS3(read, init->port, init->in + init->have, wanted - init->have);
	if (n > 0)
		init->have += (size_t)n;
	take_whole_frame(init);
}

/* ---- What the command does -------------------------------------------- */

static void reap(struct init *init, int children)
{
	uint8_t info[SIGNALFD_INFO];
	int status = 0;
	long pid;

	SYS3(read, children, info, sizeof(info));
	while ((pid = SYS4(wait4, -1, &status, WNOHANG, 0)) > 0) {
		if (pid == init->pid) {
			init->ended = true;
			init->status = status;
		}
	}
}

static void relay_or_close(struct init *init, int *fd, enum wire_kind kind)
{
	if (relay(init, *fd, kind))
		return;
	/* The end of a terminal's output is also that of its input. */
	if (init->input == *fd)
		init->input = -1;
	SYS1(close, *fd);
	*fd = -1;
}

static bool has_bytes(int fd)
{
	struct pollfd poll = {.fd = fd, .events = POLLIN};
	const struct timespec now = {0};

	return fd >= 0 && SYS5(ppoll, &poll, 1, &now, 0, 8) > 0;
}

static void drain_log(struct init *init)
{
	for (int i = 0; i < 4096 && has_bytes(init->kernel); i++)
		relay_or_close(init, &init->kernel, WIRE_KMSG);
}

/*
 * What the command has written before it ended. Those that it has left behind may write
 * for ever, so no more than a pipe holds is waited for.
 */
static void drain(struct init *init)
{
	for (int i = 0; i < 64 && has_bytes(init->outputs); i++)
		relay_or_close(init, &init->outputs, WIRE_STDOUT);
	for (int i = 0; i < 64 && has_bytes(init->errors); i++)
		relay_or_close(init, &init->errors, WIRE_STDERR);
	drain_log(init);
}

void open_log(struct init *init)
{
	init->kernel =
		(int)SYS4(openat, AT_FDCWD, "/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	drain_log(init);
	flush_port(init);
}

/* ---- The loop --------------------------------------------------------- */

static void watch(struct pollfd *poll, int fd, bool wanted, short events)
{
	*poll = (struct pollfd){.fd = wanted ? fd : -1, .events = events};
}

static void serve_once(struct init *init, int children, const struct timespec *patience)
{
	struct pollfd polls[POLL_COUNT];
	bool held = init->input_waits && !init->ended;

	watch(&polls[POLL_PORT], init->port, !held, POLLIN);
	watch(&polls[POLL_OUTPUT], init->outputs, !init->ended, POLLIN);
	watch(&polls[POLL_ERRORS], init->errors, !init->ended, POLLIN);
	watch(&polls[POLL_KERNEL], init->kernel, true, POLLIN);
	watch(&polls[POLL_CHILD], children, true, POLLIN);
	watch(&polls[POLL_INPUT], init->input, held, POLLOUT);
	if (SYS5(ppoll, polls, POLL_COUNT, patience, 0, 8) <= 0)
		return;
	if (polls[POLL_OUTPUT].revents)
		relay_or_close(init, &init->outputs, WIRE_STDOUT);
	if (polls[POLL_ERRORS].revents)
		relay_or_close(init, &init->errors, WIRE_STDERR);
	if (polls[POLL_KERNEL].revents)
		relay_or_close(init, &init->kernel, WIRE_KMSG);
	if (polls[POLL_INPUT].revents)
		take_whole_frame(init);
	if (polls[POLL_PORT].revents)
		read_port(init);
	/* Last, so that what was written before is read before. */
	if (polls[POLL_CHILD].revents)
		reap(init, children);
}

static bool has_more(const struct init *init)
{
	return has_bytes(init->outputs) || has_bytes(init->errors) || has_bytes(init->kernel);
}

void send_verdict(struct init *init, enum wire_end end, uint32_t value)
{
	const struct wire_exit verdict = {.end = end, .value = value};
	const struct timespec patience = {.tv_sec = FAREWELL_SECONDS};

	init->ended = true;
	drain(init);
	send_frame(init, WIRE_EXIT, &verdict, sizeof(verdict));
	flush_port(init);
	while (!init->acknowledged) {
		struct pollfd poll = {.fd = init->port, .events = POLLIN};

		if (SYS5(ppoll, &poll, 1, &patience, 0, 8) <= 0 || poll.revents != POLLIN)
			return;
		read_port(init);
	}
}

void serve(struct init *init)
{
	const uint64_t child = UINT64_C(1) << (SIGCHLD - 1);
	long children;

	SYS4(rt_sigprocmask, SIG_BLOCK, &child, 0, 8);
	children = SYS4(signalfd4, -1, &child, 8, O_NONBLOCK | O_CLOEXEC);
	/* It may have ended before anybody listened. */
	reap(init, (int)children);
	while (!init->ended) {
		serve_once(init, (int)children, NULL);
		/* Many small pieces are one write. */
		if (!has_more(init))
			flush_port(init);
	}
	if (WIFSIGNALED(init->status))
		send_verdict(init, WIRE_END_SIGNALLED, (uint32_t)WTERMSIG(init->status));
	else
		send_verdict(init, WIRE_END_EXITED, (uint32_t)WEXITSTATUS(init->status));
}
