# SPDX-License-Identifier: Apache-2.0
# The window into a machine: armlet inspect NAME WHAT.
# shellcheck shell=ash disable=SC2154

# sees PATTERN WORD...: `armlet inspect WORD...` prints a line like that.
sees() {
	pattern=$1
	shift
	"$ARMLET" inspect "$@" >seen 2>&1 || fail "inspect $*: $(cat seen)"
	grep -q -e "$pattern" seen || fail "inspect $* has no $pattern: $(cat seen)"
}

describe look_payload "inspect: addresses, registers, timers, interrupts, devices and a map, while it runs"
test_look_payload() {
	need_background
	background seen -k "$(payload_path debugged)" --scratch -c 2 -m 64 -a 'rounds=100000000'
	wait_for_log seen 'ok places'
	sees '^0x40080000 *stage 1 is off$' seen translate 0x40080000
	sees '^  IPA 0x40080000: RAM$' seen translate 0x40080000
	sees '^  IPA 0x9000018: serial0, register UARTFR$' seen translate 0x9000018
	sees '^  IPA 0x8000004: gic distributor, register 0x4$' seen translate 0x8000004
	sees '^  IPA 0x1: nothing is there$' seen translate 0x1
	sees '^X0  *0x[0-9a-f]* *X1  *0x' seen regs
	sees 'VBAR_EL1  *0x40[0-9a-f]' --cpu 1 seen regs
	! grep -q 'S[23]_' seen || fail "registers without names: $(grep 'S[23]_' seen)"
	sees '^0  *virtual  *27  *on' seen timers
	sees '^27  *0  *virtual timer  *yes' seen gic
	sees '^33  .*serial0  ' seen gic
	[ ! -d /sys/kernel/debug/kvm ] || sees '^As KVM has it:$' seen gic
	sees '^scratch0: scratch at 0xc000000$' seen devices
	sees '^  bytes  *85 0 0 0 0 0 0 0 85 0 0 0 85, 65523 of 65536 are zero$' seen devices
	sees '^0x40000000  *0x43ffffff  *64 MiB  *memory  *ram$' seen memory
	sees '^  *| ram  *64 MiB |$' seen map
	sees '"name": "serial0"' --json seen memory
	for words in 'translate' 'translate here' 'regs 1' 'translate 1 2' '--cpu 2 seen regs' '--cpu 9999 seen regs'; do
		case $words in
		--*) set -- $words ;;
		*) set -- seen $words ;;
		esac
		STATUS=0
		"$ARMLET" inspect "$@" >out 2>err || STATUS=$?
		expect_refusal ''
	done
	armlet inspect seen regz
	expect_refusal "no machine 'regz' runs, and inspect shows nothing of that name; did you mean 'regs'?"
	armlet inspect seen somebody-else
	expect_refusal 'it shows translate, regs, timers, gic, devices, memory and map'
	# It runs as before.
	expect_verb '"status": "running"' ctl seen query-status
	expect_verb '^seen$' kill seen
}

describe look_linux "inspect translate: the kernel's text and a program's page are where Linux says they are" 100
test_look_linux() {
	need_background
	guest_script <<-'END'
		echo "code $(sed -n 's/^ *\([0-9a-f]*\)-.* : Kernel code$/\1/p' /proc/iomem)"
		echo "text $(sed -n 's/ T _stext$//p' /proc/kallsyms)"
		page=$(sed -n 's/-.*\[heap\]$//p' /proc/$$/maps)
		frame=$(dd if=/proc/$$/pagemap bs=8 skip=$((0x$page / 4096)) count=1 2>/dev/null | od -An -tx8 | tr -d ' ')
		echo "heap $page frame $frame"
		echo up
		while :; do :; done
	END
	start_linux --name deb -a "$words isolcpus=1"
	wait_for '^up' 60
	plain_out
	code=$(sed -n 's/^code //p' out)
	text=$(sed -n 's/^text //p' out)
	sees "^  IPA 0x$(say "$code" | sed 's/^0*//'), of .*: RAM\$" deb translate "0x$text"
	grep -q 'EL1 r-x, EL0 ---, Normal, write-back' seen || fail "that is no text: $(cat seen)"
	heap=$(sed -n 's/^heap \(.*\) frame .*/\1/p' out)
	frame=$(sed -n 's/^heap .* frame //p' out)
	# Bits 54:0; not every shell takes 64 for a number.
	ipa=$(printf '%x' $((0x${frame#??} % (1 << 55) * 4096)))
	# The shell is on the CPU, but for moments.
	wait_until 20 is_at "$heap" "$ipa" || fail "the heap at $heap is not at 0x$ipa: $(cat seen)"
	grep -q 'EL1 rw-, EL0 rw-, Normal, write-back' seen || fail "that is no heap: $(cat seen)"
	sees '^27  *0  *virtual timer  *yes' deb gic
	"$ARMLET" kill deb >/dev/null
	finish
}
is_at() {
	"$ARMLET" inspect deb translate "0x$1" >seen 2>&1
	grep -q "^  IPA 0x$2, of 4 KiB: RAM\$" seen
}

# The guest has told of so many shapes, or of its end.
shape_told() { [ "$(grep -c '^# shape' out)" -ge "$1" ] || printed '^done'; }

describe look_walks "inspect translate: tables of every granule, size and level, as the CPU walks them" 120
test_look_walks() {
	need_background
	open_pipe
	start run --name walks -m 64 -k "$(payload_path walks)" <&3
	shapes=0 walks=0
	while wait_until 20 shape_told $((shapes + 1)) && ! printed '^done'; do
		shapes=$((shapes + 1))
		tr -d '\r' <out | sed -n 's/^walk //p' | tail -n 4 >told
		while read -r va ipa size; do
			"$ARMLET" inspect --json walks translate "$va" >seen || fail "translate $va"
			if [ "$ipa" = nowhere ]; then
				grep -q '"fault": "translation fault"' seen || fail "shape $shapes: $va leads somewhere: $(cat seen)"
			else
				grep -q "\"ipa\": \"$ipa\"" seen && grep -q "\"size\": $size" seen ||
					fail "shape $shapes: $va leads to $ipa, of $size bytes: $(cat seen)"
			fi
			walks=$((walks + 1))
		done <told
		printf n >&3
	done
	[ "$walks" -ge 60 ] || fail "there were only $walks walks"
	finish 20
	expect_status 0
	expect_report
	say "$walks walks of $shapes shapes"
}
