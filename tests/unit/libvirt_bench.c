/* SPDX-License-Identifier: Apache-2.0 */
#include "libvirt_bench.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_WORDS 16
#define TEXT_SIZE 1024

struct domain_file domain_file(const char *text)
{
	struct domain_file file = {.path = "/tmp/armlet-libvirt-XXXXXX.xml"};
	int fd = mkstemps(file.path, 4);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return file;
}

int domain_line(const char *line, const struct domain_file *file, struct run_options *run,
		struct error *err)
{
	static char text[TEXT_SIZE], name[] = "run";
	char *argv[MAX_WORDS] = {name}, *rest = text;
	size_t used = 0;
	enum options_result result;
	int argc = 1, r;

	for (; *line && used + sizeof(file->path) < sizeof(text); line++) {
		if (strncmp(line, "FILE", 4) != 0) {
			text[used++] = *line;
			continue;
		}
		used += (size_t)sprintf(text + used, "%s", file->path);
		line += 3;
	}
	text[used] = '\0';
	while (rest && argc + 1 < MAX_WORDS)
		argv[argc++] = strsep(&rest, "|");
	run_options_init(run);
	*err = (struct error){0};
	r = options_parse(&run_table, argc, argv, run, &result, err);
	return r < 0 ? r : run_options_settle(run, err);
}
