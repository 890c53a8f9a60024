#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs built to be slow or to fill memory: adversarial.py BUGON [NAME...]

Pipes each through `bugon report`, at a tenth of the size and at the full one
(ADVERSARIAL_MB, 10 by default; 100 takes minutes).  Fails when a megabyte of
the long log takes more than three times as long as one of the short log, when
the slowest megabyte takes longer than two seconds, or when more than 64 MiB
of memory are needed.  Processor time is what counts: machines are shared.
"""
import os
import subprocess
import sys

BLOCK = 1 << 20
MAX_RSS_MIB = 64
MAX_GROWTH = 3
MAX_SECONDS_PER_MB = 2

KASAN = 'BUG: KASAN: use-after-free in f+0x1/0x2'
TRACE = ['Call Trace:', ' g+0x1/0x2', ' h+0x1/0x2', ' ? i+0x1/0x2']


def block(lines):
    """A megabyte of text from an endless iterator of lines."""
    out, size = [], 0
    for line in lines:
        out.append(line)
        size += len(line) + 1
        if size >= BLOCK:
            return ('\n'.join(out) + '\n').encode('latin-1')


def forever(*lines):
    while True:
        yield from lines


def numbered(*forms):
    n = 0
    while True:
        n += 1
        for form in forms:
            yield form.replace('@', str(n))


def traced(head):
    return ['[    1.000000] ' + line for line in [head] + TRACE]


def base62(n):
    digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
    text = ''
    if n == 0:
        return '_'
    n -= 1
    while True:
        text = digits[n % 62] + text
        n //= 62
        if not n:
            return text + '_'


def self_reference(depth):
    """A Rust symbol whose plain name is 2^depth characters long."""
    text, last = 'INvC1a1f', None
    for _ in range(depth):
        here = len(text)
        text += 'TuuE' if last is None else 'T' + 2 * ('B' + base62(last)) + 'E'
        last = here
    return '_R' + text + 'E'


LOGS = {
    'headlines': block(forever('[    1.000000] ' + KASAN)),
    'bare headlines': block(forever(KASAN)),
    'short headlines': block(forever('BUG: ')),
    'left headlines': block(forever('[ 1.0] BUG: Bad rss-counter state mm')),
    'two kinds left': block(forever('[ 1.0] BUG: Bad rss-counter state mm',
                                    '[ 1.0] BUG: workqueue lockup')),
    'inline headlines': block(forever(KASAN + ' [inline]')),
    'a caller each': block(numbered('[ 1.0][ T@] ' + KASAN)),
    'a caller each, asking': block(numbered(
        '[ 1.0][ T@] ' + KASAN,
        '[ 1.0][ T@] Sending NMI from CPU 1 to CPUs 0:')),
    'asking': block(numbered('[ 1.0][ T1] ' + KASAN,
                             '[ 1.0][ T1] Sending NMI from CPU 1 to CPUs 0:',
                             '[ 1.0][ C@] NMI backtrace for cpu 0',
                             '[ 1.0][ C@]  f+0x1/0x2')),
    'quiet callers': block(numbered('[ 1.0][ T@] hello')),
    'one line': b'x' * BLOCK,
    'one line of headlines': b'BUG: KASAN: a in b ' * (BLOCK // 19),
    'one line of brackets': b'[' * BLOCK,
    'one line of blanks': b'BUG: ' + b' ' * BLOCK,
    'long headlines': block(forever(KASAN + ' BUG: {' * 1000 + ' ' * 2000)),
    'hex headlines': block(forever('BUG: x' + 'f' * 4000)),
    'digits in headlines': block(forever('BUG: ' + '1a' * 2000)),
    'newlines': b'\n' * BLOCK,
    'a headline, newlines': KASAN.encode() + b'\n' * BLOCK,
    'headlines, newlines': block(forever(KASAN, *[''] * 40)),
    'cut here': block(forever('------------[ cut here ]------------')),
    'cut here, a caller each': block(numbered(
        '[ 1.0][ T@] ------------[ cut here ]------------')),
    'endless report': ('\n'.join(traced(KASAN)) + '\n').encode() +
                      block(forever('[    1.000000]  g+0x1/0x2')),
    'panics': block(forever('Kernel panic - not syncing: Fatal exception')),
    'panics, a caller each': block(numbered(
        '[ 1.0][ T@] Kernel panic - not syncing: Fatal exception')),
    'reports': block(forever(*traced(KASAN))),
    'hung tasks': block(numbered(
        *traced('INFO: task a:@ blocked for more than 1 seconds.'))),
    'locks': block(forever(
        '[ 1.0] WARNING: possible circular locking dependency detected',
        '[ 1.0] a/1 is trying to acquire lock:',
        *['[ 1.0] #0: x (y), at: [<ffffffff81000000>] __lock+0x1/0x2'] * 500)),
    'five bytes': block(forever('BUG:', '[1.2', ' f+0', '<1>x', 'Oops')),
    'brackets': block(forever('[' * 70)),
    'times': block(forever('[1.2][1.2][1.2][1.2][1.2]')),
    'untimed, timed': block(forever('[ 1.0] BUG: workqueue lockup',
                                    *['user space'] * 60)),
    'reboots': block(forever('Booting the kernel.')),
    'replays': block(forever(KASAN, '** replaying previous printk message **')),
    'executors': block(forever(KASAN, ' f+0x1/0x2', *['Comm: syz.1.' * 20] * 50)),
    'skipped frames': block(forever(*traced(KASAN), *[
        '[ 1.0]  dump_stack+0x1/0x2', '[ 1.0]  kasan_report+0x1/0x2'] * 1500)),
    'colours': block(forever('\x1b[mB\x1b[mU\x1b[mG: \x1b[31mKASAN: a in b\x1b[')),
    'colours without end': b'\x1b[1;' * (BLOCK // 4),
    'NUL bytes': b'\0' * BLOCK,
    'mangled names': block(forever(
        KASAN.replace(' f+', ' dump_stack+'), 'Call Trace:',
        ' ' + self_reference(60) + '+0x1/0x2')),
}
# Only the first block: the others go on with what it began.
TAILS = {
    'a headline, newlines': LOGS['newlines'],
    'endless report': block(forever('[    1.000000]  g+0x1/0x2')),
}


def peak_mib(pid):
    """ru_maxrss would count what this program used before it forked."""
    for line in open('/proc/%d/status' % pid):
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) / 1024
    raise SystemExit('no VmHWM in /proc/%d/status' % pid)


def measure(bugon, name, mb):
    """Processor seconds and MiB of `bugon report` on `mb` megabytes."""
    run = subprocess.Popen([bugon, 'report'], stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL)
    data = LOGS[name]
    for _ in range(mb):
        run.stdin.write(data)
        data = TAILS.get(name, data)
    run.stdin.flush()
    rss = peak_mib(run.pid)
    run.stdin.close()
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode != 0:
        raise SystemExit('%s: exit status %d' % (name, run.returncode))
    return used.ru_utime + used.ru_stime, rss


def main():
    bugon, names = sys.argv[1], sys.argv[2:] or list(LOGS)
    full = int(os.environ.get('ADVERSARIAL_MB', '10'))
    small = max(full // 10, 1)
    bad = 0
    print('%-26s %10s %10s %8s' % ('log', '%d MB' % small, '%d MB' % full, 'memory'))
    for name in names:
        few, _ = measure(bugon, name, small)
        many, rss = measure(bugon, name, full)
        wrong = []
        # below some milliseconds a clock tells nothing
        if many / full > MAX_GROWTH * max(few / small, 0.005):
            wrong.append('NOT LINEAR')
        if many / full > MAX_SECONDS_PER_MB:
            wrong.append('SLOW')
        if rss > MAX_RSS_MIB:
            wrong.append('MEMORY')
        bad += bool(wrong)
        print('%-26s %7.1f ms %7.1f ms %4.0f MiB %s' %
              (name, few / small * 1e3, many / full * 1e3, rss, ' '.join(wrong)),
              flush=True)
    print('%d of %d logs are too much' % (bad, len(names)) if bad else
          'all %d logs are linear (times per MB)' % len(names))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
