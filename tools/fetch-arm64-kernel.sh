#!/bin/sh
# fetch-arm64-kernel.sh DIR - Debian's arm64 kernel for the tests, as DIR/vmlinuz
# (and config): 30 MB to download, seconds.  Needs neither root nor a foreign
# architecture in dpkg: apt works with a state of its own, on the suite and the
# mirrors that this machine uses.
set -eu
dir=$1
[ ! -e "$dir/vmlinuz" ] || exit 0
mkdir -p "$dir"
tmp=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$tmp/state/lists/partial" "$tmp/cache/archives/partial"
: >"$tmp/status"
cat >"$tmp/apt.conf" <<END
Dir::State "$tmp/state";
Dir::State::status "$tmp/status";
Dir::Cache "$tmp/cache";
Dir::Etc::sourcelist "$tmp/sources.list";
Dir::Etc::sourceparts "-";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
END
. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null |
	grep -E '/debian/?$' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
	"${mirror:-http://deb.debian.org/debian} $VERSION_CODENAME main" >"$tmp/sources.list"
export APT_CONFIG="$tmp/apt.conf"
apt-get -qq update
package=$(apt-cache depends linux-image-cloud-arm64 |
	sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
(cd "$tmp" && apt-get -qq download "$package")
dpkg-deb -x "$tmp"/linux-image-*.deb "$tmp/x"
mv "$tmp"/x/boot/config-* "$dir/config"
mv "$tmp"/x/boot/vmlinuz-* "$dir/vmlinuz" # last: it says that all is there
