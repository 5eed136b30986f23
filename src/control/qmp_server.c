/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/log.h"
#include "base/now.h"
#include "machine/dump.h"
#include "qmp_commands.h"

#define BACKLOG     64
#define FAREWELL_MS 200 /* for all clients together */

static void forget_client(struct qmp_client *client)
{
	struct qmp_server *server = client->context;
	struct qmp_client **at = &server->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	/* Nobody is there to have it. */
	if (client == server->dump_client) {
		server->dump_client = NULL;
		machine_dump_cancel(server->machine);
	}
	qmp_client_destroy(client);
}

static void on_connection(void *data, unsigned events)
{
	struct qmp_server *server = data;
	struct qmp_client *client;
	const struct qmp_client like = {
		.schema = &qmp_machine_schema,
		.context = server,
		.gone = forget_client,
		.next = server->clients,
	};
	int fd = unix_accept(&server->listener);

	(void)events;
	if (fd == -EPERM)
		log_warning("%s: another user's program was turned away", server->listener.path);
	if (fd < 0 && fd != -EPERM && fd != -EAGAIN) {
		/* It would be asked for again at once, for ever. */
		log_warning("%s: nobody can connect any more: %s", server->listener.path,
			    strerror(-fd));
		event_source_remove(&server->source);
	}
	if (fd >= 0 && qmp_client_create(server->options.loop, fd, &like, &client) == 0)
		server->clients = client;
}

int64_t qmp_server_uptime(const struct qmp_server *server)
{
	return (now_ms() - server->born_ms) / 1000;
}

int qmp_server_create(const struct qmp_options *options, struct qmp_server **ret, struct error *err)
{
	struct qmp_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return error_set_errno(err, ENOMEM, "the control socket");
	server->options = *options;
	server->machine = options->machine;
	server->options.machine = NULL; /* the machine is another in each life */
	server->born_ms = now_ms();
	server->source = (struct event_source){.fd = -1, .callback = on_connection, .data = server};
	r = unix_listen(options->path, BACKLOG, &server->listener, err);
	if (r == 0) {
		r = event_loop_add(options->loop, &server->source, server->listener.fd, EVENT_READ);
		if (r < 0)
			error_set_errno(err, -r, "the control socket");
	}
	if (r < 0) {
		error_prefix(err, "--api: ");
		qmp_server_destroy(server);
		return r;
	}
	*ret = server;
	return 0;
}

void qmp_server_destroy(struct qmp_server *server)
{
	int64_t deadline = now_ms() + FAREWELL_MS;

	if (!server)
		return;
	event_source_remove(&server->source);
	while (server->clients) {
		struct pollfd pfd = {.fd = server->clients->source.fd, .events = POLLOUT};

		while (!qmp_client_flush(server->clients) && now_ms() < deadline)
			poll(&pfd, 1, (int)max_u64(1, (uint64_t)(deadline - now_ms())));
		forget_client(server->clients);
	}
	unix_listener_close(&server->listener);
	qmp_forget_fds(server);
	free(server);
}

/* Tell all of @name, with @data, which is freed; NULL: none. */
static void emit(struct qmp_server *server, const char *name, struct json_object *data)
{
	struct json_object *event = json_object_new_object();
	struct json_object *timestamp = json_object_new_object();
	_cleanup_free_ char *line = NULL;
	struct timespec now;
	size_t size = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	json_object_object_add(timestamp, "seconds", json_object_new_int64(now.tv_sec));
	json_object_object_add(timestamp, "microseconds",
			       json_object_new_int64(now.tv_nsec / 1000));
	json_object_object_add(event, "timestamp", timestamp);
	json_object_object_add(event, "event", json_object_new_string(name));
	if (data)
		json_object_object_add(event, "data", data);
	line = qmp_line(event, &size);
	json_object_put(event);
	for (struct qmp_client *client = server->clients; client && line; client = client->next)
		qmp_client_event(client, line, size);
}

static struct json_object *cause(bool guest, const char *reason)
{
	struct json_object *data = json_object_new_object();

	json_object_object_add(data, "guest", json_object_new_boolean(guest));
	json_object_object_add(data, "reason", json_object_new_string(reason));
	return data;
}

static struct json_object *action(const char *word)
{
	struct json_object *data = json_object_new_object();

	json_object_object_add(data, "action", json_object_new_string(word));
	return data;
}

/* Events that say all by their names. */
static const char *const plain_events[] = {
	[MACHINE_EVENT_PAUSED] = "STOP",         [MACHINE_EVENT_RESUMED] = "RESUME",
	[MACHINE_EVENT_SUSPENDED] = "SUSPEND",   [MACHINE_EVENT_WOKEN] = "WAKEUP",
	[MACHINE_EVENT_POWER_KEY] = "POWERDOWN", [MACHINE_EVENT_PVSHUTDOWN] = "GUEST_PVSHUTDOWN",
};

void qmp_server_event(struct qmp_server *server, enum machine_event event)
{
	if (!server)
		return;
	if (event < ARRAY_SIZE(plain_events) && plain_events[event])
		emit(server, plain_events[event], NULL);
	switch (event) {
	case MACHINE_EVENT_PANICKED:
		emit(server, "GUEST_PANICKED", action("run"));
		break;
	case MACHINE_EVENT_CRASH_LOADED:
		emit(server, "GUEST_CRASHLOADED", action("run"));
		break;
	case MACHINE_EVENT_WATCHDOG:
		emit(server, "WATCHDOG",
		     action(config_watchdog_words[server->options.config->watchdog]));
		break;
	case MACHINE_EVENT_RESET_GUEST:
		server->ready = false;
		emit(server, "RESET", cause(true, "guest-reset"));
		break;
	case MACHINE_EVENT_RESET_HOST:
		server->ready = false;
		emit(server, "RESET", cause(false, "host-qmp-system-reset"));
		break;
	case MACHINE_EVENT_DUMP_PROGRESS:
		emit(server, "DUMP_PROGRESS", qmp_dump_event(server->machine, false));
		break;
	case MACHINE_EVENT_DUMP_ENDED:
		emit(server, "DUMP_COMPLETED", qmp_dump_event(server->machine, true));
		qmp_dump_answer(server);
		break;
	case MACHINE_EVENT_DEVICE_LEAVES:
		emit(server, "DEVICE_DELETED", qmp_deleted_event(server->machine));
		break;
	default:
		break;
	}
}

void qmp_server_ready(struct qmp_server *server)
{
	if (!server)
		return;
	server->ready = true;
	emit(server, "GUEST_READY", NULL);
}

static struct json_object *end_object(const struct qmp_end *end)
{
	struct json_object *data = cause(end->guest, end->reason);

	json_object_object_add(data, "exit-status", json_object_new_int(end->status));
	return data;
}

void qmp_server_restart(struct qmp_server *server, const struct qmp_end *end, uint32_t restarts,
			uint64_t delay_ms)
{
	struct json_object *data;

	if (!server)
		return;
	server->machine = NULL;
	server->ready = false;
	server->restarts = restarts;
	data = end_object(end);
	json_object_object_add(data, "restarts", json_object_new_int64(restarts));
	json_object_object_add(data, "delay", json_object_new_int64((int64_t)delay_ms));
	emit(server, "RESTART", data);
}

void qmp_server_machine(struct qmp_server *server, struct machine *machine)
{
	if (server)
		server->machine = machine;
}

void qmp_server_shutdown(struct qmp_server *server, const struct qmp_end *end)
{
	if (server)
		emit(server, "SHUTDOWN", end_object(end));
}
