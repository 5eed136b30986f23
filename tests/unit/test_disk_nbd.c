/* SPDX-License-Identifier: Apache-2.0 */
/* Disks by NBD, and images of other formats: against real servers, where there are any. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/helper_process.h"
#include "bench.h"
#include "disk_bench.h"
#include "unit.h"

#define SIZE MIB

/* Not possible here, so nothing is tested: a program is missing, or libnbd. */
static bool lacks(const char *program)
{
	struct disk_options options = {.path = "nbd+unix:///?socket=/nowhere"};
	struct disk *disk;
	struct error err = {0};

	return !disk_have(program) || disk_open(&options, &disk, &err) == -ENOTSUP;
}

static bool run(const char *format, const char *one, const char *two)
{
	char command[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(command, sizeof(command), format, one, two);
#pragma GCC diagnostic pop
	return system(command) == 0;
}

static void open_bench(struct disk_bench *bench, const struct disk_options *options)
{
	struct error err = {0};

	ck_assert_msg(bench_open(bench, options, &err) == 0, "%s", err.text);
}

static void check_refused(const struct disk_options *options, const char *says)
{
	struct disk *disk = NULL;
	struct error err = {0};

	ck_assert_int_lt(disk_open(options, &disk, &err), 0);
	ck_assert_msg(strncmp(err.text, "--disk ", 7) == 0 && strstr(err.text, says), "%s",
		      err.text);
	ck_assert_ptr_null(disk);
}

/* ---- Images --------------------------------------------------------------- */

/* A file with the pattern, as an image of @format. */
static const char *image(const char *format)
{
	static char path[128];
	const char *raw = disk_file("raw", SIZE);
	char command[512];

	snprintf(path, sizeof(path), "%s/image", disk_directory());
	unlink(path);
	snprintf(command, sizeof(command), "qemu-img convert -f raw -O %s '%s' '%s'", format, raw,
		 path);
	ck_assert_int_eq(system(command), 0);
	return path;
}

/* Every format that is known by its content. */
static const char *const formats[] = {"qcow2", "qcow", "vmdk", "vhdx", "vdi", "qed", "parallels"};

START_TEST(test_formats)
{
	struct disk_options options = {0};
	struct disk_bench bench;

	if (lacks("qemu-nbd"))
		return;
	options.path = image(formats[_i]);
	open_bench(&bench, &options);
	ck_assert_uint_eq(bench.disk->info.size, SIZE);
	bench_check_pattern(&bench, SIZE);
	bench_close(&bench);
	/* Raw, it is its own bytes. */
	options.format = "raw";
	options.read_only = true;
	open_bench(&bench, &options);
	ck_assert_int_ne(bench.disk->info.size, 0);
	bench_close(&bench);
}
END_TEST

static const struct row {
	struct disk_options options;
} rows[] = {
	{{.cache = DISK_CACHE_WRITEBACK}},
	{{.cache = DISK_CACHE_WRITETHROUGH, .aio = DISK_AIO_THREADS}},
	{{.cache = DISK_CACHE_UNSAFE}},
	{{.cache = DISK_CACHE_WRITEBACK, .direct = true}},
	{{.format = "qcow2", .no_discard = true}},
	{{.ephemeral = true}},
};

START_TEST(test_random_qcow2)
{
	struct disk_options options = rows[_i].options;
	struct disk_bench bench;

	if (lacks("qemu-nbd"))
		return;
	options.path = image("qcow2");
	open_bench(&bench, &options);
	ck_assert_int_eq(bench.disk->info.discard_granularity > 0, !options.no_discard);
	bench_random(&bench, (unsigned)_i, 64, 300);
	bench_close(&bench);
	/* It has ended, and left a sound image. */
	ck_assert(run("qemu-img check -q '%s'%s", options.path, ""));
	if (options.ephemeral) {
		options.ephemeral = false;
		options.read_only = true;
		open_bench(&bench, &options);
		ck_assert(bench.disk->info.read_only);
		bench_check_pattern(&bench, SIZE);
		bench_close(&bench);
	}
}
END_TEST

START_TEST(test_image_refused)
{
	struct disk_options options = {0};
	struct disk *disk;
	struct error err;
	int fd;

	if (lacks("qemu-nbd"))
		return;
	options.path = image("qcow2");
	ck_assert_int_eq(disk_open(&options, &disk, &err), 0);
	check_refused(&options, "qemu-nbd does not open it as qcow2: Failed to ");
	/* Which of its locks it names first is its own matter. */
	disk_destroy(disk);
	/* Of a version that nobody knows. */
	fd = open(options.path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "\x77", 1, 7), 1);
	close(fd);
	check_refused(&options, "qemu-nbd does not open it as qcow2: ");
	options.format = "nonsense";
	check_refused(&options, "qemu-nbd does not open it as nonsense: ");
	options.path = "/nowhere/at/all";
	check_refused(&options, "No such file");
}
END_TEST

START_TEST(test_no_qemu_nbd)
{
	struct disk_options options = {.format = "qcow2"};

	if (lacks("sh"))
		return;
	options.path = disk_file("raw", SIZE);
	setenv("PATH", disk_directory(), 1);
	check_refused(&options, "needs qemu-nbd, which is not installed; install it (Debian: "
				"qemu-utils), or");
	setenv("PATH", "/usr/bin:/bin", 1);
}
END_TEST

/* ---- Servers of others ---------------------------------------------------- */

/* $1 is the directory. */
static const char *const servers[] = {
	"exec nbdkit -f -U $1/socket memory 1M",
	"exec nbdkit -f -U $1/socket --filter=nozero memory 1M",
	"exec nbdkit -f -U $1/socket --filter=fua memory 1M fuamode=emulate",
	"exec nbdkit -f -U $1/socket --filter=blocksize-policy memory 1M "
	"blocksize-minimum=512 blocksize-preferred=8192 blocksize-maximum=65536 "
	"blocksize-error-policy=error",
	"truncate -s 1M $1/raw; exec qemu-nbd -f raw -t -k $1/socket $1/raw",
};

static char uri[192];

/* A socket has its name before anybody listens at it. */
static bool listens(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool ok;

	memcpy(address.sun_path, path, min_u64(strlen(path), sizeof(address.sun_path) - 1));
	ok = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return ok;
}

/* Start it, and wait until it can be reached. */
static struct helper_process *serve(const char *command)
{
	const char *const argv[] = {"sh", "-c", command, "sh", disk_directory(), NULL};
	const struct helper_options options = {.argv = argv};
	struct helper_process *server = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/socket", disk_directory());
	snprintf(uri, sizeof(uri), "nbd+unix:///?socket=%s", path);
	unlink(path);
	ck_assert_int_eq(helper_process_start(&options, &server), 0);
	for (int i = 0; i < 500 && !listens(path); i++)
		ck_assert(!helper_process_wait(server, 10));
	return server;
}

START_TEST(test_servers)
{
	struct disk_options options = {.path = uri};
	struct helper_process *server;
	struct disk_bench bench;

	if (lacks("nbdkit") || lacks("qemu-nbd"))
		return;
	server = serve(servers[_i / 2]);
	if (_i % 2)
		options.cache = DISK_CACHE_WRITETHROUGH;
	open_bench(&bench, &options);
	ck_assert_uint_eq(bench.disk->info.size, SIZE);
	bench_random(&bench, (unsigned)_i, 64, 300);
	bench_stop(&bench);
	bench_start(&bench);
	bench_random(&bench, (unsigned)_i, 4, 50);
	bench_close(&bench);
	ck_assert(!helper_process_wait(server, 0));
	helper_process_end(server, 0);
}
END_TEST

/* A server without FUA and zeroes is sent flushes behind writes, and zeroes as data. */
START_TEST(test_poor_server)
{
	struct disk_options options = {.path = uri, .cache = DISK_CACHE_WRITETHROUGH};
	struct helper_process *server;
	struct disk_bench bench;
	static uint8_t data[70000 / 512 * 512];
	char path[128], text[64] = "";
	int fd;

	if (lacks("nbdkit"))
		return;
	server = serve("exec nbdkit -f -U $1/socket --filter=nozero eval get_size='echo 1M' "
		       "can_write='exit 0' "
		       "can_flush='exit 0' can_fua='echo none' "
		       "pread='head -c $3 /dev/zero' "
		       "pwrite=\"cat >/dev/null; printf w >>$1/log\" flush=\"printf f >>$1/log\"");
	open_bench(&bench, &options);
	ck_assert(!bench.disk->info.write_cache);
	ck_assert_int_eq(bench.disk->info.discard_granularity, 0);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 0, data, 512), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE_ZEROES, 512, NULL, sizeof(data)), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_DISCARD, 0, NULL, 512), 0);
	bench_close(&bench);
	helper_process_end(server, 0);
	snprintf(path, sizeof(path), "%s/log", disk_directory());
	fd = open(path, O_RDONLY);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	ck_assert_str_eq(text, "wfwwf");
}
END_TEST

/* Nobody is there; one who was just about to go resets the connection first. */
static bool is_absence(int result)
{
	return result == -ECONNREFUSED || result == -ECONNRESET;
}

/* The server dies with requests under way: each fails, once, and one line says why. */
START_TEST(test_server_dies)
{
	enum { COUNT = 300 };
	static struct bench_request requests[COUNT];
	static uint8_t data[COUNT][512];
	struct disk_options options = {.path = uri};
	struct helper_process *server;
	struct disk_bench bench;
	const char *said;

	if (lacks("nbdkit"))
		return;
	server = serve("exec nbdkit -f -U $1/socket --filter=delay memory 1M delay-read=30");
	open_bench(&bench, &options);
	capture_stderr();
	for (unsigned i = 0; i < COUNT; i++) {
		requests[i].iov[0] = (struct iovec){data[i], 512};
		requests[i].request = (struct disk_request){.op = DISK_READ,
							    .size = 512,
							    .offset = i * 512,
							    .iov = requests[i].iov,
							    .iov_count = 1};
		bench_submit(&bench, &requests[i]);
	}
	usleep(50000);
	helper_process_end(server, 0);
	bench_wait(&bench);
	/* Some were under way; others found nobody. */
	for (unsigned i = 0; i < COUNT; i++)
		ck_assert_int_lt(requests[i].request.result, 0);
	ck_assert(is_absence(bench_do(&bench, DISK_WRITE, 0, data, 512)));
	ck_assert(is_absence(bench_do(&bench, DISK_FLUSH, 0, NULL, 0)));
	said = captured_stderr();
	ck_assert_uint_eq(count_text(said, "the connection to the NBD server is gone"), 1);
	bench_close(&bench);
}
END_TEST

#define FILE_SERVER "exec nbdkit -f -U $1/socket file $1/raw"

/* Kill it, and let another take its place after the disk has found out. */
static void replace(struct disk_bench *bench, struct helper_process **server, const char *command)
{
	uint8_t data[512];

	helper_process_end(*server, 0);
	ck_assert_int_lt(bench_do(bench, DISK_READ, 0, data, 512), 0);
	ck_assert(is_absence(bench_do(bench, DISK_READ, 0, data, 512)));
	*server = serve(command);
}

/* What a read comes to once the server was tried again: how soon depends on how long it took. */
static int read_after_all(struct disk_bench *bench, uint8_t back[static 512])
{
	int r = bench_do(bench, DISK_READ, 0, back, 512);

	for (unsigned i = 0; is_absence(r) && i < 2000; i++) {
		usleep(5000);
		r = bench_do(bench, DISK_READ, 0, back, 512);
	}
	return r;
}

/* It comes back, and so does the disk; what was not flushed may be gone, and is told once. */
START_TEST(test_server_returns)
{
	struct disk_options options = {.path = uri};
	struct helper_process *server;
	struct disk_bench bench;
	uint8_t data[512] = {1}, back[512];
	const char *said;

	if (lacks("nbdkit"))
		return;
	disk_file("raw", SIZE);
	server = serve(FILE_SERVER);
	open_bench(&bench, &options);
	capture_stderr();
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 0, data, 512), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_FLUSH, 0, NULL, 0), 0);
	replace(&bench, &server, FILE_SERVER);
	/* A pause and its end. */
	bench_stop(&bench);
	bench_start(&bench);
	ck_assert_int_eq(read_after_all(&bench, back), 0);
	ck_assert_int_eq(memcmp(data, back, 512), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_FLUSH, 0, NULL, 0), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 512, data, 512), 0);
	replace(&bench, &server, FILE_SERVER);
	ck_assert_int_eq(read_after_all(&bench, back), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_WRITE, 1024, data, 512), 0);
	ck_assert_int_eq(bench_do(&bench, DISK_FLUSH, 0, NULL, 0), -EIO);
	ck_assert_int_eq(bench_do(&bench, DISK_FLUSH, 0, NULL, 0), 0);
	replace(&bench, &server, "exec nbdkit -f -U $1/socket memory 2M");
	ck_assert_int_eq(read_after_all(&bench, back), -ESTALE);
	said = captured_stderr();
	ck_assert_uint_eq(count_text(said, "the connection to the NBD server is gone"), 3);
	ck_assert_uint_eq(count_text(said, "the NBD server is there again"), 2);
	ck_assert_uint_eq(count_text(said, "so the next flush fails"), 1);
	ck_assert_uint_eq(count_text(said, "a flush failed: Input/output error"), 1);
	bench_close(&bench);
	helper_process_end(server, 0);
}
END_TEST

/* What our own qemu-nbd says at its end is in the line. */
START_TEST(test_qemu_nbd_dies)
{
	struct disk_options options = {0};
	struct disk_bench bench;
	uint8_t data[512];
	const char *said;
	char command[64];

	if (lacks("qemu-nbd") || lacks("pkill"))
		return;
	options.path = image("qcow2");
	open_bench(&bench, &options);
	capture_stderr();
	/* Only ours: the child of this process. */
	snprintf(command, sizeof(command), "pkill -KILL -P %d qemu-nbd", getpid());
	ck_assert_int_eq(system(command), 0);
	for (int i = 0; i < 100 && bench_do(&bench, DISK_READ, 0, data, 512) == 0; i++)
		usleep(10000);
	ck_assert_int_eq(bench_do(&bench, DISK_READ, 0, data, 512), -EIO);
	said = captured_stderr();
	ck_assert_uint_eq(count_text(said, "the connection to the disk's qemu-nbd is gone"), 1);
	bench_close(&bench);
}
END_TEST

START_TEST(test_server_refused)
{
	struct disk_options options = {.path = "nbd+unix:///?socket=/nowhere/at/all"};
	struct helper_process *server;

	if (lacks("nbdkit"))
		return;
	check_refused(&options, "the NBD server cannot be reached: ");
	options.ephemeral = true;
	check_refused(&options, "cannot be ephemeral");
	options = (struct disk_options){.path = uri};
	server = serve("exec nbdkit -f -r -U $1/socket memory 1M");
	check_refused(&options, "the server lets nobody write; add ,ro");
	helper_process_end(server, 0);
	server = serve("exec nbdkit -f -r -U $1/socket memory 1000");
	options.read_only = true;
	check_refused(&options, "has 1000 bytes, which is no whole number of blocks of 512");
	helper_process_end(server, 0);
	server = serve("exec nbdkit -f -U $1/socket --filter=blocksize-policy memory 1M "
		       "blocksize-minimum=4096 blocksize-error-policy=error");
	options.read_only = false;
	options.block_size = 512;
	check_refused(&options, "the server has blocks of 4096 bytes");
	helper_process_end(server, 0);
}
END_TEST

/* ---- Helper programs ------------------------------------------------------ */

START_TEST(test_helper)
{
	const char *argv[] = {"sh", "-c", "", NULL};
	int fds[2] = {open("/dev/null", O_RDONLY), open("/dev/zero", O_RDONLY)};
	const struct helper_options options = {
		.argv = argv, .fds = fds, .fd_count = 2, .activation = true};
	struct helper_process *helper;

	argv[2] = "ls -l /proc/$$/fd | sed -n 's/.* \\([0-9]* -> .*\\)/\\1/p' | tr '\\n' ';'";
	ck_assert_int_eq(helper_process_start(&options, &helper), 0);
	ck_assert(helper_process_wait(helper, 10000));
	ck_assert_ptr_nonnull(
		strstr(helper_process_last_words(helper), "3 -> /dev/null;4 -> /dev/zero;"));
	helper_process_end(helper, 0);
	argv[2] = "echo first >&2; echo \"sh: $LISTEN_FDS $((LISTEN_PID == $$))\" >&2; echo";
	ck_assert_int_eq(helper_process_start(&options, &helper), 0);
	ck_assert(helper_process_wait(helper, 10000));
	ck_assert_str_eq(helper_process_last_words(helper), "2 1");
	helper_process_end(helper, 0);
	/* It talks without an end, and is ended. */
	argv[2] = "trap '' PIPE; while :; do echo talk || :; done 2>&1";
	ck_assert_int_eq(helper_process_start(&options, &helper), 0);
	ck_assert(!helper_process_wait(helper, 100));
	ck_assert_str_eq(helper_process_last_words(helper), "talk");
	helper_process_end(helper, 0);
	argv[0] = "no-such-program-anywhere";
	ck_assert_int_eq(helper_process_start(&options, &helper), -ENOENT);
	helper_process_end(NULL, 0);
}
END_TEST

static bool runs(int pid)
{
	char path[64], line[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return line[0] && !strstr(line, ") Z");
}

/* A helper that is stopped is ended with what it has started, and without SIGKILL's wait. */
START_TEST(test_stopped_helper)
{
	const char *const argv[] = {"sh", "-c", "sleep 1000 & echo $!; kill -STOP $$", NULL};
	const struct helper_options options = {.argv = argv};
	struct helper_process *helper = NULL;
	time_t begin = time(NULL);
	int child = 0;

	ck_assert_int_eq(helper_process_start(&options, &helper), 0);
	while (!child) {
		child = atoi(helper_process_last_words(helper));
		usleep(10000);
	}
	usleep(50000);
	ck_assert(runs(child));
	helper_process_end(helper, 0);
	for (int i = 0; i < 100 && runs(child); i++)
		usleep(10000);
	ck_assert(!runs(child));
	ck_assert_int_lt(time(NULL) - begin, 4);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_formats, ARRAY_SIZE(formats)),
	UNIT_LOOP(test_random_qcow2, ARRAY_SIZE(rows)),
	UNIT_CASE(test_image_refused),
	UNIT_CASE(test_no_qemu_nbd),
	UNIT_LOOP(test_servers, 2 * ARRAY_SIZE(servers)),
	UNIT_CASE(test_poor_server),
	UNIT_CASE(test_server_dies),
	UNIT_CASE(test_server_returns),
	UNIT_CASE(test_qemu_nbd_dies),
	UNIT_CASE(test_server_refused),
	UNIT_CASE(test_helper),
	UNIT_CASE(test_stopped_helper),
	{0},
};
const char unit_name[] = "disk_nbd";
