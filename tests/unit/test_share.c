/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/share.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "share_bench.h"
#include "unit.h"

#define TAG_36 "123456789012345678901234567890123456"

/* A sentence instead of a folder: it is refused. */
static const struct {
	const char *text;
	const char *directory;
	const char *tag;
	bool read_only;
	enum share_kind kind;
	const char *refused;
} parse_rows[] = {
	{"/a:b", "/a", "b", false, SHARE_AUTO, NULL},
	{".:/mnt/x", ".", "/mnt/x", false, SHARE_AUTO, NULL},
	{"/a b,c:tag", "/a b,c", "tag", false, SHARE_AUTO, NULL},
	{"a:b:ro", "a", "b", true, SHARE_AUTO, NULL},
	{"a:b,ro", "a", "b", true, SHARE_AUTO, NULL},
	{"a:b:rw", "a", "b", false, SHARE_AUTO, NULL},
	{"a:b:fs=9p", "a", "b", false, SHARE_9P, NULL},
	{"a:b:fs=virtiofs,ro", "a", "b", true, SHARE_VIRTIOFS, NULL},
	{"a:b:ro:fs=auto", "a", "b", true, SHARE_AUTO, NULL},
	{"a:b,ro:fs=9p", "a", "b", true, SHARE_9P, NULL},
	{"a:" TAG_36, "a", TAG_36, false, SHARE_AUTO, NULL},
	{"a:" TAG_36 "7", .refused = "by at most 36 bytes"},
	{"", .refused = "is missing; say HOST:GUEST, as in .:data"},
	{"/a", .refused = "is missing; say HOST:GUEST, as in /a:data"},
	{":b", .refused = "no folder before the colon"},
	{"a:", .refused = "nothing behind the colon"},
	{"a::ro", .refused = "nothing behind the colon"},
	{"a:,ro", .refused = "nothing behind the colon"},
	{":", .refused = "no folder before the colon"},
	{"a:b:", .refused = "'' is no option; there are ro, rw, fs=virtiofs"},
	{"a:b:ro,", .refused = "'' is no option"},
	{"a:b:r0", .refused = "'r0' is no option; is 'ro' meant?"},
	{"a:b:fs=virtofs", .refused = "'fs=virtofs' is no option; is 'fs=virtiofs' meant?"},
	{"a:b:fs=", .refused = "'fs=' is no option"},
	{"a:b:nosuchthing", .refused = "'nosuchthing' is no option; there are ro, rw"},
	{"a:b:ro:rw", .refused = "'rw' is one too many"},
	{"a:b:ro:ro", .refused = "'ro' is one too many"},
	{"a:b:fs=9p,fs=auto", .refused = "'fs=auto' is one too many"},
};

START_TEST(test_parse)
{
	struct share_options options;
	struct error err = {0};
	int r = share_parse(parse_rows[_i].text, &options, &err);

	if (parse_rows[_i].refused) {
		ck_assert_int_eq(r, -err.code);
		ck_assert_int_lt(r, 0);
		ck_assert_msg(strncmp(err.text, "--volume ", 9) == 0, "%s", err.text);
		ck_assert_msg(strstr(err.text, parse_rows[_i].refused) != NULL, "%s", err.text);
		return;
	}
	ck_assert_msg(r == 0, "%s", err.text);
	ck_assert_str_eq(options.directory, parse_rows[_i].directory);
	ck_assert_str_eq(options.tag, parse_rows[_i].tag);
	ck_assert_int_eq(options.read_only, parse_rows[_i].read_only);
	ck_assert_int_eq(options.kind, parse_rows[_i].kind);
}
END_TEST

START_TEST(test_parse_long)
{
	char text[PATH_MAX + 16];
	struct share_options options;
	struct error err = {0};

	memset(text, 'a', sizeof(text));
	strcpy(text + PATH_MAX, ":b");
	ck_assert_int_eq(share_parse(text, &options, &err), -ENAMETOOLONG);
	ck_assert_str_eq(err.text, "--volume: the folder's name is too long");
	strcpy(text + PATH_MAX - 1, ":b");
	ck_assert_int_eq(share_parse(text, &options, &err), 0);
	strcpy(text, "a:b:");
	memset(text + 4, 'x', 1000);
	text[1004] = '\0';
	ck_assert_int_eq(share_parse(text, &options, &err), -EINVAL);
}
END_TEST

static struct share_options options_of(const char *directory, enum share_kind kind, bool read_only)
{
	struct share_options options = {.tag = "tag", .kind = kind, .read_only = read_only};

	snprintf(options.directory, sizeof(options.directory), "%s", directory);
	return options;
}

static void refused(const struct share_options *options, const char *sentence)
{
	struct share *share = NULL;
	struct error err = {0};
	int r = share_open(options, &share, &err);

	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(r, -err.code);
	ck_assert_ptr_null(share);
	ck_assert_msg(strncmp(err.text, "--volume ", 9) == 0, "%s", err.text);
	ck_assert_msg(strstr(err.text, sentence) != NULL, "%s", err.text);
}

START_TEST(test_folders)
{
	struct share_folder folder;
	struct share_options options;

	if (geteuid() == 0)
		share_become_user();
	share_folder_make(&folder);
	options = options_of(share_folder_path(&folder, "missing"), SHARE_AUTO, false);
	refused(&options, "there is no such folder: No such file or directory");
	options = options_of(share_folder_path(&folder, "file"), SHARE_AUTO, false);
	refused(&options, "only a folder can be shared");
	options = options_of(share_folder_path(&folder, "file/x"), SHARE_AUTO, false);
	refused(&options, "there is no such folder: Not a directory");
	options = options_of("", SHARE_AUTO, false);
	refused(&options, "there is no such folder");
	mkdir(share_folder_path(&folder, "closed"), 0);
	options = options_of(share_folder_path(&folder, "closed"), SHARE_AUTO, true);
	refused(&options, "the folder cannot be read: Permission denied");
	mkdir(share_folder_path(&folder, "readable"), 0555);
	options = options_of(share_folder_path(&folder, "readable"), SHARE_AUTO, false);
	refused(&options, "the folder cannot be written; share it with :ro");
	share_folder_remove(&folder);
}
END_TEST

/* A program that says @words when it is asked anything, found before any that is installed. */
static void install(const struct share_folder *folder, const char *name, const char *words)
{
	const char *path = share_folder_path(folder, name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!/bin/sh\n%s\n", words);
	fclose(file);
	ck_assert_int_eq(chmod(path, 0755), 0);
	setenv("PATH", folder->path, 1);
}

#define RUST_OLD "[ $1 != --readonly ] && echo virtiofsd 1.1.0 || echo error: no such thing"
#define RUST_NEW "echo virtiofsd 1.13.2"
#define C_OLD    "echo using FUSE kernel interface version 7.36"

/* Which of the two is taken. A sentence: neither, for a plain user if @user. */
static const struct {
	const char *virtiofsd;
	enum share_kind kind;
	bool read_only;
	bool user;
	enum share_kind taken;
	const char *refused;
} choice_rows[] = {
	{RUST_NEW, SHARE_AUTO, false, false, SHARE_VIRTIOFS, NULL},
	{RUST_NEW, SHARE_AUTO, true, true, SHARE_VIRTIOFS, NULL},
	{RUST_NEW, SHARE_VIRTIOFS, true, false, SHARE_VIRTIOFS, NULL},
	{RUST_NEW, SHARE_9P, false, false, SHARE_9P, NULL},
	{RUST_OLD, SHARE_AUTO, false, false, SHARE_VIRTIOFS, NULL},
	{RUST_OLD, SHARE_AUTO, true, false, SHARE_9P, NULL},
	{RUST_OLD, SHARE_VIRTIOFS, true, false, 0, "is too old to share read-only"},
	{C_OLD, SHARE_VIRTIOFS, true, false, 0, "cannot share read-only"},
	{C_OLD, SHARE_AUTO, true, false, SHARE_9P, NULL},
	{C_OLD, SHARE_AUTO, false, false, SHARE_VIRTIOFS, NULL},
	{C_OLD, SHARE_VIRTIOFS, false, true, 0, "has to be started by root"},
	{C_OLD, SHARE_AUTO, false, true, SHARE_9P, NULL},
	{"true", SHARE_VIRTIOFS, false, false, 0, "does not say what it is"},
	{"exit 1", SHARE_AUTO, false, false, SHARE_9P, NULL},
};

START_TEST(test_choice)
{
	struct share_folder folder;
	struct share_options options;
	struct share *share = NULL;
	struct error err = {0};

	if (geteuid() != 0)
		return;
	if (choice_rows[_i].user)
		share_become_user();
	share_folder_make(&folder);
	install(&folder, "virtiofsd", choice_rows[_i].virtiofsd);
	install(&folder, "diod", "exit 0");
	options = options_of(folder.path, choice_rows[_i].kind, choice_rows[_i].read_only);
	if (choice_rows[_i].refused) {
		refused(&options, choice_rows[_i].refused);
	} else {
		ck_assert_msg(share_open(&options, &share, &err) == 0, "%s", err.text);
		ck_assert_int_eq(share_kind(share), choice_rows[_i].taken);
		ck_assert_str_eq(share_directory(share), folder.path);
		ck_assert_str_eq(share_tag(share), "tag");
		share_close(share);
	}
	share_folder_remove(&folder);
}
END_TEST

/* Where the host has neither, the sentences name the packages. */
START_TEST(test_not_installed)
{
	struct share_options options = options_of("/", SHARE_9P, true);

	setenv("PATH", "/nowhere::/neither", 1);
	if (access("/usr/sbin/diod", X_OK) == 0 || access("/usr/libexec/virtiofsd", X_OK) == 0 ||
	    access("/usr/lib/qemu/virtiofsd", X_OK) == 0)
		return;
	refused(&options, "apt install diod");
	options.kind = SHARE_VIRTIOFS;
	refused(&options, "apt install virtiofsd");
	options.kind = SHARE_AUTO;
	refused(&options, "apt install virtiofsd, or diod");
}
END_TEST

/* The sentence is about the program that was found, not the one that was missed after it. */
START_TEST(test_named)
{
	struct share_folder folder;
	struct share_options options;
	char sentence[128];

	if (access("/usr/sbin/diod", X_OK) == 0)
		return;
	share_folder_make(&folder);
	install(&folder, "virtiofsd", RUST_OLD);
	options = options_of(folder.path, SHARE_AUTO, true);
	snprintf(sentence, sizeof(sentence),
		 ": %s/virtiofsd is too old to share read-only; apt install diod", folder.path);
	refused(&options, sentence);
	share_folder_remove(&folder);
}
END_TEST

START_TEST(test_explain)
{
	struct share_folder folder;
	struct share_options options;
	struct share_server server;
	struct pollfd polled = {.events = POLLIN};
	struct share *share = NULL;
	struct error err = {0};
	char sentence[256];

	share_folder_make(&folder);
	install(&folder, "virtiofsd", "[ $2 = --version ] && " RUST_NEW " || echo no luck >&2");
	options = options_of(folder.path, SHARE_VIRTIOFS, false);
	ck_assert_msg(share_open(&options, &share, &err) == 0, "%s", err.text);
	ck_assert_msg(share_start(share, &server, &err) == 0, "%s", err.text);
	/* It has ended when its socket has. */
	polled.fd = server.fd;
	ck_assert_int_eq(poll(&polled, 1, 10000), 1);
	error_set(&err, EPIPE, "its server has gone");
	ck_assert_int_eq(share_explain(share, &err), -EPIPE);
	snprintf(sentence, sizeof(sentence), "--volume %s: its server has gone: no luck",
		 folder.path);
	ck_assert_str_eq(err.text, sentence);
	close(server.fd);
	share_close(share);
	share_folder_remove(&folder);
}
END_TEST

/* A link that is shared is the folder that it leads to. */
START_TEST(test_link)
{
	struct share_folder folder;
	struct share_options options;
	struct share *share = NULL;
	struct error err = {0};

	share_folder_make(&folder);
	install(&folder, "virtiofsd", RUST_NEW);
	options = options_of(share_folder_path(&folder, "out"), SHARE_VIRTIOFS, true);
	ck_assert_msg(share_open(&options, &share, &err) == 0, "%s", err.text);
	ck_assert_str_eq(share_directory(share), "/etc");
	ck_assert_str_eq(share_last_words(share), "");
	share_close(share);
	share_close(NULL);
	share_folder_remove(&folder);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_parse, ARRAY_SIZE(parse_rows)),
	UNIT_CASE(test_parse_long),
	UNIT_CASE(test_folders),
	UNIT_LOOP(test_choice, ARRAY_SIZE(choice_rows)),
	UNIT_CASE(test_not_installed),
	UNIT_CASE(test_named),
	UNIT_CASE(test_explain),
	UNIT_CASE(test_link),
	{0},
};
const char unit_name[] = "share";
