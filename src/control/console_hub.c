/* SPDX-License-Identifier: Apache-2.0 */
#include "control/console_hub.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "backend/stream.h"
#include "backend/unix_listener.h"
#include "base/log.h"

#define BACKLOG     16
#define PIECE_SIZE  4096
#define HISTORY_MAX (64 * KIB)  /* what who attaches gets of the past */
#define BEHIND_MAX  (256 * KIB) /* what a reader may be behind */

struct attached {
	struct event_source source; /* of the connection, which it owns */
	struct console_hub *hub;
	struct attached *next;
	bool ended; /* it types no more */
	uint8_t *out;
	size_t out_first;
	size_t out_count;
};

struct console_hub {
	struct event_loop *loop;
	int console_in; /* the console's end, twice */
	int console_out;
	struct event_source source; /* of the other end */
	bool full;                  /* the guest takes no more input */
	struct stream *log;
	struct unix_listener listener;
	struct event_source connections;
	struct attached *clients;
	uint8_t *history; /* a ring of HISTORY_MAX bytes; NULL: nothing was written yet */
	uint64_t written;
};

/* Clients. */

static void watch_client(struct attached *client)
{
	unsigned events = client->out_count ? EVENT_WRITE : 0;

	if (!client->ended && !client->hub->full)
		events |= EVENT_READ;
	event_source_modify(&client->source, events);
}

static void drop_client(struct attached *client)
{
	struct attached **at = &client->hub->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	event_source_remove(&client->source);
	free(client->out);
	free(client);
}

/* False: it is gone. */
static bool flush_client(struct attached *client)
{
	while (client->out_count) {
		ssize_t sent = send(client->source.fd, client->out + client->out_first,
				    client->out_count, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			break;
		if (sent < 0)
			return false;
		client->out_first += (size_t)sent;
		client->out_count -= (size_t)sent;
	}
	if (!client->out_count) {
		free(client->out);
		client->out = NULL;
		client->out_first = 0;
	}
	watch_client(client);
	return true;
}

/* False: it is gone, or does not keep up. */
static bool give_client(struct attached *client, const void *data, size_t size)
{
	uint8_t *grown;

	if (!size)
		return true;
	if (client->out_count + size > BEHIND_MAX)
		return false;
	if (client->out_count)
		memmove(client->out, client->out + client->out_first, client->out_count);
	client->out_first = 0;
	grown = realloc(client->out, client->out_count + size);
	if (!grown)
		return false;
	client->out = grown;
	memcpy(client->out + client->out_count, data, size);
	client->out_count += size;
	return flush_client(client);
}

static void watch_all(struct console_hub *hub)
{
	event_source_modify(&hub->source, hub->full ? EVENT_READ | EVENT_WRITE : EVENT_READ);
	for (struct attached *client = hub->clients; client; client = client->next)
		watch_client(client);
}

/* What is typed is taken from who types it when the guest has it, and not before. */
static bool take_input(struct attached *client)
{
	struct console_hub *hub = client->hub;
	uint8_t piece[PIECE_SIZE];
	ssize_t size = recv(client->source.fd, piece, sizeof(piece), MSG_DONTWAIT | MSG_PEEK);
	ssize_t taken;

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (size == 0) {
		client->ended = true;
		watch_client(client);
		return true;
	}
	taken = send(hub->source.fd, piece, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (taken < 0 && errno == EAGAIN) {
		hub->full = true;
		watch_all(hub);
		return true;
	}
	/* A console that has ended takes all, and nobody sees it. */
	if (taken < 0)
		taken = size;
	return recv(client->source.fd, piece, (size_t)taken, MSG_DONTWAIT) >= 0;
}

static void on_client(void *data, unsigned events)
{
	struct attached *client = data;
	bool there = true;

	if (events & EVENT_WRITE)
		there = flush_client(client);
	if (there && (events & EVENT_READ) && !client->ended)
		there = take_input(client);
	else if (there && (events & EVENT_HANGUP))
		there = false;
	if (!there)
		drop_client(client);
}

/* False: it is gone already. */
static bool give_history(struct attached *client)
{
	const struct console_hub *hub = client->hub;
	size_t start = hub->written % HISTORY_MAX;

	if (!hub->history)
		return true;
	if (hub->written >= HISTORY_MAX &&
	    !give_client(client, hub->history + start, HISTORY_MAX - start))
		return false;
	return give_client(client, hub->history, start);
}

static void on_connection(void *data, unsigned events)
{
	struct console_hub *hub = data;
	struct attached *client;
	int fd = unix_accept(&hub->listener);

	(void)events;
	if (fd < 0 && fd != -EPERM && fd != -EAGAIN) {
		/* It would be asked for again at once, for ever. */
		log_warning("%s: nobody can attach any more: %s", hub->listener.path,
			    strerror(-fd));
		event_source_remove(&hub->connections);
	}
	client = fd >= 0 ? calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		close_fd(fd);
		return;
	}
	client->hub = hub;
	client->source.callback = on_client;
	client->source.data = client;
	if (event_loop_add(hub->loop, &client->source, fd, EVENT_READ) < 0) {
		close_fd(fd);
		free(client);
		return;
	}
	client->source.owns_fd = true;
	client->next = hub->clients;
	hub->clients = client;
	if (!give_history(client))
		drop_client(client);
}

/* What the guest writes. */

static void remember(struct console_hub *hub, const uint8_t *data, size_t size)
{
	if (!hub->history)
		hub->history = malloc(HISTORY_MAX);
	if (!hub->history)
		return;
	for (size_t i = 0; i < size; i++)
		hub->history[hub->written++ % HISTORY_MAX] = data[i];
}

static void write_log(struct console_hub *hub, uint8_t *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		const struct iovec piece = {.iov_base = data + done, .iov_len = size - done};
		ssize_t n = stream_write(hub->log, &piece, 1);

		/* A file never says that it has no room. */
		if (n <= 0)
			break;
		done += (size_t)n;
	}
}

/* False: there is nothing more now. */
static bool pass_output(struct console_hub *hub)
{
	uint8_t piece[PIECE_SIZE];
	ssize_t size = recv(hub->source.fd, piece, sizeof(piece), MSG_DONTWAIT);
	struct attached *next;

	if (size <= 0)
		return size < 0 && errno == EINTR;
	write_log(hub, piece, (size_t)size);
	remember(hub, piece, (size_t)size);
	for (struct attached *client = hub->clients; client; client = next) {
		next = client->next;
		if (!give_client(client, piece, (size_t)size))
			drop_client(client);
	}
	return true;
}

static void on_console(void *data, unsigned events)
{
	struct console_hub *hub = data;

	if (events & EVENT_WRITE) {
		hub->full = false;
		watch_all(hub);
	}
	if (events & EVENT_READ)
		pass_output(hub);
	else if (events & EVENT_HANGUP)
		event_source_remove(&hub->source);
}

/* Life. */

static int open_ends(struct console_hub *hub, struct error *err)
{
	int ends[2];
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_errno(err, errno, "the console");
	hub->console_in = ends[0];
	hub->console_out = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
	if (hub->console_out < 0) {
		close_fd(ends[1]);
		return error_set_errno(err, errno, "the console");
	}
	r = event_loop_add(hub->loop, &hub->source, ends[1], EVENT_READ);
	if (r < 0) {
		close_fd(ends[1]);
		return error_set_errno(err, -r, "the console");
	}
	hub->source.owns_fd = true;
	return 0;
}

int console_hub_create(const struct console_hub_options *options, struct console_hub **ret,
		       struct error *err)
{
	struct console_hub *hub = calloc(1, sizeof(*hub));
	int r;

	if (!hub)
		return error_set_errno(err, ENOMEM, "the console");
	hub->loop = options->loop;
	hub->console_in = hub->console_out = -EBADF;
	hub->listener.fd = -EBADF;
	hub->source = (struct event_source){.fd = -1, .callback = on_console, .data = hub};
	hub->connections = (struct event_source){.fd = -1, .callback = on_connection, .data = hub};
	r = stream_open(options->log, hub->loop, &hub->log, err);
	if (r == 0)
		r = open_ends(hub, err);
	if (r == 0)
		r = unix_listen(options->socket, BACKLOG, &hub->listener, err);
	if (r == 0) {
		r = event_loop_add(hub->loop, &hub->connections, hub->listener.fd, EVENT_READ);
		if (r < 0)
			error_set_errno(err, -r, "the console");
	}
	if (r < 0) {
		console_hub_destroy(hub);
		return r;
	}
	*ret = hub;
	return 0;
}

void console_hub_destroy(struct console_hub *hub)
{
	if (!hub)
		return;
	while (hub->source.loop && pass_output(hub))
		;
	event_source_remove(&hub->connections);
	unix_listener_close(&hub->listener);
	while (hub->clients)
		drop_client(hub->clients);
	event_source_remove(&hub->source);
	close_fd(hub->console_in);
	close_fd(hub->console_out);
	stream_destroy(hub->log);
	free(hub->history);
	free(hub);
}

int console_hub_in(const struct console_hub *hub)
{
	return hub->console_in;
}

int console_hub_out(const struct console_hub *hub)
{
	return hub->console_out;
}
