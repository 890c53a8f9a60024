#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our descriptions are as they should be: sys_lint.py BUGON SYS_LINUX PROGRAMS

No error and no warning on any architecture they have constants of, formatting
changes nothing, every call is in a program of PROGRAMS, these parse, and the
argument of an ioctl is as large as its number says.
"""
import glob
import os
import re
import subprocess
import sys

BUGON, SYS, PROGRAMS = map(os.path.abspath, sys.argv[1:4])
ARCHES = "amd64", "arm64"
CALL = re.compile(r"(?:r\d+ = )?([a-z_0-9]+(?:\$\w+)?)\(", re.M)
INTS = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "intptr": 8,
        "bool8": 1, "bool16": 2, "bool32": 4, "bool64": 8}
# Numbers that say a size the kernel does not mean.
WRONG_IN_KERNEL = {
    "FS_IOC_GETFLAGS": "a long in the number, an int in memory",
    "FS_IOC_SETFLAGS": "a long in the number, an int in memory",
    "FS_IOC_GETVERSION": "a long in the number, an int in memory",
    "FS_IOC_SETVERSION": "a long in the number, an int in memory",
    "EXT4_IOC_GETVERSION": "a long in the number, an int in memory",
    "EXT4_IOC_SETVERSION": "a long in the number, an int in memory",
    "BLKBSZGET": "a size_t in the number, an int in memory",
    "BLKBSZSET": "a size_t in the number, an int in memory",
    "FS_IOC_GET_ENCRYPTION_POLICY_EX": "the size of the oldest policy",
    "PERF_EVENT_IOC_MODIFY_ATTRIBUTES": "a pointer in the number",
    "PERF_EVENT_IOC_QUERY_BPF": "a pointer in the number",
}
status = 0


def bugon(*args):
    return subprocess.run([BUGON, *args], capture_output=True, text=True)


def check(what, ok, said=""):
    global status
    print("ok" if ok else "not ok", what, said)
    if not ok:
        status = 1


def fixed_size(kind, structs):
    """Bytes of what is behind a pointer, None when a value decides."""
    name = kind.split("[")[0]
    if kind in structs:
        return structs[kind]
    if name in INTS:
        return INTS[name]
    m = re.search(r", (\w+)\]$", kind)
    if name in ("flags", "const", "proc", "len", "bytesize") and m:
        return INTS.get(m.group(1))
    return None


def check_ioctls(names):
    text = bugon("desc", "show", "-d", SYS, *names).stdout
    structs, offsets = {}, {}
    for m in re.finditer(r"^(?:struct|union) (.*): size (\w+).*\n((?:\t.*\n)*)",
                         text, re.M):
        if m.group(2).isdigit():
            structs[m.group(1)] = int(m.group(2))
        offsets[m.group(1)] = {int(n) for n in
                               re.findall(r"^\t\+(\d+) ", m.group(3), re.M)}
    values = dict(re.findall(r"^const\[(\w+)\] = (0x[0-9a-f]+|\d+)", text,
                             re.M))
    wrong = []
    compared = 0
    for m in re.finditer(r"^(ioctl\$\w+): .*\n((?:\t.*\n)*)", text, re.M):
        cmd = re.search(r"\tcmd const\[(\w+)\]", m.group(2))
        arg = re.search(r"\targ ptr\[\w+, (.*)\]\n", m.group(2))
        if not cmd or not arg or cmd.group(1) not in values:
            continue
        said = int(values[cmd.group(1)], 0) >> 16 & 0x3fff
        kind = arg.group(1).removesuffix(", opt")
        size = fixed_size(kind, structs)
        # A number leaves out the array at the end of a struct.
        if said in offsets.get(kind, ()):
            size = said
        if said and size is not None:
            compared += 1
            if size != said and cmd.group(1) not in WRONG_IN_KERNEL:
                wrong.append(f"{m.group(1)}: {size}, the kernel's is {said}")
    check(f"{compared} ioctls have arguments of the size of their numbers",
          compared > 100 and not wrong, wrong)


def main():
    for arch in ARCHES:
        r = bugon("desc", "check", "-d", SYS, "-a", arch)
        check(f"{arch}: no error, no warning",
              "0 errors, 0 warnings" in r.stderr and not r.returncode,
              r.stdout[-2000:] + r.stderr)
    for path in sorted(glob.glob(f"{SYS}/*.txt")):
        with open(path) as f:
            text = f.read()
        if bugon("desc", "fmt", path).stdout != text:
            check(f"{os.path.basename(path)} is formatted", False,
                  "run bugon desc fmt")
    listed = set(bugon("desc", "list", "-d", SYS).stdout.split())
    used = set()
    for path in sorted(glob.glob(f"{PROGRAMS}/*.prog")):
        with open(path) as f:
            used |= set(CALL.findall(f.read()))
        r = bugon("prog", "fmt", "--descriptions", SYS, path)
        if r.returncode:
            check(f"{os.path.basename(path)} parses", False, r.stderr)
    check(f"{len(listed)} calls are each in a program", listed <= used,
          sorted(listed - used)[:40])
    check_ioctls(sorted(n for n in listed if n.startswith("ioctl$")))
    sys.exit(status)


main()
