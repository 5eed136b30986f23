# SPDX-License-Identifier: Apache-2.0
# Devices that come and go while the guest runs.
# shellcheck shell=sh

# A guest that does what it is told, and can look into its slots: "look" binds whatever
# has come, and loads its driver, as it has no udev for that; "leave NAME" unbinds a slot.
slots_guest() {
	guest_script <<-'END'
		cd /sys/bus/platform/drivers/virtio-mmio || exit
		look() {
			for slot in ../../devices/*.virtio_mmio; do
				[ -e "$slot/driver" ] || echo "${slot##*/}" >../../drivers_probe
			done
			cat /sys/bus/virtio/devices/*/modalias | xargs modprobe -qa
		}
		leave() { echo "$1" >unbind; }
		echo "ready with $(ls -d ../../devices/*.virtio_mmio | wc -l) slots, disks: $(ls /sys/block)"
		while read -r line; do
			eval "$line"
		done
	END
}

ok='{"return": {}}'

# slot_name NUMBER: what the guest calls that slot, the first being 1.
slot_name() {
	qmp query-slots
	say "$answer" | sed 's/"guest-name"/\n&/g' | sed -n "s/^\"guest-name\": \"\([^\"]*\)\".*/\1/p" |
		sed -n "$1p"
}

describe slots_disk "device_add, device_del: a disk comes, is used, goes, and what is there stays over a reset" 240
test_slots_disk() {
	slots_guest
	truncate -s 1M first second
	converse --slots 2 --api api
	wait_for '^ready with 4 slots' 60
	control
	expect_answer "$ok" device_add '{"driver":"virtio-blk-device","id":"data","file":"first","serial":"one"}'
	expect_like '"device": "data", "in-use": false, "leaving": false' query-slots
	tell 'look; echo found $(cat /sys/block/vda/serial) $(cat /sys/block/vda/size)'
	wait_for '^found one 2048'
	expect_like '"device": "data", "in-use": true, "leaving": false' query-slots
	expect_like '"device": "data", .*"filename": "first"' query-block
	expect_answer "$ok" block_resize '{"device":"data","size":2097152}'
	tell 'echo hello >/dev/vda; sync; echo now $(cat /sys/block/vda/size)'
	wait_for '^now 4096'
	[ "$(head -c 5 first)" = hello ] || fail "what the guest has written is not in the file"

	expect_answer "$ok" device_del '{"id":"data"}'
	expect_like '"device": "data", "in-use": true, "leaving": true' query-slots
	expect_like "'data' is about to leave" device_del '{"id":"data"}'
	! qmp_events DEVICE_DELETED 1 || fail "the device has left its driver"
	tell "leave $(slot_name 1); echo disks now: \$(ls /sys/block)."
	qmp_event 'DEVICE_DELETED", "data": {"device": "data", "path": "/machine/peripheral/data"}'
	wait_for '^disks now: \.'
	expect_answer '{"return": []}' query-block

	# To a machine that is paused, and away again before anybody has looked.
	expect_answer "$ok" stop
	expect_answer "$ok" device_add '{"driver":"virtio-blk-device","id":"data","file":"second","ro":true}'
	expect_answer "$ok" device_add '{"driver":"virtio-blk-device","id":"other","file":"first"}'
	expect_answer "$ok" device_del '{"id":"other"}'
	qmp_event DEVICE_DELETED 2
	expect_answer "$ok" cont
	tell 'look; echo found $(cat /sys/block/vda/serial) $(cat /sys/block/vda/ro)'
	wait_for '^found data 1'

	# Over a reset; and away with another.
	expect_answer "$ok" system_reset
	wait_for '^ready with 4 slots, disks: vda' 60
	wait_until 20 seen_times '^ready' 2 || fail "the second boot does not come"
	expect_answer "$ok" device_del '{"id":"data"}'
	expect_answer "$ok" system_reset
	qmp_event DEVICE_DELETED 3
	wait_until 60 seen_times '^ready with 4 slots, disks: $' 2 || fail "after a reset the disk is there"
	expect_answer "$ok" quit
	farewell
	expect_status 0
}

describe slots_net "device_add: a network by a tap; its frames, its cable, and its end" 120
test_slots_net() {
	need_taps
	slots_guest
	converse --slots 1 --api api
	wait_for '^ready' 60
	control
	expect_answer "$ok" device_add \
		'{"driver":"virtio-net-device","id":"lan","tap":"armtap1","mac":"02:00:00:12:34:56","vhost":"off"}'
	ifconfig armtap1 10.77.1.1 netmask 255.255.255.0
	tell 'look; ifconfig eth0 10.77.1.2 netmask 255.255.255.0; echo is $(cat /sys/class/net/eth0/address)'
	wait_for '^is 02:00:00:12:34:56'
	ping -c 1 -w 20 10.77.1.2 >/dev/null || fail "the guest does not answer"
	expect_answer "$ok" set_link '{"name":"lan","up":false}'
	tell 'until [ $(cat /sys/class/net/eth0/carrier) = 0 ]; do sleep 0.1; done; echo pulled'
	wait_for '^pulled'
	expect_answer "$ok" device_del '{"id":"lan"}'
	interface armtap1 || fail "the tap has gone before the device"
	tell "leave $(slot_name 1)"
	qmp_event 'DEVICE_DELETED", "data": {"device": "lan"'
	! interface armtap1 || fail "the tap is left"
	expect_answer "$ok" quit
	farewell
	expect_status 0
}

# not_added TEXT ARGUMENTS: it is refused with these words, and nothing has come.
not_added() {
	expect_like "\"error\": .*$1" device_add "$2"
	expect_like '^{"return": \[{"guest-name": "[^"]*", "in-use": false, "leaving": false}\]}$' query-slots
	expect_answer '{"return": []}' query-block
}

describe bad_slots "device_add and device_del: what they refuse"
test_bad_slots() {
	need_taps
	disk='{"driver":"virtio-blk-device"'
	truncate -s 1M raw
	start run -k "$(payload_path idle)" -a seconds=100 --slots 1 --name slots --api api
	wait_for 'idle begins'
	control
	not_added "Parameter 'driver' is missing" '{"id":"a"}'
	not_added "Parameter 'driver' .*" '{"driver":"virtio-gpu","id":"a"}'
	not_added "Parameter 'id' is missing" "$disk}"
	not_added "there is no file" "$disk,\"id\":\"a\"}"
	not_added 'none: there is no such file' "$disk,\"id\":\"a\",\"file\":\"none\"}"
	not_added "serail: there is no such field; did you mean 'serial'" "$disk,\"id\":\"a\",\"file\":\"raw\",\"serail\":\"x\"}"
	not_added 'block-size: 3000 is not a power of two' "$disk,\"id\":\"a\",\"file\":\"raw\",\"block-size\":3000}"
	not_added 'serial: 7 is not a string' "$disk,\"id\":\"a\",\"file\":\"raw\",\"serial\":7}"
	not_added "'1a' is no name of a device" "$disk,\"id\":\"1a\",\"file\":\"raw\"}"
	not_added "there is a device 'rng0' already" "$disk,\"id\":\"rng0\",\"file\":\"raw\"}"
	not_added 'mode: a network is' '{"driver":"virtio-net-device","id":"a"}'
	not_added "mac: 'x' is no address" '{"driver":"virtio-net-device","id":"a","tap":"armtap1","mac":"x"}'
	[ ! -e /sys/class/net/armtap1 ] || fail "a tap is left"

	# As words, and away again.
	verb ctl slots device_add driver=virtio-blk-device id=a file=raw ro=true block-size=4096 'serial="7"'
	[ "$STATUS" -eq 0 ] || fail "$(cat verb.err)"
	expect_verb '"ro": true' ctl slots query-block
	expect_no_verb 'there is a device' ctl slots device_add driver=virtio-blk-device id=a file=raw
	expect_no_verb 'file needs a value' ctl slots device_add driver=virtio-blk-device id=b file
	verb ctl slots device_del id=a
	[ "$STATUS" -eq 0 ] || fail "$(cat verb.err)"
	expect_like 'DeviceNotFound.*there is no device .b.' device_del '{"id":"b"}'
	expect_like "only what was plugged in later can be unplugged, not 'rng0'" device_del '{"id":"rng0"}'
	qmp device_add "$disk,\"id\":\"a\",\"file\":\"raw\"}"
	expect_like 'the machine has 1 slots, and none is free' device_add "$disk,\"id\":\"b\",\"file\":\"raw\"}"
	expect_like "there is a device 'a' already" device_add "$disk,\"id\":\"a\",\"file\":\"raw\"}"
	expect_answer "$ok" device_del '{"id":"a"}'
	qmp_event DEVICE_DELETED 2
	expect_answer "$ok" quit
	finish
	expect_status 0
	expect_silence
	refused "slots: '33' is not a number from 0 to 32" -k "$(payload_path idle)" --slots 33

	start run -k "$(payload_path idle)" -a seconds=100 --name slots
	wait_for 'idle begins'
	expect_no_verb 'the machine has no slots' ctl slots device_add driver=virtio-blk-device id=a file=raw
	expect_verb '^slots$' kill slots
	finish
}
