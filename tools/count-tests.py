#!/usr/bin/env python3
"""Sum up the test cases of several Meson build directories.

usage: count-tests.py STATUS DIR...
Prints "N passed, N failed, N skipped"; STATUS not 0 counts as a failure that
no test case shows (a build, a fuzzer).
"""
import os
import sys
import xml.etree.ElementTree as xml


def main():
    passed = failed = skipped = 0
    for build in sys.argv[2:]:
        log = os.path.join(build, 'meson-logs', 'testlog.junit.xml')
        if not os.path.exists(log):
            failed += 1
            continue
        for case in xml.parse(log).iter('testcase'):
            kinds = {child.tag for child in case}
            if kinds & {'failure', 'error'}:
                failed += 1
            elif 'skipped' in kinds:
                skipped += 1
            else:
                passed += 1
    if sys.argv[1] != '0' and not failed:
        failed = 1
    print('%d passed, %d failed, %d skipped' % (passed, failed, skipped))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
