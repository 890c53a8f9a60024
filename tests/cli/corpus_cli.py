#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon corpus as a user meets it: corpus_cli.py BUGON

corpus.db files are written and read here by code of their own, with Python's
zlib, from the description of the format.
"""
import hashlib
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import zlib

BUGON = os.path.abspath(sys.argv[1])
DELETED = 2**64 - 1
DESCRIPTIONS = """\
resource fd[int32]: -1
open(file ptr[in, string], flags const[1]) fd
close(fd fd)
read(fd fd, buf ptr[out, array[int8]], len len[buf])
sync()
"""
CONSTS = ("arches = amd64\n"
          "__NR_open = 2\n__NR_close = 3\n__NR_read = 0\n__NR_sync = 162\n")
OPEN = "r0 = open(&(0x7f0000000000)='./a\\x00', 0x1)\nclose(r0)\n"
SYNC = "sync()\n"


def bugon(*args):
    return subprocess.run([BUGON, "corpus", *args], capture_output=True,
                          text=True, timeout=120)


def check(what, *conditions):
    if not all(conditions):
        sys.exit(f"{what}: {conditions}")
    print("ok", what)


def key(text):
    return hashlib.sha1(text.encode()).hexdigest()


def pack(value):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(value) + z.flush()


def write_db(path, records, version=5):
    """Records: (key, text or None to delete, sequence number)."""
    out = [struct.pack("<IIQ", 0xbaddb, 2, version)]
    for name, text, seq in records:
        out.append(struct.pack("<II", 0xfee1bad, len(name)) + name.encode())
        if text is None:
            out.append(struct.pack("<Q", DELETED))
            continue
        value = pack(text.encode()) if text else b""
        out.append(struct.pack("<QI", seq, len(value)) + value)
    with open(path, "wb") as f:
        f.write(b"".join(out))


def read_db(path):
    """Version, and key to text; every byte must be accounted for."""
    with open(path, "rb") as f:
        data = f.read()
    magic, fmt, version = struct.unpack_from("<IIQ", data)
    check("header", magic == 0xbaddb, fmt == 2)
    at, records = 16, {}
    while at < len(data):
        magic, size = struct.unpack_from("<II", data, at)
        name = data[at + 8:at + 8 + size].decode()
        at += 8 + size
        seq, size = struct.unpack_from("<QI", data, at)
        at += 12
        if magic != 0xfee1bad or seq == DELETED or name in records:
            sys.exit(f"bad record {name}")
        z = zlib.decompressobj(-15)
        text = z.decompress(data[at:at + size]).decode() if size else ""
        if size and (not z.eof or z.unused_data):
            sys.exit(f"bad value of {name}")
        records[name] = text
        at += size
    return version, records


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def by_call(*sources):
    r = bugon("stat", "--json", *sources)
    got = json.loads(r.stdout)
    return got, {c["call"]: c["count"] for c in got["by_call"]}


def import_and_export(dir):
    """Through the store and back, unchanged and each once."""
    random.seed(1)
    texts = [f"call_{i}(0x{random.getrandbits(64):x})\n" * random.randint(1, 30)
             for i in range(2500)]
    db, work = f"{dir}/in.db", f"{dir}/work"
    write_db(db, [(key(t), t, 0) for t in texts] +
             [(key(texts[0]), None, 0), ("other name", texts[1], 3)])
    r = bugon("import", "--keep-text", work, db)
    check("import", r.returncode == 0, r.stdout == "",
          "2499 programs added, 1 were there already" in r.stderr)
    r = bugon("import", "-k", work, db)
    check("import again", r.returncode == 0,
          "0 programs added, 2500 were there already" in r.stderr)
    want = {key(t): t for t in texts[1:]}
    r = bugon("export", work, f"{dir}/out.db")
    check("export", r.returncode == 0, "2499 programs" in r.stderr,
          read_db(f"{dir}/out.db") == (0, want))
    r = bugon("export", "-V", "5", work, f"{dir}/out.db")
    check("export over a file", r.returncode == 0,
          read_db(f"{dir}/out.db") == (5, want))
    r = bugon("export", work, f"{dir}/files")
    files = {}
    for name in os.listdir(f"{dir}/files"):
        with open(f"{dir}/files/{name}") as f:
            files[name] = f.read()
    check("export to files", r.returncode == 0, files == want)
    for source in work, db, f"{dir}/out.db", f"{dir}/files":
        got, calls = by_call(source)
        check(f"stat of {os.path.basename(source)}", got["programs"] == 2499,
              got["text_bytes"] == sum(map(len, texts[1:])),
              got["calls"] == sum(t.count("\n") for t in texts[1:]),
              calls == {f"call_{i}": t.count("\n")
                        for i, t in enumerate(texts) if i})
    r = bugon("stat", work, db)
    check("stat of both", r.returncode == 0,
          r.stdout.startswith("2499 programs, and 2500 that were there twice"))


def repairs(dir):
    """What does not fit the descriptions is left out, counted and said."""
    os.mkdir(f"{dir}/desc")
    write(f"{dir}/desc/a.txt", DESCRIPTIONS)
    write(f"{dir}/desc/a.txt.const", CONSTS)
    d, work = f"{dir}/desc", f"{dir}/fitting"
    log = write(f"{dir}/log", f"""\
2026/01/02 03:04:05 executing program 0:
nosuch$call(0x1)
{OPEN}[  12.3][ T1] BUG: something
executing program 1:
nosuch$call(0x2)
other()
executing program 2:
sync( )
""")
    r = bugon("import", "-d", d, work, log)
    check("import of a log", r.returncode == 0,
          "2 programs added, 0 were there already" in r.stderr,
          "1 programs left out: nothing of them fits" in r.stderr,
          "3 calls left out, which are unknown: nosuch$call (2), other (1)\n"
          in r.stderr)
    r = bugon("export", work, f"{dir}/fitting.db")
    check("canonical text", read_db(f"{dir}/fitting.db") ==
          (0, {key(t): t for t in (OPEN, SYNC)}))
    r = bugon("import", "-d", d, work, write(f"{dir}/p", "# hello\n" + OPEN))
    check("found again", "0 programs added, 1 were there" in r.stderr)
    r = bugon("import", "-d", f"{dir}/nowhere", f"{dir}/new", log)
    check("no descriptions", r.returncode == 1,
          not os.path.exists(f"{dir}/new"))


def merges(dir):
    a, b, to = f"{dir}/a.db", f"{dir}/b.db", f"{dir}/to.db"
    write_db(a, [(key(OPEN), OPEN, 7), ("empty", "", 1)])
    write_db(b, [("x", OPEN, 0), (key(SYNC), SYNC, 0)])
    r = bugon("merge", to, a, b)
    want = {key(OPEN): OPEN, key(SYNC): SYNC}
    check("merge", r.returncode == 0, read_db(to) == (0, want),
          "2 programs; 1 were there twice" in r.stderr)
    os.mkdir(f"{dir}/tree")
    os.mkdir(f"{dir}/tree/sub")
    third = "getpid()\n"
    write(f"{dir}/tree/sub/one", third)
    write(f"{dir}/tree/README", "This is not (quite) a program.\n")
    write(f"{dir}/tree/.hidden", "hidden()\n")
    write_db(f"{dir}/tree/sub/two", [("y", SYNC, 0)])
    r = bugon("merge", "--db-version", "5", to, f"{dir}/tree")
    want[key(third)] = third
    check("merge into what is there", r.returncode == 0,
          read_db(to) == (5, want))
    text = write(f"{dir}/text.db", SYNC)
    r = bugon("merge", text, a)
    check("not a corpus.db", r.returncode == 1, "not a corpus.db" in r.stderr,
          open(text).read() == SYNC)


def damage(dir):
    good, bad, work = f"{dir}/good.db", f"{dir}/bad.db", f"{dir}/damaged"
    write_db(good, [(key(OPEN), OPEN, 0), (key(SYNC), SYNC, 0)])
    with open(good, "rb") as f:
        data = f.read()[:-3]
    with open(bad, "wb") as f:
        f.write(data)
    r = bugon("import", "-k", work, bad)
    check("what is before the damage", r.returncode == 1,
          "1 programs added" in r.stderr, "damaged at byte" in r.stderr,
          r.stderr.count("\n") == 2)
    r = bugon("merge", bad, good)
    with open(bad, "rb") as f:
        check("a damaged target", r.returncode == 1,
              "is left as it is" in r.stderr, f.read() == data)
    r = bugon("stat", f"{dir}/nothing")
    check("no such source", r.returncode == 1, "no such file" in r.stderr)
    left = [f for f in os.listdir(dir) if ".db." in f]
    check("nothing is left behind", left == [])


def usage(dir):
    for args in ([], ["import"], ["import", dir], ["export", dir],
                 ["merge", f"{dir}/x.db"], ["stat"], ["nothing"]):
        check(f"usage of {args[:1]}", bugon(*args).returncode == 2)
    r = bugon("export", dir, f"{dir}/x.db")
    check("no store", r.returncode == 1, "no store there" in r.stderr,
          not os.path.exists(f"{dir}/x.db"))


def main():
    for test in import_and_export, repairs, merges, damage, usage:
        with tempfile.TemporaryDirectory() as dir:
            test(dir)


main()
