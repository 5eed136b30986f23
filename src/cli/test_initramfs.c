/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest of `armlet test` boots into: the initramfs that was given, if any, and behind
 * it one that is made here, of armlet's init, what it is to do (trial/job.h), and the modules
 * that it needs for that. The kernel unpacks both (boot/cpio.h).
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "boot/cpio.h"
#include "test.h"
#include "trial/gunzip.h"
#include "trial/job.h"
#include "trial/modules.h"

#define MODULE_MAX       (64 * MIB)
#define ENVIRONMENT_MAX  (1 * MIB)
#define INITRAMFS_ALIGN  4 /* bytes: where an archive may begin */
#define DEFAULT_TERMINAL "vt100"

/* ---- The job ---------------------------------------------------------- */

static void put(FILE *job, const char *key, const char *value)
{
	fputs(key, job);
	fputs(value, job);
	fputc('\0', job);
}

static void put_number(FILE *job, const char *key, unsigned long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", number);
	put(job, key, text);
}

/* NAME=VALUE, or NAME with the value that it has here, if it has one. */
static int put_variable(FILE *job, const char *text, struct error *err)
{
	const char *value;

	if (!*text || *text == '=')
		return error_set(err, EINVAL, "--env '%s': write it as NAME=VALUE or NAME", text);
	if (strchr(text, '=')) {
		put(job, JOB_ENVIRONMENT, text);
		return 0;
	}
	value = getenv(text);
	if (value)
		fprintf(job, JOB_ENVIRONMENT "%s=%s%c", text, value, '\0');
	return 0;
}

static int put_environment_file(FILE *job, const char *path, struct error *err)
{
	_cleanup_free_ char *line = NULL;
	FILE *file = fopen(path, "re");
	size_t room = 0;
	ssize_t n;
	int r = 0;

	if (!file)
		return error_set_errno(err, errno, "--env-file %s", path);
	while (r == 0 && (n = getline(&line, &room, file)) >= 0) {
		if (n && line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (*line && *line != '#')
			r = put_variable(job, line, err);
	}
	if (r == 0 && ferror(file))
		r = error_set_errno(err, errno, "--env-file %s", path);
	fclose(file);
	return r;
}

/* What a program may expect; what is said by options comes behind it, and counts. */
static int put_environment(const struct test *test, FILE *job, struct error *err)
{
	const struct test_options *options = &test->options;
	const char *terminal = getenv("TERM");
	int r = 0;

	put(job, JOB_ENVIRONMENT, "PATH=" TEST_PATH);
	put(job, JOB_ENVIRONMENT, "HOME=/root");
	if (test->terminal)
		fprintf(job, JOB_ENVIRONMENT "TERM=%s%c", terminal ? terminal : DEFAULT_TERMINAL,
			'\0');
	if (options->environment_file)
		r = put_environment_file(job, options->environment_file, err);
	for (size_t i = 0; i < options->environment_count && r == 0; i++)
		r = put_variable(job, options->environment[i], err);
	return r;
}

/* Where the command begins, as the root has it; NULL: not in there. */
const char *test_map_directory(const struct test *test, char present[static PATH_MAX])
{
	char real[PATH_MAX];
	size_t length;

	if (test->options.directory)
		return test->options.directory;
	if ((!test->copies && !strchr(test->root_row, ':')) || !realpath(test->root_path, real) ||
	    !getcwd(present, PATH_MAX))
		return NULL;
	length = strlen(real);
	if (length == 1)
		return present;
	if (strncmp(present, real, length) != 0 || (present[length] && present[length] != '/'))
		return NULL;
	return present[length] ? present + length : "/";
}

static void put_words(const struct test *test, FILE *job)
{
	for (size_t i = 0; i < test->options.word_count; i++)
		put(job, JOB_WORD, test->options.words[i]);
	if (!test->options.word_count && test->terminal)
		put(job, JOB_WORD, "/bin/sh");
}

static int write_job(const struct test *test, const struct modules *modules, FILE *job,
		     struct error *err)
{
	char present[PATH_MAX], path[PATH_MAX];
	const char *directory = test_map_directory(test, present);
	uint16_t columns, rows;
	mode_t mask = umask(0);
	int r;

	umask(mask);
	for (size_t i = 0; i < modules->count; i++) {
		snprintf(path, sizeof(path), "/" JOB_MODULES "/%s",
			 strrchr(modules->files[i], '/') + 1);
		put(job, JOB_MODULE, path);
	}
	if (test->root_row[0])
		put(job, JOB_ROOT, test->root_row);
	if (test->options.writable)
		put(job, JOB_WRITABLE, "1");
	if (directory)
		put(job, JOB_DIRECTORY, directory);
	if (test->options.user)
		put(job, JOB_USER, test->options.user);
	put_number(job, JOB_MASK, mask);
	if (test->terminal)
		put(job, JOB_TERMINAL, "1");
	if (test->terminal && terminal_size(STDIN_FILENO, STDOUT_FILENO, &columns, &rows)) {
		put_number(job, JOB_COLUMNS, columns);
		put_number(job, JOB_ROWS, rows);
	}
	for (size_t i = 0; i < test->mount_count; i++)
		put(job, JOB_MOUNT, test->mounts[i]);
	r = put_environment(test, job, err);
	put_words(test, job);
	return r;
}

static int add_job(const struct test *test, const struct modules *modules, struct cpio *cpio,
		   struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *job = open_memstream(&text, &size);
	int r;

	if (!job)
		return error_set_errno(err, ENOMEM, "the initramfs");
	r = write_job(test, modules, job, err);
	if (fclose(job) != 0 && r == 0)
		r = error_set_errno(err, ENOMEM, "the initramfs");
	if (r < 0)
		return r;
	r = cpio_add_file(cpio, JOB_FILE, 0400, text, size);
	return r < 0 ? error_set_errno(err, -r, "the initramfs") : 0;
}

/* ---- Modules ---------------------------------------------------------- */

static int read_whole(const char *path, char **ret, size_t *ret_size, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	struct stat st;
	size_t size = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, errno, "module '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)MODULE_MAX)
		return error_set(err, EINVAL, "'%s' is no module of a kernel", path);
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return error_set_errno(err, ENOMEM, "module '%s'", path);
	while ((n = read(fd, bytes + size, (size_t)st.st_size - size)) > 0)
		size += (size_t)n;
	if (n < 0)
		return error_set_errno(err, errno, "module '%s'", path);
	*ret = steal_ptr(&bytes);
	*ret_size = size;
	return 0;
}

static int add_modules(const struct modules *modules, struct cpio *cpio, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < modules->count && r == 0; i++) {
		const char *name = strrchr(modules->files[i], '/');
		_cleanup_free_ char *bytes = NULL;
		char path[PATH_MAX], inside[PATH_MAX];
		size_t size = 0;

		if (!name)
			return error_set(err, EINVAL, "'%s' is no module's file",
					 modules->files[i]);
		snprintf(path, sizeof(path), "%s/%s", modules->folder, modules->files[i]);
		snprintf(inside, sizeof(inside), JOB_MODULES "%s", name);
		r = read_whole(path, &bytes, &size, err);
		if (r < 0)
			return r;
		r = cpio_add_file(cpio, inside, 0400, bytes, size);
		if (r < 0)
			return error_set_errno(err, -r, "module '%s'", path);
	}
	return r;
}

/* ---- All of it -------------------------------------------------------- */

static int write_whole(int fd, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)bytes + done, size - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The archive that was given, in front: ours may then name files in its folders. */
static int copy_given(int fd, const char *path, struct error *err)
{
	static const char zeroes[INITRAMFS_ALIGN];
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *piece = malloc(MIB);
	size_t size = 0;
	ssize_t n;
	int r = 0;

	if (from < 0)
		return error_set_errno(err, errno, "initrd '%s'", path);
	if (!piece)
		return error_set_errno(err, ENOMEM, "initrd '%s'", path);
	while (r == 0 && (n = read(from, piece, MIB)) > 0) {
		r = write_whole(fd, piece, (size_t)n);
		size += (size_t)n;
	}
	if (r == 0 && n < 0)
		r = -errno;
	if (r == 0)
		r = write_whole(fd, zeroes, -size % INITRAMFS_ALIGN);
	return r < 0 ? error_set_errno(err, -r, "initrd '%s'", path) : 0;
}

static int store(struct test *test, struct cpio *cpio, struct error *err)
{
	struct machine_config *config = &test->run.options.machine;
	const void *bytes;
	size_t size;
	int r = cpio_finish(cpio, &bytes, &size);

	if (r < 0)
		return error_set_errno(err, -r, "the initramfs");
	test->initrd_fd = memfd_create("initramfs", MFD_CLOEXEC);
	if (test->initrd_fd < 0)
		return error_set_errno(err, errno, "the initramfs");
	r = config->initrd ? copy_given(test->initrd_fd, config->initrd, err) : 0;
	if (r < 0)
		return r;
	r = write_whole(test->initrd_fd, bytes, size);
	if (r < 0)
		return error_set_errno(err, -r, "the initramfs");
	snprintf(test->initrd, sizeof(test->initrd), "/proc/self/fd/%d", test->initrd_fd);
	config->initrd = test->initrd;
	return 0;
}

static int fill(struct test *test, struct modules *modules, struct cpio *cpio, struct error *err)
{
	_cleanup_free_ char *init = NULL;
	size_t size = 0;
	int r = test_need_modules(test, modules, err);

	/* First, as what comes later counts. */
	if (r == 0 && test->copies)
		r = test_copy_root(test, cpio, err);
	if (r == 0)
		r = add_modules(modules, cpio, err);
	if (r == 0)
		r = add_job(test, modules, cpio, err);
	if (r < 0)
		return r;
	r = gunzip(init_program, init_program_size, MIB, &init, &size);
	if (r == 0)
		r = cpio_add_file(cpio, JOB_INIT, 0500, init, size);
	/* Before there is a file system of devices, the kernel opens this for its first program. */
	if (r == 0)
		r = cpio_add_device(cpio, "dev/console", 0600, 5, 1);
	return r < 0 ? error_set_errno(err, -r, "the initramfs") : 0;
}

/* Quiet, as each line costs; what is given comes behind, and so counts. */
static int make_command_line(struct test *test, struct error *err)
{
	struct machine_config *config = &test->run.options.machine;
	const char *loud = test->options.verbose ? "earlycon ignore_loglevel" : "quiet";
	const char *what =
		test->options.kunit ? "kunit.enable=1 kunit_shutdown=reboot" : "rdinit=/" JOB_INIT;

	/* The results are lines of the log. */
	if (test->options.kunit && !test->options.verbose)
		loud = "loglevel=7";
	if (asprintf(&test->append, "console=ttyAMA0 %s panic=0 %s%s%s", loud, what,
		     config->append ? " " : "", config->append ? config->append : "") < 0) {
		test->append = NULL;
		return error_set_errno(err, ENOMEM, "--append");
	}
	config->append = test->append;
	return 0;
}

int test_build_initramfs(struct test *test, struct error *err)
{
	_cleanup_(modules_finish) struct modules modules = {0};
	struct cpio *cpio;
	int r = make_command_line(test, err);

	if (r < 0 || test->options.kunit)
		return r;
	r = cpio_create(&cpio);
	if (r < 0)
		return error_set_errno(err, -r, "the initramfs");
	r = fill(test, &modules, cpio, err);
	if (r == 0)
		r = store(test, cpio, err);
	cpio_destroy(cpio);
	return r;
}
