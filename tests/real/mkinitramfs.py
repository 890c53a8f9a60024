#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mkinitramfs.py OUT NAME=FILE... - an uncompressed initramfs (cpio, newc).

Every FILE becomes /NAME (mode 0755); /dev/console is added, because the
kernel opens it before /init can mount anything. No root needed, and the same
input gives the same bytes.
"""
import stat
import sys


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def entry(ino, name, mode, data=b"", rdev=(0, 0)):
    # c_magic, then 13 fields of 8 hex digits: see cpio(5), "New ASCII Format".
    name = name.encode() + b"\0"
    fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields)
    return pad(head + name) + pad(data)


def main(out, files):
    entries = [("dev", stat.S_IFDIR | 0o755, b"", (0, 0)),
               ("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))]
    for item in files:
        name, path = item.split("=", 1)
        with open(path, "rb") as f:
            entries.append((name, stat.S_IFREG | 0o755, f.read(), (0, 0)))
    with open(out, "wb") as f:
        for ino, (name, mode, data, rdev) in enumerate(entries, 1):
            f.write(entry(ino, name, mode, data, rdev))
        f.write(entry(0, "TRAILER!!!", 0))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
