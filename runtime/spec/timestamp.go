package spec

import (
	"fmt"
	"time"
)

// Timestamp is a point in time in milliseconds since the Unix epoch, the
// resolution of every version and event time in the API. 0 means not set.
type Timestamp int64

// timestampLayout is how times leave the API: UTC, always three fraction digits.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// TimestampOf cuts t to milliseconds.
func TimestampOf(t time.Time) Timestamp { return Timestamp(t.UnixMilli()) }

// ParseTimestamp reads an ISO 8601 date-time with offset.
func ParseTimestamp(s string) (Timestamp, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("timestamp %q: expected an ISO 8601 date-time with offset", s)
	}
	return TimestampOf(t), nil
}

// Time returns the point in time, in UTC.
func (t Timestamp) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String returns the form of the API, or "" when not set.
func (t Timestamp) String() string {
	if t == 0 {
		return ""
	}
	return t.Time().Format(timestampLayout)
}

// Add returns t moved by d, cut to milliseconds.
func (t Timestamp) Add(d time.Duration) Timestamp { return t + Timestamp(d.Milliseconds()) }
