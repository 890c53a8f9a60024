#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs do by pseudo-calls and otherwise: filesystems.py BUGON

In UML and in QEMU: images mounted, asynchronous I/O, TCP through a tap device,
generic netlink.  Each call succeeds, and the coverage has the functions that
belong to it.  Exit 77 without the kernels and images of ../shared/kernel.
"""
import base64
import bisect
import json
import os
import subprocess
import sys
import tempfile
import zlib

from vmtest import HERE, bugon, check, kernel, skip

PROGRAMS = [f"{HERE}/programs/{name}.prog"
            for name in ("async_io", "network", "devices")]
MOUNT = r"""r0 = syz_mount_image(&AUTO='{0}\x00', &AUTO='./m\x00', 0x0, 0x0, 0x1, {1}, &AUTO="${2}")
r1 = openat(r0, &AUTO='new\x00', 0x42, 0x1a4)
write(r1, &AUTO='hello', 0x5)
fsync(r1)
openat(0xffffffffffffff9c, &AUTO='./new\x00', 0x0, 0x0)
"""
# Done without the kernel, but for page faults.
NO_KERNEL = ("syz_io_uring_submit", "syz_io_uring_complete", "syz_memcpy_off")
# What at least must be seen, of each file or directory.
FUNCTIONS = {
    "fs/ext4": {"ext4_fill_super", "ext4_create", "ext4_sync_file"},
    "fs/bcachefs": {"bch2_fs_get_tree", "bch2_create", "bch2_fsync"},
    "io_uring": {"io_uring_setup", "io_submit_sqes", "io_nop"},
    "net/ipv4": {"tcp_v4_rcv", "tcp_conn_request", "tcp_check_req",
                 "inet_csk_accept"},
    "drivers/net/tun.c": {"tun_chr_write_iter", "tun_get_user"},
    "net/netlink": {"genl_rcv", "ctrl_getfamily"},
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


def mounts():
    shared = f"{HERE}/../../../shared/kernel/images"
    for fs, name in ("ext4", "ext4-journal"), ("bcachefs", "bcachefs-new"):
        r = subprocess.run(["zstd", "-dqc", f"{shared}/{name}.img.zst"],
                           stdout=subprocess.PIPE)
        if r.returncode:
            skip("no images or no zstd")
        packed = base64.b64encode(zlib.compress(r.stdout)).decode()
        with open(f"{fs}.prog", "w") as f:
            f.write(MOUNT.format(fs, hex(len(r.stdout)), packed))
        yield f"{fs}.prog"


def run_on(program, machine, image, vmlinux):
    r = bugon(program, "run", "--json", "--kernel", image, "--cover", "pcs",
              *mounts(), *PROGRAMS, timeout=600)
    if r.returncode == 77:
        print(f"skipped: {machine}: {r.stderr}")
        return False
    check(f"{machine}: ran", r.returncode == 0, r.stderr == "")
    for run in json.loads(r.stdout):
        name = os.path.basename(run["program"])
        failed = [c["call"] for c in run["calls"]
                  if not c["returned"] or c["errno"] or
                  (not c["pcs"] and not any(x in c["call"] for x in NO_KERNEL))]
        check(f"{machine}: {name}: every call succeeds and is covered",
              not failed or print(failed), not run["crashes"],
              not run["unsupported"])
        print("#", sum(c["blocks"] for c in run["calls"]), "blocks")
    with open("pcs") as f:
        seen = functions(vmlinux, {int(line, 16) for line in f})
    print(f"# {len(seen)} functions")
    for where, wanted in FUNCTIONS.items():
        missing = wanted - seen
        check(f"{machine}: {where}: {missing or 'covered'}", not missing)
    return True


def sandboxed(program, machine, image, sandbox):
    """The tap device is there for nobody, and for root of a namespace."""
    r = bugon(program, "run", "--json", "--kernel", image, "--sandbox", sandbox,
              f"{HERE}/programs/network.prog", timeout=300)
    calls = [c["errno"] for x in json.loads(r.stdout or "[]")
             for c in x["calls"]]
    check(f"{machine}: a network in the sandbox {sandbox}",
          r.returncode == 77 or (calls and not any(calls)))


def main():
    program = os.path.abspath(sys.argv[1])
    uml, x86 = kernel("uml-6.17/linux"), kernel("x86-6.12/bzImage")
    if not uml or not x86:
        skip("no kernels in ../shared/kernel")
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        done = run_on(program, "uml", uml, uml)
        done |= run_on(program, "qemu", x86, kernel("x86-6.12/vmlinux"))
        sandboxed(program, "uml", uml, "setuid")
        sandboxed(program, "qemu", x86, "namespace")
        os.chdir("/")
    sys.exit(0 if done else 77)


main()
