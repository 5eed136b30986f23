/* SPDX-License-Identifier: Apache-2.0 */
/* A matrix in TOML, as the JSON that it stands for: Python reads it, whose library is the
 * language's. */
#include <string.h>

#include "backend/helper_process.h"
#include "matrix_toml.h"
#include "options_json.h"

#define JSON_MAX    (4 * MIB)
#define PATIENCE_MS 20000

/* What goes wrong is its last line. */
static const char script[] =
	"import sys\n"
	"try:\n"
	"  import json, tomllib\n"
	"  json.dump(tomllib.load(open(sys.argv[1], 'rb')), sys.stdout, default=str,\n"
	"            allow_nan=False)\n"
	"  sys.stdout.flush()\n"
	"except Exception as e:\n"
	"  sys.exit(' '.join(str(e).split()))\n";

bool matrix_is_toml(const char *path)
{
	size_t length = strlen(path);

	return length > 5 && !strcmp(path + length - 5, ".toml");
}

static int take(int fd, char **ret, size_t *ret_size, struct error *err)
{
	off_t size = lseek(fd, 0, SEEK_CUR); /* its position is ours */
	char *text = size > 0 ? calloc(1, (size_t)size + 1) : NULL;

	if (!text || pread(fd, text, (size_t)size, 0) != size) {
		free(text);
		return error_set(err, EIO, "python3 has said nothing");
	}
	*ret = text;
	*ret_size = (size_t)size;
	return 0;
}

static int ask_python(const char *path, int fd, struct error *err)
{
	const char *const words[] = {"python3", "-I", "-c", script, path, NULL};
	const struct helper_options options = {
		.argv = words, .fds = &fd, .fd_count = 1, .output = true};
	struct helper_process *helper;
	int r = helper_process_start(&options, &helper);
	const char *complaint;
	bool ended;

	if (r == -ENOENT)
		return error_set(err, ENOENT,
				 "TOML is read by python3, which is not installed: apt install "
				 "python3, or write JSON");
	if (r < 0)
		return error_set_errno(err, -r, "python3, which reads TOML");
	ended = helper_process_wait(helper, PATIENCE_MS);
	complaint = helper_process_last_words(helper);
	if (!ended)
		r = error_set(err, ETIMEDOUT, "python3 does not come to an end with it");
	else if (strstr(complaint, "'tomllib'"))
		r = error_set(err, ENOENT, "TOML is read by python3, of version 3.11 or newer");
	else if (*complaint)
		r = error_set(err, EINVAL, "%s", complaint);
	helper_process_end(helper, 0);
	return r;
}

int matrix_read_toml(const char *path, char **ret, size_t *ret_size, struct error *err)
{
	_cleanup_close_ int fd = helper_process_file(JSON_MAX);
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = fd < 0 ? error_set_errno(err, -fd, "a file in memory") : 0;

	/* What may be wrong with a file is told as of others. */
	if (r == 0)
		r = options_read_text(path, &text, &size, err);
	if (r == 0)
		r = ask_python(path, fd, err);
	return r < 0 ? r : take(fd, ret, ret_size, err);
}
