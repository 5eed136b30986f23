/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static int capture_fd = -EBADF;
static int saved_stderr = -EBADF;

void capture_stderr(void)
{
	fflush(stderr);
	capture_fd = memfd_create("stderr", MFD_CLOEXEC);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(capture_fd, 0);
	ck_assert_int_eq(dup2(capture_fd, STDERR_FILENO), STDERR_FILENO);
}

const char *captured_stderr(void)
{
	static char text[CAPTURE_MAX];
	ssize_t n;

	fflush(stderr);
	n = pread(capture_fd, text, sizeof(text) - 1, 0);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	dup2(saved_stderr, STDERR_FILENO);
	saved_stderr = close_fd(saved_stderr);
	capture_fd = close_fd(capture_fd);
	return text;
}

unsigned count_text(const char *text, const char *needle)
{
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, needle)); at += strlen(needle))
		count++;
	return count;
}

const char *memory_file(const void *data, size_t size)
{
	static char paths[8][40];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	snprintf(path, sizeof(paths[0]), "/proc/self/fd/%d", fd);
	return path;
}

const char *raw_kernel(void)
{
	static const char bytes[64] = "not a header of any format";

	return memory_file(bytes, sizeof(bytes));
}

static void transmit(void *backend, const uint8_t *data, size_t size)
{
	struct test_port *port = backend;

	pthread_mutex_lock(&port->lock);
	for (size_t i = 0; i < size; i++) {
		if (port->output_count < TEST_PORT_SIZE - 1)
			port->output[port->output_count] = (char)data[i];
		port->output_count++;
	}
	pthread_mutex_unlock(&port->lock);
}

static size_t pending(void *backend)
{
	struct test_port *port = backend;
	size_t count;

	pthread_mutex_lock(&port->lock);
	count = port->input ? strlen(port->input) : 0;
	pthread_mutex_unlock(&port->lock);
	return count;
}

static size_t take(void *backend, uint8_t *data, size_t size)
{
	struct test_port *port = backend;
	size_t count;

	pthread_mutex_lock(&port->lock);
	count = port->input ? min_u64(size, strlen(port->input)) : 0;
	if (count) {
		memcpy(data, port->input, count);
		port->input += count;
	}
	pthread_mutex_unlock(&port->lock);
	return count;
}

static bool settle(void *backend, bool may_wait)
{
	struct test_port *port = backend;
	bool settled;

	pthread_mutex_lock(&port->lock);
	port->settles++;
	settled = port->settled || may_wait;
	pthread_mutex_unlock(&port->lock);
	return settled;
}

static void drain(void *backend)
{
	struct test_port *port = backend;

	port->drains++;
}

void test_port_init(struct test_port *port)
{
	memset(port, 0, sizeof(*port));
	pthread_mutex_init(&port->lock, NULL);
	port->settled = true;
}

struct char_port test_port_of(struct test_port *port)
{
	static const struct char_port_ops ops = {.transmit = transmit,
						 .take = take,
						 .pending = pending,
						 .settle = settle,
						 .drain = drain};

	return (struct char_port){.ops = &ops, .backend = port};
}
