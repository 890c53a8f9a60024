#!/bin/sh
# can-link.sh CC - can this compiler make a static program, i.e. is there a libc?
echo 'int main(void) { return 0; }' | "$@" -static -x c -o /dev/null - 2>/dev/null
