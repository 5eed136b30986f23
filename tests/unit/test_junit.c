/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "trial/junit.h"
#include "unit.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static char *text;
static size_t size;
static FILE *out;
static struct junit *junit;

static void begin(void)
{
	free(text);
	text = NULL;
	out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(junit_begin(&junit, out, "all"), 0);
}

static void end(void)
{
	struct error err = {0};

	ck_assert_int_eq(junit_end(junit, &err), 0);
	junit_destroy(junit);
	fclose(out);
}

static void add_report(const char *report)
{
	_cleanup_(cleanup_ktap_destroy_) struct ktap *ktap = NULL;

	ck_assert_int_eq(ktap_create(&ktap), 0);
	ktap_line(ktap, (const uint8_t *)report, strlen(report));
	ktap_finish(ktap);
	junit_add_ktap(junit, ktap);
}

#define COUNTS(tests, failures, errors, skipped)                             \
	" tests=\"" #tests "\" failures=\"" #failures "\" errors=\"" #errors \
	"\" skipped=\"" #skipped "\""

/* One case, in the suite without a name of its own; what is inside of testsuite. */
static const struct {
	struct junit_case add;
	const char *counts;
	const char *inside;
} cases[] = {
	{{.name = "boot", .result = KTAP_PASSED, .time_us = 1500000},
	 COUNTS(1, 0, 0, 0) " time=\"1.500000\"",
	 "    <testcase name=\"boot\" classname=\"all\" time=\"1.500000\"/>\n"},
	{{.name = "a", .classname = "b.c", .result = KTAP_PASSED, .text = "x\n", .time_us = -1},
	 COUNTS(1, 0, 0, 0) " time=\"0.000000\"",
	 "    <testcase name=\"a\" classname=\"b.c\" time=\"0.000000\">\n"
	 "      <system-out>x\n</system-out>\n    </testcase>\n"},
	{{.name = "a", .result = KTAP_FAILED, .message = "exit 1", .text = "", .time_us = 1},
	 COUNTS(1, 1, 0, 0) " time=\"0.000001\"",
	 "    <testcase name=\"a\" classname=\"all\" time=\"0.000001\">\n"
	 "      <failure message=\"exit 1\"/>\n    </testcase>\n"},
	{{.name = "a", .result = KTAP_TIMEOUT},
	 COUNTS(1, 1, 0, 0) " time=\"0.000000\"",
	 "    <testcase name=\"a\" classname=\"all\" time=\"0.000000\">\n"
	 "      <failure message=\"took too long\"/>\n    </testcase>\n"},
	{{.name = "a", .result = KTAP_ERROR, .message = ""},
	 COUNTS(1, 0, 1, 0) " time=\"0.000000\"",
	 "    <testcase name=\"a\" classname=\"all\" time=\"0.000000\">\n"
	 "      <error message=\"has no result\"/>\n    </testcase>\n"},
	{{.name = "a", .result = KTAP_SKIPPED},
	 COUNTS(1, 0, 0, 1) " time=\"0.000000\"",
	 "    <testcase name=\"a\" classname=\"all\" time=\"0.000000\">\n"
	 "      <skipped/>\n    </testcase>\n"},
	{{.name = "a", .result = KTAP_XFAIL, .message = "known"},
	 COUNTS(1, 0, 0, 1) " time=\"0.000000\"",
	 "    <testcase name=\"a\" classname=\"all\" time=\"0.000000\">\n"
	 "      <skipped message=\"known\"/>\n    </testcase>\n"},
	/* In an attribute blanks are kept by references; "]]>" is none in a text. */
	{{.name = "<a & \"b'\t\n\r>", .result = KTAP_PASSED, .text = "]]> & <\t\"\r\n"},
	 COUNTS(1, 0, 0, 0) " time=\"0.000000\"",
	 "    <testcase name=\"&lt;a &amp; &quot;b'&#9;&#10;&#13;&gt;\" classname=\"all\" "
	 "time=\"0.000000\">\n"
	 "      <system-out>]]&gt; &amp; &lt;\t\"&#13;\n</system-out>\n    </testcase>\n"},
	/* Good: 2, 3 and 4 bytes. */
	{{.name = "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f", .result = KTAP_PASSED},
	 COUNTS(1, 0, 0, 0) " time=\"0.000000\"",
	 "    <testcase name=\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f\" classname=\"all\" "
	 "time=\"0.000000\"/>\n"},
};

START_TEST(test_cases)
{
	char wanted[1024];

	begin();
	junit_add_case(junit, &cases[_i].add);
	end();
	snprintf(wanted, sizeof(wanted),
		 HEAD "<testsuites name=\"all\"%s>\n  <testsuite name=\"all\"%s>\n%s"
		      "  </testsuite>\n</testsuites>\n",
		 cases[_i].counts, cases[_i].counts, cases[_i].inside);
	ck_assert_str_eq(text, wanted);
}
END_TEST

/* Each of these bytes is no character, or one that XML forbids: how many U+FFFD there are. */
static const struct {
	const char *bytes;
	unsigned count;
} forbidden[] = {
	{"\x01", 1},         {"\x1b", 1},
	{"\x80", 1},         {"\xff", 1},
	{"\xc3", 1},         {"\xc0\x80", 2} /* overlong */,
	{"\xe0\x80\xaf", 3}, {"\xed\xa0\x80", 3} /* a surrogate */,
	{"\xef\xbf\xbe", 1}, {"\xef\xbf\xbf", 1},
	{"\xe2\x82", 2},     {"\xf4\x90\x80\x80", 4} /* beyond U+10FFFF */,
	{"\xf0\x9f\x98", 3}, {"\xf8\x88\x80\x80\x80", 5},
};

START_TEST(test_forbidden)
{
	char line[64];
	char wanted[64];

	begin();
	snprintf(line, sizeof(line), "[%s]", forbidden[_i].bytes);
	junit_add_case(junit, &(struct junit_case){.name = line, .text = line});
	end();
	snprintf(wanted, sizeof(wanted), "<system-out>[%.*s]</system-out>",
		 (int)(3 * forbidden[_i].count),
		 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	ck_assert_ptr_nonnull(strstr(text, wanted));
}
END_TEST

START_TEST(test_suites)
{
	begin();
	junit_suite(junit, "empty", 2000000);
	junit_suite(junit, "k<unit", 3000001);
	add_report("KTAP version 1\n1..3\n"
		   "  KTAP version 1\n  # Subtest: outer\n  1..2\n"
		   "    KTAP version 1\n    1..1\n    # no\n    not ok 1 deep\n"
		   "  not ok 1 inner\n  ok 2 flat\n"
		   "not ok 1 outer\nok 2 single # SKIP why\n");
	junit_suite(junit, "other", -1);
	add_report("ok 1\n");
	junit_add_case(junit, &(struct junit_case){.name = "a", .time_us = 10});
	end();
	ck_assert_str_eq(
		text,
		HEAD "<testsuites name=\"all\"" COUNTS(
			5, 1, 1,
			1) " time=\"5.000011\">\n"
			   "  <testsuite name=\"empty\"" COUNTS(
				   0, 0, 0,
				   0) " time=\"2.000000\">\n"
				      "  </testsuite>\n"
				      "  <testsuite name=\"k&lt;unit\"" COUNTS(
					      4, 1, 1,
					      1) " time=\"3.000001\">\n"
						 "    <testcase name=\"deep\" "
						 "classname=\"outer.inner\" time=\"0.000000\">\n"
						 "      <failure message=\"failed\"/>\n"
						 "      <system-out>no\n</system-out>\n"
						 "    </testcase>\n"
						 "    <testcase name=\"flat\" classname=\"outer\" "
						 "time=\"0.000000\"/>\n"
						 "    <testcase name=\"single\" "
						 "classname=\"k&lt;unit\" time=\"0.000000\">\n"
						 "      <skipped message=\"why\"/>\n"
						 "    </testcase>\n"
						 "    <testcase name=\"test 3\" "
						 "classname=\"k&lt;unit\" time=\"0.000000\">\n"
						 "      <error message=\"was planned, and never "
						 "reported\"/>\n"
						 "    </testcase>\n"
						 "  </testsuite>\n"
						 "  <testsuite name=\"other\"" COUNTS(
							 1, 0, 0, 0) " time=\"0.000010\">\n"
								     "    <testcase name=\"a\" "
								     "classname=\"other\" "
								     "time=\"0.000010\"/>\n"
								     "  </testsuite>\n"
								     "</testsuites>\n");
}
END_TEST

START_TEST(test_nothing)
{
	begin();
	end();
	ck_assert_str_eq(text,
			 HEAD "<testsuites name=\"all\"" COUNTS(0, 0, 0, 0) " time=\"0.000000\""
									    ">\n</testsuites>\n");
	junit_destroy(NULL);
}
END_TEST

/* What it cannot write it tells. */
START_TEST(test_full)
{
	struct error err = {0};
	FILE *full = fopen("/dev/full", "we");

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(junit_begin(&junit, full, "all"), 0);
	junit_add_case(junit, &(struct junit_case){.name = "a"});
	ck_assert_int_eq(junit_end(junit, &err), -ENOSPC);
	ck_assert_str_eq(err.text,
			 "the file of results cannot be written: No space left on device");
	junit_destroy(junit);
	fclose(full);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_cases, ARRAY_SIZE(cases)),
	UNIT_LOOP(test_forbidden, ARRAY_SIZE(forbidden)),
	UNIT_CASE(test_suites),
	UNIT_CASE(test_nothing),
	UNIT_CASE(test_full),
	{0},
};

const char unit_name[] = "junit";
