// pacer_policy.h turns a policy written in C into a WASM module for Pacer. It is
// one file, needs no library, and works beside one (wasi-libc). A whole module is
//
//	#define PACER_NAME "even-racks"
//	#define PACER_VERSION "1.0.0"
//	#define PACER_CONSTRAINTS "EVEN"
//	#include "pacer_policy.h"
//
//	void *constraint_prepare(const pacer_constraint_spec *spec, uint32_t *traits) {
//		if (spec->has_value) return pacer_invalid("EVEN takes no value");
//		*traits = PACER_PURE_PER_VALUE;
//		return 0;
//	}
//
//	void constraint_evaluate(void *state, const pacer_constraint_input *in, pacer_constraint_answer *out) {
//		for (uint32_t slot = 1; slot < in->values; slot++)
//			if (pacer_value(in, slot).size % 2 == 0) out->quota[slot] = PACER_UNLIMITED;
//	}
//
// built with
//
//	clang --target=wasm32 -nostdlib -O2 -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=32768 -o even.wasm even.c
//
// A module offers the kinds whose names are defined before the include, and has to
// define the functions of those, which bear the names of the ABI's exports:
//
//	PACER_CONSTRAINTS          constraint_prepare, constraint_evaluate
//	PACER_FETCH_POLICIES       fetch_prepare, fetch_decide
//	PACER_UPGRADE_STRATEGIES   upgrade_prepare, upgrade_next
//	PACER_HEALTH_RULES         health_prepare, health_judge
//	PACER_ADMISSION_POLICIES   admission_review
//	PACER_CONFIGURE            policy_configure, which gets the operator's settings
//
// Each is a list of names in quotes, PACER_CONFIGURE is just defined. sdk/policy.proto
// says what each field means, docs/policy-abi.md how the module is called.
//
// Memory. What a function is given, and what pacer_scratch and the text functions
// return, is good until it returns. What a prepare function gets from pacer_keep is
// good until the host releases what was prepared. Neither is freed by the module.
// When memory ends, the module traps.
//
// The header is to be included in one file of a module. Names that begin with
// pacer__ are its own. It is longer than a file of Pacer should be because its users
// want exactly one.
#ifndef PACER_POLICY_H
#define PACER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined PACER_NAME || !defined PACER_VERSION
#error "define PACER_NAME and PACER_VERSION before pacer_policy.h is included"
#endif

#ifndef __wasm32__
#error "pacer_policy.h is for WASM modules: clang --target=wasm32"
#endif

// --- Text ---------------------------------------------------------------------

// pacer_text is text or bytes; it does not end with a 0.
typedef struct {
	const char *at;
	uint32_t size;
} pacer_text;

// PACER_TEXT makes one of a literal.
#define PACER_TEXT(literal) ((pacer_text){"" literal, sizeof(literal) - 1})

static inline pacer_text pacer_text_of(const char *text) {
	pacer_text t = {text, 0};
	while (text[t.size]) t.size++;
	return t;
}

static inline pacer_text pacer__same(pacer_text text) { return text; }

// Where PACER__TEXT is used, text that ends with a 0 is as good as a pacer_text.
#define PACER__TEXT(text) \
	_Generic((text), pacer_text: pacer__same, char *: pacer_text_of, const char *: pacer_text_of)(text)

// --- Memory -------------------------------------------------------------------

#define PACER__IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define PACER__ONCE __attribute__((noinline, unused)) static // not worth a copy for each caller
#define PACER__EXPORT(name) __attribute__((export_name(name), used))

// The compiler calls these three whether there is a library or not.
__attribute__((weak, no_builtin)) void *memcpy(void *to, const void *from, size_t size) {
	uint8_t *t = to;
	const uint8_t *f = from;
	for (; size >= 8; size -= 8, t += 8, f += 8) {
		uint64_t eight;
		__builtin_memcpy(&eight, f, 8); // of a fixed size it is a load, not a call
		__builtin_memcpy(t, &eight, 8);
	}
	while (size-- > 0) *t++ = *f++;
	return to;
}

__attribute__((weak, no_builtin)) void *memset(void *at, int value, size_t size) {
	uint8_t *a = at;
	const uint64_t eight = 0x0101010101010101u * (uint8_t)value;
	for (; size >= 8; size -= 8, a += 8) __builtin_memcpy(a, &eight, 8);
	while (size-- > 0) *a++ = (uint8_t)value;
	return at;
}

__attribute__((weak, no_builtin)) int memcmp(const void *a, const void *b, size_t size) {
	const uint8_t *x = a, *y = b;
	for (; size > 0; size--, x++, y++)
		if (*x != *y) return *x < *y ? -1 : 1;
	return 0;
}

PACER__IMPORT("wasi_snapshot_preview1", "fd_write")
uint32_t pacer__fd_write(uint32_t fd, const pacer_text *list, uint32_t n, uint32_t *written);

// pacer_panic ends the instance: the call becomes a fault with this cause.
__attribute__((noreturn, cold, noinline)) static void pacer_panic(const char *cause) {
	uint32_t written;
	pacer_text line[3] = {PACER_TEXT("panic: "), pacer_text_of(cause), PACER_TEXT("\n")};
	pacer__fd_write(2, line, 3, &written);
	__builtin_trap();
}

// pacer__block is the head of a piece of memory of 1 << order bytes, head included.
typedef struct pacer__block {
	struct pacer__block *next;
	uint32_t order;
} pacer__block;

enum { PACER__HEAD = 8, PACER__PAGE = 1 << 16, PACER__PAGE_ORDER = 16 };

static struct {
	pacer__block *free[32];
	uint8_t *at, *end; // of the page that small pieces are cut from
	pacer__block *scratch, *kept; // of this call
} pacer__memory;

// pacer__grow asks the engine for whole pages. It never uses the space behind the
// module's data, which is the library's if there is one.
static void *pacer__grow(uint32_t pages) {
	uint32_t before = (uint32_t)__builtin_wasm_memory_grow(0, pages);
	if (before == UINT32_MAX) pacer_panic("out of memory");
	return (void *)(before * PACER__PAGE);
}

// pacer__take adds a piece to the chain and returns what is behind its head, which
// has the alignment of 8.
static void *pacer__take(pacer__block **chain, uint32_t size) {
	if (size > (1u << 30)) pacer_panic("out of memory");
	uint32_t order = 32 - (uint32_t)__builtin_clz((size + PACER__HEAD - 1) | 15);
	pacer__block *block = pacer__memory.free[order];
	if (block) {
		pacer__memory.free[order] = block->next;
	} else if (order >= PACER__PAGE_ORDER) {
		block = pacer__grow(1u << (order - PACER__PAGE_ORDER));
	} else {
		if ((uint32_t)(pacer__memory.end - pacer__memory.at) < 1u << order) {
			pacer__memory.at = pacer__grow(1);
			pacer__memory.end = pacer__memory.at + PACER__PAGE;
		}
		block = (pacer__block *)pacer__memory.at;
		pacer__memory.at += 1u << order;
	}
	block->order = order;
	block->next = *chain;
	*chain = block;
	return block + 1;
}

PACER__ONCE void pacer__give_back(pacer__block **chain) {
	while (*chain) {
		pacer__block *block = *chain;
		*chain = block->next;
		block->next = pacer__memory.free[block->order];
		pacer__memory.free[block->order] = block;
	}
}

// pacer_scratch is memory for this call. Its content is undefined.
static inline void *pacer_scratch(uint32_t size) { return pacer__take(&pacer__memory.scratch, size); }

// pacer_keep is memory, all zeros, for as long as what is prepared in this call
// lives. Outside of a prepare function it is memory for the call.
static inline void *pacer_keep(uint32_t size) { return memset(pacer__take(&pacer__memory.kept, size), 0, size); }

// pacer_keep_text is a copy of a text that is kept as by pacer_keep.
static inline pacer_text pacer_keep_text(pacer_text text) {
	return (pacer_text){memcpy(pacer_keep(text.size), text.at, text.size), text.size};
}

// --- Words for authors --------------------------------------------------------

static inline bool pacer_same(pacer_text a, pacer_text b) {
	return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

// pacer_equal compares with a literal.
#define pacer_equal(text, literal) pacer_same(text, PACER_TEXT(literal))

// pacer_begins tells whether the text begins with the other.
static inline bool pacer_begins(pacer_text text, pacer_text with) {
	return text.size >= with.size && memcmp(text.at, with.at, with.size) == 0;
}

// pacer_join puts texts together, in memory for this call:
// pacer_join(PACER_TEXT("at most "), pacer_number(n)).
#define pacer_join(...) \
	pacer__join((pacer_text[]){__VA_ARGS__}, sizeof((pacer_text[]){__VA_ARGS__}) / sizeof(pacer_text))

PACER__ONCE pacer_text pacer__join(const pacer_text *parts, uint32_t n) {
	uint32_t size = 0;
	for (uint32_t i = 0; i < n; i++) size += parts[i].size;
	char *to = pacer_scratch(size);
	pacer_text joined = {to, size};
	for (uint32_t i = 0; i < n; i++) {
		memcpy(to, parts[i].at, parts[i].size);
		to += parts[i].size;
	}
	return joined;
}

// pacer_number is the number in decimal digits, in memory for this call.
PACER__ONCE pacer_text pacer_number(uint64_t n) {
	char *end = (char *)pacer_scratch(20) + 20, *at = end;
	do *--at = (char)('0' + n % 10);
	while (n /= 10);
	return (pacer_text){at, (uint32_t)(end - at)};
}

// pacer_integer reads a decimal number with an optional sign. It returns false for
// anything else, and for what is not from low to high.
PACER__ONCE bool pacer_integer(pacer_text text, int64_t low, int64_t high, int64_t *into) {
	const char *end = text.at + text.size;
	bool negative = text.size > 0 && *text.at == '-';
	if (negative || (text.size > 0 && *text.at == '+')) text.at++;
	if (text.at == end) return false;
	int64_t n = 0; // below 0 until the end: the smallest number has no counterpart
	for (; text.at < end; text.at++) {
		int64_t digit = *text.at - '0';
		if (digit < 0 || digit > 9 || n < (INT64_MIN + digit) / 10) return false;
		n = 10 * n - digit;
	}
	if (!negative && n == INT64_MIN) return false;
	if (!negative) n = -n;
	*into = n;
	return low <= n && n <= high;
}

PACER__IMPORT("policy_v1", "log") void pacer__log(int32_t level, const char *text, uint32_t size);
PACER__IMPORT("policy_v1", "log_enabled") int32_t pacer__log_enabled(int32_t level);

enum { PACER_DEBUG, PACER_INFO, PACER_WARNING, PACER_ERROR };

// pacer_log writes a line to Pacer's log. A module may write some 20 in a second.
#define pacer_log(level, text) pacer__log_text(level, PACER__TEXT(text))
static inline void pacer__log_text(int32_t level, pacer_text text) { pacer__log(level, text.at, text.size); }

// pacer_log_enabled tells whether lines of that level are written at all.
static inline bool pacer_log_enabled(int32_t level) { return pacer__log_enabled(level) != 0; }

// The rest has to be listed in the module's manifest, and granted by the operator. A
// module imports what it calls, and nothing else.

PACER__IMPORT("policy_v1", "now_ms") uint64_t pacer__now_ms(void);
PACER__IMPORT("policy_v1", "rand_u64") uint64_t pacer__rand_u64(void);
PACER__IMPORT("policy_v1", "metric_add") void pacer__metric_add(uint32_t metric, double v);
PACER__IMPORT("policy_v1", "metric_observe") void pacer__metric_observe(uint32_t metric, double v);
PACER__IMPORT("policy_v1", "kv_get")
int32_t pacer__kv_get(const char *key, uint32_t size, char *into, uint32_t room);
PACER__IMPORT("policy_v1", "kv_put")
int32_t pacer__kv_put(const char *key, uint32_t size, const char *value, uint32_t length);

// pacer_now is the time of the call, in milliseconds since 1970. It stands still while
// a call lasts. It needs the grant "now".
static inline uint64_t pacer_now(void) { return pacer__now_ms(); }

// pacer_rand is a random number. The same call, with the same bytes, gets the same
// ones. It needs the grant "rand".
static inline uint64_t pacer_rand(void) { return pacer__rand_u64(); }

// pacer_metric_add adds to a metric of the manifest: a counter, by 0 or more, or a
// gauge. It needs the grant "metric".
static inline void pacer_metric_add(uint32_t metric, double v) { pacer__metric_add(metric, v); }

// pacer_metric_observe sets a gauge of the manifest or adds a value to a histogram. It
// needs the grant "metric".
static inline void pacer_metric_observe(uint32_t metric, double v) { pacer__metric_observe(metric, v); }

// pacer_kv_get is what is kept under a key, in memory for this call; empty when nothing
// is. What is kept is common to all instances of the module, and is lost when Pacer or
// the module is restarted. It needs the grant "kv".
static inline pacer_text pacer_kv_get(pacer_text key) {
	for (uint32_t room = 240;;) {
		char *into = pacer_scratch(room);
		int32_t size = pacer__kv_get(key.at, key.size, into, room);
		if (size <= 0) return (pacer_text){into, 0};
		if ((uint32_t)size <= room) return (pacer_text){into, (uint32_t)size};
		room = (uint32_t)size; // more than there was room for
	}
}

// pacer_kv_put keeps a value under a key if the call succeeds; an empty one removes the
// key. It returns false when there is no room: a module may keep 64 KiB, with 32 bytes
// for each entry. It needs the grant "kv".
static inline bool pacer_kv_put(pacer_text key, pacer_text value) {
	return pacer__kv_put(key.at, key.size, value.at, value.size) == 0;
}

// --- Errors -------------------------------------------------------------------

static struct {
	uint32_t code; // 0: none
	pacer_text reason;
} pacer__error;

static inline void *pacer__fail(uint32_t code, pacer_text reason) {
	if (pacer__error.code == 0) { // the first one counts
		pacer__error.code = code;
		pacer__error.reason = reason;
	}
	return NULL;
}

// pacer_invalid makes the answer of this call an error that the user has to mend:
// the reason is shown to them. Return from the function afterwards.
#define pacer_invalid(reason) pacer__fail(1, PACER__TEXT(reason))

// pacer_fault makes the answer of this call a fault of the module.
#define pacer_fault(reason) pacer__fail(2, PACER__TEXT(reason))

static inline void pacer__malformed(void) { pacer_fault("malformed message"); }

// --- Reading ------------------------------------------------------------------

typedef struct {
	uint32_t field, kind;
	uint64_t bits;   // of a number
	pacer_text text; // of what has a length
} pacer__item;

PACER__ONCE bool pacer__varint(pacer_text *message, uint64_t *value) {
	*value = 0;
	for (uint32_t shift = 0; shift < 70 && message->size > 0; shift += 7) {
		uint8_t byte = (uint8_t)*message->at++;
		message->size--;
		*value |= (uint64_t)(byte & 0x7f) << (shift & 63);
		if (byte < 0x80) return true;
	}
	return false;
}

static inline void pacer__skip(pacer_text *message, uint32_t size) {
	message->at += size;
	message->size -= size;
}

// pacer__next cuts the first field off the message. It returns false at the end,
// and when the rest is no message, which becomes the answer of the call.
static bool pacer__next(pacer_text *message, pacer__item *it) {
	uint64_t tag, size;
	if (message->size == 0) return false;
	if (!pacer__varint(message, &tag)) return pacer__malformed(), false;
	*it = (pacer__item){.field = (uint32_t)(tag >> 3), .kind = (uint32_t)tag & 7};
	switch (it->kind) {
	case 0:
		if (!pacer__varint(message, &it->bits)) break;
		return true;
	case 1:
	case 5:
		size = it->kind == 1 ? 8 : 4;
		if (message->size < size) break;
		memcpy(&it->bits, message->at, (size_t)size);
		pacer__skip(message, (uint32_t)size);
		return true;
	case 2:
		if (!pacer__varint(message, &size) || size > message->size) break;
		it->text = (pacer_text){message->at, (uint32_t)size};
		pacer__skip(message, (uint32_t)size);
		return true;
	}
	pacer__malformed();
	return false;
}

static inline uint64_t pacer__bits_of(const pacer__item *it, uint32_t kind) {
	if (it->kind != kind) pacer__malformed();
	return it->bits;
}

static inline uint64_t pacer__long_of(const pacer__item *it) { return pacer__bits_of(it, 0); }
static inline uint32_t pacer__uint_of(const pacer__item *it) { return (uint32_t)pacer__bits_of(it, 0); }
static inline bool pacer__bool_of(const pacer__item *it) { return pacer__bits_of(it, 0) != 0; }

static inline double pacer__double_of(const pacer__item *it) {
	uint64_t bits = pacer__bits_of(it, 1);
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

PACER__ONCE pacer_text pacer__text_of(const pacer__item *it) {
	if (it->kind != 2) pacer__malformed();
	return it->text;
}

// pacer__count counts the entries of a repeated field.
static inline uint32_t pacer__count(pacer_text message, uint32_t field) {
	pacer__item it;
	uint32_t n = 0;
	while (pacer__next(&message, &it)) n += it.field == field;
	return n;
}

// pacer_app is what a policy may know of the app. Without one, its id is empty.
typedef struct {
	pacer_text id, version, role;
	uint32_t instances;
	pacer_text message; // for pacer_label
} pacer_app;

PACER__ONCE pacer_app pacer__app_of(const pacer__item *from) {
	pacer_app app = {.message = pacer__text_of(from)};
	pacer_text message = app.message;
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: app.id = pacer__text_of(&it); break;
		case 2: app.version = pacer__text_of(&it); break;
		case 3: app.instances = pacer__uint_of(&it); break;
		case 4: app.role = pacer__text_of(&it); break;
		}
	return app;
}

// pacer_label finds a label of the app; false: it has none of that name.
#define pacer_label(app, name, value) pacer__label(app, PACER__TEXT(name), value)

PACER__ONCE bool pacer__label(const pacer_app *app, pacer_text name, pacer_text *value) {
	pacer_text message = app->message;
	pacer__item it, part;
	bool found = false;
	while (pacer__next(&message, &it)) {
		if (it.field != 5) continue;
		pacer_text entry = pacer__text_of(&it), key = {0}, content = {0};
		while (pacer__next(&entry, &part)) {
			if (part.field == 1) key = pacer__text_of(&part);
			if (part.field == 2) content = pacer__text_of(&part);
		}
		if (!pacer_same(key, name)) continue;
		found = true;
		*value = content;
	}
	return found;
}

// --- Writing ------------------------------------------------------------------

static struct {
	pacer__block *block; // the only one of its chain
	uint8_t *at;         // what is behind its head
	uint32_t start, size, room;
	uint8_t *input;
	pacer__block *input_block;
	uint32_t input_room;
} pacer__io;

// pacer__need makes room for so many more bytes of the answer.
static void pacer__need(uint32_t more) {
	if (more <= pacer__io.room - pacer__io.size) return;
	pacer__block *before = pacer__io.block;
	uint32_t room = (pacer__io.size + more) * 2;
	if (room < more || room < 1000) room = more < 1000 ? 1000 : more;
	pacer__io.block = NULL;
	uint8_t *at = pacer__take(&pacer__io.block, room);
	memcpy(at, pacer__io.at, pacer__io.size);
	pacer__io.at = at;
	pacer__io.room = (1u << pacer__io.block->order) - PACER__HEAD;
	pacer__give_back(&before);
}

static inline uint32_t pacer__varint_at(uint8_t *to, uint64_t value) {
	uint32_t n = 0;
	for (; value >= 0x80; value >>= 7) to[n++] = (uint8_t)value | 0x80;
	to[n++] = (uint8_t)value;
	return n;
}

PACER__ONCE void pacer__put_varint(uint64_t value) {
	pacer__need(10);
	pacer__io.size += pacer__varint_at(pacer__io.at + pacer__io.size, value);
}

// Fields that are 0 or empty are left out.
PACER__ONCE void pacer__put(uint32_t field, uint64_t value) {
	if (value == 0) return;
	pacer__put_varint(field << 3);
	pacer__put_varint(value);
}

PACER__ONCE void pacer__put_entry(uint32_t field, pacer_text text) {
	pacer__put_varint(field << 3 | 2);
	pacer__put_varint(text.size);
	pacer__need(text.size);
	memcpy(pacer__io.at + pacer__io.size, text.at, text.size);
	pacer__io.size += text.size;
}

static inline void pacer__put_text(uint32_t field, pacer_text text) {
	if (text.size > 0) pacer__put_entry(field, text);
}

static inline void pacer__put_names(uint32_t field, const char *const *names, uint32_t n) {
	for (uint32_t i = 0; i < n; i++) pacer__put_entry(field, pacer_text_of(names[i]));
}

// A message within the answer: its length is written when its end is known, in five
// bytes, which is a correct encoding of any.
static inline uint32_t pacer__open(uint32_t field) {
	pacer__put_varint(field << 3 | 2);
	pacer__need(5);
	pacer__io.size += 5;
	return pacer__io.size;
}

static inline void pacer__close(uint32_t from) {
	uint32_t size = pacer__io.size - from;
	uint8_t *to = pacer__io.at + from - 5;
	for (int i = 0; i < 4; i++, size >>= 7) to[i] = (uint8_t)size | 0x80;
	to[4] = (uint8_t)size;
}

// --- Calls --------------------------------------------------------------------

// pacer__begin forgets the call before. Its answer is not needed any more.
static void pacer__begin(void) {
	pacer__error.code = 0;
	pacer__io.start = pacer__io.size = 0;
	pacer__give_back(&pacer__memory.scratch);
	pacer__give_back(&pacer__memory.kept);
}

// pacer__end is the answer: what was written, or the error.
static uint64_t pacer__end(void) {
	uint32_t failed = 0;
	if (pacer__error.code != 0) {
		pacer__io.start = pacer__io.size = 0;
		pacer__put(1, pacer__error.code);
		pacer__put_text(2, pacer__error.reason);
		failed = 1u << 31;
	}
	uint64_t at = (uint32_t)(pacer__io.at + pacer__io.start);
	return at << 32 | (pacer__io.size - pacer__io.start) | failed;
}

static inline pacer_text pacer__input(uint32_t size) {
	if (size > pacer__io.input_room) pacer_panic("an input is longer than its buffer");
	return (pacer_text){(const char *)pacer__io.input, size};
}

PACER__EXPORT("policy_abi_v1") void pacer__abi(void) {}

PACER__EXPORT("policy_buffer") uint8_t *pacer__buffer(uint32_t size) {
	if (size >= pacer__io.input_room) {
		pacer__give_back(&pacer__io.input_block);
		pacer__io.input = pacer__take(&pacer__io.input_block, size < 2000 ? 2000 : size + 1);
		pacer__io.input_room = (1u << pacer__io.input_block->order) - PACER__HEAD;
	}
	return pacer__io.input;
}

#ifdef PACER_CONFIGURE
// policy_configure gets the operator's settings, JSON; empty for none. It is called
// once, before anything is prepared. pacer_invalid refuses them.
void policy_configure(pacer_text settings);
#endif

PACER__EXPORT("policy_configure") uint64_t pacer__configure(uint32_t size) {
	pacer__begin();
	pacer_text message = pacer__input(size), settings = {0};
	pacer__item it;
	while (pacer__next(&message, &it))
		if (it.field == 2) settings = pacer__text_of(&it);
#ifdef PACER_CONFIGURE
	if (pacer__error.code == 0) policy_configure(settings);
#else
	if (settings.size > 0) pacer_invalid("the module takes no settings");
#endif
	return pacer__end();
}

#define PACER__PUT_NAMES(field, ...)                    \
	do {                                                \
		static const char *const names[] = {__VA_ARGS__}; \
		pacer__put_names(field, names, sizeof names / sizeof *names); \
	} while (0)

PACER__EXPORT("policy_describe") uint64_t pacer__describe(void) {
	pacer__begin();
	pacer__put(1, 1); // the minor version of the ABI
	pacer__put_text(2, PACER_TEXT(PACER_NAME));
	pacer__put_text(3, PACER_TEXT(PACER_VERSION));
#ifdef PACER_CONSTRAINTS
	PACER__PUT_NAMES(4, PACER_CONSTRAINTS);
#endif
#ifdef PACER_FETCH_POLICIES
	PACER__PUT_NAMES(5, PACER_FETCH_POLICIES);
#endif
#ifdef PACER_UPGRADE_STRATEGIES
	PACER__PUT_NAMES(6, PACER_UPGRADE_STRATEGIES);
#endif
#ifdef PACER_HEALTH_RULES
	PACER__PUT_NAMES(7, PACER_HEALTH_RULES);
#endif
#ifdef PACER_ADMISSION_POLICIES
	PACER__PUT_NAMES(8, PACER_ADMISSION_POLICIES);
#endif
	return pacer__end();
}

// pacer__prepared is what a handle points at.
typedef struct {
	uint32_t mark; // PACER__MARK and the kind: it is in use
	void *state;
	pacer__block *kept; // itself included
} pacer__prepared;

enum { PACER__MARK = 0x50414330 };

// pacer__keep_prepared ends a prepare function: what it kept lives on, unless it
// failed.
static inline uint64_t pacer__keep_prepared(uint32_t kind, void *state, uint32_t traits) {
	if (pacer__error.code != 0) return pacer__end();
	pacer__prepared *p = pacer_keep(sizeof *p);
	*p = (pacer__prepared){PACER__MARK + kind, state, pacer__memory.kept};
	pacer__memory.kept = NULL;
	pacer__put(1, (uint32_t)p);
	pacer__put(2, traits);
	return pacer__end();
}

// pacer__find is what the handle stands for; NULL, and an error, if it is none.
static inline pacer__prepared *pacer__find(uint32_t kind, uint32_t handle) {
	pacer__prepared *p = (pacer__prepared *)handle;
	uint64_t end = (uint64_t)__builtin_wasm_memory_size(0) * PACER__PAGE;
	if (handle % 8 != 0 || handle == 0 || handle + (uint64_t)sizeof *p > end || p->mark != PACER__MARK + kind)
		return pacer_fault("no such handle");
	return p;
}

static inline void pacer__release(uint32_t kind, uint32_t handle) {
	pacer__begin();
	pacer__prepared *p = pacer__find(kind, handle);
	if (!p) return;
	pacer__block *kept = p->kept;
	p->mark = 0;
	pacer__give_back(&kept);
}

// --- Constraints --------------------------------------------------------------

#ifdef PACER_CONSTRAINTS

#define PACER_UNLIMITED 0xffffffffu

enum { PACER_PURE_PER_VALUE = 1, PACER_STATEFUL = 2 }; // traits
enum { PACER_EXCLUSIVE = 1, PACER_VOLATILE = 2, PACER_REFILL = 4 }; // flags

typedef struct {
	pacer_text field, name, value; // name: the operator
	bool has_value;
	pacer_app app;
} pacer_constraint_spec;

// pacer_constraint_input is the question. Slot 0 is "the agent has no such field".
typedef struct {
	uint32_t values;       // how many slots there are
	const char *data;      // for pacer_value
	const uint8_t *off;    // for pacer_value
	const uint8_t *placed; // for pacer_placed; NULL: none
	int32_t first;         // the slot of the first placed instance; -1: none
	uint32_t instances;
} pacer_constraint_input;

typedef struct {
	uint32_t *quota; // one for each slot, 0 at the start
	uint32_t flags;
	pacer_text reason;
} pacer_constraint_answer;

// constraint_prepare takes a constraint and returns its state, NULL for none.
void *constraint_prepare(const pacer_constraint_spec *spec, uint32_t *traits);

// constraint_evaluate answers for one.
void constraint_evaluate(void *state, const pacer_constraint_input *in, pacer_constraint_answer *out);

// The lists are where the host put them, which may be any address.
static inline uint32_t pacer__fixed32(const uint8_t *list, uint32_t i) {
	uint32_t n;
	memcpy(&n, list + 4 * (size_t)i, 4); // compiles to one load
	return n;
}

// pacer_value is the value in a slot.
static inline pacer_text pacer_value(const pacer_constraint_input *in, uint32_t slot) {
	uint32_t from = pacer__fixed32(in->off, slot);
	return (pacer_text){in->data + from, pacer__fixed32(in->off, slot + 1) - from};
}

// pacer_placed is how many placed instances have the value in a slot.
static inline uint32_t pacer_placed(const pacer_constraint_input *in, uint32_t slot) {
	return in->placed ? pacer__fixed32(in->placed, slot) : 0;
}

PACER__EXPORT("constraint_prepare") uint64_t pacer__constraint_prepare(uint32_t size) {
	pacer__begin();
	pacer_constraint_spec spec = {0};
	pacer_text message = pacer__input(size);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: spec.field = pacer__text_of(&it); break;
		case 2: spec.name = pacer__text_of(&it); break;
		case 3: spec.value = pacer__text_of(&it); break;
		case 4: spec.has_value = pacer__bool_of(&it); break;
		case 5: spec.app = pacer__app_of(&it); break;
		}
	uint32_t traits = 0;
	void *state = pacer__error.code == 0 ? constraint_prepare(&spec, &traits) : NULL;
	return pacer__keep_prepared(0, state, traits);
}

// pacer__constraint_read reads the question and sees to it that every slot can be read.
static inline void pacer__constraint_read(pacer_text message, pacer_constraint_input *in) {
	pacer_text data = {0}, off = {0}, placed = {0};
	uint32_t first = 0;
	pacer__item it, part;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1:
			for (pacer_text column = pacer__text_of(&it); pacer__next(&column, &part);) {
				if (part.field == 2) data = pacer__text_of(&part);
				if (part.field == 3) off = pacer__text_of(&part);
			}
			break;
		case 2: placed = pacer__text_of(&it); break;
		case 3: first = pacer__uint_of(&it); break;
		case 4: in->instances = pacer__uint_of(&it); break;
		}
	uint32_t n = off.size / 4 - 1, at = 0;
	if (off.size < 8 || off.size % 4 != 0 || first > n || (placed.size != 0 && placed.size != 4 * n)) {
		pacer__malformed();
		return;
	}
	in->values = n;
	in->data = data.at;
	in->off = (const uint8_t *)off.at;
	in->placed = placed.size > 0 ? (const uint8_t *)placed.at : NULL;
	in->first = (int32_t)first - 1;
	for (uint32_t i = 0; i <= n; i++) {
		uint32_t next = pacer__fixed32(in->off, i);
		if (next < at) pacer__malformed();
		at = next;
	}
	if (at > data.size || pacer_value(in, 0).size != 0) pacer__malformed();
}

PACER__EXPORT("constraint_evaluate") uint64_t pacer__constraint_evaluate(uint32_t handle, uint32_t size) {
	pacer__begin();
	pacer__prepared *p = pacer__find(0, handle);
	pacer_constraint_input in = {0};
	pacer_constraint_answer out = {0};
	if (p) pacer__constraint_read(pacer__input(size), &in);
	if (pacer__error.code != 0) return pacer__end();
	// The quotas lie aligned behind room for their tag and length: they are written
	// where the host reads them.
	enum { FRONT = 16 };
	pacer__need(FRONT + 4 * in.values);
	out.quota = memset(pacer__io.at + FRONT, 0, 4 * (size_t)in.values);
	constraint_evaluate(p->state, &in, &out);
	uint8_t front[11] = {1 << 3 | 2};
	uint32_t n = 1 + pacer__varint_at(front + 1, 4 * (uint64_t)in.values);
	pacer__io.start = FRONT - n;
	pacer__io.size = FRONT + 4 * in.values;
	memcpy(pacer__io.at + pacer__io.start, front, n);
	pacer__put(2, out.flags);
	pacer__put_text(3, out.reason);
	return pacer__end();
}

PACER__EXPORT("constraint_release") void pacer__constraint_release(uint32_t handle) { pacer__release(0, handle); }

#endif

// --- Fetching -----------------------------------------------------------------

#ifdef PACER_FETCH_POLICIES

typedef struct {
	pacer_text name, settings;
	pacer_app app; // its id is empty when only the settings are to be checked
	bool enforced;
} pacer_fetch_spec;

typedef struct {
	pacer_text uri, dest_path;
	bool extract, executable, cache;
} pacer_fetch_uri;

// pacer_fetch_decision is at the start: fetched as it is asked for.
typedef struct {
	pacer_fetch_uri fetch;
	bool denied;
	pacer_text reason, sha256;
	uint64_t limit_bytes;
	uint32_t limit_entries, limit_depth, limit_ratio;
} pacer_fetch_decision;

// fetch_prepare takes a policy for an app version and returns its state, NULL for none.
void *fetch_prepare(const pacer_fetch_spec *spec);

// fetch_decide answers for one URI.
void fetch_decide(void *state, const pacer_fetch_uri *uri, pacer_fetch_decision *out);

PACER__EXPORT("fetch_prepare") uint64_t pacer__fetch_prepare(uint32_t size) {
	pacer__begin();
	pacer_fetch_spec spec = {0};
	pacer_text message = pacer__input(size);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: spec.name = pacer__text_of(&it); break;
		case 2: spec.settings = pacer__text_of(&it); break;
		case 3: spec.app = pacer__app_of(&it); break;
		case 4: spec.enforced = pacer__bool_of(&it); break;
		}
	void *state = pacer__error.code == 0 ? fetch_prepare(&spec) : NULL;
	return pacer__keep_prepared(1, state, 0);
}

static inline pacer_fetch_uri pacer__fetch_uri_of(const pacer__item *from) {
	pacer_fetch_uri uri = {0};
	pacer_text message = pacer__text_of(from);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: uri.uri = pacer__text_of(&it); break;
		case 2: uri.extract = pacer__bool_of(&it); break;
		case 3: uri.executable = pacer__bool_of(&it); break;
		case 4: uri.cache = pacer__bool_of(&it); break;
		case 5: uri.dest_path = pacer__text_of(&it); break;
		}
	return uri;
}

static inline void pacer__put_fetch_decision(const pacer_fetch_decision *d) {
	uint32_t decision = pacer__open(1);
	if (!d->denied) {
		uint32_t fetch = pacer__open(1);
		pacer__put_text(1, d->fetch.uri);
		pacer__put(2, d->fetch.extract);
		pacer__put(3, d->fetch.executable);
		pacer__put(4, d->fetch.cache);
		pacer__put_text(5, d->fetch.dest_path);
		pacer__close(fetch);
	}
	pacer__put(2, d->denied);
	pacer__put_text(3, d->reason);
	pacer__put_text(4, d->sha256);
	uint32_t limits = pacer__open(5);
	pacer__put(1, d->limit_bytes);
	pacer__put(2, d->limit_entries);
	pacer__put(3, d->limit_depth);
	pacer__put(4, d->limit_ratio);
	pacer__close(limits);
	pacer__close(decision);
}

PACER__EXPORT("fetch_decide") uint64_t pacer__fetch_decide(uint32_t handle, uint32_t size) {
	pacer__begin();
	pacer__prepared *p = pacer__find(1, handle);
	pacer_text message = pacer__input(size);
	pacer__item it;
	while (p && pacer__error.code == 0 && pacer__next(&message, &it)) {
		if (it.field != 1) continue;
		pacer_fetch_decision decision = {.fetch = pacer__fetch_uri_of(&it)};
		pacer_fetch_uri uri = decision.fetch;
		fetch_decide(p->state, &uri, &decision);
		pacer__put_fetch_decision(&decision);
	}
	return pacer__end();
}

PACER__EXPORT("fetch_release") void pacer__fetch_release(uint32_t handle) { pacer__release(1, handle); }

#endif

// --- Upgrades -----------------------------------------------------------------

#ifdef PACER_UPGRADE_STRATEGIES

typedef struct {
	pacer_text name; // of the strategy
	pacer_app app;
	double minimum_health_capacity, maximum_over_capacity; // the fractions that make the envelope
} pacer_upgrade_spec;

typedef struct {
	uint32_t instances;
	double minimum_health_capacity, maximum_over_capacity;
	uint32_t min_healthy, max_total;
	uint32_t old, old_dying, old_healthy;
	uint32_t fresh, fresh_healthy, fresh_ready; // "new" in sdk/policy.proto
	uint64_t millis;
	pacer_text memory;
	uint32_t promotions;
	uint64_t now_millis;
	bool undoes; // it undoes another upgrade: what is to come was there before
} pacer_upgrade_state;

enum { PACER_PROCEED, PACER_PAUSE, PACER_ROLL_BACK }; // outcomes

typedef struct {
	uint32_t start, kill;
	uint64_t ask_after_millis;
	uint32_t outcome;
	pacer_text reason, memory;
} pacer_upgrade_step;

// upgrade_prepare takes a strategy for an upgrade and returns its state, NULL for none.
void *upgrade_prepare(const pacer_upgrade_spec *spec);

// upgrade_next says what to do now. It must depend on now alone.
void upgrade_next(void *state, const pacer_upgrade_state *now, pacer_upgrade_step *out);

PACER__EXPORT("upgrade_prepare") uint64_t pacer__upgrade_prepare(uint32_t size) {
	pacer__begin();
	pacer_upgrade_spec spec = {0};
	pacer_text message = pacer__input(size);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: spec.name = pacer__text_of(&it); break;
		case 2: spec.app = pacer__app_of(&it); break;
		case 3: spec.minimum_health_capacity = pacer__double_of(&it); break;
		case 4: spec.maximum_over_capacity = pacer__double_of(&it); break;
		}
	void *state = pacer__error.code == 0 ? upgrade_prepare(&spec) : NULL;
	return pacer__keep_prepared(2, state, 0);
}

static inline void pacer__upgrade_read(pacer_text message, pacer_upgrade_state *s) {
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: s->instances = pacer__uint_of(&it); break;
		case 2: s->minimum_health_capacity = pacer__double_of(&it); break;
		case 3: s->maximum_over_capacity = pacer__double_of(&it); break;
		case 4: s->min_healthy = pacer__uint_of(&it); break;
		case 5: s->max_total = pacer__uint_of(&it); break;
		case 6: s->old = pacer__uint_of(&it); break;
		case 7: s->old_dying = pacer__uint_of(&it); break;
		case 8: s->old_healthy = pacer__uint_of(&it); break;
		case 9: s->fresh = pacer__uint_of(&it); break;
		case 10: s->fresh_healthy = pacer__uint_of(&it); break;
		case 11: s->fresh_ready = pacer__uint_of(&it); break;
		case 12: s->millis = pacer__long_of(&it); break;
		case 13: s->memory = pacer__text_of(&it); break;
		case 14: s->promotions = pacer__uint_of(&it); break;
		case 15: s->now_millis = pacer__long_of(&it); break;
		case 16: s->undoes = pacer__bool_of(&it); break;
		}
}

PACER__EXPORT("upgrade_next") uint64_t pacer__upgrade_next(uint32_t handle, uint32_t size) {
	pacer__begin();
	pacer__prepared *p = pacer__find(2, handle);
	pacer_upgrade_state now = {0};
	pacer_upgrade_step step = {0};
	if (p) pacer__upgrade_read(pacer__input(size), &now);
	if (pacer__error.code == 0) upgrade_next(p->state, &now, &step);
	pacer__put(1, step.start);
	pacer__put(2, step.kill);
	pacer__put(3, step.ask_after_millis);
	pacer__put(4, step.outcome);
	pacer__put_text(5, step.reason);
	pacer__put_text(6, step.memory);
	return pacer__end();
}

PACER__EXPORT("upgrade_release") void pacer__upgrade_release(uint32_t handle) { pacer__release(2, handle); }

#endif

// --- Health -------------------------------------------------------------------

#ifdef PACER_HEALTH_RULES

typedef struct {
	pacer_text protocol;
	uint64_t interval_millis, timeout_millis, grace_millis;
	uint32_t max_consecutive_failures;
	bool by_mesos;
} pacer_health_check;

typedef struct {
	pacer_text name; // of the rule
	pacer_app app;
	const pacer_health_check *checks; // keep a copy: they are good for this call
	uint32_t check_count;
} pacer_health_spec;

typedef struct {
	uint32_t check; // index into the checks of the spec
	uint64_t age_millis, first_success, last_success, last_failure;
	pacer_text last_failure_cause;
	uint32_t consecutive_failures;
	uint64_t recent;
	uint32_t results;
} pacer_health_history;

enum { PACER_UNKNOWN, PACER_HEALTHY, PACER_UNHEALTHY }; // states

typedef struct {
	uint32_t state;
	bool replace;
	pacer_text reason;
} pacer_health_verdict;

// health_prepare takes a rule for an app version and returns its state, NULL for none.
void *health_prepare(const pacer_health_spec *spec);

// health_judge answers for what one check found on one instance.
void health_judge(void *state, const pacer_health_history *history, pacer_health_verdict *out);

static inline pacer_health_check pacer__health_check_of(const pacer__item *from) {
	pacer_health_check check = {0};
	pacer_text message = pacer__text_of(from);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: check.protocol = pacer__text_of(&it); break;
		case 2: check.interval_millis = pacer__long_of(&it); break;
		case 3: check.timeout_millis = pacer__long_of(&it); break;
		case 4: check.grace_millis = pacer__long_of(&it); break;
		case 5: check.max_consecutive_failures = pacer__uint_of(&it); break;
		case 6: check.by_mesos = pacer__bool_of(&it); break;
		}
	return check;
}

PACER__EXPORT("health_prepare") uint64_t pacer__health_prepare(uint32_t size) {
	pacer__begin();
	pacer_health_spec spec = {0};
	pacer_text message = pacer__input(size);
	pacer_health_check *checks = pacer_scratch(pacer__count(message, 3) * sizeof *checks);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: spec.name = pacer__text_of(&it); break;
		case 2: spec.app = pacer__app_of(&it); break;
		case 3: checks[spec.check_count++] = pacer__health_check_of(&it); break;
		}
	spec.checks = checks;
	void *state = pacer__error.code == 0 ? health_prepare(&spec) : NULL;
	return pacer__keep_prepared(3, state, 0);
}

static inline pacer_health_history pacer__health_history_of(const pacer__item *from) {
	pacer_health_history h = {0};
	pacer_text message = pacer__text_of(from);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: h.check = pacer__uint_of(&it); break;
		case 2: h.age_millis = pacer__long_of(&it); break;
		case 3: h.first_success = pacer__long_of(&it); break;
		case 4: h.last_success = pacer__long_of(&it); break;
		case 5: h.last_failure = pacer__long_of(&it); break;
		case 6: h.last_failure_cause = pacer__text_of(&it); break;
		case 7: h.consecutive_failures = pacer__uint_of(&it); break;
		case 8: h.recent = pacer__bits_of(&it, 1); break;
		case 9: h.results = pacer__uint_of(&it); break;
		}
	return h;
}

// pacer_failures counts the failures among the latest n results, as far as they are
// known.
static inline uint32_t pacer_failures(const pacer_health_history *h, uint32_t n) {
	if (n > h->results) n = h->results;
	if (n == 0) return 0;
	uint64_t failed = ~h->recent;
	if (n < 64) failed &= (1ull << n) - 1;
	return (uint32_t)__builtin_popcountll(failed);
}

PACER__EXPORT("health_judge") uint64_t pacer__health_judge(uint32_t handle, uint32_t size) {
	pacer__begin();
	pacer__prepared *p = pacer__find(3, handle);
	pacer_text message = pacer__input(size);
	pacer__item it;
	while (p && pacer__error.code == 0 && pacer__next(&message, &it)) {
		if (it.field != 1) continue;
		pacer_health_history history = pacer__health_history_of(&it);
		pacer_health_verdict v = {0};
		health_judge(p->state, &history, &v);
		uint32_t verdict = pacer__open(1);
		pacer__put(1, v.state);
		pacer__put(2, v.replace);
		pacer__put_text(3, v.reason);
		pacer__close(verdict);
	}
	return pacer__end();
}

PACER__EXPORT("health_release") void pacer__health_release(uint32_t handle) { pacer__release(3, handle); }

#endif

// --- Admission ----------------------------------------------------------------

#ifdef PACER_ADMISSION_POLICIES

enum { PACER_CREATE = 1, PACER_UPDATE, PACER_DELETE }; // verbs
enum { PACER_APP = 1, PACER_GROUP };                   // subjects

typedef struct {
	pacer_text id;
	uint32_t apps, instances;
	double cpus, mem, disk; // mem and disk in MiB
	uint32_t gpus;
} pacer_group_use;

typedef struct {
	pacer_text name, settings; // name: of the policy
	uint32_t verb, subject;
	pacer_text id, before, after; // "old" and "new" in sdk/policy.proto: JSON
	pacer_text user;
	bool force;
	uint64_t now_millis;
	const pacer_group_use *above; // the root first
	uint32_t above_count;
} pacer_admission_request;

// pacer_admission_review is at the start: allowed as it is.
typedef struct {
	bool denied;
	pacer_text reason, path;
	pacer_text amended;         // JSON; empty: as it is
	const pacer_text *warnings; // warning_count of them
	uint32_t warning_count;
} pacer_admission_review;

// admission_review answers about one change.
void admission_review(const pacer_admission_request *request, pacer_admission_review *out);

static inline pacer_group_use pacer__group_use_of(const pacer__item *from) {
	pacer_group_use g = {0};
	pacer_text message = pacer__text_of(from);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: g.id = pacer__text_of(&it); break;
		case 2: g.apps = pacer__uint_of(&it); break;
		case 3: g.instances = pacer__uint_of(&it); break;
		case 4: g.cpus = pacer__double_of(&it); break;
		case 5: g.mem = pacer__double_of(&it); break;
		case 6: g.disk = pacer__double_of(&it); break;
		case 7: g.gpus = pacer__uint_of(&it); break;
		}
	return g;
}

static inline void pacer__admission_read(pacer_text message, pacer_admission_request *r) {
	pacer_group_use *above = pacer_scratch(pacer__count(message, 11) * sizeof *above);
	pacer__item it;
	while (pacer__next(&message, &it)) switch (it.field) {
		case 1: r->name = pacer__text_of(&it); break;
		case 2: r->settings = pacer__text_of(&it); break;
		case 3: r->verb = pacer__uint_of(&it); break;
		case 4: r->subject = pacer__uint_of(&it); break;
		case 5: r->id = pacer__text_of(&it); break;
		case 6: r->before = pacer__text_of(&it); break;
		case 7: r->after = pacer__text_of(&it); break;
		case 8: r->user = pacer__text_of(&it); break;
		case 9: r->force = pacer__bool_of(&it); break;
		case 10: r->now_millis = pacer__long_of(&it); break;
		case 11: above[r->above_count++] = pacer__group_use_of(&it); break;
		}
	r->above = above;
}

PACER__EXPORT("admission_review") uint64_t pacer__admission_review(uint32_t size) {
	pacer__begin();
	pacer_admission_request request = {0};
	pacer_admission_review review = {0};
	pacer__admission_read(pacer__input(size), &request);
	if (pacer__error.code == 0) admission_review(&request, &review);
	pacer__put(1, review.denied);
	pacer__put_text(2, review.reason);
	pacer__put_text(3, review.path);
	pacer__put_text(4, review.amended);
	for (uint32_t i = 0; i < review.warning_count; i++) pacer__put_entry(5, review.warnings[i]);
	return pacer__end();
}

#endif

#endif
