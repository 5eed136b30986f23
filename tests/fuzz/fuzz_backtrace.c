/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the trace of a kernel's log, up to a zero; as what addr2line says, up to another;
 * and as vmlinux. What is written has the trace's lines, and nothing that a terminal obeys but what
 * the trace has itself.
 */
#include "trial/backtrace.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "trial/vmlinux.h"

static void look_up(struct backtrace *backtrace, const uint8_t *data, size_t size)
{
	static int fd = -EBADF;
	struct error err = {0};
	int r;

	if (fd < 0)
		fd = memfd_create("vmlinux", MFD_CLOEXEC);
	FUZZ_ASSERT(fd >= 0 && ftruncate(fd, 0) == 0);
	FUZZ_ASSERT(pwrite(fd, data, size, 0) == (ssize_t)size);
	r = vmlinux_look_up(fd, backtrace, &err);
	FUZZ_ASSERT(r >= 0 ? (size_t)r <= backtrace->count : r == -err.code && err.text[0]);
}

/* An answer for each address, of which a fuzzer would not think. */
static char *answer_all(const struct backtrace *backtrace, const char *said)
{
	char *answer = NULL;
	size_t size;
	FILE *out = open_memstream(&answer, &size);

	FUZZ_ASSERT(out);
	for (size_t i = 0; i < backtrace->count; i++) {
		if (backtrace->frames[i].address)
			fprintf(out, "0x%" PRIx64 "\n%s", backtrace_address(&backtrace->frames[i]),
				said);
	}
	FUZZ_ASSERT(fclose(out) == 0);
	return answer;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n' || !text[1];
	return count;
}

static void write_all(const struct backtrace *backtrace, const char *trace, bool frames)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	FUZZ_ASSERT(out);
	backtrace_write(backtrace, trace, frames, out);
	FUZZ_ASSERT(fclose(out) == 0 && (!size || text[size - 1] == '\n'));
	FUZZ_ASSERT(frames || count_lines(text) >= count_lines(trace));
}

static void check(const char *trace, const char *said, const uint8_t *file, size_t size)
{
	struct backtrace backtrace = {0};

	FUZZ_ASSERT(backtrace_add(&backtrace, trace) == 0);
	FUZZ_ASSERT(backtrace_ready(&backtrace) == 0);
	look_up(&backtrace, file, size);
	backtrace_take(&backtrace, strdup(said));
	write_all(&backtrace, trace, true);
	FUZZ_ASSERT(backtrace_take(&backtrace, answer_all(&backtrace, said)) <= backtrace.count);
	write_all(&backtrace, trace, false);
	write_all(&backtrace, trace, true);
	backtrace_finish(&backtrace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *copy = malloc(size + 2);
	size_t trace, said;

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	copy[size] = copy[size + 1] = '\0';
	trace = min_u64(strlen(copy) + 1, size);
	said = min_u64(trace + strlen(copy + trace) + 1, size);
	check(copy, copy + trace, data + said, size - said);
	return 0;
}
