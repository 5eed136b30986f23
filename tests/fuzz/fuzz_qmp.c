/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of the control socket may send: in pieces that begin with their own
 * length, to commands that do nothing. However it goes on, what comes back is lines of
 * JSON, and a request does not hold more memory than it may.
 */
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "qmp_client.h"

static int run_nothing(struct qmp_call *call)
{
	(void)call;
	return 0;
}

static const char *const words[] = {"one", "two", NULL};
static const struct qmp_type word = {.kind = QMP_ENUM, .name = "Word", .values = words};
static const struct qmp_member arguments[] = {
	{.name = "word", .type = &word, .optional = true},
	{.name = "bool", .type = &qmp_bool, .optional = true},
	{.name = "int", .type = &qmp_int, .optional = true, .min = -5, .max = 10},
	{.name = "size", .type = &qmp_size, .optional = true},
	{.name = "str", .type = &qmp_string, .optional = true},
	{0},
};
static const struct qmp_command commands[] = {
	{.name = "qmp_capabilities", .run = run_nothing},
	{.name = "x", .run = run_nothing, .arguments = arguments},
	{0},
};
static const struct qmp_event events[] = {{0}};
static const struct qmp_schema schema = {.commands = commands, .events = events};

static void forget(struct qmp_client *gone)
{
	*(struct qmp_client **)gone->context = NULL;
	qmp_client_destroy(gone);
}

/* Every line is whole, and JSON. */
static void check_answers(char *text)
{
	char *end;

	for (; *text; text = end + 2) {
		struct json_object *answer;

		end = strstr(text, "\r\n");
		FUZZ_ASSERT(end);
		*end = '\0';
		answer = json_tokener_parse(text);
		FUZZ_ASSERT(answer);
		json_object_put(answer);
	}
}

static void run(struct event_loop *loop, int peer)
{
	char text[64 * KIB];
	ssize_t got;

	for (unsigned i = 0; i < 4; i++) {
		event_loop_stop(loop);
		event_loop_run(loop);
		got = recv(peer, text, sizeof(text) - 1, MSG_DONTWAIT);
		text[got > 0 ? got : 0] = '\0';
		check_answers(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char negotiate[] = "{\"execute\":\"qmp_capabilities\"}";
	struct qmp_client *client = NULL;
	struct qmp_client like = {.schema = &schema, .context = &client, .gone = forget};
	struct event_loop *loop;
	struct error err = {0};
	int fds[2];

	FUZZ_ASSERT(event_loop_create(&loop, &err) == 0);
	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	FUZZ_ASSERT(qmp_client_create(loop, fds[0], &like, &client) == 0);
	send(fds[1], negotiate, sizeof(negotiate) - 1, MSG_NOSIGNAL);
	run(loop, fds[1]);
	while (size && client) {
		size_t piece = min_u64(data[0], size - 1);

		send(fds[1], data + 1, piece, MSG_NOSIGNAL);
		run(loop, fds[1]);
		data += 1 + piece;
		size -= 1 + piece;
	}
	FUZZ_ASSERT(!client || client->request_size <= QMP_REQUEST_MAX);
	if (client)
		qmp_client_destroy(client);
	close(fds[1]);
	event_loop_destroy(loop);
	return 0;
}
