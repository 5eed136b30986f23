# SPDX-License-Identifier: Apache-2.0
# What CPU a guest sees.
# shellcheck shell=sh

changes_ids() { "$ARMLET" doctor | grep -q 'CPU models *yes'; }

describe cpu_show "armlet cpu: this host's CPU, the shipped models, what one can change"
test_cpu_show() {
	armlet cpu show
	expect_status 0
	expect_silence
	expect_out '"name": "host"' '"MIDR_EL1": "0x' '"ID_AA64ISAR0_EL1": {' '"AES": '
	cp out host.json
	armlet cpu diff host.json
	expect_status 0
	expect_out '^host and host are the same'
	armlet cpu show v8.2
	expect_status 0
	expect_out '"name": "v8.2"' '"Atomic": 2'
	armlet cpu list
	expect_status 0
	expect_out '^v8.0 .*Armv8.0-A' '^v8.2 .*Armv8.2-A'
	armlet cpu show --writable
	expect_status 0
	if changes_ids; then
		expect_out '"ID_AA64ISAR0_EL1"' '"Atomic"'
	else
		! grep -q EL1 out || fail "this host is said to change ID registers"
	fi
}

describe cpu_diff "two models: what differs, and whether the one's software runs on the other"
test_cpu_diff() {
	armlet cpu diff v8.0 v8.2
	expect_status 1
	expect_out '^FIELD .* v8\.0  *v8\.2' '^ID_AA64ISAR0_EL1\.Atomic  *0  *2$' \
		'^The second has all that the first has'
	armlet cpu diff v8.2 v8.0
	expect_status 1
	expect_out 'its software may not run there'
	# A model of some fields leaves the others open.
	echo '{"registers": {"ID_AA64ISAR0_EL1": {"Atomic": 2}}}' >some.json
	armlet cpu diff some.json v8.2
	expect_status 1
	expect_out '^ID_AA64ISAR0_EL1\.DP  *as the host  *1$' '^The second has all'
	armlet cpu baseline v8.2 v8.0
	expect_status 0
	expect_silence
	sed 's/"baseline"/"v8.0"/' out >both.json
	armlet cpu diff both.json v8.0
	expect_status 0
	# Of two implementers' CPUs there is no MIDR_EL1 for both.
	echo '{"registers": {"MIDR_EL1": "0x410fd0c1"}}' >arm.json
	echo '{"registers": {"MIDR_EL1": "0x611f0221"}}' >apple.json
	armlet cpu baseline arm.json apple.json
	expect_status 0
	grep -q 'MIDR_EL1.Implementer: the models contradict each other' err ||
		fail "nothing is said of what was left out"
}

# The guest's own word for what it has.
boot_model() { # MODEL
	linux --cpu-model "$1"
	expect_status 0
	expect_silence
	expect_out '^features .* fp asimd'
}

describe cpu_model "Linux on the shipped models: it sees no more than they say"
test_cpu_model() {
	guest=6.1
	guest_script <<-'END'
		echo "features $(sed -n 's/^Features[^:]*://p' /proc/cpuinfo | head -n 1) end"
		dmesg | sed -n 's/^.*CPU features: detected: /feature: /p'
		ls -d /sys/bus/event_source/devices/armv8* || echo "no PMU"
	END
	if ! changes_ids; then
		refused -- '--cpu-model v8.0: ID_AA64.*_EL1\..* is to be .*, but this host.s KVM keeps it at 0x[1-9].*Linux changes ID registers from 6.7' \
			-k "$(kernel 6.1)" --cpu-model v8.0
		return
	fi
	boot_model v8.0
	expect_out '^no PMU'
	! grep -E '^features.* (aes|atomics|crc32|asimdrdm|dcpop|sve|paca|lrcpc)' out ||
		fail "the guest sees what is not of Armv8.0"
	! grep 'LSE atomic' out || fail "the kernel uses atomics"
	if "$ARMLET" cpu diff v8.2 | grep -q 'may not run'; then
		refused -- '--cpu-model v8.2: ID_AA64.*CPU has only' -k "$(kernel 6.1)" --cpu-model v8.2
		return
	fi
	boot_model v8.2
	expect_out '^features .* aes .* crc32 atomics .* asimdrdm lrcpc dcpop' '^feature: LSE atomic'
	! grep -E '^features.* (sve|paca|sha3|jscvt|dcpodp)' out ||
		fail "the guest sees what is not of Armv8.2"
}

describe cpu_model_file "a model from a file: some fields, and over a reset of the guest"
test_cpu_model_file() {
	changes_ids || skip "this host changes no ID registers"
	guest=6.1
	armlet cpu show
	if ! grep -q '"CRC32": 1' out; then skip "the CPU has no CRC32"; fi
	sed 's/"CRC32": 1/"CRC32": 0/; s/"name": "host"/"name": "mine"/' out >mine.json
	guest_script <<-'END'
		echo "features $(sed -n 's/^Features[^:]*://p' /proc/cpuinfo | head -n 1) end"
		if [ ! -e /dev/vda ] || [ "$(head -c 5 /dev/vda)" != again ]; then
			echo again >/dev/vda
			sync
			reboot -f
		fi
	END
	truncate -s 1M once.img
	linux --cpu-model mine.json -c 2 -d once.img
	expect_status 0
	[ "$(grep -c '^features' out)" = 2 ] || fail "the guest did not boot twice"
	! grep '^features.* crc32' out || fail "CRC32 is seen"
	grep -q '^features.* aes' out || fail "the other features are gone"
	if "$ARMLET" cpu show --writable | grep -q MIDR_EL1; then
		echo '{"registers": {"MIDR_EL1": "0x410fd0c1"}}' >midr.json
		guest_script <<-'END'
			cat /sys/devices/system/cpu/cpu1/regs/identification/midr_el1
		END
		linux --cpu-model midr.json -c 2
		expect_status 0
		expect_out '^0x00000000410fd0c1'
	fi
}

describe cpu_steal "two CPUs on one of the host's: the guest is told what it did not get"
test_cpu_steal() {
	guest=6.1
	guest_script <<-'END'
		dmesg | grep -o 'using stolen time PV'
		for cpu in 0 1; do
			taskset -c $cpu sh -c 'while :; do :; done' &
		done
		sleep 3
		echo "steal $(awk '/^cpu / { print $9 }' /proc/stat)"
		kill $(jobs -p)
	END
	linux -c 2 --pin 0
	expect_status 0
	"$ARMLET" doctor | grep -q 'stolen time *yes' || skip "this host does not count it"
	expect_out '^using stolen time PV'
	steal=$(sed -n 's/^steal //p' out)
	# In ticks of 10 ms: of 6 s of two CPUs half is gone.
	[ "$steal" -ge 100 ] || fail "only $steal ticks were stolen"
	linux -c 2 --pin 0 --steal-time=off
	expect_status 0
	expect_out '^steal 0$'
	! grep 'stolen time PV' out || fail "it is told all the same"
}

describe bad_cpu_model "a CPU model that is none, or not for this host"
test_bad_cpu_model() {
	null=$(payload_path null)
	refused -- '--cpu-model v9: it is none of the models (host, v8.0, v8.2), and as a file: No such file' \
		-k "$null" --cpu-model v9
	refused -- '--cpu-model /: it is none of the models' -k "$null" --cpu-model /
	echo '{"registers": {"ID_AA64ISAR0_EL1": {"AES": 99}}}' >bad.json
	refused -- '--cpu-model bad.json: ID_AA64ISAR0_EL1.AES: 99 is not a number from 0 to 15' \
		-k "$null" --cpu-model bad.json
	head -c 3000 /dev/urandom >garbage
	refused -- '--cpu-model garbage: this is no JSON' -k "$null" --cpu-model garbage
	# Nothing has 15 of this.
	echo '{"registers": {"ID_AA64ISAR0_EL1": {"CRC32": 15}}}' >more.json
	refused -- '--cpu-model more.json: ID_AA64ISAR0_EL1.CRC32 is to be 0xf, but this host' \
		-k "$null" --cpu-model more.json
	echo '{"registers": {"MIDR_EL1": 1}}' >midr.json
	"$ARMLET" cpu show --writable >writable
	grep -q MIDR writable ||
		refused -- '--cpu-model midr.json: MIDR_EL1.* is to be .*KVM keeps it at' \
			-k "$null" --cpu-model midr.json
	armlet cpu
	expect_refusal 'name what to do: show, diff, baseline or list'
	armlet cpu shew
	expect_refusal "there is no 'shew'; name what to do"
	armlet cpu diff
	expect_refusal 'diff wants a model'
	armlet cpu show v8.0 v8.2
	expect_refusal "show takes no 'v8.2'"
	armlet cpu show v8.0 --writable
	expect_refusal 'a matter of the host'
	for words in "show v8.0" "diff v8.0 v8.2" list; do
		# shellcheck disable=SC2086 # words they are
		"$ARMLET" cpu $words >/dev/full 2>err && fail "cpu $words does not notice a full disk"
		grep -q 'standard output takes no more' err || fail "cpu $words does not tell of it"
	done
	armlet cpu show --kvm-device /nonexistent/kvm
	expect_refusal '/nonexistent/kvm is not there'
}
