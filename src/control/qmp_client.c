/* SPDX-License-Identifier: Apache-2.0 */
#include "qmp_client.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 4 /* that are taken at once, to be closed but for one */

/* No string: it ends a line, not a text. */
static const char line_end[] = {'\r', '\n'};

/* Output. */

static bool out_is_empty(const struct qmp_client *client)
{
	return client->out_start == client->out_end;
}

static void watch(struct qmp_client *client)
{
	unsigned idle = client->waiting ? 0 : EVENT_READ;

	if (client->source.loop)
		event_source_modify(&client->source, out_is_empty(client) ? idle : EVENT_WRITE);
}

/* Nobody is there any more, or nobody that we want to serve. */
static void hang_up(struct qmp_client *client)
{
	client->closing = true;
	client->out_start = client->out_end = 0;
	client->input_start = client->input_end = 0;
}

bool qmp_client_flush(struct qmp_client *client)
{
	while (!out_is_empty(client)) {
		ssize_t sent =
			send(client->source.fd, client->out + client->out_start,
			     client->out_end - client->out_start, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			break;
		if (sent < 0)
			hang_up(client);
		else
			client->out_start += (size_t)sent;
	}
	if (out_is_empty(client)) {
		free(client->out);
		client->out = NULL;
		client->out_start = client->out_end = client->out_size = 0;
	}
	watch(client);
	return out_is_empty(client);
}

static bool make_room(struct qmp_client *client, size_t size)
{
	size_t used = client->out_end - client->out_start;
	char *larger;

	if (client->out_start) {
		memmove(client->out, client->out + client->out_start, used);
		client->out_start = 0;
		client->out_end = used;
	}
	if (used + size <= client->out_size)
		return true;
	larger = realloc(client->out, used + size);
	if (!larger)
		return false;
	client->out = larger;
	client->out_size = used + size;
	return true;
}

static void put(struct qmp_client *client, const char *text, size_t size)
{
	if (!make_room(client, size)) {
		hang_up(client);
		return;
	}
	memcpy(client->out + client->out_end, text, size);
	client->out_end += size;
}

/*
 * QEMU puts a space behind each colon and comma, and there are clients that compare
 * whole lines.
 */
char *qmp_line(struct json_object *object, size_t *ret_size)
{
	size_t size = 0;
	const char *text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	char *line = text ? malloc(2 * size + sizeof(line_end)) : NULL;
	bool in_string = false;
	size_t used = 0;

	if (!line)
		return NULL;
	for (size_t i = 0; i < size; i++) {
		line[used++] = text[i];
		if (in_string && text[i] == '\\' && i + 1 < size)
			line[used++] = text[++i];
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == ':' || text[i] == ','))
			line[used++] = ' ';
	}
	memcpy(line + used, line_end, sizeof(line_end));
	*ret_size = used + sizeof(line_end);
	return line;
}

/* Send @object, which is freed. */
static void put_object(struct qmp_client *client, struct json_object *object)
{
	size_t size = 0;
	_cleanup_free_ char *line = qmp_line(object, &size);

	if (line)
		put(client, line, size);
	else
		hang_up(client);
	json_object_put(object);
}

void qmp_client_event(struct qmp_client *client, const char *line, size_t size)
{
	if (!client->negotiated || client->closing)
		return;
	if (client->out_end - client->out_start + size > QMP_OUT_MAX)
		hang_up(client);
	else
		put(client, line, size);
	/* The connection's end is found by its callback, like any other. */
	qmp_client_flush(client);
	if (client->closing)
		shutdown(client->source.fd, SHUT_RDWR);
}

/* Answers. */

static struct json_object *error_object(const struct qmp_error *error)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "class",
			       json_object_new_string(qmp_error_class_name(error->class)));
	json_object_object_add(object, "desc", json_object_new_string(error->text.text));
	return object;
}

/* @call was run with the result @r; @id is the request's, NULL: it has none. */
static void answer(struct qmp_client *client, struct qmp_call *call, int r, struct json_object *id)
{
	struct json_object *object = json_object_new_object();

	if (r < 0)
		json_object_object_add(object, "error", error_object(&call->error));
	else
		json_object_object_add(object, "return",
				       call->answer ? call->answer : json_object_new_object());
	if (r < 0)
		json_object_put(call->answer);
	if (id)
		json_object_object_add(object, "id", json_object_get(id));
	put_object(client, object);
}

static void refuse(struct qmp_client *client, const char *why)
{
	struct qmp_call call = {0};

	answer(client, &call, qmp_fail(&call, QMP_GENERIC_ERROR, "%s", why), NULL);
	client->closing = true;
}

struct json_object *qmp_version(void)
{
	struct json_object *numbers = json_object_new_object();
	struct json_object *version = json_object_new_object();

	json_object_object_add(numbers, "major", json_object_new_int(ARMLET_VERSION_MAJOR));
	json_object_object_add(numbers, "minor", json_object_new_int(ARMLET_VERSION_MINOR));
	json_object_object_add(numbers, "micro", json_object_new_int(ARMLET_VERSION_MICRO));
	json_object_object_add(version, "qemu", numbers);
	json_object_object_add(version, "package",
			       json_object_new_string("armlet-" ARMLET_VERSION));
	return version;
}

static void greet(struct qmp_client *client)
{
	struct json_object *qmp = json_object_new_object();
	struct json_object *greeting = json_object_new_object();

	json_object_object_add(qmp, "version", qmp_version());
	json_object_object_add(qmp, "capabilities", json_object_new_array());
	json_object_object_add(greeting, "QMP", qmp);
	put_object(client, greeting);
}

/* Requests. */

/* A member that has no business in a request; NULL: there is none. */
static const char *stranger(struct json_object *request)
{
	json_object_object_foreach(request, name, ignored)
	{
		(void)ignored;
		if (strcmp(name, "execute") && strcmp(name, "arguments") && strcmp(name, "id"))
			return name;
	}
	return NULL;
}

/* Negotiation comes first, and once (qmp-spec, "Capabilities Negotiation"). */
static int negotiate(struct qmp_client *client, const char *command, struct qmp_call *call)
{
	bool is_negotiation = !strcmp(command, "qmp_capabilities");

	if (client->negotiated && is_negotiation)
		return qmp_fail(call, QMP_COMMAND_NOT_FOUND,
				"Capabilities negotiation is already complete, command ignored");
	if (!client->negotiated && !is_negotiation)
		return qmp_fail(call, QMP_COMMAND_NOT_FOUND,
				"Expecting capabilities negotiation with 'qmp_capabilities'");
	return 0;
}

static int perform(struct qmp_client *client, struct json_object *request, struct qmp_call *call)
{
	struct json_object *execute, *arguments = NULL;
	const char *name;
	int r;

	if (stranger(request))
		return qmp_fail(call, QMP_GENERIC_ERROR, "QMP input member '%.100s' is unexpected",
				stranger(request));
	if (!json_object_object_get_ex(request, "execute", &execute))
		return qmp_fail(call, QMP_GENERIC_ERROR, "QMP input lacks member 'execute'");
	if (!json_object_is_type(execute, json_type_string))
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"QMP input member 'execute' must be a string");
	if (json_object_object_get_ex(request, "arguments", &arguments) &&
	    !json_object_is_type(arguments, json_type_object))
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"QMP input member 'arguments' must be an object");
	name = json_object_get_string(execute);
	call->context = client->context;
	call->client = client;
	call->arguments = arguments;
	r = negotiate(client, name, call);
	if (r == 0)
		r = qmp_dispatch(client->schema, name, call);
	if (r == 0 && !strcmp(name, "qmp_capabilities"))
		client->negotiated = true;
	return r;
}

static void serve(struct qmp_client *client, struct json_object *request)
{
	struct json_object *id = NULL;
	struct qmp_call call = {0};
	int r;

	if (json_object_is_type(request, json_type_object)) {
		json_object_object_get_ex(request, "id", &id);
		r = perform(client, request, &call);
	} else {
		r = qmp_fail(&call, QMP_GENERIC_ERROR, "QMP input must be a JSON object");
	}
	if (r == QMP_LATER) {
		client->waiting = true;
		client->id = json_object_get(id);
		return;
	}
	answer(client, &call, r, id);
}

/* Input. */

static void forget_request(struct qmp_client *client)
{
	if (client->parser)
		json_tokener_free(client->parser);
	client->parser = NULL;
	client->request_size = 0;
}

static bool begin_request(struct qmp_client *client)
{
	client->parser = json_tokener_new_ex(QMP_DEPTH_MAX);
	if (!client->parser)
		return false;
	json_tokener_set_flags(client->parser, JSON_TOKENER_STRICT |
						       JSON_TOKENER_ALLOW_TRAILING_CHARS |
						       JSON_TOKENER_VALIDATE_UTF8);
	return true;
}

/* Between requests there may be any white space, for ever. */
static void skip_space(struct qmp_client *client)
{
	while (client->input_start < client->input_end &&
	       strchr(" \t\r\n", client->input[client->input_start]) &&
	       client->input[client->input_start])
		client->input_start++;
}

/* Go on with what was read, up to the end of a request. */
static void parse(struct qmp_client *client)
{
	size_t room = QMP_REQUEST_MAX - client->request_size;
	size_t size = min_u64(client->input_end - client->input_start, room);
	struct json_object *request;
	enum json_tokener_error error;
	size_t used;

	request = json_tokener_parse_ex(client->parser, client->input + client->input_start,
					(int)size);
	error = json_tokener_get_error(client->parser);
	used = error == json_tokener_continue ? size : json_tokener_get_parse_end(client->parser);
	client->input_start += used;
	client->request_size += used;
	if (error == json_tokener_success) {
		forget_request(client);
		serve(client, request);
		json_object_put(request);
	} else if (error != json_tokener_continue) {
		refuse(client, error == json_tokener_error_depth
				       ? "JSON parse error, it is nested too deeply"
				       : "JSON parse error, this is no JSON");
	} else if (client->request_size == QMP_REQUEST_MAX) {
		refuse(client, "JSON parse error, a request of more than 64 KiB");
	}
}

/* As long as there are requests, and the client takes its answers. */
static void work(struct qmp_client *client)
{
	while (!client->closing && !client->waiting && out_is_empty(client)) {
		if (!client->parser)
			skip_space(client);
		if (client->input_start == client->input_end)
			break;
		if (!client->parser && !begin_request(client)) {
			hang_up(client);
			break;
		}
		parse(client);
		qmp_client_flush(client);
	}
	if (client->input_start == client->input_end) {
		free(client->input);
		client->input = NULL;
		client->input_start = client->input_end = 0;
	}
}

/* What descriptors came: the first is kept in place of one before. */
static void take_fds(struct qmp_client *client, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (i > 0) {
				close(fd);
				continue;
			}
			close_fd(client->passed_fd);
			client->passed_fd = fd;
		}
	}
}

static ssize_t receive(struct qmp_client *client)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct iovec iov = {.iov_base = client->input, .iov_len = QMP_INPUT_SIZE};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(client->source.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got >= 0)
		take_fds(client, &message);
	return got;
}

static void take_input(struct qmp_client *client)
{
	ssize_t got;

	if (client->input)
		return;
	client->input = malloc(QMP_INPUT_SIZE);
	got = client->input ? receive(client) : 0;
	if (got > 0)
		client->input_end = (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		hang_up(client);
}

/* Whoever is to go and has got all goes. */
static void leave(struct qmp_client *client)
{
	if (client->closing && out_is_empty(client))
		client->gone(client);
}

static void on_event(void *data, unsigned events)
{
	struct qmp_client *client = data;

	if (events & EVENT_WRITE)
		qmp_client_flush(client);
	else if (events & (EVENT_READ | EVENT_HANGUP) && !client->closing && !client->waiting &&
		 out_is_empty(client))
		take_input(client);
	work(client);
	if (events & EVENT_HANGUP && !(events & EVENT_READ))
		hang_up(client);
	leave(client);
}

void qmp_client_answer(struct qmp_client *client, struct qmp_call *call, int r)
{
	struct json_object *id = client->id;

	client->waiting = false;
	client->id = NULL;
	answer(client, call, r, id);
	json_object_put(id);
	qmp_client_flush(client);
	work(client);
	leave(client);
}

int qmp_client_take_fd(struct qmp_client *client)
{
	return steal_fd(&client->passed_fd);
}

int qmp_client_create(struct event_loop *loop, int fd, const struct qmp_client *like,
		      struct qmp_client **ret)
{
	struct qmp_client *client = malloc(sizeof(*client));
	int r;

	if (!client) {
		close_fd(fd);
		return -ENOMEM;
	}
	*client = *like;
	client->passed_fd = -EBADF;
	client->source = (struct event_source){.callback = on_event, .data = client};
	r = event_loop_add(loop, &client->source, fd, EVENT_READ);
	if (r < 0) {
		close_fd(fd);
		free(client);
		return r;
	}
	client->source.owns_fd = true;
	greet(client);
	qmp_client_flush(client);
	*ret = client;
	return 0;
}

void qmp_client_destroy(struct qmp_client *client)
{
	event_source_remove(&client->source);
	forget_request(client);
	close_fd(client->passed_fd);
	json_object_put(client->id);
	free(client->input);
	free(client->out);
	free(client);
}
