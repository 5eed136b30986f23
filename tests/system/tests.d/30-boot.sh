# SPDX-License-Identifier: Apache-2.0
# Kernels in each format, and device trees.
# shellcheck shell=sh

tool() { echo "$ARMLET_TOOLS/$1"; }

# boot_packed FORMAT: Debian's 6.1 and a payload, packed so.
boot_packed() {
	"$(tool pack)" "$1" "$(payload_path conventions)" payload || fail "pack fails"
	armlet run payload
	if [ "$1" != elf ]; then # which would be placed as Linux is
		expect_report
	fi
	guest_runs 'echo "booted $(uname -r)"'
	"$(tool pack)" "$1" "$(kernel 6.1)" packed || fail "pack fails"
	armlet run -k packed -i initrd -m 256 -a "$words"
	expect_status 0
	expect_out '^booted 6\.1\.'
	expect_silence
}

describe boot_gzip "a kernel in gzip" 90
test_boot_gzip() { boot_packed gzip; }

describe boot_zstd "a kernel in zstd" 90
test_boot_zstd() { boot_packed zstd; }

describe boot_zboot_gzip "an EFI zboot kernel, gzip" 90
test_boot_zboot_gzip() { boot_packed zboot-gzip; }

describe boot_zboot_zstd "an EFI zboot kernel, zstd" 90
test_boot_zboot_zstd() { boot_packed zboot-zstd; }

describe boot_elf "an ELF kernel that is linked high, as vmlinux is" 90
test_boot_elf() {
	guest_runs 'echo "booted $(uname -r)"'
	"$(tool pack)" elf "$(kernel 6.1)" vmlinux || fail "pack fails"
	armlet run -k vmlinux -i initrd -m 256 -a "$words"
	expect_status 0
	expect_out '^booted 6\.1\.'
}

describe boot_elf_payload "an ELF kernel that is linked into the RAM"
test_boot_elf_payload() {
	armlet run "$ARMLET_PAYLOADS/payload_conventions.elf"
	expect_report
}

describe boot_kernel_argument "the kernel is the word without an option, wherever it stands"
test_boot_kernel_argument() {
	armlet run -m 64 "$(payload_path null)" -c 2
	expect_status 0
	armlet run -m64 --cpus=1 -- "$(payload_path null)"
	expect_status 0
}

describe boot_from_pipe "a kernel that cannot be sought in is taken or refused with a sentence"
test_boot_from_pipe() {
	mkfifo kernel
	cat "$(payload_path null)" >kernel &
	armlet run -k kernel
	kill $! 2>/dev/null
	[ "$STATUS" -eq 0 ] || expect_refusal kernel
}

describe dtb_dump "--dump-dtb writes the tree, and the machine boots with it as --dtb"
test_dtb_dump() {
	payload conventions -a x=1 --dump-dtb tree.dtb
	[ "$(head -c 4 tree.dtb | od -An -tx1 | tr -d ' ')" = d00dfeed ] || fail "that is no tree"
	strings tree.dtb | grep -q '^/serial@9000000$' || fail "the tree has no console"
	# What is given on the command line is put into it.
	payload conventions -a 'y=2 z' --dtb tree.dtb
	expect_out '^bootargs \[y=2 z\]$'
	payload reset -c 2 --dump-dtb tree2.dtb
	payload psci -c 2 -a cpus=2 --dtb tree2.dtb
}

describe dtb_linux "Linux boots with a dumped tree, too"
test_dtb_linux() {
	guest_runs 'echo "booted $(nproc)"'
	linux -c 2 --dump-dtb tree.dtb
	expect_out '^booted 2'
	linux -c 2 --dtb tree.dtb
	expect_status 0
	expect_out '^booted 2'
}

describe dtb_overlay "--dtb-overlay adds to the tree; a second one, too"
test_dtb_overlay() {
	first=$(tool overlay.dtbo)
	second=$(tool overlay2.dtbo)
	[ -e "$first" ] || skip "no overlay was built (dtc)"
	cat >script <<-'END'
		cat /proc/device-tree/chosen/armlet-test
		echo
		cat /proc/device-tree/soc-test@0/status
		echo
		cat /proc/device-tree/chosen/bootargs
		echo
	END
	guest_script <script
	linux --dtb-overlay "$first" --dtb-overlay "$second"
	expect_status 0
	tr -d '\0' <out >text
	mv text out
	expect_out '^first words$' '^okay$' '^console='
}

describe reload "a kernel that is overwritten while the machine runs is not half loaded at the next boot"
test_reload() {
	cp "$(payload_path resetter)" kernel
	open_pipe
	start run -k kernel -a 'boots=2 wait=1' <pipe 3>&-
	wait_for waits
	cat "$(payload_path pl011)" >kernel
	tell
	farewell
	expect_status 125
	expect_err "kernel 'kernel' was changed while the machine ran"
	[ "$(wc -l <err)" -eq 1 ] || fail "standard error is not one line"
}
