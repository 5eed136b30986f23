/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: What the guest is told
 *
 * With VIRTIO_CONSOLE_F_MULTIPORT the two sides send each other control
 * messages (5.3.6.2). What a port's driver is still to be told is a set of
 * flags, at most one message of a kind, so that a guest that takes none costs
 * no memory; each message is made from the state at the time that it goes.
 *
 *	guest                 device
 *	DEVICE_READY          PORT_ADD for each port
 *	PORT_READY            CONSOLE_PORT, PORT_NAME, RESIZE, PORT_OPEN
 *	PORT_OPEN             input begins, or ends
 *
 * A peer that left and one that came since are both told, in this order.
 *
 * DOC: Output in part
 *
 * A stream may take some of a buffer's bytes. The buffer is put back then, and
 * only the number of bytes is kept (@out_offset), so there is nothing to be
 * given up when the device stops, and what is saved is whole.
 */
#include "virtio/virtio_console.h"

#include <assert.h>
#include <string.h>

#define QUEUE_SIZE   128
#define CONTROL_SIZE 64
#define PIECES_MAX   128
#define CONTROL_IN   2 /* queues: to the guest, and from it */
#define CONTROL_OUT  3
#define ROUND_BYTES  (256 * KIB) /* of a port's output, before others have their turn */
#define CONFIG_EMERG offsetof(struct virtio_console_config, emerg_wr)

/* What a port's driver is still to be told, in order. */
enum {
	TELL_ADD = 1,
	TELL_CONSOLE = 2,
	TELL_NAME = 4,
	TELL_RESIZE = 8,
	TELL_CLOSED = 16,
	TELL_OPEN = 32,
	TELL_ALL = 63,
};

struct port_state {
	bool guest_ready;
	bool guest_open;
	bool host_open; /* what the guest knows of the peer when it was told all */
	uint8_t tell;
	uint16_t cols;
	uint16_t rows;
	uint32_t out_offset; /* bytes of the next buffer that were written already */
};

struct port {
	struct virtio_console *console;
	const char *name;
	bool is_console;
	struct stream *stream;
	uint32_t peer; /* stream->peers when we last looked */
	struct port_state state;
};

struct virtio_console {
	struct virtio_device virtio;
	struct virtio_console_config config;
	struct port *ports;
	uint32_t port_count;
	bool size_told; /* the driver was told of it when it could hear that */
};

static struct virtio_console *to_console(struct virtio_device *virtio)
{
	return container_of(virtio, struct virtio_console, virtio);
}

static bool multiport(const struct virtio_console *console)
{
	return virtio_has(&console->virtio, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* Queues of port N: 0 and 1, and from the second on behind those for control (5.3.2). */
static unsigned receive_queue(const struct port *port)
{
	unsigned number = (unsigned)(port - port->console->ports);

	return number ? 2 * number + 2 : 0;
}

static struct port *port_of_queue(struct virtio_console *console, unsigned index)
{
	return &console->ports[index < CONTROL_IN ? 0 : (index - 2) / 2];
}

/* Input. */

static bool receive(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		    uint32_t *ret_written)
{
	struct port *port = port_of_queue(to_console(virtio), index);
	ssize_t n;

	if (!chain->in_size) /* nothing fits into it */
		return true;
	n = stream_read(port->stream, chain->iov + chain->out_count, chain->in_count);
	if (n < 0)
		return false;
	*ret_written = (uint32_t)n;
	return true;
}

static void look_at_peer(struct port *port);

static void serve_input(struct port *port)
{
	struct iovec pieces[PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = PIECES_MAX};

	/* 5.3.6: only to a port that the guest has opened. */
	if (multiport(port->console) && !port->state.guest_open)
		return;
	virtio_serve(&port->console->virtio, receive_queue(port), &chain, receive);
	look_at_peer(port);
}

/* Output. */

/*
 * Without control messages Linux looks at the size when that changes, and not at
 * all before it has made the console's terminal. Once there is output, it has.
 */
static void tell_size(struct virtio_console *console)
{
	if (console->size_told || multiport(console) || !console->config.cols)
		return;
	console->size_told = true;
	virtio_config_changed(&console->virtio);
}

/* Write what is left of @chain, a part of it if that is much. True when all is written. */
static bool transmit(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		     uint32_t *ret_written)
{
	struct port *port = port_of_queue(to_console(virtio), index);
	uint32_t *offset = &port->state.out_offset;
	struct iovec pieces[PIECES_MAX];

	*ret_written = 0;
	while (*offset < chain->out_size) {
		size_t size = min_u64(chain->out_size - *offset, ROUND_BYTES);
		int count =
			iov_slice(chain->iov, chain->out_count, *offset, size, pieces, PIECES_MAX);
		ssize_t n = stream_write(port->stream, pieces, (size_t)count);

		if (n < 0)
			return false;
		*offset += (uint32_t)n;
		if (size == ROUND_BYTES && *offset < chain->out_size) {
			virtio_again(virtio, index);
			return false;
		}
	}
	*offset = 0;
	tell_size(port->console);
	return true;
}

static void serve_output(struct port *port)
{
	struct iovec pieces[PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = PIECES_MAX};

	virtio_serve(&port->console->virtio, receive_queue(port) + 1, &chain, transmit);
	look_at_peer(port);
}

/* Control messages to the guest. */

static void put_message(struct virtq_chain *chain, uint32_t *written, const void *data, size_t size)
{
	*written += (uint32_t)virtq_chain_write(chain, *written, data, size);
}

/* The first of what @port is still to be told, as a message. */
static void write_message(struct port *port, struct virtq_chain *chain, uint32_t *written)
{
	struct virtio_console_control control = {.id = (uint32_t)(port - port->console->ports),
						 .value = 1};
	uint16_t size[2] = {port->state.cols, port->state.rows};
	uint8_t first = port->state.tell & (uint8_t)-port->state.tell;

	switch (first) {
	case TELL_ADD:
		control.event = VIRTIO_CONSOLE_PORT_ADD;
		break;
	case TELL_CONSOLE:
		control.event = VIRTIO_CONSOLE_CONSOLE_PORT;
		break;
	case TELL_NAME:
		control.event = VIRTIO_CONSOLE_PORT_NAME;
		break;
	case TELL_RESIZE:
		control.event = VIRTIO_CONSOLE_RESIZE;
		break;
	default:
		control.event = VIRTIO_CONSOLE_PORT_OPEN;
		control.value = first == TELL_OPEN;
	}
	put_message(chain, written, &control, sizeof(control));
	if (first == TELL_NAME)
		put_message(chain, written, port->name, strlen(port->name));
	else if (first == TELL_RESIZE)
		put_message(chain, written, size, sizeof(size));
	port->state.tell &= (uint8_t)~first;
}

static struct port *port_to_be_told(struct virtio_console *console)
{
	for (uint32_t i = 0; i < console->port_count; i++) {
		if (console->ports[i].state.tell)
			return &console->ports[i];
	}
	return NULL;
}

static bool tell_one(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		     uint32_t *ret_written)
{
	struct port *port = port_to_be_told(to_console(virtio));

	(void)index;
	if (!port)
		return false;
	write_message(port, chain, ret_written);
	return true;
}

static void tell(struct virtio_console *console)
{
	struct iovec pieces[PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = PIECES_MAX};

	if (multiport(console) && port_to_be_told(console))
		virtio_serve(&console->virtio, CONTROL_IN, &chain, tell_one);
}

/* Whether a peer is there may have changed: the guest is to know. */
static void look_at_peer(struct port *port)
{
	struct port_state *state = &port->state;
	bool same = port->peer == port->stream->peers;

	port->peer = port->stream->peers;
	if (!state->guest_ready)
		return;
	if (state->host_open && (!same || !port->stream->open)) {
		/* One that the guest did not hear of needs no farewell. */
		if (!(state->tell & TELL_OPEN))
			state->tell |= TELL_CLOSED;
		state->tell &= (uint8_t)~TELL_OPEN;
		state->host_open = false;
	}
	if (!state->host_open && port->stream->open) {
		state->tell |= TELL_OPEN;
		state->host_open = true;
	}
	tell(port->console);
}

/* Control messages from the guest. */

static void port_is_ready(struct port *port, bool ready)
{
	struct port_state *state = &port->state;

	state->guest_ready = ready;
	state->host_open = false;
	state->tell &= TELL_ADD;
	if (!ready)
		return;
	if (port->is_console)
		state->tell |= TELL_CONSOLE;
	if (port->name)
		state->tell |= TELL_NAME;
	if (port->is_console && state->cols && state->rows)
		state->tell |= TELL_RESIZE;
	look_at_peer(port);
}

static void port_is_open(struct port *port, bool open)
{
	port->state.guest_open = open;
	if (open)
		serve_input(port);
}

static void hear(struct virtio_console *console, const struct virtio_console_control *control)
{
	struct virtio_device *virtio = &console->virtio;

	if (control->event == VIRTIO_CONSOLE_DEVICE_READY) {
		for (uint32_t i = 0; control->value && i < console->port_count; i++)
			console->ports[i].state.tell |= TELL_ADD;
	} else if (control->id >= console->port_count) {
		log_guest(&virtio->device.guest_errors, "virtio-console %s: there is no port %u",
			  virtio->device.name, control->id);
	} else if (control->event == VIRTIO_CONSOLE_PORT_READY) {
		port_is_ready(&console->ports[control->id], control->value);
	} else if (control->event == VIRTIO_CONSOLE_PORT_OPEN) {
		port_is_open(&console->ports[control->id], control->value);
	} else {
		log_guest(&virtio->device.guest_errors,
			  "virtio-console %s: the driver sends message %u, which is the device's",
			  virtio->device.name, control->event);
	}
}

static bool take_message(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
			 uint32_t *ret_written)
{
	struct virtio_console_control control;

	(void)index;
	*ret_written = 0;
	if (virtq_chain_read(chain, 0, &control, sizeof(control)) == sizeof(control))
		hear(to_console(virtio), &control);
	else
		log_guest(&virtio->device.guest_errors,
			  "virtio-console %s: a control message of %u bytes", virtio->device.name,
			  chain->out_size);
	return true;
}

static void serve_control(struct virtio_console *console)
{
	struct iovec pieces[PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = PIECES_MAX};

	/* Without MULTIPORT these queues are not there. */
	if (!multiport(console))
		return;
	virtio_serve(&console->virtio, CONTROL_OUT, &chain, take_message);
	tell(console);
}

/* As a virtio device. */

static void notify(struct virtio_device *virtio, unsigned index)
{
	struct virtio_console *console = to_console(virtio);

	if (index == CONTROL_IN)
		tell(console);
	else if (index == CONTROL_OUT)
		serve_control(console);
	else if (index < CONTROL_IN || multiport(console)) {
		struct port *port = port_of_queue(console, index);

		if (index == receive_queue(port))
			serve_input(port);
		else
			serve_output(port);
	}
}

/* A queue that was taken back has taken with it what was written in part. */
static int start(struct virtio_device *virtio, struct error *err)
{
	struct virtio_console *console = to_console(virtio);

	(void)err;
	for (uint32_t i = 0; i < console->port_count; i++) {
		struct port *port = &console->ports[i];

		if (!virtio->queues[receive_queue(port) + 1].ring.ready)
			port->state.out_offset = 0;
	}
	return 0;
}

/* The size of the terminal is not the driver's to forget. */
static void reset(struct virtio_device *virtio)
{
	struct virtio_console *console = to_console(virtio);

	console->size_told = false;
	for (uint32_t i = 0; i < console->port_count; i++) {
		struct port_state *state = &console->ports[i].state;

		*state = (struct port_state){.cols = state->cols, .rows = state->rows};
	}
}

/* 5.3.4: a character for the first port, at any time and without queues. */
static void config_written(struct virtio_device *virtio, unsigned offset, unsigned size)
{
	struct virtio_console *console = to_console(virtio);
	uint8_t character = (uint8_t)console->config.emerg_wr;
	struct iovec piece = {&character, 1};

	(void)size;
	console->config.emerg_wr = 0;
	/* If the stream is full the character is lost: who writes here cannot wait. */
	if (offset == CONFIG_EMERG)
		stream_write(console->ports[0].stream, &piece, 1);
}

static const struct virtio_writable writable[] = {{CONFIG_EMERG, sizeof(uint32_t)}, {0}};

static const struct virtio_ops console_ops = {
	.id = VIRTIO_ID_CONSOLE,
	.in_order = true,
	.notify = notify,
	.start = start,
	.reset = reset,
	.config_written = config_written,
	.writable = writable,
};

void virtio_console_resize(struct virtio_device *virtio, unsigned number, uint16_t cols,
			   uint16_t rows)
{
	struct virtio_console *console = to_console(virtio);
	struct port *port = &console->ports[number];

	assert(number < console->port_count);
	if (port->state.cols == cols && port->state.rows == rows)
		return;
	port->state.cols = cols;
	port->state.rows = rows;
	if (number == 0) {
		console->config.cols = cols;
		console->config.rows = rows;
		virtio_config_changed(virtio);
	}
	if (port->is_console && port->state.guest_ready) {
		port->state.tell |= TELL_RESIZE;
		tell(console);
	}
}

bool virtio_console_is_open(const struct virtio_device *virtio, unsigned number)
{
	const struct virtio_console *console =
		container_of(virtio, const struct virtio_console, virtio);

	assert(number < console->port_count);
	return virtio->started && (!multiport(console) || console->ports[number].state.guest_open);
}

/* What the streams call. */

static void on_readable(void *data)
{
	serve_input(data);
}

static void on_writable(void *data)
{
	serve_output(data);
}

/* A newcomer may have something to say, and what was held back may be dropped now. */
static void on_changed(void *data)
{
	struct port *port = data;

	look_at_peer(port);
	serve_output(port);
	serve_input(port);
}

/* State. */

static const struct state_field port_fields[] = {
	STATE_FIELD(struct port_state, guest_ready, STATE_BOOL),
	STATE_FIELD(struct port_state, guest_open, STATE_BOOL),
	STATE_FIELD(struct port_state, host_open, STATE_BOOL),
	STATE_FIELD(struct port_state, tell, STATE_U8),
	STATE_FIELD(struct port_state, cols, STATE_U16),
	STATE_FIELD(struct port_state, rows, STATE_U16),
	STATE_FIELD(struct port_state, out_offset, STATE_U32),
};

static int port_validate(const void *object, struct error *err)
{
	const struct port_state *state = object;

	if (state->tell & ~TELL_ALL)
		return error_set(err, EINVAL, "the saved state is none of a console's port");
	return 0;
}

static const struct state_table port_state = {
	.name = "a console's port",
	.fields = port_fields,
	.field_count = ARRAY_SIZE(port_fields),
	.object_size = sizeof(struct port_state),
	.validate = port_validate,
};

static const struct state_field console_fields[] = {
	VIRTIO_STATE_FIELDS(struct virtio_console),
	STATE_OBJECTS(struct virtio_console, ports, port_count, state, &port_state),
};

static const struct state_table console_state = {
	.name = "virtio-console",
	.fields = console_fields,
	.field_count = ARRAY_SIZE(console_fields),
	.object_size = sizeof(struct virtio_console),
};

/* The streams are as they are here, not as they were there. */
static int console_loaded(struct device *device, struct error *err)
{
	struct virtio_console *console = to_console(to_virtio(device));

	for (uint32_t i = 0; i < console->port_count; i++) {
		struct port *port = &console->ports[i];

		if (!port->name)
			port->state.tell &= (uint8_t)~TELL_NAME;
		port->peer = port->stream->peers;
		look_at_peer(port);
	}
	console->config.cols = console->ports[0].state.cols;
	console->config.rows = console->ports[0].state.rows;
	return virtio_device_loaded(device, err);
}

/* The life of a device. */

static void console_destroy(struct device *device)
{
	struct virtio_console *console = to_console(to_virtio(device));

	for (uint32_t i = 0; i < console->port_count; i++)
		stream_detach(console->ports[i].stream);
	virtio_device_finish(&console->virtio);
	free(console->ports);
	free(console);
}

static const struct device_ops console_device_ops = {
	.type = "virtio-console",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &console_state,
	.loaded = console_loaded,
	.destroy = console_destroy,
};

static int attach_streams(struct virtio_console *console)
{
	for (uint32_t i = 0; i < console->port_count; i++) {
		const struct stream_client client = {
			.readable = on_readable,
			.writable = on_writable,
			.changed = on_changed,
			.data = &console->ports[i],
			.owner = &console->virtio.device,
		};
		int r = stream_attach(console->ports[i].stream, &client);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool simple(const struct virtio_console_options *options)
{
	return options->port_count == 1 && options->ports[0].is_console && !options->ports[0].name;
}

static int init_device(struct virtio_console *console, const struct virtio_console_options *options)
{
	uint16_t sizes[2 * VIRTIO_CONSOLE_PORTS_MAX + 2];
	const struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
		.features = BIT(VIRTIO_CONSOLE_F_SIZE) | BIT(VIRTIO_CONSOLE_F_EMERG_WRITE) |
			    (simple(options) ? 0 : BIT(VIRTIO_CONSOLE_F_MULTIPORT)),
		.config = &console->config,
		.config_size = sizeof(console->config),
		.queue_sizes = sizes,
		.queue_count = simple(options) ? 2 : 2 * options->port_count + 2,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		sizes[i] = i == CONTROL_IN || i == CONTROL_OUT ? CONTROL_SIZE : QUEUE_SIZE;
	return virtio_device_init(&console->virtio, &console_device_ops, &console_ops,
				  &device_options);
}

static void init_ports(struct virtio_console *console, const struct virtio_console_options *options)
{
	for (uint32_t i = 0; i < options->port_count; i++) {
		struct port *port = &console->ports[i];

		assert(!options->ports[i].name ||
		       strlen(options->ports[i].name) <= VIRTIO_CONSOLE_NAME_MAX);
		port->console = console;
		port->name = options->ports[i].name;
		port->is_console = options->ports[i].is_console;
		port->stream = options->ports[i].stream;
	}
	console->port_count = options->port_count;
	console->config.max_nr_ports = options->port_count;
}

int virtio_console_create(const struct virtio_console_options *options, struct virtio_device **ret)
{
	struct virtio_console *console = calloc(1, sizeof(*console));
	int r;

	assert(options->port_count && options->port_count <= VIRTIO_CONSOLE_PORTS_MAX);
	if (!console)
		return -ENOMEM;
	console->ports = calloc(options->port_count, sizeof(*console->ports));
	r = console->ports ? init_device(console, options) : -ENOMEM;
	if (r < 0) {
		free(console->ports);
		free(console);
		return r;
	}
	init_ports(console, options);
	r = attach_streams(console);
	if (r < 0) {
		console_destroy(&console->virtio.device);
		return r;
	}
	*ret = &console->virtio;
	return 0;
}
