/* SPDX-License-Identifier: Apache-2.0 */
/* What of a root a command needs: the files and links that the archive gets. */
#include "trial/root_copy.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "program_bytes.h"
#include "unit.h"

#define PATH  "/usr/bin:/bin"
#define MOST  (1 * MIB)
#define WORDS 4

static char folder[64];

/* Beside it is what must not be found. */
static const char *const make_links =
	"mkdir -p root/usr/bin root/usr/lib root/opt/app/bin "
	"root/opt/app/lib root/work/deep root/etc && cd root && "
	"ln -s usr/bin bin && ln -s usr/lib lib && "
	"ln -s dash usr/bin/sh && ln -s liba.so.1 usr/lib/liba.so && "
	"ln -s /opt/app/bin/app usr/bin/app && "
	"ln -s ../../../outside usr/bin/escape && "
	"ln -s /proc/self/exe usr/bin/magic && ln -s loop usr/bin/loop && "
	"mkfifo usr/bin/pipe && echo no >../outside && "
	"echo x >work/deep/data && ln -s deep/data work/link";

static const struct {
	const char *path;
	const char *text; /* else it is of ELF */
	struct program_bytes elf;
} files[] = {
	{"usr/bin/tool", NULL, {.interpreter = "/lib/ld.so", .libraries = {"liba.so"}}},
	{"usr/bin/dash", NULL, {.interpreter = "/lib/ld.so"}},
	{"usr/bin/lacks", NULL, {.libraries = {"libno.so", "liba.so"}}},
	{"usr/bin/static", NULL, {0}},
	{"usr/bin/script", "#! /bin/sh -e\ntool; nosuch\n", {0}},
	{"usr/bin/twice", "#!/usr/bin/script\nx=$(static --tool2)\n", {0}},
	{"usr/bin/itself", "#!/usr/bin/itself\nitself\n", {0}},
	{"usr/bin/plain", "static", {0}},
	{"usr/lib/ld.so", NULL, {0}},
	{"usr/lib/liba.so.1", NULL, {.libraries = {"libb.so"}}},
	{"usr/lib/libb.so", NULL, {.libraries = {"liba.so"}}},
	{"opt/app/bin/app",
	 NULL,
	 {.libraries = {"libapp.so"}, .runpath = "/nosuch:${ORIGIN}/../lib"}},
	{"opt/app/lib/libapp.so", NULL, {.libraries = {"libb.so"}}},
};

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

static void enter(void)
{
	struct program_file_bytes elf;
	char path[128];

	strcpy(folder, "/tmp/root_copy.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(system(make_links), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "root/%s", files[i].path);
		program_bytes_make(&files[i].elf, &elf);
		if (files[i].text)
			write_file(path, files[i].text, strlen(files[i].text));
		else
			write_file(path, &elf, sizeof(elf));
	}
}

static void leave(void)
{
	char command[128];

	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static size_t number(const char *header, unsigned field)
{
	char digits[9] = "";

	memcpy(digits, header + 6 + 8 * (size_t)field, 8);
	return strtoul(digits, NULL, 16);
}

/* "FILE LINK>TARGET ...": what is in @cpio, but for folders. */
static void list(struct cpio *cpio, char *ret, size_t size)
{
	const void *bytes;
	size_t all, at = 0, used = 0;

	ck_assert_int_eq(cpio_finish(cpio, &bytes, &all), 0);
	*ret = '\0';
	for (;;) {
		const char *header = (const char *)bytes + at, *name = header + 110;
		size_t mode = number(header, 1), data = align_up(at + 110 + number(header, 11), 4);

		if (!strcmp(name, "TRAILER!!!"))
			return;
		if (S_ISREG(mode))
			used += (size_t)snprintf(ret + used, size - used, "%s%s", used ? " " : "",
						 name);
		else if (S_ISLNK(mode))
			used += (size_t)snprintf(ret + used, size - used, "%s%s>%.*s",
						 used ? " " : "", name, (int)number(header, 6),
						 (const char *)bytes + data);
		ck_assert_uint_lt(used, size);
		at = align_up(data + number(header, 6), 4);
	}
}

#define LD       "lib/ld.so>/usr/lib/ld.so"
#define LIBA     "lib/liba.so>/usr/lib/liba.so.1"
#define LIBB     "lib/libb.so>/usr/lib/libb.so usr/lib/libb.so"
#define OF_SHELL "usr/bin/dash " LD " "

static const struct {
	const char *words[WORDS];
	const char *begin;
	const char *wanted;
	const char *missing; /* a part of the sentence */
} commands[] = {
	{{"static"}, NULL, "usr/bin/static", NULL},
	{{"/bin/static"}, NULL, "bin/static>/usr/bin/static usr/bin/static", NULL},
	{{"//bin/./../bin//static"}, NULL, "bin/static>/usr/bin/static usr/bin/static", NULL},
	{{"/../../usr/bin/static"}, NULL, "usr/bin/static", NULL},
	{{"nosuch", "/nosuch", "", "/"}, NULL, "", NULL},
	{{"tool"},
	 NULL,
	 "usr/bin/tool " LD " " LIBA " usr/lib/ld.so usr/lib/liba.so.1 " LIBB,
	 NULL},
	{{"app"},
	 NULL,
	 "usr/bin/app>/opt/app/bin/app opt/app/bin/app opt/app/lib/libapp.so " LIBB " " LIBA
	 " usr/lib/liba.so.1",
	 NULL},
	{{"lacks"},
	 NULL,
	 "usr/bin/lacks " LIBA " usr/lib/liba.so.1 " LIBB,
	 "the library 'libno.so', which '/usr/bin/lacks' needs"},
	/* Of a script all that it may call, but what that lacks is no matter. */
	{{"script"},
	 NULL,
	 "usr/bin/script bin/sh>/usr/bin/dash " OF_SHELL "usr/bin/tool " LIBA
	 " usr/lib/ld.so usr/lib/liba.so.1 " LIBB,
	 NULL},
	{{"sh", "-c", "echo; lacks -x"},
	 NULL,
	 "usr/bin/sh>/usr/bin/dash " OF_SHELL "usr/bin/lacks " LIBA
	 " usr/lib/ld.so usr/lib/liba.so.1 " LIBB,
	 NULL},
	{{"itself"}, NULL, "usr/bin/itself", NULL},
	{{"plain"},
	 NULL,
	 "usr/bin/plain bin/sh>/usr/bin/dash " OF_SHELL "usr/bin/static usr/lib/ld.so",
	 NULL},
	/* Nothing leads out of it, waits or turns for ever. */
	{{"escape", "magic", "loop", "pipe"}, NULL, "", NULL},
	{{"../../outside", "../outside"}, "/work", "work/link>deep/data work/deep/data", NULL},
	{{"./data", "../../bin/static"},
	 "/work/deep",
	 "bin/static>/usr/bin/static work/deep/data usr/bin/static",
	 NULL},
	{{"static"}, "/", "usr/bin/static", NULL},
	{{"static"}, "/nosuch", "usr/bin/static", NULL},
};

START_TEST(test_commands)
{
	struct root_copy_request request = {.root = "root",
					    .begin = commands[_i].begin,
					    .path = PATH,
					    .words = commands[_i].words,
					    .most = MOST};
	struct root_copy_report report;
	struct error err = {0};
	struct cpio *cpio;
	char listed[4096];

	enter();
	while (request.word_count < WORDS && request.words[request.word_count])
		request.word_count++;
	ck_assert_int_eq(cpio_create(&cpio), 0);
	ck_assert_int_eq(root_copy(&request, cpio, &report, &err), 0);
	list(cpio, listed, sizeof(listed));
	ck_assert_str_eq(listed, commands[_i].wanted);
	ck_assert_uint_eq(report.left_out, 0);
	if (commands[_i].missing)
		ck_assert_ptr_nonnull(strstr(report.missing, commands[_i].missing));
	else
		ck_assert_str_eq(report.missing, "");
	cpio_destroy(cpio);
	leave();
}
END_TEST

/* What is too much is left out, and counted. */
START_TEST(test_most)
{
	static const char *const words[] = {"tool"};
	struct root_copy_request request = {.root = "root",
					    .begin = "/work",
					    .path = PATH,
					    .words = words,
					    .word_count = 1,
					    .most = sizeof(struct program_file_bytes) + 4};
	struct root_copy_report report;
	struct error err = {0};
	struct cpio *cpio;

	enter();
	ck_assert_int_eq(cpio_create(&cpio), 0);
	ck_assert_int_eq(root_copy(&request, cpio, &report, &err), 0);
	ck_assert_uint_eq(report.files, 2);
	ck_assert_uint_eq(report.bytes, sizeof(struct program_file_bytes) + 2);
	ck_assert_uint_eq(report.left_out, 2);
	request.root = "nosuch";
	ck_assert_int_lt(root_copy(&request, cpio, &report, &err), 0);
	ck_assert_str_eq(err.text, "'nosuch' cannot be copied: No such file or directory");
	cpio_destroy(cpio);
	leave();
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_commands, ARRAY_SIZE(commands)),
	UNIT_CASE(test_most),
	{0},
};
const char unit_name[] = "root_copy";
