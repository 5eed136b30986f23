/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/modules.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LIST     "modules.dep"
#define LIST_MAX (64 * MIB)
#define KERNEL   "vmlinuz-" /* how distributions call it, before its version */

/* ---- Where they are --------------------------------------------------- */

static bool has_list(const char *folder)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/" LIST, folder) < (int)sizeof(path) &&
	       access(path, R_OK) == 0;
}

/* The only folder of modules in @parent; two would be a guess. */
static char *find_only(const char *parent)
{
	DIR *dir = opendir(parent);
	char *found = NULL, *path = NULL;
	struct dirent *entry;
	unsigned count = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&path, "%s/%s", parent, entry->d_name) < 0)
			break;
		if (has_list(path) && !count++)
			found = steal_ptr(&path);
		free(path);
		path = NULL;
	}
	if (dir)
		closedir(dir);
	if (count > 1) {
		free(found);
		found = NULL;
	}
	return found;
}

/* The folder of @version in @folder, or its only one, if that has modules. */
static char *find_in(const char *folder, const char *version)
{
	char *path = NULL;

	if (!version)
		return find_only(folder);
	if (asprintf(&path, "%s/%s", folder, version) < 0)
		return NULL;
	if (has_list(path))
		return path;
	free(path);
	return NULL;
}

static char *find_beside(const char *kernel)
{
	static const char *const places[] = {"/lib/modules", "/../lib/modules"};
	char real[PATH_MAX], parent[PATH_MAX + 32];
	const char *name, *version = NULL;
	char *found = NULL;

	if (!realpath(kernel, real))
		return NULL;
	name = strrchr(real, '/') + 1;
	if (!strncmp(name, KERNEL, strlen(KERNEL)))
		version = name + strlen(KERNEL);
	for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++) {
		/* Only beside it one without a version is surely its own. */
		if (i && !version)
			break;
		snprintf(parent, sizeof(parent), "%.*s%s", (int)(name - 1 - real), real, places[i]);
		found = find_in(parent, version);
	}
	if (!found && version)
		found = find_in("/lib/modules", version);
	return found;
}

/* ---- What they need --------------------------------------------------- */

static int read_list(struct modules *modules, struct error *err)
{
	char path[PATH_MAX + sizeof(LIST)];
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/" LIST, modules->folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, errno, "'%s'", path);
	if (st.st_size > (off_t)LIST_MAX)
		return error_set(err, EFBIG, "'%s' is too large for a list of modules", path);
	modules->text = malloc((size_t)st.st_size + 1);
	if (!modules->text)
		return error_set_errno(err, ENOMEM, "'%s'", path);
	while ((n = read(fd, modules->text + modules->size, (size_t)st.st_size - modules->size)) >
	       0)
		modules->size += (size_t)n;
	if (n < 0)
		return error_set_errno(err, errno, "'%s'", path);
	modules->text[modules->size] = '\0';
	/* As a crash leaves what was not yet on the disk. */
	if (strlen(modules->text) != modules->size)
		return error_set(err, EINVAL,
				 "'%s' is damaged, it has NUL bytes; let depmod write it anew",
				 path);
	return 0;
}

int modules_find(const char *kernel, const char *folder, struct modules *ret, struct error *err)
{
	*ret = (struct modules){0};
	if (folder && !has_list(folder))
		return error_set(err, ENOENT,
				 "'%s' has no " LIST
				 "; give the folder that depmod writes it to, as "
				 "DIR/lib/modules/VERSION",
				 folder);
	ret->folder = folder ? strdup(folder) : find_beside(kernel);
	if (!ret->folder)
		return 0;
	return read_list(ret, err);
}

/* A dash in a name is an underscore, as it is for modprobe(8). */
static char plain(char c)
{
	return c == '-' ? '_' : c;
}

/* Whether the file at @path, @size long, is module @name: "kernel/fs/9p/9p.ko.xz" is 9p. */
static bool is_module(const char *path, size_t size, const char *name)
{
	const char *slash = memrchr(path, '/', size);
	const char *base = slash ? slash + 1 : path;
	size_t left = size - (size_t)(base - path), i;

	for (i = 0; i < left && name[i]; i++) {
		if (plain(base[i]) != plain(name[i]))
			return false;
	}
	return !name[i] && left - i >= 3 && !memcmp(base + i, ".ko", 3);
}

static int add(struct modules *modules, const char *path, size_t size, struct error *err)
{
	for (size_t i = 0; i < modules->count; i++) {
		if (strlen(modules->files[i]) == size && !memcmp(modules->files[i], path, size))
			return 0;
	}
	if (modules->count == MODULES_LOADED_MAX)
		return error_set(err, E2BIG, "'%s/" LIST "' asks for more than %d modules",
				 modules->folder, MODULES_LOADED_MAX);
	modules->files[modules->count] = strndup(path, size);
	if (!modules->files[modules->count])
		return error_set_errno(err, ENOMEM, "modules");
	modules->count++;
	return 0;
}

/* What is behind the colon, from the last: that one needs none of those before it. */
static int add_needs(struct modules *modules, const char *begin, const char *end, struct error *err)
{
	int r = 0;

	while (r == 0 && end > begin) {
		const char *word = end;

		while (word > begin && word[-1] != ' ')
			word--;
		if (word < end)
			r = add(modules, word, (size_t)(end - word), err);
		end = word > begin ? word - 1 : begin;
	}
	return r;
}

int modules_need(struct modules *modules, const char *name, struct error *err)
{
	const char *end, *line, *next;
	int r;

	if (!modules->text)
		return 0;
	end = modules->text + modules->size;
	for (line = modules->text; line < end; line = next + 1) {
		const char *colon;

		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : end;
		colon = memchr(line, ':', (size_t)(next - line));
		if (!colon || !is_module(line, (size_t)(colon - line), name))
			continue;
		r = add_needs(modules, colon + 1, next, err);
		return r < 0 ? r : add(modules, line, (size_t)(colon - line), err);
	}
	return 0;
}

void modules_finish(struct modules *modules)
{
	for (size_t i = 0; i < modules->count; i++)
		free(modules->files[i]);
	free(modules->folder);
	free(modules->text);
	*modules = (struct modules){0};
}
