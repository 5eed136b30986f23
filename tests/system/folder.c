/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder DIRECTORY [CHECK...] - whether a folder is as POSIX has it, where a shell
 * cannot tell: all checks but those named. Each is a line "ok NAME" or "not ok NAME:
 * WHY". It leaves nothing behind.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE_SIZE (1024 * 1024 + 77)
#define FAR_AWAY   ((off_t)5 << 30)
#define ENTRIES    100
#define NAME_WIDTH 200             /* of an entry: all of them do not fit into one message */
#define FOLDER     "folder.checks" /* where the checks are made */

static const char *checked;
static unsigned faults;

/* A check goes on after its first fault, but is one line. */
static __attribute__((format(printf, 1, 2))) void fault(const char *format, ...)
{
	va_list ap;

	if (faults++)
		return;
	printf("not ok %s: ", checked);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

#define MUST(condition)                                                                          \
	do {                                                                                     \
		if (!(condition))                                                                \
			fault("line %d: %s (errno: %s)", __LINE__, #condition, strerror(errno)); \
	} while (0)

/* @call fails, and with @code. */
#define MUST_FAIL(call, code) MUST((errno = 0, (call) < 0) && errno == (code))

static int make(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	MUST(fd >= 0);
	MUST(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static void put(const char *name, const char *text)
{
	close(make(name, text));
}

/* The one that is called file, which most checks are made with. */
static void end_file(int fd)
{
	close(fd);
	MUST(unlink("file") == 0);
}

/* All that @fd has is @text. */
static bool holds(int fd, const char *text)
{
	char data[256];
	ssize_t size = pread(fd, data, sizeof(data), 0);

	return size == (ssize_t)strlen(text) && !memcmp(data, text, (size_t)size);
}

static bool file_holds(const char *name, const char *text)
{
	int fd = open(name, O_RDONLY);
	bool does = fd >= 0 && holds(fd, text);

	close(fd);
	return does;
}

static struct stat status_of(const char *name)
{
	struct stat status = {0};

	MUST(lstat(name, &status) == 0);
	return status;
}

/* Names and what they lead to */

static void check_names(void)
{
	char name[257];

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	MUST_FAIL(open(name, O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
	name[255] = '\0';
	put(name, "long");
	MUST(file_holds(name, "long"));
	MUST_FAIL(open(name, O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	MUST_FAIL(open(name, O_DIRECTORY | O_RDONLY), ENOTDIR);
	MUST(unlink(name) == 0);
	MUST_FAIL(open(name, O_RDONLY), ENOENT);
	put("sp ace\n\\\xc3\xa4\xff", "odd");
	MUST(file_holds("sp ace\n\\\xc3\xa4\xff", "odd"));
	MUST(unlink("sp ace\n\\\xc3\xa4\xff") == 0);
}

static void check_folders(void)
{
	MUST(mkdir("one", 0700) == 0);
	MUST(mkdir("one/two", 0755) == 0);
	put("one/two/file", "deep");
	MUST_FAIL(mkdir("one", 0700), EEXIST);
	MUST_FAIL(rmdir("one"), ENOTEMPTY);
	MUST_FAIL(unlink("one"), EISDIR);
	MUST_FAIL(rename("one", "one/two/three"), EINVAL);
	MUST(rename("one", "moved") == 0);
	MUST(file_holds("moved/two/file", "deep"));
	MUST(rename("moved/two/file", "moved/file") == 0 && rmdir("moved/two") == 0);
	MUST(unlink("moved/file") == 0 && rmdir("moved") == 0);
}

static void check_inode(void)
{
	ino_t own;

	put("file", "the same");
	own = status_of("file").st_ino;
	MUST(rename("file", "renamed") == 0);
	MUST(own != 0 && status_of("renamed").st_ino == own);
	MUST(rename("renamed", "file") == 0 && chmod("file", 0600) == 0);
	put("file", "something else");
	MUST(status_of("file").st_ino == own && status_of("file").st_size == 14);
	MUST(unlink("file") == 0);
}

static void check_links(void)
{
	struct stat first, second;

	put("first", "linked");
	MUST(link("first", "second") == 0);
	first = status_of("first");
	second = status_of("second");
	MUST(first.st_ino == second.st_ino && first.st_nlink == 2 && second.st_nlink == 2);
	put("second", "both");
	MUST(file_holds("first", "both"));
	MUST_FAIL(link("first", "second"), EEXIST);
	MUST(unlink("first") == 0);
	MUST(status_of("second").st_nlink == 1);
	MUST(file_holds("second", "both"));
	MUST(unlink("second") == 0);
}

static void check_symlinks(void)
{
	char target[64];

	put("target", "found");
	MUST(symlink("target", "link") == 0);
	MUST(S_ISLNK(status_of("link").st_mode) && status_of("link").st_size == 6);
	MUST(readlink("link", target, sizeof(target)) == 6 && !memcmp(target, "target", 6));
	MUST(file_holds("link", "found"));
	MUST_FAIL(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	put("link", "through it");
	MUST(file_holds("target", "through it"));
	MUST(unlink("target") == 0);
	MUST_FAIL(open("link", O_RDONLY), ENOENT);
	MUST(unlink("link") == 0 && symlink("link", "link") == 0);
	MUST_FAIL(open("link", O_RDONLY), ELOOP);
	MUST(unlink("link") == 0);
}

static void name_entry(char ret[static 256], int number)
{
	snprintf(ret, 256, "entry%0*d", NAME_WIDTH, number);
}

static int number_in(const char *name)
{
	int number;

	return sscanf(name, "entry%d", &number) == 1 && number < ENTRIES ? number : -1;
}

/* Once each. */
static void read_all(DIR *directory)
{
	unsigned char seen[ENTRIES] = {0};
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(directory))) {
		int number = number_in(entry->d_name);

		if (number >= 0)
			count += !seen[number]++;
		MUST(number < 0 || seen[number] == 1);
		MUST(entry->d_type == DT_DIR || entry->d_type == DT_REG ||
		     entry->d_type == DT_UNKNOWN);
	}
	MUST(count == ENTRIES);
}

static void check_readdir(void)
{
	char name[256], after[256] = "";
	struct dirent *entry;
	DIR *directory;
	long place;

	MUST(mkdir("many", 0755) == 0 && chdir("many") == 0);
	for (int i = 0; i < ENTRIES; i++) {
		name_entry(name, i);
		MUST(mknod(name, S_IFREG | 0644, 0) == 0);
	}
	directory = opendir(".");
	MUST(directory);
	read_all(directory);
	rewinddir(directory);
	for (int i = 0; i < ENTRIES / 2; i++)
		MUST(readdir(directory));
	place = telldir(directory);
	entry = readdir(directory);
	if (entry)
		snprintf(after, sizeof(after), "%s", entry->d_name);
	rewinddir(directory);
	read_all(directory);
	seekdir(directory, place);
	entry = readdir(directory);
	MUST(entry && !strcmp(entry->d_name, after));
	closedir(directory);
	for (int i = 0; i < ENTRIES; i++) {
		name_entry(name, i);
		MUST(unlink(name) == 0);
	}
	MUST(chdir("..") == 0 && rmdir("many") == 0);
}

static void check_special(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int pipe_fd;

	MUST(mkfifo("fifo", 0600) == 0);
	MUST(S_ISFIFO(status_of("fifo").st_mode));
	pipe_fd = open("fifo", O_RDWR);
	MUST(write(pipe_fd, "x", 1) == 1);
	close(pipe_fd);
	MUST(unlink("fifo") == 0);
	MUST(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	MUST(S_ISSOCK(status_of("socket").st_mode));
	MUST(unlink("socket") == 0);
	close(fd);
}

/* Files that are open */

static void check_rename_over(void)
{
	int fd = make("file", "old");
	ino_t other;

	put("new", "new");
	other = status_of("new").st_ino;
	MUST(rename("new", "file") == 0);
	MUST(holds(fd, "old"));
	MUST(file_holds("file", "new"));
	MUST(status_of("file").st_ino == other);
	MUST(pwrite(fd, "more", 4, 0) == 4);
	MUST(file_holds("file", "new"));
	end_file(fd);
}

static void check_unlink_open(void)
{
	int fd;

	MUST(mkdir("gone", 0755) == 0);
	fd = make("gone/file", "still here");
	MUST(unlink("gone/file") == 0);
	MUST_FAIL(access("gone/file", F_OK), ENOENT);
	MUST(holds(fd, "still here"));
	MUST(pwrite(fd, "still THERE", 11, 0) == 11);
	MUST(holds(fd, "still THERE"));
	MUST(rmdir("gone") == 0);
	close(fd);
}

static void check_unlink_status(void)
{
	struct stat status = {0};
	int fd = make("file", "still here");

	MUST(unlink("file") == 0);
	MUST(fstat(fd, &status) == 0 && status.st_nlink == 0 && status.st_size == 10);
	MUST(ftruncate(fd, 5) == 0);
	MUST(holds(fd, "still"));
	close(fd);
}

/* The name of a file that is open becomes another's, and the file has another name. */
static void check_rename_open(void)
{
	struct stat status = {0};
	int fd = make("file", "the first");
	ino_t own = status_of("file").st_ino;

	MUST(rename("file", "away") == 0);
	put("file", "another, longer");
	MUST(holds(fd, "the first"));
	MUST(fstat(fd, &status) == 0 && status.st_ino == own && status.st_size == 9);
	MUST(fchmod(fd, 0600) == 0);
	MUST((status_of("away").st_mode & 07777) == 0600);
	MUST((status_of("file").st_mode & 07777) == 0644);
	MUST(pwrite(fd, "THE", 3, 0) == 3);
	MUST(file_holds("away", "THE first") && file_holds("file", "another, longer"));
	close(fd);
	MUST(unlink("file") == 0 && unlink("away") == 0);
}

static void check_rename_truncate(void)
{
	int fd = make("file", "the first");

	MUST(rename("file", "away") == 0);
	put("file", "another, longer");
	MUST(ftruncate(fd, 3) == 0);
	MUST(file_holds("away", "the") && file_holds("file", "another, longer"));
	close(fd);
	MUST(unlink("file") == 0 && unlink("away") == 0);
}

static void check_append(void)
{
	int first = open("file", O_RDWR | O_CREAT | O_APPEND, 0644);
	int second = open("file", O_WRONLY | O_APPEND);

	for (int i = 0; i < 3; i++) {
		MUST(write(first, "ab", 2) == 2);
		MUST(lseek(second, 0, SEEK_SET) == 0);
		MUST(write(second, "cde", 3) == 3);
	}
	MUST(holds(first, "abcdeabcdeabcde"));
	close(first);
	close(second);
	MUST(unlink("file") == 0);
}

static void check_truncate(void)
{
	struct stat status = {0};
	char data[16];
	int fd = make("file", "0123456789");

	MUST(ftruncate(fd, 4) == 0);
	MUST(ftruncate(fd, 8) == 0);
	MUST(pread(fd, data, sizeof(data), 0) == 8 && !memcmp(data, "0123\0\0\0\0", 8));
	MUST(truncate("file", 100000) == 0);
	MUST(fstat(fd, &status) == 0 && status.st_size == 100000);
	MUST(pread(fd, data, sizeof(data), 99999) == 1 && data[0] == 0);
	close(fd);
	close(open("file", O_WRONLY | O_TRUNC));
	MUST(status_of("file").st_size == 0);
	MUST(unlink("file") == 0);
}

/* Beyond what 32 bits count, in a file with next to nothing in it. */
static void check_sparse(void)
{
	char data[8] = "";
	int fd = make("file", "");

	MUST(pwrite(fd, "far", 3, FAR_AWAY) == 3);
	MUST(fsync(fd) == 0);
	MUST(status_of("file").st_size == FAR_AWAY + 3 && status_of("file").st_blocks < 4096);
	MUST(pread(fd, data, sizeof(data), FAR_AWAY) == 3 && !memcmp(data, "far", 3));
	MUST(pread(fd, data, 4, FAR_AWAY - 4) == 4 && !memcmp(data, "\0\0\0", 4));
	MUST(lseek(fd, 0, SEEK_END) == FAR_AWAY + 3);
	end_file(fd);
}

static void check_large(void)
{
	unsigned char *data = malloc(LARGE_SIZE), *back = calloc(1, LARGE_SIZE);
	int fd = make("file", "");

	for (size_t i = 0; data && i < LARGE_SIZE; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	MUST(pwrite(fd, data, LARGE_SIZE, 0) == LARGE_SIZE);
	MUST(fdatasync(fd) == 0);
	close(fd);
	fd = open("file", O_RDONLY);
	MUST(read(fd, back, LARGE_SIZE) == LARGE_SIZE);
	MUST(!memcmp(data, back, LARGE_SIZE));
	MUST(pread(fd, back, 4097, 524285) == 4097 && !memcmp(back, data + 524285, 4097));
	end_file(fd);
	free(data);
	free(back);
}

/* A mapping that can be written is for file systems with a page cache. */
static void check_mmap(void)
{
	int fd = make("file", "a mapped file");
	char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	MUST(map != MAP_FAILED && !memcmp(map, "a mapped file", 14));
	munmap(map, 4096);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		MUST(errno == ENODEV || errno == EINVAL);
		printf("no shared mappings\n");
	} else {
		memcpy(map, "A MAPPED", 8);
		MUST(msync(map, 4096, MS_SYNC) == 0);
		MUST(holds(fd, "A MAPPED file"));
		munmap(map, 4096);
	}
	end_file(fd);
}

static void check_attributes(void)
{
	const struct timespec times[2] = {{1000000000, 0}, {981173106, 0}};
	struct statvfs space;
	struct stat status;

	put("file", "whose?");
	MUST(chmod("file", 0751) == 0);
	MUST(utimensat(AT_FDCWD, "file", times, 0) == 0);
	status = status_of("file");
	MUST((status.st_mode & 07777) == 0751);
	MUST(status.st_mtim.tv_sec == 981173106 && status.st_atim.tv_sec == 1000000000);
	if (geteuid() == 0) {
		MUST(chown("file", 1234, 5678) == 0);
		MUST(chmod("file", 06755) == 0);
		status = status_of("file");
		MUST(status.st_uid == 1234 && status.st_gid == 5678);
		MUST((status.st_mode & 07777) == 06755);
	}
	MUST(statvfs(".", &space) == 0 && space.f_blocks > 0 && space.f_namemax == 255);
	MUST(unlink("file") == 0);
}

static void check_nanoseconds(void)
{
	const struct timespec times[2] = {{1000000000, 123456789}, {981173106, 987654321}};
	struct stat status;

	put("file", "when?");
	MUST(utimensat(AT_FDCWD, "file", times, 0) == 0);
	status = status_of("file");
	MUST(status.st_atim.tv_nsec == 123456789 && status.st_mtim.tv_nsec == 987654321);
	MUST(unlink("file") == 0);
}

/* Locks of two processes */

/* @then runs in a process of its own; it has begun when it closes @ready. */
struct other {
	pid_t pid;
	int ready[2];
	int release[2]; /* it ends when this is closed here */
};

static void begin_other(struct other *other, void (*then)(const struct other *))
{
	char byte;

	MUST(pipe(other->ready) == 0 && pipe(other->release) == 0);
	fflush(stdout);
	other->pid = fork();
	if (other->pid == 0) {
		close(other->ready[0]);
		close(other->release[1]);
		faults = 0;
		then(other);
		fflush(stdout);
		_exit(faults != 0);
	}
	close(other->ready[1]);
	close(other->release[0]);
	MUST(read(other->ready[0], &byte, 1) == 0);
	close(other->ready[0]);
}

static void end_other(struct other *other)
{
	int status = -1;

	close(other->release[1]);
	MUST(waitpid(other->pid, &status, 0) == other->pid);
	MUST(status == 0);
}

static void until_released(const struct other *other)
{
	char byte;

	close(other->ready[1]);
	MUST(read(other->release[0], &byte, 1) == 0);
}

static void hold_flock(const struct other *other)
{
	int fd = open("file", O_RDWR);

	MUST(flock(fd, LOCK_EX) == 0);
	until_released(other);
}

static void check_flock(void)
{
	struct other other;
	int fd = make("file", "locked");

	begin_other(&other, hold_flock);
	MUST_FAIL(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	MUST_FAIL(flock(fd, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	end_other(&other);
	MUST(flock(fd, LOCK_EX | LOCK_NB) == 0);
	MUST(flock(fd, LOCK_UN) == 0);
	end_file(fd);
}

static int lock(int fd, int command, short type, off_t start, off_t size)
{
	struct flock range = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = size};

	return fcntl(fd, command, &range);
}

static void hold_ranges(const struct other *other)
{
	int fd = open("file", O_RDWR);

	MUST(lock(fd, F_SETLK, F_WRLCK, 0, 100) == 0);
	MUST(lock(fd, F_SETLK, F_RDLCK, 200, 100) == 0);
	until_released(other);
}

/* Reads what the holder writes only when it has the lock. */
static void wait_for_lock(const struct other *other)
{
	int fd = open("file", O_RDWR);

	close(other->ready[1]);
	MUST(lock(fd, F_SETLKW, F_WRLCK, 0, 0) == 0);
	MUST(holds(fd, "written under the lock"));
}

static void check_fcntl(void)
{
	struct flock range = {.l_type = F_WRLCK, .l_start = 50, .l_len = 10};
	struct other other;
	int fd = make("file", "locked");

	begin_other(&other, hold_ranges);
	MUST_FAIL(lock(fd, F_SETLK, F_WRLCK, 99, 1), EAGAIN);
	MUST_FAIL(lock(fd, F_SETLK, F_WRLCK, 200, 1), EAGAIN);
	MUST(lock(fd, F_SETLK, F_WRLCK, 100, 100) == 0);
	MUST(lock(fd, F_SETLK, F_RDLCK, 250, 10) == 0);
	MUST(fcntl(fd, F_GETLK, &range) == 0 && range.l_type == F_WRLCK && range.l_start == 0 &&
	     range.l_len == 100 && range.l_pid == other.pid);
	end_other(&other);
	MUST(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	begin_other(&other, wait_for_lock);
	usleep(100000);
	MUST(pwrite(fd, "written under the lock", 22, 0) == 22);
	MUST(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
	end_other(&other);
	end_file(fd);
}

static const struct {
	const char *name;
	void (*check)(void);
} checks[] = {
	{"names", check_names},
	{"folders", check_folders},
	{"inode", check_inode},
	{"links", check_links},
	{"symlinks", check_symlinks},
	{"readdir", check_readdir},
	{"special", check_special},
	{"rename-over", check_rename_over},
	{"unlink-open", check_unlink_open},
	{"unlink-status", check_unlink_status},
	{"rename-open", check_rename_open},
	{"rename-truncate", check_rename_truncate},
	{"append", check_append},
	{"truncate", check_truncate},
	{"sparse", check_sparse},
	{"large", check_large},
	{"mmap", check_mmap},
	{"attributes", check_attributes},
	{"nanoseconds", check_nanoseconds},
	{"flock", check_flock},
	{"fcntl", check_fcntl},
};

static bool is_named(const char *name, char **names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]) || mkdir(FOLDER, 0755) || chdir(FOLDER)) {
		perror("folder");
		return 1;
	}
	umask(022);
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		if (is_named(checks[i].name, argv + 2))
			continue;
		checked = checks[i].name;
		faults = 0;
		checks[i].check();
		if (!faults)
			printf("ok %s\n", checked);
		fflush(stdout);
	}
	if (chdir("..") || rmdir(FOLDER))
		printf("not ok: something is left\n");
	printf("done\n");
	return 0;
}
