# SPDX-License-Identifier: Apache-2.0
# PSCI in user space.
# shellcheck shell=sh

need_filter() { [ "$(kvm_fact smccc-filter)" = true ] || skip "this host's KVM gives no calls away"; }

describe psci_refused "PSCI in user space, where the host's KVM gives no calls away"
test_psci_refused() {
	null=$(payload_path null)
	refused -- '--cpus-present: 5 are more than the 4 of --cpus' -k "$null" -c 4 --cpus-present 5
	refused -- "--psci: 'us' is not one of kvm armlet" -k "$null" --psci us
	[ "$(kvm_fact smccc-filter)" != true ] || return 0
	refused -- "--psci armlet: this host's KVM answers PSCI itself" -k "$null" --psci armlet
	refused -- "--cpus-present: this host's KVM answers PSCI itself" -k "$null" --cpus-present 1
}

describe psci_payload "the payloads that call PSCI find no difference"
test_psci_payload() {
	need_filter
	payload psci -c 8 -a cpus=8 --psci armlet
	payload reset -c 2 --psci armlet
	payload reset -a "second=$((0xc4000012))" --psci armlet
	armlet run --psci armlet -k "$(payload_path null)"
	expect_status 0
	expect_silence
}

describe psci_suspend "SYSTEM_SUSPEND, where PSCI is ours"
test_psci_suspend() {
	need_filter
	payload suspend -c 2 --psci armlet
	payload suspend -c 2 -a other=1 --psci armlet
}

describe psci_linux "Linux with eight CPUs: off and on again, and the log of it" 120
test_psci_linux() {
	need_filter
	guest_runs 'echo "cpus $(nproc)"
		echo 0 >/sys/devices/system/cpu/cpu5/online
		echo "then $(nproc)"
		echo 1 >/sys/devices/system/cpu/cpu5/online
		echo "again $(nproc)"
		read -r line'
	converse -c 8 --psci armlet --api api --loglevel info
	wait_for '^again 8' 100
	control
	expect_like '"cpu-index": 7, "mpidr": 7, "power": "on", "present": true' query-psci
	expect_like '"what": "on", "cpu-index": 1, "by": 0, "entry": ' query-psci
	expect_like '"what": "off", "cpu-index": 5, "by": 5}' query-psci
	expect_like '"what": "on", "cpu-index": 5, "by": [0-7], "entry": [0-9]*}\]' query-psci
	tell bye
	farewell 60
	expect_status 0
	expect_out '^cpus 8' '^then 7'
	grep -q 'armlet: CPU 5 has turned itself off' err || fail "the log does not say it"
	grep -q 'armlet: CPU 7 was turned on by CPU 0, to enter 0x' err || fail "nor that"
}

describe psci_present "CPUs that come and go: refused, added, taken away, over a reset" 120
test_psci_present() {
	need_filter
	guest_runs 'echo "cpus $(nproc)"
		while read -r word cpu; do
			case $word in
			on) (echo 1 >/sys/devices/system/cpu/cpu$cpu/online) 2>/dev/null || echo "refused $cpu" ;;
			off) echo 0 >/sys/devices/system/cpu/cpu$cpu/online ;;
			reset) reboot -f ;;
			end) break ;;
			esac
			echo "now $(nproc) after $word $cpu"
		done'
	converse -c 4 --cpus-present 2 --api api
	wait_for '^cpus 2' 60
	control
	tell 'on 2'
	wait_for '^now 2 after on 2'
	wait_for '^refused 2'
	expect_like '"cpu-index": 2, "mpidr": 2, "power": "off", "present": false' query-psci
	expect_like '"what": "refused", "cpu-index": 2, "by": [01], "error": -3}' query-psci
	expect_answer '{"return": {}}' set-cpu-present '{"cpu-index": 2, "present": true}'
	tell 'on 2'
	wait_for '^now 3 after on 2'
	# Taken away, it stays until it is turned off.
	expect_answer '{"return": {}}' set-cpu-present '{"cpu-index": 1, "present": false}'
	tell 'off 1'
	wait_for '^now 2 after off 1'
	tell 'on 1'
	wait_for '^now 2 after on 1'
	tell 'reset -'
	qmp_event RESET
	wait_until 60 cpus_again || fail "it does not boot again with two CPUs"
	expect_like '"cpu-index": 1, "mpidr": 1, "power": "off", "present": false' query-psci
	expect_like '"cpu-index": 2, "mpidr": 2, "power": "on", "present": true' query-psci
	expect_like 'CPU 0 boots the guest' set-cpu-present '{"cpu-index": 0, "present": false}'
	expect_like 'there is no CPU 4: the machine has 4' set-cpu-present \
		'{"cpu-index": 4, "present": true}'
	tell end
	farewell 60
	expect_status 0
}

cpus_again() { [ "$(grep -ac '^cpus 2' out)" = 2 ]; }

describe psci_pause "pause, reset and end of a machine with CPUs that are off"
test_psci_pause() {
	need_filter
	start run -c 8 --psci armlet --api api -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	control
	expect_answer '{"return": {}}' stop
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	expect_like '"cpu-index": 7, "mpidr": 7, "power": "off"' query-psci
	expect_answer '{"return": {}}' cont
	expect_answer '{"return": {}}' system_reset
	qmp_event RESET
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	expect_answer '{"return": {}}' quit
	finish 10
	expect_status 0
	# Whose PSCI KVM answers.
	start run --api api -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	rm -f requests answers
	control
	expect_like 'run it with --psci armlet' query-psci
	expect_like 'run it with --psci armlet' set-cpu-present '{"cpu-index": 0, "present": true}'
	expect_answer '{"return": {}}' quit
	finish 10
}
