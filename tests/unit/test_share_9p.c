/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that a guest mounts over 9P: from its requests to the files, by way of diod. */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "p9_bench.h"
#include "share_bench.h"
#include "unit.h"

#define ROOT     1 /* the fid of the folder */
#define LARGE    (300 * 1000)
#define O_GUEST  0100002 /* O_RDWR | O_LARGEFILE, as the protocol has them */
#define NEW_MODE 0640

struct diod_bench {
	struct p9_bench p9;
	struct share_folder folder;
	struct share *share;
};

/* The options of the share that is opened next. */
static bool read_only;

static struct diod_bench *to_diod(struct virtio_bench *bench)
{
	return container_of(bench, struct diod_bench, p9.bench);
}

static int create(struct virtio_bench *bench, struct virtio_device **ret)
{
	struct diod_bench *diod = to_diod(bench);
	struct share_options options = {.tag = "home", .kind = SHARE_9P, .read_only = read_only};
	struct share_server server;
	struct error err = {0};

	share_folder_make(&diod->folder);
	diod->p9.server = -1;
	snprintf(options.directory, sizeof(options.directory), "%s", diod->folder.path);
	ck_assert_msg(share_open(&options, &diod->share, &err) == 0, "%s", err.text);
	ck_assert_msg(share_start(diod->share, &server, &err) == 0, "%s", err.text);
	return virtio_9p_create(
		&(struct virtio_9p_options){
			.name = "share0",
			.mem = bench->mem,
			.loop = bench->loop,
			.tag = share_tag(diod->share),
			.server_fd = server.fd,
			.directory = server.directory,
			.squash = server.squash,
			.uid = server.uid,
		},
		ret);
}

static void finish(struct virtio_bench *bench)
{
	share_close(to_diod(bench)->share);
	share_folder_remove(&to_diod(bench)->folder);
}

static const struct virtio_kind diod_kind = {
	.bench_size = sizeof(struct diod_bench),
	.create = create,
	.finish = finish,
};

/* Whether the test can be: diod is installed, and we may make namespaces. */
static bool possible(void)
{
	return access("/usr/sbin/diod", X_OK) == 0 && geteuid() == 0;
}

/* What the guest is told: an errno, or 0 and the body of the answer. */
struct reply {
	uint32_t code;
	const uint8_t *body;
	uint32_t size;
};

static struct reply rpc(struct p9_bench *bench, struct p9_message *message, uint32_t room)
{
	uint32_t size = 0;
	const uint8_t *data;
	struct p9_header header;
	uint8_t token;

	p9_end(message);
	token = p9_ask(bench, message, room);
	data = p9_await(bench, token, &size);
	header = p9_header_get(data);
	ck_assert_uint_eq(header.size, size);
	ck_assert_uint_eq(header.tag, p9_header_get(message->data).tag);
	data += P9_HEADER_SIZE;
	if (header.type == P9_RLERROR)
		return (struct reply){.code = data[0]};
	ck_assert_uint_eq(header.type, message->data[4] + 1);
	return (struct reply){0, data, size - P9_HEADER_SIZE};
}

static uint32_t attach(struct p9_bench *bench, uint32_t uid)
{
	struct p9_message message;

	p9_begin(&message, P9_TATTACH, 1);
	p9_add(&message, ROOT, 4);
	p9_add(&message, UINT32_MAX, 4);
	p9_add_string(&message, "root");
	p9_add_string(&message, "");
	p9_add(&message, uid, 4);
	return rpc(bench, &message, P9_BENCH_ROOM).code;
}

static struct p9_bench *open_bench(void)
{
	struct virtio_bench *virtio = virtio_bench_open(&diod_kind);
	struct p9_bench *bench = container_of(virtio, struct p9_bench, bench);
	struct p9_message message;

	virtio_bench_drive(virtio, UINT64_MAX);
	p9_begin(&message, P9_TVERSION, P9_NOTAG);
	p9_add(&message, 512000, 4);
	p9_add_string(&message, "9P2000.L");
	ck_assert_uint_eq(rpc(bench, &message, P9_BENCH_ROOM).code, 0);
	ck_assert_uint_eq(attach(bench, 0), 0);
	return bench;
}

/* Walk from @fid to @newfid, by one name (NULL: none); whether all of it was walked. */
static bool walk(struct p9_bench *bench, uint32_t fid, uint32_t newfid, const char *name)
{
	struct p9_message message;
	struct reply reply;

	p9_begin(&message, P9_TWALK, 2);
	p9_add(&message, fid, 4);
	p9_add(&message, newfid, 4);
	p9_add(&message, name ? 1 : 0, 2);
	if (name)
		p9_add_string(&message, name);
	reply = rpc(bench, &message, P9_BENCH_ROOM);
	return reply.code == 0 && reply.body[0] == (name ? 1 : 0);
}

static uint32_t lopen(struct p9_bench *bench, uint32_t fid, uint32_t flags)
{
	struct p9_message message;

	p9_begin(&message, P9_TLOPEN, 3);
	p9_add(&message, fid, 4);
	p9_add(&message, flags, 4);
	return rpc(bench, &message, P9_BENCH_ROOM).code;
}

static uint32_t lcreate(struct p9_bench *bench, uint32_t fid, const char *name)
{
	struct p9_message message;

	p9_begin(&message, P9_TLCREATE, 4);
	p9_add(&message, fid, 4);
	p9_add_string(&message, name);
	p9_add(&message, O_GUEST, 4);
	p9_add(&message, NEW_MODE, 4);
	p9_add(&message, getegid(), 4);
	return rpc(bench, &message, P9_BENCH_ROOM).code;
}

/* Tread or Treaddir: @count bytes from @offset, into @ret; returns how many there were. */
static uint32_t fetch(struct p9_bench *bench, uint8_t type, uint32_t fid, uint64_t offset,
		      uint32_t count, uint8_t *ret)
{
	struct p9_message message;
	struct reply reply;
	uint32_t got;

	p9_begin(&message, type, 5);
	p9_add(&message, fid, 4);
	p9_add(&message, offset, 8);
	p9_add(&message, count, 4);
	reply = rpc(bench, &message, count + 64);
	ck_assert_uint_eq(reply.code, 0);
	memcpy(&got, reply.body, sizeof(got));
	ck_assert_uint_eq(got + 4, reply.size);
	memcpy(ret, reply.body + 4, got);
	return got;
}

START_TEST(test_read)
{
	struct p9_bench *bench;
	uint8_t data[4096];
	uint32_t size;

	read_only = _i;
	if (!possible())
		return;
	bench = open_bench();
	ck_assert(walk(bench, ROOT, 10, "file"));
	ck_assert(!walk(bench, ROOT, 11, "nothing"));
	ck_assert_uint_eq(lopen(bench, 10, 0), 0);
	size = fetch(bench, P9_TREAD, 10, 0, 1000, data);
	ck_assert_uint_eq(size, strlen(SHARE_BENCH_TEXT));
	ck_assert_mem_eq(data, SHARE_BENCH_TEXT, size);
	ck_assert(walk(bench, ROOT, 12, NULL));
	ck_assert_uint_eq(lopen(bench, 12, 0), 0);
	size = fetch(bench, P9_TREADDIR, 12, 0, sizeof(data), data);
	ck_assert_ptr_nonnull(memmem(data, size, "file", 4));
	ck_assert_ptr_nonnull(memmem(data, size, "out", 3));
	p9_bench_close(bench);
}
END_TEST

/* More than a message holds, written in one piece after the other and read back. */
START_TEST(test_write)
{
	struct p9_bench *bench;
	struct p9_message *message = malloc(sizeof(*message));
	uint8_t *data = malloc(LARGE);
	uint8_t *back = malloc(LARGE);
	struct stat status;
	const char *path;
	uint32_t done;

	read_only = false;
	for (uint32_t i = 0; i < LARGE; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	if (possible()) {
		if (_i)
			share_become_user();
		bench = open_bench();
		ck_assert(walk(bench, ROOT, 10, NULL));
		ck_assert_uint_eq(lcreate(bench, 10, "new"), 0);
		for (done = 0; done < LARGE;) {
			uint32_t part = (uint32_t)min_u64(LARGE - done, 60000);

			p9_begin(message, P9_TWRITE, 6);
			p9_add(message, 10, 4);
			p9_add(message, done, 8);
			p9_add(message, part, 4);
			memcpy(message->data + message->size, data + done, part);
			message->size += part;
			ck_assert_uint_eq(rpc(bench, message, P9_BENCH_ROOM).code, 0);
			done += part;
		}
		for (done = 0; done < LARGE;)
			done += fetch(bench, P9_TREAD, 10, done, 60000, back + done);
		ck_assert_mem_eq(back, data, LARGE);
		path = share_folder_path(&container_of(bench, struct diod_bench, p9)->folder,
					 "new");
		ck_assert_int_eq(stat(path, &status), 0);
		ck_assert_int_eq(status.st_size, LARGE);
		ck_assert_uint_eq(status.st_uid, geteuid());
		ck_assert_uint_eq(status.st_mode & 0777, NEW_MODE);
		p9_bench_close(bench);
	}
	free(message);
	free(data);
	free(back);
}
END_TEST

START_TEST(test_read_only)
{
	struct p9_bench *bench;

	read_only = true;
	if (!possible())
		return;
	bench = open_bench();
	ck_assert(walk(bench, ROOT, 10, NULL));
	ck_assert_uint_ne(lcreate(bench, 10, "new"), 0);
	ck_assert(walk(bench, ROOT, 11, "file"));
	ck_assert_uint_ne(lopen(bench, 11, O_GUEST), 0);
	p9_bench_close(bench);
}
END_TEST

/* A guest that walks where Linux never would. */
static const char *const ways_out[][3] = {
	{"..", "etc", "passwd"},     {"out", "passwd", NULL},     {"../../../etc", "passwd", NULL},
	{"../proc", "self", "root"}, {"../../dev", "null", NULL},
};

START_TEST(test_no_way_out)
{
	struct p9_bench *bench;
	uint32_t fid = ROOT;
	bool there = true;

	read_only = false;
	if (!possible())
		return;
	bench = open_bench();
	for (unsigned i = 0; i < 3 && ways_out[_i][i] && there; i++) {
		there = walk(bench, fid, fid + 1, ways_out[_i][i]);
		fid++;
	}
	ck_assert(!there);
	p9_bench_close(bench);
}
END_TEST

/* A device in the folder is a name and no more. */
START_TEST(test_no_device)
{
	struct p9_bench *bench;
	const char *path;

	read_only = false;
	if (!possible())
		return;
	bench = open_bench();
	path = share_folder_path(&container_of(bench, struct diod_bench, p9)->folder, "null");
	if (mknod(path, S_IFCHR | 0666, makedev(1, 3)) == 0) {
		ck_assert(walk(bench, ROOT, 10, "null"));
		ck_assert_uint_eq(lopen(bench, 10, 0), EACCES);
	}
	p9_bench_close(bench);
}
END_TEST

/* The server is gone from one moment to the next; the guest gets errors. */
START_TEST(test_stopped)
{
	struct p9_bench *bench;
	struct diod_bench *diod;

	read_only = false;
	if (!possible())
		return;
	bench = open_bench();
	diod = container_of(bench, struct diod_bench, p9);
	ck_assert(walk(bench, ROOT, 10, "file"));
	share_stop(diod->share);
	ck_assert(!walk(bench, ROOT, 11, "file"));
	ck_assert_uint_eq(lopen(bench, 10, 0), EIO);
	ck_assert_uint_eq(attach(bench, 0), EIO);
	p9_bench_close(bench);
}
END_TEST

/* Where the host forbids namespaces, diod is not started at all. */
START_TEST(test_no_jail)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};
	struct share_options options = {.directory = "/tmp", .tag = "home", .kind = SHARE_9P};
	struct share_server server = {.fd = -1};
	struct share *share = NULL;
	struct error err = {0};

	if (!possible())
		return;
	ck_assert_int_eq(share_open(&options, &share, &err), 0);
	ck_assert_int_eq(syscall(SYS_capset, &header, none), 0);
	ck_assert_int_eq(share_start(share, &server, &err), -EPERM);
	ck_assert_msg(strstr(err.text, "diod cannot be shut into the folder") != NULL, "%s",
		      err.text);
	ck_assert_int_eq(server.fd, -1);
	share_close(share);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_read, 2),   UNIT_LOOP(test_write, 2),
	UNIT_CASE(test_read_only), UNIT_LOOP(test_no_way_out, ARRAY_SIZE(ways_out)),
	UNIT_CASE(test_no_device), UNIT_CASE(test_stopped),
	UNIT_CASE(test_no_jail),   {0},
};
const char unit_name[] = "share_9p";
