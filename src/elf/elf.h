/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elf.h - source lines for the frames of kernel crash logs.
 *
 *	_cleanup_(symbols_closep) struct symbols *syms = NULL;
 *	TRY(symbols_open("vmlinux", "/lib/modules/6.12", &syms));
 *	symbolize_text(syms, log, &out);
 *	symbols_note(syms, &notes);
 *
 * turns
 *	 do_syscall_64+0xf3/0x230
 * into
 *	 do_syscall_x64 arch/x86/entry/common.c:52 [inline]
 *	 do_syscall_64+0xf3/0x230 arch/x86/entry/common.c:83
 *
 * It runs in process on libdw and reads only what is asked for: the symbol
 * table and the header of every compilation unit once, the lines and the
 * functions of a unit when the first frame falls into it, a module when its
 * first frame comes.
 *
 * What is looked up where:
 * - program counters (RIP, EIP, IP, pc, epc, era, NIP, TPC, PC is at, the
 *   header of a WARNING, "idling at", arm64's "(P)") at their address;
 *   everything else is a return address and is looked up one byte before it,
 *   inside the call; offset 0 is always exact, for the byte before is another
 *   function;
 * - a symbol is told from its namesakes by its size.  What a kernel prints as
 *   size is the distance to the next symbol (kernel/kallsyms.c,
 *   get_symbol_pos(): there are no sizes in kallsyms), so that one counts
 *   first and st_size second.  Namesakes of one size are told apart by the
 *   address of an old "[<ffffffff81000000>] " frame; when they remain and
 *   disagree the frame is left as it is;
 * - "? " frames are words found on the stack: they get their line, but no
 *   inlined callers, for nothing says that they were called;
 * - a frame that is followed by file:line already is left alone, so doing it
 *   twice changes nothing.
 *
 * Limits: not for several threads at once.  Split DWARF (.dwo), separate files
 * named by .gnu_debuglink and zstd (Debian's libelf has none) are not read.
 * Compressed sections are inflated as a whole when the file is opened: 1.6 s
 * instead of 0.06 s for a vmlinux of 314 MB.  Code of line 0 (clang) has no
 * line.  The function of an [inline] line is its DW_AT_name: a Rust one without
 * its path.  Memory grows with the units that were touched; it is given back by
 * symbols_close().
 *
 * To extend: the words that mark an exact address are one table in frame.c;
 * the names under which a module's file may stand are one table in modules.c.
 */
#ifndef ELF_ELF_H
#define ELF_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "elf/disasm.h" /* the code bytes of a report */
#include "elf/driver.h" /* what devices a kernel has */

struct symbols;

/**
 * Open a kernel with DWARF debug information; `module_dir` (NULL: none) is the
 * tree in which the modules' debug files are looked for by name, when needed.
 * Both strings are copied.
 * Errors: ERR_NOT_FOUND; ERR_INPUT for what is not such a kernel (a directory,
 * empty, not ELF, truncated, without symbols or DWARF); ERR_OS.
 */
fallible symbols_open(const char *vmlinux, const char *module_dir,
		      struct symbols **out);
void symbols_close(struct symbols *s);
DEFINE_CLEANUP(struct symbols *, symbols_close)

/* One frame as a log names it. */
struct symbols_query {
	struct slice func; /* with its suffix: "foo.isra.0" */
	struct slice module; /* empty: the kernel itself */
	uint64_t offset_bytes, size_bytes; /* func+offset/size; both needed */
	uint64_t address; /* when the log tells it, else 0 */
	bool is_return; /* a return address, not a program counter */
};

struct source_line {
	const char *func;
	const char *file; /* relative to the source tree where it can be */
	unsigned line;
	bool inlined;
};

/* Innermost first; the last is the physical function, at its call site. */
struct source_chain {
	const struct source_line *lines;
	size_t nr;
};

enum symbols_status {
	SYMBOLS_FOUND,
	SYMBOLS_UNKNOWN, /* no such symbol */
	SYMBOLS_MISMATCH, /* symbols of that name, none of that size */
	SYMBOLS_AMBIGUOUS, /* several of that name and size, that disagree */
	SYMBOLS_NO_LINE, /* no line for this address (assembly, padding) */
	SYMBOLS_NO_MODULE, /* no usable debug file for the module */
	SYMBOLS_NR_STATUS,
};

/**
 * Look one frame up.  `*out` is written when SYMBOLS_FOUND is returned and is
 * valid until the next call with the same `s`.
 */
enum symbols_status symbols_lookup(struct symbols *s,
				   const struct symbols_query *q,
				   struct source_chain *out);

/**
 * Append the kernel's function at `address` as a log would name it,
 * "func+0x1/0x20"; false, and nothing, if there is none.
 */
bool symbols_name(const struct symbols *s, uint64_t address, struct buf *out);

/**
 * Append `line` (without its '\n') to `out`, symbolized, every line ended by
 * '\n'.  The text around the frame (time stamp, "RIP: 0010:", " [module]") is
 * repeated on the inline lines.
 */
void symbolize_line(struct symbols *s, struct slice line, struct buf *out);

/** The same for a whole text; a missing last '\n' stays missing. */
void symbolize_text(struct symbols *s, struct slice text, struct buf *out);

/* How many lookups ended in each status, since symbols_open(). */
struct symbols_stats {
	unsigned long nr[SYMBOLS_NR_STATUS];
};

struct symbols_stats symbols_stats(const struct symbols *s);

/**
 * What the user should know, one line each, as far as it applies: a file of
 * another build ("vmlinux is of another build: N of M frames do not match"),
 * modules without a debug file.  Appends nothing when all is well.
 */
void symbols_note(const struct symbols *s, struct buf *out);

enum { ELF_SIGNATURE_BYTES = 33 };

/**
 * A name for what a vmlinux (or UML binary) executes: a hash of its allocated
 * sections in which build dates, release, build IDs, embedded configuration and
 * keys count as zeros, so two builds of equal code have it in common whenever
 * and wherever they were made.  Debug information and BTF do not count;
 * modules neither.  What is masked must be as long in both: a longer name of
 * the builder moves what follows it, and with it every address (kbuild sees to
 * that with names of its own).
 * Errors: ERR_NOT_FOUND (no such file, or no code in it: a debug file),
 * ERR_INPUT (not ELF, truncated), ERR_OS.
 */
fallible elf_signature(const char *path, char out[ELF_SIGNATURE_BYTES]);

#endif /* ELF_ELF_H */
