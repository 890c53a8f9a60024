#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon kernel as a user meets it: kernel.py BUGON

The source tree and apt are imitations of our own (fake_tree, fake_apt): small
enough to build in a moment, and to fail, hang and be interrupted on demand.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUGON = os.path.abspath(sys.argv[1])
os.environ["BUGON_DATA"] = os.path.abspath(f"{__file__}/../../../share")
MAKEFILE = r"""
VERSION = 6
PATCHLEVEL = 99
.PHONY: linux tinyconfig olddefconfig
tinyconfig:
	echo '# CONFIG_KCOV is not set' > $(O)/.config
olddefconfig:
	@echo "  GEN     Makefile"
	mkdir -p $(O)/include/config
	echo 6.99.0 > $(O)/include/config/kernel.release
	grep -v CONFIG_UNMET $(O)/.config > $(O)/new; mv $(O)/new $(O)/.config
linux:
	@echo "  CC      main.o"
	@test ! -e $(CURDIR)/slow || { echo $$$$ > $(CURDIR)/slow; sleep 1000; }
	@test ! -e $(CURDIR)/full || { echo 'x: No space left on device'; exit 1; }
	@test ! -e $(CURDIR)/flex || { echo '/bin/sh: 1: flex: not found'; exit 1; }
	cc -g -nostdlib -static -Wl,--build-id -o $(O)/linux \
		-DSTAMP="\"$$(date +%s%N) $(O)\"" $(CURDIR)/main.c
"""
MAIN = r"""
const char banner[96] = "Linux version " STAMP;
void _start(void) { for (;;) WHAT; }
"""
MERGE = r"""#!/bin/sh
# merge_config.sh -m -Q -O DIR BASE FRAGMENT
cat "$5" "$6" > "$4/merged" && mv "$4/merged" "$4/.config"
"""
KCONFIG = 'config UNMET\n\tbool "x"\n\tdepends on NOWHERE\n'
APT_CACHE = r"""#!/bin/sh
case $1 in
pkgnames) echo linux-image-6.98.0-1-amd64; echo linux-image-6.98.0-2-amd64
	echo linux-image-6.98.0-2-amd64-dbg; echo linux-image-6.980-3-amd64 ;;
show)	name=${4%=*}
	case $name in
	linux-image-cloud-amd64) depends='linux-image-6.98.0-2-amd64 (= 6.98-2)' ;;
	linux-image-6.98.0-[12]-amd64|linux-image-6.98.0-2-amd64-dbg) depends=kmod ;;
	linux-image-6.98.0-3-amd64) name=linux-image-6.98.0-3-amd64-dbg; depends=x ;;
	*) echo "E: No packages found" >&2; exit 100 ;;
	esac
	printf 'Package: %s\nVersion: 6.98-2\nInstalled-Size: 10\nDepends: %s\nSize: 1000\n' \
		"$name" "$depends" ;;
esac
"""
APT_GET = r"""#!/bin/sh
for last; do :; done
echo "$last" >> "$FAKE_APT/downloads"
test ! -e "$FAKE_APT/offline" || { echo "E: Failed to fetch http://x  Could not resolve"; exit 100; }
test ! -e "$FAKE_APT/slow" || { echo half > x.deb; echo $$ > "$FAKE_APT/slow"; sleep 1000; }
test ! -e "$FAKE_APT/delay" || sleep 1
test ! -e "$FAKE_APT/damaged" || { echo nonsense > x.deb; exit; }
cp "$FAKE_APT/${last%=*}.deb" "${last%=*}_6.98-2_amd64.deb"
"""


def check(what, *conditions):
    if not all(conditions):
        sys.exit(f"{what}: {conditions}")
    print("ok", what, flush=True)


def command(*args, env=None):
    return {"args": [BUGON, "kernel", *args], "text": True,
            "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
            "env": {**os.environ, **(env or {})}}


def bugon(*args, env=None):
    return subprocess.run(**command(*args, env=env), timeout=120)


def listed():
    return json.loads(bugon("list", "--json").stdout)


def stages():
    return [n for n in os.listdir("cache/bugon/kernel")
            if n.startswith(".tmp-")]


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def fake_tree(path, what="1"):
    write(f"{path}/Makefile", MAKEFILE)
    write(f"{path}/Kconfig", KCONFIG)
    write(f"{path}/scripts/kconfig/merge_config.sh", MERGE, 0o755)
    write(f"{path}/main.c", MAIN.replace("WHAT", what))
    return path


def deb(name, files):
    root = f"deb-{name}"
    write(f"{root}/DEBIAN/control",
          f"Package: {name}\nVersion: 6.98-2\nArchitecture: amd64\n"
          "Maintainer: us <us@example.org>\nDescription: a test\n")
    for path, text in files.items():
        write(f"{root}/{path}", text)
    subprocess.run(["dpkg-deb", "-b", root, f"apt/{name}.deb"], check=True,
                   stdout=subprocess.DEVNULL)


def fake_apt():
    write("apt/bin/apt-cache", APT_CACHE, 0o755)
    write("apt/bin/apt-get", APT_GET, 0o755)
    for n in "12":
        r = f"6.98.0-{n}-amd64"
        deb(f"linux-image-{r}", {f"boot/vmlinuz-{r}": f"kernel {n}",
                                 f"boot/config-{r}": "CONFIG_X=y\n",
                                 f"lib/modules/{r}/x.ko": "module"})
    shutil.copy("/bin/true", "elf")
    deb("linux-image-6.98.0-2-amd64-dbg", {})
    os.makedirs("deb-linux-image-6.98.0-2-amd64-dbg/usr/lib/debug/boot")
    shutil.copy("/bin/true", "deb-linux-image-6.98.0-2-amd64-dbg/usr/lib/debug"
                "/boot/vmlinux-6.98.0-2-amd64")
    deb("linux-image-6.98.0-2-amd64-dbg", {})
    os.environ["PATH"] = os.path.abspath("apt/bin") + ":" + os.environ["PATH"]
    os.environ["FAKE_APT"] = os.path.abspath("apt")


def until(condition, what):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    sys.exit(f"{what}: waited in vain")


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")")[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def builds():
    config = "linux.config"
    write(config, "CONFIG_KCOV=y\n")
    a = fake_tree("a")
    r = bugon("build", "-a", "um", "-c", config, a)
    check("a build", r.returncode == 0, len(listed()) == 1)
    one = listed()[0]
    info = one["info"]
    check("what is known of it", r.stdout == f"{os.path.dirname(one['kernel'])}\n",
          info["release"] == "6.99.0", info["arch"] == "um", info["kcov"],
          info["origin"] == "build", len(info["signature"]) == 32,
          info["source"] == os.path.abspath(a), one["vmlinux"])
    check("its log", "CC      main.o" in
          open(os.path.dirname(one["kernel"]) + "/build.log").read())
    r = bugon("build", "-a", "um", "-c", config, fake_tree("deeper/b"))
    check("equal code elsewhere, later", r.returncode == 0, len(listed()) == 1,
          "there already" in r.stderr)
    r = bugon("build", "-a", "um", "-c", config, fake_tree("c", "2, (void)x()"))
    check("an error", r.returncode == 1, len(listed()) == 1, not r.stdout,
          "error:" in r.stderr, not stages())
    log = r.stderr.split("the log is ")[1].split("\n")[0]
    check("the log of the failure", "error:" in open(log).read())
    fake_tree("c", '__asm__("nop")')
    r = bugon("build", "-a", "um", "-c", config, "c")
    both = listed()
    check("other code", r.returncode == 0, len(both) == 2,
          both[0]["info"]["signature"] != both[1]["info"]["signature"])


def patches():
    """A file that the patch for old kernels fits."""
    tree = fake_tree("patched", '__asm__("nop;nop;nop;nop;nop")')
    old = open(os.environ["BUGON_DATA"] + "/patch/um-kcov-kasan-old.patch")
    text = "".join(line[1:] for line in old.read().split("+++ ")[1].splitlines(
        True) if line[0] in " -")
    write(f"{tree}/kernel/kcov.c", text)
    write(f"{tree}/kernel/other.c", "x")
    with open(f"{tree}/Makefile", "a") as f:
        f.write("\tgrep -c kcov_is_up $(CURDIR)/kernel/kcov.c\n"
                "\tcat $(CURDIR)/kernel/other.c\n")
    write("kasan.config", "CONFIG_KCOV=y\nCONFIG_KASAN=y\n")
    before = os.listdir("cache/bugon/kernel")
    for again in "first", "second":
        r = bugon("build", "-a", "um", "-c", "kasan.config", tree)
        new = [n for n in os.listdir("cache/bugon/kernel") if n not in before]
        check(f"a patch, the {again} time", r.returncode == 0, len(new) == 2,
              "um-kcov-kasan-old.patch" in r.stderr,
              "um-kcov-kasan-old.patch" in
              [e["info"]["patches"] for e in listed()],
              "kcov_is_up" not in open(f"{tree}/kernel/kcov.c").read())


def commits():
    if not shutil.which("git"):
        return
    git = ["git", "-C", fake_tree("repo", '__asm__("nop;nop;nop")'),
           "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for args in ["init", "-q"], ["add", "."], ["commit", "-qm", "one"]:
        subprocess.run(git + args, check=True)
    head = subprocess.run(git + ["rev-parse", "HEAD"], text=True,
                          capture_output=True).stdout.strip()
    bugon("build", "-a", "um", "-c", "linux.config", "repo")
    check("the commit", head in [e["info"]["commit"] for e in listed()])
    fake_tree("repo", '__asm__("nop;nop;nop;nop")')
    bugon("build", "-a", "um", "-c", "linux.config", "repo")
    check("changed since", head + "-dirty" in
          [e["info"]["commit"] for e in listed()])


def odd_trees():
    r = bugon("build", "none")
    check("no tree", r.returncode == 1, "no such directory" in r.stderr)
    os.mkdir("empty")
    r = bugon("build", "empty")
    check("no Makefile", r.returncode == 1, "no Makefile" in r.stderr,
          len(r.stderr.splitlines()) == 1)
    write("empty/Makefile", "all:\n")
    r = bugon("config", "empty")
    check("another Makefile", r.returncode == 1, "is another" in r.stderr)
    write("linux.config", "CONFIG_KCOV=y\n")
    r = bugon("build", "-c", "missing", "a")
    check("no configuration", r.returncode == 77, "missing" in r.stderr)
    for trouble, status, text in [("full", 1, "disk is full"),
                                  ("flex", 77, "apt install flex")]:
        fake_tree(trouble)
        write(f"{trouble}/{trouble}", "")
        r = bugon("build", "-a", "um", "-c", "linux.config", trouble)
        check(f"trouble: {trouble}", r.returncode == status, text in r.stderr)
    os.makedirs("tools", exist_ok=True)
    for tool in ["make", "sh", "bc", "cc", "gcc"]:
        os.symlink(shutil.which(tool) or "/bin/true", f"tools/{tool}")
    r = bugon("build", "-a", "um", "-c", "linux.config", "a",
              env={"PATH": os.path.abspath("tools")})
    check("missing tools", r.returncode == 77,
          "apt install flex bison" in r.stderr)


def interrupts():
    fake_tree("slow", '__asm__("nop;nop")')
    for sig, status in [(signal.SIGINT, -signal.SIGINT),
                        (signal.SIGTERM, -signal.SIGTERM),
                        (signal.SIGKILL, -signal.SIGKILL)]:
        write("slow/slow", "")
        p = subprocess.Popen(**command("build", "-a", "um", "-c",
                                       "linux.config", "slow"))
        until(lambda: os.path.getsize("slow/slow"), "build")
        pid = int(open("slow/slow").read())
        was_there = len(stages())
        p.send_signal(sig)
        p.communicate(timeout=60)
        until(lambda: gone(pid), "the children's end")
        check(f"{sig.name} in a build", p.returncode == status, was_there == 1,
              (len(stages()) == 0) == (sig != signal.SIGKILL))
    n = len(listed())
    os.unlink("slow/slow")
    r = bugon("build", "-a", "um", "-c", "linux.config", "slow")
    check("the next one clears away", r.returncode == 0, not stages(),
          len(listed()) == n + 1)


def at_once():
    n = len(listed())
    trees = [fake_tree(f"par{i}", f'__asm__(".fill {i // 2 + 8}, 1, 0x90")')
             for i in range(6)]
    runs = [subprocess.Popen(**command("build", "-a", "um", "-c",
                                       "linux.config", t)) for t in trees]
    for p in runs:
        p.communicate(timeout=120)
    check("six builds at once, of three kernels",
          all(p.returncode == 0 for p in runs), len(listed()) == n + 3,
          not stages())


def configs():
    r = bugon("config", "-a", "um", "-w", "CONFIG_UNMET,fs/ext4", "a")
    check("a configuration", r.returncode == 0, "CONFIG_KASAN=y" in r.stdout,
          "CONFIG_EXT4_FS=y" in r.stdout,
          "CONFIG_UNMET is n, not y: needs NOWHERE" in r.stderr)
    r = bugon("config", "-a", "um", "-w", "CONFIG_UNMET", "--strict", "a")
    check("a strict one", r.returncode == 1, not r.stdout)
    write("large.config",
          "".join(f"CONFIG_LARGE{i}=y\n" for i in range(10000)))
    full = command("config", "-a", "um", "-w", "large.config", "a")
    with open("/dev/full", "w") as f:
        r = subprocess.run(**{**full, "stdout": f}, timeout=120)
    check("a full disk is told once", r.returncode == 1,
          r.stderr.count("No space left") == 1)
    r = bugon("config", "-a", "um", "-W", "kasan,lockdep", "a")
    check("without", r.returncode == 0, "CONFIG_KASAN=y" not in r.stdout,
          "CONFIG_KCOV=y" in r.stdout)
    r = bugon("config", "-a", "um", "-W", "kazan", "a")
    check("without what is not", r.returncode == 1, "kazan" in r.stderr)
    r = bugon("config", "-a", "um", "-w", "../config/kcov", "a")
    check("a fragment elsewhere", r.returncode == 1)
    write("my own.config", "CONFIG_MINE=y\n")
    write("a/fs/Makefile", "obj-$(CONFIG_JFS_FS)\t+= jfs/\n")
    r = bugon("config", "-a", "um", "-w", "my own.config,fs/jfs", "-o",
              "out put", "a")
    text = open("out put").read()
    check("a file and a directory", r.returncode == 0, not r.stdout,
          "CONFIG_MINE=y" in text, "CONFIG_JFS_FS=y" in text)
    r = bugon("build", "-c", "out put", "-w", "x", "a")
    check("both kinds", r.returncode == 2)


def downloads():
    try:
        with open("apt/downloads") as f:
            return len(f.read().splitlines())
    except FileNotFoundError:
        return 0


def fetches():
    r = bugon("fetch")
    path = r.stdout.strip()
    check("the newest cloud kernel", r.returncode == 0,
          "/6.98.0-2-amd64_" in path,
          open(f"{path}/vmlinuz").read() == "kernel 2",
          not os.path.exists(f"{path}/modules"), downloads() == 1)
    r = bugon("fetch", "6.98.0-2-amd64")
    check("it is there already", r.stdout.strip() == path, downloads() == 1)
    r = bugon("fetch", "6.98", "--symbols", "--modules")
    one = [e for e in listed() if e["kernel"].startswith(path)][0]
    check("more of it", r.returncode == 0, r.stdout.strip() == path,
          one["vmlinux"], one["modules"], one["info"]["signature"])
    for what in ["6.97", "6.9", "linux-image-6.98.0-3-amd64", "rt", "", "-1"]:
        r = bugon("fetch", "--", what)
        check(f"no kernel '{what}'", r.returncode == 77, not stages(),
              "no such kernel" in r.stderr)
    for trouble, text in [("offline", "Could not resolve"),
                          ("damaged", "not a Debian format archive")]:
        write(f"apt/{trouble}", "")
        r = bugon("fetch", "6.98.0-1-amd64")
        check(f"apt: {trouble}", r.returncode == 1, text in r.stderr,
              not stages())
        os.unlink(f"apt/{trouble}")
    for sig in signal.SIGINT, signal.SIGKILL:
        write("apt/slow", "")
        p = subprocess.Popen(**command("fetch", "6.98.0-1-amd64"))
        until(lambda: os.path.getsize("apt/slow"), "download")
        pid = int(open("apt/slow").read())
        p.send_signal(sig)
        p.communicate(timeout=60)
        until(lambda: gone(pid), "the end of apt-get")
        check(f"{sig.name} in a download", p.returncode == -sig,
              not [e for e in listed() if "6.98.0-1" in e["name"]])
        os.unlink("apt/slow")
    n = downloads()
    write("apt/delay", "")
    runs = [subprocess.Popen(**command("fetch", "6.98.0-1-amd64"))
            for _ in range(4)]
    out = {p.communicate(timeout=60)[0] for p in runs}
    check("four at once download once", all(p.returncode == 0 for p in runs),
          len(out) == 1, downloads() == n + 1, not stages())
    os.makedirs("no apt", exist_ok=True)
    r = bugon("fetch", env={"PATH": os.path.abspath("no apt")})
    check("no apt", r.returncode == 77, "apt is not installed" in r.stderr)


def more_of_a_file(image):
    """Symbols and modules that come later, in Debian's places."""
    def entry():
        return [e for e in listed() if e["info"]["release"] == "3.4-x"]

    os.makedirs("root/boot")
    with open("root/boot/vmlinuz-3.4-x", "wb") as f:
        f.write(image + b"3.4")
    n = len(listed())
    for option in "-s", "-m":
        r = bugon("fetch", option, "root/boot/vmlinuz-3.4-x")
        check(f"none there for {option}", r.returncode == 77,
              "/usr/lib/debug/boot/vmlinux-3.4-x" in r.stderr or
              "/lib/modules/3.4-x" in r.stderr, len(listed()) == n,
              not stages())
    r = bugon("fetch", "root/boot/vmlinuz-3.4-x")
    check("without", r.returncode == 0, entry()[0]["vmlinux"] is None)
    os.makedirs("root/usr/lib/debug/boot")
    shutil.copy("/bin/true", "root/usr/lib/debug/boot/vmlinux-3.4-x")
    write("root/lib/modules/3.4-x/kernel/x.ko", "module")
    again = bugon("fetch", "root/boot/vmlinuz-3.4-x")
    one = entry()
    check("symbols later", again.returncode == 0, again.stdout == r.stdout,
          len(one) == 1, one[0]["vmlinux"], one[0]["info"]["signature"],
          one[0]["modules"] is None, not stages())
    for _ in 1, 2:
        r = bugon("fetch", "-s", "-m", "root/boot/vmlinuz-3.4-x")
        one = entry()
        check("modules later", r.returncode == 0, r.stdout == again.stdout,
              len(one) == 1,
              open(one[0]["modules"] + "/kernel/x.ko").read() == "module")
    r = bugon("fetch", "-s", "boot dir/vmlinuz-1.2-a b")
    check("symbols of another", r.returncode == 77)


def files():
    r = bugon("fetch", "./linux.config")
    check("no kernel file", r.returncode == 1, "not a kernel to boot" in r.stderr)
    r = bugon("fetch", "./elf")
    check("a program", r.returncode == 1, "not a kernel to boot" in r.stderr,
          not r.stdout)
    os.mkfifo("fifo")
    r = bugon("fetch", "./fifo")
    check("a fifo", r.returncode == 1, "not a regular file" in r.stderr)
    r = bugon("fetch", "./none")
    check("no file", r.returncode == 77, "no such file" in r.stderr)
    image = bytearray(b"x" * 4096)
    image[0x1fe:0x200] = b"\x55\xaa"
    image[0x202:0x206] = b"HdrS"
    os.makedirs("boot dir")
    with open("boot dir/vmlinuz-1.2-a b", "wb") as f:
        f.write(image)
    write("boot dir/config-1.2-a b", "CONFIG_KASAN=y\n")
    r = bugon("fetch", "boot dir/vmlinuz-1.2-a b")
    one = [e for e in listed() if e["info"]["release"] == "1.2-a b"]
    check("a kernel file", r.returncode == 0, len(one) == 1,
          one[0]["info"]["kasan"], " " not in one[0]["name"],
          one[0]["info"]["origin"] == "file")
    more_of_a_file(image)
    os.makedirs("cache/bugon/kernel/by hand")
    shutil.copy("boot dir/vmlinuz-1.2-a b", "cache/bugon/kernel/by hand/bzImage")
    write("cache/bugon/kernel/by hand/info", "{ damaged")
    write("cache/bugon/kernel/by hand/config", "CONFIG_KCOV=y\n")
    hand = [e for e in listed() if e["name"] == "by hand"]
    check("one put there by hand", len(hand) == 1, hand[0]["info"]["kcov"],
          "by hand" in bugon("list").stdout)


def usage():
    check("no subcommand", bugon().returncode == 2)
    check("a wrong one", bugon("frobnicate").returncode == 2)
    check("too much", bugon("list", "x").returncode == 2,
          bugon("fetch", "a", "b").returncode == 2,
          bugon("config").returncode == 2,
          bugon("build", "-a", "vax", "a").returncode == 2)


def main():
    if not shutil.which("cc") or not shutil.which("dpkg-deb"):
        print("needs cc and dpkg-deb: apt install gcc dpkg")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as tmp:
        os.chdir(tmp)
        os.environ["XDG_CACHE_HOME"] = os.path.abspath("cache")
        for name in "ARCH", "CROSS_COMPILE", "MAKEFLAGS":
            os.environ.pop(name, None)
        # bugon looks for them before it runs make.
        for tool in "flex", "bison", "bc":
            os.makedirs("stand-ins", exist_ok=True)
            if not shutil.which(tool):
                os.symlink("/bin/true", f"stand-ins/{tool}")
        os.environ["PATH"] += ":" + os.path.abspath("stand-ins")
        check("an empty cache", listed() == [], bugon("list").stdout == "")
        builds()
        commits()
        patches()
        odd_trees()
        configs()
        interrupts()
        at_once()
        fake_apt()
        fetches()
        files()
        usage()


main()
