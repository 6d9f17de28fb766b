package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// Parse reads the text form of an agent's resources: name(role):value, separated by semicolons. A value is a number,
// ranges as [1-5,8-9] or items as {a,b}. A role in parentheses makes a static reservation; without it defaultRole does,
// unless that is "*" or "". Text that begins with a bracket is JSON instead, as ParseJSON reads it.
func Parse(text, defaultRole string) (Set, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return ParseJSON(text)
	}
	var out Set
	for part := range strings.SplitSeq(strings.ReplaceAll(text, " ", ""), ";") {
		if part == "" {
			continue
		}
		r, err := parseOne(part, defaultRole)
		if err != nil {
			return nil, fmt.Errorf("resource %q: %w", part, err)
		}
		out = out.Plus(Set{r})
	}
	return out, nil
}

// ParseJSON reads a JSON array of Mesos' Resource, the form that also says what a disk is made of. Reservations must be
// static ones: others are made at run time, and so are volumes.
func ParseJSON(text string) (Set, error) {
	var list []mesos.Resource
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("resources in JSON: expected an array of Resource: %w", err)
	}
	var out Set
	for i := range list {
		r, err := fromProto(&list[i])
		switch {
		case err != nil:
		case len(Set{r}.Converted()) > 0:
			err = errors.New("expected neither a dynamic reservation nor a volume")
		case r.other != "":
			err = fmt.Errorf("%s: expected neither a revocable nor a shared resource, nor a provider", r.other)
		case r.Disk != nil && r.Disk.Source != PathDisk && r.Disk.Source != MountDisk, r.Disk != nil && r.Disk.Root == "":
			err = errors.New("disk.source: expected type PATH or MOUNT with a root")
		}
		if err != nil {
			return nil, fmt.Errorf("resource %d (%s): %w", i+1, list[i].Name, err)
		}
		out = out.Plus(Set{r})
	}
	return out, nil
}

func parseOne(text, role string) (Resource, error) {
	name, value, ok := strings.Cut(text, ":")
	if !ok || strings.Contains(value, ":") {
		return Resource{}, fmt.Errorf("expected name:value with one colon")
	}
	if base, rest, ok := strings.Cut(name, "("); ok {
		inner, found := strings.CutSuffix(rest, ")")
		if !found || inner == "" {
			return Resource{}, fmt.Errorf("expected a role in parentheses")
		}
		name, role = base, inner
	}
	if name == "" {
		return Resource{}, fmt.Errorf("name is empty")
	}
	r, err := ParseValue(value)
	if err != nil {
		return Resource{}, err
	}
	r.Name = name
	if role != "" && role != "*" {
		r.Reservations = []Reservation{{Role: role}}
	}
	if name == "gpus" && r.Milli%1000 != 0 {
		return Resource{}, fmt.Errorf("gpus must be a whole number")
	}
	return r, nil
}

// ParseValue reads a value without a name: a finite number that is not negative, [ranges] or {items}.
func ParseValue(text string) (Resource, error) {
	switch {
	case strings.HasPrefix(text, "["):
		ranges, err := ParseRanges(text)
		return Resource{Kind: Ranges, Ranges: ranges}, err
	case strings.HasPrefix(text, "{"):
		inner, ok := strings.CutSuffix(text[1:], "}")
		if !ok {
			return Resource{}, fmt.Errorf("expected } at the end of a set")
		}
		items := slices.Sorted(strings.SplitSeq(inner, ","))
		return Resource{Kind: Items, Items: slices.Compact(items)}, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) || v < 0 || v > math.MaxInt64/2000 {
		return Resource{}, fmt.Errorf("value %q: expected a finite number of at least 0, [ranges] or {items}", text)
	}
	return Resource{Kind: Scalar, Milli: milli(v)}, nil
}

// ParseRanges reads [a-b,c-d]; a bare number stands for a range of one. The result is sorted and joined.
func ParseRanges(text string) ([]Range, error) {
	inner, open := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !open || !closed {
		return nil, fmt.Errorf("ranges %q: expected [begin-end,…]", text)
	}
	var out []Range
	for part := range strings.SplitSeq(inner, ",") {
		if part == "" {
			continue
		}
		low, high, found := strings.Cut(part, "-")
		if !found {
			high = low
		}
		begin, err1 := strconv.ParseUint(low, 10, 64)
		end, err2 := strconv.ParseUint(high, 10, 64)
		if err1 != nil || err2 != nil || begin > end {
			return nil, fmt.Errorf("range %q: expected begin-end with begin not above end", part)
		}
		out = append(out, Range{begin, end})
	}
	return coalesce(out), nil
}
