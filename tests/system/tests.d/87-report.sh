# SPDX-License-Identifier: Apache-2.0
# What armlet test --output has for people: the page and the chart of the boot.
# shellcheck shell=sh

# has FILE PATTERN: in the folder that was kept.
has() { grep -qe "$2" "kept/$1" || fail "$1 has not '$2'"; }

# lacks FILE PATTERN
lacks() { ! grep -qe "$2" "kept/$1" || fail "$1 has '$2'"; }

# Each < of a text is escaped: what is left has as many as >.
expect_balanced() {
	[ "$(tr -cd '<' <"kept/$1" | wc -c)" -eq "$(tr -cd '>' <"kept/$1" | wc -c)" ] ||
		fail "$1 has a < or a > that is not its own"
}

describe trial_report_passed "armlet test --output: the page and the chart of a boot, with its initcalls" 120
test_trial_report_passed() {
	small -a "$quick initcall_debug log_buf_len=1M" -o kept -- \
		sh -c 'printf "\033[32mgood\033[0m </pre><script>\n"; echo bad >&2; sleep 0.3'
	expect_status 0
	has boot.svg '^<svg xmlns='
	has boot.svg 'from start to command<'
	for phase in 'one CPU' core initramfs drivers ready init command; do
		has boot.svg ">$phase  [0-9.]* m*s<"
	done
	has boot.svg 'Initcalls: [0-9]*, together [0-9.]* m*s; the longest 40<'
	has boot.svg '>virtio_console_init  [0-9.]* '
	has boot.svg '>Exits to user space: [1-9][0-9]*, at most [0-9.]* in a millisecond<'
	lacks boot.svg 'did not return'
	has report.html "<header class='passed'>"
	has report.html '<h1>Passed</h1>'
	has report.html '<dt>Kernel</dt><dd>6\.1\.'
	has report.html "<span class='a2'>good</span> &lt;/pre&gt;&lt;script&gt;"
	has report.html "<b class='k'> Linux version"
	has report.html '^<svg xmlns='
	has report.html "<a href='result.json'>"
	lacks report.html '<script'
	lacks report.html "id='findings'"
	lacks report.html "href='vmcore'"
	expect_balanced report.html
	expect_balanced boot.svg
}

describe trial_report_panic "armlet test --output: a panic on the page, with its trace, and in the chart" 120
test_trial_report_panic() {
	small -o kept -- sh -c 'echo before; sleep 0.5; echo c >/proc/sysrq-trigger'
	expect_status 255
	has boot.svg '>command  .*, to a panic<'
	has boot.svg "<circle class='e'.*Kernel panic - not syncing: sysrq triggered crash"
	lacks boot.svg nitcalls
	has report.html "<header class='kernel'>"
	has report.html '<h1>Panicked</h1>'
	has report.html '^<p>the kernel panicked while the command ran: sysrq triggered crash'
	has report.html "<span class='tag'>panic</span> Kernel panic - not syncing"
	has report.html '^Call trace:'
	has report.html "<details id='console.log' class='box' open>"
	has report.html "<a href='vmcore'>"
	expect_balanced report.html
}

describe trial_report_full "armlet test --output: a disk without room for the page is an error" 60
test_trial_report_full() {
	mkdir full
	mount -t tmpfs -o size=96k none full || skip "no tmpfs can be mounted"
	small -a "$quick printk.devkmsg=on" -o full/kept -- sh -c 'head -c 32768 /dev/zero'
	umount full
	expect_status 125
	expect_err '^armlet test: --output: report.html cannot be written: the disk may be full'
}
