/* SPDX-License-Identifier: Apache-2.0 */
/* man/armlet-qmp.7.scd is what the table of commands and events says. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "qmp_private.h"
#include "unit.h"

#define PATH_SIZE 4096

static const char head[] =
	"armlet-qmp(7)\n"
	"\n"
	"# NAME\n"
	"\n"
	"armlet-qmp - the control socket of a machine\n"
	"\n"
	"# DESCRIPTION\n"
	"\n"
	"A machine that was started with *--api* or *--name* has a UNIX stream socket that\n"
	"speaks QEMU's monitor protocol, QMP: where QMP has a command or an event, its name,\n"
	"arguments and answer are QMP's. Programs of the same user, and of root, may connect,\n"
	"any number at once.\n"
	"\n"
	"The machine begins with a greeting; a client answers with *qmp_capabilities*. Then it\n"
	"sends requests, JSON objects with *execute*, *arguments* and an *id* that comes back\n"
	"with the answer, with anything or nothing between them. They are answered in order:\n"
	"with *return*, or with *error*, which has a class and a sentence. Events come in\n"
	"between, once a client has negotiated.\n"
	"\n"
	"```\n"
	"{\"QMP\": {\"version\": {\"qemu\": {\"major\": 0, \"minor\": 1, \"micro\": 0}, "
	"\"package\": \"armlet-0.1.0\"}, \"capabilities\": []}}\n"
	"{\"execute\": \"qmp_capabilities\"}\n"
	"{\"return\": {}}\n"
	"{\"execute\": \"stop\", \"id\": 1}\n"
	"{\"timestamp\": {\"seconds\": 1795000000, \"microseconds\": 42}, \"event\": \"STOP\"}\n"
	"{\"return\": {}, \"id\": 1}\n"
	"```\n"
	"\n"
	"A request is at most 64 KiB long and 32 levels deep. A client that sends what is no\n"
	"JSON gets an error and is dropped, as is one that does not read its events.\n";

static const char tail[] =
	"\n"
	"# COUNTERS\n"
	"\n"
	"What provider *kvm* counts is the host's kernel's to name; that of a vCPU is\n"
	"opened when it is asked for the first time, for which the vCPU leaves the guest\n"
	"once. Provider *armlet* counts, from the beginning of the present boot if nothing\n"
	"else is said:\n"
	"\n"
	"- of the machine *cpu-time*, of the whole process since its start; *memory-size*,\n"
	"  *memory-actual* with a balloon whose driver runs, and *memory-resident*, what the\n"
	"  process holds of the host's memory, without huge pages that were reserved;\n"
	"  and for each network *net0-rx-bytes*, *net0-rx-packets*, *net0-tx-bytes* and\n"
	"  *net0-tx-packets*, which the guest receives and sends: with a tap these are the\n"
	"  host's own counts of it, from its beginning on\n"
	"- of a vCPU *cpu-time*, of its thread, in the guest and for it; *exits* to user\n"
	"  space, and those by reason: *exits-mmio*, *exits-interrupted* ...\n"
	"\n"
	"# SEE ALSO\n"
	"\n"
	"*armlet-run*(1), *armlet-machines*(1)\n"
	"\n"
	"QEMU, _docs/interop/qmp-spec_ and _qapi/_\n";

/* scdoc takes an underscore for the beginning of what is underlined. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("_*\\", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_type(FILE *out, const struct qmp_type *type)
{
	if (type->kind != QMP_ENUM) {
		put_text(out, type->name);
		return;
	}
	for (const char *const *value = type->values; *value; value++)
		fprintf(out, "%s*%s*", value == type->values ? "" : " or ", *value);
}

static void put_members(FILE *out, const struct qmp_member *members, const char *title)
{
	bool first = true;

	for (const struct qmp_member *m = members; m && m->name; m++) {
		fprintf(out, "%s- *", first ? title : "");
		put_text(out, m->name);
		fprintf(out, "*: ");
		put_type(out, m->type);
		fprintf(out, "%s", m->optional ? ", optional" : "");
		if (m->help) {
			fprintf(out, ": ");
			put_text(out, m->help);
		}
		fputc('\n', out);
		first = false;
	}
}

static void put_answer(FILE *out, const struct qmp_type *returns)
{
	if (!returns)
		return;
	if (returns->kind == QMP_OBJECT)
		put_members(out, returns->members, "\n\tAnswer:\n\n");
	else if (returns->kind == QMP_ARRAY && returns->element->kind == QMP_OBJECT)
		put_members(out, returns->element->members, "\n\tAnswer, of each:\n\n");
}

static void put_name(FILE *out, const char *name, const char *help)
{
	fprintf(out, "\n*");
	put_text(out, name);
	fprintf(out, "*\n\t");
	put_text(out, help);
	fprintf(out, "\n");
}

static void put_page(FILE *out)
{
	fprintf(out, "%s\n# COMMANDS\n", head);
	for (const struct qmp_command *c = qmp_machine_schema.commands; c->name; c++) {
		put_name(out, c->name, c->help);
		put_members(out, c->arguments, "\n\tArguments:\n\n");
		put_answer(out, c->returns);
	}
	fprintf(out, "\n# EVENTS\n");
	for (const struct qmp_event *e = qmp_machine_schema.events; e->name; e++) {
		put_name(out, e->name, e->help);
		put_members(out, e->members, "\n\tData:\n\n");
	}
	fprintf(out, "%s", tail);
}

START_TEST(test_manual)
{
	char path[PATH_SIZE], *text = NULL, *page = NULL;
	size_t size = 0, room = 0;
	FILE *file, *out = open_memstream(&text, &size);
	bool same;

	put_page(out);
	fclose(out);
	snprintf(path, sizeof(path), "%s/man/armlet-qmp.7.scd", getenv("SOURCE_ROOT"));
	file = fopen(path, "re");
	same = file && getdelim(&page, &room, '\0', file) >= 0 && !strcmp(page, text);
	if (file)
		fclose(file);
	if (!same) {
		file = fopen("armlet-qmp.7.scd", "we");
		fputs(text, file);
		fclose(file);
	}
	ck_assert_msg(same, "copy %s/armlet-qmp.7.scd to man/", get_current_dir_name());
	free(text);
	free(page);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_manual),
	{0},
};
const char unit_name[] = "qmp_manual";
