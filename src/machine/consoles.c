/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's virtio console: hvc0, and ports by name. The streams behind
 * them are opened once, and stay over the guest's resets.
 *
 * DOC: Two consoles, one terminal
 *
 * With --console stdio, hvc0 has the terminal: it gets what is typed. The PL011
 * writes there as well, so that no line of an early kernel is lost, but hears
 * nothing any more.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backend/stream.h"
#include "machine_private.h"
#include "virtio/virtio_console.h"

#define BLOCKED_POLL_NS (10 * UINT64_C(1000000))
#define COPY_SIZE       4096

/* The terminal (or what else standard input and output are) as a stream. */

struct tty_stream {
	struct stream stream;
	const struct char_port *port;
	struct event_source poll; /* while it takes no more output */
	struct event_loop *loop;
};

static void on_poll(void *data, unsigned events)
{
	struct tty_stream *tty = data;

	(void)events;
	if (!char_port_settle(tty->port, false) || !tty->stream.client.writable)
		return;
	event_timer_set(&tty->poll, 0, 0);
	tty->stream.client.writable(tty->stream.client.data);
}

static int tty_attach(struct stream *stream)
{
	struct tty_stream *tty = container_of(stream, struct tty_stream, stream);

	tty->poll.owner = stream->client.owner;
	return event_loop_add_timer(tty->loop, &tty->poll, CLOCK_MONOTONIC);
}

static void tty_detach(struct stream *stream)
{
	event_source_remove(&container_of(stream, struct tty_stream, stream)->poll);
}

static ssize_t tty_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	const struct tty_stream *tty = container_of(stream, struct tty_stream, stream);
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		size_t got = char_port_take(tty->port, iov[i].iov_base, iov[i].iov_len);

		total += got;
		if (got < iov[i].iov_len)
			break;
	}
	return total ? (ssize_t)total : -EAGAIN;
}

/* At most COPY_SIZE at a time, so that what waits in us stays small. */
static ssize_t tty_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	struct tty_stream *tty = container_of(stream, struct tty_stream, stream);
	uint8_t bytes[COPY_SIZE];
	size_t size = iov_read(iov, count, 0, bytes, sizeof(bytes));

	if (!char_port_settle(tty->port, false)) {
		event_timer_set(&tty->poll, BLOCKED_POLL_NS, BLOCKED_POLL_NS);
		return -EAGAIN;
	}
	char_port_transmit(tty->port, bytes, size);
	char_port_settle(tty->port, false);
	return (ssize_t)size;
}

static void tty_destroy(struct stream *stream)
{
	free(container_of(stream, struct tty_stream, stream));
}

static const struct stream_ops tty_ops = {
	.attach = tty_attach,
	.detach = tty_detach,
	.read = tty_read,
	.write = tty_write,
	.destroy = tty_destroy,
};

static int open_tty(struct machine *machine, struct stream **ret, struct error *err)
{
	struct tty_stream *tty = calloc(1, sizeof(*tty));

	if (!tty)
		return error_set_errno(err, ENOMEM, "--console");
	tty->stream = (struct stream){.ops = &tty_ops, .open = true, .peers = 1, .where = "stdio"};
	tty->port = &machine->port;
	tty->loop = machine->loop;
	tty->poll = (struct event_source){.fd = -1, .callback = on_poll, .data = tty};
	machine->tty = &tty->stream;
	*ret = &tty->stream;
	return 0;
}

/* What the PL011 has when the terminal's keys are not for it. */

static size_t no_bytes(void *backend)
{
	(void)backend;
	return 0;
}

static size_t take_nothing(void *backend, uint8_t *data, size_t size)
{
	(void)backend;
	(void)data;
	(void)size;
	return 0;
}

static void transmit_only(void *backend, const uint8_t *data, size_t size)
{
	char_port_transmit(backend, data, size);
}

static bool settle_only(void *backend, bool may_wait)
{
	return char_port_settle(backend, may_wait);
}

static const struct char_port_ops deaf_ops = {
	.transmit = transmit_only,
	.take = take_nothing,
	.pending = no_bytes,
	.settle = settle_only,
};

struct char_port machine_uart_port(struct machine *machine)
{
	if (!machine->tty)
		return machine->port;
	return (struct char_port){.ops = &deaf_ops, .backend = &machine->port};
}

/* Opening them. */

static int open_where(struct machine *machine, const char *option, const char *where,
		      struct stream **ret, struct error *err)
{
	int r;

	if (!strcmp(where, "stdio")) {
		if (machine->tty)
			return error_set(err, EINVAL, "%s: standard input and output are taken",
					 option);
		return open_tty(machine, ret, err);
	}
	r = stream_open(where, machine->loop, ret, err);
	if (r < 0)
		return error_prefix(err, "%s: ", option);
	if (!strcmp(where, "pty"))
		log_warning("%s: the pseudoterminal is %s", option, (*ret)->where);
	return 0;
}

static int open_console(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	const char *where = config->console ? config->console : "null";
	struct machine_port *port = &machine->ports[0];

	if (!strcmp(where, "none") || (!config->console && config->nodefaults))
		return 0;
	machine->port_count++;
	port->is_console = true;
	return open_where(machine, "--console", where, &port->stream, err);
}

static bool name_is_taken(const struct machine *machine, const char *name)
{
	for (size_t i = 0; i < machine->port_count; i++) {
		const struct machine_port *port = &machine->ports[i];

		if (!port->is_console && !strcmp(port->name, name))
			return true;
	}
	return false;
}

static int open_port(struct machine *machine, const char *text, struct error *err)
{
	struct machine_port *port = &machine->ports[machine->port_count];
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : 0;

	if (!length || !equals[1])
		return error_set(err, EINVAL, "--port %s: write it as NAME=WHERE", text);
	if (length >= sizeof(port->name))
		return error_set(err, EINVAL, "--port %s: the name may have %zu characters", text,
				 sizeof(port->name) - 1);
	memcpy(port->name, text, length);
	port->name[length] = '\0';
	if (name_is_taken(machine, port->name))
		return error_set(err, EINVAL, "--port %s: there are two ports of this name", text);
	machine->port_count++;
	return open_where(machine, "--port", equals + 1, &port->stream, err);
}

int machine_open_consoles(struct machine *machine, struct error *err)
{
	const struct machine_config *config = machine->config;
	int r;

	machine->ports = calloc(config->port_count + 1, sizeof(*machine->ports));
	if (!machine->ports)
		return error_set_errno(err, ENOMEM, "--console");
	r = open_console(machine, err);
	for (size_t i = 0; i < config->port_count && r == 0; i++)
		r = open_port(machine, config->ports[i], err);
	return r;
}

void machine_close_consoles(struct machine *machine)
{
	while (machine->port_count)
		stream_destroy(machine->ports[--machine->port_count].stream);
	free(machine->ports);
	machine->ports = NULL;
	machine->tty = NULL;
}

/* Whether the terminal is hvc0's, and not that of some port without a size. */
static bool console_has_terminal(const struct machine *machine)
{
	const struct machine_port *first = &machine->ports[0];

	return machine->port_count && first->is_console && first->stream == machine->tty;
}

int machine_plug_console(struct machine *machine, struct error *err)
{
	struct virtio_console_port_options ports[VIRTIO_CONSOLE_PORTS_MAX];
	const struct virtio_console_options options = {
		.name = "console0",
		.mem = machine->mem,
		.loop = machine->loop,
		.ports = ports,
		.port_count = (uint32_t)machine->port_count,
	};
	struct board *board = &machine->board;
	int r;

	if (!machine->port_count)
		return 0;
	for (size_t i = 0; i < machine->port_count; i++) {
		const struct machine_port *port = &machine->ports[i];

		ports[i] = (struct virtio_console_port_options){
			.name = port->is_console ? NULL : port->name,
			.is_console = port->is_console,
			.stream = port->stream,
		};
	}
	r = virtio_console_create(&options, &board->console);
	if (r < 0)
		return error_set_errno(err, -r, "--console");
	if (console_has_terminal(machine) && machine->columns)
		virtio_console_resize(board->console, 0, machine->columns, machine->rows);
	return board_plug_virtio(machine, board->console, err);
}

/* The terminal's events. */

void machine_resize_console(struct machine *machine, uint16_t columns, uint16_t rows)
{
	struct virtio_device *console = machine->board.console;

	machine->columns = columns;
	machine->rows = rows;
	if (!console || !console_has_terminal(machine))
		return;
	device_lock(&console->device);
	virtio_console_resize(console, 0, columns, rows);
	device_unlock(&console->device);
}

bool machine_tty_input(struct machine *machine)
{
	struct stream *tty = machine->tty;
	struct device *owner;

	if (!tty)
		return false;
	owner = tty->client.owner;
	if (!owner)
		return true;
	device_lock(owner);
	tty->client.readable(tty->client.data);
	device_unlock(owner);
	return true;
}

/* What asks. */

bool machine_chardev(const struct machine *machine, size_t index, struct machine_chardev_info *ret)
{
	struct virtio_device *console = machine->board.console;
	const struct machine_port *port;

	if (index >= machine->port_count)
		return false;
	port = &machine->ports[index];
	*ret = (struct machine_chardev_info){.name = port->is_console ? "console0" : port->name,
					     .where = port->stream->where};
	if (console) {
		device_lock(&console->device);
		ret->open = virtio_console_is_open(console, (unsigned)index);
		device_unlock(&console->device);
	}
	return true;
}
