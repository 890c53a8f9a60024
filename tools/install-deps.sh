#!/bin/sh
# Install what building and testing needs (Debian 12 package names).
set -eu
packages="gcc make meson ninja-build pkg-config git scdoc clang clang-format
	libclang-rt-14-dev libcmocka-dev libjansson-dev libdw-dev libelf-dev
	binutils binutils-dev binutils-multiarch libiberty-dev libpcre2-dev libxxhash-dev zlib1g-dev libssl-dev python3
	xz-utils cpio zstd"
missing=
for p in $packages; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -q
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qy --no-install-recommends $missing
