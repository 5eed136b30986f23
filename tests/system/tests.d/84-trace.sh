# SPDX-License-Identifier: Apache-2.0
# What leaves a guest: run --trace, armlet stats, the file for Perfetto, probes.
# shellcheck shell=sh

# checks FILE: that it is a trace as the format's specification says; what is in it is in seen.
checks() {
	cp "$1" tree/tmp/trace.fxt
	cp "$ARMLET_TESTS/fxt.py" tree/tmp
	chroot tree python3 /tmp/fxt.py /tmp/trace.fxt >seen 2>&1 || fail "$1: $(tail -n 5 seen)"
}

# saw PATTERN: a line of seen is like that.
saw() { grep -q -e "$1" seen || fail "no '$1' in $(tail -n 90 seen)"; }

# profile WORD...: armlet stats WORD... prints seen.
profile() {
	STATUS=0
	"$ARMLET" stats "$@" >seen 2>err || STATUS=$?
	[ "$STATUS" -eq 0 ] && [ ! -s err ] || fail "stats $*: $STATUS, $(cat err)"
}

describe trace_payload "--trace: each of 5,000 loads is in the file, which is as its format has to be" 60
test_trace_payload() {
	tree_of clients.img /dev
	armlet run -k "$(payload_path loads)" -a 'cost=5000' --trace exits
	expect_status 0
	expect_silence
	checks armlet.fxt
	saw '^mmio: rtc0 PeriphID read: 5[0-9][0-9][0-9]$'
	saw '^psci: SHUTDOWN: 1$'
	saw '^exits: VBAR_EL1: 1$'
	saw '^track vcpu0: 5'
	reads=$(sed -n 's/^mmio: rtc0 PeriphID read: //p' seen)
	profile armlet.fxt
	saw "^rtc0 PeriphID read  *$reads "
	# All of them come from one instruction.
	profile armlet.fxt --json
	[ "$(grep -c '"pc"' seen)" -ge 1 ] || fail "no PC: $(cat seen)"
	# Only what is asked for.
	armlet run -k "$(payload_path loads)" -a 'cost=100 form=ldp' --trace nisv --trace-file nisv.fxt
	checks nisv.fxt
	saw '^nisv: NO_SYNDROME: 100$'
	! grep -q '^mmio' seen || fail "there is more in it: $(cat seen)"
}

describe trace_psci "--trace psci: the calls by their names, where they are ours" 60
test_trace_psci() {
	need_filter
	tree_of clients.img /dev
	armlet run -k "$(payload_path psci)" -c 2 --trace psci --psci armlet
	expect_status 0
	checks armlet.fxt
	saw '^psci: CPU_ON (64 bits): [1-9]'
	saw '^track vcpu1: '
	! grep -q '^mmio\|^exits: MMIO' seen || fail "there is more in it: $(cat seen)"
}

describe trace_linux "--trace: a boot of Debian's kernel, its interrupts and resets, with names of functions" 120
test_trace_linux() {
	tree_of clients.img /dev
	guest_script <<-'END'
		modprobe virtio_console
		grep ' [tT] ' /proc/kallsyms >"$(port_named symbols)"
		echo told
		if read -r word && [ "$word" = again ]; then reboot -f; fi
	END
	: >symbols
	converse -c 2 --port symbols=file:symbols --trace-file boot.fxt
	wait_for '^told' 60
	cp symbols symbols.first
	tell again
	wait_until 60 seen_times '^told' 2 || fail 'it does not boot again'
	tell on
	farewell 30
	expect_status 0
	tail -c "+$(($(wc -c <symbols.first) + 1))" symbols >symbols.second
	checks boot.fxt
	saw '^mmio: serial0 UARTDR write: '
	saw '^irq: console0 INTID [0-9]*: '
	saw '^psci: RESET: 1$'
	saw '^psci: SHUTDOWN: 1$'
	saw '^track vcpu1: '
	saw '^track devices: '
	profile boot.fxt --rows 100
	saw '^SHUTDOWN  *1 '
	saw '^serial0 UARTDR posted '
	saw '^INTID [0-9]* console0  *[1-9]'
	! grep -q '^[a-z0-9_]*+0x' seen || fail "there are names: $(cat seen)"
	# Those of the second boot are where they say, those of the first somewhere else.
	for list in symbols.second symbols.first; do
		profile boot.fxt --symbols $list --rows 100
		saw '^pl011_[a-z_]*+0x[0-9a-f]*  *[1-9]'
		saw '^pl031_[a-z_]*+0x[0-9a-f]*  *[1-9]'
	done
	"$ARMLET_TOOLS/symbols" <symbols.second >vmlinux
	profile boot.fxt --symbols vmlinux --rows 100
	saw '^pl011_[a-z_]*+0x[0-9a-f]*  *[1-9]'
}

describe trace_live "armlet stats of a machine that runs: for a second, to a file, one vCPU, killed and interrupted" 90
test_trace_live() {
	need_background
	tree_of clients.img /dev
	background busy -k "$(payload_path loads)" -c 2 -m 64 -a 'cost=1000000000000'
	profile busy
	saw '^MMIO  *[1-9]'
	saw '^EXIT .*COUNT  *TOTAL  *MEAN  *P99  *MAX$'
	profile --trace-file live.fxt --trace mmio --seconds 2 busy
	checks live.fxt
	"$ARMLET" stats --json busy | grep -q '"active": false' || fail 'it is still traced'
	profile --cpu 1 --json busy
	saw '"vcpus": 1'
	# A file that is called the same is not meant.
	echo nothing >busy
	profile busy
	saw '^MMIO  *[1-9]'
	# Who is killed leaves a trace that ends by itself; who is interrupted shows what there is.
	"$ARMLET" stats --seconds 600 busy >out 2>err &
	wait_until 20 is_traced busy
	kill -INT $!
	wait $! || fail "after SIGINT: $(cat err)"
	grep -q '^MMIO' out || fail "nothing was shown: $(cat out)"
	expect_verb '"active": false' ctl busy query-trace
	"$ARMLET" ctl busy trace-start seconds=2 what=irq >/dev/null || fail 'trace-start'
	for words in '--seconds 1' '--trace mmio' '--trace-file x.fxt'; do
		# shellcheck disable=SC2086 # words
		armlet stats busy $words
		expect_refusal "'busy' is traced already"
	done
	expect_verb '"active": true' ctl busy query-trace
	wait_until 20 is_not_traced busy || fail 'it never ends'
	expect_verb '"status": "running"' ctl busy query-status
	"$ARMLET" kill busy >/dev/null
}
is_traced() { "$ARMLET" ctl "$1" query-trace 2>&1 | grep -q '"active": true'; }
is_not_traced() { ! is_traced "$1"; }

describe bad_trace "--trace and stats: words, files, disks and machines that are none" 60
test_bad_trace() {
	image=$(payload_path null)
	refused "--trace: 'exit' cannot be traced; that are exits, mmio, psci, irq and nisv" --trace exit "$image"
	refused "--trace: '' cannot be traced" --trace exits, "$image"
	refused "the trace '/nowhere/x' cannot be made" --trace-file /nowhere/x "$image"
	refused "the trace '.' cannot be made" --trace-file . "$image"
	mkfifo pipe
	refused "the trace 'pipe' cannot be made" --trace-file pipe "$image"
	exec 4<>pipe # somebody who could read it
	refused "the trace 'pipe' is to be a file" --trace-file pipe "$image"
	exec 4>&-
	armlet run -k "$(payload_path loads)" -a cost=3000 --trace-file /dev/full
	expect_refusal "the trace '/dev/full' cannot be written"
	# A disk that is full later: the machine goes on.
	mkdir small
	mount -t tmpfs -o size=64k small small
	armlet run -k "$(payload_path loads)" -a cost=3000 --trace-file small/trace.fxt
	expect_status 0
	expect_err "trace: 'small/trace.fxt': No space left on device; nothing more is written to it"
	profile small/trace.fxt
	saw '^rtc0 PeriphID read  *[1-9]'
	umount small
	# A file that may not grow is no different.
	(
		ulimit -f 8
		armlet run -k "$(payload_path loads)" -a cost=3000 --trace-file limited.fxt
		echo "$STATUS" >status
	)
	[ "$(cat status)" -eq 0 ] || fail "with a limit: $(cat status), $(cat err)"
	expect_err "trace: 'limited.fxt': File too large; nothing more is written to it"
	armlet stats
	expect_refusal 'name a machine or a trace'
	armlet stats one two
	expect_refusal "'two' is too much"
	armlet stats nobody
	expect_refusal "no machine 'nobody' runs"
	armlet stats "$image"
	expect_refusal 'that is no trace'
	armlet run -k "$image" --trace-file good.fxt
	armlet stats --cpu 0 good.fxt
	expect_refusal "'good.fxt' is a trace that was made before"
	armlet stats --symbols "$image" good.fxt
	expect_refusal "--symbols: '$image' names no addresses"
	armlet stats --symbols /nowhere good.fxt
	expect_refusal "--symbols: '/nowhere': No such file"
	for size in 0 7 8 100; do
		head -c $size good.fxt >cut.fxt
		STATUS=0
		"$ARMLET" stats cut.fxt >out 2>err || STATUS=$?
		[ $size -ge 8 ] || expect_refusal 'that is no trace'
	done
}

describe trace_probes "probes: perf finds them, and counts as many exits as KVM" 120
test_trace_probes() {
	need perf
	mkdir -p buildid
	perf --buildid-dir "$DIR/buildid" buildid-cache --add "$ARMLET" >perf.out 2>&1 || fail "perf: $(cat perf.out)"
	perf --buildid-dir "$DIR/buildid" list sdt >seen 2>&1
	for probe in exit answered nisv psci irq interrupt; do
		saw "sdt_armlet:$probe"
	done
	for probe in exit answered nisv; do
		perf --buildid-dir "$DIR/buildid" probe "sdt_armlet:$probe" >perf.out 2>&1 || fail "perf probe: $(cat perf.out)"
	done
	perf stat -x, -e sdt_armlet:exit,sdt_armlet:answered,kvm:kvm_userspace_exit -o counts -- \
		"$ARMLET" run -k "$(payload_path loads)" -a cost=500 >out 2>err || fail "perf stat: $(cat err counts)"
	# The last exit, of KVM_RUN, is one for both.
	awk -F, '/sdt_armlet/ { n[++i] = $1 } /userspace/ { n[3] = $1 } END { exit !(n[1] > 500 && n[1] == n[2] && n[1] == n[3]) }' counts ||
		fail "$(cat counts)"
	perf record -q -e sdt_armlet:nisv -o data -- "$ARMLET" run -k "$(payload_path loads)" -a 'cost=20 form=ldp' >out 2>err ||
		fail "perf record: $(cat err)"
	perf script -i data >seen 2>&1
	# The instruction is LDP W4, W5, [Xn].
	[ "$(grep -c 'sdt_armlet:nisv:.*arg3=[0-9]* ' seen)" -eq 20 ] || fail "perf script: $(cat seen)"
	perf --buildid-dir "$DIR/buildid" probe -d 'sdt_armlet:*' >/dev/null 2>&1
}
