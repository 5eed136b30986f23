/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that a guest mounts as virtiofs: from its requests to the files, by way of virtiofsd. */
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "share_bench.h"
#include "unit.h"
#include "virtio/virtio_fs.h"
#include "virtio_bench.h"

#define REQUESTS 1 /* the queue */
#define LARGE    100000

struct fs_bench {
	struct virtio_bench bench;
	struct share_folder folder;
	struct share *share;
	uint64_t unique;
};

/* The options of the share that is opened next. */
static bool read_only;

static struct fs_bench *to_fs(struct virtio_bench *bench)
{
	return container_of(bench, struct fs_bench, bench);
}

static int create(struct virtio_bench *bench, struct virtio_device **ret)
{
	struct fs_bench *fs = to_fs(bench);
	struct share_options options = {
		.tag = "home",
		.kind = SHARE_VIRTIOFS,
		.read_only = read_only,
	};
	struct virtio_fs_options fs_options = {
		.name = "share0",
		.mem = bench->mem,
		.loop = bench->loop,
		.tag = "home",
	};
	struct share_server server;
	struct error err = {0};

	share_folder_make(&fs->folder);
	snprintf(options.directory, sizeof(options.directory), "%s", fs->folder.path);
	ck_assert_msg(share_open(&options, &fs->share, &err) == 0, "%s", err.text);
	ck_assert_msg(share_start(fs->share, &server, &err) == 0, "%s", err.text);
	fs_options.server_fd = server.fd;
	ck_assert_msg(virtio_fs_create(&fs_options, ret, &err) == 0, "%s: %s", err.text,
		      share_last_words(fs->share));
	return 0;
}

static void finish(struct virtio_bench *bench)
{
	share_close(to_fs(bench)->share);
	share_folder_remove(&to_fs(bench)->folder);
}

static const struct virtio_kind fs_kind = {
	.bench_size = sizeof(struct fs_bench),
	.shared_ram = true,
	.create = create,
	.finish = finish,
};

/* Whether there is a virtiofsd that can do what the test is about. */
static bool possible(void)
{
	struct share_options options = {
		.directory = "/tmp",
		.tag = "t",
		.kind = SHARE_VIRTIOFS,
		.read_only = read_only,
	};
	struct share *share = NULL;
	struct error err;
	bool found = share_open(&options, &share, &err) == 0;

	share_close(share);
	return found;
}

/* An answer: 0 and its body, or an errno. */
struct reply {
	int code;
	const void *body;
	size_t size;
};

/* Ask for @opcode on @node, with @size bytes and @more more behind them. */
static struct reply ask(struct fs_bench *fs, uint32_t opcode, uint64_t node, const void *body,
			size_t size, const void *more, size_t more_size, uint32_t room)
{
	struct virtio_bench *bench = &fs->bench;
	const struct fuse_in_header in = {
		.len = (uint32_t)(sizeof(in) + size + more_size),
		.opcode = opcode,
		.unique = ++fs->unique,
		.nodeid = node,
		.uid = geteuid(),
		.gid = getegid(),
	};
	struct driver_piece pieces[2] = {
		{virtio_bench_alloc(bench, in.len, 8), in.len},
		{virtio_bench_alloc(bench, room + sizeof(struct fuse_out_header), 8),
		 room + sizeof(struct fuse_out_header)},
	};
	uint8_t *to = virtio_bench_ram(bench, pieces[0].addr, in.len);
	struct fuse_out_header *out = virtio_bench_ram(bench, pieces[1].addr, pieces[1].size);
	uint64_t token = 0;
	uint32_t length = 0;

	memcpy(to, &in, sizeof(in));
	memcpy(to + sizeof(in), body, size);
	if (more_size)
		memcpy(to + sizeof(in) + size, more, more_size);
	ck_assert(virtio_bench_add(bench, REQUESTS, pieces, 1, 1, in.unique));
	virtio_bench_kick(bench, REQUESTS);
	ck_assert_msg(virtio_bench_wait(bench, REQUESTS, &token, &length), "%s",
		      share_last_words(fs->share));
	ck_assert_uint_eq(token, in.unique);
	ck_assert_uint_eq(out->unique, in.unique);
	ck_assert_uint_eq(length, out->len);
	return (struct reply){-out->error, out + 1, out->len - sizeof(*out)};
}

static struct fs_bench *open_bench(void)
{
	struct fs_bench *fs = to_fs(virtio_bench_open(&fs_kind));
	const struct fuse_init_in init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_readahead = 65536,
		.flags = FUSE_BIG_WRITES | FUSE_MAX_PAGES,
	};
	struct reply reply;

	virtio_bench_drive(&fs->bench, UINT64_MAX);
	reply = ask(fs, FUSE_INIT, 0, &init, sizeof(init), NULL, 0, 256);
	ck_assert_int_eq(reply.code, 0);
	return fs;
}

static int lookup(struct fs_bench *fs, const char *name, uint64_t *ret_node)
{
	struct reply reply =
		ask(fs, FUSE_LOOKUP, FUSE_ROOT_ID, name, strlen(name) + 1, NULL, 0, 256);

	if (reply.code == 0)
		*ret_node = ((const struct fuse_entry_out *)reply.body)->nodeid;
	return reply.code;
}

START_TEST(test_read)
{
	const struct fuse_open_in how = {.flags = O_RDONLY};
	struct fuse_read_in what = {.size = 4096};
	struct fs_bench *fs;
	struct reply reply;
	uint64_t node = 0;

	read_only = false;
	if (geteuid() == 0 && _i)
		share_become_user();
	if (!possible())
		return;
	fs = open_bench();
	ck_assert_int_eq(lookup(fs, "nothing", &node), ENOENT);
	ck_assert_int_ne(lookup(fs, "../etc", &node), 0);
	ck_assert_int_eq(lookup(fs, "file", &node), 0);
	reply = ask(fs, FUSE_OPEN, node, &how, sizeof(how), NULL, 0, 256);
	ck_assert_int_eq(reply.code, 0);
	what.fh = ((const struct fuse_open_out *)reply.body)->fh;
	reply = ask(fs, FUSE_READ, node, &what, sizeof(what), NULL, 0, 4096);
	ck_assert_int_eq(reply.code, 0);
	ck_assert_uint_eq(reply.size, strlen(SHARE_BENCH_TEXT));
	ck_assert_mem_eq(reply.body, SHARE_BENCH_TEXT, reply.size);
	virtio_bench_close(&fs->bench);
}
END_TEST

static int create_file(struct fs_bench *fs, const char *name, uint64_t *ret_node, uint64_t *ret_fh)
{
	const struct fuse_create_in how = {.flags = O_RDWR, .mode = S_IFREG | 0640};
	struct reply reply =
		ask(fs, FUSE_CREATE, FUSE_ROOT_ID, &how, sizeof(how), name, strlen(name) + 1, 512);
	const struct fuse_entry_out *entry = reply.body;

	if (reply.code)
		return reply.code;
	*ret_node = entry->nodeid;
	*ret_fh = ((const struct fuse_open_out *)(entry + 1))->fh;
	return 0;
}

START_TEST(test_write)
{
	struct fuse_write_in how = {.size = LARGE};
	uint8_t *data = malloc(LARGE);
	struct fs_bench *fs;
	struct reply reply;
	struct stat status;
	uint64_t node = 0;

	read_only = false;
	memset(data, 0x77, LARGE);
	if (possible()) {
		fs = open_bench();
		ck_assert_int_eq(create_file(fs, "new", &node, &how.fh), 0);
		reply = ask(fs, FUSE_WRITE, node, &how, sizeof(how), data, LARGE, 256);
		ck_assert_int_eq(reply.code, 0);
		ck_assert_uint_eq(((const struct fuse_write_out *)reply.body)->size, LARGE);
		ck_assert_int_eq(stat(share_folder_path(&fs->folder, "new"), &status), 0);
		ck_assert_int_eq(status.st_size, LARGE);
		ck_assert_uint_eq(status.st_mode & 0777, 0640);
		virtio_bench_close(&fs->bench);
	}
	free(data);
}
END_TEST

START_TEST(test_read_only)
{
	struct fs_bench *fs;
	uint64_t node = 0;
	uint64_t fh = 0;

	read_only = true;
	if (!possible())
		return;
	fs = open_bench();
	ck_assert_int_eq(lookup(fs, "file", &node), 0);
	ck_assert_int_eq(create_file(fs, "new", &node, &fh), EROFS);
	virtio_bench_close(&fs->bench);
}
END_TEST

/* A pause, and a driver that begins anew: the server goes on. */
START_TEST(test_again)
{
	struct fs_bench *fs;
	uint64_t node = 0;

	read_only = false;
	if (!possible())
		return;
	fs = open_bench();
	for (unsigned i = 0; i < 3; i++) {
		device_lock(&fs->bench.virtio->device);
		virtio_device_pause(fs->bench.virtio);
		virtio_device_resume(fs->bench.virtio);
		device_unlock(&fs->bench.virtio->device);
		ck_assert_int_eq(lookup(fs, "file", &node), 0);
	}
	virtio_bench_close(&fs->bench);
}
END_TEST

/* The server is gone from one moment to the next: what was asked before and after fails. */
START_TEST(test_stopped)
{
	struct fs_bench *fs;
	uint64_t node = 0;

	read_only = false;
	if (!possible())
		return;
	fs = open_bench();
	share_stop(fs->share);
	virtio_bench_run(&fs->bench);
	ck_assert_int_eq(lookup(fs, "file", &node), EIO);
	virtio_bench_close(&fs->bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_read, 2), UNIT_CASE(test_write),   UNIT_CASE(test_read_only),
	UNIT_CASE(test_again),   UNIT_CASE(test_stopped), {0},
};
const char unit_name[] = "share_fs";
