/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * format.h - what the host and the guest's executor say to each other.
 *
 * Both map one region: a file on the host, a device in the guest (UML:
 * `iomem=mmapper,FILE` and /dev/mmapper; QEMU: `ivshmem-plain`, 1af4:1110, BAR 2
 * through /sys/bus/pci/devices/.../resource2; tests: `executor --shm FILE`).
 *
 *	0         struct wire_host   written by the host, read by the guest
 *	4 KiB     struct wire_guest  written by the guest, read by the host
 *	req_off   `slots` requests of `req_size` bytes         host -> guest
 *	resp_off  `slots` responses of `resp_size` bytes       guest -> host
 *	max_off   the max-signal table, `max_slots` u32        host -> guest
 *	bulk_off  `bulk_size` bytes that requests refer to     host -> guest
 *	cover_off `cover_size` bytes: struct wire_cover        QEMU -> guest
 *
 * Order of things: the host makes the file (wire_init), starts the guest and
 * waits for `guest.state`.  Request number n (0, 1, 2...) goes to slot
 * n % slots; `host.submitted = n + 1` publishes it.  The guest runs requests in
 * order and publishes the response in the same slot of the other array by
 * `guest.completed = n + 1`.  At most `slots` requests are under way; keep the
 * queue filled and nobody waits for the other.  Both counters wrap.
 *
 * There is no interrupt: who waits polls the other's counter, first spinning
 * for some microseconds, then sleeping 50 us, doubled up to 1 ms (an idle guest
 * costs about 2 % of a CPU).  Do not spin longer: the other may share the CPU.
 *
 * Without such memory the same goes over a serial line: see the end.
 *
 * All is little endian, aligned, offsets instead of pointers.  The host takes
 * every byte it did not write as hostile and uses wire.c to read it, which
 * copies first and then checks.  What the host wrote can be overwritten by a
 * guest gone wild too: the host must keep its own copy of all it needs.
 *
 * To extend: append to a structure's reserved part or add a flag, an op or a
 * request kind, and raise WIRE_VERSION when an old executor would misread it.
 */
#ifndef WIRE_FORMAT_H
#define WIRE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_MAGIC 0x4e475542u /* "BUGN" */
#define WIRE_VERSION 1u

#define WIRE_PAGE 4096u
#define WIRE_MAX_SLOTS 64u
#define WIRE_MAX_CALLS 512u /* of a program */
#define WIRE_MAX_RESULTS 512u /* r0..r511 */
#define WIRE_MAX_ARGV 64u /* of WIRE_EXEC, with the program's name */
#define WIRE_MAX_ARGS 9u /* of a call; the kernel takes 6 */
#define WIRE_MAX_REGION (1u << 30)
#define WIRE_PROBES 16u /* of the max-signal table */

/* The guest maps this many bytes at this address for a program's memory. */
#define WIRE_DATA_BASE 0x20000000u
#define WIRE_DATA_SIZE 0x1000000u

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "wire is LE");

/* ---- The two headers ---------------------------------------------------- */

struct wire_host {
	uint32_t magic, version;
	uint32_t host_size, guest_size; /* sizeof these two structures */
	uint64_t total_size; /* of the region, a multiple of WIRE_PAGE */
	uint32_t slots, reserved0; /* a power of two, 1..64 */
	uint32_t req_off, req_size; /* all in bytes, multiples of WIRE_PAGE */
	uint32_t resp_off, resp_size;
	uint32_t max_off, max_slots; /* max_slots: a power of two, or 0 */
	uint32_t bulk_off, bulk_size;
	uint32_t submitted; /* the doorbell: requests published so far */
	uint32_t stop; /* nonzero: the guest powers off, the process exits */
	uint32_t cover_off, cover_size; /* 0: no plugin */
	uint32_t cover_source; /* enum wire_cover_source */
	uint32_t reserved[11];
};
_Static_assert(sizeof(struct wire_host) == 128, "wire_host");

/* Where coverage is to come from. */
enum wire_cover_source {
	WIRE_COVER_AUTO = 0, /* KCOV, else the plugin */
	WIRE_COVER_KCOV = 1,
	WIRE_COVER_PLUGIN = 2,
	WIRE_COVER_NONE = 3,
};

enum wire_state {
	WIRE_STATE_NONE = 0, /* the executor has not been here yet */
	WIRE_STATE_BOOTING = 1, /* header understood, setting up */
	WIRE_STATE_READY = 2, /* serves requests */
	WIRE_STATE_FAILED = 3, /* cannot serve; `message` says why */
	WIRE_STATE_STOPPED = 4, /* `stop` was seen */
};

/* What the guest can do (wire_guest.features). */
#define WIRE_HAS_KCOV (1u << 0)
#define WIRE_HAS_KCOV_CMP (1u << 1)
#define WIRE_HAS_INIT (1u << 2) /* it is PID 1 and mounted things */
#define WIRE_HAS_USERNS (1u << 3) /* the namespace sandbox works */
#define WIRE_HAS_CGROUP (1u << 4)
#define WIRE_HAS_FAULT (1u << 5) /* /proc/self/fail-nth */
#define WIRE_HAS_PLUGIN (1u << 6) /* coverage from QEMU; not with KCOV */
#define WIRE_HAS_KCOV_REMOTE (1u << 7) /* coverage of the kernel's threads */

enum wire_arch { WIRE_ARCH_X86_64 = 1, WIRE_ARCH_ARM64 = 2 };

struct wire_guest {
	uint32_t magic, version;
	uint32_t state; /* enum wire_state */
	uint32_t arch; /* enum wire_arch */
	uint32_t features; /* WIRE_HAS_* */
	uint32_t completed; /* the doorbell: responses published so far */
	uint32_t heartbeat; /* raised at least every 100 ms while alive */
	uint32_t workers; /* processes started so far */
	uint32_t running; /* number of the request under way */
	uint32_t serial_read; /* bytes that came over the serial line; wraps */
	uint64_t pseudo; /* bit n: enum wire_pseudo n works here */
	uint32_t reserved[20];
	char message[128]; /* NUL-terminated text for WIRE_STATE_FAILED */
};
_Static_assert(sizeof(struct wire_guest) == 256, "wire_guest");
#define WIRE_GUEST_OFF WIRE_PAGE

/* ---- Requests ----------------------------------------------------------- */

enum wire_kind {
	WIRE_PROGRAM = 1, /* payload: instructions, see below */
	WIRE_EXEC = 2, /* payload: argv, each NUL-terminated; run and wait */
	WIRE_FILE = 3, /* payload: a path; make it from the bulk area */
	WIRE_NOP = 4, /* answered at once: is anybody there? */
};

enum wire_sandbox {
	WIRE_SANDBOX_NONE = 0, /* root of the guest */
	WIRE_SANDBOX_SETUID = 1, /* uid and gid 65534, no capabilities */
	WIRE_SANDBOX_NAMESPACE = 2, /* root of a new user namespace */
};

/* wire_request.flags */
#define WIRE_REQ_KEEP (1u << 0) /* reuse the worker of the program before */
#define WIRE_REQ_SIGNAL (1u << 1) /* return edge signals that are news */
#define WIRE_REQ_ALL_SIGNAL (1u << 2) /* not only the news */
#define WIRE_REQ_COVER (1u << 3) /* return the set of PCs of each call */
#define WIRE_REQ_CMP (1u << 4) /* comparisons instead of PCs and signals */
#define WIRE_REQ_THREADS (1u << 5) /* leave blocked calls behind, go on */
#define WIRE_REQ_ISOLATE (1u << 6) /* own mount namespace, even unasked */
#define WIRE_REQ_WATCH (1u << 7) /* with THREADS: interrupt no call, ever */

struct wire_request {
	uint32_t number; /* n, to be found again in the response */
	uint32_t kind; /* enum wire_kind */
	uint32_t flags; /* WIRE_REQ_* */
	uint32_t sandbox; /* enum wire_sandbox */
	uint32_t timeout_ms; /* for all; 0: 5000 */
	uint32_t call_timeout_ms; /* blocked for longer: left behind; 0: 50 */
	uint32_t size; /* bytes of payload after this structure */
	uint32_t mode; /* WIRE_FILE: permissions */
	uint32_t bulk_off; /* WIRE_FILE: from the start of the bulk area */
	uint32_t bulk_size; /* WIRE_FILE */
	uint32_t reserved[6];
};
_Static_assert(sizeof(struct wire_request) == 64, "wire_request");

/*
 * A program is a sequence of wire_insn; operands follow each.  Memory is
 * addressed by offsets into the data area (WIRE_DATA_BASE in the guest), which
 * is zero when the program starts.
 */
enum wire_op {
	WIRE_END = 0, /* the last one */
	WIRE_COPYIN = 1, /* `len` bytes follow, padded to 8; to data[off] */
	WIRE_STORE = 2, /* one wire_arg follows; its value to data[off] */
	WIRE_CALL = 3, /* `nargs` wire_arg follow */
	WIRE_COPYOUT = 4, /* result = the `len` (1,2,4,8) bytes at data[off] */
	WIRE_SPACE = 5, /* nothing: data[off, off + len) will be used */
	/*
	 * result = results[from] / v + off, where v is the constant wire_arg
	 * that follows; when results[from] is not set, it is not either.
	 */
	WIRE_DERIVE = 6,
	/* The checksum (RFC 1071) of `nargs` wire_chunk that follow, to
	 * data[off] as the two bytes of a packet. */
	WIRE_CSUM = 7,
	/* The image of the next pseudo-call: `off` bytes, zero but for the
	 * wire_runs in the `len` bytes that follow. */
	WIRE_IMAGE = 8,
};

/*
 * Numbers of pseudo-calls, which are no system calls: the executor does
 * something more complicated.  What a kernel supports: wire_guest.pseudo.
 */
#define WIRE_PSEUDO 0x80000000u
#define WIRE_NR_NONE 0xffffffffu /* a call that we do not have: ENOSYS */

enum wire_pseudo {
#define PSEUDO(NAME, name, undo) WIRE_SYZ_##NAME,
#include "wire/pseudo.def"
#undef PSEUDO
	WIRE_NR_PSEUDO
};

/* wire_insn.props of a call */
#define WIRE_CALL_ASYNC (1u << 0) /* do not wait for it */

#define WIRE_NO_RESULT 0xffffu

struct wire_insn {
	uint8_t op;
	uint8_t nargs; /* WIRE_COPYOUT: flags, WIRE_BIG_ENDIAN */
	uint16_t result; /* what it defines, or WIRE_NO_RESULT */
	union {
		uint32_t nr; /* WIRE_CALL: syscall number of the guest */
		uint32_t len; /* WIRE_COPYIN, WIRE_COPYOUT...: bytes */
		uint32_t from; /* WIRE_DERIVE */
	};
	union {
		uint64_t off; /* into the data area */
		struct {
			uint16_t props; /* WIRE_CALL_* */
			uint16_t rerun; /* run it that many times more */
			uint32_t fail_nth; /* inject a fault; 0: none */
		};
	};
};
_Static_assert(sizeof(struct wire_insn) == 16, "wire_insn");

enum wire_arg_kind {
	WIRE_CONST = 0, /* value */
	WIRE_DATA = 1, /* the address of data[value] */
	WIRE_RESULT = 2, /* results[result], `value` when it was never set */
};

#define WIRE_BIG_ENDIAN (1u << 0)

struct wire_arg {
	uint8_t kind; /* enum wire_arg_kind */
	/* The next four say how WIRE_STORE writes it; 0 for calls. */
	uint8_t size; /* 1, 2, 4, 8; of text as enum wire_text says */
	uint8_t flags; /* WIRE_BIG_ENDIAN */
	uint8_t bit_off, bit_len; /* a bit field of it when bit_len != 0 */
	uint8_t text; /* enum wire_text */
	uint16_t result;
	uint64_t value;
};
_Static_assert(sizeof(struct wire_arg) == 16, "wire_arg");

/* A number as text, with leading zeroes. */
enum wire_text {
	WIRE_BINARY = 0, /* as no text */
	WIRE_DEC = 1, /* 20 digits */
	WIRE_HEX = 2, /* 0x and 16 digits */
	WIRE_OCT = 3, /* 23 digits */
};

static inline uint8_t wire_text_bytes(uint8_t text)
{
	return text == WIRE_DEC ? 20 :
	       text == WIRE_HEX ? 18 :
	       text == WIRE_OCT ? 23 :
				  0;
}

static inline void wire_text_put(uint8_t text, uint64_t value, char *to)
{
	uint32_t base = text == WIRE_DEC ? 10 : text == WIRE_HEX ? 16 : 8;
	uint32_t head = text == WIRE_HEX ? 2 : 0;

	for (uint32_t i = wire_text_bytes(text); i > head; value /= base)
		to[--i] = "0123456789abcdef"[value % base];
	if (head) {
		to[0] = '0';
		to[1] = 'x';
	}
}

enum wire_chunk_kind {
	WIRE_CHUNK_CONST = 0, /* the `len` (2, 4, 8) bytes of value */
	WIRE_CHUNK_DATA = 1, /* data[value, value + len) */
};

struct wire_chunk { /* of WIRE_CSUM */
	uint32_t kind, len;
	uint64_t value;
};
_Static_assert(sizeof(struct wire_chunk) == 16, "wire_chunk");

/* Add bytes to a checksum; only the last ones may be odd in number. */
static inline uint64_t wire_csum_add(uint64_t sum, const void *bytes,
				     uint64_t len)
{
	const unsigned char *p = bytes;

	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)p[0] | (uint32_t)p[1] << 8;
	return len ? sum + *p : sum;
}

/* The checksum itself, to be stored as it is. */
static inline uint16_t wire_csum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

struct wire_run { /* of WIRE_IMAGE: `len` bytes follow, padded to 8 */
	uint64_t off;
	uint32_t len, reserved;
};
_Static_assert(sizeof(struct wire_run) == 16, "wire_run");
#define WIRE_MAX_IMAGE (129ull << 20)

/* ---- Responses ---------------------------------------------------------- */

enum wire_status {
	WIRE_DONE = 0, /* ran to its end */
	WIRE_EXITED = 1, /* the program exited; `code` is its status */
	WIRE_KILLED = 2, /* by signal `code` */
	WIRE_TIMEOUT = 3, /* took longer than timeout_ms; killed */
	WIRE_INVALID = 4, /* the request made no sense; `code`: byte offset */
	WIRE_ERROR = 5, /* the guest could not; `code` is an errno */
};

#define WIRE_RESP_TRUNCATED (1u << 0) /* signals or PCs did not fit */
#define WIRE_RESP_NEW_WORKER (1u << 1) /* ran in a fresh process */
#define WIRE_RESP_STUCK \
	(1u << 2) /* SIGKILL did not help: boot the guest anew */

#define WIRE_RESP_EXTRA (1u << 3) /* see wire_call */

struct wire_response {
	uint32_t number; /* of the request */
	uint32_t status; /* enum wire_status */
	int32_t code; /* by status; WIRE_EXEC: exit status when WIRE_EXITED */
	uint32_t flags; /* WIRE_RESP_* */
	uint32_t ncalls; /* wire_call records that follow */
	uint32_t size; /* bytes used of the slot, this included */
	uint64_t elapsed_ns; /* guest's clock, set-up and clean-up included */
	uint32_t reserved[8];
};
_Static_assert(sizeof(struct wire_response) == 64, "wire_response");

/* wire_call.flags */
#define WIRE_CALLED (1u << 0) /* was started */
#define WIRE_RETURNED (1u << 1) /* and returned: ret and err are valid */
#define WIRE_BLOCKED (1u << 2) /* was left behind on its thread */
#define WIRE_COVER_FULL (1u << 3) /* the trace's buffer was too small */
#define WIRE_FAULTED (1u << 4) /* fail_nth hit something */

/*
 * One per WIRE_CALL of the program, in its order.  Offsets: from the response.
 * With WIRE_RESP_EXTRA one more, for what kernel threads and interrupts did for
 * the program meanwhile (remote coverage); its flags, ret and err are 0.
 */
struct wire_call {
	uint32_t flags;
	int32_t err; /* errno, 0 when it succeeded */
	uint64_t ret; /* what the syscall returned */
	uint32_t trace_len; /* entries of the trace, before any filter */
	uint32_t nsignals, signals_off; /* u32 each */
	uint32_t npcs, pcs_off; /* u64 each, without duplicates */
	uint32_t ncmps, cmps_off; /* struct wire_cmp each */
	uint32_t reserved;
};
_Static_assert(sizeof(struct wire_call) == 48, "wire_call");

struct wire_cmp { /* linux/kcov.h: KCOV_CMP_* */
	uint64_t type, arg1, arg2, pc;
};
_Static_assert(sizeof(struct wire_cmp) == 32, "wire_cmp");

/* ---- Coverage from QEMU ------------------------------------------------- */

/*
 * What QEMU's plugin (plugin/cover.c) writes: a page with this, then the slots'
 * traces, u64 program counters each, slot 0's last and largest.  The plugin
 * never reads it, the host neither; the executor takes it for KCOV's buffers.
 *
 * Unlike KCOV's, a trace has every edge once per call.  Where one was left out,
 * the next goes on behind WIRE_COVER_GAP, with the block it comes from.
 */
#define WIRE_COVER_MAGIC 0x31564f43u /* "COV1" */
#define WIRE_COVER_THREADS 8u
#define WIRE_COVER_GAP 1u /* in place of a program counter */
#define WIRE_COVER_SIDE (32u << 10) /* entries of slots 1 to 7 */
#define WIRE_COVER_MIN (4u << 20) /* the smallest cover_size */

struct wire_cover {
	uint32_t magic, version; /* WIRE_COVER_MAGIC: the plugin is there */
	uint32_t reserved[14];
	uint32_t count[WIRE_COVER_THREADS]; /* entries so far */
};
_Static_assert(sizeof(struct wire_cover) == 96, "wire_cover");

/* Where slot `i`'s entries begin in the cover area, and how many fit. */
static inline uint32_t wire_cover_off(uint32_t size, uint32_t i)
{
	uint32_t side = WIRE_COVER_SIDE * (uint32_t)sizeof(uint64_t);

	return WIRE_PAGE + side * (i ? i - 1 : WIRE_COVER_THREADS - 1);
}

static inline uint32_t wire_cover_entries(uint32_t size, uint32_t i)
{
	return i ? WIRE_COVER_SIDE :
		   (size - wire_cover_off(size, 0)) /
			       (uint32_t)sizeof(uint64_t);
}

/* How much of a trace the next call may find taken: an eighth is free. */
static inline uint32_t wire_cover_room(uint32_t entries)
{
	return entries / 8 * 7;
}

/*
 * The executor's marks: loads of four bytes from the address
 * words + 8 * slot + op, where `words` is aligned to 64.  START is in
 * front of the system call's instruction with nothing between, STOP behind it.
 * x86-64: mov WIRE_MARK + op(%rbx), %ecx.
 */
#define WIRE_MARK 0x42475500u
#define WIRE_MARK_START 1u
#define WIRE_MARK_STOP 2u
#define WIRE_MARK_REWIND 3u /* stop, and forget the trace */
#define WIRE_MARK_ROOM 4u /* forget what is beyond wire_cover_room() */
#define WIRE_MARK_LAST WIRE_MARK_ROOM

static inline uint32_t wire_mark_slot(uint64_t address)
{
	return (uint32_t)(address >> 3) % WIRE_COVER_THREADS;
}

/* ---- Signals ------------------------------------------------------------ */

/* Spread 32 bits (the finalizer of MurmurHash3, public domain). */
static inline uint32_t wire_hash32(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x85ebca6bu;
	x ^= x >> 13;
	x *= 0xc2b2ae35u;
	return x ^ x >> 16;
}

/*
 * The signal of going from one traced PC to the next; never 0.  The first PC of
 * a call has prev = 0.  The low halves will do: kernel text is within 2 GiB.
 */
static inline uint32_t wire_edge(uint64_t prev, uint64_t pc)
{
	uint32_t s = wire_hash32((uint32_t)prev) ^ (uint32_t)pc;

	return s ? s : 1;
}

/*
 * The max-signal table: open addressing, 0 is empty, at most WIRE_PROBES places
 * from the hash on.  The host alone writes.  A signal that found no place is
 * reported as news each time: harmless, so the table never has to grow.
 */
static inline int wire_max_has(const uint32_t *table, uint32_t slots,
			       uint32_t signal)
{
	uint32_t at = wire_hash32(signal);

	for (uint32_t i = 0; slots && i < WIRE_PROBES; i++, at++) {
		uint32_t s = __atomic_load_n(&table[at & (slots - 1)],
					     __ATOMIC_RELAXED);

		if (!s || s == signal)
			return s == signal;
	}
	return 0;
}

/* Put a signal into it; 0 when there is no room. */
static inline int wire_max_put(uint32_t *table, uint32_t slots, uint32_t signal)
{
	uint32_t at = wire_hash32(signal);

	for (uint32_t i = 0; slots && signal && i < WIRE_PROBES; i++, at++) {
		uint32_t *s = &table[at & (slots - 1)];

		if (*s && *s != signal)
			continue;
		__atomic_store_n(s, signal, __ATOMIC_RELAXED);
		return 1;
	}
	return 0;
}

/* ---- The same over a serial line ---------------------------------------- */

/*
 * Without shared memory both sides keep a private copy of the region and send
 * what they write as frames; whoever receives one copies `len` bytes to `off`.
 * The receiver accepts only what the sender may write (the host: all but
 * wire_guest and the responses; the guest: only those), and counters are sent
 * last.  A frame to max_off is not a copy: it lists signals for the table
 * (wire_max_put).
 *
 * The guest begins: it sends a wire_guest with WIRE_STATE_NONE until the host's
 * header comes.  The host sends at most WIRE_SERIAL_WINDOW bytes more than
 * wire_guest.serial_read says were taken: half of a tty's buffer (n_tty.c), so
 * that none overflows and no line is throttled, from which UML's does not wake.
 *
 * Noise between frames is skipped: look for the magic, then check the head; if
 * the bytes behind it are damaged, the frame is dropped as a whole.
 */
#define WIRE_FRAME_MAGIC 0xb0604e5au
#define WIRE_FRAME_MAX 65536u
#define WIRE_SERIAL_WINDOW 2048u

struct wire_frame {
	uint32_t magic; /* WIRE_FRAME_MAGIC */
	uint32_t off, len; /* len <= WIRE_FRAME_MAX */
	uint32_t check; /* wire_frame_check(off, len) */
	uint32_t crc; /* wire_crc32() of the bytes */
};
_Static_assert(sizeof(struct wire_frame) == 20, "wire_frame");

static inline uint32_t wire_frame_check(uint32_t off, uint32_t len)
{
	return wire_hash32(off ^ WIRE_FRAME_MAGIC) + wire_hash32(len);
}

/* CRC-32 of IEEE 802.3, four bits at a time: a line is slower than that. */
static inline uint32_t wire_crc32(const void *bytes, uint32_t len)
{
	static const uint32_t of_nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const unsigned char *p = bytes;
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < len; i++) {
		crc = of_nibble[(crc ^ p[i]) & 15] ^ crc >> 4;
		crc = of_nibble[(crc ^ p[i] >> 4) & 15] ^ crc >> 4;
	}
	return ~crc;
}

/* The head of a frame for `len` bytes at `off` of the region. */
static inline struct wire_frame wire_frame_of(uint32_t off, const void *bytes,
					      uint32_t len)
{
	return (struct wire_frame){
		.magic = WIRE_FRAME_MAGIC,
		.off = off,
		.len = len,
		.check = wire_frame_check(off, len),
		.crc = wire_crc32(bytes, len),
	};
}

/* What the beginning of a stream of bytes is. */
enum wire_frame_is { WIRE_FRAME_NOISE, WIRE_FRAME_PARTIAL, WIRE_FRAME_WHOLE };

/**
 * Look at the `n` bytes at `p`.  *skip is how many of them to drop then: noise,
 * or the frame, whose bytes are at p + sizeof(struct wire_frame).
 */
static inline enum wire_frame_is wire_frame_look(const unsigned char *p,
						 uint32_t n,
						 struct wire_frame *f,
						 uint32_t *skip)
{
	const uint32_t magic = WIRE_FRAME_MAGIC;
	uint32_t at = 0;

	while (at < n &&
	       __builtin_memcmp(p + at, &magic, n - at < 4 ? n - at : 4))
		at++;
	*skip = at;
	if (at)
		return WIRE_FRAME_NOISE;
	if (n < sizeof(*f))
		return WIRE_FRAME_PARTIAL;
	__builtin_memcpy(f, p, sizeof(*f));
	*skip = 1;
	if (f->len > WIRE_FRAME_MAX ||
	    f->check != wire_frame_check(f->off, f->len))
		return WIRE_FRAME_NOISE;
	*skip = (uint32_t)sizeof(*f) + f->len;
	if (n < *skip)
		return WIRE_FRAME_PARTIAL;
	return wire_crc32(p + sizeof(*f), f->len) == f->crc ? WIRE_FRAME_WHOLE :
							      WIRE_FRAME_NOISE;
}

#endif /* WIRE_FORMAT_H */
