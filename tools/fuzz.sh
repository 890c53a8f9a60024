#!/bin/sh
# Run every fuzz target for a while: tools/fuzz.sh [SECONDS [TARGET...]]
# Builds build-fuzz/ with clang. Starts from what earlier runs found
# (build-fuzz/corpus) and from ../shared, when that is there. Exits 1 on a
# finding, which is left in build-fuzz/findings/<target>/; 77 without clang.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
command -v clang >/dev/null || { echo "fuzz: install clang"; exit 77; }
if [ ! -f build-fuzz/build.ninja ]; then
	CC=clang meson setup build-fuzz -Dfuzzers=true -Dtests=disabled \
		-Dbuildtype=debugoptimized -Db_lundef=false \
		-Db_sanitize=address,undefined \
		-Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=all'
fi
ninja -C build-fuzz
if [ $# -eq 0 ]; then
	for f in build-fuzz/tests/fuzz/fuzz_*; do
		[ -f "$f" ] && [ -x "$f" ] && set -- "$@" "${f##*/fuzz_}"
	done
fi

# Files of ../shared that are inputs of a target, or of the parts of one.
seeds() {
	case $1 in
	desc)	echo tests/golden/desc ;;
	prog)	echo tests/golden/prog ;;
	report)	echo ../shared/seeds ../shared/corpus/report ;;
	match)	echo build-fuzz/lines ;;
	guilty)	echo ../shared/corpus/guilty ;;
	symbolize) echo ../shared/seeds ../shared/corpus/guilty ;;
	dwarf)	echo build-fuzz/dwarf ;;
	disasm)	echo ../shared/corpus/decompile ;;
	*) ;;
	esac
}

# The distinct lines of the seeds, numbers aside, a file each.
if [ ! -d build-fuzz/lines ]; then
	mkdir build-fuzz/lines
	cat ../shared/seeds/* 2>/dev/null | tr -d '\000' |
	awk '{ key = $0; gsub(/[0-9a-f]+/, "", key) }
	     !seen[key]++ && n < 2000 {
		file = "build-fuzz/lines/" ++n; print > file; close(file) }'
fi

# The line table and the unit of a small program, as fuzz_dwarf wants them.
if [ ! -d build-fuzz/dwarf ]; then
	mkdir build-fuzz/dwarf
	for version in 2 3 4 5; do
		clang -c -O2 -g -gdwarf-$version -Isrc -D_GNU_SOURCE -std=gnu17 \
			-o build-fuzz/x.o src/base/glob.c
		for name in line abbrev info; do
			objcopy --dump-section .debug_$name=build-fuzz/x.$name \
				build-fuzz/x.o
		done
		{ printf '\0'; cat build-fuzz/x.line; } \
			>build-fuzz/dwarf/line$version
		size=$(wc -c <build-fuzz/x.abbrev)
		{ printf "\\2\\$((version < 5 ? 13 : 14))"
		  printf "\\$(printf %o $((size % 256)))\\$(printf %o $((size / 256)))"
		  cat build-fuzz/x.abbrev build-fuzz/x.info; } \
			>build-fuzz/dwarf/info$version
	done
fi

status=0
for target in "$@"; do
	corpus=build-fuzz/corpus/$target
	findings=build-fuzz/findings/$target
	mkdir -p "$corpus" "$findings"
	set --
	for dir in $(seeds "$target"); do
		[ ! -d "$dir" ] || set -- "$@" "$dir"
	done
	dict=tests/fuzz/fuzz_$target.dict
	[ ! -f "$dict" ] || set -- "$@" "-dict=$dict"
	echo "== $target, $seconds s"
	log=$findings/log
	if ! build-fuzz/tests/fuzz/fuzz_"$target" "$corpus" "$@" \
	     -artifact_prefix="$findings/" -max_total_time="$seconds" \
	     -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 >"$log" 2>&1
	then
		status=1
		tail -n 40 "$log"
		echo "fuzz: $target: a finding, see $findings"
	else
		grep -E 'number_of_executed_units|average_exec|Done ' "$log"
	fi
done
exit $status
