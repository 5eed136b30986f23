/* SPDX-License-Identifier: Apache-2.0 */
/* What our own commands make of what a machine says, in order and out of it. */
#include "control/qmp_link.h"

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

/* A process that takes one connection, says @text whatever it hears, and hangs up. */
static void serve(const char *text)
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

		send(client, text, strlen(text), MSG_NOSIGNAL);
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

	serve(rows[_i].says);
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
		    "{\"event\":\"THREE\"}");
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
	UNIT_CASE(test_nobody),
	{0},
};
const char unit_name[] = "qmp_link";
