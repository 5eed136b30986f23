/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/stream.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/iov.h"
#include "stream_private.h"

#define KEEP_DEFAULT 1
#define KEEP_MAX     99
#define SIZE_LEAST   (4 * KIB) /* less would be renaming all the time */

/* Nobody, ever. */

static ssize_t null_read(struct stream *stream, const struct iovec *iov, size_t count)
{
	(void)stream;
	(void)iov;
	(void)count;
	return -EAGAIN;
}

static ssize_t null_write(struct stream *stream, const struct iovec *iov, size_t count)
{
	(void)stream;
	return (ssize_t)min_u64(iov_size(iov, count), SSIZE_MAX);
}

static void null_destroy(struct stream *stream)
{
	free(stream);
}

static const struct stream_ops null_ops = {
	.read = null_read,
	.write = null_write,
	.destroy = null_destroy,
};

int stream_open_null(struct stream **ret)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return -ENOMEM;
	stream->ops = &null_ops;
	stream->where = "null";
	*ret = stream;
	return 0;
}

/* Descriptions. */

enum kind { KIND_NULL, KIND_STDIO, KIND_PTY, KIND_FD, KIND_UNIX, KIND_FILE };

static const char *const kind_names[] = {
	[KIND_NULL] = "null", [KIND_STDIO] = "stdio", [KIND_PTY] = "pty",
	[KIND_FD] = "fd",     [KIND_UNIX] = "unix",   [KIND_FILE] = "file",
};

/* A description, taken apart; the texts are in @copy. */
struct spec {
	char *copy;
	enum kind kind;
	char *path;    /* NULL: there is no colon */
	char *options; /* what is behind the first lonely comma, or NULL */
	uint64_t max_size;
	uint64_t keep;
	bool has_keep;
};

static void spec_finish(struct spec *spec)
{
	free(spec->copy);
}

static bool takes_path(enum kind kind)
{
	return kind == KIND_UNIX || kind == KIND_FILE || kind == KIND_FD;
}

/* Make each ",," of @text one comma; what is behind a lonely one, or NULL. */
static char *cut_at_comma(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == ',') {
			if (from[1] != ',') {
				*to = '\0';
				return (char *)(uintptr_t)from + 1;
			}
			from++;
		}
		*to++ = *from;
	}
	*to = '\0';
	return NULL;
}

static int find_kind(struct spec *spec, const char *text, struct error *err)
{
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++) {
		if (!strcmp(spec->copy, kind_names[i])) {
			spec->kind = (enum kind)i;
			return 0;
		}
	}
	near = nearest_name(spec->copy, kind_names, ARRAY_SIZE(kind_names));
	if (near)
		return error_set(err, EINVAL, "%s: there is no '%s'; did you mean %s?", text,
				 spec->copy, near);
	return error_set(
		err, EINVAL,
		"%s: there is no '%s'; give null, stdio, pty, fd:N, unix:PATH or file:PATH", text,
		spec->copy);
}

static int parse_max_size(struct spec *spec, const char *value, const char *text, struct error *err)
{
	if (parse_size(value, 1, &spec->max_size) < 0 || spec->max_size < SIZE_LEAST ||
	    spec->max_size > INT64_MAX)
		return error_set(err, EINVAL,
				 "%s: max-size=%s is no size from 4K up, as 512K, 10M or 1G", text,
				 value);
	return 0;
}

static int parse_keep(struct spec *spec, const char *value, const char *text, struct error *err)
{
	spec->has_keep = true;
	if (parse_u64(value, &spec->keep) < 0 || spec->keep > KEEP_MAX)
		return error_set(err, EINVAL, "%s: keep=%s is no number of files from 0 to %d",
				 text, value, KEEP_MAX);
	return 0;
}

static int parse_options(struct spec *spec, const char *text, struct error *err)
{
	char *rest = spec->options;
	int r = 0;

	while (rest && r == 0) {
		char *word = strsep(&rest, ",");

		if (!strncmp(word, "max-size=", strlen("max-size=")))
			r = parse_max_size(spec, word + strlen("max-size="), text, err);
		else if (!strncmp(word, "keep=", strlen("keep=")))
			r = parse_keep(spec, word + strlen("keep="), text, err);
		else
			r = error_set(err, EINVAL,
				      "%s: a file has no option '%s', but max-size=SIZE and "
				      "keep=N; a comma of the path is written ,,",
				      text, word);
	}
	if (r == 0 && spec->has_keep && !spec->max_size)
		return error_set(err, EINVAL,
				 "%s: keep= says how many old files are kept, and there are none "
				 "without max-size=SIZE",
				 text);
	return r;
}

/* One that whoever started us has left open, as a socket of a service manager's. */
static int open_fd(const struct spec *spec, const char *text, struct event_loop *loop,
		   struct stream **ret, struct error *err)
{
	uint64_t fd;
	int r;

	if (parse_u64(spec->path, &fd) < 0 || fd > INT_MAX || fcntl((int)fd, F_GETFD) < 0)
		return error_set(err, EBADF, "%s: there is no open descriptor of this number",
				 text);
	r = stream_open_fds((int)fd, (int)fd, loop, ret, err);
	if (r == 0)
		(*ret)->where = "fd";
	return r;
}

static int parse(const char *text, struct spec *spec, struct error *err)
{
	char *colon;
	int r;

	spec->keep = KEEP_DEFAULT;
	spec->copy = strdup(text);
	if (!spec->copy)
		return error_set_errno(err, ENOMEM, "%s", text);
	colon = strchr(spec->copy, ':');
	if (colon) {
		*colon = '\0';
		spec->path = colon + 1;
	}
	r = find_kind(spec, text, err);
	if (r < 0)
		return r;
	if (!takes_path(spec->kind) && spec->path)
		return error_set(err, EINVAL, "%s: nothing may follow %s", text, spec->copy);
	if (!takes_path(spec->kind))
		return 0;
	if (spec->path)
		spec->options = cut_at_comma(spec->path);
	if (!spec->path || !*spec->path)
		return error_set(err, EINVAL, "%s: the %s is missing; give %s:%s", text,
				 spec->kind == KIND_FD ? "number" : "path", spec->copy,
				 spec->kind == KIND_FD ? "N" : "PATH");
	if (spec->kind == KIND_FD && spec->options)
		return error_set(err, EINVAL, "%s: a descriptor has no options", text);
	if (spec->kind == KIND_UNIX && spec->options)
		return error_set(err, EINVAL,
				 "%s: a socket has no options; a comma of the path is written ,,",
				 text);
	return parse_options(spec, text, err);
}

int stream_open(const char *text, struct event_loop *loop, struct stream **ret, struct error *err)
{
	_cleanup_(spec_finish) struct spec spec = {0};
	int r = parse(text, &spec, err);

	if (r < 0)
		return r;
	switch (spec.kind) {
	case KIND_NULL:
		r = stream_open_null(ret);
		return r < 0 ? error_set_errno(err, -r, "%s", text) : 0;
	case KIND_STDIO:
		return stream_open_fds(STDIN_FILENO, STDOUT_FILENO, loop, ret, err);
	case KIND_PTY:
		return stream_open_pty(loop, ret, err);
	case KIND_FD:
		return open_fd(&spec, text, loop, ret, err);
	case KIND_UNIX:
		return stream_open_unix(spec.path, loop, ret, err);
	case KIND_FILE:
		return stream_open_file(spec.path, spec.max_size, (unsigned)spec.keep, ret, err);
	}
	return -EINVAL;
}
