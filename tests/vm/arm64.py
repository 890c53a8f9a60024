#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon run with an arm64 guest: arm64.py BUGON ROOT

Needs qemu-system-aarch64, the cross-compiled executor, and Debian's kernel,
which tools/fetch-arm64-kernel.sh brings into a cache; else exit 77.
"""
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import vmtest
from vmtest import check, skip

BUGON, ROOT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
CACHE = "/tmp/bugon-cache/arm64-debian"
PROGRAM = r"""
r0 = openat(0xffffffffffffff9c, &AUTO='/proc/version\x00', 0x0, 0x0)
r1 = read(r0, &AUTO=""/64, 0x40)
r2 = memfd_create(&AUTO='x\x00', 0x0)
write(r2, &AUTO='hello', 0x5)
lseek$number(r2, r1, 0x0)
pipe2(&AUTO={<r3=>0xffffffffffffffff, <r4=>0xffffffffffffffff}, 0x0)
write(r4, &AUTO='x', 0x1)
close(0x4d)
"""
CRASH = r"""
r0 = openat(0xffffffffffffff9c, &AUTO='/proc/sysrq-trigger\x00', 0x1, 0x0)
write(r0, &AUTO='c', 0x1)
"""
# Interrupts off, for good: kernel/reboot.c.
HALT = "reboot(0xfee1dead, 0x28121969, 0xcdef0123, 0x0)\n"
SOURCE = r"""
#include <stdio.h>
#include <sys/utsname.h>
int main(int argc, char **argv)
{
	struct utsname u;

	uname(&u);
	printf("%s says %s\n", u.machine, argv[1]);
	return 3;
}
"""
TITLE = "kernel panic: sysrq triggered crash"


def bugon(kernel, *args, env=None):
    r = vmtest.bugon(BUGON, "run", "--kernel", kernel, *args, env=env,
                     timeout=300)
    if r.returncode not in (0, 1, 77):
        print(r.stdout, r.stderr)
    return r


def need():
    """The kernel, or skip."""
    executor = os.environ.get("BUGON_EXECUTOR_ARM64",
                              f"{os.path.dirname(BUGON)}/executor-arm64")
    if not os.path.exists(executor):
        skip("no executor-arm64: apt install gcc-aarch64-linux-gnu "
             "libc6-dev-arm64-cross")
    if not shutil.which("qemu-system-aarch64"):
        skip("apt install qemu-system-arm")
    kernel = os.environ.get("BUGON_ARM64_KERNEL")
    if not kernel:
        kernel = f"{CACHE}/vmlinuz"
        r = subprocess.run([f"{ROOT}/tools/fetch-arm64-kernel.sh", CACHE],
                           text=True, capture_output=True, timeout=300)
        if r.returncode:
            skip(f"no arm64 kernel: {r.stderr.strip().splitlines()[-1:]}")
    return kernel


def zboot(kernel, name, how, payload):
    """An EFI zboot image of it, as far as its header goes."""
    pe = b"PE\0\0" + struct.pack("<H", 0xaa64) + bytes(58)
    head = struct.pack("<4s4sII8x8s", b"MZ\0\0", b"zimg", 0x80, len(payload),
                       how)
    head += bytes(0x3c - len(head)) + struct.pack("<I", 0x40) + pe
    with open(name, "wb") as f:
        f.write(head + payload + struct.pack("<I", os.path.getsize(kernel)))


def programs(kernel):
    with open("a.prog", "w") as f:
        f.write(PROGRAM)
    start = time.time()
    r = bugon(kernel, "--json", "a.prog")
    check("program", r.returncode == 0)
    run, = json.loads(r.stdout)
    print(f"# {time.time() - start:.1f} s in all, boot {run['boot_ms']} ms")
    ret = [c["ret"] for c in run["calls"]]
    check("calls", run["machine"].startswith("qemu arm64"),
          ret[0] >= 0, ret[1] > 0, ret[3] == 5, ret[4] == ret[1], ret[5] == 0,
          ret[6] == 1, run["calls"][7]["errno"] == 9)
    with open("x.c", "w") as f:
        f.write(SOURCE)
    r = bugon(kernel, "--link", "serial", "--shell", "x.c", "hello")
    check("C program", r.returncode == 0,
          r.stdout == "aarch64 says hello\n", "status 3" in r.stderr,
          "link: serial line" in r.stderr)
    r = bugon(kernel, "--shell", "/bin/true")
    check("for another processor", r.returncode == 1,
          "not for arm64" in r.stderr)


def crashes(kernel):
    with open("crash.prog", "w") as f:
        f.write(CRASH)
    r = bugon(kernel, "--json", "--repeat", "3", "a.prog", "crash.prog")
    runs = json.loads(r.stdout)
    check("crash", [len(x["crashes"]) for x in runs] == [0, 1] * 3,
          all(x["crashes"][0]["title"] == TITLE for x in runs[1::2]))
    ms = [x["boot_ms"] for x in runs]
    print(f"# restored in {ms[0]}, {ms[2]} and {ms[4]} ms")
    check("back to work", all(x["calls"][3]["ret"] == 5 for x in runs[::2]))


def silence(kernel):
    with open("halt.prog", "w") as f:
        f.write(HALT)
    r = bugon(kernel, "--timeout", "1", "halt.prog")
    check("silence", r.returncode == 0, "guest hangs" in r.stderr,
          "PC=ffff" in r.stdout, "X29=ffff" in r.stdout,
          "Call trace:\n [<ffff" in r.stdout)


def kernels(kernel):
    with open(kernel, "rb") as f:
        packed = gzip.compress(f.read(), 1)
    with open("Image.gz", "wb") as f:
        f.write(packed)
    zboot(kernel, "zboot", b"gzip", packed)
    names = ["Image.gz", "zboot"]
    if shutil.which("zstd"):
        z = subprocess.run(["zstd", "-1c"], stdin=open(kernel, "rb"),
                           capture_output=True, check=True).stdout
        zboot(kernel, "zstd.efi", b"zstd", z)
        names.append("zstd.efi")
        zboot(kernel, "bad", b"zstd", z[:-1000])
        r = bugon("bad", "a.prog")
        check("truncated", r.returncode == 1, "damaged" in r.stderr)
    for name in names:
        r = bugon(name, "a.prog")
        check(name, r.returncode == 0, "-> 5" in r.stdout)
    zboot(kernel, "xz.efi", b"xz", packed)
    r = bugon("xz.efi", "a.prog")
    check("packed with xz", r.returncode == 1, "packed with xz" in r.stderr)


def refusals(kernel):
    r = bugon(kernel, "a.prog", env={"BUGON_QEMU_ARM64": "/nowhere"})
    check("no QEMU", r.returncode == 77,
          "apt install qemu-system-arm" in r.stderr)
    r = bugon(kernel, "--accel", "kvm", "a.prog")
    if os.uname().machine != "aarch64":
        check("no KVM", r.returncode == 77, "--accel tcg" in r.stderr)
    r = bugon(kernel, "a.prog", env={"BUGON_EXECUTOR_ARM64":
                                     f"{os.path.dirname(BUGON)}/executor"})
    check("wrong executor", r.returncode == 1,
          "no program of this architecture" in r.stderr)


def main():
    kernel = need()
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        programs(kernel)
        crashes(kernel)
        silence(kernel)
        kernels(kernel)
        refusals(kernel)
        os.chdir("/")


main()
