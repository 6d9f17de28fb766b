package spec

import (
	"fmt"
	"strings"
	"time"
)

// Timestamp is a point in time in milliseconds since the Unix epoch, the
// resolution of every version and event time in the API. 0 means not set.
type Timestamp int64

// timestampLayout is how times leave the API: UTC, always three fraction digits.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// TimestampOf cuts t to milliseconds.
func TimestampOf(t time.Time) Timestamp { return Timestamp(t.UnixMilli()) }

// ParseTimestamp reads an ISO 8601 date-time with offset, in the extended form of
// the date. The seconds may be left out, and so may the colon and the minutes of
// the offset.
func ParseTimestamp(s string) (Timestamp, error) {
	upper := strings.ToUpper(s)
	for _, clock := range []string{"15:04:05", "15:04"} {
		for _, offset := range []string{"Z07:00", "Z0700", "Z07"} {
			if t, err := time.Parse("2006-01-02T"+clock+offset, upper); err == nil {
				return TimestampOf(t), nil
			}
		}
	}
	return 0, fmt.Errorf("timestamp %q: expected an ISO 8601 date-time with offset", s)
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
