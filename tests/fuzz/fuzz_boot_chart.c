/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a kernel's log, from the file and from the console: the SVG is bounded, and text. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trial/boot_chart.h"

#define SVG_MAX (256 * KIB)

static void check(const char *svg, size_t size)
{
	size_t open = 0, shut = 0;

	FUZZ_ASSERT(size && size < SVG_MAX && !memcmp(svg, "<svg ", 5));
	for (size_t i = 0; i < size; i++) {
		FUZZ_ASSERT((svg[i] >= ' ' && svg[i] <= '~') || svg[i] == '\n');
		open += svg[i] == '<';
		shut += svg[i] == '>';
	}
	/* Texts have neither. */
	FUZZ_ASSERT(open == shut);
	FUZZ_ASSERT(!strstr(svg, "='nan") && !strstr(svg, "='inf") && !strstr(svg, "='-"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cleanup_boot_chart_destroy_) struct boot_chart *chart = NULL;
	struct boot_chart_times times = {0};
	struct boot_chart_span spans[2];
	_cleanup_free_ char *svg = NULL;
	size_t length;
	FILE *file;

	if (size <= sizeof(times))
		return 0;
	memcpy(&times, data, sizeof(times));
	/* The last bytes are times and numbers, too. */
	memset(spans, 0, sizeof(spans));
	memcpy(spans, data + size - sizeof(times), sizeof(times));
	data += sizeof(times);
	size -= sizeof(times);
	if (boot_chart_create(&times, &chart) < 0)
		return 0;
	for (int console = 0; console < 2; console++) {
		file = fmemopen((void *)(uintptr_t)data, size, "r");
		(console ? boot_chart_read_console : boot_chart_read)(chart, file);
		fclose(file);
	}
	boot_chart_exits(chart, spans, ARRAY_SIZE(spans));
	file = open_memstream(&svg, &length);
	FUZZ_ASSERT(boot_chart_write(chart, file) == 0);
	fclose(file);
	check(svg, length);
	return 0;
}
