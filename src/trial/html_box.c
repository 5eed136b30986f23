/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a file, in a box with a scroll bar. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_chart_private.h"
#include "html_private.h"
#include "html_text.h"
#include "klog_private.h"

/* What a line of the kernel's log is; its class in the style. */
static const char *kind_of_line(const uint8_t *line, size_t size)
{
	char text[KLOG_TEXT_MAX];
	struct klog_match match;

	if (!klog_text(KLOG_CONSOLE, line, size, text))
		return NULL;
	if (klog_classify(text, &match))
		return "e";
	if (boot_chart_is_landmark(text))
		return "k";
	return boot_chart_is_warning(text) ? "w" : NULL;
}

/* How much of a line is its times: "     1.234 " and "[    0.123456]". */
static size_t time_size(const uint8_t *line, size_t size)
{
	size_t at = 0, end;

	while (at < size && line[at] && strchr(" 0123456789.", line[at]))
		at++;
	if (at == size || line[at] != '[')
		return at && at < size && line[at - 1] == ' ' ? at : 0;
	for (end = at + 1; end < size && line[end] && strchr(" 0123456789.", line[end]); end++)
		;
	return end < size && line[end] == ']' ? end + 1 : 0;
}

static void put_line(FILE *out, const uint8_t *line, size_t size)
{
	size_t time = time_size(line, size);
	size_t blank = time && time < size && line[time] == ' ';
	const char *kind = kind_of_line(line + time + blank, size - time - blank);

	if (time) {
		fputs("<i>", out);
		html_bytes(out, line, time);
		fputs("</i>", out);
	}
	if (kind)
		fprintf(out, "<b class='%s'>", kind);
	html_bytes(out, line + time, size - time);
	fprintf(out, "%s\n", kind ? "</b>" : "");
}

static void put_log(FILE *out, const uint8_t *bytes, size_t size)
{
	while (size) {
		const uint8_t *end = memchr(bytes, '\n', size);
		size_t length = end ? (size_t)(end - bytes) : size;

		put_line(out, bytes, length);
		length += end != NULL;
		bytes += length;
		size -= length;
	}
}

/* At most the box's bytes; @ret_whole: how many the file has. -ENOENT: it is not there. */
static int read_end(const struct html_box *box, uint8_t **ret, size_t *ret_size,
		    uint64_t *ret_whole)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct stat stat;
	ssize_t size;

	if (snprintf(path, sizeof(path), "%s/%s", box->folder, box->name) >= (int)sizeof(path))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))
		return -ENOENT;
	bytes = malloc(box->most);
	if (!bytes)
		return -ENOMEM;
	*ret_whole = (uint64_t)stat.st_size;
	size = pread(fd, bytes, box->most, (off_t)(*ret_whole - min_u64(*ret_whole, box->most)));
	*ret_size = size > 0 ? (size_t)size : 0;
	*ret = steal_ptr(&bytes);
	return 0;
}

int html_box(FILE *out, const struct html_box *box)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size = 0;
	uint64_t whole = 0;
	int r = read_end(box, &bytes, &size, &whole);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!size)
		return 0;
	fprintf(out, "<details id='%s' class='box'%s>\n<summary>%s <a href='%s'>%s</a></summary>\n",
		box->name, box->closed ? "" : " open", box->title, box->name, box->name);
	if (whole > size)
		fprintf(out, "<p class='cut'>Cut: the last %" PRIu64 " KiB of %" PRIu64 ".</p>\n",
			(uint64_t)size / KIB, whole / KIB);
	fputs("<pre tabindex='0'>", out);
	/* A newline behind the tag is none of the text. */
	fputc('\n', out);
	if (box->log)
		put_log(out, bytes, size);
	else
		html_bytes(out, bytes, size);
	fputs("</pre>\n</details>\n", out);
	return 0;
}
