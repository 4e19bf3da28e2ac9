#!/bin/sh
# Builds greeter in two versions and publishes both as people do, in `dist`: a signed APT repository, a signed RPM
# repository, a signed pacman repository with the PKGBUILD that it is built by, an index of Python packages, and an AppImage.
set -eu
cd "$(dirname "$0")"
../prerequisites.sh gcc make gnupg apt-utils dpkg-dev rpm createrepo-c pacman-package-manager makepkg \
  libarchive-tools fakeroot python3 python3-pip unzip file

rm -rf dist work
mkdir -p dist/apt/pool dist/rpm work
trap 'rm -rf work "${makepkg:-work}"' EXIT

# A key of its own, in a keyring of its own.
export GNUPGHOME="$PWD/work/gnupg"
export GPG_TTY=none     # nobody is asked
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'Greeter <release@greeter.example>' rsa3072 sign never
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
  # A Release file that ends is one that nobody can hold back for ever.
  sed -i "/^Date:/a Valid-Until: $(LC_ALL=C date -u -d '+30 days' '+%a, %d %b %Y %H:%M:%S UTC')" work-release
  mv work-release dists/stable/Release
  gpg --batch --quiet --clearsign --output dists/stable/InRelease dists/stable/Release
)

rpm_() {
  version=$1
  cat >"work/greeter-$version.spec" <<END
Name: greeter
Version: $version
Release: 1
Summary: Says hello
License: MIT
# What the machines that stand in for others have is not in their RPM database.
AutoReqProv: no
Provides: /bin/sh

%description
A small program with a library, a service and a configuration, to be released.

%install
make -s -C "$PWD/work/source-$version" VERSION=$version install DESTDIR=%{buildroot} libdir=/usr/lib
gzip -9n %{buildroot}/usr/share/man/man1/greeter.1

%files
/usr/bin/greeter
/usr/lib/libgreeter.so.1
%config(noreplace) /etc/greeter.conf
/usr/lib/systemd/system/greeterd.service
/usr/share/applications/greeter.desktop
# Nobody else may have these folders, and who has a folder removes it.
%dir /usr/share/applications
%dir /usr/share/icons
%dir /usr/share/icons/hicolor
%dir /usr/share/icons/hicolor/scalable
%dir /usr/share/icons/hicolor/scalable/apps
/usr/share/icons/hicolor/scalable/apps/greeter.svg
/usr/share/man/man1/greeter.1.gz

%post -p /bin/sh
/sbin/ldconfig
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet greeterd.service
  systemctl restart greeterd.service
fi

%preun -p /bin/sh
if [ "\$1" = 0 ] && [ -d /run/systemd/system ]; then systemctl disable --quiet --now greeterd.service; fi
END
  rpmbuild -bb --quiet --define "_topdir $PWD/work/rpmbuild" --define '_build_id_links none' \
    --define "debug_package %{nil}" --define "__os_install_post %{nil}" "work/greeter-$version.spec" >/dev/null
  cp work/rpmbuild/RPMS/*/greeter-"$version"-1.*.rpm dist/rpm
}

rpm_ 1.1.0
rpm_ 1.2.0
# What stands for all that a distro has installed: zypper cannot read a database with nothing in it.
cat >work/distro.spec <<'END'
Name: distro
Version: 1
Release: 1
Summary: Is installed
License: MIT
BuildArch: noarch

%description
Stands for what a distro has installed.

%files
END
rpmbuild -bb --quiet --define "_topdir $PWD/work/rpmbuild" work/distro.spec >/dev/null
cp work/rpmbuild/RPMS/noarch/distro-1-1.noarch.rpm dist/distro.rpm
rpmsign --addsign -D '_gpg_name release@greeter.example' -D '__gpg /usr/bin/gpg' dist/rpm/*.rpm >/dev/null
createrepo_c --quiet dist/rpm
gpg --batch --quiet --armor --detach-sign dist/rpm/repodata/repomd.xml

pkgbuild() {
  version=$1
  folder=$2
  mkdir -p "$folder"
  tar -C work --transform "s/source-$version/greeter-$version/" -czf "$folder/greeter-$version.tar.gz" "source-$version"
  cat >"$folder/PKGBUILD" <<END
pkgname=greeter
pkgver=$version
pkgrel=1
pkgdesc='Says hello'
arch=(x86_64)
license=(MIT)
backup=(etc/greeter.conf)
install=greeter.install
source=(greeter-\$pkgver.tar.gz)
sha256sums=($(sha256sum "$folder/greeter-$version.tar.gz" | cut -d ' ' -f 1))
options=(!debug)

build() {
  make -C "greeter-\$pkgver" clean
  make -C "greeter-\$pkgver" VERSION="\$pkgver"
}

package() {
  make -C "greeter-\$pkgver" VERSION="\$pkgver" DESTDIR="\$pkgdir" install
}
END
  cat >"$folder/greeter.install" <<'END'
post_install() {
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable --quiet greeterd.service
    systemctl restart greeterd.service
  fi
}

post_upgrade() { post_install; }

pre_remove() {
  if [ -d /run/systemd/system ]; then systemctl disable --quiet --now greeterd.service; fi
}

post_remove() {
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
}
END
}

# A repository of pacman has one version of each package. makepkg refuses to be root.
pacman_() {
  version=$1
  pkgbuild_folder=$2
  repository=$3
  mkdir -p "$repository"
  # Not here: whoever root becomes for it may not come in, as in /root.
  makepkg=$(mktemp -d)
  cp -r "$pkgbuild_folder/." "$makepkg"
  (
    cd "$makepkg"
    set -- makepkg -f -d --nocheck
    if [ "$(id -u)" -eq 0 ]; then
      chown -R 65534:65534 .
      set -- setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$PWD" "$@"
    fi
    "$@" >makepkg.log 2>&1 || { cat makepkg.log >&2; exit 1; }
  )
  cp "$makepkg/greeter-$version"-1-*.pkg.tar.* "$repository"
  rm -r "$makepkg"
  (
    cd "$repository"
    set -- ./*.pkg.tar.*
    for package; do gpg --batch --quiet --detach-sign "$package"; done
    repo-add -q -s greeter.db.tar.gz "$@" >repo-add.log 2>&1 || { cat repo-add.log >&2; exit 1; }
    rm repo-add.log
  )
}

pkgbuild 1.1.0 dist/aur-1.1.0
pkgbuild 1.2.0 dist/aur
pacman_ 1.1.0 dist/aur-1.1.0 dist/pacman-1.1.0
pacman_ 1.2.0 dist/aur dist/pacman

python3 wheel.py 1.1.0 dist/pypi
python3 wheel.py 1.2.0 dist/pypi

# The tools for AppImages that can be had from PyPI are for x86_64.
if [ "$(uname -m)" = x86_64 ]; then
  for version in 1.1.0 1.2.0; do
    make -s -C "work/source-$version" VERSION="$version" install DESTDIR="$PWD/work/appimage-$version"
    ./appimage.sh "$PWD/work/appimage-$version" "$version" "$PWD/dist/Greeter-$version-x86_64.AppImage"
  done
fi
ls dist dist/apt/pool dist/rpm dist/aur dist/pacman dist/pypi/greeter
