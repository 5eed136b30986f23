/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Output that neither blocks nor grows
 *
 * transmit() only puts bytes into a buffer: it is called under the lock of a
 * device, and a device must never wait for the world. settle() is called after
 * each batch with no lock held and writes; what the world does not take at
 * once is left to the event loop, and a vCPU that finds more than OUTPUT_MARK
 * bytes left waits there. So the buffer holds at most the mark and a batch for
 * each vCPU, and a guest goes as fast as its reader.
 *
 * Standard output may be shared with other processes, so its own descriptor is
 * never made non-blocking: terminals and pipes are opened anew through
 * /proc/self/fd, sockets are written with MSG_DONTWAIT.
 */
#include "control/console.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/log.h"

#define INPUT_SIZE     4096
#define OUTPUT_INITIAL 4096
#define OUTPUT_MARK    (64 * KIB)
#define CTRL_A         1

struct console {
	struct event_loop *loop;
	bool is_terminal;
	struct console_callbacks callbacks;

	struct event_source input;
	int in_fd;
	bool in_file; /* always ready, so read when it is taken */
	bool in_ended;
	bool in_escape; /* Ctrl-a was typed */

	struct event_source output;
	int out_fd;
	bool out_owned;
	bool out_socket;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t room;
	uint8_t in[INPUT_SIZE];
	size_t in_count;
	bool in_paused; /* the buffer is full: input is not watched */
	uint8_t *out;
	size_t out_first;
	size_t out_count;
	size_t out_size;
	bool watching; /* the event loop waits for room */
	bool draining;
	bool abandoned;
	int out_error;
	uint64_t lost;
};

/* Output. */

/* settle() looks at the count without the lock. */
static void set_out_count(struct console *console, size_t count)
{
	__atomic_store_n(&console->out_count, count, __ATOMIC_RELAXED);
}

static bool grow(struct console *console, size_t need)
{
	size_t size = console->out_size ? console->out_size : OUTPUT_INITIAL;
	uint8_t *grown;

	while (size < need)
		size *= 2;
	grown = malloc(size);
	if (!grown)
		return false;
	if (console->out_count)
		memcpy(grown, console->out + console->out_first, console->out_count);
	free(console->out);
	console->out = grown;
	console->out_first = 0;
	console->out_size = size;
	return true;
}

static void transmit(void *backend, const uint8_t *data, size_t size)
{
	struct console *console = backend;

	pthread_mutex_lock(&console->lock);
	if (!console->out_count)
		console->out_first = 0;
	if (console->abandoned || console->out_error ||
	    (console->out_first + console->out_count + size > console->out_size &&
	     !grow(console, console->out_count + size))) {
		console->lost += size;
	} else {
		memcpy(console->out + console->out_first + console->out_count, data, size);
		set_out_count(console, console->out_count + size);
	}
	pthread_mutex_unlock(&console->lock);
}

static ssize_t write_some(const struct console *console, const uint8_t *data, size_t size)
{
	ssize_t n;

	do {
		n = console->out_socket
			    ? send(console->out_fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
			    : write(console->out_fd, data, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void give_up(struct console *console, int code)
{
	if (!console->out_error)
		log_warning("the console's output cannot be written: %s; the guest goes on without",
			    strerror(code));
	console->out_error = code;
	console->lost += console->out_count;
	set_out_count(console, 0);
}

static void watch_output(struct console *console, bool on)
{
	if (console->watching == on)
		return;
	if (on && !console->output.loop) {
		if (event_loop_add(console->loop, &console->output, console->out_fd, EVENT_WRITE) <
		    0)
			return;
	} else if (console->output.loop) {
		event_source_modify(&console->output, on ? EVENT_WRITE : 0);
	}
	console->watching = on;
}

/* Write what the world takes now. With the lock held. */
static void flush(struct console *console)
{
	while (console->out_count && !console->out_error) {
		const uint8_t *data = console->out + console->out_first;
		ssize_t n = write_some(console, data, console->out_count);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			give_up(console, (int)-n);
			break;
		}
		console->out_first += (size_t)n;
		set_out_count(console, console->out_count - (size_t)n);
	}
	watch_output(console, console->out_count > 0);
	if (console->out_count <= OUTPUT_MARK)
		pthread_cond_broadcast(&console->room);
	if (console->draining && !console->out_count)
		event_loop_stop(console->loop);
}

static bool settle(void *backend, bool may_wait)
{
	struct console *console = backend;
	bool settled;

	/* Most exits print nothing. */
	if (!__atomic_load_n(&console->out_count, __ATOMIC_RELAXED))
		return true;
	pthread_mutex_lock(&console->lock);
	flush(console);
	while (may_wait && console->out_count > OUTPUT_MARK && !console->abandoned)
		pthread_cond_wait(&console->room, &console->lock);
	settled = console->out_count <= OUTPUT_MARK;
	pthread_mutex_unlock(&console->lock);
	return settled;
}

static void on_output(void *data, unsigned events)
{
	struct console *console = data;

	(void)events;
	pthread_mutex_lock(&console->lock);
	flush(console);
	/* Taken out altogether: that the reader is gone is reported whether asked for or not. */
	if (!console->out_count)
		event_source_remove(&console->output);
	pthread_mutex_unlock(&console->lock);
}

static void drain(void *backend)
{
	struct console *console = backend;

	pthread_mutex_lock(&console->lock);
	flush(console);
	console->draining = true;
	while (console->out_count && !console->abandoned && console->watching) {
		pthread_mutex_unlock(&console->lock);
		event_loop_run(console->loop);
		pthread_mutex_lock(&console->lock);
	}
	console->draining = false;
	pthread_mutex_unlock(&console->lock);
}

void console_abandon(struct console *console)
{
	pthread_mutex_lock(&console->lock);
	flush(console);
	console->abandoned = true;
	console->lost += console->out_count;
	set_out_count(console, 0);
	pthread_cond_broadcast(&console->room);
	if (console->draining)
		event_loop_stop(console->loop);
	pthread_mutex_unlock(&console->lock);
}

static void open_output(struct console *console, int fd)
{
	char path[32];
	struct stat st;
	int own;

	console->out_fd = fd;
	if (fstat(fd, &st) < 0)
		return;
	console->out_socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !isatty(fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return; /* it blocks then, and only its vCPU with it */
	console->out_fd = own;
	console->out_owned = true;
}

/* Input. */

static void print_keys(void)
{
	fputs("\r\n"
	      "Ctrl-a h        this help\r\n"
	      "Ctrl-a x        end the machine at once\r\n"
	      "Ctrl-a p        press the power key (the guest shuts down)\r\n"
	      "Ctrl-a b        send a break (Linux: then a SysRq key)\r\n"
	      "Ctrl-a Ctrl-a   send Ctrl-a to the guest\r\n",
	      stderr);
}

static void handle_key(struct console *console, uint8_t key)
{
	const struct console_callbacks *callbacks = &console->callbacks;

	switch (key) {
	case 'x':
		callbacks->key(callbacks->data, CONSOLE_KEY_EXIT);
		break;
	case 'p':
		callbacks->key(callbacks->data, CONSOLE_KEY_POWER);
		break;
	case 'b':
		callbacks->key(callbacks->data, CONSOLE_KEY_BREAK);
		break;
	case 'h':
	case '?':
		print_keys();
		break;
	default:
		break;
	}
}

/* What of @data is for the guest stays, moved together; returns how many bytes. */
static size_t filter_keys(struct console *console, uint8_t *data, size_t size)
{
	size_t kept = 0;

	for (size_t i = 0; i < size; i++) {
		if (console->in_escape) {
			console->in_escape = false;
			if (data[i] == CTRL_A)
				data[kept++] = CTRL_A;
			else
				handle_key(console, data[i]);
		} else if (data[i] == CTRL_A) {
			console->in_escape = true;
		} else {
			data[kept++] = data[i];
		}
	}
	return kept;
}

static void end_input(struct console *console)
{
	event_source_remove(&console->input);
	console->in_ended = true;
	if (console->callbacks.ended)
		console->callbacks.ended(console->callbacks.data);
}

/* With the lock held; a regular file gives as much as there is room for. */
static void fill_from_file(struct console *console)
{
	while (console->in_file && !console->in_ended && console->in_count < INPUT_SIZE) {
		ssize_t n = read(console->in_fd, console->in + console->in_count,
				 INPUT_SIZE - console->in_count);

		if (n <= 0)
			console->in_ended = true;
		else
			console->in_count += (size_t)n;
	}
}

bool console_input_ended(struct console *console)
{
	bool ended;

	pthread_mutex_lock(&console->lock);
	ended = console->in_ended && !console->in_count;
	pthread_mutex_unlock(&console->lock);
	return ended;
}

static size_t take(void *backend, uint8_t *data, size_t size)
{
	struct console *console = backend;

	pthread_mutex_lock(&console->lock);
	fill_from_file(console);
	if (size > console->in_count)
		size = console->in_count;
	memcpy(data, console->in, size);
	console->in_count -= size;
	memmove(console->in, console->in + size, console->in_count);
	if (console->in_paused && console->in_count < INPUT_SIZE / 2) {
		console->in_paused = false;
		event_loop_add(console->loop, &console->input, console->in_fd, EVENT_READ);
	}
	pthread_mutex_unlock(&console->lock);
	return size;
}

static size_t pending(void *backend)
{
	struct console *console = backend;
	size_t count;

	pthread_mutex_lock(&console->lock);
	fill_from_file(console);
	count = console->in_count;
	pthread_mutex_unlock(&console->lock);
	return count;
}

static void on_input(void *data, unsigned events)
{
	struct console *console = data;
	uint8_t bytes[INPUT_SIZE];
	size_t room;
	ssize_t n;

	(void)events;
	pthread_mutex_lock(&console->lock);
	room = INPUT_SIZE - console->in_count;
	if (!room) {
		/* Taken out altogether: a hangup is reported whether asked for or not. */
		console->in_paused = true;
		event_source_remove(&console->input);
	}
	pthread_mutex_unlock(&console->lock);
	if (!room)
		return;
	n = read(console->in_fd, bytes, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_input(console);
		return;
	}
	if (console->is_terminal)
		n = (ssize_t)filter_keys(console, bytes, (size_t)n);
	pthread_mutex_lock(&console->lock);
	memcpy(console->in + console->in_count, bytes, (size_t)n);
	console->in_count += (size_t)n;
	pthread_mutex_unlock(&console->lock);
	if (n)
		console->callbacks.input_ready(console->callbacks.data);
}

struct char_port console_port(struct console *console)
{
	static const struct char_port_ops ops = {
		.transmit = transmit,
		.take = take,
		.pending = pending,
		.settle = settle,
		.drain = drain,
	};

	return (struct char_port){.ops = &ops, .backend = console};
}

int console_create(struct event_loop *loop, int in_fd, int out_fd, struct console **ret,
		   struct error *err)
{
	struct console *console = calloc(1, sizeof(*console));

	if (!console)
		return error_set_errno(err, ENOMEM, "the console");
	console->loop = loop;
	console->in_fd = in_fd;
	console->input = (struct event_source){.fd = -1, .callback = on_input, .data = console};
	console->output = (struct event_source){.fd = -1, .callback = on_output, .data = console};
	pthread_mutex_init(&console->lock, NULL);
	pthread_cond_init(&console->room, NULL);
	open_output(console, out_fd);
	*ret = console;
	return 0;
}

int console_start(struct console *console, const struct terminal *terminal,
		  const struct console_callbacks *callbacks, struct error *err)
{
	int r;

	console->callbacks = *callbacks;
	console->is_terminal = terminal->fd >= 0;
	/* A terminal that is another job's is not read. */
	console->in_ended = isatty(console->in_fd) && !console->is_terminal;
	if (console->in_ended) {
		end_input(console);
		return 0;
	}
	r = event_loop_add(console->loop, &console->input, console->in_fd, EVENT_READ);
	if (r == -EPERM) {
		console->in_file = true;
		callbacks->input_ready(callbacks->data);
	} else if (r == -EBADF) {
		end_input(console); /* standard input was closed */
	} else if (r < 0) {
		return error_set_errno(err, -r, "standard input cannot be watched");
	}
	return 0;
}

void console_destroy(struct console *console)
{
	if (!console)
		return;
	event_source_remove(&console->input);
	event_source_remove(&console->output);
	if (console->lost)
		log_warning("%" PRIu64 " bytes of the console's output were not written",
			    console->lost);
	if (console->out_owned)
		close_fd(console->out_fd);
	free(console->out);
	pthread_cond_destroy(&console->room);
	pthread_mutex_destroy(&console->lock);
	free(console);
}
