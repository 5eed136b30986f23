/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/root_copy.h"

#include <ctype.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "root_copy_private.h"
#include "trial/elf_needs.h"

#define TEXT_DEPTH 2          /* texts of texts are looked through, and no more */
#define TEXT_MOST  (64 * KIB) /* of each */
#define NAMES_MAX  4096
#define WORDS_MAX  50000 /* of all texts: each is looked for in all folders of PATH */
/* ld.so(8): its default path, as distributions of arm64 have it. */
#define LIBRARIES                                                              \
	"/lib/aarch64-linux-gnu:/usr/lib/aarch64-linux-gnu:/lib64:/usr/lib64:" \
	"/lib:/usr/lib"

/* ---- Files of the root ------------------------------------------------ */

int root_open(const struct root_copy *copy, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, copy->root, path, &how, sizeof(how));
}

static bool is_regular(int fd, struct stat *st)
{
	return fstat(fd, st) == 0 && S_ISREG(st->st_mode);
}

int root_read(struct root_copy *copy, int fd, char **ret, size_t *ret_size)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0;
	struct stat st;
	ssize_t n = 0;

	if (!is_regular(fd, &st))
		return -EIO;
	if (!copy->files_left || (uint64_t)st.st_size > copy->left)
		return -EFBIG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (size < (size_t)st.st_size &&
	       (n = read(fd, bytes + size, (size_t)st.st_size - size)) > 0)
		size += (size_t)n;
	if (n < 0)
		return -EIO;
	bytes[size] = '\0';
	copy->left -= size;
	copy->files_left--;
	copy->report->files++;
	copy->report->bytes += size;
	*ret_size = size;
	*ret = steal_ptr(&bytes);
	return 0;
}

/* ---- Names ------------------------------------------------------------ */

/* @path without what is of no meaning in a name, nor a slash in front; false: it is too long. */
static bool clean(const char *path, char ret[static PATH_MAX])
{
	size_t size = 0;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && !strncmp(path, "..", 2)) {
			do
				size -= size > 0;
			while (size && ret[size] != '/');
		} else if (length && !(length == 1 && *path == '.')) {
			if (size + length + 2 > PATH_MAX)
				return false;
			if (size)
				ret[size++] = '/';
			memcpy(ret + size, path, length);
			size += length;
		}
		path += length + (path[length] == '/');
	}
	ret[size] = '\0';
	return size > 0;
}

bool root_knows(const struct root_copy *copy, const char *path)
{
	for (size_t i = 0; i < copy->count; i++) {
		if (!strcmp(copy->names[i].path, path))
			return true;
	}
	return false;
}

static int remember(struct root_copy *copy, const char *path, unsigned depth, bool is_link)
{
	if (copy->count == copy->room) {
		size_t room = 2 * copy->room + 64;
		struct root_name *names = reallocarray(copy->names, room, sizeof(*names));

		if (!names)
			return -ENOMEM;
		copy->names = names;
		copy->room = room;
	}
	copy->names[copy->count] =
		(struct root_name){.path = strdup(path), .depth = depth, .is_link = is_link};
	return copy->names[copy->count].path ? (copy->count++, 0) : -ENOMEM;
}

/* Where @fd really is in the root; false: that cannot be told. */
static bool find_real(const struct root_copy *copy, int fd, char ret[static PATH_MAX])
{
	size_t length = strlen(copy->real);
	char link[32], target[PATH_MAX];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, target, sizeof(target) - 1);
	if (size < 0)
		return false;
	target[size] = '\0';
	return !strncmp(target, copy->real, length) && target[length] == '/' &&
	       clean(target + length, ret);
}

/*
 * The file at @path is to be there. 1: it is; 0: there is none, or, as @executable, no such one.
 * A link on the way to it becomes one from its name to where it really is.
 */
static int want(struct root_copy *copy, const char *path, unsigned depth, bool executable)
{
	char name[PATH_MAX], real[PATH_MAX], target[PATH_MAX + 1];
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	if (!clean(path, name))
		return 0;
	if (root_knows(copy, name))
		return 1;
	/* Of what is a device, say, nothing happens by that. */
	fd = root_open(copy, name, O_PATH);
	if (fd < 0 || !is_regular(fd, &st) || (executable && !(st.st_mode & 0111)))
		return 0;
	if (copy->count >= NAMES_MAX) {
		copy->report->left_out++;
		return 1;
	}
	if (!find_real(copy, fd, real) || !strcmp(name, real)) {
		r = remember(copy, name, depth, false);
		return r < 0 ? r : 1;
	}
	snprintf(target, sizeof(target), "/%s", real);
	r = cpio_add_link(copy->cpio, name, target);
	if (r == 0)
		r = remember(copy, name, depth, true);
	if (r == 0 && !root_knows(copy, real))
		r = remember(copy, real, depth, false);
	return r < 0 ? r : 1;
}

/* The first @name in the folders of @list, which have colons between them; as want(). */
static int want_in(struct root_copy *copy, const char *list, const char *name, unsigned depth,
		   bool executable)
{
	int r = 0;

	while (r == 0) {
		size_t length = strcspn(list, ":");
		char path[PATH_MAX];

		if (*list == '/' &&
		    snprintf(path, sizeof(path), "%.*s/%s", (int)length, list, name) < PATH_MAX)
			r = want(copy, path, depth, executable);
		if (!list[length])
			return r;
		list += length + 1;
	}
	return r;
}

/* What a command or text calls @word: a program, or with a slash any file. */
static int want_word(struct root_copy *copy, const char *word, unsigned depth)
{
	const char *begin = copy->request->begin ? copy->request->begin : "";
	char path[PATH_MAX];

	if (!*word || *word == '-')
		return 0;
	if (!strchr(word, '/'))
		return want_in(copy, copy->request->path, word, depth, true);
	if (*word == '/')
		return want(copy, word, depth, false);
	if (snprintf(path, sizeof(path), "%s/%s", begin, word) >= PATH_MAX)
		return 0;
	return want(copy, path, depth, false);
}

/* What is called in @text, as far as its first part goes: any word may be a program's. */
static int want_words(struct root_copy *copy, const char *text, unsigned depth)
{
	const char *end = text + strnlen(text, TEXT_MOST);
	char word[NAME_MAX + 1];
	int r = 0;

	while (text < end && r >= 0) {
		size_t size = 0;

		while (text + size < end &&
		       (isalnum((unsigned char)text[size]) || strchr("_./+-", text[size])))
			size++;
		if (size && size < sizeof(word) && copy->words_left) {
			copy->words_left--;
			memcpy(word, text, size);
			word[size] = '\0';
			r = want_word(copy, word, depth);
		}
		text += size + 1;
	}
	return r < 0 ? r : 0;
}

/* ---- What files need -------------------------------------------------- */

/* "#!INTERPRETER ...": whatever comes behind is looked at as the text that it is. */
static int want_interpreter(struct root_copy *copy, const char *text, unsigned depth)
{
	char path[PATH_MAX];
	size_t length;

	text += strspn(text, " \t");
	length = strcspn(text, " \t\n");
	if (!length || length >= sizeof(path))
		return 0;
	memcpy(path, text, length);
	path[length] = '\0';
	return want(copy, path, depth, false);
}

/* @mode is the file's; what is no text is looked at no further. */
static int want_of_text(struct root_copy *copy, const struct root_name *name, const char *text,
			size_t size, mode_t mode)
{
	unsigned depth = name->depth;
	int r = 0;

	if (!strncmp(text, "#!", 2))
		r = want_interpreter(copy, text + 2, depth);
	else if (memchr(text, '\0', min_u64(size, TEXT_MOST)))
		return 0;
	else if (mode & 0111)
		r = want(copy, "/bin/sh", depth, true);
	return r < 0 || depth >= TEXT_DEPTH ? r : want_words(copy, text, depth + 1);
}

/* @list with the folder of @of for $ORIGIN; false: too long. ld.so(8), "Dynamic string tokens". */
static bool expand(const char *list, const char *of, char ret[static PATH_MAX])
{
	static const char *const origins[] = {"$ORIGIN", "${ORIGIN}"};
	const char *slash = strrchr(of, '/');
	size_t size = 0;

	while (*list && size < PATH_MAX - 1) {
		const char *origin = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
			if (!strncmp(list, origins[i], strlen(origins[i])))
				origin = origins[i];
		}
		if (!origin) {
			ret[size++] = *list++;
			continue;
		}
		size += (size_t)snprintf(ret + size, PATH_MAX - size, "/%.*s",
					 slash ? (int)(slash - of) : 0, of);
		list += strlen(origin);
	}
	if (size >= PATH_MAX)
		return false;
	ret[size] = '\0';
	return !*list;
}

static int want_library(struct root_copy *copy, const struct root_name *of,
			const struct elf_needs *needs, const char *library)
{
	char list[PATH_MAX];
	int r = 0;

	if (strchr(library, '/'))
		r = want_word(copy, library, of->depth);
	else if (needs->path && expand(needs->path, of->path, list))
		r = want_in(copy, list, library, of->depth, false);
	if (r == 0 && !strchr(library, '/'))
		r = want_in(copy, LIBRARIES, library, of->depth, false);
	if (r == 0 && !of->depth && !copy->report->missing[0])
		snprintf(copy->report->missing, sizeof(copy->report->missing),
			 "the library '%.200s', which '/%.200s' needs, is not found in the root, "
			 "nor where that says",
			 library, of->path);
	return r;
}

static int want_of_elf(struct root_copy *copy, const struct root_name *name,
		       const struct elf_needs *needs)
{
	int r = needs->interpreter ? want(copy, needs->interpreter, name->depth, false) : 0;

	for (size_t i = 0; i < needs->count && r >= 0; i++)
		r = want_library(copy, name, needs, needs->libraries[i]);
	return r;
}

/* Its bytes into the archive, and what it needs among the names. */
static int copy_file(struct root_copy *copy, const struct root_name *name)
{
	_cleanup_close_ int fd = root_open(copy, name->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *bytes = NULL;
	struct elf_needs needs;
	struct stat st = {0};
	size_t size = 0;
	int r;

	r = fd < 0 ? -EIO : root_read(copy, fd, &bytes, &size);
	if (r == -EIO || r == -EFBIG || (r == 0 && fstat(fd, &st) < 0)) {
		copy->report->left_out++;
		return 0;
	}
	if (r == 0)
		r = cpio_add_file(copy->cpio, name->path, st.st_mode & 07777, bytes, size);
	if (r < 0)
		return r;
	r = elf_needs_read(bytes, size, &needs);
	if (r == -ENOEXEC)
		return want_of_text(copy, name, bytes, size, st.st_mode);
	return r < 0 ? 0 : want_of_elf(copy, name, &needs);
}

/* ---- All of it -------------------------------------------------------- */

/* Those that what is added needs come behind it, and so have their turn. */
static int copy_names(struct root_copy *copy)
{
	int r = 0;

	for (size_t i = 0; i < copy->count && r >= 0; i++) {
		/* A copy, as they move. */
		const struct root_name name = copy->names[i];

		if (!name.is_link)
			r = copy_file(copy, &name);
	}
	return r;
}

/* What every root has, and some programs look into. */
static int copy_basics(struct root_copy *copy)
{
	int r = cpio_add_folder(copy->cpio, "tmp", 01777);

	if (r == 0)
		r = cpio_add_folder(copy->cpio, "root", 0700);
	if (r == 0)
		r = want(copy, "/etc/passwd", TEXT_DEPTH, false);
	return r < 0 ? r : want(copy, "/etc/group", TEXT_DEPTH, false);
}

static int copy_all(struct root_copy *copy)
{
	const struct root_copy_request *request = copy->request;
	char begin[PATH_MAX];
	int r = copy_basics(copy);

	for (size_t i = 0; i < request->word_count && r >= 0; i++) {
		r = want_word(copy, request->words[i], 0);
		/* The whole word may be one, or a script for a shell. */
		if (r == 0)
			r = want_words(copy, request->words[i], 1);
	}
	if (r >= 0)
		r = copy_names(copy);
	if (r < 0 || !request->begin || !clean(request->begin, begin))
		return r;
	copy->left = min_u64(copy->left, request->most / 2);
	copy->files_left = ROOT_COPY_FILES;
	return root_copy_folder(copy, begin);
}

int root_copy(const struct root_copy_request *request, struct cpio *cpio,
	      struct root_copy_report *ret, struct error *err)
{
	struct root_copy copy = {.request = request,
				 .report = ret,
				 .cpio = cpio,
				 .root = -1,
				 .real = realpath(request->root, NULL),
				 .left = request->most,
				 .files_left = ROOT_COPY_FILES,
				 .words_left = WORDS_MAX};
	int r;

	*ret = (struct root_copy_report){0};
	if (copy.real)
		copy.root = open(copy.real, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (copy.root < 0) {
		r = -errno;
	} else {
		if (!strcmp(copy.real, "/"))
			copy.real[0] = '\0';
		r = copy_all(&copy);
	}
	close_fd(copy.root);
	free(copy.real);
	while (copy.count)
		free(copy.names[--copy.count].path);
	free(copy.names);
	return r < 0 ? error_set_errno(err, -r, "'%s' cannot be copied", request->root) : 0;
}
