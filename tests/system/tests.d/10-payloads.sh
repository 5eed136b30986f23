# SPDX-License-Identifier: Apache-2.0
# Bare-metal guests (tests/guest): the devices, the CPUs and the interrupt
# controller as a guest finds them.
# shellcheck shell=sh

describe payload_null "a guest that only powers off ends with 0, and nothing is said"
test_payload_null() {
	armlet run -k "$(payload_path null)"
	expect_status 0
	expect_silence
	[ ! -s out ] || fail "something was printed"
}

describe payload_conventions "a raw binary is entered as it should be: place, state, FDT, bootargs"
test_payload_conventions() {
	payload conventions -a '  spaces  kept "quotes"  $dollars\backslash=1 '
	grep -qxF 'bootargs [  spaces  kept "quotes"  $dollars\backslash=1 ]' out ||
		fail "bootargs are not what was given"
	expect_silence
}

describe payload_psci "PSCI: all CPUs come with their MPIDR, go, and come again"
test_payload_psci() {
	payload psci -c 2 -a cpus=2
	payload psci -c 8 -a cpus=8
	payload psci -a cpus=1
}

describe payload_psci_64 "PSCI: 64 CPUs, across MPIDR's fields" 120
test_payload_psci_64() {
	need_gicv3
	payload psci -c 64 -a cpus=64
}

describe payload_psci_130 "PSCI: more CPUs than redistributors fit below the RAM" 200
test_payload_psci_130() {
	need_gicv3
	payload psci -c 130 -a cpus=130
}

describe payload_suspend "SYSTEM_SUSPEND: refused to those who are not alone; the clock's alarm wakes, at the entry given"
test_payload_suspend() {
	if [ "$(kvm_fact system-suspend)" != true ]; then
		payload suspend -a none=1
		return
	fi
	payload suspend
	payload suspend -c 2
	payload suspend -c 2 -a other=1
	expect_silence
	[ "$(kvm_fact gicv3)" != true ] || payload suspend -c 2 -a second=1
}

describe payload_hypercalls "TRNG, stolen time and the host's clock by hypercalls"
test_payload_hypercalls() {
	[ "$(kvm_fact steal-time)" = true ] || skip "the host counts no stolen time"
	payload hypercalls
	payload hypercalls --steal-time=off -a steal=off
	expect_silence
}

describe payload_interrupts "both timers, SGIs between CPUs, level and edge SPIs"
test_payload_interrupts() {
	payload interrupts
	payload interrupts -c 4
	expect_silence
}

describe payload_pl011 "PL011: every register, loopback, all interrupt causes, posted bytes"
test_payload_pl011() {
	payload pl011 -a "burst=20000"
	expect_burst 20000
}

# The bytes between "burst begins" and "burst ends", as pl011.c makes them.
expect_burst() {
	sed -n '/^burst begins/,/burst ends$/p' out | sed '1d; $d' >burst
	awk -v bytes="$1" 'function hex(n) { return substr("0123456789abcdef", n + 1, 1) }
		function xor(a, b, r, i) {
			r = 0
			for (i = 1; i < 16; i *= 2)
				if (int(a / i) % 2 != int(b / i) % 2) r += i
			return r
		}
		BEGIN {
			for (line = 0; (line + 1) * 64 <= bytes; line++) {
				text = ""
				for (i = 0; i < 63; i++) text = text hex(xor(i % 16, line % 16))
				print text
			}
		}' >wanted
	lines=$(wc -l <wanted)
	head -n "$lines" burst | cmp - wanted || fail "bytes of the burst are lost or out of order"
}

describe payload_pl031 "PL031: time, setting, match interrupt"
test_payload_pl031() {
	payload pl031 -a "now=$(date +%s)"
	expect_silence
}

describe payload_pl061 "PL061: registers by the shadow, outputs, level interrupts"
test_payload_pl061() {
	payload pl061
}

describe payload_power_key "SIGTERM moves line 3 of the PL061 down and up, and the guest hears it"
test_payload_power_key() {
	start run -k "$(payload_path power_key)"
	wait_for ready
	kill -TERM "$PID"
	finish
	expect_report
	expect_silence
}

describe payload_reset "SYSTEM_RESET: all as fresh in the same process, RAM kept, three boots"
test_payload_reset() {
	payload reset -c 2
	[ "$(grep -c '^# boot' out)" -eq 3 ] || fail "there were not three boots"
	payload reset
	expect_silence
}

describe payload_reset2 "SYSTEM_RESET2, where the host's PSCI has it"
test_payload_reset2() {
	payload reset -a "second=$((0xc4000012))"
}

describe payload_no_reboot "SYSTEM_RESET with --no-reboot ends with 0 after the first boot"
test_payload_no_reboot() {
	armlet run --no-reboot -k "$(payload_path reset)"
	expect_status 0
	expect_out '^# boot 1'
	expect_no_out '^# boot 2' '^not ok'
}

describe payload_stray "accesses to nothing read zero; each address is logged once, with the PC"
test_payload_stray() {
	payload stray -a many=100
	[ "$(grep -c '^armlet: no device at 0x.*guest PC 0x4008' err)" -eq 64 ] ||
		fail "64 addresses should be named"
	[ -z "$(sed -n 's/^armlet: no device at \(0x[0-9a-f]*\):.*/\1/p' err | sort | uniq -d)" ] ||
		fail "an address is named twice"
	[ "$(grep -c 'no more of them will be named' err)" -eq 1 ] || fail "the end is not told once"
	grep -q 'no device at 0x9008000: write of 0xff (1 bytes) ignored' err || fail "a write is not told"
	grep -q 'no device at 0x20001000: 4 bytes read as zero' err || fail "a read is not told"
	expect_err 'access to 0x9010008 by the instruction at PC 0x4008.* (0xf84084a5), which is not emulated'
	expect_at_most "$(grep -c 'not emulated' err)" 20 "lines on accesses that are not emulated"
	expect_at_most "$(wc -l <err)" 110 "lines of log"
}

describe payload_loads "loads and stores of every form do the same to a device as to RAM" 120
test_payload_loads() {
	payload loads --scratch -c 2 -a "count=${ARMLET_LOADS:-2000} seed=${ARMLET_SEED:-1}"
	expect_silence
}

describe payload_hostile "random accesses of any width from two CPUs: the machine stays, the log is short" 90
test_payload_hostile() {
	for seed in 1 2 3 4; do
		[ "$seed" -lt 3 ] || set -- --watchdog=none
		payload hostile -c 2 -a "rounds=4000 seed=$seed" "$@"
		expect_at_most "$(wc -l <err)" 200 "lines of log"
	done
}

describe payload_nodefaults "--nodefaults: neither clock nor power key, in the tree or on the bus"
test_payload_nodefaults() {
	payload conventions --nodefaults -a nodefaults=1
}

describe payload_16m "a machine of 16 MiB"
test_payload_16m() {
	payload conventions -m 16 -a mem=16
	payload conventions -m 16M -a mem=16
	payload conventions --mem 65536KiB -a mem=64
}

describe payload_initrd "an initrd arrives whole, high in the memory"
test_payload_initrd() {
	i=0
	while [ $i -lt 256 ]; do
		# shellcheck disable=SC2059 # bytes
		printf "\\$(printf '%03o' $((i * 7 % 256)))"
		i=$((i + 1))
	done >block
	cat block block block block >data
	head -c 1000 data >initrd
	payload conventions -i initrd -a "initrd=1000"
}
