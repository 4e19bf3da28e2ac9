#!/bin/sh
# Makes a guest that is up in three seconds without any acceleration, of Debian's packages: a kernel, BusyBox, an ssh server
# and an init of a few lines. Leaves `vmlinuz`, `initrd` and `disk.img` (which boots the two by BIOS) in the folder that is
# named, unless they are there already. Nothing is installed.
set -eu
key=$(cksum <"$0")
mkdir -p "$1"
out=$(cd "$1" && pwd)
exec 9>"$out/lock"
flock 9
[ "$(cat "$out/made-by" 2>/dev/null)" != "$key" ] || exit 0
rm -f "$out/made-by"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The meta package names the kernel's own.
kernel=$(apt-cache depends --important linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$kernel" ] || { echo "apt-cache knows no kernel: run 'apt-get update'" >&2; exit 1; }
apt-get download -q "$kernel" busybox-static dropbear-bin syslinux syslinux-common mtools \
  libc6 libcrypt1 libtomcrypt1 libtommath1 libgmp10 zlib1g >download.log 2>&1 || { cat download.log >&2; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" all; done
cp all/boot/vmlinuz-* "$out/vmlinuz"

mkdir -p root/bin root/dev root/etc root/lib64 root/lib/modules root/mnt root/proc root/root/.ssh root/run root/sys root/tmp
cp all/bin/busybox root/bin
ln -s busybox root/bin/sh
libraries=all/lib/x86_64-linux-gnu:all/usr/lib/x86_64-linux-gnu
loader=all/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
for program in dropbear dropbearconvert; do
  file=$(find all/usr -name "$program" -type f -perm -100)
  cp "$file" root/bin
  for library in $(LD_LIBRARY_PATH=$libraries "$loader" --list "$file" | sed -n 's/.*=> \([^ ]*\) .*/\1/p'); do
    cp -L "$library" root/lib
  done
done
cp -L "$loader" root/lib64
echo root:x:0:0:root:/root:/bin/sh >root/etc/passwd
echo root:x:0: >root/etc/group
# In the order in which they need each other.
modules="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net
  virtio_blk virtio_console nls_cp437 nls_ascii fat vfat"
for module in $modules; do
  file=$(find all/lib/modules -name "$module.ko")
  [ -z "$file" ] || cp "$file" root/lib/modules
done
echo $modules >root/lib/modules/order

cat >root/init <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
echo "tiny: up"
case $(cat /proc/cmdline) in
  *tiny=panic*) echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger ;;
  *tiny=off*) poweroff -f ;;
  *tiny=emergency*) echo 'You are in emergency mode. After logging in, type "journalctl -xb" to view' ;;
  *tiny=flood*) yes 'a line that never ends' | head -c 400000 ;;
  *tiny=serve*)
    # The keys are in the seed for cloud-init, which is the second disk.
    mount -t sysfs sys /sys
    mkdir /dev/pts
    mount -t devpts pts /dev/pts
    for module in $(cat /lib/modules/order); do
      file=/lib/modules/$module.ko
      [ ! -e "$file" ] || insmod "$file"
    done
    ip link set lo up
    ip address add 10.0.2.15/24 dev eth0
    ip link set eth0 up
    ip route add default via 10.0.2.2
    mount -t vfat -o ro /dev/vdb1 /mnt
    grep -o 'ssh-ed25519 [^"]*' /mnt/user-data | tail -n 1 >/root/.ssh/authorized_keys
    sed -n '/BEGIN OPENSSH/,/END OPENSSH/s/^ *//p' /mnt/user-data >/tmp/key
    umount /mnt
    dropbearconvert openssh dropbear /tmp/key /tmp/host 2>/dev/null
    chmod 700 /root /root/.ssh
    dropbear -r /tmp/host -s -j -k
    ;;
esac
# A guest that lacks what most have.
case $(cat /proc/cmdline) in *tiny-without-run*) rmdir /run ;; esac
# What the command `reboot` tells the first process.
trap 'reboot -f' TERM
while :; do sleep 3600 & wait $!; done
END
chmod 755 root/init
(cd root && find . | ./bin/busybox cpio -o -H newc 2>/dev/null) >"$out/initrd"

# A disk without partitions: its first sector is the boot loader's.
cat >syslinux.cfg <<'END'
DEFAULT tiny
LABEL tiny
  KERNEL vmlinuz
  INITRD initrd
  APPEND console=ttyS0 quiet nokaslr mitigations=off no_timer_check cryptomgr.notests tiny=serve
END
echo mtools_skip_check=1 >mtools.conf
export MTOOLSRC="$work/mtools.conf" PATH="$work/all/usr/bin:$PATH"
rm -f "$out/disk.img"
truncate -s 48M "$out/disk.img"
mformat -i "$out/disk.img" -F ::
mcopy -i "$out/disk.img" "$out/vmlinuz" "$out/initrd" syslinux.cfg ::
syslinux --install "$out/disk.img"
echo "$key" >"$out/made-by"
