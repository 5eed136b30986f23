/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first program of the guest that `armlet test` boots: it makes the root that was asked
 * for, runs the command there, passes on what that prints and is given, and tells the host how
 * it ended (trial/wire.h). It is the guest's only program besides the command, has no library,
 * and leaves nothing to be installed.
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <sys/utsname.h>

#include "init.h"

static struct init the_init;

static void power_off(void) __attribute__((noreturn));

static void power_off(void)
{
	SYS0(sync);
	for (;;)
		SYS4(reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF,
		     0);
}

/* As an error of the kernel's, which is on a quiet console, too. */
static void tell_console(const char *text)
{
	long fd = SYS4(openat, AT_FDCWD, "/dev/kmsg", O_WRONLY | O_CLOEXEC, 0);
	char line[600];

	text_join(line, sizeof(line), "<3>" JOB_COMPLAINT, text, "\n");
	if (fd >= 0)
		SYS3(write, fd, line, strlen(line));
}

void give_up(struct init *init, const char *what, long error)
{
	char number[TEXT_NUMBER_MAX], text[512];

	if (error < 0)
		text_join(text, sizeof(text), what, " (errno ",
			  text_of(number, (unsigned long)-error), ")");
	else
		text_join(text, sizeof(text), what);
	if (init->port < 0) {
		tell_console(text);
		power_off();
	}
	say(init, WIRE_SAY, text);
	send_verdict(init, WIRE_END_SET_UP, (uint32_t)(error < 0 ? -error : 0));
	power_off();
}

static void greet(struct init *init)
{
	struct utsname names = {0};

	SYS1(uname, &names);
	send_frame(init, WIRE_HELLO, names.release, strlen(names.release));
	flush_port(init);
}

static void ignore_signals(void)
{
	/* Linux, arch/arm64: struct sigaction has handler, flags, restorer and a mask of 8 bytes.
	 */
	const unsigned long ignore[4] = {(unsigned long)SIG_IGN};

	SYS4(rt_sigaction, SIGPIPE, ignore, 0, 8);
}

/* Everything of the command's that is left: what it has started in the background. */
static void end_rest(void)
{
	SYS2(kill, -1, SIGKILL);
	leave_root();
}

void init_main(void) __attribute__((noreturn));

void init_main(void)
{
	struct init *init = &the_init;
	long error;

	init->port = init->kernel = init->input = init->outputs = init->errors = -1;
	mount_basics();
	ignore_signals();
	read_job(init);
	load_modules(init);
	open_port(init);
	greet(init);
	make_root(init);
	open_log(init);
	/* Nothing but to boot was asked for. */
	if (!init->job.word_count) {
		send_frame(init, WIRE_STARTED, NULL, 0);
		send_verdict(init, WIRE_END_EXITED, 0);
		power_off();
	}
	error = start_command(init);
	if (error) {
		send_verdict(init, WIRE_END_NOT_RUN, (uint32_t)error);
	} else {
		send_frame(init, WIRE_STARTED, NULL, 0);
		flush_port(init);
		serve(init);
	}
	end_rest();
	power_off();
}

__asm__(".globl _start\n"
	"_start:\n"
	"	mov	x29, #0\n"
	"	mov	x30, #0\n"
	"	b	init_main\n");
