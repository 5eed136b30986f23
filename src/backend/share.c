/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/share.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "share_private.h"

#define GRACE_MS 2000 /* for a server to see that its socket is gone */

bool share_find_program(const char *const *places, char ret[static PATH_MAX])
{
	for (; *places; places++) {
		const char *path = strchr(*places, '/') ? "" : getenv("PATH");

		while (path) {
			size_t size = strcspn(path, ":");
			char found[PATH_MAX];
			struct stat status;
			int n = size ? snprintf(found, PATH_MAX, "%.*s/%s", (int)size, path,
						*places)
				     : snprintf(found, PATH_MAX, "%s", *places);

			if (n < PATH_MAX && found[0] == '/' && access(found, X_OK) == 0 &&
			    stat(found, &status) == 0 && S_ISREG(status.st_mode)) {
				memcpy(ret, found, (size_t)n + 1);
				return true;
			}
			path = path[size] ? path + size + 1 : NULL;
		}
	}
	return false;
}

static int check_directory(struct share *share, struct error *err)
{
	char *directory = share->options.directory;
	char given[PATH_MAX];
	char real[PATH_MAX];
	struct stat status;

	snprintf(given, sizeof(given), "%s", directory);
	if (!realpath(given, real) || stat(real, &status) < 0)
		return error_set_errno(err, errno, SHARE_REFUSED "there is no such folder", given);
	if (!S_ISDIR(status.st_mode))
		return error_set(err, ENOTDIR, SHARE_REFUSED "only a folder can be shared", given);
	if (access(real, R_OK | X_OK) < 0)
		return error_set_errno(err, errno, SHARE_REFUSED "the folder cannot be read",
				       given);
	if (!share->options.read_only && access(real, W_OK) < 0)
		return error_set_errno(
			err, errno, SHARE_REFUSED "the folder cannot be written; share it with :ro",
			given);
	snprintf(directory, PATH_MAX, "%s", real);
	return 0;
}

/* virtiofsd, if it is there and can do it; *@ret_why is why not. */
static bool take_virtiofsd(struct share *share, const char **ret_why)
{
	*ret_why = NULL;
	if (!virtiofsd_find(share->program))
		return false;
	*ret_why = virtiofsd_refuses(share);
	return !*ret_why;
}

static int choose(struct share *share, struct error *err)
{
	struct share_options *options = &share->options;
	const char *why = NULL;

	if (options->kind != SHARE_9P && take_virtiofsd(share, &why)) {
		options->kind = SHARE_VIRTIOFS;
		return 0;
	}
	if (options->kind == SHARE_VIRTIOFS && why)
		return error_set(err, ENOTSUP, SHARE_REFUSED "%s %s", options->directory,
				 share->program, why);
	if (options->kind == SHARE_VIRTIOFS)
		return error_set(err, ENOENT,
				 SHARE_REFUSED "fs=virtiofs needs the program virtiofsd, which is "
					       "not installed: apt install virtiofsd",
				 options->directory);
	if (diod_find(share->program)) {
		options->kind = SHARE_9P;
		return 0;
	}
	if (options->kind == SHARE_9P)
		return error_set(err, ENOENT,
				 SHARE_REFUSED "fs=9p needs the program diod, which is not "
					       "installed: apt install diod",
				 options->directory);
	if (why)
		return error_set(err, ENOENT, SHARE_REFUSED "%s %s; apt install diod",
				 options->directory, share->program, why);
	return error_set(err, ENOENT,
			 SHARE_REFUSED "no program that shares folders is installed: "
				       "apt install virtiofsd, or diod",
			 options->directory);
}

int share_open(const struct share_options *options, struct share **ret, struct error *err)
{
	_cleanup_(cleanup_share_close_) struct share *share = calloc(1, sizeof(*share));
	int r;

	if (!share)
		return error_set_errno(err, ENOMEM, SHARE_REFUSED "no memory", options->directory);
	share->options = *options;
	share->socket = -EBADF;
	r = check_directory(share, err);
	r = r < 0 ? r : choose(share, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&share);
	return 0;
}

void share_close(struct share *share)
{
	if (!share)
		return;
	share_stop(share);
	free(share);
}

enum share_kind share_kind(const struct share *share)
{
	return share->options.kind;
}

const char *share_directory(const struct share *share)
{
	return share->options.directory;
}

const char *share_tag(const struct share *share)
{
	return share->options.tag;
}

int share_start(struct share *share, struct share_server *ret, struct error *err)
{
	int r;

	assert(!share->helper);
	if (share->options.kind == SHARE_VIRTIOFS)
		r = virtiofsd_start(share, ret, err);
	else
		r = diod_start(share, ret, err);
	if (r == 0)
		share->socket = fcntl(ret->fd, F_DUPFD_CLOEXEC, 0);
	return r;
}

const char *share_last_words(const struct share *share)
{
	return share->helper ? helper_process_last_words(share->helper) : "";
}

int share_explain(const struct share *share, struct error *err)
{
	const char *words = share_last_words(share);
	size_t used = strlen(err->text);

	if (words[0])
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", words);
	return error_prefix(err, SHARE_REFUSED, share->options.directory);
}

void share_stop(struct share *share)
{
	/* Servers end when nobody asks them any more; diod, for one, by nothing else. */
	if (share->socket >= 0)
		shutdown(share->socket, SHUT_RDWR);
	share->socket = close_fd(share->socket);
	helper_process_end(share->helper, GRACE_MS);
	share->helper = NULL;
}
