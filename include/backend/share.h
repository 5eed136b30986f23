/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Shared folders
 *
 * A folder of the host that the guest mounts by a tag. Its server is a program
 * of the host's, which we start and end:
 *
 *	virtiofs	virtiofsd, over vhost-user: the faster one. It needs the
 *			guest's memory to be shared (core/guest_mem.h).
 *	9p		diod, over a stream socket, in a jail of ours.
 *
 * share_open() checks and chooses, once in the life of a machine;
 * share_start() starts the server, once for each boot:
 *
 *	share_open(&options, &share, &err);
 *	share_start(share, &server, &err);
 *	if (share_kind(share) == SHARE_VIRTIOFS)
 *		... vhost_user_create(server.fd, ...), virtio_fs_create() ...
 *	else
 *		... virtio_9p_create() with what is in server ...
 *	... the device is destroyed ...
 *	share_stop(share);
 *	share_close(share);
 *
 * Threads: the main thread.
 */
#ifndef ARMLET_BACKEND_SHARE_H
#define ARMLET_BACKEND_SHARE_H

#include <limits.h>

#include "base/error.h"

#define SHARE_TAG_MAX 36 /* bytes: virtio 1.3, 5.11.4 */

enum share_kind {
	SHARE_AUTO, /* virtiofs if there is a virtiofsd that can do it, else 9p */
	SHARE_VIRTIOFS,
	SHARE_9P,
};

/* A folder, as the command line names it. */
struct share_options {
	char directory[PATH_MAX];
	char tag[SHARE_TAG_MAX + 1]; /* also where the guest mounts it, if it begins with "/" */
	bool read_only;
	enum share_kind kind;
};

/*
 * HOST:GUEST and then, each behind a colon or a comma, "ro", "rw", "fs=virtiofs",
 * "fs=9p", "fs=auto". GUEST is the tag. Fails with a sentence.
 */
int share_parse(const char *text, struct share_options *ret, struct error *err);

struct share;

/*
 * Check that the folder is one that can be read, and choose the server. @options
 * is copied; relative paths and symbolic links are resolved now.
 */
int share_open(const struct share_options *options, struct share **ret, struct error *err);

/* Takes NULL; ends the server. */
void share_close(struct share *share);

DEFINE_CLEANUP(struct share *, share_close)

/* SHARE_VIRTIOFS or SHARE_9P; the folder's real path; the tag. */
enum share_kind share_kind(const struct share *share);
const char *share_directory(const struct share *share);
const char *share_tag(const struct share *share);

/* A server that runs. */
struct share_server {
	int fd;                /* connected to it; the caller's */
	const char *directory; /* 9p: the folder, as the server knows it */
	bool squash;           /* 9p: every user of the guest has to be @uid */
	uint32_t uid;
};

/* Fails with a sentence. */
int share_start(struct share *share, struct share_server *ret, struct error *err);

/* The last that the server has said; "" if it said nothing. */
const char *share_last_words(const struct share *share);

/*
 * A sentence is there about a server that is of no use: put the folder in front,
 * and behind it what the server has said. Returns -err->code.
 */
int share_explain(const struct share *share, struct error *err);

/* End the server, which loses its connection; a device that still has it, too. */
void share_stop(struct share *share);

#endif
