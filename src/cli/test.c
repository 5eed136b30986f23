/* SPDX-License-Identifier: Apache-2.0 */
/* armlet test: boot the kernel that was just built, run a command in it, and judge. */
#include <string.h>

#include "base/log.h"
#include "test.h"

#define TIMEOUT      3600
#define BOOT_TIMEOUT 120
#define BUILT        "arch/arm64/boot/Image" /* in the kernel's own tree */

void test_init(struct test *test)
{
	run_init(&test->run);
	test->run.test = test;
	test->run.options.timeout = TIMEOUT;
	test->run.options.machine.watchdog = CONFIG_WATCHDOG_NONE;
	test->options.boot_timeout = BOOT_TIMEOUT;
	test->matrix.retries = MATRIX_RETRIES;
	test->fd = test->port_fd = test->initrd_fd = -EBADF;
}

/* What of the kernel's log counts. */
static int read_log_options(struct test *test, struct error *err)
{
	int r;

	test->fail_on = KLOG_FAIL_DEFAULT;
	r = test->options.fail_on ? klog_parse_kinds(test->options.fail_on, &test->fail_on, err)
				  : 0;
	if (r < 0)
		return r;
	r = klog_create(&test->klog);
	return r < 0 ? error_set_errno(err, -r, "the kernel's log") : test_open_results(test, err);
}

static int check(struct test *test, struct error *err)
{
	struct machine_config *config = &test->run.options.machine;

	if (!config->kernel && access(BUILT, R_OK) == 0)
		config->kernel = BUILT;
	if (!config->kernel)
		return error_set(err, EINVAL,
				 "there is no kernel; give one with -k, or be in the top of a "
				 "kernel's tree that has " BUILT);
	if (test->options.kunit && (test->options.word_count || test->options.root))
		return error_set(err, EINVAL,
				 "--kunit: the kernel is the test, without a %s of yours",
				 test->options.root ? "--root" : "command");
	if (config->port_count == MACHINE_MAX_PORTS)
		return error_set(err, E2BIG,
				 "--port: there may be %d beside the one that armlet needs",
				 MACHINE_MAX_PORTS - 1);
	/* A guest that resets has failed. */
	config->no_reboot = true;
	/* As one that hangs: it is for us to end it. */
	if (config->watchdog)
		config->watchdog = CONFIG_WATCHDOG_NONE;
	test->terminal = test->options.terminal == CONFIG_ON ||
			 (test->options.terminal == CONFIG_AUTO && isatty(STDIN_FILENO) &&
			  isatty(STDOUT_FILENO));
	return read_log_options(test, err);
}

/* Everything that can be refused before there is a guest. */
static int prepare(struct test *test, struct error *err)
{
	int r = check(test, err);

	if (r == 0)
		r = run_check_options(&test->run, err);
	if (r == 0 && !test->options.kunit)
		kconfig_find(test->run.options.machine.kernel, &test->kconfig);
	if (r == 0)
		r = test_check_vmlinux(test, err);
	if (r == 0)
		r = test_plan_root(test, err);
	if (r == 0)
		r = test_build_initramfs(test, err);
	/* Last, so that what is refused leaves no folder behind. */
	return r < 0 ? r : test_open_output(test, err);
}

int test_main(int argc, char **argv)
{
	_cleanup_free_ struct test *test = calloc(1, sizeof(*test));
	struct error err = {0};
	int status;

	if (!test)
		return fail_with("test", &(struct error){.text = "there is no memory"});
	test_init(test);
	if (!parse_or_end(&test_table, argc, argv, test, &status))
		return status;
	if (matrix_check(test, &err) < 0)
		return fail_with("test", &err);
	if (test->matrix.file)
		return matrix_main(test);
	log_set_level((enum log_level)test->run.options.log_level);
	if (prepare(test, &err) < 0) {
		status = fail_with("test", &err);
		test_close(test);
		return status;
	}
	status = run_whole(&test->run, "test");
	test_close(test);
	return status;
}
