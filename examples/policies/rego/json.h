// json.h is as much JSON as the adapter needs: it walks what OPA wrote, which is well
// formed, and writes texts. A pacer_text of JSON is one whole value.
#ifndef JSON_H
#define JSON_H

static bool json_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static pacer_text json_trim(pacer_text t) {
	while (t.size > 0 && json_space(*t.at)) t.at++, t.size--;
	return t;
}

// json_skip is how many bytes the value takes that the text begins with.
static uint32_t json_skip(pacer_text t) {
	uint32_t depth = 0, i = 0;
	for (bool quoted = false; i < t.size; i++) {
		char c = t.at[i];
		if (quoted) {
			if (c == '\\') i++;
			quoted = c != '"';
			if (!quoted && depth == 0) return i + 1;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth == 0) return i; // the end of what a number or a word is in
			if (--depth == 0) return i + 1;
		} else if ((c == ',' || json_space(c)) && depth == 0) {
			return i;
		}
	}
	return i < t.size ? i : t.size;
}

// json_next cuts the first value, and with a key the member, off the inside of a list
// or an object.
static bool json_next(pacer_text *inside, pacer_text *key, pacer_text *value) {
	*inside = json_trim(*inside);
	if (inside->size > 0 && *inside->at == ',') inside->at++, inside->size--, *inside = json_trim(*inside);
	if (inside->size == 0) return false;
	for (pacer_text *into = key ? key : value;; into = value) {
		*into = (pacer_text){inside->at, json_skip(*inside)};
		inside->at += into->size, inside->size -= into->size;
		if (into == value) return true;
		*inside = json_trim(*inside);
		if (inside->size == 0) return false;
		inside->at++, inside->size--, *inside = json_trim(*inside); // the colon
	}
}

// json_inside is what is between the brackets; empty for what has none.
static pacer_text json_inside(pacer_text value, char open) {
	value = json_trim(value);
	if (value.size < 2 || *value.at != open) return (pacer_text){"", 0};
	return (pacer_text){value.at + 1, value.size - 2};
}

// json_member is the value of a member; empty when there is none.
static pacer_text json_member(pacer_text object, pacer_text name) {
	pacer_text inside = json_inside(object, '{'), key, value;
	while (json_next(&inside, &key, &value))
		if (pacer_same(json_inside(key, '"'), name)) return value;
	return (pacer_text){"", 0};
}

static uint32_t json_hex(const char *at) {
	uint32_t n = 0;
	for (int i = 0; i < 4; i++) n = n << 4 | (uint32_t)(at[i] <= '9' ? at[i] - '0' : (at[i] | 32) - 'a' + 10);
	return n;
}

// json_text is the text that a value in quotes stands for; empty for other values.
static pacer_text json_text(pacer_text value) {
	pacer_text in = json_inside(value, '"');
	char *to = pacer_scratch(in.size);
	uint32_t n = 0;
	for (uint32_t i = 0; i < in.size; i++) {
		char c = in.at[i];
		if (c != '\\' || i + 1 >= in.size) {
			to[n++] = c;
		} else if ((c = in.at[++i]) != 'u' || i + 4 >= in.size) {
			to[n++] = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
		} else { // OPA writes the characters themselves; only those of control come so
			uint32_t code = json_hex(in.at + i + 1);
			to[n++] = code < 128 ? (char)code : '?';
			i += 4;
		}
	}
	return (pacer_text){to, n};
}

// json_quoted is the text as a value in quotes.
static pacer_text json_quoted(pacer_text text) {
	static const char digits[] = "0123456789abcdef";
	char *to = pacer_scratch(6 * text.size + 2);
	uint32_t n = 0;
	to[n++] = '"';
	for (uint32_t i = 0; i < text.size; i++) {
		char c = text.at[i];
		if (c == '"' || c == '\\') {
			to[n++] = '\\';
			to[n++] = c;
		} else if ((uint8_t)c < 32) {
			memcpy(to + n, "\\u00", 4);
			to[n + 4] = digits[c >> 4];
			to[n + 5] = digits[c & 15];
			n += 6;
		} else {
			to[n++] = c;
		}
	}
	to[n++] = '"';
	return (pacer_text){to, n};
}

// json_decimal is a number of at most three decimals, as resources are.
static pacer_text json_decimal(double n) {
	uint64_t thousandths = n > 0 && n < 9e15 ? (uint64_t)(n * 1000 + 0.5) : 0;
	pacer_text rest = pacer_number(1000 + thousandths % 1000);
	return pacer_join(pacer_number(thousandths / 1000), PACER_TEXT("."), ((pacer_text){rest.at + 1, 3}));
}

#endif
