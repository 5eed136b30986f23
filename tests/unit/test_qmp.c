/* SPDX-License-Identifier: Apache-2.0 */
/* A client of the control socket, with commands of the test's own. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "qmp_client.h"
#include "unit.h"

#define GREETING                                                                          \
	"{\"QMP\": {\"version\": {\"qemu\": {\"major\": 0, \"minor\": 1, \"micro\": 0}, " \
	"\"package\": "                                                                   \
	"\"armlet-0.1.0\"}, \"capabilities\": []}}\r\n"
#define NEGOTIATE          "{\"execute\":\"qmp_capabilities\"}"
#define NOTHING            "{\"return\": {}}\r\n"
#define ERROR(class, text) "{\"error\": {\"class\": \"" class "\", \"desc\": \"" text "\"}}\r\n"
#define GENERIC(text)      ERROR("GenericError", text)

static struct event_loop *loop;
static struct qmp_client *client;
static int peer;
static unsigned calls;

static int run_nothing(struct qmp_call *call)
{
	(void)call;
	calls++;
	return 0;
}

static int run_echo(struct qmp_call *call)
{
	calls++;
	call->answer = json_object_get((struct json_object *)call->arguments);
	return 0;
}

static int run_fail(struct qmp_call *call)
{
	call->answer = json_object_new_object(); /* dropped */
	return qmp_fail(call, QMP_DEVICE_NOT_FOUND, "no \"%s\" here", "disk");
}

#define LARGE (512 * KIB)

static int run_large(struct qmp_call *call)
{
	char *text = malloc(LARGE + 1);

	calls++;
	memset(text, 'x', LARGE);
	text[LARGE] = '\0';
	call->answer = json_object_new_string(text);
	free(text);
	return 0;
}

static const char *const words[] = {"one", "two", NULL};
static const struct qmp_type word = {.kind = QMP_ENUM, .name = "Word", .values = words};
static const struct qmp_member echo_arguments[] = {
	{.name = "word", .type = &word},
	{.name = "bool", .type = &qmp_bool, .optional = true},
	{.name = "int", .type = &qmp_int, .optional = true, .min = -5, .max = 10},
	{.name = "size", .type = &qmp_size, .optional = true},
	{.name = "str", .type = &qmp_string, .optional = true},
	{0},
};
static const struct qmp_type echo_type = {
	.kind = QMP_OBJECT, .name = "Echo", .members = echo_arguments};
static const struct qmp_type echo_list = {
	.kind = QMP_ARRAY, .name = "[Echo]", .element = &echo_type};

static const struct qmp_type string_list = {
	.kind = QMP_ARRAY, .name = "[str]", .element = &qmp_string};
static const struct qmp_type int_list = {.kind = QMP_ARRAY, .name = "[int]", .element = &qmp_int};
static const struct qmp_member inner_members[] = {
	{.name = "small", .type = &qmp_int, .min = 1, .max = 3},
	{.name = "words", .type = &string_list, .optional = true},
	{0},
};
static const struct qmp_type inner = {
	.kind = QMP_OBJECT, .name = "Inner", .members = inner_members};
static const struct qmp_type inner_list = {.kind = QMP_ARRAY, .name = "[Inner]", .element = &inner};
static const struct qmp_member nest_arguments[] = {
	{.name = "ints", .type = &int_list, .optional = true},
	{.name = "one", .type = &inner, .optional = true},
	{.name = "many", .type = &inner_list, .optional = true},
	{0},
};

static const struct qmp_command commands[] = {
	{.name = "qmp_capabilities", .run = run_nothing, .always = true},
	{.name = "echo", .run = run_echo, .arguments = echo_arguments, .returns = &echo_list},
	{.name = "nest", .run = run_echo, .arguments = nest_arguments},
	{.name = "fail", .run = run_fail},
	{.name = "large", .run = run_large, .returns = &qmp_string},
	{.name = "patient", .run = run_nothing, .always = true},
	{0},
};
static const struct qmp_event events[] = {
	{.name = "STOP"}, {.name = "WORD", .members = echo_arguments}, {0}};
static bool busy;

static int check(struct qmp_call *call)
{
	return busy ? qmp_fail(call, QMP_GENERIC_ERROR, "not now") : 0;
}

static const struct qmp_schema schema = {.commands = commands, .events = events, .check = check};

static void forget(struct qmp_client *gone)
{
	ck_assert_ptr_eq(gone, client);
	client = NULL;
	qmp_client_destroy(gone);
}

static void open_client(void)
{
	const struct qmp_client like = {.schema = &schema, .gone = forget};
	struct error err = {0};
	int fds[2];

	ck_assert_int_eq(event_loop_create(&loop, &err), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	ck_assert_int_eq(qmp_client_create(loop, fds[0], &like, &client), 0);
	peer = fds[1];
	calls = 0;
}

static void close_client(void)
{
	close(peer);
	if (client)
		qmp_client_destroy(client);
	event_loop_destroy(loop);
}

static void work(void)
{
	for (unsigned i = 0; i < 8; i++) {
		event_loop_stop(loop);
		event_loop_run(loop);
	}
}

/* All of @text, which may be more than the socket holds at once. */
static void say(const char *text, size_t size)
{
	while (size) {
		ssize_t sent = send(peer, text, size, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			break; /* it has hung up */
		text += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
		work();
	}
	work();
}

/* What has come, as a string until the next call. */
static const char *heard(void)
{
	static char text[2 * LARGE];
	size_t size = 0;
	ssize_t got;

	do {
		got = recv(peer, text + size, sizeof(text) - 1 - size, 0);
		size += got > 0 ? (size_t)got : 0;
		work();
	} while (got > 0);
	text[size] = '\0';
	return text;
}

static void negotiate(void)
{
	open_client();
	say(NEGOTIATE, strlen(NEGOTIATE));
	ck_assert_str_eq(heard(), GREETING NOTHING);
	calls = 0;
}

#define NEST(arguments) "{\"execute\":\"nest\",\"arguments\":{" arguments "}}"

/* Requests, each on a connection of its own that has negotiated, and what comes back. */
static const struct {
	const char *request;
	const char *answer;
} rows[] = {
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"two\"}}",
	 "{\"return\": {\"word\": \"two\"}}\r\n"},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"bool\":true,\"int\":-5,\"size\":"
	 "0,"
	 "\"str\":\"a:b,\\\"c\\\\\"},\"id\":[1,{\"x\":null}]}",
	 "{\"return\": {\"word\": \"one\", \"bool\": true, \"int\": -5, \"size\": 0, \"str\": "
	 "\"a:b,\\\"c\\\\\"}, \"id\": [1, {\"x\": null}]}\r\n"},
	{"{\"execute\":\"fail\",\"id\":\"a\"}",
	 "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"no \\\"disk\\\" here\"}, \"id\": "
	 "\"a\"}\r\n"},
	{"{\"execute\":\"qmp_capabilities\"}",
	 ERROR("CommandNotFound", "Capabilities negotiation is already complete, command ignored")},
	{"{\"execute\":\"none\"}", ERROR("CommandNotFound", "The command none has not been found")},
	/* Arguments. */
	{"{\"execute\":\"echo\"}", GENERIC("Parameter 'word' is missing")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"three\"}}",
	 GENERIC("Parameter 'word' does not accept value 'three'")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":1}}",
	 GENERIC("Invalid parameter type for 'word', expected: string")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"bool\":1}}",
	 GENERIC("Invalid parameter type for 'bool', expected: boolean")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"int\":11}}",
	 GENERIC("Parameter 'int' is out of range: it is from -5 to 10")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"int\":-6}}",
	 GENERIC("Parameter 'int' is out of range: it is from -5 to 10")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"int\":1.5}}",
	 GENERIC("Invalid parameter type for 'int', expected: integer")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"int\":\"1\"}}",
	 GENERIC("Invalid parameter type for 'int', expected: integer")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"size\":-1}}",
	 GENERIC("Parameter 'size' is out of range: it is from 0 to 9223372036854775807")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"str\":\"a\\u0000b\"}}",
	 GENERIC("Parameter 'str' is no string of up to 4096 bytes without \\\\u0000")},
	{"{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\",\"more\":1}}",
	 GENERIC("Parameter 'more' is unexpected")},
	{"{\"execute\":\"fail\",\"arguments\":{\"more\":1}}",
	 GENERIC("Parameter 'more' is unexpected")},
	/* Those within others. */
	{NEST("\"ints\":[]"), "{\"return\": {\"ints\": []}}\r\n"},
	{NEST("\"ints\":[1,-9223372036854775808]"),
	 "{\"return\": {\"ints\": [1, -9223372036854775808]}}\r\n"},
	{NEST("\"many\":[{\"small\":1,\"words\":[\"a\"]},{\"small\":3}]"),
	 "{\"return\": {\"many\": [{\"small\": 1, \"words\": [\"a\"]}, {\"small\": 3}]}}\r\n"},
	{NEST("\"ints\":1"), GENERIC("Invalid parameter type for 'ints', expected: array")},
	{NEST("\"ints\":[1,2,\"x\"]"),
	 GENERIC("Invalid parameter type for 'ints[2]', expected: integer")},
	{NEST("\"ints\":[null]"),
	 GENERIC("Invalid parameter type for 'ints[0]', expected: integer")},
	{NEST("\"one\":[]"), GENERIC("Invalid parameter type for 'one', expected: object")},
	{NEST("\"one\":{}"), GENERIC("Parameter 'one.small' is missing")},
	{NEST("\"one\":{\"small\":4}"),
	 GENERIC("Parameter 'one.small' is out of range: it is from 1 to 3")},
	{NEST("\"one\":{\"small\":1,\"large\":1}"), GENERIC("Parameter 'one.large' is unexpected")},
	{NEST("\"many\":[{\"small\":1},{\"small\":1,\"words\":[\"a\",7]}]"),
	 GENERIC("Invalid parameter type for 'many[1].words[1]', expected: string")},
	/* Requests that are none. */
	{"[]", GENERIC("QMP input must be a JSON object")},
	{"null ", GENERIC("QMP input must be a JSON object")},
	{"{}", GENERIC("QMP input lacks member 'execute'")},
	{"{\"execute\":1}", GENERIC("QMP input member 'execute' must be a string")},
	{"{\"execute\":\"fail\",\"arguments\":[]}",
	 GENERIC("QMP input member 'arguments' must be an object")},
	{"{\"execute\":\"fail\",\"control\":1}",
	 GENERIC("QMP input member 'control' is unexpected")},
};

START_TEST(test_request)
{
	negotiate();
	say(rows[_i].request, strlen(rows[_i].request));
	ck_assert_str_eq(heard(), rows[_i].answer);
	say(rows[0].request, strlen(rows[0].request));
	ck_assert_str_eq(heard(), rows[0].answer);
	close_client();
}
END_TEST

/* An array has an end. */
START_TEST(test_long_array)
{
	char text[8192];
	size_t size = (size_t)snprintf(text, sizeof(text),
				       "{\"execute\":\"nest\",\"arguments\":{\"ints\":[0");

	for (unsigned i = 0; i < QMP_ARRAY_MAX; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, ",%u", i % 10);
	size += (size_t)snprintf(text + size, sizeof(text) - size, "]}}");
	negotiate();
	say(text, size);
	ck_assert_str_eq(heard(), GENERIC("Parameter 'ints' has more than 1024 elements"));
	ck_assert_uint_eq(calls, 0);
	close_client();
}
END_TEST

/* What cannot be done now is refused once its arguments are right, and is done later. */
START_TEST(test_check)
{
	static const char good[] = "{\"execute\":\"echo\",\"arguments\":{\"word\":\"one\"}}";
	static const char wrong[] = "{\"execute\":\"echo\"}";
	static const char patient[] = "{\"execute\":\"patient\"}";

	busy = true;
	negotiate();
	say(good, strlen(good));
	ck_assert_str_eq(heard(), GENERIC("not now"));
	say(wrong, strlen(wrong));
	ck_assert_str_eq(heard(), GENERIC("Parameter 'word' is missing"));
	ck_assert_uint_eq(calls, 0);
	say(patient, strlen(patient));
	ck_assert_str_eq(heard(), NOTHING);
	busy = false;
	say(good, strlen(good));
	ck_assert_str_eq(heard(), "{\"return\": {\"word\": \"one\"}}\r\n");
	ck_assert_uint_eq(calls, 2);
	close_client();
}
END_TEST

static const char *const no_json[] = {
	"}",
	"GET / HTTP/1.1\r\n\r\n",
	"{\"execute\" \"fail\"}",
	"{\"execute\":\"\xff\"}",
};

START_TEST(test_no_json)
{
	negotiate();
	say(no_json[_i], strlen(no_json[_i]));
	ck_assert_str_eq(heard(), GENERIC("JSON parse error, this is no JSON"));
	ck_assert_ptr_null(client);
	close_client();
}
END_TEST

START_TEST(test_negotiation)
{
	open_client();
	ck_assert_str_eq(heard(), GREETING);
	say("{\"execute\":\"fail\"}", 18);
	ck_assert_str_eq(heard(),
			 ERROR("CommandNotFound",
			       "Expecting capabilities negotiation with 'qmp_capabilities'"));
	qmp_client_event(client, "never\r\n", 7);
	say(NEGOTIATE, strlen(NEGOTIATE));
	ck_assert_str_eq(heard(), NOTHING);
	qmp_client_event(client, "event\r\n", 7);
	ck_assert_str_eq(heard(), "event\r\n");
	close_client();
}
END_TEST

/* A request may come in any pieces, and many in one. */
START_TEST(test_framing)
{
	static const char text[] =
		"\r\n\t {\"execute\":\"echo\",\"arguments\":{\"word\":\"one\"},\"id\":1}"
		"{\"execute\":\"echo\",\"arguments\":{\"word\":\"two\"}}\n\n";
	static const char answers[] = "{\"return\": {\"word\": \"one\"}, \"id\": 1}\r\n"
				      "{\"return\": {\"word\": \"two\"}}\r\n";

	negotiate();
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		for (size_t at = 0; at < sizeof(text) - 1; at += piece)
			say(text + at, min_u64(piece, sizeof(text) - 1 - at));
		ck_assert_str_eq(heard(), answers);
	}
	ck_assert_ptr_null(client->parser);
	ck_assert_ptr_null(client->input);
	ck_assert_ptr_null(client->out);
	close_client();
}
END_TEST

/* Nested deeper than we go, or longer: an error, the end, and no memory. */
START_TEST(test_too_much)
{
	static char deep[10000];
	static char wide[256 * KIB];

	negotiate();
	memset(deep, '[', sizeof(deep));
	say(deep, sizeof(deep));
	ck_assert_str_eq(heard(), GENERIC("JSON parse error, it is nested too deeply"));
	ck_assert_ptr_null(client);
	close_client();

	negotiate();
	memset(wide, ' ', sizeof(wide));
	memcpy(wide, "{\"execute\":", 11);
	say(wide, sizeof(wide));
	ck_assert_str_eq(heard(), GENERIC("JSON parse error, a request of more than 64 KiB"));
	ck_assert_ptr_null(client);
	close_client();

	/* Between requests it is nothing. */
	negotiate();
	memset(wide, '\n', sizeof(wide));
	say(wide, sizeof(wide));
	ck_assert_ptr_nonnull(client);
	ck_assert_ptr_null(client->parser);
	close_client();
}
END_TEST

/* One that does not take its answers is not served any further, and events end it. */
START_TEST(test_never_reads)
{
	static const char large[] = "{\"execute\":\"large\"}{\"execute\":\"large\"}";
	char line[1024];
	unsigned count = 0;

	negotiate();
	say(large, strlen(large));
	ck_assert_uint_eq(calls, 1);
	ck_assert_ptr_nonnull(client->out);
	memset(line, 'e', sizeof(line));
	for (; client && count < 1000; count++) {
		qmp_client_event(client, line, sizeof(line));
		work();
	}
	ck_assert_ptr_null(client);
	ck_assert_uint_lt(count, 1000);
	close_client();
}
END_TEST

/* One that takes them late gets all of them, in order. */
START_TEST(test_reads_late)
{
	static const char large[] = "{\"execute\":\"large\"}{\"execute\":\"echo\",\"arguments\":"
				    "{\"word\":\"one\"}}";
	const char *text;

	negotiate();
	say(large, strlen(large));
	ck_assert_uint_eq(calls, 1);
	text = heard();
	ck_assert_uint_eq(calls, 2);
	ck_assert_uint_eq(strspn(text, "{\"return: "), 12);
	ck_assert_str_eq(text + 12 + LARGE, "\"}\r\n{\"return\": {\"word\": \"one\"}}\r\n");
	close_client();
}
END_TEST

START_TEST(test_leaves)
{
	negotiate();
	say("{\"execute\":", 11);
	ck_assert_ptr_nonnull(client->parser);
	close(peer);
	work();
	ck_assert_ptr_null(client);
	peer = -EBADF;
	close_client();
}
END_TEST

/* SchemaInfo @name of @schema. */
static struct json_object *entity(struct json_object *list, const char *name)
{
	struct json_object *found = NULL;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *at = json_object_array_get_idx(list, i);

		if (!strcmp(json_object_get_string(json_object_object_get(at, "name")), name)) {
			ck_assert_ptr_null(found); /* each is there once */
			found = at;
		}
	}
	ck_assert_msg(found != NULL, "no %s", name);
	return found;
}

static const struct {
	const char *name;
	const char *description;
} entities[] = {
	{"echo", "{\"name\":\"echo\",\"meta-type\":\"command\",\"arg-type\":\"q_obj_echo-arg\","
		 "\"ret-type\":\"[Echo]\"}"},
	{"fail",
	 "{\"name\":\"fail\",\"meta-type\":\"command\",\"arg-type\":\"q_empty\",\"ret-type\":"
	 "\"q_empty\"}"},
	{"q_obj_nest-arg",
	 "{\"name\":\"q_obj_nest-arg\",\"meta-type\":\"object\",\"members\":[{\"name\":\"ints\","
	 "\"type\":\"[int]\",\"default\":null},{\"name\":\"one\",\"type\":\"Inner\",\"default\":"
	 "null},{\"name\":\"many\",\"type\":\"[Inner]\",\"default\":null}]}"},
	{"[Inner]", "{\"name\":\"[Inner]\",\"meta-type\":\"array\",\"element-type\":\"Inner\"}"},
	{"STOP", "{\"name\":\"STOP\",\"meta-type\":\"event\",\"arg-type\":\"q_empty\"}"},
	{"WORD", "{\"name\":\"WORD\",\"meta-type\":\"event\",\"arg-type\":\"q_obj_WORD-arg\"}"},
	{"q_empty", "{\"name\":\"q_empty\",\"meta-type\":\"object\",\"members\":[]}"},
	{"[Echo]", "{\"name\":\"[Echo]\",\"meta-type\":\"array\",\"element-type\":\"Echo\"}"},
	{"Word", "{\"name\":\"Word\",\"meta-type\":\"enum\",\"members\":[{\"name\":\"one\"},"
		 "{\"name\":\"two\"}],\"values\":[\"one\",\"two\"]}"},
	{"Echo",
	 "{\"name\":\"Echo\",\"meta-type\":\"object\",\"members\":[{\"name\":\"word\",\"type\":"
	 "\"Word\"},{\"name\":\"bool\",\"type\":\"bool\",\"default\":null},{\"name\":\"int\","
	 "\"type\":\"int\",\"default\":null},{\"name\":\"size\",\"type\":\"size\",\"default\":"
	 "null},{\"name\":\"str\",\"type\":\"str\",\"default\":null}]}"},
	{"int", "{\"name\":\"int\",\"meta-type\":\"builtin\",\"json-type\":\"int\"}"},
	{"bool", "{\"name\":\"bool\",\"meta-type\":\"builtin\",\"json-type\":\"boolean\"}"},
	{"str", "{\"name\":\"str\",\"meta-type\":\"builtin\",\"json-type\":\"string\"}"},
};

START_TEST(test_schema)
{
	struct json_object *list = qmp_schema_describe(&schema);

	ck_assert_str_eq(json_object_to_json_string_ext(entity(list, entities[_i].name),
							JSON_C_TO_STRING_PLAIN),
			 entities[_i].description);
	json_object_put(list);
}
END_TEST

START_TEST(test_commands)
{
	struct json_object *list = qmp_schema_commands(&schema);

	ck_assert_str_eq(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN),
			 "[{\"name\":\"qmp_capabilities\"},{\"name\":\"echo\"},{\"name\":\"nest\"},"
			 "{\"name\":\"fail\"},{\"name\":\"large\"},{\"name\":\"patient\"}]");
	json_object_put(list);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_request, ARRAY_SIZE(rows)),
	UNIT_CASE(test_long_array),
	UNIT_CASE(test_check),
	UNIT_LOOP(test_no_json, ARRAY_SIZE(no_json)),
	UNIT_CASE(test_negotiation),
	UNIT_CASE(test_framing),
	UNIT_CASE(test_too_much),
	UNIT_CASE(test_never_reads),
	UNIT_CASE(test_reads_late),
	UNIT_CASE(test_leaves),
	UNIT_LOOP(test_schema, ARRAY_SIZE(entities)),
	UNIT_CASE(test_commands),
	{0},
};
const char unit_name[] = "qmp";
