/* SPDX-License-Identifier: Apache-2.0 */
/* How streams are described, and output into files. */
#include "backend/stream.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "stream_bench.h"
#include "unit.h"

static const struct {
	const char *spec;
	const char *words;
} refused[] = {
	{"", "there is no ''; give null, stdio, pty, fd:N, unix:PATH or file:PATH"},
	{"tcp:1.2.3.4", "there is no 'tcp'"},
	{"fiel:/tmp/x", "did you mean file?"},
	{"Null", "did you mean null?"},
	{"null:x", "nothing may follow null"},
	{"stdio:", "nothing may follow stdio"},
	{"pty:/dev/pts/0", "nothing may follow pty"},
	{"unix", "give unix:PATH"},
	{"fd:", "the number is missing; give fd:N"},
	{"fd:77777", "there is no open descriptor of this number"},
	{"fd:-1", "there is no open descriptor of this number"},
	{"fd:1,keep=2", "a descriptor has no options"},
	{"unix:", "the path is missing"},
	{"file", "give file:PATH"},
	{"file:", "the path is missing"},
	{"file:,keep=1", "the path is missing"},
	{"unix:%s,x", "a comma of the path is written ,,"},
	{"file:%s,", "a file has no option ''"},
	{"file:%s,size=1M", "a file has no option 'size=1M'"},
	{"file:%s,max-size=", "max-size= is no size"},
	{"file:%s,max-size=1.5M", "is no size"},
	{"file:%s,max-size=1K", "from 4K up"},
	{"file:%s,max-size=16777216T", "is no size"},
	{"file:%s,keep=2", "none without max-size=SIZE"},
	{"file:%s,max-size=1M,keep=100", "no number of files from 0 to 99"},
	{"file:%s,max-size=1M,keep=-1", "no number of files"},
	{"file:%s/deeper", "cannot be opened for writing"},
	{"file:/tmp", "cannot be opened for writing: Is a directory"},
	{"file:/dev/null", "is no regular file"},
};

START_TEST(test_refused)
{
	struct stream_bench bench;

	stream_bench_init(&bench);
	stream_bench_refused(&bench, refused[_i].spec, refused[_i].words);
	stream_bench_finish(&bench);
}
END_TEST

START_TEST(test_appends)
{
	struct stream_bench bench;
	struct stat st;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "file:%s");
	ck_assert(bench.stream->open);
	ck_assert_int_eq(stat(bench.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stream_bench_write(&bench, "one "), 4);
	ck_assert_str_eq(stream_bench_read(&bench), "");
	stream_detach(bench.stream);
	stream_destroy(bench.stream);
	stream_bench_open(&bench, "file:%s");
	ck_assert_int_eq(stream_bench_write(&bench, "two"), 3);
	ck_assert_str_eq(stream_bench_file(&bench, ""), "one two");
	stream_bench_run(&bench);
	stream_bench_finish(&bench);
}
END_TEST

/* A comma in the path. */
START_TEST(test_comma)
{
	struct stream_bench bench;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "file:%s,,a,,,max-size=4K");
	ck_assert_int_eq(stream_bench_write(&bench, "text"), 4);
	ck_assert_str_eq(stream_bench_file(&bench, ",a,"), "text");
	stream_bench_finish(&bench);
}
END_TEST

/* Bytes of @letter. */
static void write_letters(struct stream_bench *bench, char letter, size_t size)
{
	char text[8192] = "";
	ssize_t n;

	memset(text, letter, size);
	for (size_t done = 0; done < size; done += (size_t)n) {
		n = stream_bench_write(bench, text + done);
		ck_assert_int_gt(n, 0);
	}
}

static void expect_file(struct stream_bench *bench, const char *suffix, char letter, size_t size)
{
	const char *text = stream_bench_file(bench, suffix);

	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(strlen(text), size);
	ck_assert_int_eq(text[0], letter);
	ck_assert_int_eq(text[size - 1], letter);
}

START_TEST(test_rotates)
{
	struct stream_bench bench;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "file:%s,max-size=4K,keep=2");
	write_letters(&bench, 'a', 4000);
	write_letters(&bench, 'b', 4096);
	write_letters(&bench, 'c', 2000);
	write_letters(&bench, 'c', 2000);
	write_letters(&bench, 'd', 100);
	expect_file(&bench, "", 'd', 100);
	expect_file(&bench, ".1", 'c', 4000);
	expect_file(&bench, ".2", 'b', 4096);
	ck_assert_ptr_null(stream_bench_file(&bench, ".3"));
	stream_bench_finish(&bench);
}
END_TEST

/* More than a file may have is cut; one that is too long already is put away first. */
START_TEST(test_rotates_large)
{
	struct stream_bench bench;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "file:%s");
	write_letters(&bench, 'o', 6000);
	stream_detach(bench.stream);
	stream_destroy(bench.stream);
	stream_bench_open(&bench, "file:%s,max-size=4096,keep=9");
	write_letters(&bench, 'x', 8100);
	expect_file(&bench, ".2", 'o', 6000);
	expect_file(&bench, ".1", 'x', 4096);
	expect_file(&bench, "", 'x', 8100 - 4096);
	stream_bench_finish(&bench);
}
END_TEST

START_TEST(test_keeps_none)
{
	struct stream_bench bench;

	stream_bench_init(&bench);
	stream_bench_open(&bench, "file:%s,keep=0,max-size=4K");
	write_letters(&bench, 'a', 4000);
	write_letters(&bench, 'b', 1000);
	ck_assert_ptr_null(stream_bench_file(&bench, ".1"));
	expect_file(&bench, "", 'b', 1000);
	stream_bench_finish(&bench);
}
END_TEST

/* A disk that is full: output is dropped until there is room again. */
START_TEST(test_full)
{
	const struct rlimit little = {4096, RLIM_INFINITY};
	const struct rlimit enough = {RLIM_INFINITY, RLIM_INFINITY};
	struct stream_bench bench;

	stream_bench_init(&bench);
	signal(SIGXFSZ, SIG_IGN);
	stream_bench_open(&bench, "file:%s");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
	write_letters(&bench, 'a', 5000);
	write_letters(&bench, 'b', 5000);
	ck_assert_uint_eq(bench.stream->lost, 904 + 5000);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &enough), 0);
	write_letters(&bench, 'a', 1000);
	ck_assert_uint_eq(bench.stream->lost, 904 + 5000);
	expect_file(&bench, "", 'a', 5096);
	stream_bench_finish(&bench);
}
END_TEST

/* What cannot be renamed is not written over either. */
START_TEST(test_cannot_rotate)
{
	struct stream_bench bench;
	char path[STREAM_BENCH_PATH + 4];

	stream_bench_init(&bench);
	snprintf(path, sizeof(path), "%s.1", bench.path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	stream_bench_open(&bench, "file:%s,max-size=4K");
	write_letters(&bench, 'a', 4000);
	write_letters(&bench, 'b', 1000);
	ck_assert_uint_eq(bench.stream->lost, 1000);
	rmdir(path);
	write_letters(&bench, 'c', 1000);
	expect_file(&bench, ".1", 'a', 4000);
	expect_file(&bench, "", 'c', 1000);
	stream_bench_finish(&bench);
}
END_TEST

const char unit_name[] = "stream_file";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_refused, ARRAY_SIZE(refused)),
	UNIT_CASE(test_appends),
	UNIT_CASE(test_comma),
	UNIT_CASE(test_rotates),
	UNIT_CASE(test_rotates_large),
	UNIT_CASE(test_keeps_none),
	UNIT_CASE(test_full),
	UNIT_CASE(test_cannot_rotate),
	{0},
};
