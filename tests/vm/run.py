#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon run and doctor as a user meets them: run.py BUGON SHARED

Needs the UML kernel of ../shared/kernel and bugon's executor; else exit 77.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import vmtest
from vmtest import (SYS, all_gone, check, children, kernel, opened, provoke,
                    skip)

BUGON, SHARED = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
SOURCE = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	printf("argument %s, uid %d\n", argv[1], getuid());
	fflush(stdout);
	if (!strcmp(argv[1], "crash")) {
		int fd = open("/sys/kernel/debug/provoke-crash/DIRECT", 1);
		return write(fd, "READ_AFTER_FREE", 15) < 0;
	}
	if (!strcmp(argv[1], "abort"))
		abort();
	while (!strcmp(argv[1], "hang"))
		pause();
	return 7;
}
"""
# The kernel begins its line where the program's stands.
PARTIAL = r"""
#include <fcntl.h>
#include <unistd.h>
int main(void)
{
	int kmsg = open("/dev/kmsg", O_WRONLY);
	return write(1, "[9] first\nla", 12) != 12 ||
	       write(kmsg, "<1>in between\n", 14) != 14 ||
	       write(1, "st", 2) != 2 ||
	       write(kmsg, "<1>at the end\n", 14) != 14;
}
"""
TITLE = "KASAN: slab-use-after-free Read in lkdtm_READ_AFTER_FREE"


def bugon(*args, **kw):
    return vmtest.bugon(BUGON, *args, **kw)


def leftovers(places):
    return {p: sorted(os.listdir(p)) for p in places if os.path.isdir(p)}


def killed_at_any_moment(run, delays):
    """kill -9 of bugon: no process, file or directory stays."""
    home = tempfile.mkdtemp()
    tmp = tempfile.mkdtemp()
    env = {**os.environ, "HOME": home, "TMPDIR": tmp, "XDG_CACHE_HOME": home}
    places = [home, tmp, "/dev/shm"]
    seen = 0
    binary = f"{tmp}/../bugon-test-{os.getpid()}"
    subprocess.run(["cc", "-static", "-o", binary, "x.c"], check=True)
    before = leftovers(places)
    for delay in delays:
        p = subprocess.Popen([*run, "--shell", binary, "hang"], env=env,
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(delay)
        tree = children(p.pid)
        seen += len(tree)
        p.send_signal(signal.SIGKILL)
        p.wait()
        check(f"killed after {delay} s, {len(tree)} processes",
              all_gone(tree), leftovers(places) == before)
    check("there was something to kill", seen > 0)
    os.unlink(binary)
    shutil.rmtree(home)
    shutil.rmtree(tmp)


def programs(run):
    start = time.time()
    r = bugon(*run, "--shell", "x.c", "one")
    print(f"# {time.time() - start:.2f} s in all; {r.stderr.splitlines()[0]}")
    check("output and status", r.returncode == 0,
          r.stdout == "argument one, uid 0\n",
          "exited with status 7" in r.stderr)
    with open("partial.c", "w") as f:
        f.write(PARTIAL)
    r = bugon(*run, "--shell", "partial.c")
    check("a last line without newline", r.returncode == 0,
          r.stdout == "[9] first\nlast\n")
    r = bugon(*run, "--json", "--shell", "partial.c")
    check("the same in JSON",
          json.loads(r.stdout)[0]["output"] == "[9] first\nlast\n")
    r = bugon(*run, "--shell", "x.c", "abort")
    check("signal", r.returncode == 0, "killed by signal 6" in r.stderr)
    r = bugon(*run, "--timeout", "1", "--shell", "x.c", "hang")
    check("timeout", r.returncode == 0, "killed after 1 s" in r.stderr)
    r = bugon(*run, "--shell", "x.c", "crash")
    check("crash", r.returncode == 0, f"TITLE: {TITLE}\n" in r.stdout,
          "lkdtm/heap.c:" in r.stdout, r.stdout.startswith("argument crash"),
          "make_umid" not in r.stdout)
    other = kernel("x86-6.12/vmlinux")
    r = bugon(*run, "--vmlinux", other or "none", "--shell", "x.c", "crash")
    check("vmlinux of another kernel", not other or
          "is of another build" in r.stderr)
    with open("script", "w") as f:
        f.write("#!/nowhere/sh\n")
    r = bugon(*run, "--shell", "script")
    check("no interpreter", r.returncode == 1, "interpreter" in r.stderr)
    subprocess.run(["cc", "-static", "-o", "static", "x.c"], check=True)
    r = bugon(*run, "--file", "static:/nowhere/sh", "--shell", "script")
    check("an interpreter of its own", r.returncode == 0,
          r.stdout == "argument /bin/program, uid 0\n")
    r = bugon(*run, "--console", "--shell", "x.c", "one")
    check("console", "argument one" in r.stdout, "[    0." in r.stdout)


def system_calls(run):
    with open("a.prog", "w") as f:
        f.write(opened("/proc/self/status", "0x0", "r0") +
                'read(r0, &AUTO=""/64, 0x40)\n' + opened("/nowhere"))
    with open("b.prog", "w") as f:
        f.write(provoke())
    r = bugon(*run, "--json", "--cover", "pcs", "--repeat", "2", "a.prog",
              "b.prog")
    runs = json.loads(r.stdout)
    check("source of coverage", all(x["coverage"] == "kcov" for x in runs))
    check("four runs", [len(x["crashes"]) for x in runs] == [0, 1, 0, 1])
    for x in runs[0], runs[2]:
        first, read, failed = x["calls"]
        check("calls", first["returned"], first["ret"] >= 0,
              read["ret"] == 64, failed["errno"] == 2,
              all(c["pcs"] > 50 for c in x["calls"]))
    with open("pcs") as f:
        pcs = [int(line, 16) for line in f]
    check("cover", len(pcs) > 500, pcs == sorted(set(pcs)))
    r = bugon(*run, "a.prog", "b.prog", "a.prog")
    lines = r.stdout.splitlines()
    check("text", "-> -1 ENOENT, " in r.stdout, f"TITLE: {TITLE}" in lines,
          r.stderr.count(" booted in ") == 2, "-> 64, " in lines[1])
    with open("faults.prog", "w") as f:
        for n in 1, 2, 100000:
            f.write(opened("/proc/self/status", "0x0").strip() +
                    f" (fail_nth: {n})\n")
        f.write(opened("/proc/self/status", "0x0"))
        f.write("getpid() (fail_nth: 1)\n")
    calls = json.loads(bugon(*run, "--json", "faults.prog").stdout)[0]["calls"]
    check(f"faults {calls}",
          [c["faulted"] for c in calls] == [True, True, False, False, False],
          calls[1]["errno"] == 12, calls[2]["errno"] == 0)
    r = bugon(*run, "--sandbox", "setuid", "--shell", "x.c", "one")
    check("sandbox", "uid 65534" in r.stdout)
    with open("blocks.prog", "w") as f:
        f.write("pause()\ngetpid()\n")
    r = bugon(*run, "blocks.prog")
    check("a call that blocks",
          re.search(r"^pause\(\) -> did not return, [1-9]\d* PCs$", r.stdout,
                    re.M),
          "ran to its end" in r.stderr)
    with open("bad.prog", "w") as f:
        f.write("openat(\n")
    r = bugon(*run, "bad.prog")
    check("bad program", r.returncode == 1, "bad.prog:1:" in r.stderr)


def repeats(*kernels):
    """Quick, and each with its own output, even when the terminal is stopped."""
    with open("lines.c", "w") as f:
        f.write("""
#include <stdio.h>
#include <termios.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < 100; i++)
		printf("line %d\\n", i);
	fflush(stdout);
	return argc > 1 && tcflow(1, TCOOFF);
}
""")
    expected = "".join(f"line {i}\n" for i in range(100))
    for image in kernels:
        args = ("run", "--kernel", image, "--accel", "tcg", "--json",
                "--repeat")
        start = time.time()
        bugon(*args, "1", "a.prog")
        once = time.time() - start
        start = time.time()
        r = bugon(*args, "41", "a.prog")
        each = (time.time() - start - once) / 40
        check(f"a run takes {each * 1000:.0f} ms more",
              len(json.loads(r.stdout)) == 41, each < 0.1)
        r = bugon(*args, "20", "--shell", "lines.c")
        check("each with its output",
              [x["output"] for x in json.loads(r.stdout)] == [expected] * 20)
        r = bugon(*args, "3", "--shell", "lines.c", "stop")
        runs = json.loads(r.stdout)
        check("a stopped terminal", r.returncode == 0,
              [x["result"] for x in runs] == ["exited with status 0"] * 3)


def crashes_in_a_row(*kernels):
    """Twenty: each is caught, and the machine is back."""
    for image in kernels:
        start = time.time()
        r = bugon("run", "--kernel", image, "--json", "--repeat", "20",
                  "b.prog", timeout=600)
        if r.returncode == 77:
            print(f"skipped: {r.stderr}")
            continue
        each = (time.time() - start) / 20
        runs = json.loads(r.stdout)
        boots = sorted(x["boot_ms"] for x in runs)
        print(f"# {each:.2f} s a crash in all; back in {boots[10]} ms (median)")
        check(f"twenty crashes, {runs[0]['machine']}", len(runs) == 20,
              all([c["title"] for c in x["crashes"]] == [TITLE]
                  for x in runs))


def splat_at_boot(*kernels):
    """A WARNING before any program: reported once, no program is blamed."""
    warning = "WARNING in lkdtm_WARNING"
    args = ("--accel", "tcg", "--cmdline",
            "lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=WARNING")
    for image in kernels:
        r = bugon("run", "--kernel", image, *args, "--json", "--repeat", "2",
                  "a.prog", "b.prog", timeout=600)
        if r.returncode == 77:
            print(f"skipped: {r.stderr}")
            continue
        runs = json.loads(r.stdout)
        check(f"splat at boot, {runs[0]['machine']}",
              [[c["title"] for c in x["crashes"]] for x in runs] ==
              [[], [TITLE]] * 2,
              [[c["title"] for c in x.get("boot_crashes", [])]
               for x in runs] == [[warning], [], [], []])
    r = bugon("run", "--kernel", kernels[0], *args, "a.prog", "a.prog")
    check("splat at boot, text", r.returncode == 0,
          r.stdout.count(f"TITLE: {warning}\n") == 1,
          r.stdout.count("-> -1 ENOENT, ") == 2,
          "while it booted" in r.stderr)


def two_at_once(run):
    both = [subprocess.Popen([BUGON, *run, "b.prog"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)]
    outs = [p.communicate(timeout=120)[0] for p in both]
    check("two at once", all(f"TITLE: {TITLE}" in out for out in outs))


def refusals(run):
    with open("text", "w") as f:
        f.write("hello\n")
    with open("mips", "wb") as f:
        f.write(b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\10\0" + bytes(4096))
    shutil.copy("/bin/sh", "dynamic")
    with open("bad.c", "w") as f:
        f.write("int main(void) { return oops; }\n")
    os.mkdir("empty")
    rows = (
        (["--kernel", "text", "--shell", "x.c"], 1, "text file"),
        (["--kernel", "mips", "--shell", "x.c"], 1, "machine number 8"),
        (["--kernel", "none", "--shell", "x.c"], 1, "No such file"),
        (["--kernel", "empty", "--shell", "x.c"], 1, "bzImage"),
        ([*run[2:], "--shell", "dynamic"], 1, "-static"),
        ([*run[2:], "--shell", "text"], 1, "neither a program"),
        ([*run[2:], "--shell", "bad.c"], 1, "does not compile"),
        ([*run[2:], "--shell", "none"], 1, "No such file"),
        ([*run[2:]], 2, "--shell"),
        ([*run[2:], "--accel", "x", "--shell", "x.c"], 2, "kvm, tcg or auto"),
        ([*run[2:], "--coverage", "x", "a.prog"], 2, "kcov, plugin, none"),
        ([*run[2:], "--coverage", "plugin", "a.prog"], 2, "TCG"),
    )
    for args, status, words in rows:
        r = bugon("run", *args)
        check(" ".join(args), r.returncode == status, words in r.stderr,
              not r.stdout)
    for name in "6.12.1_um_a", "6.1.7_um_b":
        os.makedirs(f"cache/bugon/kernel/{name}")
        shutil.copy("text", f"cache/bugon/kernel/{name}/linux")
    r = bugon("run", "--kernel", "6.1", "--shell", "x.c",
              env={"XDG_CACHE_HOME": os.path.abspath("cache")})
    check("6.1 is not 6.12", "/6.1.7_um_b/" in r.stderr)
    shutil.copy(BUGON, "alone")
    r = subprocess.run(["./alone", *run[1:], "--shell", "x.c"], text=True,
                       capture_output=True,
                       env={**os.environ, "BUGON_EXECUTOR": ""})
    check("no executor", r.returncode == 77, "executor" in r.stderr)
    bz = f"{SHARED}/kernel/x86-6.12/bzImage"
    for qemu, words in (("/nowhere", "apt install qemu-system-x86"),
                        ("/bin/true", "no QEMU"), ("./old", "too old")):
        with open("old", "w") as f:
            f.write("#!/bin/sh\necho QEMU emulator version 2.11.1\n")
        os.chmod("old", 0o755)
        r = bugon("run", "--kernel", bz, "--shell", "x.c",
                  env={"BUGON_QEMU": qemu})
        check(f"QEMU {qemu}", r.returncode == 77, words in r.stderr,
              r.stderr.count("\n") == 1)


def doctor():
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "XDG_CACHE_HOME": home,
               "BUGON_KERNELS": f"{SHARED}/kernel"}
        r = bugon("doctor", "--json", env=env)
        found = {x["check"]: x for x in json.loads(r.stdout)}
        check("doctor", {"qemu", "kvm", "memory", "gcc"} <= set(found),
              r.returncode == any(x["grade"] == "missing"
                                  for x in found.values()))
        r = bugon("doctor", env={**env, "PATH": "/nowhere"})
        check("doctor without tools", r.returncode == 1,
              "apt install qemu-system-x86" in r.stdout,
              "apt install gcc" in r.stdout)


def main():
    where = kernel("uml-6.17/linux")
    bzimage = kernel("x86-6.12/bzImage")
    executor = os.environ.get("BUGON_EXECUTOR",
                              f"{os.path.dirname(BUGON)}/executor")
    if not where or not os.path.exists(executor):
        skip(f"no UML kernel in {SHARED} or no {executor}")
    run = [BUGON, "run", "--descriptions", SYS, "--kernel",
           os.path.dirname(where)]
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        with open("x.c", "w") as f:
            f.write(SOURCE)
        programs(run[1:])
        system_calls(run[1:])
        if bzimage and shutil.which("qemu-system-x86_64"):
            repeats(where, bzimage)
        else:
            repeats(where)
        crashes_in_a_row(where, bzimage)
        splat_at_boot(where, bzimage)
        two_at_once(run[1:])
        refusals(run)
        doctor()
        killed_at_any_moment(run, (0.02, 0.1, 0.3, 1.0))
        if bzimage and shutil.which("qemu-system-x86_64"):
            killed_at_any_moment([BUGON, "run", "--kernel", bzimage,
                                  "--accel", "tcg"], (0.05, 0.5, 3.0))
        os.chdir("/")


main()
