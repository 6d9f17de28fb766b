// The compiler of regular expressions. The syntax is that of RE2, and of the LIKE
// that is built in. Unicode's classes (\pL) are refused, and so are runes beyond ASCII
// where case is nothing. Jumps are relative, so that what was compiled can be moved and
// copied: a repetition is made from what it repeats, without a tree in between.

enum { MAX_CODE = 4000, MAX_RANGES = 2000, MAX_REPEAT = 1000, MAX_DEPTH = 100 };

// Flags as in (?i).
enum { FOLD = 1, DOT_NEWLINE = 2, LINES = 4 };

typedef struct {
	pacer_text whole, rest; // rest: what is still to be compiled
	regex *re;
	uint32_t ranges, flags, depth;
	int32_t copies; // how often what was compiled last repeats the innermost thing in it, by counts
	pacer_text fault; // why it is no expression; empty: it is one so far
} compiler;

// wrong notes the first mistake: what it is, and the part of the expression.
static void wrong(compiler *c, const char *what, pacer_text part) {
	if (c->fault.size == 0) c->fault = pacer_join(pacer_text_of(what), PACER_TEXT(": "), part);
	c->rest.size = 0; // every loop ends
}

static bool failed(const compiler *c) { return c->fault.size > 0; }

static pacer_text since(const compiler *c, const char *from) {
	return (pacer_text){from, (uint32_t)(c->rest.at - from)};
}

static bool sees(const compiler *c, const char *text) { return pacer_begins(c->rest, pacer_text_of(text)); }

// skips moves behind the text if it comes next.
static bool skips(compiler *c, const char *text) {
	pacer_text t = pacer_text_of(text);
	if (!pacer_begins(c->rest, t)) return false;
	c->rest.at += t.size;
	c->rest.size -= t.size;
	return true;
}

static void emit(compiler *c, instruction i) {
	if (c->re->size == MAX_CODE) {
		wrong(c, "expression too large", c->whole);
	} else {
		c->re->code[c->re->size++] = i;
	}
}

// insert puts an instruction before what was compiled from a place on.
static void insert(compiler *c, uint32_t at, instruction i) {
	emit(c, i);
	if (failed(c)) return;
	for (uint32_t k = c->re->size - 1; k > at; k--) c->re->code[k] = c->re->code[k - 1];
	c->re->code[at] = i;
}

static void copy(compiler *c, uint32_t from, uint32_t n) {
	for (uint32_t k = 0; k < n && !failed(c); k++) emit(c, c->re->code[from + k]);
}

static void add_range(compiler *c, int32_t low, int32_t high) {
	if (low > high) return;
	if (c->ranges == MAX_RANGES) {
		wrong(c, "expression too large", c->whole);
	} else {
		c->re->ranges[c->ranges++] = (range){low, high};
	}
}

// Runes beyond ASCII that are an s and a K in another case, and the last one of all
// that has a case.
enum { LONG_S = 0x17f, KELVIN = 0x212a, LAST_WITH_CASE = 0x1e943 };

// has_letter tells whether a small letter or its capital is in the range.
static bool has_letter(int32_t low, int32_t high, int32_t letter) {
	return (low <= letter && letter <= high) || (low <= letter - 32 && letter - 32 <= high);
}

// add_folded adds the range that is written from a place on, and its letters in the
// other case where case is nothing.
static void add_folded(compiler *c, int32_t low, int32_t high, const char *from) {
	add_range(c, low, high);
	if (failed(c) || !(c->flags & FOLD) || (low <= 'A' && high >= LAST_WITH_CASE)) return;
	if (high >= 0x80 && low <= LAST_WITH_CASE) {
		wrong(c, "(?i) is supported for ASCII only here", since(c, from));
		return;
	}
	int32_t upper_low = low > 'A' ? low : 'A', upper_high = high < 'Z' ? high : 'Z';
	int32_t lower_low = low > 'a' ? low : 'a', lower_high = high < 'z' ? high : 'z';
	add_range(c, upper_low + 32, upper_high + 32);
	add_range(c, lower_low - 32, lower_high - 32);
	if (has_letter(low, high, 's')) add_range(c, LONG_S, LONG_S);
	if (has_letter(low, high, 'k')) add_range(c, KELVIN, KELVIN);
}

static void emit_class(compiler *c, uint32_t first, bool negated) {
	emit(c, (instruction){CLASS, negated, (int32_t)first, (int32_t)(c->ranges - first)});
}

// emit_rune emits a rune that is written from a place on.
static void emit_rune(compiler *c, int32_t rune, const char *from) {
	bool letter = is_word(rune) && rune > '9' && rune != '_';
	if (c->flags & FOLD && (letter || rune >= 0x80)) {
		uint32_t first = c->ranges;
		add_folded(c, rune, rune, from);
		emit_class(c, first, false);
		return;
	}
	emit(c, (instruction){RUNE, false, rune, 0});
}

// Named sets, as pairs of first and last rune, in the order of their runes.
typedef struct {
	const char *name, *pairs;
} set;

static const set perl_sets[] = {{"d", "09"}, {"s", "\t\n\f\r  "}, {"w", "09AZ__az"}};
static const set posix_sets[] = {
	{"alnum", "09AZaz"}, {"alpha", "AZaz"}, {"ascii", "\1\x7f"}, {"blank", "\t\t  "}, {"cntrl", "\1\x1f\x7f\x7f"},
	{"digit", "09"}, {"graph", "!~"}, {"lower", "az"}, {"print", " ~"}, {"punct", "!/:@[`{~"}, {"space", "\t\r  "},
	{"upper", "AZ"}, {"word", "09AZ__az"}, {"xdigit", "09AFaf"},
};

// add_set adds the set, or all runes that are not in it. Where case is nothing, a set
// with letters has all of them, but for xdigit's, which has both cases.
static void add_set(compiler *c, const set *s, bool negated) {
	const char *pairs = s->pairs;
	bool fold = c->flags & FOLD, letters = false;
	if (fold && (pacer_equal(pacer_text_of(pairs), "az") || pacer_equal(pacer_text_of(pairs), "AZ"))) pairs = "AZaz";
	int32_t from = 0;
	for (const char *p = pairs; *p; p += 2) {
		int32_t low = p[0] == 1 ? 0 : p[0]; // \1 stands for 0, which ends the text
		add_range(c, negated ? from : low, negated ? low - 1 : p[1]);
		letters = letters || has_letter(low, p[1], 'k');
		from = p[1] + 1;
	}
	static const int32_t others[] = {LONG_S, KELVIN};
	for (int i = 0; fold && letters && i < 2; i++) {
		add_range(c, negated ? from : others[i], negated ? others[i] - 1 : others[i]);
		from = others[i] + 1;
	}
	if (negated) add_range(c, from, MAX_RUNE);
}

// perl_set takes \d, \S and the like.
static bool perl_set(compiler *c) {
	if (c->rest.size < 2 || c->rest.at[0] != '\\') return false;
	for (uint32_t i = 0; i < sizeof perl_sets / sizeof *perl_sets; i++) {
		char name = perl_sets[i].name[0], letter = c->rest.at[1];
		if (letter != name && letter != name - 32) continue;
		c->rest.at += 2;
		c->rest.size -= 2;
		add_set(c, &perl_sets[i], letter != name);
		return true;
	}
	return false;
}

// posix_set takes [:alpha:], [:^space:] and the like, inside of a class.
static bool posix_set(compiler *c) {
	if (!sees(c, "[:")) return false;
	pacer_text all = c->rest;
	for (uint32_t end = 2; end + 1 < all.size; end++) {
		if (all.at[end] != ':' || all.at[end + 1] != ']') continue;
		bool negated = all.at[2] == '^';
		pacer_text name = {all.at + 2 + negated, end - 2 - negated};
		c->rest = (pacer_text){all.at + end + 2, all.size - end - 2};
		for (uint32_t i = 0; i < sizeof posix_sets / sizeof *posix_sets; i++) {
			if (!pacer_same(name, pacer_text_of(posix_sets[i].name))) continue;
			add_set(c, &posix_sets[i], negated);
			return true;
		}
		wrong(c, "invalid character class range", since(c, all.at));
		return true;
	}
	return false; // it is a [ like any other
}

static int32_t digit(int32_t c, int32_t base) {
	int32_t lower = c | 32, n = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
	return n < base ? n : -1;
}

// hexadecimal is the rune that follows \x; -1: there is none.
static int32_t hexadecimal(compiler *c) {
	if (!skips(c, "{")) {
		int32_t first = digit(cut_rune(&c->rest), 16), second = digit(cut_rune(&c->rest), 16);
		return first < 0 || second < 0 ? -1 : 16 * first + second;
	}
	int32_t value = 0, n = 0;
	for (; !skips(c, "}"); n++) {
		int32_t d = digit(cut_rune(&c->rest), 16);
		value = 16 * value + d;
		if (d < 0 || value > MAX_RUNE) return -1;
	}
	return n > 0 ? value : -1;
}

// octal is the rune of a digit and up to two more.
static int32_t octal(compiler *c, int32_t value) {
	for (int i = 0; i < 2 && c->rest.size > 0 && digit(*c->rest.at, 8) >= 0; i++) value = 8 * value + digit(cut_rune(&c->rest), 8);
	return value;
}

// escaped is the rune that is written with a backslash, which was taken.
static int32_t escaped(compiler *c) {
	const char *from = c->rest.at - 1;
	int32_t rune = cut_rune(&c->rest);
	switch (rune) {
	case NO_RUNE: wrong(c, "trailing backslash at end of expression", PACER_TEXT("")); return 0;
	case 'a': return '\a';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'v': return '\v';
	case 'x':
		rune = hexadecimal(c);
		if (rune >= 0xd800 && rune < 0xe000) wrong(c, "surrogates are not supported here", since(c, from));
		break;
	case 'k': wrong(c, "back-references are not supported (the syntax is RE2's)", since(c, from)); return 0;
	case 'p':
	case 'P': wrong(c, "classes of Unicode are not supported here", since(c, from)); return 0;
	default:
		if (rune >= '0' && rune <= '7' && (rune == '0' || (c->rest.size > 0 && digit(*c->rest.at, 8) >= 0))) {
			return octal(c, rune - '0');
		}
		if (rune >= '1' && rune <= '9') {
			wrong(c, "back-references are not supported (the syntax is RE2's)", since(c, from));
		}
		if (rune < 0x80 && (!is_word(rune) || rune == '_')) return rune;
		rune = -1;
	}
	if (rune < 0) wrong(c, "invalid escape sequence", since(c, from));
	return rune < 0 ? 0 : rune;
}

static int32_t class_rune(compiler *c) { return skips(c, "\\") ? escaped(c) : cut_rune(&c->rest); }

// character_class compiles what follows a [.
static void character_class(compiler *c) {
	const char *from = c->rest.at - 1;
	pacer_text all = {from, c->rest.size + 1};
	bool negated = skips(c, "^");
	uint32_t first = c->ranges;
	for (bool begin = true; begin || !sees(c, "]"); begin = false) {
		if (c->rest.size == 0) {
			wrong(c, "missing closing ]", all);
			return;
		}
		if (posix_set(c) || perl_set(c)) continue;
		const char *at = c->rest.at;
		int32_t low = class_rune(c), high = low;
		if (sees(c, "-") && c->rest.size > 1 && c->rest.at[1] != ']') {
			skips(c, "-");
			high = class_rune(c);
		}
		if (low > high) wrong(c, "invalid character class range", since(c, at));
		add_folded(c, low, high, at);
		if (failed(c)) return;
	}
	skips(c, "]");
	emit_class(c, first, negated);
}
