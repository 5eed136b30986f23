/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a kernel's log. The first byte says in pieces of which size they come, from both
 * sources by turns; then again as one line.
 */
#include <string.h>

#include "fuzz.h"
#include "trial/klog.h"

static void check_text(const char *text, size_t max)
{
	size_t size = strnlen(text, max);

	FUZZ_ASSERT(size < max);
	for (size_t i = 0; i < size; i++)
		FUZZ_ASSERT((text[i] >= ' ' && text[i] <= '~') || text[i] == '\n');
}

static void check(const struct klog *klog, uint64_t told)
{
	char text[KLOG_EXPLAIN_MAX];
	struct klog_finding found;
	struct klog_exit end;
	uint64_t seen = 0;

	for (size_t i = 0; klog_finding(klog, i, &found); i++) {
		FUZZ_ASSERT(i < KLOG_FINDINGS && found.kind < KLOG_KINDS && found.count);
		FUZZ_ASSERT(klog_total(klog, found.kind) >= found.count);
		check_text(found.text, KLOG_TEXT_MAX);
		check_text(found.trace, KLOG_TRACE_MAX);
		seen |= BIT(found.kind);
	}
	FUZZ_ASSERT((seen & ~klog_seen(klog)) == 0);
	FUZZ_ASSERT((told & KLOG_FAIL_ALL) == klog_seen(klog));
	FUZZ_ASSERT(!klog_panic(klog) == !(klog_seen(klog) & BIT(KLOG_PANIC)));
	if (klog_init_exit(klog, &end))
		FUZZ_ASSERT(!end.signal || !end.status);
	check_text(klog_last_line(klog), KLOG_TEXT_MAX);
	if (klog_explain(klog, false, text))
		check_text(text, KLOG_EXPLAIN_MAX);
}

static void check_words(const uint8_t *data, size_t size)
{
	char text[128];
	struct error err = {0};
	uint64_t bits = 0;
	int r;

	if (size >= sizeof(text))
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	r = klog_parse_kinds(text, &bits, &err);
	FUZZ_ASSERT(r == 0 ? !(bits & ~KLOG_FAIL_ALL) : err.code > 0 && err.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cleanup_klog_destroy_) struct klog *klog = NULL;
	size_t piece = size ? 1 + data[0] : 1;
	uint64_t told = 0;

	if (klog_create(&klog) < 0)
		return 0;
	for (size_t at = 0; at < size; at += piece) {
		size_t length = min_u64(piece, size - at);

		told |= klog_feed(klog, KLOG_CONSOLE, data + at, length);
		told |= klog_feed(klog, KLOG_KMSG, data + at, length);
	}
	told |= klog_finish(klog);
	told |= klog_line(klog, KLOG_CONSOLE, data, size);
	check(klog, told);
	check_words(data, size);
	return 0;
}
