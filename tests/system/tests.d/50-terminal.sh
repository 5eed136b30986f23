# SPDX-License-Identifier: Apache-2.0
# armlet on a terminal (pty.c).
# shellcheck shell=sh

# terminal COMMAND...: on a terminal of its own; standard input is the script of steps.
terminal() {
	STATUS=0
	PTY_SECONDS=$((30 * slowness)) "$ARMLET_TOOLS/pty" "$@" >out 2>err || STATUS=$?
	tr -d '\r' <out >text && mv text out
	[ "$STATUS" -eq 0 ] || fail "a step on the terminal failed"
}

on_terminal() { terminal "$ARMLET" run "$@"; }

describe terminal_ends "the terminal is as before when the guest powers off"
test_terminal_ends() {
	on_terminal -k "$(payload_path power_key)" <<-'END'
		expect ready
		raw
		kill TERM
		expect done
		status 0
		restored
	END
}

describe terminal_exit_key "Ctrl-a x ends the machine with 0"
test_terminal_exit_key() {
	on_terminal -k "$(payload_path idle)" -a seconds=60 <<-'END'
		expect idle begins
		raw
		send \x01x
		status 0
		restored
	END
}

describe terminal_power_key "Ctrl-a p presses the power key"
test_terminal_power_key() {
	on_terminal -k "$(payload_path power_key)" <<-'END'
		expect ready
		send \x01p
		expect both_edges_arrive
		expect done
		status 0
		restored
	END
	expect_no_out '^not ok'
}

describe terminal_help_key "Ctrl-a h lists the keys"
test_terminal_help_key() {
	on_terminal -k "$(payload_path idle)" -a seconds=60 <<-'END'
		expect idle begins
		send \x01h
		expect Ctrl-a x
		expect Ctrl-a p
		expect Ctrl-a b
		expect Ctrl-a Ctrl-a
		send \x01?
		expect Ctrl-a x
		send \x01x
		status 0
	END
}

describe terminal_break_key "Ctrl-a b is a break, which the guest's PL011 receives"
test_terminal_break_key() {
	on_terminal -k "$(payload_path pl011_input)" -a mode=break <<-'END'
		expect ready
		sleep 200
		send \x01b
		expect done
		status 0
	END
	expect_out '^ok a_break_arrives' '^ok break_in_rsr' '^ok break_in_ris'
}

describe terminal_bytes "what is typed reaches the guest as it is: Ctrl-c, Ctrl-z, Ctrl-a twice"
test_terminal_bytes() {
	guest_runs 'stty raw -echo; echo ready; head -c 8 | od -An -tx1; stty sane'
	on_terminal -k "$(kernel 6.1)" -i initrd -m 256 -a "$words" <<-'END'
		expect ready
		sleep 300
		send \x03\x1a\x01\x01\x04\r\x11\x1c\x7f
		expect 03 1a 01 04 0d 11 1c 7f
		status 0
		restored
	END
}

describe terminal_shell "a shell of a guest on a terminal: typed, echoed, answered" 90
test_terminal_shell() {
	need_guest 6.1
	on_terminal -k "$(kernel 6.1)" -i "$ARMLET_GUESTS/6.1/initrd.cpio" -m 256 \
		-a "console=ttyAMA0 quiet cryptomgr.notests armlet.shell" <<-'END'
		expect guest:/
		send echo $((6 * 7))x\r
		expect 42x
		send stty size >/dev/null; exit\r
		status 0
		restored
	END
}

describe terminal_paste "10 KB that are pasted arrive whole" 90
test_terminal_paste() {
	awk 'BEGIN { for (i = 0; i < 200; i++) printf "%04d the quick brown fox jumps over the lazy dog\r", i }' >pasted
	tr '\r' '\n' <pasted | md5sum | cut -d' ' -f1 >sum
	size=$(wc -c <pasted)
	guest_runs "stty -echo; echo ready; head -c $size | md5sum"
	{
		echo "expect ready"
		echo "sleep 300"
		echo "paste pasted"
		echo "expect $(cat sum)"
		echo "status 0"
	} >steps
	on_terminal -k "$(kernel 6.1)" -i initrd -m 256 -a "$words" <steps
}

describe terminal_killed "the terminal is as before when armlet is killed by SIGKILL"
test_terminal_killed() {
	on_terminal -k "$(payload_path idle)" -a seconds=60 <<-'END'
		expect idle begins
		raw
		kill KILL
		status 137
		restored
	END
}

describe terminal_parent_killed "and when what started armlet is killed by SIGKILL"
test_terminal_parent_killed() {
	cat >starter <<-END
		#!/bin/sh
		"$ARMLET" run -k "$(payload_path idle)" -a seconds=60
		exit 9
	END
	chmod +x starter
	terminal ./starter <<-'END'
		expect idle begins
		raw
		kill KILL
		status 137
		restored
	END
}

describe terminal_quit "SIGHUP and SIGQUIT end armlet, and the terminal is as before"
test_terminal_quit() {
	for signal in HUP:129 QUIT:131; do
		on_terminal -k "$(payload_path idle)" -a seconds=60 <<-END
			expect idle begins
			raw
			kill ${signal%:*}
			status ${signal#*:}
			restored
		END
	done
}

describe terminal_stopped "stopped and continued, armlet takes the terminal again"
test_terminal_stopped() {
	on_terminal -k "$(payload_path idle)" -a seconds=60 <<-'END'
		expect idle begins
		raw
		kill STOP
		sleep 300
		foreground
		sleep 300
		raw
		send \x01x
		status 0
		restored
	END
}

describe terminal_refusal "bad input on a terminal: the terminal is never touched"
test_terminal_refusal() {
	on_terminal -k /nonexistent <<-'END'
		expect cannot be opened
		status 125
		restored
	END
}

describe terminal_only_output "standard output on a terminal, input from elsewhere"
test_terminal_only_output() {
	cat >starter <<-END
		#!/bin/sh
		exec "$ARMLET" run -k "$(payload_path pl061)" </dev/null
	END
	chmod +x starter
	terminal ./starter <<-'END'
		expect done
		status 0
		restored
	END
}
