# SPDX-License-Identifier: Apache-2.0
# armlet test: a command in a guest, its verdict, and what a kernel's failures look like.
# shellcheck shell=sh

# What makes a boot of the emulated host's guests quick, as for linux.
quick='cryptomgr.notests kpti=off'

# judge ARGUMENT...: armlet test with the usual guest.
judge() {
	need_guest "$guest"
	armlet test -t 120 -k "$(kernel "$guest")" -m 256 -a "$quick" "$@"
}

# small ARGUMENT...: its root is the small guest's initramfs.
small() { judge -i "$ARMLET_GUESTS/$guest/initrd.cpio" "$@"; }

start_small() {
	need_guest "$guest"
	start test -t 120 -k "$(kernel "$guest")" -m 256 -a "$quick" -i "$ARMLET_GUESTS/$guest/initrd.cpio" "$@"
}

# said PATTERN: the last line of standard error.
said() { tail -n 1 err | grep -qe "$1" || fail "the last sentence is not '$1'"; }

result() { sed -n "s/^  \"$1\": *\"*\([^\",]*\)\"*,*$/\1/p" kept/result.json; }

expect_result() { [ "$(result "$1")" = "$2" ] || fail "result.json: $1 is '$(result "$1")', not '$2'"; }

describe trial_status "armlet test: the command's status, its outputs apart and byte for byte" 90
test_trial_status() {
	small -- sh -c 'echo out; echo err >&2; printf "\000\377\r\n"; exit 7'
	expect_status 7
	printf 'out\n\000\377\r\n' >wanted
	cmp wanted out || fail "standard output is not as it was written"
	[ "$(cat err)" = err ] || fail "standard error is not as it was written"
	small -- true
	expect_status 0
	# shellcheck disable=SC2016 # the guest's shell's
	small -- sh -c 'kill -USR1 $$'
	expect_status 138
	small -- nosuch
	expect_status 127
	said "'nosuch' was not found in the guest"
	small -- /etc
	expect_status 126
	said "'/etc' cannot be executed: Permission denied"
	small
	expect_status 0
	expect_silence
	# Only init may say that it gave up, and not when the command runs.
	small -- sh -c 'echo "<3>armlet-init: not me" >/dev/kmsg; sleep 1; exit 3'
	expect_status 3
}

describe trial_input "armlet test: standard input goes to the command, to its end" 60
test_trial_input() {
	head -c 2000000 /dev/urandom >much
	# shellcheck disable=SC2002 # a pipe it is to be
	cat much | small -- md5sum
	[ "$(cut -c1-32 out)" = "$(md5sum <much | cut -c1-32)" ] || fail "it is not what was sent"
	small -- cat <much
	cmp much out || fail "it did not come back as it was sent"
	small -- cat </dev/null
	expect_status 0
	[ ! -s out ] || fail "there was nothing to come"
}

describe trial_much "armlet test: a command that prints without end costs no memory, and loses nothing" 240
test_trial_much() {
	megabytes=64
	[ -z "${ARMLET_LONG:-}" ] || megabytes=1024
	mkfifo slow
	start_small -- sh -c "dd if=/dev/zero bs=65536 count=$((megabytes * 16)) 2>/dev/null
		dd if=/dev/zero bs=65536 count=$((megabytes * 16)) >&2 2>/dev/null" </dev/null
	finish 230
	expect_status 0
	[ "$(wc -c <out)" -eq $((megabytes << 20)) ] && [ "$(wc -c <err)" -eq $((megabytes << 20)) ] ||
		fail "$(wc -c <out) and $(wc -c <err) bytes came"
	# Who reads slowly makes the command wait, and armlet stays small.
	"$ARMLET" test -k "$(kernel "$guest")" -m 256 -a "$quick" -i "$ARMLET_GUESTS/$guest/initrd.cpio" \
		-- dd if=/dev/zero bs=65536 count=128 </dev/null >slow 2>err &
	PID=$!
	exec 4<slow
	sleep $((2 * slowness))
	before=$(resident "$PID")
	sleep 3
	expect_at_most $(($(resident "$PID") - before)) 1000 "kB that armlet grew while it waited"
	[ "$(cat <&4 | wc -c)" -eq $((8 << 20)) ] || fail "bytes are missing"
	exec 4<&-
	wait "$PID" || fail "the status is $?"
}

describe trial_children "armlet test: a command's end is the end, whatever it leaves behind or has closed" 60
test_trial_children() {
	small -- sh -c '(while :; do echo more; sleep 1; done) & echo first; exit 3'
	expect_status 3
	expect_out '^first'
	small -- sh -c 'exec >&- 2>&-; exit 4'
	expect_status 4
	small -- sh -c 'exec sleep 0.2'
	expect_status 0
}

describe trial_host_root "armlet test: the host's root by 9p, with what is written there forgotten" 90
test_trial_host_root() {
	need_helper diod
	echo "of the host" >file
	judge --root "/:fs=9p" -w "$DIR" -- /bin/sh -c 'pwd; cat file; echo changed >file; cat file; mkdir /newdir && ls -d /newdir'
	expect_status 0
	printf '%s\nof the host\nchanged\n/newdir\n' "$DIR" >wanted
	cmp wanted out || fail "it printed: $(cat out)"
	[ "$(cat file)" = "of the host" ] || fail "the host's file was changed"
	[ ! -e /newdir ] || fail "the host has a new folder"
	judge --root "/:fs=9p" --rw -w "$DIR" -- /bin/sh -c 'echo changed >file'
	expect_status 0
	[ "$(cat file)" = changed ] || fail "--rw did not write"
}

describe trial_volumes "armlet test: volumes are mounted at their paths" 60
test_trial_volumes() {
	need_helper diod
	mkdir given kept_here
	echo given >given/file
	small -v "$DIR/given:/mnt/given:ro:fs=9p" -v "$DIR/kept_here:/mnt/deep/er:fs=9p" -- \
		sh -c 'cat /mnt/given/file; echo new >/mnt/deep/er/file; echo no >/mnt/given/other'
	expect_status 1
	expect_out '^given$'
	[ "$(cat kept_here/file)" = new ] || fail "what was written is not there"
	[ ! -e given/other ] || fail "a read-only folder was written to"
}

describe trial_disk_root "armlet test: a disk as the root, which stays as it was" 90
test_trial_disk_root() {
	[ -e "$ARMLET_GUESTS/tools.img" ] || skip "there is no disk of tools"
	judge --root "$ARMLET_GUESTS/tools.img" -- fio --version
	expect_status 0
	expect_out '^fio-'
	head -c 1048576 /dev/zero >empty.img
	judge --root empty.img -- true
	expect_status 125
	said 'no root can be mounted from the disk /dev/vda: it has no file system that this kernel can read'
	head -c 3145728 "$ARMLET_GUESTS/tools.img" >cut.img
	judge --root cut.img -- true
	[ "$STATUS" -ne 0 ] || fail "a truncated disk is no root"
	said '^armlet test: '
}

describe trial_surroundings "armlet test: environment, user, umask and folder are carried in" 90
test_trial_surroundings() {
	need_helper diod
	printf 'A=1\n# no\nB=two words\nHERE\n' >variables
	export HERE=there
	small -e C=x=y -e HERE -e UNSET_ANYWHERE --env-file variables -- env
	expect_out '^A=1$' '^B=two words$' '^C=x=y$' '^HERE=there$' '^HOME=/root$' '^PATH=/usr/local/sbin'
	expect_no_out UNSET
	umask 027
	small -w /proc -u 12:34 -- sh -c 'umask; pwd; id -u; id -g'
	umask 022
	printf '0027\n/proc\n12\n34\n' >wanted
	cmp wanted out || fail "it printed: $(cat out)"
	small -w /nosuch -- true
	expect_status 126
	said "the folder '/nosuch' cannot be entered in the guest (errno 2)"
	printf 'root:x:0:0::/:\nsomebody:x:77:88::/:' >passwd
	mkdir etc && mv passwd etc
	small -v "$DIR/etc:/etc:fs=9p" -u somebody -- id -u
	expect_out '^77$'
	small -u nobodyatall -- id -u
	expect_status 126
	said "the guest's /etc/passwd has no user 'nobodyatall'"
}

describe trial_terminal "armlet test: on a terminal the command has one, of its size, and input as typed" 60
test_trial_terminal() {
	need_guest "$guest"
	cat >steps <<-'END'
		size 101 33
		raw
		expect guest-ready
		send stty size\r
		expect 33 101
		size 90 20
		send sleep 0.5; stty size\r
		expect 20 90
		send tty; exit 5\r
		expect /dev/pts/0
		restored
		status 5
	END
	cat >quits <<-'END'
		raw
		expect guest-ready
		send \x01x
		restored
		status 130
	END
	"$ARMLET_TOOLS/pty" "$ARMLET" test -k "$(kernel "$guest")" -m 256 -a "$quick" \
		-i "$ARMLET_GUESTS/$guest/initrd.cpio" -e 'PS1=guest-ready# ' -- sh <steps >out 2>err ||
		fail "the conversation went wrong"
	"$ARMLET_TOOLS/pty" "$ARMLET" test -k "$(kernel "$guest")" -m 256 -a "$quick" \
		-i "$ARMLET_GUESTS/$guest/initrd.cpio" -e 'PS1=guest-ready# ' -- sh <quits >out 2>err ||
		fail "Ctrl-a x is no success"
}

describe trial_signals "armlet test: a signal is passed on to the command, a second one is the end" 60
test_trial_signals() {
	start_small -- sh -c 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for '^ready'
	kill -TERM "$PID"
	finish
	expect_status 9
	expect_out '^caught'
	start_small -- sh -c 'trap "" INT; echo ready; while :; do sleep 0.1; done'
	wait_for '^ready'
	kill -INT "$PID"
	kill -INT "$PID"
	sleep 1
	kill -INT "$PID" 2>/dev/null || true
	finish
	expect_status 130
	said 'ended from outside while the command ran'
}

describe trial_panic "armlet test: a panic is 255 with its reason and the log's end, whatever panic= says" 120
test_trial_panic() {
	for panic in 0 -1 1; do
		small -a "$quick panic=$panic" -o kept -- sh -c 'echo before; sleep 0.5; echo c >/proc/sysrq-trigger'
		expect_status 255
		expect_out '^before'
		expect_err 'Kernel panic - not syncing: sysrq triggered crash' 'Call trace:' 'write_sysrq_trigger'
		said '^armlet test: the kernel panicked while the command ran: sysrq triggered crash'
		expect_result verdict panic
		grep -q 'Kernel panic' kept/console.log || fail "console.log has no panic"
		grep -q 'Linux version' kept/kernel.log || fail "kernel.log has not the whole log"
	done
}

describe trial_vmcore "armlet test --output: after a panic there is the guest's memory" 90
test_trial_vmcore() {
	tree_of gdb.img
	small -o kept -- sh -c 'echo c >/proc/sysrq-trigger'
	expect_status 255
	[ "$(stat -c %a kept/vmcore)" = 600 ] || fail "others may read it"
	chroot tree gdb -nx -batch -ex 'core-file /tmp/kept/vmcore' -ex 'info threads' -ex 'info registers pc' \
		>seen 2>&1 || fail "gdb: $(cat seen)"
	grep -q '^pc *0xffff' seen || fail "gdb does not find the kernel in it: $(cat seen)"
}

describe trial_oops "armlet test: an oops in the kernel is found, and fails a test that succeeds" 90
test_trial_oops() {
	need_gicv3
	# A driver of the kernel's takes an external abort, of which only one process dies.
	fault=rtc0+0,do=abort,access=read,nth=20,count=1
	# It dies with locks held: of the clock, so those behind it wait for ever, and of what it
	# was writing to, which may not be the pipe that init reads.
	script='i=0; while [ $((i += 1)) -lt 30 ]; do cat /sys/class/rtc/rtc0/since_epoch >/dev/null & done; sleep 1; true'
	small -o kept --fault "$fault" -- sh -c "$script"
	expect_status 255
	said "the command succeeded, but not the kernel: oops, '.*Internal error: synchronous external abort"
	grep -q '"kind": "oops"' kept/result.json || fail "result.json does not tell of it"
	small --fail-on none --fault "$fault" -- sh -c "$script"
	expect_status 0
}

describe trial_lockup "armlet test: a CPU that does not come out of the kernel is a lock-up" 120
test_trial_lockup() {
	small -c 2 -m 512 -o kept --fault rtc0+0,do=pass,delay=12000,access=read,nth=20,count=1 -- sh -c '
		echo 2 >/proc/sys/kernel/watchdog_thresh
		echo 3 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
		(while :; do cat /proc/uptime >/dev/null; done) &
		sleep 1
		i=0
		while [ $((i += 1)) -lt 30 ]; do cat /sys/class/rtc/rtc0/since_epoch; done
		sleep 1'
	expect_status 255
	said "the command succeeded, but not the kernel: "
	grep -q '"kind": "rcu-stall"' kept/result.json || fail "the stall was not found: $(cat kept/kernel.log)"
}

describe trial_init_killed "armlet test: a guest whose init dies has panicked, and that is said" 60
test_trial_init_killed() {
	# Its text becomes zeros, which are no instructions.
	# shellcheck disable=SC2016 # the guest's shell's
	small -o kept -- sh -c '
		text=$(sed -n "s/-.* r-xp .*//p" /proc/1/maps | head -n 1)
		dd if=/dev/zero of=/proc/1/mem bs=4096 count=2 seek=$((0x$text / 4096)) conv=notrunc
		echo and now
		sleep 60'
	expect_status 255
	said 'the kernel panicked while the command ran: Attempted to kill init! exitcode=0x0000000[4b]'
	expect_result verdict panic
	grep -q '"kind": "init-killed"' kept/result.json || fail "result.json: $(cat kept/result.json)"
}

describe trial_hung_task "armlet test --fail-on hung-task: who waits for a frozen file system is found" 60
test_trial_hung_task() {
	[ -e "$ARMLET_GUESTS/tools.img" ] || skip "there is no disk of tools"
	hang='mkdir /mnt
		mount /dev/vda /mnt || exit
		echo 1 >/proc/sys/kernel/hung_task_timeout_secs
		fsfreeze --freeze /mnt || exit
		touch /mnt/file &
		sleep 5'
	small -o kept --modprobe ext4 -d "$ARMLET_GUESTS/tools.img,ephemeral" --fail-on hung-task -- sh -c "$hang"
	expect_status 255
	said "the command succeeded, but not the kernel: hung-task, 'INFO: task touch:[0-9]* blocked for more than"
	grep -q '__percpu_rwsem_down_read\|percpu_rwsem_wait' kept/result.json || fail "there is no trace of it"
}

describe trial_oom "armlet test --fail-on oom: a process that is killed for want of memory is found" 90
test_trial_oom() {
	small -o kept --fail-on oom -- sh -c 'tail /dev/zero; true'
	expect_status 255
	said "the command succeeded, but not the kernel: oom, '.*Out of memory: Killed process"
	grep -q '"kind": "oom"' kept/result.json || fail "result.json: $(cat kept/result.json)"
}

describe trial_warn "armlet test --fail-on: what else of the kernel's fails a test" 60
test_trial_warn() {
	warn='echo "<4>WARNING: CPU: 0 PID: 1 at kernel/foo.c:12 foo+0x12/0x20" >/dev/kmsg'
	small -- sh -c "$warn"
	expect_status 0
	small --fail-on default,warn -- sh -c "$warn"
	expect_status 255
	said "the command succeeded, but not the kernel: warn, 'WARNING: CPU: 0 PID: 1 at kernel/foo.c:12"
	small --fail-on warn -- sh -c "$warn; exit 3"
	expect_status 3
}

describe trial_ends "armlet test: a guest that resets, powers off or suspends its init is told apart" 90
test_trial_ends() {
	small -- sh -c 'echo b >/proc/sysrq-trigger; sleep 100'
	expect_status 255
	said 'the guest reset itself while the command ran'
	small -- sh -c 'echo o >/proc/sysrq-trigger; sleep 100'
	expect_status 255
	said "the guest powered off while the command ran, and the command's status is not known"
	# A stopped init answers nobody; what it has said counts, and there is an end.
	small -t 20 -- sh -c 'echo before; kill -STOP 1; exec sleep 1000'
	expect_status 124
	expect_out '^before'
}

describe trial_timeouts "armlet test: the limits of boot, silence and time are 124, each with its sentence" 90
test_trial_timeouts() {
	small -t 8 -- sleep 1000
	expect_status 124
	said 'timed out after 8 s (--timeout), while the command ran'
	small --quiet-timeout 3 -- sh -c 'echo a; sleep 1; echo b; exec sleep 1000'
	expect_status 124
	said 'nothing was printed for 3 s (--quiet-timeout), while the command ran'
	printf '^a$\n^b$\n' | while read -r line; do expect_out "$line"; done
	small --boot-timeout 6 -a "$quick rdinit=/bin/sleep" -- true
	[ "$STATUS" -ne 0 ] || fail "there was no init"
	# A payload is no kernel that knows init.
	armlet test --boot-timeout 2 -k "$(payload_path idle)" --root none -- true
	expect_status 124
	said 'the guest had not begun the command after 2 s (--boot-timeout), while it booted'
}

describe trial_no_init "armlet test: a kernel that finds no root says why" 60
test_trial_no_init() {
	small -a "$quick rdinit=/nosuch" -- true
	expect_status 255
	said 'while it booted: VFS: Unable to mount root fs on unknown-block(0,0); the kernel has no root file system'
	# One without drivers: the modules of the guest's kernel are not found beside a copy.
	cp "$(kernel "$guest")" copied
	armlet test -k copied -i "$ARMLET_GUESTS/$guest/initrd.cpio" -m 256 -a "$quick" -- true
	expect_status 125
	said 'the kernel has no driver for virtio consoles: it needs CONFIG_VIRTIO_MMIO and CONFIG_VIRTIO_CONSOLE, or --modules'
	mkdir none && : >none/modules.dep
	small --modules none --modprobe dummy -- true
	expect_status 125
}

describe trial_output "armlet test --output: logs, outputs and the result in a folder" 60
test_trial_output() {
	small -o kept -- sh -c 'echo out; echo err >&2; echo "<4>hello kernel" >/dev/kmsg; exit 2'
	expect_status 2
	[ "$(cat kept/stdout)" = out ] && [ "$(cat kept/stderr)" = err ] || fail "its outputs are not there"
	grep -q 'Linux version 6\.1' kept/kernel.log && grep -q 'hello kernel' kept/kernel.log ||
		fail "kernel.log is not whole"
	expect_result verdict exited
	expect_result status 2
	result release | grep -q '^6\.1\.' || fail "the release is '$(result release)'"
	small -o /proc/nosuch -- true
	expect_status 125
	expect_err '^armlet test: --output /proc/nosuch: '
}

describe trial_full_disk "armlet test --output: a disk that is full is 125, not a verdict without its evidence" 60
test_trial_full_disk() {
	mkdir full
	mount -t tmpfs -o size=64k none full || skip "no tmpfs can be mounted"
	small -o full/kept -- sh -c 'head -c 1048576 /dev/zero'
	umount full
	expect_status 125
	expect_err '^armlet test: --output: .* cannot be written: the disk may be full'
}

describe trial_verbose "armlet test --verbose: the kernel's log as it comes" 60
test_trial_verbose() {
	small --verbose -- echo fine
	expect_status 0
	[ "$(cat out)" = fine ] || fail "standard output is not the command's alone"
	expect_err 'Booting Linux on physical CPU' 'Run /.armlet/init as init process'
}

describe trial_kernels "armlet test: on other kernels, whose modules are compressed or built in" 240
test_trial_kernels() {
	need_helper diod
	for guest in 6.12 7.3; do
		judge --root /:fs=9p -- /bin/sh -c 'uname -r; cat'
		expect_status 0
		expect_out "^${guest%%-*}"
	done
}

describe trial_many "armlet test: 24 of them, two at a time, leave nothing behind" 300
test_trial_many() {
	i=0
	while [ $i -lt 24 ]; do
		"$ARMLET" test -k "$(kernel "$guest")" -m 128 -a "$quick" -i "$ARMLET_GUESTS/$guest/initrd.cpio" \
			-- sh -c "exit $i" </dev/null &
		first=$!
		"$ARMLET" test -k "$(kernel "$guest")" -m 128 -a "$quick" -i "$ARMLET_GUESTS/$guest/initrd.cpio" \
			-- sh -c "exit $((i + 1))" </dev/null &
		second=$!
		STATUS=0
		wait $first || STATUS=$?
		expect_status $i
		STATUS=0
		wait $second || STATUS=$?
		expect_status $((i + 1))
		i=$((i + 2))
	done
}

describe bad_trial "armlet test: what it refuses, in one sentence each"
test_bad_trial() {
	null=$(payload_path null)
	bad() {
		wanted=$1
		shift
		armlet test "$@"
		expect_refusal "$wanted"
	}
	bad 'there is no kernel; give one with -k' -- true
	bad "'ls' is no option; a command stands behind --, as in -- ls" -k "$null" ls
	bad '/nosuch' -k "$null" --root /nosuch -- true
	bad 'it is neither a folder nor a disk' -k "$null" --root /dev/null -- true
	bad '--rw: the root is in the guest.s memory' -k "$null" --root none --rw -- true
	bad "--env '=x': write it as NAME=VALUE or NAME" -k "$null" --root none -e =x -- true
	bad "--vmlinux: '/nosuch': No such file" -k "$null" --root none --vmlinux /nosuch -- true
	bad "--vmlinux: '.*' is no vmlinux: it has to be an ELF file of arm64" -k "$null" --root none --vmlinux "$null" -- true
	bad '--env-file /nosuch: ' -k "$null" --root none --env-file /nosuch -- true
	bad "'/etc' has no modules.dep" -k "$null" --root none --modules /etc -o left -- true
	[ ! -e left ] || fail "what was refused has left a folder"
	bad "there is no 'warm'; did you mean 'warn'" -k "$null" --root none --fail-on warm -- true
	bad 'there are no modules of this kernel' -k "$null" --root none --modprobe x -- true
	bad "kernel '/nosuch'" -k /nosuch --root none -- true
	bad "initrd '/nosuch'" -k "$null" -i /nosuch -- true
	mkdir built
	cp "$null" built/Image
	printf '# CONFIG_VIRTIO_CONSOLE is not set\nCONFIG_VIRTIO_MMIO=y\n' >built/.config
	bad "the kernel has no CONFIG_VIRTIO_CONSOLE, as its '.*built/.config' says" -k built/Image --root none -- true
	printf 'CONFIG_VIRTIO_CONSOLE=y\nCONFIG_VIRTIO_MMIO=m\n' >built/.config
	bad 'the kernel has CONFIG_VIRTIO_MMIO as a module only, .*; say with --modules where they are' \
		-k built/Image --root none -- true
	bad 'unknown option --fail-no; did you mean --fail-on' -k "$null" --fail-no -- true
}

# Two suites as KUnit tells them; the second fails if it is told to.
ktap() {
	cat <<-END
		KTAP version 1
		1..2
		    KTAP version 1
		    # Subtest: first
		    1..2
		    ok 1 adds
		    ok 2 divides # SKIP no unit for it
		# first: pass:1 fail:0 skip:1 total:2
		ok 1 first
		    KTAP version 1
		    # Subtest: second
		    1..1
		    # breaks: EXPECTATION FAILED at lib/second.c:7
		    $1 1 breaks
		$1 2 second
	END
}

describe trial_ktap "armlet test --output: KTAP in the command's output becomes cases of JUnit" 60
test_trial_ktap() {
	ktap 'not ok' >printed
	small -o kept -- cat <printed
	expect_status 0
	cmp printed out || fail "the output was changed"
	grep -q '<testsuites name="armlet test" tests="4" failures="1" errors="0" skipped="1"' kept/junit.xml ||
		fail "junit.xml begins with $(head -n 3 kept/junit.xml)"
	grep -q 'classname="second" name="breaks"\|name="breaks" classname="second"' kept/junit.xml &&
		grep -q 'EXPECTATION FAILED at lib/second.c:7' kept/junit.xml || fail "the failure is not there: $(cat kept/junit.xml)"
	tr -d ' \n' <kept/result.json | grep -q '"tests":{"passed":1,"failed":1,"skipped":1,"errors":0}' ||
		fail "result.json: $(cat kept/result.json)"
	tr -d '\n' <kept/result.json | tr -s ' ' | grep -q '"failed_tests": \[ { "suite": "second", "name": "breaks"' ||
		fail "result.json: $(cat kept/result.json)"
	grep -q '<h2>Tests that failed</h2>' kept/report.html || fail "the page has no tests"
	small --ktap -- cat <printed
	expect_status 1
	said "but of its 3 tests 1 failed (--ktap), first 'second: breaks'"
	ktap ok >printed
	small --ktap -- cat <printed
	expect_status 0
	expect_silence
	small --ktap -- sh -c 'while IFS= read -r line; do echo "$line" >/dev/kmsg; done' <printed
	expect_status 0
	small --ktap -- echo none
	expect_status 1
	said 'has told no results by KTAP or TAP (--ktap)'
	small --ktap -- false
	expect_status 1
	expect_silence
	small -o kept -- sh -c 'exit 3'
	expect_status 3
	grep -q '<failure message="the status is 3"' kept/junit.xml || fail "junit.xml: $(cat kept/junit.xml)"
}

describe trial_kunit "armlet test --kunit: the kernel's results are the verdict, told as kunit.py does" 90
test_trial_kunit() {
	for result in ok 'not ok'; do
		rm -rf extra
		{
			echo 'cat <<-END | while IFS= read -r line; do echo "<6>$line" >/dev/kmsg; done'
			ktap "$result"
			echo END
			echo 'reboot -f'
		} >script
		guest_script <script
		armlet test --kunit -o kept -k "$(kernel "$guest")" -i initrd -m 256 -t 120 -a "$quick armlet.script=test"
		expect_out 'first (2 subtests)' '\[PASSED\] adds' '\[SKIPPED\] divides' 'Testing complete'
		if [ "$result" = ok ]; then
			expect_status 0
			expect_out '\[PASSED\] breaks'
		else
			expect_status 1
			expect_out '\[FAILED\] breaks'
		fi
		expect_result verdict kunit
	done
	guest_runs 'reboot -f'
	armlet test --kunit -k "$(kernel "$guest")" -i initrd -m 256 -t 120 -a "$quick armlet.script=test"
	expect_status 255
	said 'the kernel has told no results of KUnit'
	armlet test --kunit -k "$(kernel "$guest")" -- true
	expect_refusal '--kunit: the kernel is the test, without a command of yours'
}
