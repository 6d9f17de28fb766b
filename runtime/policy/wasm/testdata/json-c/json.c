// Reads JSON as policy modules in C do; ../json-go says what for.
#define PACER_NAME "json"
#define PACER_VERSION "1.0.0"
#define PACER_ADMISSION_POLICIES "show", "review"
#include "pacer_policy.h"
#include "pacer_json.h"

#define T PACER_TEXT

// What is shown so far; answers are put together at its end.
static struct {
	char *at;
	uint32_t size, room;
} out;

static void put(pacer_text text) {
	if (out.size + text.size > out.room) {
		char *more = pacer_scratch(2 * (out.size + text.size));
		memcpy(more, out.at, out.size);
		out.at = more;
		out.room = 2 * (out.size + text.size);
	}
	memcpy(out.at + out.size, text.at, text.size);
	out.size += text.size;
}

static void show_number(pacer_json v) {
	static const char digits[] = "0123456789abcdef";
	int64_t whole;
	double number;
	if (!pacer_json_integer(v, &whole)) {
		put(T("-"));
	} else {
		if (whole < 0) put(T("-"));
		put(pacer_number(whole < 0 ? -(uint64_t)whole : (uint64_t)whole));
	}
	put(T(" "));
	if (!pacer_json_double(v, &number)) {
		put(T("-"));
		return;
	}
	uint64_t bits;
	memcpy(&bits, &number, 8);
	char hex[16];
	for (int i = 15; i >= 0; i--, bits >>= 4) hex[i] = digits[bits & 15];
	put((pacer_text){hex, 16});
}

static void show(pacer_json v, int depth) {
	uint32_t kind = pacer_json_kind(v), n = 0;
	if (kind == PACER_JSON_ABSENT) {
		put(T("absent"));
	} else if (depth > 20 || kind == PACER_JSON_NULL) {
		put(v.raw);
	} else if (kind == PACER_JSON_BOOL) {
		put(pacer_json_true(v) ? T("true") : T("false"));
	} else if (kind == PACER_JSON_NUMBER) {
		show_number(v);
	} else if (kind == PACER_JSON_STRING) {
		put(pacer_json_quote(pacer_json_text(v)));
	} else {
		bool object = kind == PACER_JSON_OBJECT;
		put(object ? T("{") : T("["));
		for (pacer_json_item it = pacer_json_items(v); pacer_json_next(&it);) {
			if (n++ > 0) put(T(","));
			if (object) {
				put(pacer_json_quote(it.name));
				put(T(":"));
			}
			show(it.value, depth + 1);
		}
		put(object ? T("}") : T("]"));
	}
}

static void review(pacer_json app, pacer_admission_review *r) {
	if (pacer_json_text(pacer_json_get(app, "labels", "team")).size == 0) {
		*r = (pacer_admission_review){.denied = true, .path = T("/labels/team"), .reason = T("an app needs a team")};
		return;
	}
	for (pacer_json_item it = pacer_json_items(pacer_json_get(app, "env")); pacer_json_next(&it);) {
		if (!pacer_equal(it.name, "PASSWORD")) continue;
		*r = (pacer_admission_review){.denied = true, .path = T("/env/PASSWORD"), .reason = T("passwords are secrets")};
		return;
	}
	pacer_text image = pacer_json_text(pacer_json_get(app, "container", "docker", "image"));
	if (image.size == 0 || pacer_begins(image, T("mirror.example/"))) return;
	r->amended = pacer_json_with(app, pacer_json_quote(pacer_join(T("mirror.example/"), image)), "container", "docker", "image");
}

void admission_review(const pacer_admission_request *request, pacer_admission_review *r) {
	pacer_json v, settings;
	pacer_text wrong = pacer_json_check(request->after, &v);
	if (wrong.size > 0) {
		pacer_invalid(wrong);
		return;
	}
	if (pacer_equal(request->name, "review")) {
		review(v, r);
		return;
	}
	if (!pacer_json_parse(request->settings, &settings)) return;
	const char **path = pacer_scratch(2048 * sizeof *path);
	uint32_t n = 0;
	for (pacer_json_item it = pacer_json_items(pacer_json_get(settings, "path")); pacer_json_next(&it);)
		path[n++] = pacer_join(pacer_json_text(it.value), ((pacer_text){"", 1})).at; // with the 0 at its end
	pacer_json raw = pacer_json_get(settings, "set");
	if (pacer_json_kind(raw) == PACER_JSON_STRING) {
		r->amended = pacer__json_with(v, pacer_json_text(raw), path, n);
		return;
	}
	out.room = out.size = 0;
	show(pacer__json_get(v, path, n), 0);
	r->amended = (pacer_text){out.at, out.size};
}
