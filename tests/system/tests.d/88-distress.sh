# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What a guest tells by a device: that it has panicked, or hangs.

# tries ARGUMENT...: armlet test with the payload as its kernel.
tries() {
	armlet test -m 64 --root none -k "$(payload_path distress)" -o kept "$@"
}

describe distress_pvpanic "pvpanic: a panic is told to QMP at once, and makes the status 255"
test_distress_pvpanic() {
	start run -k "$(payload_path distress)" -a pvpanic=1 --no-reboot --api api
	wait_for '^told'
	control
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	kill -9 "$PID"
	finish
	! grep -q '^not ok' out || fail "a register is not as it should be"
	armlet run -k "$(payload_path distress)" -a 'pvpanic=1 then=1' --no-reboot
	expect_status 255
	expect_silence
	armlet run -k "$(payload_path distress)" -a 'pvpanic=2 then=1' --no-reboot
	expect_status 255
	# 4 is the wish to be powered off.
	armlet run -k "$(payload_path distress)" -a pvpanic=4
	expect_status 0
	armlet run -k "$(payload_path distress)" -a then=1 --no-reboot
	expect_status 0
	# There is none: a stray write is nothing.
	armlet run -k "$(payload_path distress)" -a 'pvpanic=1 then=1' --no-reboot --nodefaults
	expect_status 0
}

describe distress_events "pvpanic: QMP's events of a panic, a crash kernel and a wish for the end"
test_distress_events() {
	for what in '1 GUEST_PANICKED", "data": {"action": "run"}' \
		'2 GUEST_CRASHLOADED", "data": {"action": "run"}' '4 GUEST_PVSHUTDOWN"'; do
		start run -S -k "$(payload_path distress)" -a "pvpanic=${what%% *}" --api api
		wait_until 10 test -S api || fail "there is no socket"
		control
		expect_answer '{"return": {}}' cont
		qmp_event "${what#* }"
		[ "${what%% *}" = 4 ] || expect_answer '{"return": {}}' quit
		finish
		expect_status 0
		rm -f api requests
	done
}

describe distress_trial "armlet test: pvpanic is a verdict, with a console that says nothing" 90
test_distress_trial() {
	for then in 0 1 2; do
		tries -a "pvpanic=1 then=$then panic=0"
		expect_status 255
		expect_err '^armlet test: the kernel panicked while it booted.*; only pvpanic has told of it$'
		grep -q '"verdict": "panic"' kept/result.json || fail "$(cat kept/result.json)"
	done
	[ -e kept/vmcore ] || tries -a pvpanic=1
	[ -s kept/vmcore ] || fail "its memory is not kept"
}

describe distress_watchdog "--watchdog: registers, the warning, and what follows the bite" 90
test_distress_watchdog() {
	set -- -k "$(payload_path distress)" -a gwdt=400
	armlet run "$@" --watchdog
	expect_status 0
	expect_report
	expect_err 'the guest has not refreshed its watchdog for 0 s'
	grep -q it_is_off_again out || fail "it has not booted again"
	armlet run "$@" --watchdog --no-reboot
	expect_status 255
	armlet run "$@" --watchdog=poweroff
	expect_status 255
	! grep -q '^not ok' out || fail "a register is not as it should be"
}

describe distress_actions "--watchdog=pause and none: QMP's WATCHDOG, and nothing is bitten while it is paused" 90
test_distress_actions() {
	start run -S -k "$(payload_path distress)" -a gwdt=2000 --watchdog=pause --api api
	wait_until 10 test -S api || fail "there is no socket"
	control
	qmp cont
	wait_for '^told'
	qmp stop
	qmp_event STOP
	sleep 5
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	! qmp_events WATCHDOG 1 || fail "it bites while the machine is paused"
	qmp cont
	qmp_event 'WATCHDOG", "data": {"action": "pause"}'
	qmp_event STOP 2
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	qmp quit
	finish
	expect_status 0
	rm -f api requests
	start run -S -k "$(payload_path distress)" -a gwdt=500 --watchdog=none --api api
	wait_until 10 test -S api || fail "there is no socket"
	control
	qmp cont
	qmp_event 'WATCHDOG", "data": {"action": "none"}'
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	qmp quit
	finish
	expect_status 0
}

describe distress_dog_trial "armlet test: a guest that does not feed its watchdog, with Linux too" 120
test_distress_dog_trial() {
	tries -a gwdt=1000
	expect_status 255
	said '^armlet test: the guest has not refreshed its watchdog for 2 s, while it booted'
	expect_result verdict watchdog
	[ -s kept/vmcore ] || fail "its memory is not kept"
	# Writing "V" would stop it.
	feeds='exec 3>/dev/watchdog; for i in 1 2 3 4 5 6; do echo >&3; sleep 1; done; echo fed'
	small --modprobe sbsa_gwdt -o kept -- sh -c "$feeds; printf V >&3"
	expect_status 0
	expect_out '^fed'
	small --modprobe sbsa_gwdt -o kept -- sh -c "$feeds; sleep 100"
	expect_status 255
	expect_out '^fed'
	said '^armlet test: the guest has not refreshed its watchdog for 10 s, while the command ran'
	expect_result verdict watchdog
	small --watchdog=off --modprobe sbsa_gwdt -- sh -c 'test ! -e /dev/watchdog'
	expect_status 0
}

describe distress_kernels "armlet test: the drivers of other kernels for the watchdog" 180
test_distress_kernels() {
	for guest in 6.12 7.3; do
		small --modprobe sbsa_gwdt -- sh -c 'exec 3>/dev/watchdog; echo fed; sleep 100'
		expect_status 255
		expect_out '^fed'
		said 'the guest has not refreshed its watchdog for 10 s, while the command ran'
	done
}

describe distress_stall "--watchdog: a vCPU that runs and does not serve its stall detector" 90
test_distress_stall() {
	for cpus in 1 4; do
		armlet run -k "$(payload_path distress)" -a stall=1 -c "$cpus" --watchdog --no-reboot
		expect_status 255
		expect_err "vCPU $((cpus - 1)) has run for 1 s without a word to its stall detector"
		! grep -q '^not ok' out || fail "a register is not as it should be"
	done
	tries -a stall=2 -c 2
	expect_status 255
	said '^armlet test: vCPU 1 has run for 2 s without a word to its stall detector, while it booted'
	expect_result verdict watchdog
	[ -s kept/vmcore ] || fail "its memory is not kept"
}
