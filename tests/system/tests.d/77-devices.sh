# SPDX-License-Identifier: Apache-2.0
# The virtio devices that are neither disk nor network, in Linux guests.
# shellcheck shell=sh

# ---- The console ----------------------------------------------------------

describe console_stdio "--console stdio: a shell on hvc0, which follows the terminal's size" 120
test_console_stdio() {
	guest_runs 'setsid -c sh -i </dev/hvc0 >/dev/hvc0 2>&1'
	on_terminal -k "$(kernel "$guest")" -i initrd -m 256 -a "$words" --console stdio <<-'END'
		size 100 30
		expect guest:/
		raw
		send echo $(stty size) $((6 * 7))x\r
		expect 30 100 42x
		size 132 43
		send until [ "$(stty size)" = "43 132" ]; do sleep 0.1; done; echo $((6 * 7))y\r
		expect 42y
		send exit\r
		status 0
		restored
	END
}

# A guest that floods hvc0, and then answers each line that it gets there. Raw, as
# requests for single lines take emulated hosts too long; it is so while it is open.
answering_guest() {
	guest_script <<-'END'
		exec 4<>/dev/hvc0
		stty raw -echo <&4
		yes flood | head -c 480000 >flood
		cat flood >&4
		echo ready
		while read -r line; do
			echo "heard $line" >&4
			case $line in off) break ;; again) reboot -f ;; esac
		done <&4
	END
}

# talk_to_pty NAME WORD: in a subshell, as the leader of a session would get the
# terminal as its own.
talk_to_pty() (
	exec 5<>"$1"
	cat <&5 >heard &
	reader=$!
	echo "$2" >&5
	wait_until 20 grep -qs "^heard $2" heard
	answer=$?
	kill $reader
	wait $reader
	exit $answer
)

describe console_pty "--console pty: one after the other opens it, types, and closes it" 120
test_console_pty() {
	answering_guest
	start_linux --console pty
	wait_for '^ready' 60
	expect_err '^armlet: --console: the pseudoterminal is /dev/pts/[0-9]*$'
	name=$(sed -n 's/.*the pseudoterminal is //p' err)
	for word in one two off; do
		talk_to_pty "$name" $word || fail "no answer to '$word'"
	done
	finish 40
	expect_status 0
}

# connect SOCKET NAME: a client that sends what is written to 5, its output in NAME.
connect() {
	mkfifo "$2.in"
	"$ARMLET_TOOLS/sock" connect "unix:$1" <"$2.in" >"$2" &
	client=$!
	exec 5>"$2.in"
}

disconnect() {
	exec 5>&-
	kill "$client" 2>/dev/null
	wait "$client"
}

# ask FILE WORD: and the answer is in FILE.
ask() {
	echo "$2" >&5
	wait_until 30 grep -qs "^heard $2" "$1" || fail "no answer to '$2'"
}

describe console_unix "--console unix: a flood that nobody hears; clients come and go; a reboot" 180
test_console_unix() {
	answering_guest
	start_linux --console unix:socket
	wait_for '^ready' 60
	connect socket first
	ask first one
	disconnect
	connect socket second
	ask second two
	ask second again
	wait_until 60 ready_times 2 || fail "the second boot did not come"
	ask second three
	echo off >&5
	finish 40
	expect_status 0
	wait_until 10 gone "$client" || fail "the client has not seen the end"
	disconnect
	! grep -q flood first || fail "the first client heard what was said before it came"
	grep -q flood second || fail "the second client did not hear the second boot"
	[ ! -e socket ] || fail "the socket is left"
	expect_silence
}

describe console_file "--console file: a log in pieces; a port: 1 MB both ways, whole" 120
test_console_file() {
	guest_script <<-'END'
		port=$(port_named com.example.data)
		exec 3<>"$port"
		echo "ready ${port##*/}"
		head -c 1048576 <&3 | md5sum
		head -c 1048576 /dev/urandom >blob
		md5sum <blob
		cat blob >&3
		exec 4<>/dev/hvc0
		stty raw <&4
		seq 10000 40000 >lines
		cat lines >&4
		read -r line <&3
		echo "then $line"
	END
	start_linux --console file:log,max-size=64K,keep=2 --port com.example.data=unix:port
	wait_until 20 test -S port || fail "there is no socket"
	connect port back
	head -c 1048576 /dev/urandom >blob
	cat blob >&5
	wait_until 60 has_bytes back 1048576 || fail "the port's output is not all there"
	echo more >&5
	finish 40
	disconnect
	expect_status 0
	expect_out '^ready vport0p1' '^then more' "^$(md5sum <blob | cut -d' ' -f1)" \
		"^$(md5sum <back | cut -d' ' -f1)"
	[ ! -e log.3 ] || fail "there is a third old file"
	for file in log log.1 log.2; do
		expect_at_most "$(wc -c <$file)" 65536 "bytes of $file"
	done
	cat log.2 log.1 log | tail -n +2 >kept
	seq 10000 40000 | tail -n "$(wc -l <kept)" | cmp - kept || fail "the log is not whole"
	expect_at_most 65536 "$(wc -c <kept)" "bytes that a log of three files has"
}

has_bytes() { [ "$(wc -c <"$1")" -ge "$2" ]; }

describe bad_console_where "consoles that are of no kind, cannot be made, or are taken"
test_bad_console_where() {
	null=$(payload_path null)
	for option in --console '--port name'; do
		where=${option#--console}
		where=${where:+name=}
		option=${option%% *}
		refused -- "$option: sdtio: there is no 'sdtio'; did you mean stdio?" \
			-k "$null" "$option" "${where}sdtio"
		refused -- "$option: tcp:1: there is no 'tcp'; give null, stdio, pty, fd:N, unix:PATH or file:PATH" \
			-k "$null" "$option" "${where}tcp:1"
		refused -- "$option: pty:x: nothing may follow pty" -k "$null" "$option" "${where}pty:x"
		refused -- "$option: unix: the path is missing; give unix:PATH" -k "$null" "$option" "${where}unix"
		refused -- "$option: file:: the path is missing" -k "$null" "$option" "${where}file:"
	done
	refused -- "--console: : there is no ''" -k "$null" --console ''
	refused -- "--console: unix:a,b=c: a socket has no options" -k "$null" --console unix:a,b=c
	long=$(head -c 120 /dev/zero | tr '\0' x)
	refused -- "unix:$long is too long: a socket's path has at most 107 bytes" -k "$null" --console "unix:$long"
	refused -- '--console: unix:nowhere/socket cannot be made: No such file' -k "$null" \
		--console unix:nowhere/socket
	: >file
	refused -- '--console: unix:file is there and is no socket' -k "$null" --console unix:file
	refused -- '--console: file:nowhere/log cannot be opened for writing: No such file' -k "$null" \
		--console file:nowhere/log
	refused -- '--console: file:/dev/null is no regular file; for a socket give unix:PATH' -k "$null" \
		--console file:/dev/null
	mkdir folder
	refused -- '--console: file:folder cannot be opened for writing: Is a directory' -k "$null" \
		--console file:folder
	for size in 0 1 4095 -1 many 99999999999999999999 ''; do
		refused -- "max-size=$size is no size from 4K up, as 512K, 10M or 1G" -k "$null" \
			--console "file:log,max-size=$size"
	done
	refused -- 'keep=100 is no number of files from 0 to 99' -k "$null" \
		--console file:log,max-size=4K,keep=100
	refused -- 'keep= says how many old files are kept' -k "$null" --console file:log,keep=1
	refused -- "a file has no option 'size=4K', but max-size=SIZE and keep=N" -k "$null" \
		--console file:log,size=4K
	[ ! -e log ] || fail "a file is left"
}

describe bad_console_taken "a socket that is in use; a file that one may not write"
test_bad_console_taken() {
	"$ARMLET_TOOLS/sock" listen unix:socket </dev/null 2>listens &
	listener=$!
	wait_until 10 test -s listens || fail "nobody listens"
	refused -- '--console: unix:socket is in use by another process; give another path' \
		-k "$(payload_path null)" --console unix:socket
	[ -S socket ] || fail "the other's socket is gone"
	# What a dead one has left is no obstacle.
	kill $listener
	armlet run -k "$(payload_path null)" --console unix:socket
	expect_status 0
	[ "$(id -u)" -eq 0 ] || return 0
	: >secret
	chmod 600 secret
	unprivileged run -k "$(for_others "$(payload_path null)")" --console "file:$DIR/secret"
	expect_refusal '--console: file:.*/secret cannot be opened for writing: Permission denied'
}

describe bad_console_ports "ports: names twice, too long or none, two on the terminal, too many"
test_bad_console_ports() {
	null=$(payload_path null)
	refused -- '--port a=null: there are two ports of this name' -k "$null" --port a=null --port a=null
	refused -- '--port: standard input and output are taken' -k "$null" --console stdio --port a=stdio
	refused -- '--port: standard input and output are taken' -k "$null" --port a=stdio --port b=stdio
	long=$(head -c 64 /dev/zero | tr '\0' x)
	refused -- "--port $long=null: the name may have 63 characters" -k "$null" --port "$long=null"
	for text in a =null a= ''; do
		refused -- "--port $text: write it as NAME=WHERE" -k "$null" --port "$text"
	done
	set -- -k "$null"
	for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		set -- "$@" --port "p$number=null"
	done
	refused -- '--port: given more than 15 times' "$@"
}

# ---- Sockets to the host --------------------------------------------------

# A guest that gets what the host sends to its ports 2001 to 2003, and sends its own to
# the host's 2011 to 2013. An input that does not end keeps our side from ending first.
vsock_guest() {
	guest_tool sock
	guest_script <<-'END'
		cd /tmp || exit
		mkfifo open
		exec 4<>open
		head -c 1048576 /dev/urandom >blob
		echo "mine $(md5sum <blob)"
		for port in 1 2 3; do
			sock listen vsock:-1:200$port <&4 2>listens$port | md5sum >sum$port &
			until [ -s listens$port ]; do sleep 0.1; done
		done
		echo ready
		read -r word
		for port in 1 2 3; do
			sock connect vsock:2:201$port <blob &
		done
		wait
		for port in 1 2 3; do
			echo "yours $(cat sum$port)"
		done
		[ "$word" != again ] || reboot -f
	END
}

describe vsock_linux "vsock: six connections of 1 MB, both ways; again after a reboot" 180
test_vsock_linux() {
	[ "$(id -u)" -eq 0 ] || skip "only root may open /dev/vhost-vsock everywhere"
	load vhost_vsock /dev/vhost-vsock
	vsock_guest
	head -c 1048576 /dev/urandom >blob
	sum=$(md5sum <blob | cut -d' ' -f1)
	mkfifo nothing
	exec 5<>nothing
	converse --vsock 77
	for word in 1:again 2:off; do
		wait_until 60 ready_times "${word%:*}" || fail "boot ${word%:*} did not come"
		processes=
		for port in 1 2 3; do
			rm -f listens
			"$ARMLET_TOOLS/sock" listen "vsock:-1:201$port" <&5 >theirs$port 2>listens &
			processes="$processes $!"
			wait_until 10 test -s listens || fail "the host does not listen"
			"$ARMLET_TOOLS/sock" connect "vsock:77:200$port" <blob &
			processes="$processes $!"
		done
		tell "${word#*:}"
		for process in $processes; do
			wait_until 60 gone "$process" || fail "a connection does not end"
			wait "$process" || fail "a connection has failed"
		done
		theirs=$(sed -n 's/^mine \([0-9a-f]*\) .*/\1/p' out | tail -n 1)
		for port in 1 2 3; do
			md5sum <theirs$port | grep -q "^$theirs" || fail "what the guest sent does not come whole"
		done
	done
	farewell 40
	exec 5>&-
	expect_status 0
	[ "$(grep -c "^yours $sum" out)" -eq 6 ] || fail "what the host sent did not come whole"
	expect_silence
}

describe bad_vsock_cid "CIDs that are none or taken; a host without vsock; a user who may not"
test_bad_vsock_cid() {
	null=$(payload_path null)
	for cid in 0 1 2 4294967295 4294967296 -1 any ''; do
		refused -- "--vsock: '$cid' is not a number from 3 to 4294967294" -k "$null" --vsock "$cid"
	done
	emulated || skip "the devices of this host are not ours to move"
	load vhost_vsock /dev/vhost-vsock
	start run -k "$(payload_path idle)" --vsock 77
	wait_until 10 has_vhost_vsock || fail "armlet does not open /dev/vhost-vsock"
	mkdir second
	(cd second && refused -- '--vsock: CID 77 is taken by another machine' -k "$null" --vsock 77) || exit
	kill "$PID"
	finish
	mv /dev/vhost-vsock /dev/vhost-away
	(refused -- "--vsock: the host has no /dev/vhost-vsock; load the module with 'modprobe vhost_vsock'" \
		-k "$null" --vsock 77) || exit
	mv /dev/vhost-away /dev/vhost-vsock
	mode=$(stat -c %a /dev/kvm)
	chmod 666 /dev/kvm
	chmod 600 /dev/vhost-vsock
	unprivileged run -k "$(for_others "$null")" --vsock 77
	chmod "$mode" /dev/kvm
	expect_refusal '--vsock: /dev/vhost-vsock may not be opened by this user; put it into the group'
}

has_vhost_vsock() {
	# shellcheck disable=SC2010 # a link's target has no glob
	ls -l "/proc/$PID/fd" | grep -q -- '-> /dev/vhost-vsock$'
}

# ---- Memory ---------------------------------------------------------------

# A guest that does what it is told, a line each, and says what memory it has then.
memory_guest() {
	guest_script <<-'END'
		mkdir -p /mnt
		mount -t tmpfs -o size=230m fill /mnt || exit
		echo ready
		while read -r word size; do
			case $word in
			fill) dd if=/dev/zero of=/mnt/fill bs=1M count="$size" 2>/dev/null ;;
			free) rm /mnt/fill ;;
			unload) rmmod virtio_balloon ;;
			load) modprobe virtio_balloon ;;
			look) ;;
			*) break ;;
			esac
			echo "done $word $? $(wc -c </mnt/fill)" \
				"available $(sed -n 's/^MemAvailable: *//p' /proc/meminfo)"
		done 2>/dev/null
		echo "killed $(dmesg | grep -c 'Out of memory')"
	END
}

# told WORD...: the guest has done it. What it then has is $available kB.
told() {
	before=$(grep -ac "^done $1 " out)
	tell "$@"
	wait_until 60 done_since "$1" "$before" || fail "the guest does not do '$*'"
	available=$(sed -n "s/^done $1 .* available \([0-9]*\) kB.*/\1/p" out | tail -n 1)
	say "$*: the guest has $available kB, armlet $(resident "$PID") kB"
}

done_since() { [ "$(grep -ac "^done $1 " out)" -gt "$2" ]; }

resident_below() { [ "$(resident "$PID")" -lt "$1" ]; }

describe balloon_reporting "--balloon: what a guest frees returns to the host" 120
test_balloon_reporting() {
	memory_guest
	converse --balloon
	wait_for '^ready' 60
	told fill 100
	full=$(resident "$PID")
	[ "$full" -gt 100000 ] || fail "a guest that uses 100 MB does not show"
	told free
	wait_until 30 resident_below $((full - 90000)) || fail "$(resident "$PID") kB of $full are left"
	# And it may have it again.
	told fill 100
	[ "$(resident "$PID")" -gt 100000 ] || fail "a guest that uses 100 MB does not show"
	tell off
	farewell 40
	expect_status 0
	expect_out '^done fill 0 104857600 ' '^killed 0'
	expect_silence
}

# And the driver is done: it has no less than a moment before.
has_at_most() {
	told look
	earlier=$available
	[ "$available" -le "$1" ] || return
	sleep 0.5
	told look
	[ "$available" -eq "$earlier" ]
}

has_more_than() {
	told look
	[ "$available" -gt "$1" ]
}

describe balloon_size "--balloon=SIZE: down from the start, up, down again, and up rather than kill" 180
test_balloon_size() {
	memory_guest
	converse --balloon=32M
	wait_for '^ready' 60
	# Of 256 MB; the driver takes its time.
	wait_until 30 has_at_most 182000 || fail "there is no balloon"
	down=$available
	told unload
	wait_until 30 has_more_than $((down + 28000)) || fail "the balloon does not give back"
	# Without its driver, what the guest has once used is lost to the host.
	told fill 150
	told free
	full=$(resident "$PID")
	[ "$full" -gt 150000 ] || fail "a guest that has used 150 MB does not show"
	told load
	wait_until 30 has_at_most 182000 || fail "there is no balloon again"
	wait_until 30 resident_below 140000 || fail "the balloon's $(resident "$PID") kB are not the host's"
	# More than it leaves: the guest takes that back rather than kill.
	told fill 190
	[ "$(resident "$PID")" -gt 190000 ] || fail "a guest that uses 190 MB does not show"
	tell off
	farewell 40
	expect_status 0
	expect_out '^done fill 0 199229440 ' '^killed 0'
	expect_silence
}

describe bad_balloon_size "balloons that are too large, no size, or twice"
test_bad_balloon_size() {
	null=$(payload_path null)
	refused -- '--balloon: size: 512 MiB leaves the guest nothing of its 512 MiB' -k "$null" \
		--balloon=size=512M
	refused -- '--balloon: size: 1 GiB leaves the guest nothing of its 64 MiB' -k "$null" -m 64 \
		--balloon=1G
	refused -- "--balloon: 'much' is not a size; write it as 512M or 2G" -k "$null" --balloon=much
	refused -- '--balloon: .*0 is out of range' -k "$null" --balloon=0
	refused -- "--balloon: unknown property 'sise'; did you mean 'size'?" -k "$null" --balloon=1M,sise=1M
	refused -- '--balloon: given more than 1 times' -k "$null" --balloon --balloon=1M
}

# ---- Entropy --------------------------------------------------------------

describe rng_linux "the guest's hwrng reads random bytes; again after a reboot" 120
test_rng_linux() {
	guest_script <<-'END'
		cd /tmp || exit
		cat /sys/class/misc/hw_random/rng_current
		for number in 1 2; do
			head -c 65536 /dev/hwrng >bytes
			echo "bytes $(wc -c <bytes) $(md5sum <bytes) packed $(gzip <bytes | wc -c)"
		done
		echo ready
		read -r word
		[ "$word" != again ] || reboot -f
	END
	converse
	wait_until 60 ready_times 1 || fail "the first boot did not come"
	tell again
	wait_until 60 ready_times 2 || fail "the second boot did not come"
	tell off
	farewell 40
	expect_status 0
	[ "$(grep -c '^virtio_rng\.' out)" -eq 2 ] || fail "hwrng is not ours"
	sed -n 's/^bytes 65536 \([0-9a-f]*\) .* packed \([0-9]*\)$/\1 \2/p' out >sums
	[ "$(cut -d' ' -f1 sums | sort -u | wc -l)" -eq 4 ] || fail "bytes come twice, or not all"
	while read -r _ size; do
		[ "$size" -gt 65536 ] || fail "they can be packed: that is no noise"
	done <sums
	expect_silence
}
