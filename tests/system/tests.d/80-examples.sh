# SPDX-License-Identifier: Apache-2.0
# The examples: they must do what their texts say.
# shellcheck shell=sh

# ---- examples/tinyvm.c, the teaching VMM ------------------------------------

# tinyvm [PROGRAM]: standard output in out, error in err, status in $STATUS.
# shellcheck disable=SC2034 # expect_status looks at it
tinyvm() {
	program=$(dirname "$ARMLET")/examples/tinyvm
	[ -x "$program" ] || skip "there is no examples/tinyvm beside armlet"
	STATUS=0
	"$program" "$@" >out 2>err || STATUS=$?
}

describe tinyvm "tinyvm runs its own guest: console, empty address, timer interrupt, PSCI"
test_tinyvm() {
	tinyvm
	expect_status 0
	printf '%s\n' 'Hello from a guest. This is exception level 1' \
		'Where there is no device, a word reads as 0' \
		"The timer's interrupt came; the GIC gave it the number 27" \
		'Bye.' >wanted
	cmp wanted out || fail "the guest says something else"
	expect_err '^tinyvm: nothing is at 0x0a000000, it reads as zero$' \
		'^tinyvm: the guest powered off (PSCI SYSTEM_OFF); exits: [0-9]*, '
	[ "$(wc -l <err)" -eq 2 ] || fail "tinyvm says more than two lines"
}

describe tinyvm_program "tinyvm runs a raw binary of the user's, and refuses what is none"
test_tinyvm_program() {
	tinyvm "$(payload_path null)"
	expect_status 0
	[ ! -s out ] || fail "something was printed"
	expect_err '^tinyvm: the guest powered off (PSCI SYSTEM_OFF); exits: 1, '
	: >empty
	tinyvm empty
	expect_status 1
	expect_err '^tinyvm: empty is empty$'
	tinyvm missing
	expect_status 1
	expect_err '^tinyvm: missing: No such file'
}

# ---- examples/devices.sh ------------------------------------------------------

describe example_devices "devices.sh: disks, folder, console, port, network and balloon as it tells" 90
test_example_devices() {
	guest_script <<-'END'
		echo "serial $(cat /sys/block/vda/serial), $(cat /sys/block/vda/size) sectors"
		head -n 1 /dev/vdb
		echo changed | dd of=/dev/vdb conv=fsync 2>/dev/null
		echo kept | dd of=/dev/vda conv=fsync 2>/dev/null
		mkdir /mnt
		mount -t 9p -o trans=virtio,version=9p2000.L here /mnt
		cat /mnt/note
		echo written >/mnt/other || echo "not written"
		for device in /sys/bus/virtio/devices/*; do
			echo "driver $(basename "$(readlink "$device/driver")")"
		done
		port=$(port_named org.example.agent)
		echo "port $(cat "/sys/class/virtio-ports/${port#/dev/}/name")"
		head -n 1 <"$port"
		echo over >/dev/hvc0
	END
	need_helper diod
	! emulated || upstream
	echo "the base image" >base.img
	truncate -s 1M base.img
	cp base.img base.before
	echo "from the host" >note
	ARMLET_EXAMPLE=$(cd "$(dirname "$0")/../.." && pwd)/examples/devices.sh
	: >out
	"$ARMLET_EXAMPLE" "$(kernel "$guest")" initrd -a "$words" >out 2>err &
	PID=$!
	wait_until 20 test -S agent.sock || fail "there is no socket for programs"
	connect agent.sock agent
	wait_for '^port' 60
	echo "to the agent" >&5
	finish 40
	disconnect
	! emulated || ip link del armlan
	plain_out
	expect_status 0
	expect_out '^serial data, 2097152 sectors' '^the base image' '^from the host' '^not written' \
		'^driver virtio_balloon' '^port org.example.agent' '^to the agent'
	! command -v passt >/dev/null || expect_out '^driver virtio_net'
	cmp base.img base.before || fail "the base image has changed"
	[ "$(head -c 4 data.img)" = kept ] || fail "what was written to data.img is not there"
	[ ! -e other ] || fail "the guest has written to the folder"
	[ ! -e console.sock ] || fail "a socket is left"
}

# ---- examples/bisect.sh -----------------------------------------------------

describe trial_bisect "bisect.sh: git bisect run finds the commit that broke a kernel, and skips what does not build" 240
test_trial_bisect() {
	need_guest 6.1
	emulated || skip "git gets a shell of an emulated host's"
	tree_of git.img /dev
	# git bisect is a script; the disk has git, and no shell.
	mkdir bin
	cp -a tree/usr/bin/git /bin/busybox bin
	on_exit "umount '$DIR/tree/usr/bin'"
	mount -o bind bin tree/usr/bin
	chroot tree /usr/bin/busybox --install -s /usr/bin
	cp "$(dirname "$0")/../../examples/bisect.sh" "$ARMLET" "$ARMLET_GUESTS/6.1/initrd.cpio" .
	cp "$(kernel 6.1)" there
	modules=$(echo "$(dirname "$(readlink -f "$(kernel 6.1)")")/lib/modules"/*)
	mkdir modules
	cp "$modules/modules.dep" modules
	(cd "$modules" && find . -name 'virtio_mmio.ko' -o -name 'virtio_console.ko' | cpio -o -H newc 2>/dev/null) |
		(cd modules && cpio -id 2>/dev/null)
	# A tree of seven commits, whose kernel panics from the fifth on, and which does not build at
	# the fourth.
	cat >steps <<-'END'
		set -e
		export HOME=/tmp MAKE='sh build'
		git config --global user.email a@b.c
		git config --global user.name a
		git init -q /tmp/kernel 2>/dev/null
		cd /tmp/kernel
		for n in 1 2 3 4 5 6 7; do
			echo "mkdir -p arch/arm64/boot && ln -sf /tmp/there arch/arm64/boot/Image" >build
			[ $n -ne 4 ] || echo false >build
			echo "exit 0" >test
			[ $n -lt 5 ] || echo "echo c >/proc/sysrq-trigger" >test
			echo $n >number
			git add build test number
			git commit -qm "commit $n"
		done
		git bisect start HEAD HEAD~6
		git bisect run sh -c 'ARMLET=/tmp/armlet sh /tmp/bisect.sh -t 100 -m 256 -i /tmp/initrd.cpio \
			--modules /tmp/modules -a "cryptomgr.notests kpti=off" -- sh -c "$(cat test)"' </dev/null
	END
	mount -t proc proc tree/proc
	on_exit "umount '$DIR/tree/proc'"
	chroot tree /bin/sh /tmp/steps >log 2>&1 || :
	grep -q 'commit 5' log && grep -q 'There are only .skip.ped commits left\|is the first bad commit' log ||
		fail "git says: $(tail -n 30 log)"
	grep -q 'sysrq triggered crash' log || fail "no kernel has panicked"
}

# ---- examples/kselftest.sh --------------------------------------------------

# kselftest ARGUMENT...: the example with the usual guest. Its timeout is busybox's, which has not
# all options of coreutils'.
kselftest() {
	need_guest 6.1
	need_helper diod
	[ -d "$ARMLET_GUESTS/selftests" ] || skip "no kselftest is built here"
	[ -d selftests ] || cp -a "$ARMLET_GUESTS/selftests" .
	sed -i 's/--foreground//' selftests/kselftest/runner.sh
	STATUS=0
	ARMLET=$ARMLET sh "$(dirname "$0")/../../examples/kselftest.sh" "$@" >out 2>err </dev/null || STATUS=$?
}

describe trial_kselftest "kselftest.sh: tests of Linux 6.1's own, each a case; one that fails is the verdict" 180
test_trial_kselftest() {
	set -- -- -i "$ARMLET_GUESTS/6.1/initrd.cpio" -m 256 -a "$quick" -t 120 -o kept
	kselftest "$(kernel 6.1)" selftests -c size -c timens "$@"
	expect_status 0
	expect_out '^ok 1 selftests: size: get_size' '^ok 7 selftests: timens: futex'
	expect_silence
	rm -r kept
	# virtiofs, where its files are, cannot be suspended.
	kselftest "$(kernel 6.1)" selftests -c breakpoints "$@"
	expect_status 1
	said "the command succeeded, but of its 214 tests 1 failed (--ktap), first 'selftests: breakpoints: step_after_suspend_test: Bail out!'"
	expect_result verdict ktap
	[ "$(grep -c '<testcase name="Test size = ' kept/junit.xml)" = 213 ] || fail "junit.xml has not 213 breakpoints"
	kselftest
	expect_status 125
	expect_err '^Usage: kselftest.sh KERNEL DIR'
}
