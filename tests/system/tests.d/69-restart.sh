# SPDX-License-Identifier: Apache-2.0
# Machines that begin anew when they end, and what systemd is told of them.
# shellcheck shell=sh

# lives NUMBER: so many have begun, by what start has printed.
lives() { [ "$(grep -ac '^life begins' out)" -ge "$1" ]; }

# wait_for_lives NUMBER
wait_for_lives() { wait_until 60 lives "$1" || fail "there are $(grep -ac '^life begins' out) lives"; }

# restarts NAME NUMBER: inspect tells of at least so many.
restarts() {
	verb inspect "$1"
	count=$(sed -n 's/^ *"restarts": \([0-9]*\),.*/\1/p' verb.out)
	[ "${count:-0}" -ge "$2" ]
}

waits() {
	verb ps
	grep -q "^$1  *[0-9]*  *restarting " verb.out
}

describe restart_policy "--restart: which ends begin a new life, and which end it all" 60
test_restart_policy() {
	# on-failure: not after a power-off, but after a panic.
	armlet run --restart on-failure -k "$(payload_path ender)"
	expect_status 0
	expect_silence
	[ "$(grep -ac '^life begins' out)" -eq 1 ] || fail "a power-off begins it anew"
	# A reset with --no-reboot is no failure.
	armlet run --restart on-failure --no-reboot -k "$(payload_path resetter)" -a boots=5
	expect_status 0
	start run --restart on-failure --no-reboot -k "$(payload_path ender)" -a panic=1
	wait_for_lives 3
	kill -TERM "$PID"
	finish
	expect_status 143
	expect_err 'the machine has ended with status 255 (guest-panic); restart 1 begins in 0.1 s' \
		'restart 2 begins in 0.2 s'
	# What was printed last is there in each life.
	[ "$(grep -ac '^life begins' out)" -eq "$(grep -ac '^Kernel panic' out)" ] || fail "last words are lost"
	# always: after anything, but the end that somebody wants.
	start run --restart always -k "$(payload_path ender)"
	wait_for_lives 3
	kill -QUIT "$PID"
	finish
	expect_status 131
	expect_silence
	start run --restart always --no-reboot -k "$(payload_path resetter)" -a boots=100
	wait_until 30 out_has_times '^boot 1' 2 || fail "a reset begins no new life"
	kill -HUP "$PID"
	finish
	expect_status 129
	# The time of --timeout is that of all lives.
	armlet run --restart always --timeout 2 -k "$(payload_path ender)"
	expect_status 124
	lives 2 || fail "there was one life only"
}

out_has_times() { [ "$(grep -ac "$1" out)" -ge "$2" ]; }

describe restart_setup "--restart: what cannot be set up is no life, and is not tried again"
test_restart_setup() {
	armlet run --restart always -k none
	expect_refusal "kernel 'none' cannot be opened"
	armlet run --restart always -k "$(payload_path null)" -d none
	expect_status 125
	[ "$(wc -l <err)" -eq 1 ] || fail "it was tried more than once: $(cat err)"
	armlet run --restart always -k "$(payload_path null)" --kvm-device /dev/null
	expect_status 125
	[ "$(wc -l <err)" -eq 1 ] || fail "it was tried more than once: $(cat err)"
	mkfifo fifo
	refused "--restart: kernel 'fifo' is a pipe, which can be read only once" -k fifo --restart always
	refused "--restart: initrd 'fifo' is a pipe" -k "$(payload_path null)" -i fifo --restart on-failure
	refused "--restart: 'no' is not one of never on-failure always" -k "$(payload_path null)" --restart no
}

describe restart_backoff "--restart: the delays double, and a machine that has run for 10 s waits no longer" 60
test_restart_backoff() {
	start run --restart always --name again --loglevel info -k "$(payload_path ender)"
	wait_until 30 grep -q 'restart 5 begins in 1.6 s' err || fail "$(cat err)"
	sed -n 's/.*restart \([0-9]*\) begins in \(.*\) s$/\1 \2/p' err | head -n 5 >delays
	printf '1 0.1\n2 0.2\n3 0.4\n4 0.8\n5 1.6\n' >wanted
	expect_same wanted delays
	expect_verb '^again$' kill again
	finish
	expect_status 0
	start run --restart always --loglevel info -k "$(payload_path ender)" -a ms=10500
	wait_until 60 grep -q 'restart 2 begins in' err || fail "$(cat err)"
	expect_err 'restart 2 begins in 0.1 s'
	kill -QUIT "$PID"
	finish
}

describe restart_names "--restart: ps, inspect, events, wait and a client of the socket, through several lives" 90
test_restart_names() {
	need_background
	expect_verb '^phoenix$' run --detach --restart on-failure --no-reboot --name phoenix --api api \
		-k "$(payload_path ender)" -a 'panic=1 ms=200'
	control
	"$ARMLET" wait phoenix >waited &
	waiter=$!
	"$ARMLET" events phoenix >events &
	listener=$!
	"$ARMLET" logs -f phoenix >followed &
	follower=$!
	"$ARMLET" console phoenix </dev/null >attached &
	attached=$!
	wait_until 60 restarts phoenix 8 || fail "$(cat verb.out)"
	wait_until 30 waits phoenix || fail "$(cat verb.out)"
	expect_verb 'NAME  *PID  *STATUS  *UP  *RESTARTS ' ps
	expect_verb '^phoenix .* restarting  *[0-9]* s  *[4-9] ' ps
	# The same client as in the first life, now that there is no machine.
	expect_answer '{"return": {"running": false, "status": "shutdown"}}' query-status
	expect_answer '{"return": {"enabled": true, "present": true}}' query-kvm
	expect_answer '{"return": {}}' cont
	for command in stop query-block query-cpus-fast; do
		expect_answer '{"error": {"class": "GenericError", "desc": "The machine has ended and is about to be started again; until then there is nothing to do that to"}}' $command
	done
	qmp_event 'RESTART", "data": {"guest": true, "reason": "guest-panic", "exit-status": 255, "restarts": 8, "delay": 12800}'
	kill -0 $waiter && kill -0 $listener && kill -0 $follower && kill -0 $attached ||
		fail "somebody takes the end of a life for the end"
	! grep -q SHUTDOWN answers events || fail "the end of a life is told as the end"
	expect_verb '^phoenix$' stop phoenix
	wait $waiter || fail "wait ends with $?"
	wait $listener || fail "events ends with $?"
	wait $follower || fail "logs -f ends with $?"
	wait $attached || fail "console ends with $?"
	[ "$(cat waited)" = 0 ] || fail "wait says $(cat waited)"
	qmp_event 'SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit", "exit-status": 0}'
	grep -q '"event": "RESTART"' events && grep -q '"event": "GUEST_PANICKED"' events || fail "$(cat events)"
	for file in followed attached; do
		tr -d '\r' <$file >text
		[ "$(grep -c '^life ends' text)" -ge 5 ] || fail "$file lacks lives: $(cat text)"
	done
	expect_verb 'restart 1 begins in 0.1 s' logs --messages phoenix
	expect_verb '^0$' wait phoenix
}

describe restart_ended "a machine that waits for its next life ends by stop, kill, the power key, a signal" 60
test_restart_ended() {
	for how in stop kill 'ctl w system_powerdown' TERM; do
		start run --name w --restart always -k "$(payload_path ender)"
		wait_until 60 restarts w 7 || fail "$(cat verb.out)"
		wait_until 60 waits w || fail "$(cat verb.out)"
		wanted=0
		case $how in
		TERM)
			kill -TERM "$PID"
			wanted=143
			;;
		stop | kill) expect_verb '^w$' $how w ;;
		*)
			# shellcheck disable=SC2086 # words they are
			verb $how
			[ "$STATUS" -eq 0 ] || fail "$how: $(cat verb.err)"
			;;
		esac
		finish
		expect_status $wanted
		expect_silence
	done
}

describe restart_stop "stop of a machine with --restart always: the guest's power-off is the end" 90
test_restart_stop() {
	need_background
	need_guest "$guest"
	guest_runs 'echo ready; read -r word; [ "$word" = off ] || reboot -f'
	expect_verb '^vm$' create vm --restart always -i initrd -m 256 -a "$words" -k "$(kernel "$guest")"
	on_exit 'rm -rf /etc/armlet'
	expect_verb '^vm$' start vm
	wait_for_log vm '^ready'
	# By itself the guest does not end the machine...
	{ echo off; sleep 2; } | "$ARMLET" console vm >/dev/null &
	wait_until 60 restarts vm 1 || fail "a power-off ends it"
	wait_until 60 begun_boots 2 || fail "$(cat verb.out)"
	# ...nor does a reboot begin a new life...
	{ echo again; sleep 2; } | "$ARMLET" console vm >/dev/null &
	wait_until 60 begun_boots 3 || fail "$(cat verb.out)"
	restarts vm 1 && ! restarts vm 2 || fail "a reboot is a restart"
	expect_verb '"status": "running"' ctl vm query-status
	# ...but the power key does.
	expect_verb '^vm$' stop --time 60 vm
	expect_verb '^0$' wait vm
	expect_verb 'guest: power key' logs vm
}

begun_boots() { verb logs vm && [ "$(tr -d '\r' <verb.out | grep -c '^ready')" -ge "$1" ]; }

describe restart_files "each life opens its files anew: a disk that was changed, and one that is not there for a while" 60
test_restart_files() {
	truncate -s 1M disk
	start run --name files --restart always -d disk -k "$(payload_path ender)"
	wait_until 60 restarts files 3 || fail "$(cat verb.out)"
	mv disk elsewhere
	wait_until 60 grep -q "status 125" err || fail "nothing is told of the disk"
	expect_err '--disk disk: there is no such file' 'the machine has ended with status 125 (host-error); restart'
	mv elsewhere disk
	had=$(grep -ac '^life begins' out)
	wait_for_lives $((had + 1))
	expect_verb '^files$' kill files
	finish
	expect_status 0
}

describe restart_terminal "--restart on a terminal: Ctrl-a x ends it, also between two lives" 60
test_restart_terminal() {
	terminal "$ARMLET" run --restart always -k "$(payload_path ender)" <<-'END'
		expect life ends
		expect life ends
		expect life ends
		expect life ends
		raw
		send \x01x
		status 0
		restored
	END
	terminal "$ARMLET" run --restart always -k "$(payload_path idle)" -a seconds=1000 <<-'END'
		expect idle begins
		send \x01x
		status 0
		restored
	END
}

# ---- systemd --------------------------------------------------------------

# notified: what comes to the socket notify, a line each, goes to the file told.
notified() {
	"$ARMLET_TOOLS/sock" receive "unix:${1:-notify}" >told 2>listening &
	RECEIVER=$!
	wait_until 10 grep -q listening listening || fail "nobody listens: $(cat listening)"
	export NOTIFY_SOCKET="${1:-$PWD/notify}"
}

notify_has() { grep -q "$1" told; }
wait_notified() { wait_until "${2:-30}" notify_has "$1" || fail "nobody is told of $1: $(cat told)"; }

expect_notified() {
	kill $RECEIVER
	wait $RECEIVER
	grep -v '^WATCHDOG=1$' told >rest
	printf '%s\n' "$@" >wanted
	expect_same wanted rest
}

describe notify_driver "systemd is told: ready when a driver of the guest's works, paused, the end; and the watchdog" 90
test_notify_driver() {
	guest_runs 'echo ready; read -r word; reboot -f'
	notified
	export WATCHDOG_USEC=200000
	converse --name told
	wait_notified '^READY=1$' 60
	wait_for '^ready' 60
	expect_verb '"ready": true' inspect told
	wait_until 30 pings 10 || fail "the watchdog is fed $(grep -c WATCHDOG told) times"
	expect_verb '^told$' pause told
	wait_notified 'STATUS=paused'
	fed=$(grep -c WATCHDOG told)
	wait_until 30 pings $((fed + 5)) || fail "a paused machine is taken for dead"
	expect_verb '^told$' resume told
	tell again
	wait_until 60 ready_times 2 || fail "it does not boot again"
	wait_until 30 notified_times '^READY=1' 2 || fail "it is ready once: $(cat told)"
	kill -TERM "$PID"
	farewell 40
	expect_status 0
	expect_silence
	wait_notified '^STOPPING'
	expect_notified STATUS=booting READY=1 STATUS=ready STATUS=paused STATUS=ready STATUS=booting READY=1 \
		STATUS=ready 'STATUS=the power key was pressed' STOPPING=1 'STATUS=ended with status 0 (guest-shutdown)'
}

pings() { [ "$(grep -c '^WATCHDOG=1$' told)" -ge "$1" ]; }
notified_times() { [ "$(grep -c "$1" told)" -ge "$2" ]; }

describe notify_text "systemd and the control socket are told when a text is on the console, in each life"
test_notify_text() {
	notified @armlet-test
	start run --api api --ready 'text=life ends' --restart always -k "$(payload_path ender)" -a ms=3000
	wait_for 'life begins'
	control
	! notify_has READY || fail "it is ready too early"
	wait_notified '^READY=1'
	qmp_event GUEST_READY
	wait_notified 'STATUS=restart 1 begins in 0.1 s'
	qmp_event GUEST_READY 2
	expect_answer '{"return": {}}' quit
	finish
	expect_status 0
	wait_notified '^STOPPING'
	kill $RECEIVER
}

describe notify_started "ready at once: --ready started, and a machine without virtio devices"
test_notify_started() {
	for option in '--ready started' --nodefaults; do
		rm -f notify
		notified
		# shellcheck disable=SC2086 # words they are
		start run $option -k "$(payload_path idle)" -a seconds=100
		wait_notified '^READY=1'
		kill -KILL "$PID"
		finish
		kill $RECEIVER
	done
	# A guest without a driver is never ready; that is no matter to others.
	rm -f notify
	notified
	start run -k "$(payload_path idle)" -a seconds=100
	wait_for 'idle begins'
	sleep 1
	! notify_has READY || fail "nobody is ready"
	kill -TERM "$PID"
	wait_notified 'power key'
	kill -TERM "$PID"
	finish
	wait_notified '^STOPPING'
	expect_notified STATUS=booting 'STATUS=the power key was pressed' STOPPING=1 \
		'STATUS=ended with status 143 (host-signal)'
}

describe notify_hang "a main thread that hangs feeds no watchdog"
test_notify_hang() {
	notified
	export WATCHDOG_USEC=200000
	start run --ready started -k "$(payload_path idle)" -a seconds=100
	wait_notified '^READY=1'
	wait_until 10 pings 3 || fail "the watchdog is not fed"
	kill -STOP "$PID"
	sleep 1
	fed=$(grep -c WATCHDOG told)
	sleep 1
	[ "$(grep -c WATCHDOG told)" -eq "$fed" ] || fail "it is fed by a stopped process"
	kill -CONT "$PID"
	wait_until 10 pings $((fed + 3)) || fail "it is not fed again"
	kill -QUIT "$PID"
	finish
	kill $RECEIVER
}

describe notify_bad "what cannot be notified is told, and the machine runs; --ready that is none"
test_notify_bad() {
	for socket in nowhere vsock:2:1 /; do
		NOTIFY_SOCKET=$socket armlet run -k "$(payload_path null)"
		expect_status 0
		expect_err "NOTIFY_SOCKET '$socket' is no socket that can be notified"
	done
	NOTIFY_SOCKET=/nobody/there WATCHDOG_USEC=1000 armlet run -k "$(payload_path null)"
	expect_status 0
	expect_silence
	NOTIFY_SOCKET=/nobody/there WATCHDOG_USEC=soon armlet run -k "$(payload_path null)"
	expect_status 0
	expect_err "WATCHDOG_USEC 'soon' is no number of microseconds"
	for when in '' now text= text; do
		refused "--ready: '$when' is none of driver, started and text=TEXT" -k "$(payload_path null)" --ready="$when"
	done
}

describe attachable "--attachable: console and logs of a machine in the foreground, its status kept" 60
test_attachable() {
	need_background
	refused '--attachable: the machine needs a --name' -k "$(payload_path null)" --attachable
	start run --attachable --name front -k "$(payload_path ender)" --restart always -a ms=300
	wait_for_log front '^life ends'
	[ ! -s out ] || fail "its console is here as well"
	timeout 10 "$ARMLET" console front </dev/null >attached &
	wait_until 20 grep -q 'life ends' attached || fail "nobody can attach"
	kill -TERM "$PID"
	finish
	wait
	expect_verb '^[0-9]*$' wait front
	expect_verb 'life begins' logs front
	[ ! -e /run/armlet/front ] || fail "its folder is still there"
}
