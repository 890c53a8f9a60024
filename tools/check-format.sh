#!/bin/sh
# Every C file is as clang-format 14 writes it: check-format.sh ROOT
set -eu
cd "${1:-.}"
command -v clang-format >/dev/null || { echo "no clang-format: apt install clang-format"; exit 77; }
find src tests executor plugin -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror
