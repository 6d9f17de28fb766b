// pacer_json.h reads JSON in a policy module, and amends it: the app that an admission
// policy reviews, and the settings of any module. It is included behind pacer_policy.h and
// needs nothing else.
//
//	pacer_json app;
//	if (!pacer_json_parse(request->after, &app)) return; // the error is the call's
//	pacer_text image = pacer_json_text(pacer_json_get(app, "container", "docker", "image"));
//
// A text is checked once, and nothing is built of it: a pacer_json is the piece of the
// text that it stands for, and is looked into where it is. It is good as long as the text.
// It is longer than a file of Pacer should be because its users want exactly one.
#ifndef PACER_JSON_H
#define PACER_JSON_H

#ifndef PACER_POLICY_H
#error "include pacer_policy.h before pacer_json.h"
#endif

enum { PACER_JSON_DEPTH = 1024 }; // how deep arrays and objects may be in each other

// What a value is.
enum {
	PACER_JSON_ABSENT, // there is none
	PACER_JSON_NULL,
	PACER_JSON_BOOL,
	PACER_JSON_NUMBER,
	PACER_JSON_STRING,
	PACER_JSON_ARRAY,
	PACER_JSON_OBJECT,
};

// pacer_json is a value of a text that was parsed, as it was written; empty: absent.
typedef struct {
	pacer_text raw;
} pacer_json;

// --- Walking a text that is valid ---------------------------------------------

static const uint64_t pacer__json_ones = 0x0101010101010101u, pacer__json_highs = 0x8080808080808080u;

// pacer__json_marks marks the bytes of a word that are this one. The lowest that is marked
// is never a mistake.
static inline uint64_t pacer__json_marks(uint64_t word, char byte) {
	return ((word ^ (pacer__json_ones * (uint8_t)byte)) - pacer__json_ones) & ~word;
}

static inline uint64_t pacer__json_word(const char *at) {
	uint64_t word;
	memcpy(&word, at, 8); // compiles to one load
	return word;
}

static inline const char *pacer__json_space(const char *at, const char *end) {
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) at++;
	return at;
}

// pacer__json_quoted is the place behind a string that begins there.
PACER__ONCE const char *pacer__json_quoted(const char *at, const char *end, bool *escapes) {
	for (at++;; at++) {
		for (; end - at >= 8; at += 8) {
			uint64_t word = pacer__json_word(at);
			uint64_t marks = (pacer__json_marks(word, '"') | pacer__json_marks(word, '\\')) & pacer__json_highs;
			if (marks) {
				at += __builtin_ctzll(marks) / 8;
				break;
			}
		}
		if (*at == '"') return at + 1;
		if (*at == '\\') {
			*escapes = true;
			at++;
		}
	}
}

// pacer__json_end is the place behind the value that begins there.
PACER__ONCE const char *pacer__json_end(const char *at, const char *end) {
	bool escapes;
	if (*at == '"') return pacer__json_quoted(at, end, &escapes);
	if (*at != '{' && *at != '[') {
		while (at < end && *at > ' ' && *at != ',' && (*at | 0x20) != '}') at++;
		return at;
	}
	for (uint32_t depth = 0;; at++) {
		while (*at == '"') at = pacer__json_quoted(at, end, &escapes);
		if (*at == '{' || *at == '[') depth++;
		if ((*at == '}' || *at == ']') && --depth == 0) return at + 1;
	}
}

static inline pacer_text pacer__json_piece(const char *from, const char *to) { return (pacer_text){from, (uint32_t)(to - from)}; }

static inline uint32_t pacer__json_hex(char c) {
	uint32_t digit = (uint32_t)c - '0', letter = ((uint32_t)c | 0x20) - 'a';
	return digit < 10 ? digit : letter < 6 ? letter + 10 : 16;
}

// pacer__json_unit is what the four digits of an escape stand for.
static inline uint32_t pacer__json_unit(const char *at) {
	return pacer__json_hex(at[2]) << 12 | pacer__json_hex(at[3]) << 8 | pacer__json_hex(at[4]) << 4 | pacer__json_hex(at[5]);
}

static inline char *pacer__json_utf8(char *to, uint32_t c) {
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

// pacer__json_unescaped is the content of a string that has escapes, in memory for this
// call. Half of a pair of surrogates is U+FFFD.
PACER__ONCE pacer_text pacer__json_unescaped(pacer_text raw) {
	char *text = pacer_scratch(raw.size), *to = text; // an escape is longer than what it stands for
	for (const char *at = raw.at, *end = raw.at + raw.size; at < end;) {
		if (*at != '\\') {
			*to++ = *at++;
			continue;
		}
		if (at[1] != 'u') {
			char c = at[1];
			*to++ = c == 'b' ? '\b' : c == 'f' ? '\f' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
			at += 2;
			continue;
		}
		uint32_t c = pacer__json_unit(at), low = 0;
		at += 6;
		if (c >= 0xd800 && c < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') low = pacer__json_unit(at) - 0xdc00;
		else low = 0x400;
		if (low < 0x400) {
			c = 0x10000 + ((c - 0xd800) << 10) + low;
			at += 6;
		}
		to = pacer__json_utf8(to, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	}
	return pacer__json_piece(text, to);
}

static inline pacer_text pacer__json_content(const char *from, const char *to, bool escapes) {
	pacer_text raw = pacer__json_piece(from + 1, to - 1);
	return escapes ? pacer__json_unescaped(raw) : raw;
}

// --- Checking -----------------------------------------------------------------

// pacer__json_checker goes through a text once. Of what it is in it keeps one bit each:
// whether that is an object.
typedef struct {
	const char *at, *end;
	const char *cause; // of what is wrong at that place; NULL: nothing
	uint32_t depth;
	uint64_t objects[PACER_JSON_DEPTH / 64];
} pacer__json_checker;

static inline bool pacer__json_is(const pacer__json_checker *c, char byte) { return c->at < c->end && *c->at == byte; }

static inline bool pacer__json_digit(const pacer__json_checker *c) { return c->at < c->end && *c->at >= '0' && *c->at <= '9'; }

static inline bool pacer__json_wrong(pacer__json_checker *c, const char *cause) {
	c->cause = cause;
	return false;
}

// pacer__json_check_utf8 checks a character of more than one byte.
static inline bool pacer__json_check_utf8(pacer__json_checker *c) {
	const uint8_t *at = (const uint8_t *)c->at;
	uint32_t left = (uint32_t)(c->end - c->at), size = *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	uint8_t low = *at == 0xe0 ? 0xa0 : *at == 0xf0 ? 0x90 : 0x80, high = *at == 0xed ? 0x9f : *at == 0xf4 ? 0x8f : 0xbf;
	if (*at < 0xc2 || *at > 0xf4 || left < size || at[1] < low || at[1] > high) return pacer__json_wrong(c, "not UTF-8");
	for (uint32_t i = 2; i < size; i++)
		if (at[i] < 0x80 || at[i] > 0xbf) return pacer__json_wrong(c, "not UTF-8");
	c->at += size;
	return true;
}

// pacer__json_check_escape checks what is behind a backslash.
static inline bool pacer__json_check_escape(pacer__json_checker *c) {
	c->at++;
	if (!pacer__json_is(c, 'u')) {
		char b = c->at < c->end ? *c->at : 0;
		if (b != '"' && b != '\\' && b != '/' && b != 'b' && b != 'f' && b != 'n' && b != 'r' && b != 't')
			return pacer__json_wrong(c, "bad escape");
		c->at++;
		return true;
	}
	c->at++;
	for (int i = 0; i < 4; i++, c->at++)
		if (c->at >= c->end || pacer__json_hex(*c->at) > 15) return pacer__json_wrong(c, "bad escape");
	return true;
}

PACER__ONCE bool pacer__json_check_string(pacer__json_checker *c) {
	for (c->at++;;) {
		const char *at = c->at, *end = c->end;
		for (; end - at >= 8; at += 8) {
			uint64_t word = pacer__json_word(at);
			uint64_t marks = pacer__json_marks(word, '"') | pacer__json_marks(word, '\\') | (word - pacer__json_ones * ' ') | word;
			if (marks & pacer__json_highs) {
				at += __builtin_ctzll(marks & pacer__json_highs) / 8;
				break;
			}
		}
		c->at = at;
		if (at >= end) return pacer__json_wrong(c, "cut short");
		if (*at == '"') {
			c->at++;
			return true;
		}
		if (*at == '\\') {
			if (!pacer__json_check_escape(c)) return false;
		} else if ((uint8_t)*at < ' ') {
			return pacer__json_wrong(c, "control character in a string");
		} else if ((uint8_t)*at < 0x80) {
			c->at++;
		} else if (!pacer__json_check_utf8(c)) {
			return false;
		}
	}
}

static inline bool pacer__json_check_digits(pacer__json_checker *c, const char *cause) {
	if (!pacer__json_digit(c)) return pacer__json_wrong(c, cause);
	while (pacer__json_digit(c)) c->at++;
	return true;
}

static inline bool pacer__json_check_number(pacer__json_checker *c) {
	const char *cause = "expected a value";
	if (*c->at == '-') {
		c->at++;
		cause = "expected a digit";
	}
	if (pacer__json_is(c, '0')) c->at++; // what is behind it is no part of the number
	else if (!pacer__json_check_digits(c, cause)) return false;
	if (pacer__json_is(c, '.')) {
		c->at++;
		if (!pacer__json_check_digits(c, "expected a digit")) return false;
	}
	if (!pacer__json_is(c, 'e') && !pacer__json_is(c, 'E')) return true;
	c->at++;
	if (pacer__json_is(c, '+') || pacer__json_is(c, '-')) c->at++;
	return pacer__json_check_digits(c, "expected a digit");
}

static inline bool pacer__json_check_literal(pacer__json_checker *c, const char *literal) {
	for (; *literal; literal++, c->at++)
		if (!pacer__json_is(c, *literal)) return pacer__json_wrong(c, "expected true, false or null");
	return true;
}

// pacer__json_object tells whether the innermost one is.
static inline bool pacer__json_object(const pacer__json_checker *c) {
	return c->objects[(c->depth - 1) / 64] >> ((c->depth - 1) % 64) & 1;
}

static inline bool pacer__json_closes(const pacer__json_checker *c) {
	return pacer__json_is(c, pacer__json_object(c) ? '}' : ']');
}

static inline void pacer__json_skip(pacer__json_checker *c) { c->at = pacer__json_space(c->at, c->end); }

// pacer__json_check_name checks what has to be before a value: in an object its name and
// a colon.
static inline bool pacer__json_check_name(pacer__json_checker *c) {
	pacer__json_skip(c);
	if (!pacer__json_object(c)) return true;
	if (!pacer__json_is(c, '"')) return pacer__json_wrong(c, "expected a name in quotes");
	if (!pacer__json_check_string(c)) return false;
	pacer__json_skip(c);
	if (!pacer__json_is(c, ':')) return pacer__json_wrong(c, "expected a colon");
	c->at++;
	pacer__json_skip(c);
	return true;
}

// pacer__json_check_open goes into an array or object, and out of it again when it is
// empty.
static inline bool pacer__json_check_open(pacer__json_checker *c, bool *empty) {
	if (c->depth == PACER_JSON_DEPTH) return pacer__json_wrong(c, "nested deeper than 1024");
	uint64_t bit = (uint64_t)1 << (c->depth % 64), *objects = &c->objects[c->depth / 64];
	*objects = *c->at == '{' ? *objects | bit : *objects & ~bit;
	c->depth++;
	c->at++;
	pacer__json_skip(c);
	*empty = pacer__json_closes(c);
	if (!*empty) return pacer__json_check_name(c);
	c->depth--;
	c->at++;
	return true;
}

// pacer__json_check_value checks the value that begins there, with all that is in it.
PACER__ONCE bool pacer__json_check_value(pacer__json_checker *c) {
	for (;;) {
		bool ended = true, good;
		if (c->at >= c->end) return pacer__json_wrong(c, "expected a value");
		switch (*c->at) {
		case '"': good = pacer__json_check_string(c); break;
		case '{':
		case '[': good = pacer__json_check_open(c, &ended); break;
		case 't': good = pacer__json_check_literal(c, "true"); break;
		case 'f': good = pacer__json_check_literal(c, "false"); break;
		case 'n': good = pacer__json_check_literal(c, "null"); break;
		default: good = pacer__json_check_number(c);
		}
		if (!good) return false;
		while (ended && c->depth > 0) { // what is behind it?
			pacer__json_skip(c);
			if (pacer__json_is(c, ',')) {
				c->at++;
				if (!pacer__json_check_name(c)) return false;
				ended = false;
			} else if (pacer__json_closes(c)) {
				c->depth--;
				c->at++;
			} else {
				return pacer__json_wrong(c, "expected a comma or the end of the array or object");
			}
		}
		if (ended) return true;
	}
}

// pacer_json_check parses as pacer_json_parse does, and returns what is wrong, in memory
// for this call; an empty text when nothing is.
PACER__ONCE pacer_text pacer_json_check(pacer_text text, pacer_json *into) {
	pacer__json_checker c = {.at = text.at, .end = text.at + text.size};
	pacer__json_skip(&c);
	const char *from = c.at;
	if (pacer__json_check_value(&c)) {
		into->raw = pacer__json_piece(from, c.at);
		pacer__json_skip(&c);
		if (c.at == c.end) return (pacer_text){0};
		c.cause = "expected nothing behind the value";
	}
	into->raw = (pacer_text){0};
	if (c.at >= c.end) c.cause = "cut short";
	return pacer_join(PACER_TEXT("not JSON: byte "), pacer_number((uint32_t)(c.at - text.at)), PACER_TEXT(": "), pacer_text_of(c.cause));
}

// pacer_json_parse checks that the text is one value of JSON, as RFC 8259 has it, with
// nothing but white space around it, in UTF-8 and nested no deeper than PACER_JSON_DEPTH.
// If it is not, that becomes a fault of this call: what the host sends is JSON. Of what a
// user wrote, pacer_json_check says what is wrong.
static inline bool pacer_json_parse(pacer_text text, pacer_json *into) {
	pacer_text wrong = pacer_json_check(text, into);
	if (wrong.size > 0) pacer_fault(wrong);
	return wrong.size == 0;
}

// --- Looking into values ------------------------------------------------------

static inline uint32_t pacer_json_kind(pacer_json v) {
	switch (v.raw.size > 0 ? *v.raw.at : 0) {
	case 0: return PACER_JSON_ABSENT;
	case '{': return PACER_JSON_OBJECT;
	case '[': return PACER_JSON_ARRAY;
	case '"': return PACER_JSON_STRING;
	case 't':
	case 'f': return PACER_JSON_BOOL;
	case 'n': return PACER_JSON_NULL;
	default: return PACER_JSON_NUMBER;
	}
}

// pacer_json_item is where a loop over an object or array is.
typedef struct {
	pacer_text name;  // of a member; empty in arrays
	pacer_json value;
	const char *at, *end; // not for modules
	const char *key, *key_end;
	bool escapes;
} pacer_json_item;

// pacer_json_items begins a loop over the members of an object, with all that have the
// same name, or over the elements of an array; there are none in any other value:
//
//	for (pacer_json_item it = pacer_json_items(env); pacer_json_next(&it);) …
static inline pacer_json_item pacer_json_items(pacer_json of) {
	pacer_json_item it = {.end = of.raw.at + of.raw.size};
	it.at = pacer_json_kind(of) >= PACER_JSON_ARRAY ? of.raw.at + 1 : it.end;
	return it;
}

// pacer__json_step is pacer_json_next without the name.
PACER__ONCE bool pacer__json_step(pacer_json_item *it) {
	const char *at = pacer__json_space(it->at, it->end), *end = it->end;
	if (at < end && *at == ',') at = pacer__json_space(at + 1, end);
	if (at >= end || *at == '}' || *at == ']') return false;
	it->key = NULL;
	it->escapes = false;
	if (end[-1] == '}') {
		it->key = at;
		it->key_end = pacer__json_quoted(at, end, &it->escapes);
		at = pacer__json_space(pacer__json_space(it->key_end, end) + 1, end); // behind the colon
	}
	it->at = pacer__json_end(at, end);
	it->value.raw = pacer__json_piece(at, it->at);
	return true;
}

// pacer_json_next goes to the next item, if there is one.
static inline bool pacer_json_next(pacer_json_item *it) {
	if (!pacer__json_step(it)) return false;
	it->name = it->key ? pacer__json_content(it->key, it->key_end, it->escapes) : (pacer_text){0};
	return true;
}

// pacer_json_member is the value of the member of this name; of some the last one. It is
// absent when there is none.
PACER__ONCE pacer_json pacer_json_member(pacer_json object, pacer_text name) {
	pacer_json found = {0};
	if (pacer_json_kind(object) != PACER_JSON_OBJECT) return found;
	for (pacer_json_item it = pacer_json_items(object); pacer__json_step(&it);)
		if (pacer_same(pacer__json_content(it.key, it.key_end, it.escapes), name)) found = it.value;
	return found;
}

// pacer_json_get is what is in the member of the first name, and so on along the path:
// pacer_json_get(app, "container", "docker", "image"). Names end with a 0.
#define pacer_json_get(value, ...) \
	pacer__json_get(value, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static inline pacer_json pacer__json_get(pacer_json v, const char *const *path, uint32_t n) {
	for (uint32_t i = 0; i < n; i++) v = pacer_json_member(v, pacer_text_of(path[i]));
	return v;
}

// pacer_json_text is the content of a string, in memory for this call if it has escapes;
// empty for any other value.
static inline pacer_text pacer_json_text(pacer_json v) {
	if (pacer_json_kind(v) != PACER_JSON_STRING) return (pacer_text){0};
	bool escapes = false;
	for (uint32_t i = 0; i < v.raw.size && !escapes; i++) escapes = v.raw.at[i] == '\\';
	return pacer__json_content(v.raw.at, v.raw.at + v.raw.size, escapes);
}

// pacer_json_true tells whether the value is true.
static inline bool pacer_json_true(pacer_json v) { return pacer_equal(v.raw, "true"); }

// pacer_json_integer reads a number without a fraction and an exponent. It returns false
// for any other value, and for numbers that are too large.
static inline bool pacer_json_integer(pacer_json v, int64_t *into) {
	return pacer_json_kind(v) == PACER_JSON_NUMBER && pacer_integer(v.raw, INT64_MIN, INT64_MAX, into);
}

// --- Numbers with a fraction --------------------------------------------------

// pacer__json_big is a whole number, the lowest part first. 4096 bits are enough: no more
// than 800 digits are looked at.
enum { PACER__JSON_PARTS = 128, PACER__JSON_DIGITS = 800 };
typedef struct {
	uint32_t n, part[PACER__JSON_PARTS];
} pacer__json_big;

static inline void pacer__json_scale(pacer__json_big *b, uint32_t by, uint32_t add) {
	uint64_t carry = add;
	for (uint32_t i = 0; i < b->n; i++) {
		carry += (uint64_t)b->part[i] * by;
		b->part[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry) b->part[b->n++] = (uint32_t)carry;
}

static inline void pacer__json_shift(pacer__json_big *b, uint32_t bits) {
	if (b->n == 0) return;
	uint32_t parts = bits / 32;
	for (uint32_t i = b->n; i-- > 0;) b->part[i + parts] = b->part[i];
	for (uint32_t i = 0; i < parts; i++) b->part[i] = 0;
	b->n += parts;
	if (bits % 32) pacer__json_scale(b, 1u << bits % 32, 0);
}

static inline int pacer__json_compare(const pacer__json_big *a, const pacer__json_big *b) {
	if (a->n != b->n) return a->n < b->n ? -1 : 1;
	for (uint32_t i = a->n; i-- > 0;)
		if (a->part[i] != b->part[i]) return a->part[i] < b->part[i] ? -1 : 1;
	return 0;
}

static inline void pacer__json_subtract(pacer__json_big *a, const pacer__json_big *b) {
	int64_t borrow = 0;
	for (uint32_t i = 0; i < a->n; i++) {
		borrow += (int64_t)a->part[i] - (i < b->n ? b->part[i] : 0);
		a->part[i] = (uint32_t)borrow;
		borrow >>= 32;
	}
	while (a->n > 0 && a->part[a->n - 1] == 0) a->n--;
}

static inline int32_t pacer__json_bits(const pacer__json_big *b) {
	return (int32_t)(32 * b->n) - __builtin_clz(b->part[b->n - 1]);
}

static inline double pacer__json_double(uint64_t bits) {
	double d;
	memcpy(&d, &bits, 8);
	return d;
}

// pacer__json_divide is n / d, neither of them 0, rounded to the nearest double; infinity
// when that is too large.
static double pacer__json_divide(pacer__json_big *n, pacer__json_big *d) {
	int32_t exponent = pacer__json_bits(n) - pacer__json_bits(d), bits = 53;
	pacer__json_shift(exponent > 0 ? d : n, (uint32_t)(exponent > 0 ? exponent : -exponent));
	if (pacer__json_compare(n, d) < 0) {
		pacer__json_shift(n, 1);
		exponent--;
	}
	// The quotient is now from 1 to below 2, times 2 to the exponent.
	if (exponent > 1023) return __builtin_inf();
	if (exponent < -1022) bits -= -1022 - exponent;
	if (bits < 0) return 0;
	uint64_t quotient = 0;
	for (int32_t i = 0; i < bits; i++) {
		bool one = pacer__json_compare(n, d) >= 0;
		quotient = quotient << 1 | one;
		if (one) pacer__json_subtract(n, d);
		pacer__json_shift(n, 1);
	}
	int rest = pacer__json_compare(n, d); // with the half of the last bit
	if (rest > 0 || (rest == 0 && (quotient & 1))) quotient++;
	if (exponent < -1022) return pacer__json_double(quotient);
	return pacer__json_double(((uint64_t)(exponent + 1023) << 52) + quotient - ((uint64_t)1 << 52)); // may carry
}

// pacer__json_exact is how most numbers are read: of digits and a power of ten that a
// double can hold exactly.
static inline bool pacer__json_exact(uint64_t digits, int32_t exponent, double *into) {
	if (digits >> 53 || exponent < -22 || exponent > 22) return false;
	double power = 1;
	for (int32_t i = exponent < 0 ? -exponent : exponent; i > 0; i--) power *= 10;
	*into = exponent < 0 ? (double)digits / power : (double)digits * power;
	return true;
}

// pacer_json_double reads a number, rounded to the nearest double. It returns false for
// any other value, and for numbers that are larger than any double.
PACER__ONCE bool pacer_json_double(pacer_json v, double *into) {
	if (pacer_json_kind(v) != PACER_JSON_NUMBER) return false;
	const char *at = v.raw.at, *end = at + v.raw.size;
	bool negative = *at == '-', point = false;
	pacer__json_big *n = pacer_scratch(sizeof *n), *d = pacer_scratch(sizeof *d);
	n->n = 0;
	uint64_t digits = 0;
	int32_t count = 0, exponent = 0;
	for (at += negative; at < end && (*at | 0x20) != 'e'; at++) {
		if (*at == '.') {
			point = true;
			continue;
		}
		uint32_t digit = (uint32_t)(*at - '0');
		if (count == 0 && digit == 0) {
			exponent -= point; // zeros at the front
			continue;
		}
		count++;
		if (count <= PACER__JSON_DIGITS) {
			pacer__json_scale(n, 10, digit);
			digits = count < 20 ? 10 * digits + digit : UINT64_MAX;
			exponent -= point;
		} else {
			exponent += !point;
			if (digit > 0) n->part[0] |= 1; // so far back it only says: a little more
		}
	}
	int64_t power = 0;
	if (at < end) {
		bool below = at[1] == '-';
		for (at += at[1] == '-' || at[1] == '+' ? 2 : 1; at < end; at++)
			if (power < 100000000) power = 10 * power + (*at - '0');
		if (below) power = -power;
	}
	power += exponent;
	double value = 0;
	if (count > 0 && !pacer__json_exact(digits, (int32_t)(power < -999 ? -999 : power > 999 ? 999 : power), &value)) {
		int32_t used = count < PACER__JSON_DIGITS ? count : PACER__JSON_DIGITS;
		if (power + used > 310) return false;
		if (power + used > -330) {
			*d = (pacer__json_big){.n = 1, .part = {1}};
			for (int64_t i = power < 0 ? -power : power; i > 0; i--) pacer__json_scale(power < 0 ? d : n, 10, 0);
			value = pacer__json_divide(n, d);
		}
	}
	*into = negative ? -value : value;
	return value < __builtin_inf();
}

// --- Amending -----------------------------------------------------------------

// pacer_json_quote is a text as a string of JSON, in quotes, in memory for this call. The
// text has to be UTF-8.
PACER__ONCE pacer_text pacer_json_quote(pacer_text text) {
	static const char digits[] = "0123456789abcdef";
	char *quoted = pacer_scratch(6 * text.size + 2), *to = quoted;
	*to++ = '"';
	for (uint32_t i = 0; i < text.size; i++) {
		char c = text.at[i];
		char brief = c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : c == '"' || c == '\\' ? c : 0;
		if ((uint8_t)c >= ' ' && !brief) {
			*to++ = c;
			continue;
		}
		*to++ = '\\';
		*to++ = brief ? brief : 'u';
		if (brief) continue;
		*to++ = '0';
		*to++ = '0';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	*to++ = '"';
	return pacer__json_piece(quoted, to);
}

// pacer_json_with is the text of the value with another value, JSON, at the path, in
// memory for this call. Objects on the way that are not there, or null, are made. All
// else stays as it was written. When that is not possible it is empty, and a fault of
// this call:
//
//	out->amended = pacer_json_with(app, pacer_json_quote(image), "container", "docker", "image");
#define pacer_json_with(value, raw, ...) \
	pacer__json_with(value, raw, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

PACER__ONCE pacer_text pacer__json_with(pacer_json v, pacer_text raw, const char *const *path, uint32_t n) {
	pacer_json there = v, next, checked;
	uint32_t depth = 0;
	for (; depth < n; depth++, there = next)
		if ((next = pacer_json_member(there, pacer_text_of(path[depth]))).raw.size == 0) break;
	if (!pacer_json_parse(raw, &checked)) return (pacer_text){0};
	uint32_t kind = pacer_json_kind(there);
	pacer_text parts = {0}, start = {0}, behind = {0};
	if (depth < n && kind > PACER_JSON_NULL && kind != PACER_JSON_OBJECT) {
		for (uint32_t i = 0; i < depth; i++) parts = pacer_join(parts, PACER_TEXT("/"), pacer_text_of(path[i]));
		if (depth == 0) parts = PACER_TEXT("/");
		return pacer_fault(pacer_join(parts, PACER_TEXT(" is no object"))), (pacer_text){0};
	}
	for (uint32_t i = n; i-- > depth;) { // from the inside
		raw = pacer_join(pacer_json_quote(pacer_text_of(path[i])), PACER_TEXT(":"), raw);
		if (i > depth || kind != PACER_JSON_OBJECT) raw = pacer_join(PACER_TEXT("{"), raw, PACER_TEXT("}"));
	}
	const char *from = there.raw.at, *to = from + there.raw.size;
	if (depth < n && kind == PACER_JSON_OBJECT) { // the member comes last, before the bracket
		pacer_json_item some = pacer_json_items(there);
		from = --to;
		if (pacer__json_step(&some)) raw = pacer_join(PACER_TEXT(","), raw);
	}
	if (v.raw.size == 0) return raw;
	start = pacer__json_piece(v.raw.at, from);
	behind = pacer__json_piece(to, v.raw.at + v.raw.size);
	return pacer_join(start, raw, behind);
}

#endif
