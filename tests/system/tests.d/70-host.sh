# SPDX-License-Identifier: Apache-2.0
# What a machine takes of its host, and what doctor says of that.
# shellcheck shell=sh

describe host_idle "an idle guest: no exit to user space, under 1 % of a CPU"
test_host_idle() {
	seconds=10
	start run -m 16 -k "$(payload_path idle)" -a seconds=$((seconds + 4))
	wait_for 'idle begins'
	sleep 2 # posted writes are parked by then
	exits_before=$(exits mmio_exit_user)
	signals_before=$(exits signal_exits)
	ticks_before=$(cpu_ticks "$PID")
	sleep $seconds
	ticks=$(($(cpu_ticks "$PID") - ticks_before))
	if [ -n "$exits_before" ]; then
		expect_at_most $(($(exits mmio_exit_user) - exits_before)) 0 "exits to user space"
		expect_at_most $(($(exits signal_exits) - signals_before)) 0 "exits by signals"
	fi
	# An emulated host takes a hundred times longer for everything.
	expect_at_most $ticks $((seconds * slowness)) "ticks of CPU in $seconds s"
	finish
	expect_report_of_end
}

expect_report_of_end() {
	expect_status 0
	expect_out '^done'
}

describe host_resident "resident memory beside the guest's: at most 600 kB"
test_host_resident() {
	is_static || skip "the limit is a static armlet's"
	start run -m 64 -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	# The guest's memory is the one mapping of its size.
	awk '
		/^[0-9a-f]+-[0-9a-f]+ / { guest = 0 }
		/^Size:/ { guest = $2 >= 65536 }
		/^(Rss):/ && !guest { sum += $2 }
		END { print sum }' "/proc/$PID/smaps" >kilobytes
	kill -KILL "$PID"
	finish
	# A static program: its text counts, as nobody else has it.
	expect_at_most "$(cat kilobytes)" 1600 "kB resident, text included"
}

describe host_threads "one thread a vCPU, named"
test_host_threads() {
	start run -c 3 -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	cat "/proc/$PID/task/"*/comm | sort | tr '\n' ' ' >names
	kill -KILL "$PID"
	finish
	say "$(cat names)"
	[ "$(cat names)" = "armlet vcpu0 vcpu1 vcpu2 " ] || fail "the threads are: $(cat names)"
}

affinity_of() {
	for task in /proc/"$PID"/task/*; do
		[ "$(cat "$task/comm")" != "$1" ] || sed -n 's/^Cpus_allowed_list:[ \t]*//p' "$task/status"
	done
}

describe host_pin "--pin binds each vCPU to its host CPU"
test_host_pin() {
	[ "$(nproc)" -ge 2 ] || skip "the host has one CPU"
	start run -c 2 --pin 1,0 -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	[ "$(affinity_of vcpu0) $(affinity_of vcpu1)" = "1 0" ] || fail "not as given"
	kill -KILL "$PID"
	finish
	start run -c 3 --pin 1 -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	[ "$(affinity_of vcpu0) $(affinity_of vcpu2)" = "1 1" ] || fail "one for all is not for all"
	kill -KILL "$PID"
	finish
	refused '--pin: names 2 host CPUs for 3 vCPUs' -k "$(payload_path null)" -c 3 --pin 0,1
	refused "--pin: this host has no CPU 999" -k "$(payload_path null)" --pin 999
	refused "--pin: 'x' is not a list" -k "$(payload_path null)" --pin x
}

describe host_hugepages "--hugepages takes reserved huge pages, and says so if there are none"
test_host_hugepages() {
	pages=/sys/kernel/mm/hugepages/hugepages-2048kB
	[ -w $pages/nr_hugepages ] || skip "the host has no huge pages of 2 MiB that we may reserve"
	was=$(cat $pages/nr_hugepages)
	echo 0 >$pages/nr_hugepages
	[ "$(cat $pages/nr_hugepages)" -eq 0 ] || skip "somebody uses huge pages"
	refused '--hugepages: the host cannot give 32 MiB.*sysctl vm.nr_hugepages=16' \
		-k "$(payload_path null)" -m 32 --hugepages
	echo 16 >$pages/nr_hugepages
	if [ "$(cat $pages/nr_hugepages)" -lt 16 ]; then
		echo "$was" >$pages/nr_hugepages
		skip "the host's memory is too split for 16 huge pages"
	fi
	start run -m 32 --hugepages -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	reserved=$(($(cat $pages/resv_hugepages) + 16 - $(cat $pages/free_hugepages)))
	kill -KILL "$PID"
	finish
	payload conventions -m 32 -a mem=32 --hugepages
	[ "$(cat $pages/free_hugepages)" -eq 16 ] || fail "huge pages are not given back"
	echo "$was" >$pages/nr_hugepages
	[ $reserved -ge 16 ] || fail "the guest's memory is not in huge pages"
}

describe host_lock_mem "--lock-mem locks the memory, and says so where it may not"
test_host_lock_mem() {
	start run -m 32 --lock-mem -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	locked=$(awk '/^VmLck/ { print $2 }' "/proc/$PID/status")
	kill -KILL "$PID"
	finish
	[ "$locked" -ge 32768 ] || fail "$locked kB are locked"
	[ "$(id -u)" -eq 0 ] || return 0
	kernel=$(for_others "$(payload_path null)")
	ulimit -l 1024 2>/dev/null
	unprivileged run -m 32 --lock-mem -k "$kernel"
	expect_refusal '--lock-mem: the host does not let us lock 32 MiB.*ulimit -l'
}

describe host_aligned "the guest's memory is aligned, so that stage 2 can use blocks"
test_host_aligned() {
	start run -m 64 -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	# The mapping of 64 MiB; another one may lie against its end.
	cat "/proc/$PID/maps" >maps
	kill -KILL "$PID"
	finish
	grep -q '^[0-9a-f]*[02468ace]00000-' maps || fail "no mapping is aligned to 2 MiB"
}

describe doctor_text "doctor tells the mode of KVM and what guests can have"
test_doctor_text() {
	STATUS=0
	"$ARMLET" doctor >out 2>err || STATUS=$?
	expect_status 0
	expect_silence
	expect_out '^Host' '^KVM' '^For guests' '  vCPUs  .*at most' 'interrupt controller  *GICv3' \
		'guest addresses  *[0-9]* bits' 'Machines can run on this host.' \
		"Linux $(uname -r)" '  page size  '
	if emulated; then
		mode=$(kvm_mode)
		case $mode in
		vhe) expect_out '  mode  *VHE' ;;
		nvhe) expect_out '  mode  *nVHE' ;;
		protected) expect_out '  mode  *protected' ;;
		esac
	fi
	case $(uname -r) in
	6.1.*) expect_out 'Linux 6.1 cannot hide CPU features' ;;
	esac
}

describe doctor_json "doctor --json is JSON with the same facts"
test_doctor_json() {
	STATUS=0
	"$ARMLET" doctor --json >out 2>err || STATUS=$?
	expect_status 0
	expect_silence
	expect_out '^{$' '^}$' '"usable": true' '"mode": "' '"max-vcpus": [0-9]*' '"advice": \['
	[ "$(tr -cd '{' <out | wc -c)" = "$(tr -cd '}' <out | wc -c)" ] || fail "braces do not match"
}

describe doctor_without_kvm "doctor where there is no KVM: says why, and how to mend it"
test_doctor_without_kvm() {
	STATUS=0
	"$ARMLET" doctor --kvm-device "$DIR/none" >out 2>err || STATUS=$?
	expect_status 1
	expect_out "$DIR/none is missing" 'modprobe kvm' 'No machine can run on this host.'
	STATUS=0
	"$ARMLET" doctor --kvm-device /dev/null --json >out 2>err || STATUS=$?
	expect_status 1
	expect_out '"usable": false' '"error": "/dev/null is not KVM'
}

describe doctor_no_kvm "doctor and run on a host that has no KVM at all"
test_doctor_no_kvm() {
	[ ! -e /dev/kvm ] || skip "the host has KVM"
	for option in '' --json; do
		STATUS=0
		# shellcheck disable=SC2086 # none or one word
		"$ARMLET" doctor $option >out 2>err || STATUS=$?
		expect_status 1
		expect_silence
		expect_out '/dev/kvm is missing'
	done
	refused '/dev/kvm is not there' -k "$(payload_path null)"
}

describe doctor_not_permitted "doctor for one who may not open /dev/kvm names the group"
test_doctor_not_permitted() {
	[ -e /dev/kvm ] || skip "the host has no KVM"
	[ "$(id -u)" -eq 0 ] || skip "only root can become somebody else"
	mode=$(stat -c %a /dev/kvm)
	chmod 660 /dev/kvm
	unprivileged doctor
	chmod "$mode" /dev/kvm
	expect_status 1
	expect_out 'You may not open /dev/kvm' 'usermod -aG'
}

describe cli_words "help, version, completion: of each command, with status 0"
test_cli_words() {
	for words in "--help" "--version" "run --help" "doctor --help" "completion bash" \
		"completion zsh" "completion fish" "schema" "schema --help" "help" "ps --help" "inspect --help" \
		"stop --help" "kill --help" "pause --help" "resume --help" "wait --help" "events --help" "ctl --help" "console --help" \
		"logs --help" "create --help" "ls --help" "start --help" "restart --help" "rm --help"; do
		# shellcheck disable=SC2086 # words they are
		armlet $words
		expect_status 0
		[ -s out ] || fail "armlet $words says nothing"
		expect_silence
	done
	armlet run --help
	for option in kernel initrd append dtb dtb-overlay dump-dtb cpus mem irqchip pmu sve pauth pin \
		hugepages lock-mem nodefaults no-reboot timeout; do
		expect_out "  --$option\\|, --$option"
	done
}
