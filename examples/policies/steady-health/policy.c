// A policy module for Pacer with a health rule that bears instances that flap: one that
// has been healthy is not so when k of its latest n checks failed, and it is replaced
// when that went on for a time.
#define PACER_NAME "steady-health"
#define PACER_VERSION "1.0.0"
#define PACER_HEALTH_RULES "steady"
#include "pacer_policy.h"

enum { KNOWN = 64 }; // results that a history has at most

// What is kept of an app version.
typedef struct {
	uint32_t failures, window; // k of n
	uint32_t count;            // of checks
	uint32_t lasting[];        // by check: results in a row after which it is replaced
} rule;

// window_of reads "3/5".
static bool window_of(pacer_text text, rule *r) {
	uint32_t stroke = 0;
	while (stroke < text.size && text.at[stroke] != '/') stroke++;
	if (stroke == text.size) return false;
	int64_t k, n;
	pacer_text first = {text.at, stroke}, second = {text.at + stroke + 1, text.size - stroke - 1};
	if (!pacer_integer(second, 1, KNOWN / 2, &n) || !pacer_integer(first, 1, n, &k)) return false;
	r->failures = (uint32_t)k;
	r->window = (uint32_t)n;
	return true;
}

// Called for each app version; settings are labels of the app.
void *health_prepare(const pacer_health_spec *spec) {
	rule *r = pacer_keep(sizeof *r + spec->check_count * sizeof *r->lasting);
	*r = (rule){3, 5, spec->check_count};
	pacer_text text;
	if (pacer_label(&spec->app, "STEADY_FAILURES", &text) && !window_of(text, r))
		return pacer_invalid("STEADY_FAILURES must be failures of the latest checks, such as 3/5, of 32 at most");
	int64_t seconds = 60;
	if (pacer_label(&spec->app, "STEADY_SECONDS", &text) && !pacer_integer(text, 0, 86400, &seconds))
		return pacer_invalid("STEADY_SECONDS must be a number of seconds, up to 86400");
	for (uint32_t i = 0; i < r->count; i++) {
		uint64_t interval = spec->checks[i].interval_millis > 0 ? spec->checks[i].interval_millis : 1;
		uint64_t lasting = 1 + ((uint64_t)seconds * 1000 + interval - 1) / interval;
		if (lasting > KNOWN - r->window)
			return pacer_invalid(pacer_join(PACER_TEXT("STEADY_SECONDS must be "), pacer_number((KNOWN - 1 - r->window) * interval / 1000),
				PACER_TEXT(" at most: no more results are known at this interval")));
		r->lasting[i] = (uint32_t)lasting;
	}
	return r;
}

// unwell tells whether the instance was not healthy so many results ago. One that never
// was healthy is not, whatever the window.
static bool unwell(const rule *r, const pacer_health_history *now, uint32_t ago, uint32_t *failures) {
	pacer_health_history then = *now;
	then.recent >>= ago;
	then.results -= ago;
	*failures = pacer_failures(&then, r->window);
	return *failures >= r->failures || (now->first_success == 0 && *failures > 0);
}

// Says whether the instance is well. It depends on the history alone; what is left as
// it is means that nothing is known yet.
void health_judge(void *state, const pacer_health_history *history, pacer_health_verdict *out) {
	rule *r = state;
	if (history->results == 0 || history->check >= r->count) return;
	uint32_t failures, before, lasted = 0;
	if (!unwell(r, history, 0, &failures)) {
		out->state = PACER_HEALTHY;
		return;
	}
	while (lasted < history->results && unwell(r, history, lasted, &before)) lasted++;
	out->state = PACER_UNHEALTHY;
	out->replace = lasted >= r->lasting[history->check];
	uint32_t latest = history->results < r->window ? history->results : r->window;
	out->reason = pacer_join(pacer_number(failures), PACER_TEXT(" of the latest "), pacer_number(latest), PACER_TEXT(" checks failed"));
}
