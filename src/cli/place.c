/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFINITION ".json"
#define STATUS     "exit-status"
#define LOCK       "lock"
#define API        "api"
#define CONSOLE    "console"
#define GDB        "gdb"

static int join(char **ret, struct error *err, const char *fmt, ...) PRINTF(3, 4);

static int join(char **ret, struct error *err, const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = vasprintf(ret, fmt, args);
	va_end(args);
	if (r >= 0)
		return 0;
	*ret = NULL;
	error_set_errno(err, ENOMEM, "a path");
	return -ENOMEM;
}

/* It is the name of a folder, and stands in command lines. */
int place_check_name(const char *name, struct error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t size = strlen(name);

	if (size && size <= PLACE_NAME_MAX && strspn(name, letters) == size && name[0] != '.' &&
	    name[0] != '-')
		return 0;
	return error_set(
		err, EINVAL,
		"'%.100s' is no name for a machine: letters, digits, '.', '_' and '-' are, "
		"up to %d, and a letter, digit or '_' first",
		name, PLACE_NAME_MAX);
}

/* The folder of all machines of this user, which may not be there yet. */
static int find_base(char **ret, struct error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char of_user[64];

	if (geteuid() == 0)
		return join(ret, err, "/run/armlet");
	snprintf(of_user, sizeof(of_user), "/run/user/%u", (unsigned)geteuid());
	if (!runtime || runtime[0] != '/')
		runtime = of_user;
	if (access(runtime, W_OK | X_OK) < 0) {
		int code = errno;

		error_set_errno(err, code,
				"%s, where machines with names live (XDG_RUNTIME_DIR may name "
				"another folder)",
				runtime);
		return code == ENOENT ? -ENOENT : -EACCES;
	}
	return join(ret, err, "%s/armlet", runtime);
}

/* It is there then, ours, and closed to others. */
static int make_folder(const char *path, struct error *err)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "%s", path);
	if (lstat(path, &st) < 0)
		return error_set_errno(err, errno, "%s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
		return error_set(err, EPERM,
				 "%s is not a folder that only you may enter; remove it, or "
				 "`chmod 700` it",
				 path);
	return 0;
}

/* Lock the file of @place, made if @flags say so. -EWOULDBLOCK: somebody has it. */
static int open_lock(struct place *place, int flags)
{
	char path[PATH_MAX];
	struct stat ours, there;

	snprintf(path, sizeof(path), "%s/" LOCK, place->folder);
	for (;;) {
		_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -errno;
		/* Who had it before may have removed it while we opened it. */
		if (fstat(fd, &ours) == 0 && lstat(path, &there) == 0 &&
		    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev) {
			place->lock = steal_fd(&fd);
			return 0;
		}
		if (!(flags & O_CREAT))
			return -ENOENT;
	}
}

/* The process that has the lock, as it has written; 0: it has not yet. */
static long owner(const struct place *place)
{
	char path[PATH_MAX], text[32] = "";
	_cleanup_close_ int fd = -EBADF;
	ssize_t size;

	snprintf(path, sizeof(path), "%s/" LOCK, place->folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	return size > 0 ? strtol(text, NULL, 10) : 0;
}

static int set_paths(const char *name, struct place *ret, struct error *err)
{
	int r = place_check_name(name, err);

	*ret = (struct place){.lock = -EBADF};
	if (r == 0)
		r = find_base(&ret->base, err);
	if (r == 0)
		r = join(&ret->folder, err, "%s/%s", ret->base, name);
	if (r == 0)
		r = join(&ret->api, err, "%s/" API, ret->folder);
	if (r == 0)
		r = join(&ret->console, err, "%s/" CONSOLE, ret->folder);
	if (r == 0)
		r = join(&ret->gdb, err, "%s/" GDB, ret->folder);
	if (r < 0)
		place_leave(ret);
	return r;
}

/*
 * Somebody who looks for dead machines may have the lock for a moment, or remove the
 * folder just now.
 */
static int take_lock(const char *name, struct place *place, struct error *err)
{
	const struct timespec moment = {.tv_nsec = 5000000};
	int r = -EWOULDBLOCK;

	for (int tries = 0; tries < 20 && (r == -EWOULDBLOCK || r == -ENOENT); tries++) {
		if (tries)
			nanosleep(&moment, NULL);
		r = make_folder(place->folder, err);
		if (r < 0)
			return r;
		r = open_lock(place, O_CREAT);
	}
	if (r == -EWOULDBLOCK)
		return error_set(err, EADDRINUSE,
				 "a machine '%s' runs already, as process %ld; `armlet stop %s` "
				 "ends it",
				 name, owner(place), name);
	return r < 0 ? error_set_errno(err, -r, "%s/" LOCK, place->folder) : 0;
}

int place_take(const char *name, struct place *ret, struct error *err)
{
	int r = set_paths(name, ret, err);

	if (r < 0)
		return r;
	r = make_folder(ret->base, err);
	if (r == 0)
		r = take_lock(name, ret, err);
	if (r == 0 &&
	    (ftruncate(ret->lock, 0) < 0 || dprintf(ret->lock, "%ld\n", (long)getpid()) < 0))
		r = error_set_errno(err, errno, "%s/" LOCK, ret->folder);
	if (r < 0)
		place_leave(ret);
	return r;
}

int place_point(const struct place *place, const char *path, struct error *err)
{
	_cleanup_free_ char *whole = realpath(path, NULL);

	if (whole && (unlink(place->api) == 0 || errno == ENOENT) &&
	    symlink(whole, place->api) == 0)
		return 0;
	return error_set_errno(err, errno, "%s", place->api);
}

int place_find(const char *name, struct place *ret, struct error *err)
{
	int r = set_paths(name, ret, err);

	if (r < 0)
		return r;
	r = open_lock(ret, 0);
	if (r == -EWOULDBLOCK)
		return 0;
	if (r < 0 && r != -ENOENT)
		error_set_errno(err, -r, "%s/" LOCK, ret->folder);
	else
		r = error_set(err, ENOENT, "no machine '%s' runs; `armlet ps` lists those that do",
			      name);
	place_leave(ret);
	return r;
}

void place_leave(struct place *place)
{
	char path[PATH_MAX];

	/* The lock is the last to go, and the lock that keeps others out is closed after it. */
	if (place->lock >= 0) {
		assert(place->api && place->console && place->gdb); /* they were there first */
		unlink(place->api);
		unlink(place->console);
		unlink(place->gdb);
		snprintf(path, sizeof(path), "%s/" LOCK, place->folder);
		unlink(path);
		rmdir(place->folder);
		place->lock = close_fd(place->lock);
	}
	free(place->base);
	free(place->folder);
	free(place->api);
	free(place->console);
	free(place->gdb);
	*place = (struct place){.lock = -EBADF};
}

/* A folder for all machines: root's, or the one that @variable names, or @usual in HOME. */
static int find_folder(const char *of_root, const char *variable, const char *usual, char **ret,
		       struct error *err)
{
	const char *set = getenv(variable);
	const char *home = getenv("HOME");

	if (geteuid() == 0)
		return join(ret, err, "%s/armlet", of_root);
	if (set && set[0] == '/')
		return join(ret, err, "%s/armlet", set);
	if (home && home[0] == '/')
		return join(ret, err, "%s/%s/armlet", home, usual);
	error_set(err, ENOENT, "neither HOME nor %s is set", variable);
	return -ENOENT;
}

/* Of what stays, and of definitions. */
static int find_state(char **ret, struct error *err)
{
	return find_folder("/var/log", "XDG_STATE_HOME", ".local/state", ret, err);
}

static int find_config(char **ret, struct error *err)
{
	return find_folder("/etc", "XDG_CONFIG_HOME", ".config", ret, err);
}

/* mkdir -p, for us alone. */
static int make_parents(char *path, struct error *err)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return error_set_errno(err, errno, "%s", path);
		*slash = '/';
	}
	return 0;
}

int place_state(const char *name, bool make, char **ret, struct error *err)
{
	_cleanup_free_ char *base = NULL;
	_cleanup_free_ char *folder = NULL;
	int r = place_check_name(name, err);

	if (r == 0)
		r = find_state(&base, err);
	if (r == 0)
		r = join(&folder, err, "%s/%s", base, name);
	if (r == 0 && make)
		r = make_parents(folder, err);
	if (r == 0 && make)
		r = make_folder(folder, err);
	else if (r == 0 && access(folder, F_OK) < 0)
		r = error_set(err, ENOENT, "nothing is kept of a machine '%s'", name);
	if (r == 0)
		*ret = steal_ptr(&folder);
	return r;
}

int place_forget(const char *name, struct error *err)
{
	static const char *const kept[] = {"console.log", "console.log.1", "messages.log", STATUS};
	_cleanup_free_ char *state = NULL;
	char path[PATH_MAX];
	int r = place_state(name, false, &state, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		snprintf(path, sizeof(path), "%s/%s", state, kept[i]);
		unlink(path);
	}
	return rmdir(state) < 0 ? error_set_errno(err, errno, "%s", state) : 0;
}

int place_definition(const char *name, bool make, char **ret, struct error *err)
{
	_cleanup_free_ char *base = NULL;
	_cleanup_free_ char *path = NULL;
	int r = place_check_name(name, err);

	if (r == 0)
		r = find_config(&base, err);
	if (r == 0)
		r = join(&path, err, "%s/%s" DEFINITION, base, name);
	if (r == 0 && make)
		r = make_parents(path, err);
	if (r == 0)
		*ret = steal_ptr(&path);
	return r;
}

void place_keep_status(const char *state, int status)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -EBADF;

	snprintf(path, sizeof(path), "%s/" STATUS, state);
	unlink(path);
	if (status < 0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* On a full disk nobody will know. */
	if (fd >= 0)
		dprintf(fd, "%d\n", status);
}

int place_last_status(const char *name, int *ret)
{
	_cleanup_free_ char *state = NULL;
	_cleanup_close_ int fd = -EBADF;
	char path[PATH_MAX], text[16] = "";

	if (place_state(name, false, &state, NULL) < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/" STATUS, state);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -ENOENT;
	*ret = (int)strtol(text, NULL, 10);
	return 0;
}

/* "NAME.json", with a name that one may have. */
static int is_definition(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name), end = strlen(DEFINITION);

	return entry->d_name[0] != '.' && size > end &&
	       !strcmp(entry->d_name + size - end, DEFINITION);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* As alphasort() in the C locale, which would bring all others. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The entries of a folder, which need not be there: their number, or -errno. */
static int list(const char *folder, int (*filter)(const struct dirent *entry), struct dirent ***ret,
		struct error *err)
{
	int count = scandir(folder, ret, filter, by_name);

	if (count >= 0)
		return count;
	*ret = NULL;
	return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s", folder);
}

int place_each_definition(void (*seen)(void *data, const char *name), void *data, struct error *err)
{
	_cleanup_free_ char *base = NULL;
	_cleanup_free_ struct dirent **entries = NULL;
	int count = find_config(&base, err);

	if (count == 0)
		count = list(base, is_definition, &entries, err);
	for (int i = 0; i < count; i++) {
		char *name = entries[i]->d_name;

		name[strlen(name) - strlen(DEFINITION)] = '\0';
		if (place_check_name(name, NULL) == 0)
			seen(data, name);
		free(entries[i]);
	}
	return count < 0 ? count : 0;
}

int place_each(void (*seen)(void *data, const char *name), void *data, struct error *err)
{
	_cleanup_free_ char *base = NULL;
	_cleanup_free_ struct dirent **entries = NULL;
	int count = find_base(&base, err);

	if (count == 0)
		count = list(base, is_visible, &entries, err);
	for (int i = 0; i < count; i++) {
		struct place place;

		if (place_find(entries[i]->d_name, &place, NULL) == 0) {
			seen(data, entries[i]->d_name);
			place_leave(&place);
		}
		free(entries[i]);
	}
	return count < 0 ? count : 0;
}
