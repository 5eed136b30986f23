/* SPDX-License-Identifier: Apache-2.0 */
#include "console_bench.h"

#include <check.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct console_bench bench;

static void on_ready(void *data)
{
	(void)data;
	bench.ready++;
}

static void on_key(void *data, enum console_key key)
{
	(void)data;
	strncat(bench.keys, &"xpb"[key], 1);
}

void open_console(int in_fd, int out_fd)
{
	const struct console_callbacks callbacks = {.input_ready = on_ready, .key = on_key};
	struct error err = {0};

	signal(SIGPIPE, SIG_IGN);
	bench = (struct console_bench){.timer.fd = -1, .terminal.fd = isatty(in_fd) ? in_fd : -1};
	ck_assert_int_eq(event_loop_create(&bench.loop, &err), 0);
	ck_assert_int_eq(console_create(bench.loop, in_fd, out_fd, &bench.console, &err), 0);
	bench.port = console_port(bench.console);
	ck_assert_int_eq(console_start(bench.console, &bench.terminal, &callbacks, &err), 0);
}

void close_console(void)
{
	console_destroy(bench.console);
	event_source_remove(&bench.timer);
	event_loop_destroy(bench.loop);
}

static void on_timer(void *data, unsigned events)
{
	(void)events;
	event_loop_stop(data);
}

void run_for(unsigned ms)
{
	if (!bench.timer.loop) {
		bench.timer =
			(struct event_source){.fd = -1, .callback = on_timer, .data = bench.loop};
		event_loop_add_timer(bench.loop, &bench.timer, CLOCK_MONOTONIC);
	}
	event_timer_set(&bench.timer, ms * UINT64_C(1000000), 0);
	event_loop_run(bench.loop);
}

void open_sink(enum sink sink, int fds[2])
{
	struct termios raw;

	switch (sink) {
	case SINK_PIPE:
		ck_assert_int_eq(pipe(fds), 0);
		break;
	case SINK_SOCKET:
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		break;
	case SINK_TERMINAL:
		memset(&raw, 0, sizeof(raw));
		raw.c_cflag = CS8 | CREAD;
		raw.c_cc[VMIN] = 1;
		ck_assert_int_eq(openpty(&fds[0], &fds[1], NULL, &raw, NULL), 0);
		break;
	}
}

uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

int64_t cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
