/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a kernel's traces, and what addr2line says of them. */
#include "trial/backtrace.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static const struct {
	const char *line;
	const char *symbol; /* NULL: it is no frame */
	const char *module;
	uint64_t offset, size;
	bool exact, is_register;
} lines[] = {
	{" el0_svc_common.constprop.0+0x4c/0xf4", "el0_svc_common.constprop.0", NULL, 0x4c, 0xf4,
	 false, false},
	{"pc : sysrq_handle_crash+0x1c/0x20", "sysrq_handle_crash", NULL, 0x1c, 0x20, true, true},
	{"lr : __handle_sysrq+0x90/0x19c\n", "__handle_sysrq", NULL, 0x90, 0x19c, false, true},
	{" broken_init+0x18/0x1000 [broken]", "broken_init", "broken", 0x18, 0x1000, false, false},
	{" x+0x1/0x2 [m 0123abcd] (P)\n y", "x", "m", 1, 2, true, false},
	{"  vfs_write+0xdc/0x3a0 (P)", "vfs_write", NULL, 0xdc, 0x3a0, true, false},
	{" f+0x0/0x10 (L)", "f", NULL, 0, 0x10, false, false},
	{" f+0x10/0x10", "f", NULL, 0x10, 0x10, false, false},
	{" $d+0xffffffffffffffffff/0xffffffffffffffffff", "$d", NULL, UINT64_MAX, UINT64_MAX, false,
	 false},
	{" f+0x11/0x10", NULL, NULL, 0, 0, false, false},
	{" f+0x1/0x2:", NULL, NULL, 0, 0, false, false},
	{"f+0x1/0x2", NULL, NULL, 0, 0, false, false},
	{" f+0x/0x2", NULL, NULL, 0, 0, false, false},
	{" f+0x 1/0x2", NULL, NULL, 0, 0, false, false},
	{" f+0x1\n/0x2", NULL, NULL, 0, 0, false, false},
	{" f+0x-1/0x2", NULL, NULL, 0, 0, false, false},
	{" +0x1/0x2", NULL, NULL, 0, 0, false, false},
	{" 0xffff800008010000", NULL, NULL, 0, 0, false, false},
	{"Call trace:", NULL, NULL, 0, 0, false, false},
	{"pc : ", NULL, NULL, 0, 0, false, false},
	{" f+0x1/0x2 [", "f", "", 1, 2, false, false},
	{"\n f+0x1/0x2", NULL, NULL, 0, 0, false, false},
};

START_TEST(test_lines)
{
	struct backtrace_cursor cursor = {.at = lines[_i].line};
	const char *symbol = lines[_i].symbol, *module = lines[_i].module;
	struct backtrace_line line;

	ck_assert(backtrace_next(&cursor, &line));
	ck_assert_ptr_eq(line.text, lines[_i].line);
	ck_assert_uint_eq(line.size, strcspn(line.text, "\n"));
	ck_assert(line.is_frame == (symbol != NULL));
	if (!symbol)
		return;
	ck_assert_uint_eq(line.frame.symbol_size, strlen(symbol));
	ck_assert(!strncmp(line.frame.symbol, symbol, strlen(symbol)));
	ck_assert(!line.frame.module == !module);
	if (module) {
		ck_assert_uint_eq(line.frame.module_size, strlen(module));
		ck_assert(!strncmp(line.frame.module, module, strlen(module)));
	}
	ck_assert_uint_eq(line.frame.offset, lines[_i].offset);
	ck_assert_uint_eq(line.frame.size, lines[_i].size);
	ck_assert(line.frame.exact == lines[_i].exact);
	ck_assert(line.frame.is_register == lines[_i].is_register);
}
END_TEST

/* ---- Which addresses are asked for ------------------------------------------------------ */

/* As an oops tells it, in the idle task: one that was interrupted. */
static const char oops[] = "pc : sysrq_handle_crash+0x1c/0x20\n"
			   "lr : __handle_sysrq+0x90/0x19c\n"
			   "sp : ffff80000a9bbc50\n"
			   "Call trace:\n"
			   " sysrq_handle_crash+0x1c/0x20\n"
			   " __handle_sysrq+0x90/0x19c\n"
			   " el1h_64_irq+0x64/0x68\n"
			   " cpu_idle+0x18/0x30\n"
			   " next+0x0/0x30\n"
			   " start_kernel+0x10/0x20\n";

static const struct {
	const char *symbol;
	uint64_t address;
	bool is_behind;
} asked[] = {
	{"sysrq_handle_crash", 0x101c, false},
	{"__handle_sysrq", 0x108f, false},
	{"sysrq_handle_crash", 0x101c, false},
	{"__handle_sysrq", 0x108f, false},
	{"el1h_64_irq", 0x1063, false},
	{"cpu_idle", 0x1018, false},
	{"next", 0xfff, true},
	{"start_kernel", 0x100f, false},
};

START_TEST(test_asked)
{
	struct backtrace_cursor cursor = {.at = oops};
	struct backtrace_line line;
	size_t i = 0;

	while (backtrace_next(&cursor, &line)) {
		if (!line.is_frame)
			continue;
		ck_assert_uint_lt(i, ARRAY_SIZE(asked));
		ck_assert(!strncmp(line.frame.symbol, asked[i].symbol, line.frame.symbol_size));
		line.frame.address = 0x1000;
		ck_assert_uint_eq(backtrace_address(&line.frame), asked[i].address);
		ck_assert(backtrace_is_behind(&line.frame) == asked[i++].is_behind);
	}
	ck_assert_uint_eq(i, ARRAY_SIZE(asked));
}
END_TEST

/* ---- What is said ----------------------------------------------------------------------- */

/* One address a symbol: 0x1000 for a, 0x2000 for b, ...; kernel_init is at 0x9000. */
static void add(struct backtrace *backtrace, const char *trace)
{
	ck_assert_int_eq(backtrace_add(backtrace, trace), 0);
	ck_assert_int_eq(backtrace_ready(backtrace), 0);
	for (size_t i = 0; i < backtrace->count; i++) {
		struct backtrace_frame *frame = &backtrace->frames[i];
		bool landmark = frame->symbol_size > 1;

		if (!frame->module)
			frame->address = landmark ? 0x9000 : (uint64_t)(*frame->symbol - '`') << 12;
	}
}

static char *written(const struct backtrace *backtrace, const char *trace, bool frames)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");

	text[0] = '\0';
	ck_assert_ptr_nonnull(out);
	backtrace_write(backtrace, trace, frames, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

#define TRACE "Call trace:\n b+0x11/0x20\n a+0x5/0x10\n c+0x1/0x9 [m]\n a+0x5/0x10\n d+0x0/0x4\n"

static const struct {
	const char *what, *answer, *wanted;
	size_t known;
} answers[] = {
	{"binutils",
	 "0x0000000000001004\na\n/build/mm/a.c:7\n"
	 "0x0000000000002010\ninner\n/build/include/i.h:3 (discriminator 2)\nb\n/build/fs/b.c:12\n"
	 "0x0000000000003fff\n??\n??:0\n"
	 "0x0000000000009020\nkernel_init\n/build/init/main.c:1479\n",
	 " inner (include/i.h:3) (inlined)\n b+0x11/0x20 (fs/b.c:12)\n a+0x5/0x10 (mm/a.c:7)\n"
	 " c+0x1/0x9 [m]\n a+0x5/0x10 (mm/a.c:7)\n d+0x0/0x4\n",
	 3},
	{"llvm, and no landmark",
	 "0x1004\na\n./mm/a.c:7\n0x2010\nb\nb.c:0\n0x3fff\nlast\nc.c:9\n0x9020\nx\n/main.c:0\n",
	 " b+0x11/0x20\n a+0x5/0x10 (./mm/a.c:7)\n c+0x1/0x9 [m]\n a+0x5/0x10 (./mm/a.c:7)\n"
	 " d+0x0/0x4 (the end of last, c.c:9)\n",
	 2},
	{"it ends in the middle", "0x1004\na\n/a.c:7\n0x2010\nb\n",
	 " b+0x11/0x20\n a+0x5/0x10 (/a.c:7)\n c+0x1/0x9 [m]\n a+0x5/0x10 (/a.c:7)\n d+0x0/0x4\n",
	 1},
	{"the rest of one is not known", "0x1004\nin\n/a.c:7\na\n??:?\n",
	 " in (/a.c:7) (inlined)\n a+0x5/0x10\n c+0x1/0x9 [m]\n", 1},
	{"a line in the next line", "0x1004\na\n/a.c:\n7\n", " b+0x11/0x20\n a+0x5/0x10\n", 0},
	{"not what was asked", "0x1234\na\n/a.c:7\n0x2010\nb\n/b.c:1\n", " b+0x11/0x20\n a+", 0},
	{"nothing", "", " b+0x11/0x20\n a+0x5/0x10\n", 0},
	{"no lines", "0x1004", " b+0x11/0x20\n a+0x5/0x10\n", 0},
	{"what terminals obey", "0x1004\na\n/\033[31m\200.c:7\n", "/?[31m?.c:7)\n", 1},
};

START_TEST(test_answers)
{
	struct backtrace backtrace = {0};
	const char *text;

	add(&backtrace, TRACE);
	ck_assert_uint_eq(backtrace.count, 5);
	ck_assert_uint_eq(backtrace_take(&backtrace, strdup(answers[_i].answer)),
			  answers[_i].known);
	text = written(&backtrace, TRACE, true);
	ck_assert_msg(strstr(text, answers[_i].wanted), "%s: it is\n%s", answers[_i].what, text);
	backtrace_finish(&backtrace);
}
END_TEST

/* What is no frame stays as it is; also without an answer, or any frame. */
START_TEST(test_unknown)
{
	struct backtrace backtrace = {0};

	ck_assert_str_eq(written(&backtrace, TRACE, false), TRACE);
	ck_assert_int_eq(backtrace_add(&backtrace, "CPU: 0\nno end"), 0);
	ck_assert_uint_eq(backtrace.count, 0);
	ck_assert_str_eq(written(&backtrace, "CPU: 0\nno end", false), "CPU: 0\nno end\n");
	ck_assert_str_eq(written(&backtrace, "", false), "");
	backtrace_finish(&backtrace);
	add(&backtrace, TRACE);
	ck_assert_str_eq(written(&backtrace, TRACE, false), TRACE);
	backtrace_finish(&backtrace);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_lines, ARRAY_SIZE(lines)),
	UNIT_CASE(test_asked),
	UNIT_LOOP(test_answers, ARRAY_SIZE(answers)),
	UNIT_CASE(test_unknown),
	{0},
};
const char unit_name[] = "backtrace";
