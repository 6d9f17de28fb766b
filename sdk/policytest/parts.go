package policytest

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// lines calls the function for each line that says something, with its number.
// Empty lines and those that start with # are left out.
func lines(r io.Reader, do func(n int, text string) error) error {
	scanner := bufio.NewScanner(r)
	for n := 1; scanner.Scan(); n++ {
		text := strings.TrimSpace(scanner.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		if err := do(n, text); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return scanner.Err()
}

// part is a piece of a line: the word that leads it and one argument.
type part struct {
	name string
	arg  word
}

// parts cuts a line into its first word and pieces of a name and an argument.
// Those named alone have none.
func parts(line string, alone ...string) (first string, list []part, err error) {
	words, err := split(line)
	if err != nil {
		return "", nil, err
	}
	first, words = words[0].text, words[1:]
	for len(words) > 0 {
		p := part{name: words[0].text}
		words = words[1:]
		if !slices.Contains(alone, p.name) {
			if len(words) == 0 {
				return "", nil, fmt.Errorf("%s: expected something behind it", p.name)
			}
			p.arg, words = words[0], words[1:]
		}
		list = append(list, p)
	}
	return first, list, nil
}

// full is the argument as it was written, without quotes.
func (w word) full() string {
	if w.tail == "" {
		return w.text
	}
	return w.text + "=" + w.tail
}

func (p part) number(into *uint32) error {
	n, err := strconv.ParseUint(p.arg.text, 10, 32)
	if err != nil {
		return fmt.Errorf("%s %q: expected a whole number", p.name, p.arg.full())
	}
	*into = uint32(n)
	return nil
}

func (p part) fraction(into *float64) error {
	f, err := strconv.ParseFloat(p.arg.text, 64)
	if err != nil || !(f >= 0 && f <= 1) { // as apps may have it; NaN is neither
		return fmt.Errorf("%s %q: expected a number from 0 to 1", p.name, p.arg.full())
	}
	*into = f
	return nil
}

func (p part) label(into map[string]string) error {
	key, value, ok := strings.Cut(p.arg.full(), "=")
	if !ok {
		return fmt.Errorf("label %q: expected KEY=VALUE", p.arg.full())
	}
	into[key] = value
	return nil
}
