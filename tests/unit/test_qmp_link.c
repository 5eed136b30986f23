/* SPDX-License-Identifier: Apache-2.0 */
/* What our own commands make of what a machine says, in order and out of it. */
#include "control/qmp_link.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define HELLO "{\"QMP\": {}}\r\n{\"return\": {}}\r\n" /* greeting, and the negotiation's answer */

static char path[64];
static pid_t server;

/*
 * A process that takes one connection, says @text in pieces of that size whatever it
 * hears, and hangs up.
 */
static void serve(const char *text, size_t piece)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "/tmp/armlet-link-%d", (int)getpid());
	strcpy(addr.sun_path, path);
	unlink(path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	server = fork();
	if (server == 0) {
		int client = accept(fd, NULL, NULL);
		char heard[4096];

		for (const char *at = text; *at; at += strnlen(at, piece)) {
			if (piece < 100)
				usleep(500);
			send(client, at, strnlen(at, piece), MSG_NOSIGNAL);
		}
		shutdown(client, SHUT_WR);
		while (read(client, heard, sizeof(heard)) > 0)
			;
		_exit(0);
	}
	close(fd);
}

static void end_server(void)
{
	waitpid(server, NULL, 0);
	unlink(path);
}

static const struct {
	const char *says;
	int opens;          /* the result of qmp_link_open() */
	int answers;        /* and of a command */
	const char *answer; /* or the sentence, the socket's path left out */
} rows[] = {
	{HELLO "{\"return\": {\"a\": [1, \"x\"]}}", 0, 0, "{\"a\":[1,\"x\"]}"},
	{HELLO "  \r\n {\"return\":[]}{\"return\":1}", 0, 0, "[]"},
	{HELLO "{\"event\": \"STOP\"}{\"return\": true}", 0, 0, "true"},
	{HELLO "{\"unknown\": 1}{\"return\": true}", 0, 0, "true"},
	{HELLO "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no luck\"}}", 0, -EINVAL,
	 "no luck"},
	{HELLO, 0, -ENOTCONN, "the machine has ended"},
	{HELLO "{\"return\": {", 0, -ENOTCONN, "the machine has ended"},
	{HELLO "garbage", 0, -EPROTO, "this speaks no QMP"},
	{HELLO "[]", 0, -EPROTO, "this speaks no QMP"},
	{HELLO "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 0, -EPROTO, "this speaks no QMP"},
	{"", -ENOTCONN, 0, ": the machine has ended"},
	{"SSH-2.0-OpenSSH_9.2\r\n", -EPROTO, 0, ": this speaks no QMP"},
	{"{\"QMP\": {}}{\"error\": {\"desc\": \"not you\"}}", -EINVAL, 0, ": not you"},
};

START_TEST(test_answers)
{
	struct json_object *answer = NULL;
	struct qmp_link *link = NULL;
	struct error err = {0};
	int r;

	serve(rows[_i].says, SIZE_MAX);
	r = qmp_link_open(path, &link, &err);
	ck_assert_msg(r == rows[_i].opens, "%s", err.text);
	if (r == 0)
		r = qmp_link_execute(link, "x", NULL, &answer, &err);
	ck_assert_int_eq(r, rows[_i].opens < 0 ? rows[_i].opens : rows[_i].answers);
	if (r == 0)
		ck_assert_str_eq(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN),
				 rows[_i].answer);
	else
		ck_assert_str_eq(err.text + (link ? 0 : strlen(path)), rows[_i].answer);
	json_object_put(answer);
	qmp_link_close(link);
	end_server();
}
END_TEST

/* Events that come before an answer are not lost, and keep their order. */
START_TEST(test_events)
{
	static const char *const wanted[] = {"ONE", "TWO", "THREE"};
	struct qmp_link *link = NULL;
	struct error err = {0};
	struct json_object *event = NULL;

	serve(HELLO "{\"event\":\"ONE\"}{\"event\":\"TWO\"}{\"return\":{}}{\"x\":1}"
		    "{\"event\":\"THREE\"}",
	      SIZE_MAX);
	ck_assert_int_eq(qmp_link_open(path, &link, &err), 0);
	ck_assert_int_eq(qmp_link_execute(link, "x", json_object_new_object(), NULL, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		ck_assert_int_eq(qmp_link_event(link, -1, &event, &err), 0);
		ck_assert_str_eq(json_object_get_string(json_object_object_get(event, "event")),
				 wanted[i]);
		json_object_put(event);
	}
	ck_assert_int_eq(qmp_link_event(link, -1, &event, &err), -ENOTCONN);
	qmp_link_close(link);
	end_server();
}
END_TEST

/* Who stops waiting in the midst of an event still gets it whole. */
START_TEST(test_event_in_pieces)
{
	struct qmp_link *link = NULL;
	struct error err = {0};
	struct json_object *event = NULL;
	int r;

	serve(HELLO "{\"event\":\"A\", \"data\": {\"reason\": \"b\"}}", 1);
	ck_assert_int_eq(qmp_link_open(path, &link, &err), 0);
	do
		r = qmp_link_event(link, 0, &event, &err);
	while (r == -ETIMEDOUT);
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN),
			 "{\"event\":\"A\",\"data\":{\"reason\":\"b\"}}");
	json_object_put(event);
	qmp_link_close(link);
	end_server();
}
END_TEST

/* Without waiting: answers in any pieces, what else is said, and the end. */
static const struct {
	const char *says;
	int64_t id; /* of the first answer; 0: there is none */
	const char *answer;
	int end; /* what comes behind it */
} asked[] = {
	{HELLO "{\"return\": [1], \"id\": 7}", 7, "[ 1 ]", -ENOTCONN},
	{HELLO "{\"event\": \"STOP\"}{\"return\": 2, \"id\": 8}", 8, "2", -ENOTCONN},
	{HELLO "{\"error\": {\"desc\": \"no\"}, \"id\": 9}", 9, NULL, -ENOTCONN},
	{HELLO "{\"return\": 1}", 0, NULL, -ENOTCONN},
	{HELLO "{\"return\": 1, \"id\": 7}garbage", 7, "1", -EPROTO},
	{"SSH-2.0", 0, NULL, -EPROTO},
	{"", 0, NULL, -ENOTCONN},
};

static int await_next(struct qmp_link *link, int64_t *ret_id, struct json_object **ret)
{
	struct error err = {0};
	int r;

	do {
		struct pollfd pfd = {.fd = qmp_link_fd(link), .events = POLLIN};

		r = qmp_link_next(link, ret_id, ret, &err);
		if (r == -EAGAIN)
			poll(&pfd, 1, 10000);
	} while (r == -EAGAIN);
	return r;
}

START_TEST(test_asked)
{
	struct json_object *answer = NULL;
	struct qmp_link *link = NULL;
	struct error err = {0};
	int64_t id = 0;
	int r;

	serve(asked[_i].says, 1 + _i % 3);
	ck_assert_int_eq(qmp_link_begin(path, &link, &err), 0);
	r = qmp_link_ask(link, "x", json_object_new_object(), 7, &err);
	ck_assert(r == 0 || r == -ENOTCONN);
	r = await_next(link, &id, &answer);
	if (asked[_i].id) {
		ck_assert_int_eq(r, 0);
		ck_assert_int_eq(id, asked[_i].id);
		if (asked[_i].answer)
			ck_assert_str_eq(json_object_get_string(answer), asked[_i].answer);
		else
			ck_assert_ptr_null(answer);
		r = await_next(link, &id, &answer);
	}
	ck_assert_int_eq(r, asked[_i].end);
	json_object_put(answer);
	qmp_link_close(link);
	end_server();
}
END_TEST

/* A machine that is stopped takes some connections, and says nothing. */
START_TEST(test_silent)
{
	struct qmp_link *links[8] = {NULL};
	struct json_object *answer = NULL;
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "/tmp/armlet-silent"};
	struct error err = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t id;
	int r = 0;

	unlink(addr.sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(links) && r == 0; i++) {
		r = qmp_link_begin(addr.sun_path, &links[i], &err);
		if (r == 0)
			ck_assert_int_eq(qmp_link_next(links[i], &id, &answer, &err), -EAGAIN);
	}
	ck_assert_int_eq(r, -EAGAIN);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		qmp_link_close(links[i]);
	close(fd);
	unlink(addr.sun_path);
}
END_TEST

START_TEST(test_nobody)
{
	struct qmp_link *link = NULL;
	struct error err = {0};
	char long_path[256];

	ck_assert_int_eq(qmp_link_open("/none/such", &link, &err), -ENOENT);
	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	ck_assert_int_eq(qmp_link_open(long_path, &link, &err), -ENAMETOOLONG);
	ck_assert_ptr_null(link);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_answers, ARRAY_SIZE(rows)),
	UNIT_CASE(test_events),
	UNIT_CASE(test_event_in_pieces),
	UNIT_LOOP(test_asked, ARRAY_SIZE(asked)),
	UNIT_CASE(test_silent),
	UNIT_CASE(test_nobody),
	{0},
};
const char unit_name[] = "qmp_link";
