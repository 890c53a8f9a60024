#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Images mounted and asynchronous I/O, by programs: filesystems.py BUGON

In UML and in QEMU: each call of programs/*.prog succeeds, and the coverage has
functions of fs/bcachefs, fs/ext4, io_uring and fs/aio.c.  Exit 77 without the
kernels and images of ../shared/kernel.
"""
import bisect
import json
import os
import subprocess
import sys
import tempfile

from vmtest import HERE, bugon, check, kernel, skip

PROGRAMS = [f"{HERE}/programs/{name}.prog"
            for name in ("ext4", "bcachefs", "async_io")]
# What at least must be seen, of each file or directory.
FUNCTIONS = {
    "fs/ext4": {"ext4_fill_super", "ext4_create", "ext4_sync_file"},
    "fs/bcachefs": {"bch2_fs_get_tree", "bch2_create", "bch2_fsync"},
    "io_uring": {"io_uring_setup", "io_submit_sqes", "io_nop"},
    "fs/aio.c": {"io_submit_one", "aio_read"},
}


def functions(vmlinux, pcs):
    """The names of the functions of the addresses."""
    nm = subprocess.run(["nm", "-n", vmlinux], text=True, check=True,
                        stdout=subprocess.PIPE).stdout
    names, addresses = [], []
    for line in nm.splitlines():
        fields = line.split()  # undefined ones have no address
        if len(fields) == 3 and fields[1] in "tT":
            addresses.append(int(fields[0], 16))
            names.append(fields[2].split(".")[0])
    return {names[bisect.bisect_right(addresses, pc) - 1] for pc in pcs}


def images():
    shared = f"{HERE}/../../../shared/kernel/images"
    for name in "ext4-journal", "bcachefs-new":
        if subprocess.run(["zstd", "-dqf", f"{shared}/{name}.img.zst", "-o",
                           f"{name}.img"]).returncode:
            skip("no images or no zstd")
        yield from ("--file", f"{name}.img")


def run_on(program, machine, image, vmlinux):
    r = bugon(program, "run", "--json", "--kernel", image, "--cover", "pcs",
              *images(), *PROGRAMS, timeout=600)
    if r.returncode == 77:
        print(f"skipped: {machine}: {r.stderr}")
        return False
    check(f"{machine}: ran", r.returncode == 0, r.stderr == "")
    for run in json.loads(r.stdout):
        name = os.path.basename(run["program"])
        failed = [c["call"] for c in run["calls"]
                  if not c["returned"] or c["errno"] or not c["pcs"]]
        check(f"{machine}: {name}: every call succeeds and is covered",
              not failed, not run["crashes"])
        print("#", sum(c["blocks"] for c in run["calls"]), "blocks")
    with open("pcs") as f:
        seen = functions(vmlinux, {int(line, 16) for line in f})
    print(f"# {len(seen)} functions")
    for where, wanted in FUNCTIONS.items():
        missing = wanted - seen
        check(f"{machine}: {where}: {missing or 'covered'}", not missing)
    return True


def main():
    program = os.path.abspath(sys.argv[1])
    uml, x86 = kernel("uml-6.17/linux"), kernel("x86-6.12/bzImage")
    if not uml or not x86:
        skip("no kernels in ../shared/kernel")
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        done = run_on(program, "uml", uml, uml)
        done |= run_on(program, "qemu", x86, kernel("x86-6.12/vmlinux"))
        os.chdir("/")
    sys.exit(0 if done else 77)


main()
