# SPDX-License-Identifier: Apache-2.0
# Bad input: each is refused with one sentence that says what is wrong, with
# status 125, before anything was printed on standard output. That no process
# stays and no core is dumped is looked after by run.
# shellcheck shell=sh

null() { payload_path null; }

# bytes FILE OFFSET ESCAPES: writes them there.
bytes() {
	# shellcheck disable=SC2059 # escapes they are
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# image FILE FLAGS SIZE: an arm64 Image that says so of itself (booting.rst), of 4 KiB.
image() {
	dd if=/dev/zero of="$1" bs=4096 count=1 2>/dev/null
	bytes "$1" 0 '\010\000\000\024' # b . + 32
	bytes "$1" 16 "$3"
	bytes "$1" 24 "$2"
	bytes "$1" 56 'ARM\144'
}

describe bad_kernel_none "no kernel at all, and one that is missing"
test_bad_kernel_none() {
	refused 'no kernel is given' -m 64
	refused "kernel 'nowhere' cannot be opened: No such file or directory" -k nowhere
	refused "kernel 'nowhere/else' cannot be opened" nowhere/else
	refused "kernel '' cannot be opened" -k ''
}

describe bad_kernel_kinds "a directory, an empty file, a device as kernel"
test_bad_kernel_kinds() {
	mkdir directory
	: >empty
	refused "'directory' is a directory" -k directory
	refused "'empty' is empty" -k empty
	refused "'/dev/null' is" -k /dev/null
	refused "'/dev/zero' is a device" -k /dev/zero
	refused "'/dev/kvm' is a device" -k /dev/kvm
}

describe bad_kernel_unreadable "a kernel that one may not read"
test_bad_kernel_unreadable() {
	[ "$(id -u)" -eq 0 ] || skip "only root can become somebody else"
	cp "$(null)" secret
	chmod 600 secret
	unprivileged run -k "$DIR/secret"
	expect_refusal "secret' cannot be opened: Permission denied"
}

describe bad_kernel_foreign "kernels of other machines are named as what they are"
test_bad_kernel_foreign() {
	dd if=/dev/zero of=zeros bs=4096 count=4 2>/dev/null
	cp zeros bzImage
	bytes bzImage 0 'MZ'
	bytes bzImage 510 '\125\252'
	bytes bzImage 514 'HdrS'
	refused 'an x86 kernel (bzImage)' -k bzImage
	cp zeros zImage
	bytes zImage 36 '\030\050\157\001'
	refused 'a 32-bit Arm kernel (zImage)' -k zImage
	cp zeros riscv
	bytes riscv 48 'RISCV\000\000\000RSC\005'
	refused 'a RISC-V kernel' -k riscv
	cp zeros uImage
	bytes uImage 0 '\047\005\031\126'
	refused 'U-Boot uImage' -k uImage
	cp zeros vmlinux
	bytes vmlinux 0 '\177ELF\002\001\001'
	bytes vmlinux 16 '\002\000\076\000'
	refused 'is an ELF file for x86-64' -k vmlinux
	printf '#!/bin/sh\necho no\n' >script
	refused 'is a script' -k script
	need_guest 6.1
	refused 'is a cpio archive' -k "$ARMLET_GUESTS/6.1/initrd.cpio"
}

describe bad_kernel_truncated "kernels that are cut off or damaged, in each format"
test_bad_kernel_truncated() {
	for format in gzip zstd zboot-gzip zboot-zstd elf; do
		"$ARMLET_TOOLS/pack" $format "$(payload_path pl011)" whole || fail "pack fails"
		size=$(wc -c <whole)
		for keep in 70 $((size / 2)) $((size - 1)); do
			[ "$keep" -lt "$size" ] || continue
			head -c $keep whole >"cut"
			say "$format, $keep of $size bytes:"
			armlet run -k cut --timeout 5
			case $format.$STATUS in
			elf.*) expect_refusal 'cut off\|damaged\|ends' ;;
			*) expect_refusal "kernel 'cut'" ;;
			esac
		done
		case $format in elf) continue ;; esac
		cp whole damaged
		bytes damaged $((size / 2)) '\000\377\000\377\000\377\000\377\000\377'
		armlet run -k damaged --timeout 5
		expect_refusal "kernel 'damaged'"
	done
}

describe bad_image_header "an arm64 Image whose header cannot be true"
test_bad_image_header() {
	image huge '\012' '\000\000\000\000\000\001\000\000' # 1 TiB
	refused "kernel" -k huge
	image text '\012' '\000\020'
	bytes text 8 '\377\377\377\377\377\377\377\177'
	refused "kernel 'text' is damaged" -k text
	head -c 60 text >short
	armlet run -k short --timeout 3
	[ "$STATUS" -ne 0 ] || fail "a header alone is taken for a kernel"
}

describe bad_page_size "a kernel of a page size that the host's CPUs lack"
test_bad_page_size() {
	image k16 '\014' '\000\020'
	image k64 '\016' '\000\020'
	sizes=$("$ARMLET" doctor | sed -n 's/^ *guest page sizes *//p')
	say "the host has: $sizes"
	for size in 16 64; do
		case " $sizes " in *" $size "*) continue ;; esac
		refused "uses pages of $size KiB, which this host's CPUs do not have" -k k$size
	done
}

describe bad_fit "kernel, initrd and device tree that do not fit into the memory"
test_bad_fit() {
	dd if=/dev/zero of=large bs=1048576 count=24 2>/dev/null
	refused '16 MiB of memory; give it at least --mem 32M' -k "$(null)" -i large -m 16
	refused 'the machine has 16 MiB of memory' -k large -m 16
	: >empty
	refused "initrd 'empty' is empty" -k "$(null)" -i empty
	refused "initrd 'none' cannot be opened" -k "$(null)" -i none
	mkdir directory
	refused "initrd 'directory' is a directory" -k "$(null)" -i directory
	need_guest 6.1
	refused 'the kernel needs [0-9]* MiB.*at least --mem' -k "$(kernel 6.1)" -m 16
	refused 'and the initrd 24 MiB' -k "$(kernel 6.1)" -i large -m 48
}

describe bad_mem "--mem: nothing, nonsense, and more than the host has"
test_bad_mem() {
	refused -- '--mem: 0 is out of range, which is 16 MiB' -m 0
	refused -- "--mem: '12Q' is not a size; write it as 512M" --mem 12Q
	refused -- "--mem: '' is not a size" --mem ''
	refused -- "--mem: '-5' is not a size" --mem -5
	refused -- "--mem: '1.5G' is not a size" --mem=1.5G
	refused -- '--mem: 99999999999999999999 is out of range' -m 99999999999999999999
	refused -- '--mem: 8191P\|--mem: .8191P. is not a size' -m 8191P
	refused -- '--mem: 64M and 1K\|--mem: [0-9]* is not a multiple of 64 KiB' -k "$(null)" -m 65537K
	more=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) / 1024 * 3 + 1024))
	swap=$(($(awk '/^SwapTotal/ { print $2 }' /proc/meminfo) / 1024))
	refused -- "--mem: .* is more than this host's memory and swap" -k "$(null)" -m $((more + swap))
	refused -- "--mem: " -k "$(null)" -m 1000T
}

describe bad_cpus "--cpus: none, nonsense, and more than KVM allows"
test_bad_cpus() {
	refused -- "--cpus: '0' is not a number from 1 to" -c 0
	refused -- "--cpus: '100000' is not a number from 1 to" -c 100000
	refused -- "--cpus: 'two' is not a number" --cpus two
	refused -- "--cpus: '' is not a number" --cpus=
	refused -- "--cpus: '1,5' is not a number" -c 1,5
	most=$(kvm_fact max-vcpus)
	[ "$most" -ge 512 ] || refused "at most $most vCPUs, not $((most + 1))" -k "$(null)" -c $((most + 1))
}

describe bad_kvm "/dev/kvm that is missing, not permitted, or something else"
test_bad_kvm() {
	refused 'none is not there' -k "$(null)" --kvm-device none
	refused '/dev/null is not KVM' -k "$(null)" --kvm-device /dev/null
	: >file
	refused 'file is not KVM' -k "$(null)" --kvm-device file
	mkdir directory
	refused "directory " -k "$(null)" --kvm-device directory
	[ "$(id -u)" -eq 0 ] || return 0
	mode=$(stat -c %a /dev/kvm)
	chmod 660 /dev/kvm
	unprivileged run -k "$(for_others "$(null)")"
	chmod "$mode" /dev/kvm
	expect_refusal '/dev/kvm may not be opened by you: join the group.*usermod -aG'
}

describe bad_dtb "device trees and overlays that are broken"
test_bad_dtb() {
	: >empty
	echo '/dts-v1/; / { };' >source.dts
	armlet run -k "$(null)" --dump-dtb good.dtb
	expect_status 0
	for what in dtb dtb-overlay; do
		refused 'cannot be opened' -k "$(null)" --$what nowhere
		refused 'is empty' -k "$(null)" --$what empty
		refused 'is a source file; compile it with dtc' -k "$(null)" --$what source.dts
		refused 'is no device tree' -k "$(null)" --$what "$(payload_path pl011)"
		head -c 100 good.dtb >cut.dtb
		refused 'is damaged\|ends\|is no device tree' -k "$(null)" --$what cut.dtb
		head -c $(($(wc -c <good.dtb) - 40)) good.dtb >cut.dtb
		refused 'is damaged' -k "$(null)" --$what cut.dtb
		cp good.dtb damaged.dtb
		bytes damaged.dtb 60 '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377'
		refused 'is damaged\|damaged' -k "$(null)" --$what damaged.dtb
	done
	refused 'holds no fragment to apply' -k "$(null)" --dtb-overlay good.dtb
	second=$ARMLET_TOOLS/overlay2.dtbo
	[ ! -e "$second" ] || refused 'cannot be applied' -k "$(null)" --dtb-overlay "$second"
	refused 'cannot be written' -k "$(null)" --dump-dtb nowhere/tree
	refused 'cannot be written' -k "$(null)" --dump-dtb /dev/full
}

describe bad_options "unknown options, with the nearest that exists; values that are missing"
test_bad_options() {
	refused -- 'unknown option --memory; did you mean --mem?' --memory 64
	refused -- 'unknown option --kernal; did you mean --kernel?' --kernal=x
	refused -- 'unknown option --xyzzy; `armlet run --help`' --xyzzy
	refused -- 'unknown option -Z' -Z
	refused -- '--kernel needs a value' --kernel
	refused -- '--nodefaults takes no value' --nodefaults=1
	refused -- "--pmu: 'maybe' is not one of" --pmu=maybe
	refused -- "--irqchip: 'gicv9' is not one of" --irqchip gicv9
	refused -- 'there is a kernel already' -k "$(null)" "$(null)"
	refused -- "--timeout: '0' is not a number" -t 0
	refused -- "--net: 'bridge' is not" --net bridge
	for words in 'rnu:did you mean .run.' 'frobnicate:armlet --help'; do
		armlet "${words%%:*}"
		expect_refusal "there is no command '${words%%:*}'.*${words#*:}"
	done
	armlet doctor --jsno
	expect_refusal 'unknown option --jsno; did you mean --json'
	armlet doctor word
	expect_refusal "'word' is not an option"
	armlet completion tcsh
	expect_refusal 'completion bash, zsh or fish'
}

describe bad_pin "--pin that does not fit the vCPUs"
test_bad_pin() {
	refused -- '--pin: names 3 host CPUs for 2 vCPUs' -k "$(null)" -c 2 --pin 0,0,0
	refused -- "--pin: '5-1' is not a list" --pin 5-1
	refused -- "--pin: '' is not a list" --pin ''
}
