# SPDX-License-Identifier: Apache-2.0
# Standard input and output.
# shellcheck shell=sh

# input_bytes N: what pl011_input.c expects.
input_bytes() {
	i=0
	while [ $i -lt 256 ]; do
		# shellcheck disable=SC2059 # bytes
		printf "\\$(printf '%03o' $i)"
		i=$((i + 1))
	done >block
	i=0
	while [ $((i * 265)) -lt "$1" ]; do
		printf '%08d\n' $i
		cat block
		i=$((i + 1))
	done >blocks
	head -c "$1" blocks >input
}

# take_input MODE FIFO BYTES: from standard input.
take_input() {
	payload pl011_input -a "mode=$1 fifo=$2 bytes=$3"
	expect_silence
}

# 100 KB, of which an emulated host gets a third.
much_input() {
	if emulated && [ -z "${ARMLET_LONG:-}" ]; then
		echo 34816
	else
		echo 102400
	fi
}

describe input_pipe "much through a pipe arrives whole: by interrupts, FIFO on" 120
test_input_pipe() {
	input_bytes "$(much_input)"
	# shellcheck disable=SC2002 # a pipe it is to be
	cat input | take_input irq on "$(much_input)"
}

describe input_file "a file as standard input arrives whole: polled, FIFO on"
test_input_file() {
	input_bytes 20000
	take_input polled on 20000 <input
}

describe input_fifo_off "input with the FIFO off, polled and by interrupts"
test_input_fifo_off() {
	input_bytes 10000
	take_input irq off 10000 <input
	# shellcheck disable=SC2002 # a pipe it is to be
	cat input | take_input polled off 10000
}

describe input_bursts "input in bursts, with pauses between"
test_input_bursts() {
	input_bytes 10000
	for piece in 0 1 2 3 4; do
		dd if=input bs=2000 skip=$piece count=1 2>/dev/null
		sleep 0.7
	done | take_input irq on 10000
}

describe input_none "standard input that is closed, /dev/null, or at its end"
test_input_none() {
	payload pl061 <&-
	payload pl061 </dev/null
	: | payload pl061
	: >empty
	payload pl061 <empty
	expect_silence
}

describe input_closed_all "all three standard descriptors closed"
test_input_closed_all() {
	STATUS=0
	"$ARMLET" run -k "$(payload_path pl061)" <&- >&- 2>&- || STATUS=$?
	expect_status 0
}

describe input_linux "much into a Linux guest; what is typed before it is up is not lost" 120
test_input_linux() {
	guest_script <<-END
		read -r early
		echo "early [\$early]"
		stty raw -echo
		echo ready
		head -c $(much_input) | md5sum
	END
	input_bytes "$(much_input)"
	open_pipe
	tell typed ahead
	start_linux <pipe 3>&-
	wait_for '^ready' 40
	cat input >&3
	farewell 60
	expect_status 0
	expect_out '^early \[typed ahead\]' "$(md5sum <input | cut -d' ' -f1)"
}

# Lines that take a while to print: about 100 MB, or what an emulated host manages.
printer_lines() {
	if emulated && [ -z "${ARMLET_LONG:-}" ]; then
		echo "$1"
	else
		echo 1638400
	fi
}

# What printer.c prints, of so many lines.
printer_output() {
	awk -v lines="$1" 'BEGIN {
		for (i = 8; i < 63; i++) rest = rest sprintf("%c", 33 + i)
		print "printer begins"
		for (i = 0; i < lines; i++) printf "%08x%s\n", i, rest
		print "printer ends"
		print "done"
	}'
}

expect_printed() {
	printer_output "$1" >wanted
	cmp wanted "${2:-out}" || fail "bytes are lost or out of order"
}

describe output_flood "a guest that prints as fast as it can: no byte lost, and the process does not grow" 1200
test_output_flood() {
	lines=$(printer_lines 3000)
	start run -m 16 -k "$(payload_path printer)" -a "lines=$lines"
	wait_for 00000200
	before=$(resident "$PID")
	until grep -aq "$(printf '%08x' $((lines * 9 / 10)))" out || gone "$PID"; do
		sleep 0.2
	done
	after=$(resident "$PID")
	finish 1200
	expect_status 0
	expect_printed "$lines"
	say "resident: $before kB, then $after kB"
	expect_at_most $((after - before)) 256 "growth in kB"
}

describe output_slow_reader "a reader that is slower than the guest: no byte lost, no growth" 300
test_output_slow_reader() {
	lines=3000
	mkfifo pipe
	(
		while piece=$(dd bs=2048 count=1 2>/dev/null; echo x) && [ "$piece" != x ]; do
			printf '%s' "${piece%x}"
			sleep 0.02
		done
	) <pipe >slowly &
	reader=$!
	STATUS=0
	"$ARMLET" run -m 16 -k "$(payload_path printer)" -a "lines=$lines" >pipe 2>err &
	PID=$!
	most=0
	until gone "$PID"; do
		now=$(resident "$PID" 2>/dev/null)
		[ "${now:-0}" -le $most ] || most=$now
		sleep 0.2
	done
	finish
	wait $reader
	expect_status 0
	expect_printed "$lines" slowly
	# Shared libraries, if there are some, were there before.
	expect_at_most "$most" "$(is_static && echo 6000 || echo 14000)" "resident memory with the guest's in kB"
}

# Whether a process takes less than a tenth of a CPU.
stuck() {
	ticks=$(cpu_ticks "$1")
	sleep 2
	[ $(($(cpu_ticks "$1") - ticks)) -lt 20 ]
}

describe output_stuck_reader "a reader that has stopped: the guest waits, and SIGTERM twice ends it"
test_output_stuck_reader() {
	mkfifo pipe
	exec 4<>pipe
	"$ARMLET" run -m 16 -k "$(payload_path printer)" -a "lines=1000000" >pipe 2>err 4>&- &
	PID=$!
	# Until the pipe is full, and what armlet keeps.
	wait_until 60 stuck "$PID" || fail "the guest does not wait for its reader"
	before=$(resident "$PID")
	sleep 3
	expect_at_most $(($(resident "$PID") - before)) 16 "growth in kB"
	kill -TERM "$PID"
	sleep 0.5
	! gone "$PID" || fail "the first SIGTERM ended it"
	kill -TERM "$PID"
	finish 5
	exec 4>&-
	expect_status 143
	expect_err 'bytes of the console.s output were not written'
}

describe output_resumed_reader "a reader that stops for a while gets every byte"
test_output_resumed_reader() {
	lines=3000
	mkfifo pipe
	exec 4<>pipe
	"$ARMLET" run -m 16 -k "$(payload_path printer)" -a "lines=$lines" >pipe 2>err 4>&- &
	PID=$!
	sleep 5
	cat <pipe >late 4>&- &
	reader=$!
	exec 4>&-
	finish
	wait $reader
	expect_status 0
	expect_printed "$lines" late
}

describe output_full_disk "a full disk under standard output: said once, and the guest goes on"
test_output_full_disk() {
	STATUS=0
	"$ARMLET" run -k "$(payload_path pl061)" >/dev/full 2>err || STATUS=$?
	expect_status 0
	expect_err 'the console.s output cannot be written: No space left on device'
	[ "$(wc -l <err)" -le 2 ] || fail "it is said more than once"
}

describe output_reader_gone "a reader that has gone away: the guest goes on to its end"
test_output_reader_gone() {
	{
		STATUS=0
		"$ARMLET" run -k "$(payload_path printer)" -a "lines=200" 2>err || STATUS=$?
		echo $STATUS >status
	} | head -n 1 >out
	wait_until 30 test -e status
	STATUS=$(cat status)
	expect_status 0
	expect_out '^printer begins'
	expect_err 'Broken pipe'
}

describe output_to_file "output into a file that others append to, too"
test_output_to_file() {
	echo "first" >log
	"$ARMLET" run -k "$(payload_path printer)" -a lines=10 >>log 2>err
	echo "last" >>log
	[ "$(wc -l <log)" -eq 15 ] || fail "the file is not as it should be"
	[ "$(head -n 1 log)" = first ] || fail "the first line is gone"
}
