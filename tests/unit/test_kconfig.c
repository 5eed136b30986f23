/* SPDX-License-Identifier: Apache-2.0 */
/* What a kernel was built with. */
#include "trial/kconfig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel_bytes.h"
#include "unit.h"

static char folder[64];

static void enter(void)
{
	strcpy(folder, "/tmp/kconfig.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static void leave(void)
{
	char command[128];

	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *path, const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static const struct {
	const char *text;
	const char *name;
	enum kconfig_value value;
} values[] = {
	{"CONFIG_A=y\n", "A", KCONFIG_YES},
	{"CONFIG_A=m\n", "A", KCONFIG_MODULE},
	{"CONFIG_A=n\n", "A", KCONFIG_NO},
	{"# CONFIG_A is not set\n", "A", KCONFIG_NO},
	{"CONFIG_AB=y\nCONFIG_XA=y\n", "A", KCONFIG_NO},
	{"CONFIG_AB=y\n#CONFIG_A=y\nCONFIG_A=m", "A", KCONFIG_MODULE},
	{"CONFIG_A=\"text\"\n", "A", KCONFIG_YES},
	{"CONFIG_A=", "A", KCONFIG_YES},
	{"", "A", KCONFIG_NO},
	{"CONFIG_9P_FS=y\r\n", "9P_FS", KCONFIG_YES},
};

START_TEST(test_values)
{
	struct kconfig config;

	enter();
	write_file("Image", "k", 1);
	write_file(".config", values[_i].text, strlen(values[_i].text));
	kconfig_find("Image", &config);
	ck_assert_ptr_nonnull(config.path);
	ck_assert_int_eq(kconfig_get(&config, values[_i].name), values[_i].value);
	kconfig_finish(&config);
	leave();
}
END_TEST

/* Where it is found; the first wins. */
static const struct {
	const char *kernel;
	const char *config;
} places[] = {
	{"vmlinuz-6.1.0-9-arm64", "config-6.1.0-9-arm64"},
	{"vmlinuz", "config"},
	{"Image", ".config"},
	{"arch/arm64/boot/Image", ".config"},
	{"arch/arm64/boot/Image.gz", ".config"},
};

START_TEST(test_places)
{
	struct kconfig config;

	enter();
	ck_assert_int_eq(mkdir("arch", 0777) | mkdir("arch/arm64", 0777) |
				 mkdir("arch/arm64/boot", 0777),
			 0);
	write_file(places[_i].kernel, "k", 1);
	kconfig_find(places[_i].kernel, &config);
	ck_assert_ptr_null(config.path);
	ck_assert_int_eq(kconfig_get(&config, "A"), KCONFIG_UNKNOWN);
	kconfig_finish(&config);
	write_file(places[_i].config, "CONFIG_A=y\n", 11);
	kconfig_find(places[_i].kernel, &config);
	ck_assert_int_eq(kconfig_get(&config, "A"), KCONFIG_YES);
	kconfig_finish(&config);
	leave();
}
END_TEST

/* What the kernel has in itself counts before what lies in a tree, not before what is installed. */
static const struct {
	const char *config;
	bool packed;
	enum kconfig_value value;
} embedded[] = {
	{NULL, false, KCONFIG_MODULE},     {NULL, true, KCONFIG_MODULE},
	{".config", true, KCONFIG_MODULE}, {"config", true, KCONFIG_YES},
	{"config-1", true, KCONFIG_YES},
};

START_TEST(test_embedded)
{
	const struct bytes text = {.data = (uint8_t *)"CONFIG_A=m\n", .size = 11};
	_cleanup_bytes_ struct bytes gzip = bytes_gzip(&text);
	_cleanup_bytes_ struct bytes plain = bytes_arm64(400000, 0, 1 << 20, 0);
	_cleanup_bytes_ struct bytes packed = {0};
	const struct bytes *kernel = &plain;
	struct kconfig config;

	enter();
	bytes_put_text(&plain, 300000, "IKCFG_ST", 8);
	bytes_put_text(&plain, 300008, (const char *)gzip.data, gzip.size);
	bytes_put_text(&plain, 300008 + gzip.size, "IKCFG_ED", 8);
	packed = bytes_gzip(&plain);
	if (embedded[_i].packed)
		kernel = &packed;
	write_file("vmlinuz-1", (const char *)kernel->data, kernel->size);
	if (embedded[_i].config)
		write_file(embedded[_i].config, "CONFIG_A=y\n", 11);
	kconfig_find("vmlinuz-1", &config);
	ck_assert_int_eq(config.settled, embedded[_i].value == KCONFIG_YES);
	ck_assert_int_eq(kconfig_get(&config, "A"),
			 embedded[_i].config ? KCONFIG_YES : KCONFIG_UNKNOWN);
	kconfig_look_inside("vmlinuz-1", &config);
	ck_assert(config.settled);
	ck_assert_int_eq(kconfig_get(&config, "A"), embedded[_i].value);
	ck_assert_int_eq(!strcmp(config.path, "CONFIG_IKCONFIG"),
			 embedded[_i].value == KCONFIG_MODULE);
	kconfig_finish(&config);
	leave();
}
END_TEST

/* What is no such file is none. */
START_TEST(test_none)
{
	struct kconfig config;

	enter();
	kconfig_find("nosuch", &config);
	ck_assert_ptr_null(config.path);
	write_file("Image", "k", 1);
	ck_assert_int_eq(mkdir("config", 0777), 0);
	ck_assert_int_eq(mkfifo(".config", 0666), 0);
	kconfig_find("Image", &config);
	ck_assert_ptr_null(config.path);
	ck_assert_int_eq(unlink(".config"), 0);
	write_file(".config", "CONFIG_A\0=y\nCONFIG_B=y\n", 23);
	kconfig_find("Image", &config);
	ck_assert_int_eq(kconfig_get(&config, "A"), KCONFIG_NO);
	ck_assert_int_eq(kconfig_get(&config, "B"), KCONFIG_YES);
	kconfig_finish(&config);
	leave();
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_values, ARRAY_SIZE(values)),
	UNIT_LOOP(test_places, ARRAY_SIZE(places)),
	UNIT_LOOP(test_embedded, ARRAY_SIZE(embedded)),
	UNIT_CASE(test_none),
	{0},
};
const char unit_name[] = "kconfig";
