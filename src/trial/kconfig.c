/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/kconfig.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/image.h"
#include "trial/ikconfig.h"

#define SIZE_MOST (8 * MIB) /* a whole one of Debian's has a quarter of one */
#define KERNEL    "vmlinuz-"

/* @text is that of the file at @path then. */
static bool read_file(const char *path, struct kconfig *config)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t size = 0;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)SIZE_MOST)
		return false;
	text = malloc((size_t)st.st_size + 1);
	while (text && (n = read(fd, text + size, (size_t)st.st_size - size)) > 0)
		size += (size_t)n;
	config->path = text && n == 0 ? strdup(path) : NULL;
	if (!config->path)
		return false;
	text[size] = '\0';
	config->text = steal_ptr(&text);
	config->size = size;
	return true;
}

static int take_piece(void *data, const uint8_t *bytes, size_t size, struct error *err)
{
	(void)err;
	return ikconfig_feed(data, bytes, size);
}

/* The kernel's own. A pipe can be read but once, and not by us. */
static bool read_embedded(const char *kernel, struct kconfig *config)
{
	_cleanup_(cleanup_image_close_) struct image *image = NULL;
	_cleanup_(ikconfig_finish) struct ikconfig find = {0};
	struct error err = {0};
	struct stat st;

	if (stat(kernel, &st) < 0 || !S_ISREG(st.st_mode) || image_open(kernel, &image, &err) < 0)
		return false;
	image_scan(image, take_piece, &find, &err);
	config->path = find.text ? strdup("CONFIG_IKCONFIG") : NULL;
	if (!config->path)
		return false;
	config->text = steal_ptr(&find.text);
	config->size = find.text_size;
	return true;
}

void kconfig_find(const char *kernel, struct kconfig *ret)
{
	static const struct {
		const char *name;
		bool installed;
	} places[] = {{"config", true}, {".config", false}, {"../../../.config", false}};
	char real[PATH_MAX], path[PATH_MAX + 32];
	const char *name;
	int folder;

	*ret = (struct kconfig){0};
	if (!realpath(kernel, real))
		return;
	name = strrchr(real, '/') + 1;
	folder = (int)(name - real);
	if (!strncmp(name, KERNEL, strlen(KERNEL))) {
		snprintf(path, sizeof(path), "%.*sconfig-%s", folder, real, name + strlen(KERNEL));
		ret->settled = read_file(path, ret);
	}
	for (size_t i = 0; i < ARRAY_SIZE(places) && !ret->text; i++) {
		snprintf(path, sizeof(path), "%.*s%s", folder, real, places[i].name);
		ret->settled = read_file(path, ret) && places[i].installed;
	}
}

void kconfig_look_inside(const char *kernel, struct kconfig *config)
{
	struct kconfig own = {0};

	if (config->settled)
		return;
	if (read_embedded(kernel, &own)) {
		kconfig_finish(config);
		*config = own;
	}
	config->settled = true;
}

enum kconfig_value kconfig_get(const struct kconfig *config, const char *name)
{
	char wanted[128];
	const char *at = config->text;
	int size = snprintf(wanted, sizeof(wanted), "CONFIG_%s=", name);

	if (!config->text)
		return KCONFIG_UNKNOWN;
	while ((at = memmem(at, config->size - (size_t)(at - config->text), wanted,
			    (size_t)size))) {
		char value = at[size];

		if (at == config->text || at[-1] == '\n')
			return value == 'm'   ? KCONFIG_MODULE
			       : value == 'n' ? KCONFIG_NO
					      : KCONFIG_YES;
		at += size;
	}
	return KCONFIG_NO;
}

void kconfig_finish(struct kconfig *config)
{
	free(config->path);
	free(config->text);
	*config = (struct kconfig){0};
}
