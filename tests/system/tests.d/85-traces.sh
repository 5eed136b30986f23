# SPDX-License-Identifier: Apache-2.0
# armlet test: the source lines of a kernel's traces. What the tests here share with 85-test.sh
# stands there.
# shellcheck shell=sh disable=SC2154

# frames ARGUMENT...: a guest that crashes, and a vmlinux of the tests' own.
frames() {
	small --vmlinux "$ARMLET_PAYLOADS/payload_frames.elf" "$@" -- sh -c 'echo c >/proc/sysrq-trigger'
	expect_status 255
	expect_err 'the kernel panicked while the command ran: sysrq triggered crash'
}

describe trial_frames "armlet test: a panic's trace has its source lines, of vmlinux by addr2line" 90
test_trial_frames() {
	need_helper aarch64-linux-gnu-addr2line
	frames -o kept
	expect_err '^ write_sysrq_trigger+0x[0-9a-f/x]* (drivers/tty/sysrq.c:1164)$' \
		'^ pde_write (fs/proc/inode.c:340) (inlined)$' \
		'^ proc_reg_write+0x[0-9a-f/x]* (fs/proc/inode.c:352)$' '^ vfs_write+0x[0-9a-f/x]*$'
	said '^----$'
	for file in report.html junit.xml result.json; do
		grep -q ' proc_reg_write+0x[0-9a-f/x]* (fs/proc/inode.c:352)' "kept/$file" ||
			fail "$file has no source lines"
	done
	tr -d ' \n' <kept/result.json >flat
	grep -q '"symbol":"pde_write","inlined":true,"file":"fs/proc/inode.c","line":340}' flat &&
		grep -q '"symbol":"write_sysrq_trigger","offset":[0-9]*,"size":[0-9]*,"file":"drivers/tty/sysrq.c","line":1164}' flat ||
		fail "result.json: $(cat kept/result.json)"
	# Found beside the kernel as well.
	mkdir boot
	real=$(readlink -f "$(kernel "$guest")")
	cp "$real" boot/vmlinuz-1
	cp "$ARMLET_PAYLOADS/payload_frames.elf" boot/vmlinux-1
	armlet test -t 120 -k boot/vmlinuz-1 -m 256 -a "$quick" -i "$ARMLET_GUESTS/$guest/initrd.cpio" \
		--modules "${real%/*}"/lib/modules/* -- sh -c 'echo c >/proc/sysrq-trigger'
	expect_status 255
	expect_err '^ write_sysrq_trigger+0x[0-9a-f/x]* (drivers/tty/sysrq.c:1164)$'
}

# fake: standard input as addr2line, under each of its names.
fake() {
	mkdir -p bin
	cat >script
	for name in addr2line aarch64-linux-gnu-addr2line llvm-addr2line; do
		{
			echo '#!/bin/sh'
			cat script
		} >bin/$name
		chmod +x bin/$name
	done
}

describe trial_frames_lies "armlet test: an addr2line that is missing, lies, or never ends" 120
test_trial_frames_lies() {
	path=$PATH
	PATH=$DIR/bin:$PATH
	fake <<-'END'
		head -c 20000000 /dev/urandom
	END
	frames
	expect_err "armlet: the trace is without source lines: '.*': it has none (CONFIG_DEBUG_INFO)"
	fake <<-'END'
		: >"$DIR/asked"
		exec sleep 1000
	END
	export DIR
	start_small --verbose --vmlinux "$ARMLET_PAYLOADS/payload_frames.elf" -- sh -c 'echo c >/proc/sysrq-trigger'
	wait_until 100 test -e asked
	wait_until 10 grep -q "source lines are read from '.*' ..." err
	kill -INT "$PID"
	finish 10
	expect_status 255
	expect_err 'the trace is without source lines: '.*': addr2line was not done'
	rm -r bin
	PATH=$path
}

describe trial_frames_none "armlet test: without addr2line it says what to install" 60
test_trial_frames_none() {
	need_guest "$guest"
	STATUS=0
	env PATH=/nowhere "$ARMLET" test -t 120 -k "$(kernel "$guest")" -m 256 -a "$quick" \
		-i "$ARMLET_GUESTS/$guest/initrd.cpio" --vmlinux "$ARMLET_PAYLOADS/payload_frames.elf" \
		-- sh -c 'echo c >/proc/sysrq-trigger' >out 2>err || STATUS=$?
	expect_status 255
	said "the trace is without source lines: '.*': addr2line is needed to read it; install binutils"
}
