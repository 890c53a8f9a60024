#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon run and doctor when something is wrong: run_fails.py BUGON

Most of it needs no kernel; the rest the UML one of ../shared/kernel.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import vmtest
from vmtest import (SYS, all_gone, check, children, kernel, opened, provoke,
                    skip)

BUGON = os.path.abspath(sys.argv[1])
# No guest can be had: who gets as far as looking for one exits 77.
NO_EXECUTOR = {"BUGON_EXECUTOR": "/nowhere/executor"}


def bugon(*args, **kw):
    return vmtest.bugon(BUGON, *args, **kw)


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def files():
    write("ok.prog", "getpid()\n")
    write("long.prog", "pause()\n")
    write("big.prog",
          opened("A" * 4000000))
    write("x.c", "int main(void) { return 0; }\n")
    write("lazy-cc", "#!/bin/sh\nexit 0\n", 0o755)
    write("slow-cc", "#!/bin/sh\necho temp > ${TMPDIR:-/tmp}/cc1.s\n"
          "echo $$ > slow-cc.pid\nsleep 60\n", 0o755)
    write("script", "#!/bin/program\n")
    os.mkfifo("fifo")
    os.mkdir("tmp")


def statuses(image):
    """What the user named and is not there: 1.  What the machine lacks: 77."""
    ok = ["-k", image, "ok.prog"]
    shell = ["-k", image, "-s", "x.c"]
    many = [str(i) for i in range(70)]
    no_kernel = {"BUGON_KERNELS": "/nowhere", "XDG_CACHE_HOME": "/nowhere"}
    rows = [
        (["-k", image, "none.prog"], {}, 1, "none.prog: no such file"),
        (["-f", "none", *ok], {}, 1, "none: No such file"),
        (["--vmlinux", "none", *ok], {}, 1, "none: no such file"),
        (["-k", "./none", "ok.prog"], {}, 1, "./none: No such file"),
        (["-k", image, "-s", "none.c"], {}, 1, "none.c: No such file"),
        (shell, {"CC": "./lazy-cc"}, 1, "./lazy-cc wrote no program"),
        (shell, {"CC": "/nowhere/cc"}, 77, "apt install gcc"),
        (ok, NO_EXECUTOR, 77, "/nowhere/executor"),
        (["-k", "/dev/zero", "ok.prog"], {}, 1, "not a regular file"),
        (["-k", "fifo", "ok.prog"], {}, 1, "not a regular file"),
        (["-f", "script:/init", *ok], {}, 2, "/init"),
        (["-f", "script:/.//init", *ok], {}, 2, "/init"),
        (["-f", "script:/bin/program", *shell], {}, 2, "/bin/program"),
        (["-k", image, "-s", "script", *many], {}, 2, "at most 63"),
        (["-k", image, "ok.prog", "big.prog"], {}, 1, "big.prog: too large"),
        (["--cover", "nowhere/pcs", *ok], {}, 1, "nowhere/pcs: No such file"),
    ]
    if not [n for n in os.listdir("/boot") if n.startswith("vmlinuz-")]:
        rows.append((["ok.prog"], no_kernel, 77, "no kernel found"))
    for args, env, status, words in rows:
        r = bugon("run", *args, env=env, timeout=30)
        check(f"run {' '.join(args[:4])} {env}: {r.returncode} {r.stderr}",
              r.returncode == status, words in r.stderr, not r.stdout,
              " booted in " not in r.stderr)


def earlier_cover(image):
    """A run that brings nothing leaves what another one wrote."""
    write("pcs", "0x1\n")
    r = bugon("run", "-k", image, "--cover", "pcs", "--cmdline", "mem=8M",
              "ok.prog")
    with open("pcs") as f:
        check("earlier coverage stays", r.returncode == 1,
              f.read() == "0x1\n")
    r = bugon("run", "-k", image, "--cover", "pcs", "ok.prog")
    with open("pcs") as f:
        pcs = [int(line, 16) for line in f]
    check("or is replaced", r.returncode == 0, len(pcs) > 10, 1 not in pcs)
    os.unlink("pcs")


def interrupted_compiler(image):
    env = {**os.environ, "CC": os.path.abspath("slow-cc"),
           "TMPDIR": os.path.abspath("tmp")}
    for sig in signal.SIGINT, signal.SIGTERM:
        p = subprocess.Popen([BUGON, "run", "-k", image, "-s", "x.c"], env=env,
                             stderr=subprocess.PIPE)
        end = time.time() + 20
        while not os.path.exists("slow-cc.pid") and time.time() < end:
            time.sleep(0.02)
        tree = children(p.pid)
        p.send_signal(sig)
        p.communicate(timeout=20)
        check(f"{sig.name} while compiling", p.returncode == -sig,
              all_gone(tree), tree, os.listdir("tmp") == [])
        os.unlink("slow-cc.pid")


def doctor(image):
    def found(*args, **env):
        r = bugon("doctor", "--json", *args, env={"HOME": "/nowhere", **env},
                  timeout=60)
        return {x["check"]: x for x in json.loads(r.stdout)}, r

    all_, _ = found()
    check("doctor looks at", {"executor", "plugin", "executor arm64", "make",
                              "flex", "bison", "bc", "cc"} <= set(all_),
          all_["executor"]["grade"] == "ok")
    none, r = found(BUGON_EXECUTOR="/nowhere", BUGON_PLUGIN="/nowhere",
                    BUGON_QEMU_ARM64="/nowhere", CC="/nowhere")
    check("what is missing", none["executor"]["grade"] == "missing",
          none["plugin"]["grade"] == "note", r.returncode == 1,
          none["qemu arm64"]["grade"] == "note",
          none["/nowhere"]["grade"] == "missing")
    os.mkdir("bin")
    os.symlink("/bin/true", "bin/flex")
    bare, _ = found(PATH=os.path.abspath("bin"))
    check("flex alone", bare["flex"]["grade"] == "ok",
          bare["bison"]["grade"] == "note", bare["bc"]["grade"] == "note")
    r = bugon("doctor", "-k", "fifo", timeout=30)
    check("doctor of a fifo", "not a regular file" in r.stdout + r.stderr)


def earlier_results(image):
    """A second run that fails, or is interrupted, leaves the first one's."""
    args = ["run", "-d", SYS, "-j", "-k", image, "--cover", "pcs", "-n",
            "1000000"]
    for sig, prog, some in ((signal.SIGINT, "ok.prog", 1),
                            (signal.SIGTERM, "long.prog", 0)):
        p = subprocess.Popen([BUGON, *args, "-t", "600", prog], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(8)
        tree = children(p.pid)
        start = time.time()
        p.send_signal(sig)
        out, err = p.communicate(timeout=30)
        runs = json.loads(out)
        check(f"{sig.name}: {len(runs)} runs, gone after "
              f"{time.time() - start:.2f} s", p.returncode == -sig,
              len(runs) >= some, all("program" in x for x in runs),
              "interrupted" in err, tree, all_gone(tree),
              os.path.exists("pcs"))
        os.unlink("pcs")


def later_boot_fails(bzimage):
    """A run that fails, for whatever reason, leaves what was before it."""
    write("qemu", '#!/bin/sh\n[ "$1" = --version ] || echo >> starts\n'
          'test -e starts && test $(wc -l < starts) -gt 3 && exit 3\n'
          'exec qemu-system-x86_64 "$@"\n', 0o755)
    write("crash.prog", provoke())
    r = bugon("run", "-j", "-k", bzimage, "-a", "tcg", "--cover", "pcs",
              "-n", "4", "crash.prog", env={"BUGON_QEMU": "./qemu"})
    runs = json.loads(r.stdout)
    with open("pcs") as f:
        pcs = len(f.read())
    check(f"a boot fails after {len(runs)} runs", r.returncode == 1, pcs > 0,
          1 <= len(runs) < 4, all(len(x["crashes"]) == 1 for x in runs),
          r.stderr)


def vmlinux():
    """KASAN's instrumented code runs there before its shadow is mapped."""
    r = bugon("run", "-k", kernel("x86-6.12/vmlinux"), "-a", "tcg", "ok.prog")
    check("a vmlinux with KASAN", r.returncode == 1,
          "boot its bzImage" in r.stderr)


def sandbox():
    """A kernel without user namespaces, if there is one."""
    image = kernel("uml-6.17/linux")
    r = bugon("run", "-k", image, "--sandbox", "namespace", "ok.prog")
    check("no user namespaces" if r.returncode else "user namespaces",
          "exited with status 126" not in r.stderr,
          r.returncode == 0 or (r.returncode == 1 and
                                "CONFIG_USER_NS" in r.stderr))


def main():
    image = kernel("uml-6.17/linux")
    if not image:
        skip("no UML kernel in ../shared")
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        files()
        statuses(image)
        earlier_cover(image)
        interrupted_compiler(image)
        doctor(image)
        sandbox()
        bzimage = kernel("x86-6.12/bzImage")
        if bzimage and shutil.which("qemu-system-x86_64"):
            vmlinux()
            later_boot_fails(bzimage)
        earlier_results(image)
        os.chdir("/")


main()
