# SPDX-License-Identifier: Apache-2.0
# Networks: taps, and the host's own network by passt.
# shellcheck shell=sh

need_taps() {
	[ "$(id -u)" -eq 0 ] || skip "only root may make interfaces"
	load tun /dev/net/tun
	need ifconfig httpd wget md5sum
}

# www BYTES: a web server of the host's with a file of so many.
www() {
	mkdir www
	head -c "$1" /dev/urandom >www/blob
	sum=$(md5sum <www/blob | cut -d' ' -f1)
	httpd -f -p 8080 -h www &
	server=$!
	trap 'kill $server' EXIT
}

# from_guest URL: the guest's file, of which it has printed the sum, comes whole.
from_guest() {
	theirs=$(sed -n 's/^mine \([0-9a-f]*\) .*/\1/p' out | tail -n 1)
	wget -q -O - "$1" | md5sum | grep -q "^$theirs" || fail "$1 does not come whole"
}

# of_all PATTERN NUMBER: lines of so many boots
of_all() {
	expect_out "$1"
	[ "$(grep -ac "$1" out)" -eq "$2" ] || fail "'$1' was not printed $2 times"
}

vhosts() {
	# shellcheck disable=SC2010 # a link's target has no glob
	ls -l "/proc/$PID/fd" | grep -c -- '-> /dev/vhost-net$'
}

interface() { [ -e "/sys/class/net/$1" ]; }

# A guest with the addresses 10.77.N.2, of interface N - 1.
tap_guest() {
	guest_script <<-'END'
		cd /tmp || exit
		number=0
		for interface in /sys/class/net/eth*; do
			name=${interface##*/}
			number=$((number + 1))
			ifconfig "$name" "10.77.$number.2" netmask 255.255.255.0 up
			set -- "$interface"/queues/rx-*
			echo "$name $(cat "$interface/address") mtu $(cat "$interface/mtu")" \
				"carrier $(cat "$interface/carrier") queues $#"
			# CSUM GUEST_CSUM GUEST_TSO4 GUEST_TSO6 HOST_TSO4 HOST_TSO6 MRG_RXBUF
			echo "offloads $(cut -c 1,2,8,9,12,13,16 "$interface/device/features")"
		done
		head -c 1048576 /dev/urandom >blob
		echo "mine $(md5sum <blob)"
		httpd -h /tmp
		echo ready
		read -r word
		for number in $(seq $number); do
			echo "yours $number $(wget -q -O - "http://10.77.$number.1:8080/blob" | md5sum)"
		done
		[ "$word" != again ] || reboot -f
	END
}

# big_frames rx|tx: on one tap at least, they are larger on the average than the link's:
# of segments that nobody had to cut. Where TCP takes the time for loss, they are small.
big_frames() {
	largest=0
	for folder in /sys/class/net/armtap?/statistics; do
		size=$(($(cat "$folder/$1_bytes") / $(cat "$folder/$1_packets")))
		[ $size -le $largest ] || largest=$size
	done
	say "$1: $largest bytes a frame"
	[ $largest -gt 1514 ] || fail "segments were cut ($1)"
}

describe net_tap "three taps, by vhost and without, two queues: files both ways, reboot, addresses" 300
test_net_tap() {
	need_taps
	vhost=off
	! { [ -e /dev/vhost-net ] || modprobe vhost_net 2>/dev/null; } || vhost=on
	tap_guest
	www 1048576
	converse -c 2 -n "tap=armtap1,vhost=$vhost" \
		-n tap=armtap2,vhost=off,mac=02:00:00:12:34:56,mtu=1400 \
		-n "tap=armtap3,queues=2,vhost=$vhost"
	for number in 1 2 3; do
		wait_until 20 interface armtap$number || fail "armtap$number is not there"
		ifconfig armtap$number 10.77.$number.1 netmask 255.255.255.0
	done
	for word in 1:again 2:off; do
		wait_until 60 ready_times "${word%:*}" || fail "boot ${word%:*} did not come"
		# What the first boot has sent and fetched.
		[ "$word" = 1:again ] || { big_frames rx; big_frames tx; }
		for number in 1 2 3; do
			from_guest "http://10.77.$number.2/blob"
		done
		if [ $vhost = on ] && [ "$(vhosts)" -ne 3 ]; then
			fail "there are $(vhosts) vhosts for three pairs of queues"
		fi
		tell "${word#*:}"
	done
	farewell 60
	expect_status 0
	of_all '^offloads 1111111$' 6
	for number in 1 2 3; do
		of_all "^yours $number $sum" 2
		! interface armtap$number || fail "armtap$number is left"
	done
	of_all '^eth0 .* mtu 1500 carrier 1 queues 1$' 2
	of_all '^eth1 02:00:00:12:34:56 mtu 1400 carrier 1 queues 1$' 2
	of_all '^eth2 .* mtu 1500 carrier 1 queues 2$' 2
	expect_silence
	first=$(sed -n 's/^eth0 \([^ ]*\) .*/\1/p' out | sort -u)
	of_all "^eth0 $first " 2

	# An interface that was there stays; and the guest has the address of before.
	need tunctl
	tunctl -t armtap1 >/dev/null
	ifconfig armtap1 10.77.1.1 netmask 255.255.255.0 up
	index=$(cat /sys/class/net/armtap1/ifindex)
	echo off >off
	linux -n tap=armtap1 <off
	left=$(cat /sys/class/net/armtap1/ifindex)
	tunctl -d armtap1 >/dev/null
	expect_status 0
	expect_out "^eth0 $first " "^yours 1 $sum"
	[ "$left" = "$index" ] || fail "the interface is another one"
}

# a_bridge NAME ADDRESS: a bridge of the host's, until the end of the test.
a_bridge() {
	need brctl
	modprobe bridge 2>/dev/null
	brctl addbr "$1" || skip "the host makes no bridges"
	on_exit "ifconfig $1 down; brctl delbr $1"
	ifconfig "$1" "$2" netmask 255.255.255.0 up
}

describe net_bridge "taps on a bridge: two guests reach the host there, and each other" 120
test_net_bridge() {
	need_taps
	a_bridge armbr0 10.77.1.1
	guest_script <<-'END'
		ifconfig eth0 "10.77.1.$(sed 's/.*host=\([0-9]*\).*/\1/' /proc/cmdline)" netmask 255.255.255.0 up
		echo ready
		read -r word
		ping -c 1 -w 20 10.77.1.1 >/dev/null && echo "the host answers"
		[ "$word" = off ] || ping -c 1 -w 20 10.77.1.2 >/dev/null && echo "the other answers"
	END
	mkdir other
	(
		cp initrd other
		cd other || exit
		mkfifo pipe
		exec 3<>pipe
		start_linux -a "$words host=2" -n bridge=armbr0 <pipe
		echo "$PID" >process
		wait_for '^ready' 60
	) || exit
	converse -a "$words host=3" -n tap=armtap1,bridge=armbr0
	wait_for '^ready' 60
	case $(cat /sys/class/net/armtap1/address) in
	fe:*) ;;
	*) fail "the tap's address is not above the others" ;;
	esac
	tell both
	farewell 60
	expect_status 0
	expect_silence
	expect_out '^the host answers' '^the other answers'
	! interface armtap1 || fail "armtap1 is left"
	kill -KILL "$(cat other/process)"
	wait_until 10 gone "$(cat other/process)"
	refused_net '--net tap=tap[0-9]*: bridge=lo: this interface of the host is no bridge' -n bridge=lo
}

describe net_broken_ring "a driver that breaks its ring under vhost is told, and may begin anew"
test_net_broken_ring() {
	need_taps
	load vhost_net /dev/vhost-net
	payload broken_ring -n tap=armtap1,vhost=on
	[ "$(wc -l <err)" -eq 1 ] || fail "standard error is not one line"
	expect_err '^armlet: virtio-net net0: vhost finds a queue broken; it waits for a reset by its driver$'
}

# ---- Refused -----------------------------------------------------------------

refused_net() {
	wanted=$1
	shift
	refused -- "$wanted" -k "$(payload_path null)" "$@"
}

describe bad_net_properties "addresses, sizes and words of --net that cannot be"
test_bad_net_properties() {
	for mac in xx:00:00:12:34:56 02:00:00:12:34 02:00:00:12:34:56:78 020000123456 ''; do
		refused_net "--net: mac: '$mac' is no address; write it as 02:00:00:12:34:56" -n "user,mac=$mac"
	done
	for mac in 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff 00:00:00:00:00:00; do
		refused_net "--net: mac: '$mac' is no machine's address, but a group's or none" \
			-n "user,mac=$mac"
	done
	refused_net "--net: mtu: '67' is not a number from 68 to 65535" -n user,mtu=67
	refused_net "--net: mtu: '65536' is not a number" -n user,mtu=65536
	refused_net "--net: queues: '0' is not a number from 1 to 8" -n tap,queues=0
	refused_net "--net: queues: '9' is not a number from 1 to 8" -n tap,queues=9
	refused_net '--net user: queues: passt has one pair of them' -n user,queues=2
	refused_net '--net user: vhost: that is for taps' -n user,vhost=on
	refused_net "--net: vhost: 'maybe' is not one of auto on off" -n tap,vhost=maybe
	refused_net '--net: user and tap=x do not go together' -n user,tap=x
	refused_net '--net: user and bridge=x do not go together' -n user,bridge=x
	refused_net "--net: 'bridge' is not one of none user tap" -n bridge
	refused_net "--net: unknown property 'mak'; did you mean 'mac'?" -n user,mak=x
	refused_net '--net user: once is enough' -n user -n user
	refused_net '--net: given more than 8 times' -n none -n none -n none -n none -n none -n none \
		-n none -n none -n none
}

describe bad_net_publish "--publish: what is no port, or taken, or has no network"
test_bad_net_publish() {
	refused_net '--publish 8080:80: ports are published with --net user only' --publish 8080:80
	refused_net '--publish 8080:80: ports are published with --net user only' -n none --publish 8080:80
	for port in 0 65536 -1 http 80x; do
		refused_net "--publish $port:80: the host's port is '$port', which is no number from 1 to 65535" \
			-n user --publish $port:80
		refused_net "--publish 8080:$port: the guest's port is '$port', which is no number" \
			-n user --publish 8080:$port
	done
	refused_net '--publish 8080: it needs two ports; it is ' -n user --publish 8080
	refused_net '--publish 1:2/sctp: the protocol is neither tcp nor udp' -n user --publish 1:2/sctp
	refused_net "--publish localhost:1:2: 'localhost' is no address of the host" \
		-n user --publish localhost:1:2
	refused_net '--publish 127.0.0.1:8080:1: port 8080 is published already, by --publish 8080:80' \
		-n user --publish 8080:80 --publish 127.0.0.1:8080:1
	refused_net '--publish 192.0.2.1:8080:80: the host does not have the address 192.0.2.1' \
		-n user --publish 192.0.2.1:8080:80
	need nc
	nc -l -p 8099 >/dev/null &
	listener=$!
	# The state of its socket: 0A listens, and 1FA3 is 8099.
	wait_until 10 grep -qi ':1FA3 [0:]* 0A' /proc/net/tcp /proc/net/tcp6 || fail "nc does not listen"
	refused_net '--publish 8099:80: TCP port 8099 of the host is in use by another program' \
		-n user --publish 8099:80
	kill $listener
	[ "$(id -u)" -eq 0 ] || return 0
	mode=$(stat -c %a /dev/kvm)
	chmod 666 /dev/kvm
	unprivileged run -k "$(for_others "$(payload_path null)")" -n user --publish 80:80
	chmod "$mode" /dev/kvm
	expect_refusal '--publish 80:80: port 80 of the host is privileged; take one above 1023'
}

# refused_passt FOLDER SENTENCE: with the passt that is there.
refused_passt() {
	null=$(payload_path null)
	STATUS=0
	PATH=$1 "$ARMLET" run -k "$null" -n user >out 2>err || STATUS=$?
	expect_refusal "$2"
}

describe bad_net_passt "passt that is missing, that fails, and that ends without a word"
test_bad_net_passt() {
	refused_passt "$DIR/nowhere" 'the program passt is not installed; the package passt has it'
	mkdir bin
	printf '#!/bin/sh\necho "passt: no luck" >&2\nexit 1\n' >bin/passt
	refused_passt "$DIR/bin" '--net user: passt cannot be started: Permission denied'
	chmod 755 bin/passt
	refused_passt "$DIR/bin" '--net user: passt has ended: no luck'
	printf '#!/bin/sh\nkill -9 $$\n' >bin/passt
	refused_passt "$DIR/bin" '--net user: passt has ended: it did not say why'
	emulated || return 0
	need_helper passt
	! interface armlan || skip "the host has a network"
	refused_passt "$PATH" '--net user: passt has ended: .*'
}

describe bad_net_tap "taps that are not permitted, in use, something else, or cannot be"
test_bad_net_tap() {
	need_taps
	refused_net 'the name is too long; Linux takes 15 characters' -n tap=sixteencharacter
	for name in . .. a/b 'a b' a:b 'a%d'; do
		refused_net "--net tap=$name: no interface can have this name" -n "tap=$name"
	done
	refused_net '--net tap=lo: this interface of the host is no tap' -n tap=lo
	need tunctl
	tunctl -t armtap1 >/dev/null
	ifconfig armtap1 up
	refused_net '--net tap=armtap1: it was made without multi_queue, but more than one pair' \
		-n tap=armtap1,queues=2
	refused_net '--net tap=armtap1: two networks have this tap' -n tap=armtap1 -n tap=armtap1,mtu=1400
	tunctl -d armtap1 >/dev/null
	refused_net '--net tap=armtap2: two networks have this tap' -n tap=armtap2,queues=2 \
		-n tap=armtap2,queues=2
	start run -k "$(payload_path idle)" -n tap=armtap1
	wait_until 10 interface armtap1 || fail "armtap1 is not there"
	mkdir second
	(cd second && refused_net '--net tap=armtap1: another program is attached to it' -n tap=armtap1) || exit
	kill -9 "$PID"
	finish
	null=$(for_others "$(payload_path null)")
	mode=$(stat -c %a /dev/net/tun)
	chmod 600 /dev/net/tun
	unprivileged run -k "$null" -n tap=armtap1
	(expect_refusal '--net tap=armtap1: /dev/net/tun may not be opened by this user') || exit
	chmod 666 /dev/net/tun
	unprivileged run -k "$null" -n tap=armtap1
	chmod "$mode" /dev/net/tun
	expect_refusal "--net tap=armtap1: this user may not use it; make it as root with 'ip tuntap add dev armtap1"
	! interface armtap1 || fail "armtap1 is left"
}

describe bad_net_devices "a host without /dev/net/tun, or without /dev/vhost-net"
test_bad_net_devices() {
	emulated || skip "the devices of this host are not ours to move"
	need_taps
	# In the folder that they are in: to move is nothing then.
	mv /dev/net/tun /dev/net/away
	refused_net '--net tap=armtap1: the host has no /dev/net/tun; load the module with .modprobe tun' \
		-n tap=armtap1
	mv /dev/net/away /dev/net/tun
	load vhost_net /dev/vhost-net
	mv /dev/vhost-net /dev/vhost-away
	refused_net "--net tap=armtap1: /dev/vhost-net cannot be opened ('modprobe vhost_net' loads it)" \
		-n tap=armtap1,vhost=on
	armlet run -k "$(payload_path null)" -n tap=armtap1 --loglevel info
	mv /dev/vhost-away /dev/vhost-net
	expect_status 0
	expect_err 'armtap1 is served by armlet itself, which is slower: /dev/vhost-net: '
}

# ---- passt ----------------------------------------------------------------

# passt takes addresses and routes from an interface, of which the host has none.
upstream() {
	modprobe dummy 2>/dev/null
	interface armlan || ip link add armlan type dummy || skip "the host makes no interface"
	ip addr add 10.78.0.5/24 dev armlan
	ip link set armlan up
	ip route add default via 10.78.0.1 dev armlan
}

# What a guest does first that has its address from the host: in /tmp, and it knows $gateway.
lease_commands() {
	cat <<-'END'
		cat >/tmp/lease <<-'LEASE'
			#!/bin/sh
			[ "$1" = bound ] || exit 0
			ifconfig "$interface" "$ip" netmask "$subnet"
			route add default gw "$router"
			echo "lease $ip $subnet $router"
		LEASE
		chmod 755 /tmp/lease
		cd /tmp || exit
		ifconfig eth0 up
		udhcpc -q -n -s /tmp/lease -i eth0
		gateway=$(route -n | sed -n 's/^0\.0\.0\.0 *\([^ ]*\) .*/\1/p')
	END
}

describe net_user "--net user: DHCP, out to the host, a published port, a reboot, the end of passt" 240
test_net_user() {
	emulated || skip "the network of this host is not ours to change"
	need_helper passt
	need httpd wget md5sum ip
	upstream
	{
		lease_commands
		cat <<-'END'
			head -c 1048576 /dev/urandom >blob
			echo "mine $(md5sum <blob)"
			httpd -h /tmp
			echo "yours 1 $(wget -q -O - "http://$gateway:8080/blob" | md5sum)"
			echo ready
			read -r word
			[ "$word" != again ] || reboot -f
			echo "carrier $(cat /sys/class/net/eth0/carrier)"
		END
	} | guest_script
	www 1048576
	converse -n user,mac=02:00:00:00:00:07 --publish 127.0.0.1:8081:80
	for word in 1:again 2:; do
		wait_until 60 ready_times "${word%:*}" || fail "a boot did not come"
		from_guest http://127.0.0.1:8081/blob
		[ -z "${word#*:}" ] || tell "${word#*:}"
	done
	passt=$(pidof passt)
	kill "$passt"
	wait_until 10 gone "$passt" || fail "passt goes on"
	wait_until 10 test -s err || fail "the end of passt is not told"
	tell off
	farewell 40
	ip link del armlan
	expect_status 0
	of_all '^lease 10.78.0.5 255.255.255.0 10.78.0.1' 2
	of_all "^yours 1 $sum" 2
	expect_out '^carrier 0'
	[ "$(wc -l <err)" -eq 1 ] || fail "standard error is not one line"
	cat err
}

# answers NUMBER: what the guest gives at that port of the host's.
answers() { timeout $((10 * slowness)) wget -q -O - "http://127.0.0.1:$1/word"; }
gives_word() { [ "$(answers "$1")" = word ]; }
is_closed() { ! answers "$1" >/dev/null 2>&1; }

describe net_publish "publish and unpublish while the machine runs: what is there before stays, also after what fails" 180
test_net_publish() {
	emulated || skip "the network of this host is not ours to change"
	need_helper passt
	need httpd wget ip
	upstream
	{
		lease_commands
		cat <<-'END'
			echo word >word
			httpd -p 80 -h /tmp
			httpd -p 81 -h /tmp
			echo ready
			read -r word
			reboot -f
		END
	} | guest_script
	converse -n user --publish 127.0.0.1:8080:80 --api api
	wait_for '^ready' 60
	control
	done='{"return": {}}' error='{"error": {"class": "GenericError", "desc": "'
	gives_word 8080 || fail "the port of before does not answer"
	expect_answer "$done" publish '{"port":"127.0.0.1:8081:81"}'
	gives_word 8081 || fail "the new port does not answer"
	gives_word 8080 || fail "the port of before does not answer any more"
	expect_answer '{"return": [{"port": "127.0.0.1:8080:80"}, {"port": "127.0.0.1:8081:81"}]}' query-published
	expect_answer "${error}--publish 127.0.0.1:8081:80: port 8081 is published already, by --publish 127.0.0.1:8081:81\"}}" \
		publish '{"port":"127.0.0.1:8081:80"}'
	expect_like '--publish web: it needs two ports' publish '{"port":"web"}'
	httpd -f -p 127.0.0.1:8082 &
	server=$!
	wait_until 10 grep -q ':1F92 ' /proc/net/tcp || fail "the host's own server does not come up"
	expect_like 'TCP port 8082 of the host is in use' publish '{"port":"127.0.0.1:8082:80"}'
	kill $server
	expect_like 'that is not published' unpublish '{"port":"127.0.0.1:8080:81"}'
	gives_word 8081 || fail "what failed has changed something"
	expect_answer "$done" unpublish '{"port":"127.0.0.1:8080:80"}'
	is_closed 8080 || fail "the port is still there"
	gives_word 8081 || fail "the other port has gone, too"
	tell again
	wait_until 60 ready_times 2 || fail "a second boot does not come"
	gives_word 8081 || fail "after a reset the port is not published"
	is_closed 8080 || fail "after a reset the port is back"
	expect_answer "$done" quit
	farewell
	ip link del armlan
	expect_status 0
	expect_silence
	[ -z "$(pidof passt)" ] || fail "a passt is left"

	start run -k "$(payload_path idle)" -a seconds=100 --api api
	wait_for 'idle begins'
	exec 5>&-
	rm requests
	control
	expect_like 'DeviceNotFound.*ports are published with --net user only' publish '{"port":"8080:80"}'
	expect_answer '{"return": []}' query-published
	expect_answer "$done" quit
	finish
}
