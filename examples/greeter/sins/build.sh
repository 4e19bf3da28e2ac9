#!/bin/sh
# Makes variants of greeter, each the good release (../build.sh) with one sin, in `dist`: what matrix.yaml expects to be
# found.
set -eu
cd "$(dirname "$0")"
../build.sh >/dev/null
good=../dist
architecture=$(dpkg --print-architecture)
rm -rf dist work
mkdir -p dist work
trap 'rm -rf work' EXIT

# `sin NAME [VERSION]`: the good Debian package, patched by the commands on standard input, which have its tree as
# their folder.
sin() {
  name=$1
  tree=work/$name
  dpkg-deb -R "$good/apt/pool/greeter_${2:-1.2.0}-1_$architecture.deb" "$tree"
  (cd "$tree" && sh -eu /dev/stdin)
  (cd "$tree" && find etc usr -type f -exec md5sum {} + >DEBIAN/md5sums)
  dpkg-deb --root-owner-group --build "$tree" "dist/$name.deb" >/dev/null
}

# Sins that show once it is installed.
sin missing-library <<'END'
rm usr/lib/libgreeter.so.1
END
sin new-glibc <<'END'
# As if it were built on a distro of the future.
LC_ALL=C sed -i 's/GLIBC_2\.34/GLIBC_2.99/' usr/bin/greeter
END
sin failing-postinst <<'END'
echo 'exit 3' >>DEBIAN/postinst
END
sin quiet-postinst <<'END'
# The service cannot start, and nobody is told.
sed -i 's/--serve 7007/--sing/; s/^DynamicUser.*/Type=notify/' usr/lib/systemd/system/greeterd.service
sed -i 's/^  systemctl restart .*/& || true/' DEBIAN/postinst
END
sin changed-file <<'END'
echo 'echo "# set up" >>/usr/share/applications/greeter.desktop' >>DEBIAN/postinst
END
sin world-writable <<'END'
chmod 666 usr/share/applications/greeter.desktop
END
sin setuid <<'END'
chmod 4755 usr/bin/greeter
END
sin desktop-starts-nothing <<'END'
sed -i 's/^Exec=.*/Exec=greeter-gui %f/' usr/share/applications/greeter.desktop
END
sin desktop-without-name <<'END'
sed -i '/^Name=/d' usr/share/applications/greeter.desktop
END
sin unit-starts-nothing <<'END'
sed -i 's|^ExecStart=/usr/bin/greeter|ExecStart=/usr/libexec/greeter|' usr/lib/systemd/system/greeterd.service
sed -i '/systemctl restart/d' DEBIAN/postinst
END
sin wrong-architecture <<'END'
case $(dpkg --print-architecture) in amd64) other=arm64 ;; *) other=amd64 ;; esac
sed -i "s/^Architecture: .*/Architecture: $other/" DEBIAN/control
END
sin unknown-dependency <<'END'
sed -i 's/^Depends: .*/&, libgreeting9 (>= 2)/' DEBIAN/control
END
sin another-version <<'END'
sed -i 's/^Version: .*/Version: 1.2.1-1/' DEBIAN/control
END
sin conflict <<'END'
cp usr/bin/greeter usr/bin/env
END

# Sins that show when it is removed.
sin left-data <<'END'
sed -i '2a mkdir -p /var/lib/greeter; echo 1 >/var/lib/greeter/count' DEBIAN/postinst
END
sin left-log <<'END'
sed -i '2a echo started >/var/log/greeter.log' DEBIAN/postinst
END
sin left-user <<'END'
sed -i '2a useradd --create-home --shell /bin/sh greeter' DEBIAN/postinst
END
sin left-alternative <<'END'
sed -i '2a update-alternatives --quiet --install /usr/local/bin/hello hello /usr/bin/greeter 10' DEBIAN/postinst
END
sin left-enabled <<'END'
# The service is stopped, and stays enabled: a link that leads nowhere.
sed -i 's/disable --quiet --now/stop/' DEBIAN/prerm
END
sin left-running <<'END'
rm DEBIAN/prerm
echo 'systemctl disable --quiet greeterd.service || true' >>DEBIAN/postrm
END
sin changed-for-all <<'END'
sed -i '2a echo "PATH=$PATH:/opt/greeter" >>/etc/profile' DEBIAN/postinst
END
sin removed-of-others <<'END'
sed -i '2a rm -f /etc/issue.net' DEBIAN/postrm
END
sin failing-prerm <<'END'
echo 'exit 1' >>DEBIAN/prerm
END
sin left-diversion <<'END'
sed -i '2a dpkg-divert --quiet --package greeter --no-rename --divert /usr/bin/hello.real --add /usr/bin/hello' DEBIAN/postinst
END

# Sins that show when it is upgraded.
sin prompt-1.1.0 1.1.0 <<'END'
echo 'echo "host = $(hostname)" >>/etc/greeter.conf' >>DEBIAN/postinst
END
sin prompt <<'END'
echo '# See greeter(1).' >>etc/greeter.conf
END
cp "$good/apt/pool/greeter_1.1.0-1_$architecture.deb" dist/good-1.1.0.deb
sin lost-settings <<'END'
sed -i '2a printf "# Whom to greet.\\nname = world\\n" >/etc/greeter.conf' DEBIAN/postinst
END

# Sins of repositories.
GNUPGHOME=$PWD/work/gnupg
export GNUPGHOME GPG_TTY=none
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'Greeter <release@greeter.example>' rsa3072 sign never
gpg --batch --quiet --armor --export >dist/key.asc

# `repository NAME [LINE]`: the good packages, with the line in the Release file, signed by this script's key.
repository() {
  folder=dist/$1
  cp -r "$good/apt" "$folder"
  rm "$folder/dists/stable/InRelease"
  if [ $# -gt 1 ]; then sed -i "s/^Valid-Until: .*/$2/" "$folder/dists/stable/Release"; fi
  gpg --batch --quiet --clearsign --output "$folder/dists/stable/InRelease" "$folder/dists/stable/Release"
}

cp -r "$good/apt" dist/wrong-key
repository unsigned
rm dist/unsigned/dists/stable/InRelease
repository tampered-index
echo >>"dist/tampered-index/dists/stable/main/binary-$architecture/Packages"
repository tampered-package
echo >>"dist/tampered-package/pool/greeter_1.2.0-1_$architecture.deb"
repository expired "Valid-Until: Thu, 01 Jan 2026 00:00:00 UTC"
repository never-expires "Suite: stable"
repository lost-package
rm "dist/lost-package/pool/greeter_1.2.0-1_$architecture.deb"

# `newest NAME [FILE]`: a repository whose newest package is FILE, or 1.1.0.
newest() {
  folder=dist/$1
  repository "$1" "Suite: stable"
  rm "$folder/pool/greeter_1.2.0-1_$architecture.deb" "$folder"/dists/stable/InRelease
  if [ $# -gt 1 ]; then cp "$2" "$folder/pool/greeter_1.2.0-1_$architecture.deb"; fi
  (
    cd "$folder"
    apt-ftparchive packages pool >"dists/stable/main/binary-$architecture/Packages"
    sed -i '/^MD5Sum:/,$d' dists/stable/Release
    apt-ftparchive release dists/stable | sed -n '/^MD5Sum:/,$p' >>dists/stable/Release
    gpg --batch --quiet --clearsign --output dists/stable/InRelease dists/stable/Release
  )
}
newest no-newer
newest broken-upgrade dist/missing-library.deb

# The same of other package managers: the good packages, signed by this script's key, and then what is wrong with them.
spoil() {
  dd if=/dev/zero of="$1" bs=1 seek="$(($(wc -c <"$1") / 2))" count=8 conv=notrunc 2>/dev/null
}

cp -r "$good/rpm" work/rpm
rpmsign --resign -D '_gpg_name release@greeter.example' -D '__gpg /usr/bin/gpg' work/rpm/*.rpm >/dev/null
cp -r work/rpm dist/rpm-unsigned-package
rpmsign --delsign dist/rpm-unsigned-package/*.rpm >/dev/null
for folder in work/rpm dist/rpm-unsigned-package; do
  rm -r "$folder/repodata"
  createrepo_c --quiet "$folder"
  gpg --batch --quiet --armor --detach-sign "$folder/repodata/repomd.xml"
done
for sin in unsigned tampered-index tampered-package lost-package no-newer; do cp -r work/rpm "dist/rpm-$sin"; done
rm -r dist/rpm-no-newer/repodata dist/rpm-no-newer/greeter-1.2.0-1.*.rpm
createrepo_c --quiet dist/rpm-no-newer
gpg --batch --quiet --armor --detach-sign dist/rpm-no-newer/repodata/repomd.xml
cp -r "$good/rpm" dist/rpm-wrong-key
rm dist/rpm-unsigned/repodata/repomd.xml.asc
for file in dist/rpm-tampered-index/repodata/*primary.*; do spoil "$file"; done
for file in dist/rpm-tampered-package/greeter-1.2.0-1.*.rpm; do spoil "$file"; done
rm dist/rpm-lost-package/greeter-1.2.0-1.*.rpm

mkdir work/pacman
cp "$good"/pacman/*.pkg.tar.gz work/pacman
(
  cd work/pacman
  for package in *.pkg.tar.gz; do gpg --batch --quiet --detach-sign "$package"; done
  repo-add -q -s greeter.db.tar.gz ./*.pkg.tar.gz >../repo-add.log 2>&1 || { cat ../repo-add.log >&2; exit 1; }
)
for sin in unsigned tampered-index tampered-package lost-package; do cp -r work/pacman "dist/pacman-$sin"; done
cp -r "$good/pacman" dist/pacman-wrong-key
cp -r "$good/pacman-1.1.0" dist/pacman-no-newer
rm dist/pacman-unsigned/*.sig
spoil dist/pacman-tampered-index/greeter.db.tar.gz
spoil dist/pacman-tampered-package/greeter-1.2.0-1-x86_64.pkg.tar.gz
rm dist/pacman-lost-package/greeter-1.2.0-1-x86_64.pkg.tar.gz

# A script of an RPM package that fails is told in a line of output, and dnf ends with 0.
rpmbuild_sin() {
  cat >work/sin.spec <<END
Name: greeter
Version: 1.2.0
Release: 1
Summary: Says hello
License: MIT
AutoReqProv: no
Provides: /bin/sh
BuildArch: noarch

%description
A small program, to be released.

%install
mkdir -p %{buildroot}/usr/bin
printf '#!/bin/sh\necho "greeter 1.2.0"\n' >%{buildroot}/usr/bin/greeter
chmod 755 %{buildroot}/usr/bin/greeter

%files
/usr/bin/greeter

$1
END
  rpmbuild -bb --quiet --define "_topdir $PWD/work/rpmbuild" --define '_build_id_links none' work/sin.spec >/dev/null
}
rpmbuild_sin "$(printf '%%post -p /bin/sh\nexit 3\n')"
cp work/rpmbuild/RPMS/noarch/greeter-1.2.0-1.noarch.rpm dist/quiet-post.rpm

# A wheel that needs what is not there, and one for other machines.
python3 wheels.py dist
mkdir dist/wheel-no-newer
cp "$good"/pypi/greeter/greeter-1.1.0-*.whl dist/wheel-no-newer
ls dist
