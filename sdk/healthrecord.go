package sdk

// HealthRecord is what one check has found on one instance so far, as far as it
// counts. The zero value is a check that has found nothing. Times are
// milliseconds since 1970; 0 means never.
type HealthRecord struct {
	FirstSuccess        int64
	LastSuccess         int64
	LastFailure         int64
	LastFailureCause    string
	ConsecutiveFailures uint32 // up to now; a success sets it to 0
	// Recent holds the latest Results results, the newest in bit 0: 1 for a success.
	Recent  uint64
	Results uint32 // at most MaxRecentResults
}

// MaxRecentResults is how many results a HealthRecord tells apart.
const MaxRecentResults = 64

// HealthResult is what one probe found.
type HealthResult struct {
	AtMillis int64 // since 1970
	Alive    bool
	Cause    string // why it is not alive; "" when it is
}

// Counts tells whether a result belongs in the record r of the check c. Every
// success does. A failure does not while the instance is not running, nor before
// the first success while the grace period lasts, which begins with sinceMillis,
// when the instance's condition changed last.
func (c *HealthCheck) Counts(r *HealthRecord, result *HealthResult, running bool, sinceMillis int64) bool {
	switch {
	case result.Alive:
		return true
	case !running:
		return false
	case r.FirstSuccess != 0:
		return true
	}
	age := result.AtMillis - sinceMillis
	return age >= 0 && uint64(age) >= c.GraceMillis
}

// Add is the record with one more result that counts.
func (r HealthRecord) Add(result HealthResult) HealthRecord {
	r.Recent <<= 1
	r.Results = min(r.Results+1, MaxRecentResults)
	if !result.Alive {
		r.LastFailure, r.LastFailureCause = result.AtMillis, result.Cause
		if r.ConsecutiveFailures++; r.ConsecutiveFailures == 0 {
			r.ConsecutiveFailures-- // it stays at its largest value
		}
		return r
	}
	r.Recent |= 1
	r.LastSuccess, r.ConsecutiveFailures = result.AtMillis, 0
	if r.FirstSuccess == 0 {
		r.FirstSuccess = result.AtMillis
	}
	return r
}

// Alive is the API's word: the latest result that counts was a success.
func (r *HealthRecord) Alive() bool { return r.Results > 0 && r.Recent&1 == 1 }

// Failures counts the failures among the latest n results. Of n beyond
// MaxRecentResults it counts those that it knows.
func (r *HealthRecord) Failures(n uint32) uint32 {
	n = min(n, r.Results)
	failures := uint32(0)
	for i := range n {
		failures += uint32(^(r.Recent >> i) & 1)
	}
	return failures
}
