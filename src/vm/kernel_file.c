/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_file.c - what kind of kernel, if any, a file is. */
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "vm/internal.h"

enum { HEAD_BYTES = 4096, MAX_SECTIONS = 512, MAX_NAMES = 1 << 20 };

/* IMAGE_FILE_MACHINE_ARM64 of the PE format. */
#define PE_ARM64 0xaa64

static bool pread_all(int fd, void *p, size_t len, uint64_t at)
{
	return at < INT64_MAX && pread(fd, p, len, (off_t)at) == (ssize_t)len;
}

static void say(struct vm_kernel *k, enum vm_kernel_kind kind, const char *what)
{
	k->kind = kind;
	snprintf(k->what, sizeof(k->what), "%s", what);
}

/* Does a section's name begin with `prefix`? */
static bool has_section(int fd, const Elf64_Ehdr *eh, const char *prefix)
{
	Elf64_Shdr sh[MAX_SECTIONS];
	_cleanup_(buf_deinit) struct buf names = {};

	if (eh->e_shentsize != sizeof(sh[0]) || eh->e_shnum > MAX_SECTIONS ||
	    eh->e_shstrndx >= eh->e_shnum ||
	    !pread_all(fd, sh, eh->e_shnum * sizeof(sh[0]), eh->e_shoff))
		return false;
	size_t len = sh[eh->e_shstrndx].sh_size;
	if (!len || len > MAX_NAMES)
		return false;
	if (!pread_all(fd, buf_reserve(&names, len + 1), len,
		       sh[eh->e_shstrndx].sh_offset))
		return false;
	names.data[len] = '\0';
	for (unsigned i = 0; i < eh->e_shnum; i++)
		if (sh[i].sh_name < len && !strncmp(names.data + sh[i].sh_name,
						    prefix, strlen(prefix)))
			return true;
	return false;
}

static void identify_elf(int fd, const char *head, struct vm_kernel *k)
{
	Elf64_Ehdr eh;

	memcpy(&eh, head, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB) {
		say(k, VM_KERNEL_OTHER, "32-bit or big-endian ELF file");
	} else if (eh.e_machine == EM_AARCH64) {
		say(k, VM_KERNEL_OTHER,
		    "arm64 ELF file; arm64 boots from arch/arm64/boot/Image");
	} else if (eh.e_machine != EM_X86_64) {
		snprintf(k->what, sizeof(k->what),
			 "ELF file for machine number %u", eh.e_machine);
		k->kind = VM_KERNEL_OTHER;
	} else if (has_section(fd, &eh, ".uml.")) {
		say(k, VM_KERNEL_UML, "User Mode Linux");
	} else if (eh.e_type == ET_EXEC &&
		   has_section(fd, &eh, ".altinstructions")) {
		say(k, VM_KERNEL_VMLINUX, "x86-64 vmlinux");
	} else {
		say(k, VM_KERNEL_OTHER, "x86-64 program, not a kernel");
	}
}

/* The boot protocol: Documentation/arch/x86/boot.rst of Linux 6.12. */
static void identify_bzimage(int fd, const char *head, struct vm_kernel *k)
{
	uint16_t at;

	say(k, VM_KERNEL_BZIMAGE, "x86 bzImage");
	memcpy(&at, head + 0x20e, sizeof(at));
	if (at && pread(fd, k->version, sizeof(k->version) - 1, at + 0x200) < 0)
		k->version[0] = '\0';
	k->version[sizeof(k->version) - 1] = '\0';
	for (char *p = k->version; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '\0';
}

/* Documentation/arm64/booting.rst of Linux 6.1; the banner is in the clear. */
static void identify_arm64(int fd, struct vm_kernel *k)
{
	static const struct slice banner = SLICE("Linux version ");
	struct stat st;

	say(k, VM_KERNEL_ARM64, "arm64 Image");
	if (fstat(fd, &st) < 0 || st.st_size <= 0)
		return;
	struct slice s = { NULL, (size_t)st.st_size };
	void *p = mmap(NULL, s.len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return;
	s.p = p;
	const char *at = slice_find(s, banner);
	if (at) {
		struct slice rest = slice_range(at + banner.len, s.p + s.len);
		size_t n = MIN(rest.len, sizeof(k->version) - 1);

		for (size_t i = 0;
		     i < n && rest.p[i] >= ' ' && rest.p[i] <= '~'; i++)
			k->version[i] = rest.p[i];
	}
	munmap(p, s.len);
}

/* drivers/firmware/efi/libstub/zboot-header.S; the machine of the PE file. */
static void identify_zboot(const char *head, struct vm_kernel *k)
{
	uint32_t pe;
	uint16_t machine = 0;

	memcpy(&pe, head + 0x3c, sizeof(pe));
	if (pe < HEAD_BYTES - 6)
		memcpy(&machine, head + pe + 4, sizeof(machine));
	if (machine == PE_ARM64)
		say(k, VM_KERNEL_ARM64, "arm64 EFI zboot image");
	else
		say(k, VM_KERNEL_OTHER, "EFI zboot image for another machine");
}

/* QEMU unpacks an arm64 Image.gz by itself. */
static void identify_gzip(struct slice packed, struct vm_kernel *k)
{
	char head[0x40];

	if (vm_gunzip_head(packed, head, sizeof(head)) == sizeof(head) &&
	    !memcmp(head + 0x38, "ARM\x64", 4))
		say(k, VM_KERNEL_ARM64, "arm64 Image, gzip");
	else
		say(k, VM_KERNEL_OTHER, "gzip file; unpack it first");
}

static bool is_text(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)p[i] < ' ' && !memchr("\t\r\n\f", p[i], 4))
			return false;
	return len > 0;
}

fallible vm_kernel_identify(const char *path, struct vm_kernel *out)
{
	_cleanup_(close_fdp) int fd = -1;
	char head[HEAD_BYTES] = { 0 };
	struct vm_kernel k = { .kind = VM_KERNEL_UNKNOWN };

	TRY(io_open_regular(path, &fd));
	ssize_t n = read(fd, head, sizeof(head));
	if (n < 0)
		return error_os("%s", path);
	size_t len = (size_t)n;
	if (len == sizeof(head) && !memcmp(head + 0x202, "HdrS", 4) &&
	    !memcmp(head + 0x1fe, "\x55\xaa", 2))
		identify_bzimage(fd, head, &k);
	else if (len > 0x40 && !memcmp(head + 0x38, "ARM\x64", 4))
		identify_arm64(fd, &k);
	else if (len > sizeof(Elf64_Ehdr) && !memcmp(head, ELFMAG, SELFMAG))
		identify_elf(fd, head, &k);
	else if (len > 0x40 && !memcmp(head + 4, "zimg", 4))
		identify_zboot(head, &k);
	else if (!memcmp(head, "\x1f\x8b", 2))
		identify_gzip((struct slice){ head, len }, &k);
	else if (!memcmp(head,
			 "\xfd"
			 "7zXZ",
			 5))
		say(&k, VM_KERNEL_OTHER, "xz file; unpack it first");
	else if (!memcmp(head, "\x28\xb5\x2f\xfd", 4))
		say(&k, VM_KERNEL_OTHER, "zstd file; unpack it first");
	else if (!len)
		say(&k, VM_KERNEL_UNKNOWN, "empty file");
	else if (is_text(head, len))
		say(&k, VM_KERNEL_UNKNOWN, "text file");
	else
		say(&k, VM_KERNEL_UNKNOWN, "file of an unknown kind");
	*out = k;
	return NULL;
}
