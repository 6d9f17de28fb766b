// A policy module in C without any library. It is written from docs/policy-abi.md
// and sdk/policy.proto alone, so that the tests which load it prove what is said
// there. Its operators:
//
//   C_MAX_PER n     as MAX_PER
//   C_CLUSTER text  as CLUSTER
//   C_PREFIX text   values that begin with the text
//   C_TELL what     a number that tells what the module was given, as the quota of
//                   every value
#include "wire.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

IMPORT("policy_v1", "log") void host_log(int32_t level, const char *text, uint32_t size);
IMPORT("policy_v1", "log_enabled") int32_t host_log_enabled(int32_t level);

// What a C library would use, and one function that only a program with files has.
typedef struct {
	const char *at;
	uint32_t size;
} vector;
IMPORT("wasi_snapshot_preview1", "clock_time_get") uint32_t clock_time_get(uint32_t clock, uint64_t precision, uint64_t *time);
IMPORT("wasi_snapshot_preview1", "environ_sizes_get") uint32_t environ_sizes_get(uint32_t *count, uint32_t *size);
IMPORT("wasi_snapshot_preview1", "fd_write") uint32_t fd_write(uint32_t fd, const vector *list, uint32_t n, uint32_t *written);
IMPORT("wasi_snapshot_preview1", "fd_sync") uint32_t fd_sync(uint32_t fd);
IMPORT("wasi_snapshot_preview1", "proc_exit") _Noreturn void proc_exit(uint32_t code);
IMPORT("wasi_snapshot_preview1", "random_get") uint32_t random_get(void *at, uint32_t size);

enum { UNLIMITED = 0xffffffff, PURE = 1, STATEFUL = 2, EXCLUSIVE = 1, INVALID = 1, FAULT = 2 };

// A prepared constraint. Its handle is its place.
typedef struct {
	enum { FREE, MAX_PER, CLUSTER, PREFIX, TELL } kind;
	uint32_t limit;
	uint8_t text[128];
	uint32_t size;
	uint32_t app_instances, labels;
} constraint;

static constraint constraints[16];
static int initialized, configured;

// Memory behind the module's data: the input, and behind it the answer.
extern uint8_t __heap_base;
static uint8_t *input = &__heap_base, *output = &__heap_base;
static uint32_t reserved;

EXPORT("policy_abi_v1") void abi(void) {}

EXPORT("_initialize") void initialize(void) { initialized = 1; }

// An answer is never longer than the input and some text.
EXPORT("policy_buffer") uint8_t *buffer(uint32_t size) {
	uint64_t end = (uint32_t)input + 2 * (uint64_t)size + 4096;
	uint32_t pages = (uint32_t)__builtin_wasm_memory_size(0);
	if (end > (uint64_t)pages << 16) {
		uint32_t more = (uint32_t)((end >> 16) + 1 - pages);
		if (__builtin_wasm_memory_grow(0, more) == (uint32_t)-1) __builtin_trap();
	}
	reserved = size;
	output = input + size;
	return input;
}

static uint64_t reply(uint8_t *end) { return (uint64_t)(uint32_t)output << 32 | (uint32_t)(end - output); }

static uint64_t error(uint32_t code, const char *reason) {
	uint8_t *to = output;
	put_number(&to, 1, code);
	put_text(&to, 2, reason);
	return reply(to) | 1u << 31;
}

EXPORT("policy_describe") uint64_t describe(void) {
	if (!initialized) return error(FAULT, "_initialize was not called first");
	uint8_t *to = output;
	put_text(&to, 2, "freestanding-c");
	put_text(&to, 3, "1.2.3");
	put_text(&to, 4, "C_MAX_PER");
	put_text(&to, 4, "C_CLUSTER");
	put_text(&to, 4, "C_PREFIX");
	put_text(&to, 4, "C_TELL");
	return reply(to);
}

EXPORT("policy_configure") uint64_t configure(uint32_t size) {
	bytes message = {input, input + size};
	item it;
	int more;
	if (size != reserved) return error(FAULT, "the length is not that of the buffer");
	while ((more = next(&message, &it)) > 0) {} // nothing of 1.0 matters to this module
	if (more < 0) return error(FAULT, "HostInfo cannot be read");
	configured = 1;
	return 0;
}

// limit_of reads an integer of 32 bits; 0 and less count as 1.
static int limit_of(bytes text, uint32_t *limit) {
	int negative = text.at < text.end && *text.at == '-';
	uint64_t n = 0;
	if (negative || text.at < text.end && *text.at == '+') text.at++;
	if (text.at == text.end) return 0;
	for (; text.at < text.end; text.at++) {
		if (*text.at < '0' || *text.at > '9') return 0;
		n = 10 * n + (*text.at - '0');
		if (n > 0x7fffffffu + (uint32_t)negative) return 0;
	}
	*limit = negative || n == 0 ? 1 : (uint32_t)n;
	return 1;
}

static int read_app(bytes message, constraint *c) {
	item it;
	int more;
	while ((more = next(&message, &it)) > 0) {
		if (it.field == 3) c->app_instances = (uint32_t)it.number;
		if (it.field == 5) c->labels++;
	}
	return more;
}

EXPORT("constraint_prepare") uint64_t prepare(uint32_t size) {
	bytes message = {input, input + size}, operator = {0, 0}, value = {0, 0};
	item it;
	int more, has_value = 0;
	uint32_t handle = 0;
	if (!configured) return error(FAULT, "policy_configure was not called first");
	while (handle < 16 && constraints[handle].kind != FREE) handle++;
	if (handle == 16) return error(FAULT, "16 constraints are in use, no more are possible");
	constraint *c = &constraints[handle];
	c->size = c->app_instances = c->labels = 0;
	while ((more = next(&message, &it)) > 0) {
		if (it.field == 2) operator = it.content;
		if (it.field == 3) value = it.content;
		if (it.field == 4) has_value = it.number != 0;
		if (it.field == 5 && read_app(it.content, c) < 0) return error(FAULT, "AppFacts cannot be read");
	}
	if (more < 0) return error(FAULT, "ConstraintSpec cannot be read");
	if (size_of(value) > sizeof c->text) return error(INVALID, "the value is longer than 128 bytes");
	while (c->size < size_of(value)) {
		c->text[c->size] = value.at[c->size];
		c->size++;
	}
	if (equal(operator, "C_MAX_PER")) {
		if (!has_value || !limit_of(value, &c->limit)) return error(INVALID, "C_MAX_PER requires an integer value");
		c->kind = MAX_PER;
	} else if (equal(operator, "C_PREFIX")) {
		if (!has_value) return error(INVALID, "C_PREFIX requires a value");
		c->kind = PREFIX;
	} else {
		c->kind = equal(operator, "C_CLUSTER") ? CLUSTER : TELL;
	}
	uint8_t *to = output;
	put_number(&to, 1, handle);
	put_number(&to, 2, c->kind == PREFIX ? PURE : STATEFUL);
	return reply(to);
}

// tell is the number for C_TELL.
static uint32_t tell(constraint *c, uint32_t instances) {
	bytes what = {c->text, c->text + c->size};
	uint64_t a = 0, b = 0;
	uint32_t x = 9, y = 9;
	if (equal(what, "instances")) return instances;
	if (equal(what, "app instances")) return c->app_instances;
	if (equal(what, "labels")) return c->labels;
	if (equal(what, "clock")) {
		clock_time_get(0, 1, &a);
		for (volatile int i = 0; i < 1000000; i++) {}
		clock_time_get(0, 1, &b);
		return (uint32_t)(b - a);
	}
	if (equal(what, "random")) {
		random_get(&a, sizeof a);
		random_get(&b, sizeof b);
		return a != b && a != 0;
	}
	if (equal(what, "environment")) return environ_sizes_get(&x, &y) + x + y;
	if (equal(what, "file")) return fd_sync(1);
	if (equal(what, "output")) {
		vector list[2] = {{"printed ", 8}, {"text\n", 5}};
		fd_write(1, list, 2, &x);
		return x;
	}
	if (equal(what, "log")) {
		host_log(0, "detail", 6);
		host_log(2, "a warning\nin two lines", 22);
		return (uint32_t)(10 * host_log_enabled(0) + host_log_enabled(3));
	}
	if (equal(what, "exit")) proc_exit(3);
	return 0;
}

// begins tells whether the value begins with the constraint's text.
static int begins(constraint *c, bytes value, int whole) {
	if (size_of(value) < c->size || whole && size_of(value) != c->size) return 0;
	for (uint32_t i = 0; i < c->size; i++)
		if (value.at[i] != c->text[i]) return 0;
	return 1;
}

typedef struct {
	bytes data, off, placed;
	uint32_t first, instances;
} question;

static int read_question(bytes message, question *q) {
	item it, part;
	int more, inner;
	while ((more = next(&message, &it)) > 0) {
		switch (it.field) {
		case 1:
			while ((inner = next(&it.content, &part)) > 0) {
				if (part.field == 2) q->data = part.content;
				if (part.field == 3) q->off = part.content;
			}
			if (inner < 0) return -1;
			break;
		case 2: q->placed = it.content; break;
		case 3: q->first = (uint32_t)it.number; break;
		case 4: q->instances = (uint32_t)it.number; break;
		}
	}
	return more;
}

// quota is the answer for the value in one slot.
static uint32_t quota(constraint *c, question *q, uint32_t slot, uint32_t told) {
	uint32_t from = fixed32(q->off, slot), to = fixed32(q->off, slot + 1);
	bytes value = {q->data.at + from, q->data.at + to};
	if (c->kind == TELL) return told;
	if (slot == 0) return 0; // the agent does not have the field
	if (c->kind == PREFIX) return begins(c, value, 0) ? UNLIMITED : 0;
	if (c->kind == CLUSTER) {
		if (c->size > 0) return begins(c, value, 1) ? UNLIMITED : 0;
		return q->first == 0 || q->first == slot + 1 ? UNLIMITED : 0;
	}
	uint32_t placed = fixed32(q->placed, slot);
	return placed < c->limit ? c->limit - placed : 0;
}

EXPORT("constraint_evaluate") uint64_t evaluate(uint32_t handle, uint32_t size) {
	question q = {{0, 0}, {0, 0}, {0, 0}, 0, 0};
	if (handle >= 16 || constraints[handle].kind == FREE) return error(FAULT, "no such handle");
	constraint *c = &constraints[handle];
	if (read_question((bytes){input, input + size}, &q) < 0) return error(FAULT, "ConstraintInput cannot be read");
	if (size_of(q.off) < 8) return error(FAULT, "no values");
	uint32_t values = size_of(q.off) / 4 - 1;
	if (c->kind != PREFIX && size_of(q.placed) != 4 * values) return error(FAULT, "not one count for each value");
	uint32_t told = c->kind == TELL ? tell(c, q.instances) : 0;
	uint8_t *to = output;
	put_varint(&to, 1 << 3 | 2);
	put_varint(&to, 4 * values);
	for (uint32_t slot = 0; slot < values; slot++) put_fixed32(&to, quota(c, &q, slot, told));
	if (c->kind == CLUSTER && c->size == 0 && q.first == 0) put_number(&to, 2, EXCLUSIVE);
	put_text(&to, 3, "said by C");
	return reply(to);
}

EXPORT("constraint_release") void release(uint32_t handle) {
	if (handle < 16) constraints[handle].kind = FREE;
}
