/* SPDX-License-Identifier: Apache-2.0 */
#include "control/qmp_link.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/now.h"

#define ANSWER_MS  10000
#define DEPTH_MAX  32
#define INPUT_SIZE 4096
#define OBJECT_MAX (16 * MIB) /* what the machine says at once */

struct qmp_link {
	int fd;
	struct json_tokener *parser;
	size_t object_size; /* of what has begun */
	char input[INPUT_SIZE];
	size_t input_start; /* [input_start, input_end) was not looked at yet */
	size_t input_end;
	struct json_object *events; /* an array of those that nobody has asked for yet */
	size_t next_event;
	bool patient;
	void (*seen)(struct json_object *event); /* NULL: they are kept */
};

static int ended(struct error *err)
{
	return error_set(err, ENOTCONN, "the machine has ended");
}

/* More input, until @deadline; -1: for ever. */
static int receive(struct qmp_link *link, int64_t deadline, struct error *err)
{
	struct pollfd pfd = {.fd = link->fd, .events = POLLIN};
	ssize_t size;
	int r;

	do {
		int64_t left = deadline < 0 ? -1 : deadline - now_ms();

		r = poll(&pfd, 1, deadline < 0 ? -1 : (int)(left > 0 ? left : 0));
	} while (r < 0 && errno == EINTR);
	if (r == 0)
		return error_set(err, ETIMEDOUT, "the machine does not answer");
	size = r < 0 ? -1 : recv(link->fd, link->input, sizeof(link->input), MSG_DONTWAIT);
	if (size < 0 && errno == EAGAIN)
		return 0;
	if (size < 0 && errno != ECONNRESET)
		return error_set_errno(err, errno, "the machine's control socket");
	if (size <= 0)
		return ended(err);
	link->input_start = 0;
	link->input_end = (size_t)size;
	return 0;
}

/* The next object that the machine says. */
static int next_object(struct qmp_link *link, int64_t deadline, struct json_object **ret,
		       struct error *err)
{
	for (;;) {
		size_t size = link->input_end - link->input_start;
		struct json_object *object;
		enum json_tokener_error error;
		int r;

		object = json_tokener_parse_ex(link->parser, link->input + link->input_start,
					       (int)size);
		error = json_tokener_get_error(link->parser);
		if (error == json_tokener_success) {
			link->input_start += json_tokener_get_parse_end(link->parser);
			link->object_size = 0;
			json_tokener_reset(link->parser);
			if (json_object_is_type(object, json_type_object)) {
				*ret = object;
				return 0;
			}
			json_object_put(object);
			error = json_tokener_error_parse_unexpected;
		}
		link->object_size += size;
		link->input_start = link->input_end; /* the parser has it */
		if (error != json_tokener_continue || link->object_size > OBJECT_MAX)
			return error_set(err, EPROTO, "this speaks no QMP");
		r = receive(link, deadline, err);
		if (r < 0)
			return r;
	}
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

/* What is no answer: an event is kept, or told of. */
static void take_event(struct qmp_link *link, struct json_object *object)
{
	bool is_event = member(object, "event");

	if (is_event && !link->seen) {
		json_object_array_add(link->events, object);
		return;
	}
	if (is_event && link->seen)
		link->seen(object);
	json_object_put(object);
}

/* The next object with @name in it; events that come before it are kept. */
static int await(struct qmp_link *link, const char *name, const char *other,
		 struct json_object **ret, struct error *err)
{
	int64_t deadline = link->patient ? -1 : now_ms() + ANSWER_MS;

	for (;;) {
		struct json_object *object = NULL;
		int r = next_object(link, deadline, &object, err);

		if (r < 0)
			return r;
		if (member(object, name) || (other && member(object, other))) {
			*ret = object;
			return 0;
		}
		take_event(link, object);
	}
}

void qmp_link_be_patient(struct qmp_link *link, void (*seen)(struct json_object *event))
{
	link->patient = true;
	link->seen = seen;
}

static int send_all(struct qmp_link *link, const char *text, struct error *err)
{
	size_t size = strlen(text);

	for (size_t done = 0; done < size;) {
		ssize_t sent = send(link->fd, text + done, size - done, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return ended(err);
		if (sent < 0)
			return error_set_errno(err, errno, "the machine's control socket");
		done += (size_t)sent;
	}
	return 0;
}

/* @id 0: without one. */
static int send_request(struct qmp_link *link, const char *command, struct json_object *arguments,
			int64_t id, struct error *err)
{
	struct json_object *request = json_object_new_object();
	int r;

	json_object_object_add(request, "execute", json_object_new_string(command));
	if (arguments)
		json_object_object_add(request, "arguments", arguments);
	if (id)
		json_object_object_add(request, "id", json_object_new_int64(id));
	r = send_all(link, json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN), err);
	json_object_put(request);
	return r;
}

int qmp_link_execute(struct qmp_link *link, const char *command, struct json_object *arguments,
		     struct json_object **ret, struct error *err)
{
	struct json_object *answer = NULL;
	struct json_object *error;
	int r = send_request(link, command, arguments, 0, err);

	if (r == 0)
		r = await(link, "return", "error", &answer, err);
	if (r < 0)
		return r;
	error = member(answer, "error");
	if (error)
		r = error_set(err, EINVAL, "%s", json_object_get_string(member(error, "desc")));
	else if (ret)
		*ret = json_object_get(member(answer, "return"));
	json_object_put(answer);
	return r;
}

int qmp_link_event(struct qmp_link *link, int timeout_ms, struct json_object **ret,
		   struct error *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	struct json_object *object = NULL;
	int r;

	if (link->next_event < json_object_array_length(link->events)) {
		*ret = json_object_get(json_object_array_get_idx(link->events, link->next_event++));
		return 0;
	}
	do {
		r = next_object(link, deadline, &object, err);
		if (r < 0)
			return r;
		if (!member(object, "event")) {
			json_object_put(object);
			object = NULL;
		}
	} while (!object);
	*ret = object;
	return 0;
}

static int connect_to(int fd, const char *path, struct error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(addr.sun_path))
		return error_set(err, ENAMETOOLONG, "%s is too long for the path of a socket",
				 path);
	memcpy(addr.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return error_set_errno(err, errno, "%s", path);
	return 0;
}

/* @flags as of socket(2). */
static int make_link(const char *path, int flags, struct qmp_link **ret, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = calloc(1, sizeof(*link));
	int r;

	if (!link)
		return error_set_errno(err, ENOMEM, "%s", path);
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	link->parser = json_tokener_new_ex(DEPTH_MAX);
	link->events = json_object_new_array();
	if (link->fd < 0 || !link->parser)
		return error_set_errno(err, link->fd < 0 ? errno : ENOMEM, "%s", path);
	r = connect_to(link->fd, path, err);
	if (r == 0)
		*ret = steal_ptr(&link);
	return r;
}

int qmp_link_open(const char *path, struct qmp_link **ret, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct json_object *greeting = NULL;
	int r = make_link(path, 0, &link, err);

	if (r < 0)
		return r;
	r = await(link, "QMP", NULL, &greeting, err);
	if (r == 0) {
		json_object_put(greeting);
		r = qmp_link_execute(link, "qmp_capabilities", NULL, NULL, err);
	}
	if (r < 0)
		return error_prefix(err, "%s: ", path);
	*ret = steal_ptr(&link);
	return 0;
}

void qmp_link_close(struct qmp_link *link)
{
	if (!link)
		return;
	close_fd(link->fd);
	if (link->parser)
		json_tokener_free(link->parser);
	json_object_put(link->events);
	free(link);
}

/* Without waiting. */

int qmp_link_begin(const char *path, struct qmp_link **ret, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	int r = make_link(path, SOCK_NONBLOCK, &link, err);

	if (r == 0)
		r = send_request(link, "qmp_capabilities", NULL, 0, err);
	if (r == 0)
		*ret = steal_ptr(&link);
	return r;
}

int qmp_link_fd(const struct qmp_link *link)
{
	return link->fd;
}

int qmp_link_ask(struct qmp_link *link, const char *command, struct json_object *arguments,
		 int64_t id, struct error *err)
{
	return send_request(link, command, arguments, id, err);
}

int qmp_link_next(struct qmp_link *link, int64_t *ret_id, struct json_object **ret,
		  struct error *err)
{
	for (;;) {
		struct json_object *object = NULL, *id;
		int r = next_object(link, 0, &object, err);

		if (r < 0)
			return r == -ETIMEDOUT ? -EAGAIN : r;
		id = member(object, "id");
		if (id) {
			*ret_id = json_object_get_int64(id);
			*ret = json_object_get(member(object, "return"));
			json_object_put(object);
			return 0;
		}
		json_object_put(object);
	}
}
