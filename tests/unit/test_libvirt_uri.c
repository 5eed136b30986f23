/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains from libvirt itself, through its own driver for tests, which needs no daemon and
 * knows what a file says.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "libvirt_bench.h"
#include "unit.h"

/* The search for leaks does not come through the threads of what libvirt is linked with. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static struct error err;

#define NODE                                                                         \
	"<node>" DOMAIN_GUEST "<network><name>n</name><bridge name='b0'/></network>" \
	"<pool type='dir'><name>p</name><target><path>/pool</path></target>"         \
	"<volume><name>v</name><capacity>1048576</capacity></volume></pool></node>"

START_TEST(test_uri)
{
	struct domain_file file = domain_file(NODE);
	static struct run_options run;

	ck_assert_msg(domain_line("--libvirt|test://FILE/guest", &file, &run, &err) == 0, "%s",
		      err.text);
	ck_assert_str_eq(run.name, "guest");
	ck_assert_uint_eq(run.machine.disk_count, 1);
	ck_assert_str_eq(run.machine.disks[0].file, "/pool/v");
	ck_assert_str_eq(run.machine.disks[0].format, "raw");
	ck_assert_uint_eq(run.machine.net_count, 1);
	ck_assert_int_eq(run.machine.nets[0].mode, NET_MODE_TAP);
	ck_assert_str_eq(run.machine.nets[0].bridge, "b0");
	ck_assert_ptr_nonnull(run.machine.nets[0].mac);
	run_options_finish(&run);
	/* By its UUID. */
	ck_assert_int_eq(domain_line("--libvirt|test://FILE/be3bf5a1-c8da-4d13-b7a3-c0df58a50481",
				     &file, &run, &err),
			 0);
	ck_assert_str_eq(run.name, "guest");
	run_options_finish(&run);
	unlink(file.path);
}
END_TEST

static const struct {
	const char *line;
	int r;
	const char *says; /* in it */
} uri_rows[] = {
	{"--libvirt|test://FILE/other", -ENOENT, ": libvirt has no domain 'other' there"},
	{"--libvirt|test://FILE/", -EINVAL,
	 ": name the domain behind the URI: test:///tmp/armlet-"},
	{"--libvirt|test:///none/file.xml/x", -EIO, "/x: libvirt says: "},
	{"--libvirt|nonsense:///x/y", -EIO, "nonsense:///x/y: libvirt says: "},
	{"--libvirt|test:///default/test", -EINVAL,
	 "/domain/os/type/@arch: this machine is of 'i686', and armlet's are of aarch64"},
};

START_TEST(test_bad_uri)
{
	struct domain_file file = domain_file(NODE);
	static struct run_options run;

	capture_stderr();
	ck_assert_int_eq(domain_line(uri_rows[_i].line, &file, &run, &err), uri_rows[_i].r);
	ck_assert_msg(!strncmp(err.text, "--libvirt ", 10), "%s", err.text);
	ck_assert_msg(strstr(err.text, uri_rows[_i].says), "%s", err.text);
	ck_assert_ptr_null(strchr(err.text, '\n'));
	ck_assert_str_eq(captured_stderr(), "");
	unlink(file.path);
}
END_TEST

/* What is not in that libvirt is lacking. */
START_TEST(test_unknown_there)
{
	struct domain_file file = domain_file("<node>" DOMAIN_GUEST "</node>");
	static struct run_options run;

	ck_assert_int_eq(domain_line("--libvirt|test://FILE/guest", &file, &run, &err),
			 -EOPNOTSUPP);
	ck_assert_msg(strstr(err.text, "/domain/devices/disk/source: libvirt says: "), "%s",
		      err.text);
	ck_assert_msg(strstr(err.text, "/domain/devices/interface/source: libvirt says: "), "%s",
		      err.text);
	run_options_finish(&run);
	capture_stderr();
	ck_assert_int_eq(domain_line("--libvirt|test://FILE/guest|--lenient", &file, &run, &err),
			 0);
	ck_assert_uint_eq(count_text(captured_stderr(), ": libvirt says: "), 2);
	run_options_finish(&run);
	unlink(file.path);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_CASE(test_uri),
	UNIT_LOOP(test_bad_uri, ARRAY_SIZE(uri_rows)),
	UNIT_CASE(test_unknown_there),
	{0},
};
const char unit_name[] = "libvirt_uri";
