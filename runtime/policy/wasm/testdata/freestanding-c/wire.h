// The part of protobuf's wire format that the messages of sdk/policy.proto need.
#include <stdint.h>

typedef struct {
	const uint8_t *at, *end;
} bytes;

typedef struct {
	uint32_t field;
	uint64_t number; // of a varint
	bytes content;   // of what has a length: text, messages, packed lists
} item;

static uint32_t size_of(bytes b) { return (uint32_t)(b.end - b.at); }

static int varint(bytes *b, uint64_t *value) {
	*value = 0;
	for (int shift = 0; shift < 70 && b->at < b->end; shift += 7) {
		uint8_t byte = *b->at++;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) return 1;
	}
	return 0;
}

// skip moves behind a number of fixed size, which no message has outside of a list.
static int skip(bytes *b, uint32_t size) {
	if (size_of(*b) < size) return 0;
	b->at += size;
	return 1;
}

// next cuts the first field off the message. It returns 0 at the end and -1 when
// the rest is not a message.
static int next(bytes *b, item *it) {
	uint64_t tag, size;
	if (b->at == b->end) return 0;
	if (!varint(b, &tag)) return -1;
	it->field = (uint32_t)(tag >> 3);
	it->number = 0;
	it->content = (bytes){0, 0};
	switch (tag & 7) {
	case 0: return varint(b, &it->number) ? 1 : -1;
	case 1: return skip(b, 8) ? 1 : -1;
	case 5: return skip(b, 4) ? 1 : -1;
	case 2: break;
	default: return -1;
	}
	if (!varint(b, &size) || size > size_of(*b)) return -1;
	it->content = (bytes){b->at, b->at + size};
	b->at += size;
	return 1;
}

// fixed32 is the n-th number of a packed list. Lists begin at any address.
static uint32_t fixed32(bytes list, uint32_t n) {
	const uint8_t *p = list.at + 4 * n;
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static int equal(bytes b, const char *text) {
	for (; *text; b.at++, text++)
		if (b.at == b.end || *b.at != (uint8_t)*text) return 0;
	return b.at == b.end;
}

// The put functions write to where *to points and move it on.

static void put_varint(uint8_t **to, uint64_t value) {
	for (; value >= 0x80; value >>= 7) *(*to)++ = (uint8_t)value | 0x80;
	*(*to)++ = (uint8_t)value;
}

static void put_number(uint8_t **to, uint32_t field, uint64_t value) {
	put_varint(to, field << 3);
	put_varint(to, value);
}

static void put_text(uint8_t **to, uint32_t field, const char *text) {
	uint32_t size = 0;
	while (text[size]) size++;
	put_varint(to, field << 3 | 2);
	put_varint(to, size);
	for (; *text; text++) *(*to)++ = (uint8_t)*text;
}

static void put_fixed32(uint8_t **to, uint32_t value) {
	for (int i = 0; i < 4; i++, value >>= 8) *(*to)++ = (uint8_t)value;
}
