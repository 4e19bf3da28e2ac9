#!/bin/sh
# Builds greeter in two versions and publishes both as people do, in `dist`: a signed APT repository.
set -eu
cd "$(dirname "$0")"
../prerequisites.sh gcc make gnupg apt-utils dpkg-dev

rm -rf dist work
mkdir -p dist/apt/pool work
trap 'rm -rf work' EXIT

# A key of its own, in a keyring of its own.
export GNUPGHOME="$PWD/work/gnupg"
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'Greeter <release@greeter.example>' ed25519 sign never
gpg --batch --quiet --armor --export >dist/key.asc

deb() {
  version=$1
  tree=work/deb-$version
  cp -r source "work/source-$version"
  make -s -C "work/source-$version" VERSION="$version" install DESTDIR="$PWD/$tree"
  mkdir -p "$tree/DEBIAN"
  gzip -9n "$tree/usr/share/man/man1/greeter.1"
  cat >"$tree/DEBIAN/control" <<END
Package: greeter
Version: $version-1
Architecture: $(dpkg --print-architecture)
Maintainer: Greeter <release@greeter.example>
Depends: libc6
Section: utils
Priority: optional
Description: Says hello
 A small program with a library, a service and a configuration, to be released.
END
  echo /etc/greeter.conf >"$tree/DEBIAN/conffiles"
  cat >"$tree/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet greeterd.service
  systemctl restart greeterd.service
fi
END
  cat >"$tree/DEBIAN/prerm" <<'END'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --quiet --now greeterd.service
fi
END
  cat >"$tree/DEBIAN/postrm" <<'END'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
END
  chmod 755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm" "$tree/DEBIAN/postrm"
  (cd "$tree" && find etc usr -type f -exec md5sum {} + >DEBIAN/md5sums)
  dpkg-deb --root-owner-group --build "$tree" "dist/apt/pool/greeter_${version}-1_$(dpkg --print-architecture).deb" >/dev/null
}

deb 1.1.0
deb 1.2.0
(
  cd dist/apt
  architecture=$(dpkg --print-architecture)
  mkdir -p "dists/stable/main/binary-$architecture"
  apt-ftparchive packages pool >"dists/stable/main/binary-$architecture/Packages"
  apt-ftparchive -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=stable \
    -o APT::FTPArchive::Release::Components=main -o "APT::FTPArchive::Release::Architectures=$architecture" \
    release dists/stable >work-release
  mv work-release dists/stable/Release
  gpg --batch --quiet --clearsign --output dists/stable/InRelease dists/stable/Release
)
ls dist/apt/pool
