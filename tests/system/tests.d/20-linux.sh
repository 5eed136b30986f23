# SPDX-License-Identifier: Apache-2.0
# Debian's kernels as guests.
# shellcheck shell=sh

# What a booted guest tells, whatever its version.
boot_guest() {
	guest=$1
	guest_script <<-'END'
		echo "release $(uname -r)"
		echo "machine $(cat /proc/device-tree/model)"
		echo "cpus $(nproc)"
		echo "page $(getconf PAGESIZE 2>/dev/null || awk '/KernelPageSize/ { print $2 * 1024; exit }' /proc/self/smaps)"
		for device in /sys/bus/amba/devices/*; do
			[ ! -e "$device/driver" ] || echo "driver $(basename "$(readlink "$device/driver")")"
		done
		echo "rtc $(cat /sys/class/rtc/rtc0/since_epoch)"
		grep -q gpio-keys /proc/bus/input/devices && echo "power key"
		echo "console $(cat /sys/class/tty/console/active)"
	END
	before=$(date +%s)
	linux -c 2
	expect_status 0
	expect_silence
	expect_out '^machine armlet' '^cpus 2' '^driver uart-pl011' '^driver rtc-pl031' \
		'^driver pl061_gpio' '^console ttyAMA0' '^power key' 'test ended with status 0'
	rtc=$(sed -n 's/^rtc //p' out)
	[ "$rtc" -ge "$before" ] && [ "$rtc" -le "$(date +%s)" ] || fail "the guest's clock is wrong"
}

describe linux_6_1 "Debian's 6.1 boots, finds its devices, and powers off"
test_linux_6_1() {
	boot_guest 6.1
	expect_out '^release 6\.1\.' '^page 4096'
}

describe linux_6_12 "Debian's 6.12"
test_linux_6_12() {
	boot_guest 6.12
	expect_out '^release 6\.12\.' '^page 4096'
}

describe linux_6_12_16k "Debian's 6.12 with pages of 16 KiB, where the host's CPUs have them"
test_linux_6_12_16k() {
	if ! has_page_size 16; then
		need_guest 6.12-16k
		refused 'pages of 16 KiB, which this host' -k "$(kernel 6.12-16k)"
		return
	fi
	boot_guest 6.12-16k
	expect_out '^release 6\.12\..*16k' '^page 16384'
}

has_page_size() { "$ARMLET" doctor | grep 'guest page sizes' | grep -qw "$1"; }

describe linux_7_3 "Debian's 7.3"
test_linux_7_3() {
	boot_guest 7.3
	expect_out '^release 7\.3\.' '^page 4096'
}

describe linux_loud "the whole log of a kernel goes out on the console, from its first line"
test_linux_loud() {
	guest_runs true
	words="earlycon console=ttyAMA0 panic=-1 armlet.script=test"
	linux
	expect_status 0
	expect_out '^\[    0.000000\] Booting Linux on physical CPU' 'Power down'
	expect_no_out 'WARNING:' 'BUG:' 'Oops'
	expect_silence
}

# cpus_of_guest COUNT: the script brings up those that the kernel has not.
cpus_of_guest() {
	guest_script <<-'END'
		for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
			[ "$(cat "$cpu/online" 2>/dev/null || echo 1)" = 1 ] || echo 1 >"$cpu/online"
		done
		echo "online $(cat /sys/devices/system/cpu/online)"
		echo "count $(nproc)"
		dmesg | grep -iE 'WARNING|failed to (boot|come online)' | sed 's/^/trouble /'
	END
	linux -m 512 -c "$1"
	expect_status 0
	expect_no_out '^trouble'
	expect_out "^count $1\$"
	[ "$1" -eq 1 ] || expect_out "^online 0-$(($1 - 1))\$"
}

describe linux_1_cpu "a guest of 1 CPU"
test_linux_1_cpu() { cpus_of_guest 1; }

describe linux_2_cpus "a guest of 2 CPUs"
test_linux_2_cpus() { cpus_of_guest 2; }

describe linux_8_cpus "a guest of 8 CPUs"
test_linux_8_cpus() { cpus_of_guest 8; }

describe linux_topology "--topology: sockets, clusters, cores and threads, as Linux sees them"
test_linux_topology() {
	guest_script <<-'END'
		for cpu in 0 1 2 3 4 5 6 7; do
			cd "/sys/devices/system/cpu/cpu$cpu/topology"
			echo "cpu$cpu $(cat physical_package_id thread_siblings_list core_siblings_list cluster_cpus_list)" |
				tr '\n' ' '
			echo
		done
		dmesg | grep -o 'CPU7: Booted .*'
	END
	linux -m 512 -c 8 --topology sockets=2,clusters=2,threads=2
	expect_status 0
	case $(kvm_fact writable-id-registers) in
	true) expect_out '^CPU7: Booted secondary processor 0x0000030001' ;;
	*) expect_out '^CPU7: Booted secondary processor 0x0000000007' ;;
	esac
	expect_out '^cpu0 0 0-1 0-3 0-1' '^cpu3 0 2-3 0-3 2-3' '^cpu4 1 4-5 4-7 4-5' '^cpu7 1 6-7 4-7 6-7'
	expect_silence
	refused '--topology: 3 sockets of 1 clusters of 2 cores of 1 threads are 6 CPUs, but --cpus is 8' \
		-k "$(kernel 6.1)" -c 8 --topology sockets=3
	refused "--topology: cores: '0' is not a number from 1 to 512" \
		-k "$(kernel 6.1)" -c 8 --topology cores=0
}

describe linux_scratch "--scratch: registers that keep what is written, as armlet-traps(7) shows"
test_linux_scratch() {
	guest_script <<-'END'
		devmem 0xc000008 64 0x1122334455667788
		echo "word $(devmem 0xc00000c 32)"
		echo "node $(tr '\0' ' ' </proc/device-tree/scratch@c000000/compatible)"
	END
	linux --scratch
	expect_status 0
	expect_out '^word 0x11223344' '^node armlet,scratch'
	expect_silence
}

describe linux_64_cpus "a guest of 64 CPUs, each online" 240
test_linux_64_cpus() {
	need_gicv3
	# One after the other, once ticks stop on idle CPUs: 64 that tick are more
	# than an emulated host can do.
	words="$words maxcpus=1"
	cpus_of_guest 64
}

# memory_of_guest MIB LEAST: MemTotal is what the kernel leaves of it.
memory_of_guest() {
	guest_script <<-'END'
		sed -n 's/^MemTotal: *\([0-9]*\) kB/total \1/p' /proc/meminfo
		xxd -p /proc/device-tree/memory@40000000/reg | sed 's/^/reg /'
	END
	linux -m "$1"
	expect_status 0
	expect_out "^reg 0000000040000000$(printf '%016x' $(($1 * 1048576)))\$"
	total=$(sed -n 's/^total //p' out)
	[ "$total" -ge $(($2 * 1024)) ] && [ "$total" -le $(($1 * 1024)) ] ||
		fail "the guest has $total kB"
}

describe memory_64m "a guest of 64 MiB"
test_memory_64m() {
	# 6.1 keeps 33 MiB for itself, and unpacks the initrd beside it.
	memory_of_guest 64 12
}

describe memory_1g "a guest of 1 GiB"
test_memory_1g() { memory_of_guest 1024 900; }

describe memory_3g "a guest of 3 GiB: more than 32 bits of address"
test_memory_3g() {
	[ "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" -gt 3300000 ] ||
		skip "the host has too little memory"
	memory_of_guest 3072 2900
	payload conventions -m 3G -a mem=3072
}

describe append_exact "the command line is exactly what was given, blanks and quotes included"
test_append_exact() {
	guest_runs 'cat /proc/device-tree/chosen/bootargs; echo; echo; cat /proc/cmdline'
	words='console=ttyAMA0   quiet cryptomgr.notests armlet.script=test x="a b"  y=$z '
	linux
	expect_status 0
	tr -d '\0' <out | grep -qxF "$words" || fail "bootargs differ"
}

describe feature_sve "--sve: on, off, and refused where the host has none"
test_feature_sve() { switch_of_guest sve sve; }

describe feature_pauth "--pauth: on, off, and refused where the host has none"
test_feature_pauth() { switch_of_guest pauth paca; }

# switch_of_guest OPTION FLAG: the flag in /proc/cpuinfo follows the option.
switch_of_guest() {
	grep '^Features' /proc/cpuinfo | head -n 1 | grep -qw "$2" && on_host=1 || on_host=''
	guest_runs 'grep -m1 ^Features /proc/cpuinfo'
	if [ "$(kvm_fact "$1")" != true ]; then
		refused "--$1=on: this host's KVM does not have it" -k "$(kernel 6.1)" "--$1=on"
		linux
		expect_no_out " $2\\>"
		say "the host's KVM has none"
		return
	fi
	[ -n "$on_host" ] || fail "doctor says $1, but the host has none"
	for option in "--$1=on" "--$1" "--$1=auto"; do
		linux "$option"
		expect_status 0
		expect_out "^Features.* $2\\>"
	done
	linux "--$1=off"
	expect_status 0
	expect_no_out "^Features.* $2\\>"
}

describe feature_pmu "--pmu: a PMU that counts, off, and refused where the host has none"
test_feature_pmu() {
	guest_script <<-'END'
		[ ! -e /proc/device-tree/pmu ] || echo "node"
		for pmu in /sys/bus/event_source/devices/armv8_pmuv3*; do
			[ ! -e "$pmu" ] || echo "driver $(cat "$pmu/cpus" 2>/dev/null)"
		done
	END
	if [ "$(kvm_fact pmu)" != true ]; then
		refused "--pmu=on: this host's KVM does not have it" -k "$(kernel 6.1)" --pmu=on
		linux
		expect_no_out '^node' '^driver'
		return
	fi
	linux --pmu
	expect_status 0
	expect_out '^node' '^driver'
	linux --pmu=off
	expect_status 0
	expect_no_out '^node' '^driver'
}

describe kvmtool_style "arguments as kvmtool's callers write them"
test_kvmtool_style() {
	need_gicv3
	guest_runs 'echo "count $(nproc)"; ls /sys/bus/amba/devices | wc -l | sed "s/^/amba /"'
	armlet run --kernel "$(kernel 6.1)" --cpus 2 --params "$words" --nodefaults \
		--network mode=none --loglevel=warning --mem 256 --irqchip=gicv3 --initrd initrd
	expect_status 0
	expect_out '^count 2' '^amba 1'
	expect_silence
}

describe irqchip "--irqchip: the one that is there, and a sentence about one that is not"
test_irqchip() {
	for version in 2 3; do
		if [ "$(kvm_fact gicv$version)" = true ]; then
			payload interrupts -c 2 --irqchip gicv$version
		else
			refused "no GICv$version for guests" -k "$(payload_path null)" --irqchip gicv$version
		fi
	done
	if [ "$(kvm_fact gicv3)" != true ]; then
		payload psci -c 8 -a cpus=8
		refused 'at most 8 vCPUs' -k "$(payload_path null)" -c 9
	fi
}
