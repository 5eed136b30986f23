# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the tests are written with; sourced by run.
# shellcheck shell=sh

all_tests=''

# describe NAME SENTENCE [SECONDS]: introduces test_NAME; it may take so long.
describe() {
	all_tests="$all_tests $1"
	eval "sentence_$1=\$2 limit_$1=\${3:-60}"
}

description() { eval "printf '%s\n' \"\$sentence_$1\""; }

# The limits are those of a real machine or of a fast emulated host; a slow
# host gets more, as armhost's hosts with newer kernels are slow.
limit() {
	eval "seconds=\$limit_$1"
	echo $((seconds * slowness))
}

emulated() { [ -n "${ARMHOST:-}" ]; }

slowness=1
if emulated; then
	case $(uname -r) in
	6.1.*) slowness=5 ;;
	*) slowness=8 ;;
	esac
fi

# lay TREE [OVER]: on the root of an emulated host, which is a file system of its own that
# is gone with it. What is there already stays, without OVER.
lay() {
	emulated && [ -n "$1" ] || return 0
	for file in $(cd "$1" && find . -type f); do
		[ ! -e "/$file" ] || [ -n "${2:-}" ] || continue
		mkdir -p "/${file%/*}"
		cp "$1/$file" "/$file"
	done
}

# need_helper PROGRAM: one that armlet starts.
need_helper() {
	PATH=$PATH:/usr/sbin
	have "$1" || lay "${ARMLET_HELPERS:-}"
	need "$1"
}

# need_libraries PROGRAM: one of those that come with shared libraries, which may be
# newer than those of the helpers.
need_libraries() {
	PATH=$PATH:/usr/sbin
	have "$1" || lay "${ARMLET_LIBRARIES:-}" over
	need "$1"
}

# take_shared PROGRAM: the same, and $ARMLET is one with shared libraries.
take_shared() {
	need_libraries "$1"
	! emulated || ARMLET=${ARMLET_SHARED:-}
	[ -x "$ARMLET" ] || skip "there is no armlet with shared libraries (ARMLET_SHARED)"
}

# need_libvirt: $ARMLET is one that reads domains of libvirt.
need_libvirt() {
	take_shared qemu-nbd
	armlet run --libvirt none.xml
	! grep -q 'built without libvirt' err || skip "this armlet was built without libvirt"
}

# need_shared PROGRAM: the program, and $ARMLET is one that is linked with libnbd.
need_shared() {
	take_shared "$1"
	armlet run -k "$(payload_path null)" --disk nbd+unix:///?socket=none
	! grep -q 'built without libnbd' err || skip "this armlet was built without libnbd"
}

# ---- Verdicts -------------------------------------------------------------

say() { printf '%s\n' "$*"; }

show() {
	[ -e "$1" ] || return 0
	say "---- the end of $1:"
	tail -n "${2:-12}" "$1" | cut -c1-200
	say "----"
}

# show_threads PROCESS: what they do, and whether a guest runs.
show_threads() {
	say "---- exits of guests: $(exits exits)"
	for task in "/proc/$1/task"/*; do
		say "$(cat "$task/comm"), $(awk '/^State/ { print $2, $3 }' "$task/status")," \
			"$(cat "$task/wchan"), $(cpu_ticks "$1/task/${task##*/}") ticks"
		cat "$task/stack"
	done 2>/dev/null
	sleep 1
	say "---- and a second later: $(exits exits)"
}

fail() {
	say "failed: $*"
	show out
	show err
	[ -z "${PID:-}" ] || gone "$PID" || show_threads "$PID"
	exit 1
}

skip() {
	say "$*"
	exit 77
}

# Whether armlet brings its libraries with it.
is_static() { ! grep -q "/ld-linux" "$ARMLET"; }

have() { command -v "$1" >/dev/null; }

need() {
	for tool; do
		have "$tool" || skip "there is no $tool here"
	done
}

# ---- Running armlet -------------------------------------------------------

# armlet ARGUMENT...: standard output in out, error in err, status in $STATUS.
armlet() {
	STATUS=0
	"$ARMLET" "$@" >out 2>err || STATUS=$?
}

# start ARGUMENT...: the same in the background, as process $PID. A shell gives
# what it starts with & no standard input unless that is told.
start() {
	: >out
	{ "$ARMLET" "$@" <&9 9<&- >out 2>err & } 9<&0
	PID=$!
}

# finish [SECONDS]: waits for the end of what start has begun.
finish() {
	wait_until "${1:-30}" gone "$PID" || fail "armlet goes on and on"
	STATUS=0
	wait "$PID" || STATUS=$?
}

gone() {
	[ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null
}

# wait_until SECONDS COMMAND...: until COMMAND succeeds. COMMAND may wait by itself, so
# that nothing here is a variable of the whole shell's.
wait_until() {
	until_time $(($(uptime_seconds) + $1 * slowness)) "$@"
}

# until_time UPTIME SECONDS COMMAND...: without a process for the look at the clock, as each
# takes time from the guest that is waited for.
until_time() {
	until without_two "$@"; do
		read -r until_now until_rest </proc/uptime
		: "$until_rest"
		[ "${until_now%.*}" -lt "$1" ] || return 1
		sleep 0.1
	done
}

without_two() {
	shift 2
	"$@"
}

uptime_seconds() { sed 's/\..*//' /proc/uptime; }

printed() { grep -aqe "$1" out; }

# wait_for PATTERN [SECONDS]: until standard output has it; not beyond the end of
# what start has begun.
wait_for() {
	wait_until "${2:-30}" printed_or_gone "$1"
	printed "$1" || fail "'$1' was not printed"
}

printed_or_gone() { printed "$1" || gone "${PID:-}"; }

expect_status() {
	[ "$STATUS" -eq "$1" ] || fail "the status is $STATUS, not $1"
}

# grep's basic expressions, of lines
expect_out() {
	for pattern; do
		grep -aqe "$pattern" out || fail "standard output lacks '$pattern'"
	done
}

expect_no_out() {
	for pattern; do
		! grep -aqe "$pattern" out || fail "standard output has '$pattern'"
	done
}

expect_err() {
	for pattern; do
		grep -aqe "$pattern" err || fail "standard error lacks '$pattern'"
	done
}

expect_silence() { [ ! -s err ] || fail "standard error is not empty"; }

# expect_at_most VALUE LIMIT WHAT
expect_at_most() {
	say "$3: $1 (at most $2)"
	[ "$1" -le "$2" ] || fail "$3: $1 is more than $2"
}

# What every refusal of bad input must be like: one sentence that has PATTERN.
expect_refusal() {
	expect_status 125
	[ ! -s out ] || fail "standard output is not empty"
	[ "$(wc -l <err)" -eq 1 ] || fail "standard error is not one line"
	expect_err '^armlet[ a-z]*: '
	expect_err "$@"
	! grep -q '\.$' err || fail "the sentence ends with a full stop"
	say "$(cat err)"
}

# refused [--] PATTERN ARGUMENT...: armlet run must refuse them.
refused() {
	[ "$1" != -- ] || shift
	wanted=$1
	shift
	armlet run "$@"
	expect_refusal "$wanted"
}

# refused_values OPTION PATTERN VALUE...: the same of a machine that has the option with
# each of the values.
refused_values() {
	option=$1 wanted=$2
	shift 2
	for value; do
		shift
		set -- "$@" "$option" "$value"
	done
	refused -- "$wanted" -k "$(payload_path null)" "$@"
}

# ---- Payloads -------------------------------------------------------------

payload_path() { echo "$ARMLET_PAYLOADS/$1.bin"; }

# payload NAME ARGUMENT...: runs a bare-metal guest to its end.
payload() {
	name=$1
	shift
	armlet run -k "$(payload_path "$name")" "$@"
	expect_report
}

# The guest's own verdicts, in out.
expect_report() {
	expect_status 0
	! grep -a '^not ok' out >failures || { cat failures; fail "the guest finds faults"; }
	printed '^done' || fail "the guest did not come to its end"
	say "$(grep -ac '^ok ' out) checks by the guest"
}

# ---- Linux guests ---------------------------------------------------------

kernel() { echo "$ARMLET_GUESTS/$1/Image"; }

need_guest() {
	if [ -z "${ARMLET_GUESTS:-}" ] || [ ! -e "$(kernel "$1")" ]; then
		skip "there is no guest $1 (ARMLET_GUESTS)"
	fi
}

# What tests of something else boot.
guest=6.1

# guest_script: makes initrd, with standard input as the script that the guest runs,
# and with whatever else is in extra.
guest_script() {
	need_guest "$guest"
	need cpio
	mkdir -p extra/scripts
	{
		echo '#!/bin/sh'
		# The port's device: a driver makes its ports some time after it has its device.
		cat <<-'END'
			port_named() {
				until name=$(grep -l "^$1\$" /sys/class/virtio-ports/*/name 2>/dev/null); do
					sleep 0.1
				done
				name=${name%/name}
				echo "/dev/${name##*/}"
			}
		END
		cat
	} >extra/scripts/test
	chmod 755 extra/scripts/test
	{
		cat "$ARMLET_GUESTS/$guest/initrd.cpio"
		(cd extra && find . -type f | sed 's,^\./,,' | cpio -o -H newc 2>/dev/null)
	} >initrd
}

# guest_tool NAME: one of our helpers, as a program of the guest of guest_script.
guest_tool() {
	mkdir -p extra/bin
	cp "$ARMLET_TOOLS/$1" "extra/bin/$1"
	chmod 755 "extra/bin/$1"
}

# for_others FILE: a copy in the test's directory that everybody may read and run,
# wherever the original is.
for_others() {
	chmod 755 "$DIR" "$DIR/.."
	cp "$1" "$DIR/${1##*/}"
	chmod 755 "$DIR/${1##*/}"
	echo "$DIR/${1##*/}"
}

# unprivileged ARGUMENT...: armlet as a user who may nothing.
unprivileged() {
	STATUS=0
	"$ARMLET_TOOLS/unprivileged" "$(for_others "$ARMLET")" "$@" >out 2>err || STATUS=$?
}

# guest_runs COMMANDS: the same, for a word.
guest_runs() {
	printf '%s\n' "$1" >script
	guest_script <script
}

# Without the kernel's tests of its own ciphers, which are more than half of what a
# boot takes, and without page table isolation: each switch of address spaces empties
# the emulator's TLB.
words="console=ttyAMA0 quiet panic=-1 cryptomgr.notests kpti=off armlet.script=test"

# The carriage returns of a console's lines are no part of what a test looks for.
plain_out() {
	tr -d '\r' <out >out.text
	mv out.text out
}

# linux ARGUMENT...: boots the guest with its script, to its end.
linux() {
	armlet run -k "$(kernel "$guest")" -i initrd -m 256 -a "$words" "$@"
	plain_out
}

start_linux() {
	start run -k "$(kernel "$guest")" -i initrd -m 256 -a "$words" "$@"
}

# converse ARGUMENT...: start_linux with a pipe to the guest's console, where tell
# writes, until farewell has waited for the guest's end.
converse() {
	open_pipe
	start_linux "$@" <pipe 3>&-
}

open_pipe() {
	mkfifo pipe
	exec 3<>pipe
}

tell() { echo "$*" >&3; }

# farewell [SECONDS]
farewell() {
	finish "$@"
	exec 3>&-
	plain_out
}

ready_times() { [ "$(grep -ac '^ready' out)" -ge "$1" ]; }

# load MODULE FILE: what makes FILE, a device of the host's.
load() {
	[ -e "$2" ] || modprobe "$1" 2>/dev/null
	[ -e "$2" ] || skip "the host has no $2"
}

# ---- The host -------------------------------------------------------------

# The mode of KVM that an emulated host was booted with: vhe if nothing says else.
kvm_mode() {
	mode=$(sed -n 's/.*kvm-arm\.mode=\([a-z]*\).*/\1/p' /proc/cmdline)
	if [ -z "$mode" ]; then
		dmesg 2>/dev/null | grep -q 'VHE mode initialized' && mode=vhe
	fi
	echo "${mode:-nvhe}"
}

# One field of doctor's JSON: kvm_fact gicv3
kvm_fact() {
	"$ARMLET" doctor --json | sed -n "s/^ *\"$1\": *\"*\([^\",]*\)\"*,*\$/\1/p" | head -n 1
}

need_gicv3() { [ "$(kvm_fact gicv3)" = true ] || skip "the host has no GICv3 for guests"; }

# Kilobytes of memory that a process holds beside what its guest holds.
resident() {
	awk '/^RssAnon|^RssFile|^RssShmem/ { sum += $2 } END { print sum + 0 }' "/proc/$1/status"
}

# Ticks (hundredths of a second) of CPU time that a process has used.
cpu_ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }

# exits NAME: one of KVM's counters, over all VMs.
exits() { cat "/sys/kernel/debug/kvm/$1" 2>/dev/null; }
