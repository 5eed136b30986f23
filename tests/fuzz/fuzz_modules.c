/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as modules.dep, behind a line with the names that are looked up: what is to be loaded
 * stands there, none twice, and is not more than there is room for.
 */
#include "trial/modules.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

#define NAMES_MAX 256

static char folder[] = "/tmp/armlet-fuzz-XXXXXX";
static char list[sizeof(folder) + sizeof("/modules.dep")];
static int list_fd = -EBADF;

static void remove_folder(void)
{
	unlink(list);
	rmdir(folder);
}

/* A folder whose list is a file in memory. */
static void make_folder(void)
{
	char path[64];

	list_fd = memfd_create("modules.dep", MFD_CLOEXEC);
	FUZZ_ASSERT(list_fd >= 0 && mkdtemp(folder));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", list_fd);
	snprintf(list, sizeof(list), "%s/modules.dep", folder);
	FUZZ_ASSERT(symlink(path, list) == 0);
	atexit(remove_folder);
}

static void write_list(const uint8_t *data, size_t size)
{
	if (list_fd < 0)
		make_folder();
	FUZZ_ASSERT(ftruncate(list_fd, 0) == 0);
	FUZZ_ASSERT(pwrite(list_fd, data, size, 0) == (ssize_t)size);
}

static void check(const struct modules *modules)
{
	FUZZ_ASSERT(modules->count <= MODULES_LOADED_MAX);
	for (size_t i = 0; i < modules->count; i++) {
		const char *file = modules->files[i];

		FUZZ_ASSERT(file[0] && !strchr(file, '\n') && strstr(modules->text, file));
		for (size_t j = 0; j < i; j++)
			FUZZ_ASSERT(strcmp(file, modules->files[j]) != 0);
	}
}

static void need(struct modules *modules, const char *name)
{
	struct error err = {0};
	size_t before = modules->count;
	int r = modules_need(modules, name, &err);

	check(modules);
	FUZZ_ASSERT(modules->count >= before);
	if (r < 0) {
		FUZZ_ASSERT(r == -E2BIG && err.code == E2BIG && err.text[0]);
		FUZZ_ASSERT(modules->count == MODULES_LOADED_MAX);
		return;
	}
	/* All that it needs is there now. */
	before = modules->count;
	FUZZ_ASSERT(modules_need(modules, name, &err) == 0 && modules->count == before);
}

static void need_all(struct modules *modules, const uint8_t *line, size_t size)
{
	static const char *const used[] = {"virtio_mmio", "9pnet_virtio", "9p", "a"};
	char names[NAMES_MAX];
	char *rest = names, *name;

	size = min_u64(size, sizeof(names) - 1);
	memcpy(names, line, size);
	names[size] = '\0';
	while ((name = strsep(&rest, " ")))
		need(modules, name);
	for (size_t i = 0; i < ARRAY_SIZE(used); i++)
		need(modules, used[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(modules_finish) struct modules modules = {0};
	const uint8_t *end = memchr(data, '\n', size);
	size_t names = end ? (size_t)(end - data) : 0;
	struct error err = {0};
	int r;

	need_all(&modules, data, names);
	FUZZ_ASSERT(!modules.count);
	if (end) {
		data = end + 1;
		size -= names + 1;
	}
	write_list(data, size);
	r = modules_find("no-kernel", folder, &modules, &err);
	FUZZ_ASSERT((r == 0) == !memchr(data, '\0', size));
	FUZZ_ASSERT(r == 0 || (r == -EINVAL && err.code == EINVAL && err.text[0]));
	if (r == 0)
		need_all(&modules, end ? end - names : data, names);
	return 0;
}
