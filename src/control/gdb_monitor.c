/* SPDX-License-Identifier: Apache-2.0 */
/* gdb's command `monitor`: what is asked of armlet itself. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "gdb_private.h"

#define TEXT_MAX 256

/* A reply is the text that gdb prints, as digits. */
static PRINTF(2, 3) void say(struct gdb_session *session, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int size;

	va_start(args, fmt);
	size = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (size > 0)
		gdb_put_hex(&session->out, text, min_u64((uint64_t)size, sizeof(text) - 1));
}

static void physical(struct gdb_session *session, const char *rest)
{
	if (!strcmp(rest, "on") || !strcmp(rest, "off"))
		session->physical = rest[1] == 'n';
	say(session, "addresses are %s\n", session->physical ? "physical" : "virtual");
}

static void reset(struct gdb_session *session, const char *rest)
{
	(void)rest;
	say(session, "the machine is reset, and stands at its first instruction\n");
	machine_reset(session->machine);
}

static void quit(struct gdb_session *session, const char *rest)
{
	(void)rest;
	say(session, "the machine ends\n");
	session->killed = true;
}

static const struct {
	const char *name;
	const char *help;
	void (*run)(struct gdb_session *session, const char *rest);
} rows[] = {
	{"physical", "physical on|off: whether addresses of memory are the guest's physical ones",
	 physical},
	{"reset", "reset: the machine, as by its reset key", reset},
	{"quit", "quit: end the machine", quit},
};

void gdb_monitor(struct gdb_session *session, const char *hex)
{
	char text[TEXT_MAX] = "";
	size_t size = strlen(hex) / 2;

	if (size < sizeof(text) && gdb_take_bytes(&hex, (uint8_t *)text, size))
		text[size] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t length = strlen(rows[i].name);

		if (!strncmp(text, rows[i].name, length) &&
		    (text[length] == ' ' || text[length] == '\0')) {
			rows[i].run(session, text + length + strspn(text + length, " "));
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		say(session, "monitor %s\n", rows[i].help);
}
