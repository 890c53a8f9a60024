#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A program and its C do the same: prog_c.py BUGON

Runs programs in User Mode Linux, and then what "bugon prog c --print" makes of
each; every call ends with the same errno.  `--all` takes all programs of
tests/sys and only counts.  Exit 77 without the kernels and images of
../shared/kernel.
"""
import base64
import errno
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib

from vmtest import HERE, SYS, bugon, check, kernel, skip

OURS = os.path.normpath(f"{HERE}/../../sys/linux")
FILES = r"""r0 = openat(0xffffffffffffff9c, &AUTO='./a\x00', 0x42, 0x1a4)
write(r0, &AUTO="0102030405", 0x5)
pread64(r0, &AUTO=""/8, 0x8, 0x1)
openat(0xffffffffffffff9c, &AUTO='./none\x00', 0x0, 0x0)
openat(0xffffffffffffff9c, &AUTO='./a\x00', 0xc2, 0x1a4)
mkdirat(0xffffffffffffff9c, &AUTO='./d\x00', 0x1ff)
renameat2(0xffffffffffffff9c, &AUTO='./a\x00', 0xffffffffffffff9c, &AUTO='./d\x00', 0x1)
ftruncate(r0, 0x2)
close(r0)
close(r0)
"""
PIPE = r"""pipe2(&AUTO={<r0=>0x0, <r1=>0x0}, 0x800)
read(r0, &AUTO=""/4, 0x4)
write(r1, &AUTO="616263", 0x3)
read(r0, &AUTO=""/4, 0x4)
read(r1, &AUTO=""/4, 0x4)
close(r0)
dup(r0)
"""
MOUNT = r"""r0 = syz_mount_image$ext4(&AUTO='ext4\x00', &AUTO='./m\x00', 0x0, &AUTO, 0x1, {0}, &AUTO="${1}")
r1 = openat(r0, &AUTO='new\x00', 0x42, 0x1a4)
write(r1, &AUTO='hello', 0x5)
fsync(r1)
openat(0xffffffffffffff9c, &AUTO='./new\x00', 0x0, 0x0)
openat(r0, &AUTO='other\x00', 0x0, 0x0)
"""
LINE = re.compile(r"^call (\d+) = (-?\d+) (\d+)$", re.M)


def programs():
    """(path, descriptions) of those that are compared."""
    for name, text in ("files", FILES), ("pipe", PIPE):
        with open(f"{name}.prog", "w") as f:
            f.write(text)
        yield f"{name}.prog", OURS
    r = subprocess.run(
        ["zstd", "-dqc", f"{HERE}/../../../shared/kernel/images/"
         "ext4-journal.img.zst"], stdout=subprocess.PIPE)
    if r.returncode:
        skip("no images or no zstd")
    packed = base64.b64encode(zlib.compress(r.stdout)).decode()
    with open("mount.prog", "w") as f:
        f.write(MOUNT.format(hex(len(r.stdout)), packed))
    yield "mount.prog", OURS
    for name in "async_io", "network", "devices":
        yield f"{HERE}/programs/{name}.prog", SYS
    for name in "io_uring", "vnet", "socket_udp", "image_part_table":
        yield f"{HERE}/../sys/{name}.prog", OURS


def as_program(program, where, kernels, path):
    """Each call and its errno, None when it did not return."""
    r = bugon(program, "run", "--json", "--kernel", kernels, "--coverage",
              "none", "--descriptions", where, path, timeout=300)
    if r.returncode == 77:
        skip(r.stderr)
    if r.returncode:
        sys.exit(f"{path}: {r.stderr}")
    calls = json.loads(r.stdout)[0]["calls"]
    return [(c["call"], c["errno"] if c["returned"] else None) for c in calls]


def as_c(program, where, kernels, path):
    name = os.path.basename(path).replace(".prog", ".c")
    r = bugon(program, "prog", "c", "--print", "-d", where, path)
    if r.returncode:
        sys.exit(f"{path}: {r.stderr}")
    with open(name, "w") as f:
        f.write(r.stdout)
    r = bugon(program, "run", "--kernel", kernels, "--shell", name,
              timeout=300)
    if r.returncode:
        sys.exit(f"{name}: {r.stderr}")
    return {int(n): int(err) for n, _, err in LINE.findall(r.stdout)}


def name_of(err):
    return "none" if err is None else errno.errorcode.get(err, str(err))


def main():
    program = os.path.abspath(sys.argv[1])
    uml = kernel("uml-6.17/linux")
    if not uml:
        skip("no kernels in ../shared/kernel")
    compared = same = 0
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        jobs = ([(p, OURS) for p in sorted(glob.glob(f"{HERE}/../sys/*.prog"))]
                if "--all" in sys.argv else list(programs()))
        for path, where in jobs:
            want = as_program(program, where, uml, path)
            have = as_c(program, where, uml, path)
            bad = [f"{call[:60]}: {name_of(err)}, as C "
                   f"{name_of(have.get(i))}"
                   for i, (call, err) in enumerate(want)
                   if err != have.get(i)]
            compared += len(want)
            same += len(want) - len(bad)
            if bad:
                print(*bad, sep="\n")
            check(f"{os.path.basename(path)}: {len(want)} calls, each with the "
                  "same errno", want, not bad or "--all" in sys.argv)
        os.chdir("/")
    print(f"# {compared} calls, {same} with the same errno")


main()
