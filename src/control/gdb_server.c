/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "gdb_private.h"

#define CHUNK   (16 * KIB)
#define OUT_MAX (8 * MIB) /* a client that takes nothing of this is let go */

struct gdb_server {
	struct gdb_options options;
	struct gdb_listener listener;
	struct event_source source; /* of the listener */
	char *target;
	struct machine *machine; /* NULL: between two lives */

	/* The client; its source's fd is -1 if there is none. */
	struct event_source client;
	struct gdb_reader reader;
	struct gdb_session session;
	bool was_paused; /* before it came */
};

static bool has_client(const struct gdb_server *server)
{
	return server->client.loop != NULL;
}

/* ---- Sending ---------------------------------------------------------------- */

/* False: nobody is there any more, or nothing is taken. */
static bool flush(struct gdb_server *server)
{
	struct gdb_writer *out = &server->session.out;
	size_t sent = 0;

	while (sent < out->size) {
		ssize_t n = send(server->client.fd, out->data + sent, out->size - sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	if (sent)
		memmove(out->data, out->data + sent, out->size - sent);
	out->size -= sent;
	event_source_modify(&server->client, EVENT_READ | (out->size ? EVENT_WRITE : 0));
	return !out->failed && out->size <= OUT_MAX;
}

/* ---- The client ------------------------------------------------------------- */

/* It goes, and the machine goes on, unless somebody else has paused it. */
static void let_go(struct gdb_server *server, bool resume)
{
	struct gdb_session *session = &server->session;

	event_source_remove(&server->client);
	gdb_reader_finish(&server->reader);
	gdb_writer_finish(&session->out);
	free(session->target);
	if (session->machine) {
		machine_debug_detach(session->machine);
		if (resume)
			machine_resume(session->machine);
	}
	*session = (struct gdb_session){0};
}

static void on_stopped(void *data, const struct machine_stop *stop)
{
	struct gdb_server *server = data;
	struct gdb_session *session = &server->session;

	if (!session->running)
		return;
	session->stop = *stop;
	session->signal = GDB_SIGNAL_TRAP;
	gdb_tell_stop(session);
	if (!flush(server))
		let_go(server, true);
}

/* The machine has been paused, by gdb or another: no vCPU has stopped by itself. */
static void note_pause(struct gdb_session *session)
{
	machine_debug_settle(session->machine);
	session->signal = GDB_SIGNAL_INT;
	session->stop = (struct machine_stop){.cpu = session->run_cpu};
}

static void interrupt(struct gdb_session *session)
{
	if (!session->running)
		return;
	session->running = false; /* so that the pause's own event says nothing */
	machine_pause(session->machine);
	note_pause(session);
	gdb_tell_stop(session);
}

static void take_packet(struct gdb_session *session, const struct gdb_reader *reader)
{
	if (!session->no_acks)
		gdb_raw(&session->out, "+", 1);
	/* gdb thinks that it stands: somebody else has let it go on. */
	if (session->running || !machine_paused(session->machine)) {
		session->running = false;
		machine_pause(session->machine);
		note_pause(session);
	}
	gdb_handle(session, reader->data, reader->size);
}

static void take_byte(struct gdb_server *server, uint8_t byte)
{
	struct gdb_session *session = &server->session;

	switch (gdb_reader_byte(&server->reader, byte)) {
	case GDB_PACKET:
		take_packet(session, &server->reader);
		break;
	case GDB_DAMAGED:
		gdb_raw(&session->out, "-", 1);
		break;
	case GDB_INTERRUPT:
		interrupt(session);
		break;
	case GDB_AGAIN: /* a stream does not damage packets */
	case GDB_NOTHING:
		break;
	}
}

static bool receive(struct gdb_server *server)
{
	uint8_t chunk[CHUNK];
	ssize_t size = recv(server->client.fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	for (ssize_t i = 0; i < size && !server->session.detached && !server->session.killed; i++)
		take_byte(server, chunk[i]);
	return size > 0;
}

static void on_client(void *data, unsigned events)
{
	struct gdb_server *server = data;
	struct gdb_session *session = &server->session;
	bool there = !(events & EVENT_READ) || receive(server);
	bool killed = session->killed;

	there = flush(server) && there && !(events == EVENT_HANGUP);
	if (there && !session->detached && !killed)
		return;
	let_go(server, !killed && (session->detached || !server->was_paused));
	if (killed)
		server->options.quit(server->options.data);
}

static int admit(struct gdb_server *server, int fd)
{
	struct gdb_session *session = &server->session;
	struct error err = {0};
	int r = gdb_reader_init(&server->reader);

	if (r == 0)
		r = machine_debug_attach(server->machine, on_stopped, server, &err);
	if (r < 0)
		return r;
	server->client = (struct event_source){.fd = -1, .callback = on_client, .data = server};
	r = event_loop_add(server->options.loop, &server->client, fd, EVENT_READ);
	if (r < 0) {
		machine_debug_detach(server->machine);
		return r;
	}
	server->client.owns_fd = true;
	server->was_paused = machine_paused(server->machine);
	machine_pause(server->machine);
	*session = (struct gdb_session){.machine = server->machine,
					.cpus = machine_cpu_count(server->machine),
					.signal = GDB_SIGNAL_TRAP,
					.stop.stepped = true};
	return 0;
}

static void on_connection(void *data, unsigned events)
{
	struct gdb_server *server = data;
	int fd = gdb_accept(&server->listener);
	int r = fd;

	(void)events;
	if (fd == -EAGAIN)
		return;
	if (fd >= 0 && (has_client(server) || !server->machine))
		r = -EBUSY;
	else if (fd >= 0)
		r = admit(server, fd);
	if (r >= 0)
		return;
	log_warning("gdb at %s: a client was turned away: %s", server->target, strerror(-r));
	if (!has_client(server))
		gdb_reader_finish(&server->reader);
	if (fd >= 0)
		close(fd);
	else if (fd != -EPERM)
		event_source_remove(&server->source); /* it would be asked for again, for ever */
}

/* ---- The server ------------------------------------------------------------- */

int gdb_server_create(const struct gdb_options *options, struct gdb_server **ret, struct error *err)
{
	struct gdb_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return error_set_errno(err, ENOMEM, "the stub for gdb");
	server->options = *options;
	server->machine = options->machine;
	server->source = (struct event_source){.fd = -1, .callback = on_connection, .data = server};
	r = gdb_listen(options->where, &server->listener, &server->target, err);
	if (r == 0) {
		r = event_loop_add(options->loop, &server->source, server->listener.fd, EVENT_READ);
		if (r < 0)
			error_set_errno(err, -r, "the stub for gdb");
	}
	if (r < 0) {
		gdb_server_destroy(server);
		return r;
	}
	*ret = server;
	return 0;
}

void gdb_server_destroy(struct gdb_server *server)
{
	if (!server)
		return;
	if (has_client(server))
		let_go(server, !server->was_paused);
	event_source_remove(&server->source);
	gdb_listener_close(&server->listener);
	free(server->target);
	free(server);
}

const char *gdb_server_target(const struct gdb_server *server)
{
	return server->target;
}

void gdb_server_machine(struct gdb_server *server, struct machine *machine, int status)
{
	if (!server)
		return;
	server->machine = machine;
	if (!has_client(server))
		return;
	gdb_begin(&server->session.out);
	gdb_printf(&server->session.out, "W%02x", (unsigned)status & 0xff);
	gdb_end(&server->session.out);
	flush(server);
	let_go(server, false);
}

void gdb_server_event(struct gdb_server *server, enum machine_event event)
{
	struct gdb_session *session;

	if (!server || !has_client(server))
		return;
	session = &server->session;
	if (event == MACHINE_EVENT_RESUMED)
		session->running = true;
	if (event != MACHINE_EVENT_PAUSED || !session->running)
		return;
	note_pause(session);
	gdb_tell_stop(session);
	if (!flush(server))
		let_go(server, true);
}
