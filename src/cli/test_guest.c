/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Talking to the guest's init
 *
 * The port of trial/wire.h is a socket pair: one end is the machine's (--port NAME=fd:N), the
 * other is watched here, in the main thread. Output of the command goes to two consoles
 * (control/console.h), which neither block nor grow: while one of them has no room, the
 * channel is not read, and so in the end the command waits. Input is taken from the first of
 * them when the channel has room.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/log.h"
#include "base/now.h"
#include "machine/dump.h"
#include "test.h"

#define READ_SIZE        (64 * KIB)
#define BLOCKED_POLL_NS  (10 * UINT64_C(1000000))
#define SECOND_NS        UINT64_C(1000000000)
#define PANIC_SECONDS    5 /* from the first word of it to the last */
#define MUTE_SECONDS     1 /* that its first word may come behind pvpanic's */
#define DUMP_SECONDS     600
#define FAREWELL_SECONDS 15 /* that the guest may take to power off, when it has said all */

/* ---- To the guest ----------------------------------------------------- */

/* Write what is begun; true: there is room for more. */
static bool send_on(struct test *test)
{
	while (test->sending_first < test->sending_size) {
		ssize_t n =
			send(test->fd, test->sending + test->sending_first,
			     test->sending_size - test->sending_first, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno == EAGAIN)
				event_source_modify(&test->channel,
						    test->channel.events | EVENT_WRITE);
			return false;
		}
		test->sending_first += (size_t)n;
	}
	test->sending_first = test->sending_size = 0;
	return true;
}

/* Behind what is begun, if that has room: small ones always do, but for hostile guests. */
static void send_frame(struct test *test, enum wire_kind kind, const void *payload, size_t size)
{
	uint32_t header = wire_pack(kind, size);

	if (test->sending_size + WIRE_HEADER + size > sizeof(test->sending))
		return;
	memcpy(test->sending + test->sending_size, &header, WIRE_HEADER);
	if (size)
		memcpy(test->sending + test->sending_size + WIRE_HEADER, payload, size);
	test->sending_size += WIRE_HEADER + size;
	send_on(test);
}

/* Input is no more than this, so that there is room for a signal behind it. */
#define INPUT_PIECE (WIRE_PAYLOAD / 2)

void test_take_input(struct test *test)
{
	const struct char_port port = console_port(test->run.console);
	uint8_t piece[INPUT_PIECE];

	while (test->started && !test->input_over && send_on(test)) {
		size_t size = char_port_take(&port, piece, sizeof(piece));

		if (!size && !console_input_ended(test->run.console))
			return;
		test->input_over = !size;
		send_frame(test, WIRE_STDIN, piece, size);
	}
}

void test_pass_size(struct test *test, uint16_t columns, uint16_t rows)
{
	const struct wire_size size = {.columns = columns, .rows = rows};

	if (test->terminal && test->started)
		send_frame(test, WIRE_SIZE, &size, sizeof(size));
}

bool test_take_signal(struct test *test, int number)
{
	const uint8_t byte = (uint8_t)number;

	if (!test->started || test->signalled || test->has_exit)
		return false;
	test->signalled = true;
	log_info("signal %d is passed on to the command; a second one ends the machine", number);
	send_frame(test, WIRE_SIGNAL, &byte, 1);
	return true;
}

/* ---- From the guest --------------------------------------------------- */

static void rearm_quiet(struct test *test)
{
	if (test->options.quiet_timeout && test->started && !test->has_exit)
		event_timer_set(&test->quiet, test->options.quiet_timeout * SECOND_NS, 0);
}

static void take_output(struct test *test, bool errors, const uint8_t *payload, size_t size)
{
	const struct char_port port = console_port(errors ? test->errors : test->run.console);

	char_port_transmit(&port, payload, size);
	test_keep_output(test, errors, payload, size);
	if (!errors)
		test_take_results(test, payload, size);
	rearm_quiet(test);
}

static void take_exit(struct test *test, const uint8_t *payload, size_t size)
{
	if (size != sizeof(test->exit) || test->has_exit)
		return;
	memcpy(&test->exit, payload, sizeof(test->exit));
	test->has_exit = true;
	test->ended_ms = now_ms();
	event_timer_set(&test->quiet, 0, 0);
	event_timer_set(&test->deadline, FAREWELL_SECONDS * SECOND_NS, 0);
	send_frame(test, WIRE_ACK, NULL, 0);
}

static void take_start(struct test *test)
{
	uint16_t columns, rows;

	if (test->started)
		return;
	test->started = true;
	test->started_ms = now_ms();
	event_timer_set(&test->deadline, 0, 0);
	rearm_quiet(test);
	if (test->terminal && terminal_size(STDIN_FILENO, STDOUT_FILENO, &columns, &rows))
		test_pass_size(test, columns, rows);
	test_take_input(test);
}

static void take_sentence(struct test *test, const uint8_t *payload, size_t size)
{
	snprintf(test->sentence, sizeof(test->sentence), "%.*s",
		 (int)min_u64(size, sizeof(test->sentence) - 1), (const char *)payload);
	log_info("%s", test->sentence);
}

static void take_frame(void *data, enum wire_kind kind, const uint8_t *payload, size_t size)
{
	struct test *test = data;

	switch (kind) {
	case WIRE_HELLO:
		test->up = true;
		snprintf(test->release, sizeof(test->release), "%.*s",
			 (int)min_u64(size, sizeof(test->release) - 1), (const char *)payload);
		break;
	case WIRE_STARTED:
		take_start(test);
		break;
	case WIRE_STDOUT:
	case WIRE_STDERR:
		take_output(test, kind == WIRE_STDERR, payload, size);
		break;
	case WIRE_KMSG:
		test_take_record(test, (const char *)payload, size);
		break;
	case WIRE_NOTE:
		log_warning("%.*s", (int)min_u64(size, ERROR_TEXT_MAX), (const char *)payload);
		break;
	case WIRE_SAY:
		take_sentence(test, payload, size);
		break;
	case WIRE_EXIT:
		take_exit(test, payload, size);
		break;
	default:
		break;
	}
}

/* Whether both outputs take more; else they are looked at again soon. */
static bool outputs_settle(struct test *test)
{
	const struct char_port out = console_port(test->run.console);
	const struct char_port errors = console_port(test->errors);
	bool settled = char_port_settle(&out, false);

	return char_port_settle(&errors, false) && settled;
}

static void on_poll(void *data, unsigned events)
{
	struct test *test = data;

	(void)events;
	if (!outputs_settle(test))
		return;
	event_timer_set(&test->poll, 0, 0);
	event_source_modify(&test->channel, test->channel.events | EVENT_READ);
}

static void stop(struct test *test, enum test_verdict verdict, int status, const char *reason)
{
	if (test->verdict == TEST_NONE)
		test->verdict = verdict;
	run_stop(&test->run, status, reason);
}

static void stop_fatally(struct test *test)
{
	stop(test, test->fatal, EXIT_PANICKED, "guest-panic");
}

static void read_channel(struct test *test)
{
	uint8_t bytes[READ_SIZE];
	struct error err = {0};
	ssize_t n = recv(test->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n <= 0)
		return;
	if (frames_feed(&test->frames, bytes, (size_t)n, take_frame, test, &err) < 0) {
		snprintf(test->sentence, sizeof(test->sentence), "%s", err.text);
		event_source_modify(&test->channel, 0);
		stop(test, TEST_FAILED, EXIT_ARMLET_FAILED, "host-error");
		return;
	}
	if (outputs_settle(test))
		return;
	event_source_modify(&test->channel, test->channel.events & ~(unsigned)EVENT_READ);
	event_timer_set(&test->poll, BLOCKED_POLL_NS, BLOCKED_POLL_NS);
}

static void on_channel(void *data, unsigned events)
{
	struct test *test = data;

	if (events & EVENT_WRITE) {
		event_source_modify(&test->channel, test->channel.events & ~(unsigned)EVENT_WRITE);
		if (send_on(test))
			test_take_input(test);
	}
	if (events & EVENT_READ)
		read_channel(test);
}

/* ---- Its times -------------------------------------------------------- */

/* What it was doing is in its memory. */
static void end_fatally(struct test *test)
{
	struct error err = {0};
	char path[PATH_MAX];
	const struct machine_dump_options dump = {.path = path, .fd = -1};

	test->dumping = true;
	event_timer_set(&test->deadline, DUMP_SECONDS * SECOND_NS, 0);
	snprintf(path, sizeof(path), "%s/vmcore", test->options.output);
	if (test->options.output && machine_dump(test->run.machine, &dump, &err) == 0)
		return;
	if (test->options.output)
		log_warning("--output: there is no vmcore: %s", err.text);
	stop_fatally(test);
}

static void on_deadline(void *data, unsigned events)
{
	struct test *test = data;

	(void)events;
	if (test->dumping)
		stop_fatally(test);
	else if (test->fatal)
		end_fatally(test);
	else if (test->has_exit)
		run_stop(&test->run, EXIT_SUCCESS, "host-signal");
	else
		stop(test, TEST_NO_BOOT, EXIT_TIMED_OUT, "host-signal");
}

static void on_quiet(void *data, unsigned events)
{
	(void)events;
	stop(data, TEST_QUIET, EXIT_TIMED_OUT, "host-signal");
}

/*
 * Some kernels stay where they are then, and none does anything useful: it is over when the
 * last line is there, or does not come.
 */
void test_take_panic(struct test *test, bool ended)
{
	test->fatal = TEST_PANICKED;
	if (test->dumping)
		return;
	if (ended)
		end_fatally(test);
	else
		event_timer_set(&test->deadline, PANIC_SECONDS * SECOND_NS, 0);
}

static void end_dump(struct test *test)
{
	struct machine_dump_status status;

	machine_dump_status(test->run.machine, &status);
	if (status.state == MACHINE_DUMP_FAILED)
		log_warning("--output: there is no vmcore: %s", status.err.text);
	stop_fatally(test);
}

void test_take_event(struct test *test, enum machine_event event)
{
	if (event == MACHINE_EVENT_DUMP_ENDED && test->dumping)
		end_dump(test);
	if (event == MACHINE_EVENT_WATCHDOG && !test->fatal) {
		test->fatal = TEST_HUNG;
		machine_hang(test->run.machine, &test->hang);
		end_fatally(test);
	}
	/* By pvpanic: of one whose console says more, it says more within that time. */
	if (event == MACHINE_EVENT_PANICKED && !test->fatal) {
		test->fatal = TEST_PANICKED;
		event_timer_set(&test->deadline, MUTE_SECONDS * SECOND_NS, 0);
	}
}

void test_timed_out(struct test *test)
{
	stop(test, TEST_TIMED_OUT, EXIT_TIMED_OUT, "host-signal");
}

int test_start(struct test *test, struct error *err)
{
	int r;

	test->began_ms = now_ms();
	r = test_begin_samples(test, err);
	if (r < 0 || test->options.kunit)
		return r;
	r = event_timer_set(&test->deadline, test->options.boot_timeout * SECOND_NS, 0);
	return r < 0 ? error_set_errno(err, -r, "--boot-timeout") : 0;
}

/* ---- Beginning and end ------------------------------------------------ */

static int add_timer(struct test *test, struct event_source *source,
		     void (*callback)(void *, unsigned), struct error *err)
{
	int r;

	*source = (struct event_source){.fd = -1, .callback = callback, .data = test};
	r = event_loop_add_timer(test->run.loop, source, CLOCK_MONOTONIC);
	return r < 0 ? error_set_errno(err, -r, "a timer") : 0;
}

static int open_channel(struct test *test, struct error *err)
{
	struct machine_config *config = &test->run.options.machine;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(err, errno, "the channel to the guest");
	test->fd = pair[0];
	test->port_fd = pair[1];
	snprintf(test->port, sizeof(test->port), WIRE_PORT "=fd:%d", test->port_fd);
	config->ports[config->port_count++] = test->port;
	test->channel = (struct event_source){.fd = -1, .callback = on_channel, .data = test};
	r = event_loop_add(test->run.loop, &test->channel, test->fd, EVENT_READ);
	return r < 0 ? error_set_errno(err, -r, "the channel to the guest") : 0;
}

int test_open(struct test *test, struct error *err)
{
	struct event_loop *loop = test->run.loop;
	const struct line_port_options lines = {
		.loop = loop, .line = test_take_console, .data = test};
	int r = console_create(loop, STDIN_FILENO, STDOUT_FILENO, &test->run.console, err);

	if (r == 0)
		r = console_create(loop, -1, STDERR_FILENO, &test->errors, err);
	if (r == 0)
		r = line_port_create(&lines, &test->lines, err);
	if (r == 0 && !test->options.kunit)
		r = open_channel(test, err);
	if (r == 0)
		r = add_timer(test, &test->poll, on_poll, err);
	if (r == 0)
		r = add_timer(test, &test->deadline, on_deadline, err);
	return r < 0 ? r : add_timer(test, &test->quiet, on_quiet, err);
}

void test_drain(struct test *test)
{
	const struct char_port out = console_port(test->run.console);
	const struct char_port errors = console_port(test->errors);

	char_port_drain(&out);
	char_port_drain(&errors);
}

void test_abandon(struct test *test)
{
	if (test->errors)
		console_abandon(test->errors);
}

void test_leave(struct test *test)
{
	event_source_remove(&test->channel);
	event_source_remove(&test->poll);
	event_source_remove(&test->deadline);
	event_source_remove(&test->quiet);
	event_source_remove(&test->sampler);
	line_port_destroy(test->lines);
	console_destroy(test->errors);
	test->lines = NULL;
	test->errors = NULL;
}

void test_close(struct test *test)
{
	close_fd(test->fd);
	close_fd(test->port_fd);
	close_fd(test->initrd_fd);
	free(test->append);
	kconfig_finish(&test->kconfig);
	while (test->mount_count)
		free(test->mounts[--test->mount_count]);
	backtrace_finish(&test->backtrace);
	klog_destroy(test->klog);
	test_close_results(test);
	test_close_output(test, &(struct error){0});
}
