# SPDX-License-Identifier: Apache-2.0
# Shared folders: diod and virtiofsd behind Linux guests.
# shellcheck shell=sh

# share KIND TAG FOLDER, in the guest.
share_function() {
	cat <<-'END'
		share() {
			mkdir -p "$3"
			case $1 in
			9p) mount -t 9p -o "trans=virtio,version=9p2000.L,msize=${msize:-512000}" "$2" "$3" ;;
			virtiofs) mount -t virtiofs "$2" "$3" ;;
			esac
		}
	END
}

# share_script: guest_script, for scripts that share.
share_script() {
	{
		share_function
		cat
	} >shares
	guest_script <shares
}

server_of() {
	case $1 in
	9p) need_helper diod ;;
	virtiofs)
		[ "$(id -u)" -eq 0 ] || skip "only root can start every virtiofsd"
		need_helper diod
		PATH=$PATH:/usr/libexec:/usr/lib/qemu
		need virtiofsd
		;;
	esac
}

# ---- One folder, both sides -------------------------------------------------

# what_it_is FILE...: owner, mode and size, as host and guest tell them alike.
what_it_is() { stat -c '%u:%g %a %s' "$@"; }

# Up to 1.0.24, diod asks for an open file by its name, but for its data, and sets
# times to the second.
flaws_of() { [ "$1" != 9p ] || echo unlink-status rename-truncate nanoseconds; }

# inodes_by KIND FILE...: their numbers, as the guest knows them; over 9P, Linux adds 2.
inodes_by() {
	shift_by=0
	[ "$1" != 9p ] || shift_by=2
	shift
	stat -c %i "$@" | awk -v by=$shift_by '{ printf "%d ", $1 + by }'
}

volume_guest() {
	guest_tool folder
	guest_tool unprivileged
	{
		echo "kind=$1 flaws='$(flaws_of "$1")'"
		cat <<-'END'
			cd / || exit
			# So small that much goes in pieces.
			msize=16384
			share $kind files /mnt
			msize=''
			folder /mnt $flaws
			echo "host's $(stat -c '%u:%g %a %s' /mnt/theirs) $(md5sum </mnt/theirs)"
			echo "link $(readlink /mnt/link) $(cat /mnt/inner/link)"
			unprivileged cat /mnt/secret && echo "the secret is out"
			cp /mnt/theirs /mnt/ours
			echo more >>/mnt/ours
			chown 1234:5678 /mnt/ours
			chmod 2640 /mnt/ours
			ln -s /nowhere/here /mnt/pointer
			unprivileged mkdir -m 700 /mnt/open/folder
			inodes() { stat -c %i /mnt/theirs /mnt/ours /mnt/inner | tr '\n' ' '; }
			echo "inodes $(inodes)"
			umount /mnt
			share $kind files /mnt
			echo "again $(inodes)"
			cat /mnt/changing
			echo ready
			read -r word
			# What is known of a file holds for a second with virtiofs.
			[ $kind = 9p ] || sleep 1.5
			echo "changed: $(cat /mnt/changing)"
			[ -e /mnt/theirs ] || echo "theirs is gone"
			rm -r /mnt/inner
		END
	} | share_script
}

# volume_with KIND
volume_with() {
	server_of "$1"
	volume_guest "$1"
	mkdir -p files/inner files/open
	chmod 777 files/open
	head -c 300001 /dev/urandom >files/theirs
	sum=$(md5sum <files/theirs)
	chown 77:88 files/theirs
	chmod 604 files/theirs
	ln -s over/there files/link
	ln -s ../changing files/inner/link
	echo before >files/changing
	echo secret >files/secret
	chmod 600 files/secret
	converse --volume "files:files:fs=$1"
	wait_for '^ready' 60
	inodes=$(inodes_by "$1" files/theirs files/ours files/inner)
	{ cat files/theirs; echo more; } | cmp - files/ours || fail "what the guest wrote is not there"
	rm files/theirs
	echo afterwards >files/new
	mv files/new files/changing
	tell go
	farewell 60
	say "$(grep -a '^ok \|^no' out | tr '\n' ' ')"
	expect_report
	expect_silence
	expect_no_out 'the secret'
	expect_out "^host's 77:88 604 300001 $sum" '^link over/there before' '^before' \
		"^inodes $inodes" "^again $inodes" '^changed: afterwards' '^theirs is gone'
	[ "$(what_it_is files/ours)" = "1234:5678 2640 300006" ] ||
		fail "ours is $(what_it_is files/ours)"
	[ "$(stat -c '%u:%g %a' files/open/folder)" = "65534:65534 700" ] ||
		fail "the folder is $(what_it_is files/open/folder)"
	[ "$(readlink files/pointer)" = /nowhere/here ] || fail "the guest's link leads elsewhere"
	[ ! -e files/inner ] || fail "what the guest has removed is there"
}

describe volume_9p "fs=9p: files are as POSIX has them, and host and guest see the same" 120
test_volume_9p() { volume_with 9p; }

describe volume_virtiofs "fs=virtiofs: the same" 120
test_volume_virtiofs() { volume_with virtiofs; }

describe volume_read_only "ro: the guest reads, and whatever else it tries fails; the folder is the same" 90
test_volume_read_only() {
	server_of 9p
	share_script <<-'END'
		share 9p files /mnt
		cat /mnt/file /mnt/folder/inner
		cd /mnt
		mount -o remount,rw /mnt
		(: >file)
		(: >>file)
		(: >new)
		rm file
		mv file other
		ln file other
		ln -s file link
		mkdir new
		rmdir folder/empty
		chmod 777 file
		chown 1:1 file
		touch file
		truncate -s 1 file
		mknod null c 1 3
		mv folder/inner inner
		echo "file has $(wc -c <file)"
	END
	mkdir -p files/folder/empty
	echo "the file" >files/file
	echo "the inner one" >files/folder/inner
	everything files >before
	linux --volume "files:files:ro:fs=9p"
	everything files >after
	expect_status 0
	expect_silence
	expect_out '^the file' '^the inner one' '^file has 9'
	[ "$(grep -c 'Read-only file system' out)" -eq 15 ] || { cat out; fail "not all is refused"; }
	cmp before after || fail "the folder has changed"
}

# everything FOLDER: all that can be known of it but when it was read.
everything() {
	find "$1" -exec stat -c '%n %f %u:%g %s %i %h %Y %Z' {} + | sort
	find "$1" -type f -exec md5sum {} + | sort
}

# ---- Which server -----------------------------------------------------------

# servers NAME: the processes that armlet has started, and what they have.
servers() {
	for process in $(pidof "$1"); do
		! grep -qs "ARMLET_TEST_DIR=$DIR" "/proc/$process/environ" || echo "$process"
	done
}

has_servers() { [ -n "$(servers diod)$(servers virtiofsd)" ]; }

has_no_servers() { ! has_servers; }

# served_by NAME VOLUME [COMMAND...]: a machine with the volume has this server, and
# no other; neither outlives the machine, however that ends.
served_by() {
	wanted=$1 volume=$2
	shift 2
	: >out
	"$@" "$ARMLET" run -k "$(payload_path idle)" --volume "$volume" >out 2>err &
	PID=$!
	wait_for '^idle begins'
	for name in diod virtiofsd; do
		if [ -n "$(servers $name)" ]; then
			[ $name = "$wanted" ] || fail "$volume is served by $name"
		else
			[ $name != "$wanted" ] || fail "$volume is not served by $name"
		fi
	done
	kill "-${signal:-TERM}" "$PID"
	# This guest does not listen to the power key: a second signal ends it at once.
	sleep 0.1
	kill "-${signal:-TERM}" "$PID" 2>/dev/null
	finish
	wait_until 10 has_no_servers || fail "servers are left"
	expect_silence
	say "$volume: $wanted"
}

# away COMMAND...: as if virtiofsd were not installed, or the program in $gone.
away() {
	mv "${gone:=/usr/lib/qemu/virtiofsd}" /usr/away
	("$@")
	status=$?
	mv /usr/away "$gone"
	gone=''
	[ $status -eq 0 ] || exit $status
}

describe volume_auto "virtiofsd if it can do what is asked for, else diod; none of them is left" 60
test_volume_auto() {
	emulated || skip "the programs of this host are not ours to move"
	server_of virtiofs
	mkdir files bin
	chmod 777 files
	served_by virtiofsd files:files
	signal=KILL served_by virtiofsd files:files:fs=auto
	served_by diod files:files:fs=9p
	# This one is QEMU's.
	served_by diod files:files:ro
	away served_by diod files:files:fs=auto
	gone=/usr/sbin/diod
	away served_by virtiofsd files:files
	# One that is not what it is called.
	printf '#!/bin/sh\necho "something else 1.0"\n' >bin/virtiofsd
	chmod 755 bin/virtiofsd
	signal=KILL served_by diod files:files env "PATH=$DIR/bin:$PATH"
	mode=$(stat -c %a /dev/kvm)
	chmod 666 /dev/kvm
	ARMLET=$(for_others "$ARMLET")
	for_others "$(payload_path idle)" >/dev/null
	export ARMLET_PAYLOADS="$DIR"
	(served_by diod "$DIR/files:files" "$ARMLET_TOOLS/unprivileged")
	status=$?
	chmod "$mode" /dev/kvm
	return $status
}

# ---- Two, and a reboot --------------------------------------------------------

describe volume_two "two folders, one by each server, are used at once, and again after a reboot" 120
test_volume_two() {
	server_of virtiofs
	share_script <<-'END'
		share 9p first /first
		share virtiofs /data/second /second
		boot=$(($(cat /first/boot) + 1))
		echo $boot >/first/boot
		for way in first:second second:first; do
			from=/${way%:*}/data to=/${way#*:}/copy$boot
			for piece in 0 1 2 3; do
				dd if=$from of=$to bs=100000 count=1 seek=$piece skip=$piece conv=notrunc 2>/dev/null
			done &
		done
		wait
		echo "boot $boot" >>/second/log
		df | sed -n 's/^\([^ ]*\) .* \(\/first\|\/second\)$/\1 is mounted at \2/p'
		[ $boot -ge 2 ] || reboot -f
	END
	mkdir first 'se, cond'
	echo 0 >first/boot
	head -c 400000 /dev/urandom >first/data
	head -c 400000 /dev/urandom >'se, cond/data'
	linux -c 2 --volume first:first:fs=9p --volume 'se, cond:/data/second'
	expect_status 0
	expect_silence
	[ "$(cat first/boot)" = 2 ] || fail "the boots did not count"
	[ "$(cat 'se, cond/log')" = "boot 1
boot 2" ] || fail "the second folder has another log"
	for folder in first:/first /data/second:/second; do
		[ "$(grep -c "^${folder%:*} is mounted at ${folder#*:}" out)" -eq 2 ] || fail "$folder was not there"
	done
	for boot in 1 2; do
		cmp first/data "se, cond/copy$boot" || fail "data is not the same"
		cmp 'se, cond/data' first/copy$boot || fail "data is not the same"
	done
}

# ---- Servers that are silent, or dead ----------------------------------------------

# signal_servers SIGNAL: both, whatever they consist of.
signal_servers() {
	for server in $(servers diod) $(servers virtiofsd); do
		kill "-$1" "$server"
	done
}

# told_of PATTERN COUNT: so many lines of err are like that.
told_of() { [ "$(grep -c "$1" err)" -eq "$2" ]; }

# expect_told PATTERN: of both folders.
expect_told() {
	wait_until 40 told_of "$1" 2 || fail "'$1' is not told of both folders"
}

# answered PATTERN COUNT
answered() { [ "$(grep -ac "$1" out)" -ge "$2" ]; }

expect_answers() {
	wait_until 40 answered "^$1" "$2" || fail "the guest has not $2 lines of '$1'"
}

describe volume_lost "servers that stop are told of, those that die give errors; a reboot brings them back" 240
test_volume_lost() {
	server_of virtiofs
	share_script <<-'END'
		share 9p one /one
		share virtiofs two /two
		use() {
			if trouble=$( (echo hello >/$1/file) 2>&1); then
				echo "done with $1"
			else
				echo "error of $1: ${trouble##*: }"
			fi
		}
		echo ready
		while read -r word; do
			case $word in
			use)
				for name in one two; do
					use $name &
				done
				;;
			alive) echo "alive" ;;
			again) reboot -f ;;
			off) break ;;
			esac
		done
		umount /one
		umount /two
	END
	mkdir one two
	converse --volume one:one:fs=9p --volume two:two:fs=virtiofs
	wait_for '^ready' 60
	tell use
	expect_answers 'done with' 2
	signal_servers STOP
	tell use
	expect_told "its server has not answered for 10 s: what the guest does in the share '[a-z]*' waits$"
	tell alive
	expect_answers alive 1
	expect_answers 'done with' 2
	[ "$(grep -ac '^error' out)" -eq 0 ] || fail "the guest did not wait"
	signal_servers CONT
	expect_answers 'done with' 4
	expect_told 'its server answers again$'
	# With requests that they have not answered.
	signal_servers STOP
	tell use
	tell alive
	expect_answers alive 2
	signal_servers KILL
	expect_answers 'error of' 2
	expect_told ": all that the guest does in the share '[a-z]*' fails from now on$"
	tell use
	expect_answers 'error of [a-z]*: Input/output error' 4
	[ "$(wc -l <err)" -eq 6 ] || fail "more is told than that"
	rm one/file two/file
	tell again
	wait_until 60 ready_times 2 || fail "the second boot did not come"
	tell use
	expect_answers 'done with' 6
	tell off
	farewell 40
	expect_status 0
	[ "$(cat one/file two/file | wc -l)" -eq 2 ] || fail "nothing was written after the reboot"
	[ "$(wc -l <err)" -eq 6 ] || fail "more is told than that"
	expect_err "^armlet: volume0: the 9P server .*: all that the guest does in the share 'one' fails" \
		"^armlet: volume1: its server .*: all that the guest does in the share 'two' fails"
	sort -u err
}

# ---- Refused, and no way out ---------------------------------------------------

# refused_volume PATTERN VOLUME...
refused_volume() { refused_values --volume "$@"; }

describe bad_volume_words "what is no folder and no tag, and words that are none"
test_bad_volume_words() {
	long=123456789012345678901234567890123456
	mkdir files
	for text in files ''; do
		refused_volume "--volume $text: what the guest sees it as is missing; say HOST:GUEST" "$text"
	done
	refused_volume '--volume :tag: there is no folder before the colon' :tag
	for text in files: files::ro; do
		refused_volume "--volume $text: there is nothing behind the colon" $text
	done
	refused_volume '--volume files:.*: the guest can know a folder by at most 36 bytes' "files:x$long"
	refused_volume "--volume files:tag:r: 'r' is no option; is 'ro' meant?" files:tag:r
	refused_volume "--volume files:tag:fs=ext4: 'fs=ext4' is no option" files:tag:fs=ext4
	refused_volume "--volume files:tag:writable: 'writable' is no option; there are ro, rw" files:tag:writable
	refused_volume "--volume files:tag:: '' is no option" files:tag:
	refused_volume "--volume files:tag:ro,rw: 'rw' is one too many" files:tag:ro,rw
	refused_volume "--volume files:tag:fs=9p:fs=auto: 'fs=auto' is one too many" files:tag:fs=9p:fs=auto
	refused_volume "--volume: the folder's name is too long" "$(head -c 5000 /dev/zero | tr '\0' x):tag"
}

describe bad_volume_folders "folders that are missing, no folder, or not this user's"
test_bad_volume_folders() {
	server_of 9p
	: >file
	mkdir secret fixed
	chmod 700 secret
	chmod 755 fixed
	ln -s nowhere dangling
	ln -s loop loop
	refused_volume '--volume missing: there is no such folder: No such file or directory' missing:tag
	refused_volume '--volume dangling: there is no such folder: No such file' dangling:tag
	refused_volume '--volume loop: there is no such folder: Too many levels' loop:tag
	refused_volume '--volume file/x: there is no such folder: Not a directory' file/x:tag
	refused_volume '--volume file: only a folder can be shared' file:tag
	refused_volume '--volume /dev/null: only a folder can be shared' /dev/null:tag:ro
	refused_volume "two volumes have the tag 'tag'" fixed:tag:fs=9p secret:tag:fs=9p:ro
	[ "$(id -u)" -eq 0 ] || return 0
	null=$(for_others "$(payload_path null)")
	unprivileged run -k "$null" --volume "$DIR/secret:tag:fs=9p"
	(expect_refusal '--volume .*/secret: the folder cannot be read: Permission denied') || exit
	unprivileged run -k "$null" --volume "$DIR/fixed:tag:fs=9p"
	expect_refusal '--volume .*/fixed: the folder cannot be written; share it with :ro: Permission denied'
}

describe bad_volume_servers "servers that are not installed, cannot do it, or do not start"
test_bad_volume_servers() {
	emulated || skip "the programs of this host are not ours to move"
	server_of virtiofs
	mkdir files bin
	chmod 777 files
	folder=$DIR/files
	refused_volume "--volume $folder: /usr/lib/qemu/virtiofsd is QEMU's own, which cannot share read-only" \
		files:tag:fs=virtiofs:ro
	away refused_volume "--volume $folder: fs=virtiofs needs the program virtiofsd, which is not installed: apt install virtiofsd" \
		files:tag:fs=virtiofs
	gone=/usr/sbin/diod
	away refused_volume "--volume $folder: fs=9p needs the program diod, which is not installed: apt install diod" \
		files:tag:fs=9p
	gone=/usr/sbin/diod
	away refused_volume "--volume $folder: /usr/lib/qemu/virtiofsd is QEMU's own, .* read-only; apt install diod" \
		files:tag:ro
	away away_too
	null=$(for_others "$(payload_path null)")
	unprivileged run -k "$null" --volume "$folder:tag:fs=virtiofs"
	(expect_refusal "virtiofsd is QEMU's own, which has to be started by root") || exit
	# One that ends when it should begin.
	cat >bin/virtiofsd <<-'END'
		#!/bin/sh
		[ "$2" != --version ] || { echo virtiofsd 1.13.2; exit; }
		echo "virtiofsd: no luck" >&2
		exit 1
	END
	chmod 755 bin/virtiofsd
	PATH=$DIR/bin:$PATH
	refused_volume "--volume $folder: volume0: its server has gone: virtiofsd: no luck$" files:tag
}

away_too() {
	mv /usr/sbin/diod /usr/gone
	(refused_volume "no program that shares folders is installed: apt install virtiofsd, or diod" files:tag)
	status=$?
	mv /usr/gone /usr/sbin/diod
	return $status
}

# Two ways into one folder: by one the guest is in a folder that it replaces, by the
# other, by a link to where the host's file is, and what it has open there is asked
# for by a path that leads through the link.
describe bad_volume_way_out "a guest that makes links to what is not shared does not get there" 90
test_bad_volume_way_out() {
	server_of virtiofs
	mkdir outside files files/in files/deep files/deep/in
	echo "the host's" >outside/file
	ln -s "$DIR/outside/file" files/absolute
	ln -s ../outside/file files/relative
	ln -s "$DIR/outside" files/folder
	share_script <<-END
		outside=$DIR/outside
		share 9p one /one
		share 9p two /two
		share virtiofs three /three
		for folder in one two three; do
			cat /\$folder/absolute /\$folder/relative /\$folder/folder/file /\$folder/../outside/file
			ls -la /\$folder/
		done
		for way in one:two three:two two:three; do
			cd /\${way%:*}/in || echo "trouble"
			mv /\${way#*:}/in /\${way#*:}/out
			ln -s \$outside /\${way#*:}/in
			cat file ./file
			ls .
			echo overwritten >file
			rm file
			cd /
			rm /\${way#*:}/in
			mv /\${way#*:}/out /\${way#*:}/in
			echo "came to its end"
		done
	END
	linux --volume files:one:fs=9p --volume files:two:fs=9p --volume files:three:fs=virtiofs
	expect_status 0
	expect_silence
	expect_no_out "^the host's" trouble
	[ "$(grep -c '^came' out)" -eq 3 ] || fail "not all ways were tried"
	[ "$(cat outside/file)" = "the host's" ] || fail "the host's file has changed"
	[ "$(ls outside)" = file ] || fail "there is more outside"
}

# ---- At work ---------------------------------------------------------------------

# Git and make run from a disk, beside the guest's own programs. What is made of headers
# that are made already is the same again.
git_guest() {
	share_script <<-'END'
		mkdir /mnt
		mount -t ext4 -o ro /dev/vda /mnt
		ln -s /mnt/usr/lib /usr/lib
		ln -s /mnt/usr/lib/aarch64-linux-gnu /mnt/usr/lib/ld-linux-aarch64.so.1 /lib
		export PATH=/bin:/mnt/usr/bin HOME=/tmp
		git config --global user.name guest
		git config --global user.email guest@example.org
		git config --global init.templateDir ''
		git config --global init.defaultBranch main
		share virtiofs one /one
		share 9p two /two
		git init -q /one/first
		cd /one/first || exit
		mkdir -p include/uapi
		for folder in misc mtd video xen; do
			cp -r /mnt/usr/include/$folder include/uapi
		done
		git add . && git commit -q -m 'All of it'
		git mv include/uapi/mtd include/uapi/xen/moved
		git rm -q include/uapi/video/edid.h
		echo '/* changed */' >>include/uapi/misc/cxl.h
		git commit -q -a -m 'Some of it'
		echo "status $(git status --porcelain | wc -l)"
		git clone -q --bare file:///one/first /two/bare.git
		git -C /two/bare.git fsck --strict 2>&1 | grep -v Checking
		git clone -q file:///two/bare.git /one/second
		cd /one/second || exit
		echo "status $(git status --porcelain | wc -l)"
		git checkout -q HEAD~1
		echo "status $(git status --porcelain | wc -l)"
		ls include/uapi/mtd include/uapi/video/edid.h
		ln -s /mnt/usr/lib/linux-kbuild-6.1/scripts .
		for try in first second; do
			make -j2 -f scripts/Makefile.headersinst srctree=. objtree=. obj=include/uapi \
				CONFIG_SHELL=sh quiet=quiet_ >log 2>&1 || cat log
			echo "$try: made $(grep -c HDRINST log)"
		done
		mv /one/second /one/third && cd /one/third || exit
		rm -r include/uapi/xen
		echo "status $(git status --porcelain | grep -c '^ D')"
		git checkout -q . && echo "restored $(ls include/uapi/xen | wc -l)"
	END
}

describe volume_git "git makes, clones and checks out a repository, and kernel headers are built in it" 150
test_volume_git() {
	server_of virtiofs
	disk=$ARMLET_GUESTS/git.img
	[ -e "$disk" ] || skip "there is no disk of git (tools/debkit disk)"
	git_guest
	mkdir one two
	linux -c 2 --disk "$disk,ro" --volume one:one:fs=virtiofs --volume two:two:fs=9p
	expect_status 0
	expect_silence
	[ "$(grep -c '^status 0' out)" -eq 3 ] || fail "what was committed is not what is there"
	expect_no_out rror fatal missing dangling corrupt trouble 'No such file'
	count=$(find one/third/include/uapi -name '*.h' | wc -l)
	[ "$count" -ge 20 ] || fail "there are $count headers only"
	expect_out "^first: made $count" '^second: made 0' '^status 4' '^restored 4'
	for header in $(cd one/third/include/uapi && find . -name '*.h'); do
		cmp "one/third/include/uapi/$header" "one/third/usr/include/$header" || fail "$header is another"
	done
}
