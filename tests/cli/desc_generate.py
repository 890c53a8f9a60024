#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon desc generate, with a real kernel: desc_generate.py BUGON ROOT

Prints how many of the commands that headers define were found, and runs a
draft's open and an ioctl of it.  Skips without ../shared/kernel.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUGON, ROOT = map(os.path.abspath, sys.argv[1:3])
SRC = os.environ.get("BUGON_LINUX", "/tmp/linux-6.12")

# Header, names of its commands, and the draft.
DRIVERS = [
    ("linux/if_tun.h", r"TUN[SGAD]\w+", "tun"),
    ("linux/fuse.h", r"FUSE_DEV_IOC_(?!MAGIC)\w+", "fuse"),
    ("linux/loop.h", r"LOOP_CTL_\w+", "loop_control"),
    ("linux/loop.h", r"LOOP_(?!CTL|SET_CAP)[A-Z]\w+", "lo"),
    ("linux/random.h", r"RND[A-Z]\w+", "random"),
    ("linux/kcov.h", r"KCOV_\w*(?:INIT_TRACE|ENABLE|DISABLE)", "kcov"),
    ("linux/userfaultfd.h", r"UFFDIO_[A-Z]+", "userfaultfd_1"),
]


def bugon(*args):
    return subprocess.run([BUGON, *args], capture_output=True, text=True,
                          timeout=300)


def check(what, *conditions):
    if not all(conditions):
        sys.exit(f"{what}: {conditions}")
    print("ok", what)


def defined(header, names, dir):
    """The commands of a header of the user's interface, by name."""
    path = os.path.join(SRC, "include/uapi", header)
    if not os.path.exists(path):
        path = os.path.join("/usr/include", header)
    with open(path) as f:
        found = re.findall(rf"^#define\s+({names})\s+(?:_IO|0x)", f.read(),
                           re.M)
    if not found:
        return {}
    prints = "".join(f'printf("%s %u\\n", "{n}", (unsigned){n});'
                     for n in found)
    prog = os.path.join(dir, "values")
    subprocess.run(["cc", "-xc", "-w", "-o", prog, "-"], check=True, text=True,
                   input=f'#include <stdio.h>\n#include <stdint.h>\n'
                   f'#include <linux/ioctl.h>\n#include "{path}"\n'
                   f'int main(void) {{ {prints} return 0; }}')
    lines = subprocess.run([prog], capture_output=True, text=True).stdout
    return {n: int(v) for n, v in map(str.split, lines.splitlines())}


def recall(drafts, dir):
    all_found = all_defined = 0
    for header, names, draft in DRIVERS:
        want = defined(header, names, dir)
        if not want:
            continue
        with open(os.path.join(drafts, f"{draft}.txt.const")) as f:
            have = {int(v) for v in re.findall(r"^DRAFT_.* = (\d+)", f.read(),
                                               re.M)}
        missed = [n for n, v in want.items() if v not in have]
        all_found += len(want) - len(missed)
        all_defined += len(want)
        print(f"# {draft}: {len(want) - len(missed)} of {len(want)} commands;"
              f" missed: {' '.join(missed) or 'none'}")
    check(f"recall {all_found} of {all_defined}",
          all_found >= 0.9 * all_defined > 20)


def run(drafts, dir):
    ours = os.path.join(dir, "ours")
    shutil.copytree(os.path.join(ROOT, "sys/linux"), ours)
    for name in "loop_control.txt", "loop_control.txt.const":
        shutil.copy(os.path.join(drafts, name), ours)
    prog = os.path.join(dir, "prog")
    with open(prog, "w") as f:
        # LOOP_CTL_GET_FREE; the number of a device that is free.
        f.write("r0 = openat$draft_loop_control(0xffffffffffffff9c, "
                "&(0x7f0000000000)='/dev/loop-control\\x00', 0x2, 0x0)\n"
                "ioctl$draft_loop_control_4C82_0(r0, 0x4c82, 0x0)\n")
    kernel = os.path.join(ROOT, "../shared/kernel/x86-6.12/bzImage")
    r = bugon("run", "--kernel", kernel, "--descriptions", ours, prog)
    print("#", r.stdout.replace("\n", "\n# "), r.stderr)
    check("a draft runs", r.returncode == 0)


def main():
    found = subprocess.run([os.path.join(ROOT, "tests/kernel-file.sh"),
                            "x86-6.12/vmlinux"], capture_output=True,
                           text=True)
    r = bugon("desc", "generate")
    check("a kernel is needed", r.returncode == 2, "--vmlinux" in r.stderr)
    r = bugon("desc", "generate", "--vmlinux", BUGON)
    check("not a kernel", r.returncode == 1, r.stdout == "")
    if found.returncode:
        sys.exit(77)
    vmlinux = found.stdout.strip()
    with tempfile.TemporaryDirectory() as dir:
        drafts = os.path.join(dir, "drafts")
        r = bugon("desc", "generate", "--vmlinux", vmlinux, "--out", drafts)
        print("#", r.stderr.strip())
        check("all devices", r.returncode == 0, r.stdout == "")
        r = bugon("desc", "check", "-d", os.path.join(ROOT, "sys/linux"),
                  drafts)
        check("they compile with ours", r.returncode == 0,
              "0 errors, 0 warnings" in r.stderr)
        r = bugon("desc", "generate", "--vmlinux", vmlinux, "--dev", "net/t?n")
        check("one device", r.returncode == 0, '"/dev/net/tun"' in r.stdout,
              "loop" not in r.stdout, "1 drafts" in r.stderr)
        r = bugon("desc", "generate", "--vmlinux", vmlinux, "--dev", "none")
        check("no such device", r.returncode == 1, r.stdout == "")
        with open(os.path.join(drafts, "kcov.txt")) as f:
            kcov = f.read()
        check("a struct of an argument", "struct" not in kcov,
              re.search(r"ptr\[in, draft_kcov_kcov_remote_arg\]", kcov),
              "\tcommon_handle\tint64\n" in kcov)
        recall(drafts, dir)
        run(drafts, dir)


main()
