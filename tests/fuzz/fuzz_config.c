/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the file of --config: it is taken, or refused with one sentence; what is
 * taken and printed again is the same machine.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli.h"
#include "fuzz.h"
#include "options_json.h"

static int read_bytes(const void *data, size_t size, struct run_options *run)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	struct error err = {0};
	char path[64];
	int r;

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	run_options_init(run);
	r = options_read_file(&run_table, path, run, &run->config, &err);
	close(fd);
	FUZZ_ASSERT(r == 0 || (r < 0 && err.code > 0 && err.text[0]));
	FUZZ_ASSERT(strlen(err.text) < ERROR_TEXT_MAX);
	return r;
}

/*
 * json-c 0.18 takes UTF-8 for control characters where char is signed (its issue 875), which it
 * is on no machine that armlet runs on.
 */
static bool library_refuses(const char *text)
{
	if (json_c_version_num() != 18 << 8 || CHAR_MIN == 0)
		return false;
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return *text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run_options run, again;
	struct json_object *printed, *printed_again;
	const char *text;
	bool readable;

	if (read_bytes(data, size, &run) < 0)
		return 0;
	FUZZ_ASSERT(run.machine.cpus >= 1 && run.machine.cpus <= MACHINE_MAX_VCPUS);
	FUZZ_ASSERT(run.machine.disk_count <= MACHINE_MAX_DISKS);
	FUZZ_ASSERT(run.machine.pin_count <= MACHINE_MAX_VCPUS);
	printed = options_to_json(run_table.options, &run);
	text = json_object_to_json_string(printed);
	readable = strlen(text) <= OPTIONS_JSON_MAX && !library_refuses(text);
	FUZZ_ASSERT(!readable || read_bytes(text, strlen(text), &again) == 0);
	if (readable) {
		printed_again = options_to_json(run_table.options, &again);
		FUZZ_ASSERT(json_object_equal(printed, printed_again));
		json_object_put(printed_again);
		run_options_finish(&again);
	}
	json_object_put(printed);
	run_options_finish(&run);
	return 0;
}
