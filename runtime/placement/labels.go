package placement

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Label is one label of a dynamic reservation.
type Label struct {
	Key, Value string
	HasValue   bool // tells an absent value from an empty one
}

// CanonicalLabels is the text of a reservation's labels: sorted, each as a
// quoted key, with "=" and the quoted value if it has one, joined with ",".
// Equal sets of labels have equal texts; "" stands for none. It does not change
// labels.
func CanonicalLabels(labels []Label) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = strconv.Quote(l.Key)
		if l.HasValue {
			parts[i] += "=" + strconv.Quote(l.Value)
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}

// ParseLabels reads the text of CanonicalLabels. Its error names the place that
// does not have that form.
func ParseLabels(text string) ([]Label, error) {
	var labels []Label
	for rest := text; rest != ""; {
		var l Label
		var err error
		if l.Key, rest, err = unquote(rest); err != nil {
			return nil, err
		}
		if strings.HasPrefix(rest, "=") {
			l.HasValue = true
			if l.Value, rest, err = unquote(rest[1:]); err != nil {
				return nil, err
			}
		}
		labels = append(labels, l)
		if rest != "" && !strings.HasPrefix(rest, ",\"") {
			return nil, fmt.Errorf("reservation labels: expected \",\" before %q", rest)
		}
		rest = strings.TrimPrefix(rest, ",")
	}
	return labels, nil
}

// unquote cuts a quoted string off the front of text.
func unquote(text string) (value, rest string, err error) {
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", fmt.Errorf("reservation labels: expected a quoted text at %q", text)
	}
	if value, err = strconv.Unquote(quoted); err != nil {
		return "", "", fmt.Errorf("reservation labels: %q: %w", quoted, err)
	}
	return value, text[len(quoted):], nil
}

// ownedMark starts the keys of the labels that tie a reservation to one
// instance, as Marathon names them (marathon_framework_id, marathon_task_id).
const ownedMark = `"marathon_`

// owned tells whether the reservation belongs to one instance. Such resources
// are for that instance only and never for a new one.
func (r *Reservation) owned() bool {
	return r.Labels != "" &&
		(strings.HasPrefix(r.Labels, ownedMark) || strings.Contains(r.Labels, ","+ownedMark))
}
