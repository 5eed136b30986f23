/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of serial ports, ports, monitors and gdb go, in both of QEMU's spellings. */
#include <string.h>

#include "base/parse.h"
#include "qemu_words.h"

static const struct {
	const char *name;
	enum qemu_kind kind;
} kinds[] = {
	{"none", QEMU_NOWHERE},  {"null", QEMU_NOWHERE}, {"/dev/null", QEMU_NOWHERE},
	{"stdio", QEMU_STDIO},   {"pty", QEMU_PTY},      {"file", QEMU_FILE},
	{"socket", QEMU_SOCKET}, {"unix", QEMU_SOCKET},  {"tcp", QEMU_TCP},
};

/* A part of its own for each description, which stays until the end. */
static int read_place(struct qemu *qemu, struct qemu_properties *properties, struct qemu_part **ret,
		      struct error *err)
{
	static const struct qemu_rule rules[] = {
		{"server", "on", ""},      {"wait", "on off", ""},
		{"append", "on off", ""},  {"mux", "on off", ""},
		{"signal", "on off", ""},  {"delay", "on off", ""},
		{"nodelay", "on off", ""}, {0},
	};
	const char *backend = qemu_take(properties, "backend");
	const char *path = qemu_take(properties, "path");
	struct qemu_part *part;
	const char *server;
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && (!backend || strcmp(kinds[i].name, backend) != 0))
		i++;
	if (i == ARRAY_SIZE(kinds))
		return error_set(err, EINVAL,
				 "'%.60s' is no place that armlet knows, which are "
				 "stdio, file, unix, pty and null",
				 backend ? backend : "");
	part = qemu_part_add(qemu, QEMU_CHARDEV, qemu_take(properties, "id"));
	if (!part)
		return -ENOMEM;
	part->where = kinds[i].kind;
	qemu_add(qemu, &part->text, path ? path : "");
	if ((part->where == QEMU_FILE || part->where == QEMU_SOCKET) && !(path && *path))
		return error_set(err, EINVAL, "%s needs a path", backend);
	server = qemu_take(properties, "server");
	if (part->where == QEMU_SOCKET && !(server && qemu_is_on(server)))
		return error_set(err, EINVAL,
				 "armlet makes the socket itself: write "
				 "%.60s,server=on,wait=off",
				 path);
	*ret = part;
	return qemu_apply(qemu, properties, rules, NULL, err);
}

/* "unix:PATH,server=on,wait=off", "file:PATH", "mon:stdio", "chardev:ID" */
static int read_spelling(struct qemu *qemu, const char *value, struct qemu_part **ret,
			 struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	if (!strncmp(value, "chardev:", 8)) {
		*ret = qemu_part_find(qemu, QEMU_CHARDEV, value + 8, err);
		return *ret ? 0 : -EINVAL;
	}
	if (!strncmp(value, "mon:", 4))
		value += 4;
	length = strcspn(value, ":,");
	qemu_add(qemu, &text, "backend=");
	qemu_add(qemu, &text, value);
	if (!text)
		return error_set_errno(err, ENOMEM, "%.60s", value);
	text[strlen("backend=") + length] = '\0';
	if (value[length]) {
		_cleanup_free_ char *kind = steal_ptr(&text);

		qemu_add(qemu, &text, value[length] == ':' ? "path=" : "");
		qemu_add(qemu, &text, value + length + 1);
		qemu_add(qemu, &text, ",");
		qemu_add(qemu, &text, kind);
	}
	r = qemu_properties_read(text ? text : "", NULL, &properties, err);
	return r < 0 ? r : read_place(qemu, &properties, ret, err);
}

int qemu_take_chardev(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	struct qemu_part *part;
	int r = qemu_properties_read(value, "backend", &properties, err);

	return r < 0 ? r : read_place(qemu, &properties, &part, err);
}

int qemu_take_serial(struct qemu *qemu, const char *value, struct error *err)
{
	struct qemu_part *part = NULL;
	int r = read_spelling(qemu, value, &part, err);

	if (r < 0)
		return r;
	if (qemu->serial && part->where != QEMU_NOWHERE)
		return error_set(err, EINVAL,
				 "there is one serial port; a second one is "
				 "virtconsole");
	if (qemu->serial)
		return 0;
	if (part->where != QEMU_STDIO && part->where != QEMU_FILE && part->where != QEMU_NOWHERE)
		return error_set(err, EINVAL,
				 "the serial port is on stdio, file:PATH or null, not "
				 "'%.60s'",
				 value);
	qemu->serial = true;
	if (part->where != QEMU_STDIO)
		qemu_add(qemu, &qemu->command->serial,
			 part->where == QEMU_FILE ? part->text : "/dev/null");
	return 0;
}

int qemu_take_monitor(struct qemu *qemu, const char *value, struct error *err)
{
	struct qemu_part *part = NULL;
	int r = read_spelling(qemu, value, &part, err);

	if (r < 0 || part->where == QEMU_NOWHERE)
		return r;
	return error_set(err, EINVAL,
			 "armlet has not QEMU's monitor for people; -qmp has the one "
			 "for programs");
}

static int add_api(struct qemu *qemu, const struct qemu_part *part, struct error *err)
{
	if (part->where == QEMU_NOWHERE)
		return 0;
	if (part->where != QEMU_SOCKET)
		return error_set(err, EINVAL,
				 "armlet speaks QMP at unix:PATH,server=on,wait=off "
				 "only");
	qemu_push_value(qemu, "--api", part->text ? part->text : "");
	return 0;
}

int qemu_take_qmp(struct qemu *qemu, const char *value, struct error *err)
{
	struct qemu_part *part = NULL;
	int r = read_spelling(qemu, value, &part, err);

	return r < 0 ? r : add_api(qemu, part, err);
}

int qemu_take_mon(struct qemu *qemu, const char *value, struct error *err)
{
	static const struct qemu_rule rules[] = {
		{"mode", "control", ""}, {"pretty", "off", ""}, {0}};
	_cleanup_properties_ struct qemu_properties properties = {0};
	const struct qemu_part *part;
	int r = qemu_properties_read(value, "chardev", &properties, err);

	if (r < 0)
		return r;
	part = qemu_part_find(qemu, QEMU_CHARDEV, qemu_take(&properties, "chardev"), err);
	if (!part)
		return -EINVAL;
	r = qemu_apply(qemu, &properties, rules, NULL, err);
	return r < 0 ? r : add_api(qemu, part, err);
}

/* "HOST:PORT", of which HOST is this one. */
static int add_tcp(struct qemu *qemu, const char *text, struct error *err)
{
	const char *colon = strrchr(text, ':');
	const char *port = colon ? colon + 1 : text;
	size_t length = colon ? (size_t)(colon - text) : 0;
	_cleanup_free_ char *host = strndup(text, length);
	uint64_t number;

	if (host && *host && !qemu_is_one_of(host, "127.0.0.1 localhost"))
		return error_set(err, EINVAL, "gdb is let in from this host only, not at '%.60s'",
				 host);
	if (parse_u64(port, &number) < 0 || number < 1 || number > UINT16_MAX)
		return error_set(err, EINVAL, "'%.60s' is no port; write it as tcp::1234", text);
	qemu_pushf(qemu, "--gdb=tcp:%u", (unsigned)number);
	return 0;
}

int qemu_take_gdb(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_free_ char *word = NULL;
	struct qemu_part *part = NULL;
	int r = read_spelling(qemu, value, &part, err);

	if (r < 0 || part->where == QEMU_NOWHERE)
		return r;
	if (part->where == QEMU_TCP)
		return add_tcp(qemu, part->text ? part->text : "", err);
	if (part->where != QEMU_SOCKET)
		return error_set(err, EINVAL, "gdb is let in at tcp::PORT or unix:PATH,server=on");
	qemu_add(qemu, &word, "--gdb=unix:");
	qemu_add_escaped(qemu, &word, part->text ? part->text : "");
	qemu_push(qemu, word ? word : "");
	return 0;
}

int qemu_add_where(struct qemu *qemu, const char *id, char **text, struct error *err)
{
	static const char *const words[] = {
		[QEMU_NOWHERE] = "null", [QEMU_STDIO] = "stdio", [QEMU_PTY] = "pty",
		[QEMU_SOCKET] = "unix:", [QEMU_FILE] = "file:",  [QEMU_TCP] = NULL,
	};
	const struct qemu_part *part = qemu_part_find(qemu, QEMU_CHARDEV, id, err);

	if (!part)
		return -EINVAL;
	if (!words[part->where])
		return error_set(err, EINVAL,
				 "a port is at a socket, a file, pty, stdio or null, "
				 "not at tcp");
	qemu->stdio = qemu->stdio || part->where == QEMU_STDIO;
	qemu_add(qemu, text, words[part->where]);
	if (part->where == QEMU_SOCKET || part->where == QEMU_FILE)
		qemu_add_escaped(qemu, text, part->text ? part->text : "");
	return 0;
}
