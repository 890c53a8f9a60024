#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon prog c: what it prints compiles, and says how calls went.

    prog_c.py BUGON ROOT
"""
import json, os, subprocess, sys, tempfile

bugon, root = sys.argv[1:]
TEXT = r"""r0 = openat(0xffffffffffffff9c, &(0x7f0000000000)='./file0\x00', 0x42, 0x1ff)
write(r0, &(0x7f0000000040)="010203", 0x3)
close(r0)
"""
DESCRIPTIONS = """resource fd[int32]: 0xffffffffffffffff, AT_FDCWD
openat(dir fd, file ptr[in, filename], flags flags[open_flags], mode flags[modes]) fd
write(f fd, data buffer[in], n len[data])
close(f fd)
open_flags = O_RDWR, O_CREAT
modes = S_IRUSR, S_IWUSR
"""
CONSTS = """arches = amd64
__NR_openat = 257
__NR_write = 1
__NR_close = 3
AT_FDCWD = 18446744073709551516
O_RDWR = 2
O_CREAT = 64
S_IRUSR = 256
S_IWUSR = 128
"""
failed = 0


def check(what, ok, text=''):
    global failed
    print(('ok' if ok else 'not ok') + f' - {what}')
    if not ok:
        failed += 1
        print(text)


def run(*args, text=TEXT):
    return subprocess.run([bugon, 'prog', 'c', '-d', dir, *args], input=text,
                          text=True, capture_output=True)


with tempfile.TemporaryDirectory() as dir:
    open(os.path.join(dir, 't.txt'), 'w').write(DESCRIPTIONS)
    open(os.path.join(dir, 't.txt.const'), 'w').write(CONSTS)
    out = run('-')
    check('prints C', out.returncode == 0, out.stderr)
    c, exe = os.path.join(dir, 'p.c'), os.path.join(dir, 'p')
    open(c, 'w').write(out.stdout)
    cc = subprocess.run(['cc', '-Wall', '-Werror', '-O2', '-pthread', '-o', exe,
                         c], capture_output=True, text=True)
    check('which compiles without a warning', cc.returncode == 0, cc.stderr)
    if cc.returncode == 0:
        subprocess.run([exe], cwd=dir, check=True)
        with open(os.path.join(dir, 'file0'), 'rb') as f:
            check('and does what the program does', f.read() == b'\1\2\3')
    check('names, not numbers', 'openat(AT_FDCWD, "./file0", O_RDWR | O_CREAT, '
          '0777);' in out.stdout, out.stdout)

    results = os.path.join(dir, 'results.json')
    with open(results, 'w') as f:
        json.dump([{'calls': [{'returned': True, 'errno': 30, 'ret': -30},
                              {'returned': True, 'errno': 0, 'ret': 3},
                              {'returned': False, 'errno': 0, 'ret': 0}]}], f)
    out = run('--results', results, '-')
    for want in ('/* EROFS */', '/* 3 */', '/* did not return */'):
        check(f'says {want}', want in out.stdout, out.stdout)

    out = run('--times', '3', '--threads', '-')
    open(c, 'w').write(out.stdout)
    cc = subprocess.run(['cc', '-Wall', '-Werror', '-O2', '-pthread', '-o', exe,
                         c], capture_output=True, text=True)
    check('--times and --threads compile', cc.returncode == 0, cc.stderr)
    if cc.returncode == 0:
        subprocess.run([exe], cwd=dir, check=True)
        runs = [d for d in os.listdir(dir) if d.startswith('run.')]
        check('three runs in directories of their own',
              len(runs) == 3 and all(os.path.exists(f'{dir}/{d}/file0')
                                     for d in runs), str(runs))

    open(results, 'w').write('{}')
    out = run('--results', results, '-')
    check('results that are none', out.returncode == 1 and
          'no calls in it' in out.stderr, out.stderr)
    out = run('-', text='nonsense(\n')
    check('no program', out.returncode == 1 and '-:1:' in out.stderr,
          out.stderr)
    out = run('a', 'b')
    check('two files', out.returncode == 2, out.stderr)
sys.exit(failed != 0)
