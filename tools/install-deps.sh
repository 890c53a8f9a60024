#!/bin/sh
# Install what building and testing needs (Debian 12 package names).
set -eu
packages="gcc make meson ninja-build pkg-config git scdoc clang clang-format
	libclang-rt-14-dev libcmocka-dev libjansson-dev libdw-dev libelf-dev
	binutils binutils-dev binutils-multiarch libiberty-dev libpcre2-dev
	libxxhash-dev python3 qemu-system-x86 xz-utils zstd
	zlib1g-dev libzstd-dev libsqlite3-dev libssl-dev cpio qemu-system-arm gcc-aarch64-linux-gnu
	libc6-dev-arm64-cross"
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
