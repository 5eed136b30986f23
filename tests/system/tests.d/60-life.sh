# SPDX-License-Identifier: Apache-2.0
# How machines end, and what they leave.
# shellcheck shell=sh

start_idle() {
	start run -k "$(payload_path idle)" -a seconds=100 "$@"
	wait_for 'idle begins'
}

describe life_power_key "SIGTERM shuts a Linux guest down, which ends with 0" 90
test_life_power_key() {
	guest_runs 'echo ready; sleep 100'
	for signal in TERM INT; do
		start_linux
		wait_for '^ready' 60
		kill -$signal "$PID"
		finish 40
		expect_status 0
		expect_out 'guest: power key'
		expect_silence
	done
}

describe life_second_signal "a second SIGTERM or SIGINT ends a guest that does not listen"
test_life_second_signal() {
	for signal in TERM:143 INT:130; do
		start_idle
		kill -${signal%:*} "$PID"
		sleep 1
		! gone "$PID" || fail "the first SIG${signal%:*} ended it"
		kill -${signal%:*} "$PID"
		finish 5
		expect_status ${signal#*:}
	done
}

describe life_hangup "SIGHUP and SIGQUIT end it at once"
test_life_hangup() {
	for signal in HUP:129 QUIT:131; do
		start_idle
		kill -${signal%:*} "$PID"
		finish 5
		expect_status ${signal#*:}
		expect_silence
	done
}

describe life_no_power_key "without a power key (--nodefaults) the first SIGTERM ends it"
test_life_no_power_key() {
	start_idle --nodefaults
	kill -TERM "$PID"
	finish 5
	expect_status 143
}

describe life_killed "armlet that is killed leaves nothing: no process, no VM"
test_life_killed() {
	vms=$(vms_of_kvm)
	start_idle -c 4
	[ "$vms" != "$(vms_of_kvm)" ] || skip "KVM does not list its VMs"
	kill -KILL "$PID"
	finish 5
	expect_status 137
	wait_until 5 same_vms "$vms" || fail "a VM is left"
}

vms_of_kvm() { find /sys/kernel/debug/kvm -mindepth 1 -maxdepth 1 -type d 2>/dev/null | wc -l; }
same_vms() { [ "$(vms_of_kvm)" = "$1" ]; }

describe life_timeout "--timeout ends it with 124 and a sentence"
test_life_timeout() {
	armlet run -k "$(payload_path idle)" -a seconds=100 --timeout 1
	expect_status 124
	[ "$(cat err)" = "armlet: timed out after 1 s" ] || fail "standard error is not one sentence"
}

describe life_reboot "a Linux guest reboots in the same process, again and again" 120
test_life_reboot() {
	guest_runs 'echo ready; read -r word; echo "word $word"; [ "$word" = off ] || reboot -f; sleep 1'
	converse -c 2
	for boot in 1 2 3; do
		wait_until 60 ready_times $boot || fail "boot $boot did not come"
		if [ $boot -lt 3 ]; then tell again; else tell off; fi
	done
	farewell 40
	expect_status 0
	[ "$(grep -ac '^word again' out)" -eq 2 ] || fail "there were not two reboots"
	expect_silence
}

describe life_reboot_ends "a reboot with --no-reboot ends with 0"
test_life_reboot_ends() {
	guest_runs 'echo once; reboot -f; sleep 10'
	linux --no-reboot
	expect_status 0
	[ "$(grep -c '^once' out)" -eq 1 ] || fail "it booted again"
	expect_silence
}

describe life_panic "a panic with --no-reboot is 255, not 0"
test_life_panic() {
	guest_runs 'echo c >/proc/sysrq-trigger; sleep 10'
	linux --no-reboot
	expect_status 255
	expect_out 'Kernel panic - not syncing'
}

describe life_panic_early "a panic before there is any init is 255, too"
test_life_panic_early() {
	need_guest 6.1
	armlet run --no-reboot -k "$(kernel 6.1)" -m 256 -a "console=ttyAMA0 quiet panic=-1 cryptomgr.notests"
	expect_status 255
	expect_out 'Kernel panic - not syncing: VFS: Unable to mount root'
}

describe life_two "two machines side by side do not know of each other" 90
test_life_two() {
	payload_of() {
		"$ARMLET" run -k "$(payload_path "$1")" -c 2 -a "rounds=1500 seed=$2" >"out$2" 2>&1
		echo $? >"status$2"
	}
	payload_of interrupts 1 &
	first=$!
	payload_of hostile 2 &
	second=$!
	payload_of pl031 3
	wait $first $second
	for i in 1 2 3; do
		STATUS=$(cat status$i)
		cp out$i out
		expect_report
	done
}

# The most descriptors that are open in a while: a board that is being built, or taken down, has fewer.
descriptors() {
	for sample in 1 2 3 4 5 6 7 8 9 10; do
		find "/proc/$PID/fd" -mindepth 1 2>/dev/null | wc -l
	done | sort -n | tail -n 1
}

describe life_reset_storm "hundreds of resets: no growth, nothing left open"
test_life_reset_storm() {
	start run -m 16 -k "$(payload_path resetter)" -a boots=400
	wait_for 'boot 10$' 60
	open=$(descriptors)
	before=$(resident "$PID")
	wait_for 'boot 300$' 120
	# 290 resets lie between: whatever is left open by one in thirty is found.
	expect_at_most "$(descriptors)" $((open + 8)) "open descriptors"
	after=$(resident "$PID")
	finish 60
	expect_status 0
	expect_at_most $((after - before)) 200 "growth in kB"
}

describe life_reset_log "a guest that misbehaves and resets, again and again, cannot fill the log"
test_life_reset_log() {
	armlet run -m 16 -k "$(payload_path resetter)" -a 'boots=20 strays=10'
	expect_status 0
	expect_at_most "$(wc -l <err)" 220 "lines of log"
}
