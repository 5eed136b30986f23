# SPDX-License-Identifier: Apache-2.0
# Faults on demand.
# shellcheck shell=sh

describe fault_payload "accesses and calls that fail as they are told to"
test_fault_payload() {
	set -- --scratch --loglevel info \
		--fault scratch0+0x100,do=zero --fault scratch0+0x200-0x20f,do=ones \
		--fault 0x20000000-0x20000fff,do=ones --fault scratch0+0x300-0x30f,do=abort \
		--fault scratch0+0x400,do=abort,nth=3 \
		--fault scratch0+0x500,do=drop,access=write,count=2 \
		--fault scratch0+0x600,do=serror,access=write \
		--fault scratch0+0x700,delay=300,access=read
	[ "$(kvm_fact smccc-filter)" != true ] ||
		set -- "$@" --fault AFFINITY_INFO,do=INTERNAL_FAILURE,nth=2 -a psci=1
	payload faults "$@"
	grep -q 'armlet: vCPU 0: fault scratch0+0x100 at the write to 0xc000100' err ||
		fail "the log does not tell of it"
}

describe fault_linux "Linux's drivers: a clock of ones, a disk that is none" 120
test_fault_linux() {
	guest_runs 'echo "clock $(cat /sys/class/rtc/rtc0/since_epoch)"
		ls /dev/vd* 2>/dev/null || echo "no disk"
		echo "the disk'\''s first word: $(head -c 4 /dev/vdb 2>/dev/null)"'
	truncate -s 1M a.img
	printf 'good' >b.img
	truncate -s 1M b.img
	linux -d a.img -d b.img --fault rtc0+0,do=ones,access=read --fault disk0+0,do=ones
	expect_status 0
	expect_out '^clock 4294967295' '^/dev/vda' 'first word: $'
	# The second is the first now: every access of its driver traps, and is late.
	linux -d b.img --fault disk0,delay=1
	expect_status 0
	expect_out '^/dev/vda'
	linux -d a.img -d b.img
	expect_status 0
	expect_out '^clock 1[0-9]*$' 'first word: good'
}

describe fault_disk "a disk whose registers all trap, and late: nothing is lost"
test_fault_disk() {
	guest_runs 'echo "sum $(head -c 1000000 /dev/vda | md5sum | cut -c 1-32)"
		echo changed | dd of=/dev/vda conv=notrunc,fsync 2>/dev/null
		echo end'
	dd if=/dev/urandom of=a.img bs=65536 count=16 2>/dev/null
	sum=$(head -c 1000000 a.img | md5sum | cut -c 1-32)
	linux -d a.img --fault disk0,delay=1,count=2000
	expect_status 0
	expect_out "^sum $sum" '^end'
	[ "$(head -c 7 a.img)" = changed ] || fail "what was written is not there"
}

describe fault_psci "Linux with a CPU that does not come on"
test_fault_psci() {
	need_filter
	guest_runs 'echo "cpus $(nproc)"; dmesg | grep -o "CPU2: failed to boot.*"'
	linux -c 4 --fault CPU_ON,do=INTERNAL_FAILURE,nth=2
	expect_status 0
	expect_out '^cpus 3' 'CPU2: failed to boot'
}

describe bad_fault "rules that are none: one sentence each"
test_bad_fault() {
	null=$(payload_path null)
	for rule in nothing,do=zero 'disk0,do=zero' 'serial1,do=zero' 0x,do=zero 9-8,do=zero; do
		refused -- "--fault ${rule%,*}: that is no function of PSCI, no address" -k "$null" --fault "$rule"
	done
	refused -- '--fault serial0: say what is to happen, by do= or delay=' -k "$null" --fault serial0
	refused -- '--fault serial0+0x1000: the device has only 0x1000 bytes' -k "$null" --fault serial0+0x1000,do=zero
	refused -- "--fault serial0: PSCI's errors are for its functions, as CPU_ON; an access can be" -k "$null" --fault serial0,do=DENIED
	refused -- '--fault CPU_ON: a call can fail with' -k "$null" --fault CPU_ON,do=zero
	refused -- '--fault CPU_ON: a call is neither read nor write' -k "$null" --fault CPU_ON,do=DENIED,access=read
	refused -- "'never' is not one of pass zero ones" -k "$null" --fault serial0,do=never
	refused -- 'is not a number from 1 to' -k "$null" --fault serial0,do=zero,nth=0
	refused -- "did you mean 'delay'" -k "$null" --fault serial0,dealy=5
	[ "$(kvm_fact smccc-filter)" = true ] ||
		refused -- "--fault: this host's KVM answers PSCI itself" -k "$null" --fault CPU_ON,do=DENIED
}
