package author

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// Crasher is an input that a module failed on.
type Crasher struct {
	Kind   string `json:"kind"`
	Policy string `json:"policy"`
	What   string `json:"what"` // Trap and so on
	Cause  string `json:"cause"`
	// Vector is the smallest question found that fails so; "" where no vector can ask it.
	Vector string `json:"vector"`
	File   string `json:"file,omitempty"` // with the vector
	Line   int    `json:"line,omitempty"` // of the vector in it
	Rounds int    `json:"rounds"`         // after so many, with the same seed, it was found
}

// failure is how a question went wrong; the zero value is one that did not.
type failure struct {
	what, cause string
	words       []string // of the cause, without numbers
	own         []string // of these: those that do not come from the question
}

// failed is a failure on a question. A cause often has texts and numbers of the
// question in it, which are others in the next one that fails alike: words that are in
// the question, or else what is quoted, are taken for such.
func failed(what, cause string, q question) failure {
	f := failure{what: what, cause: cause}
	own, words := ownWords(cause, q)
	quoteless, others := ownWords(regexp.MustCompile(`"(\\.|[^"\\])*"`).ReplaceAllString(cause, "…"), q)
	f.words, f.own = slices.Concat(words, others), own
	if len(quoteless) < len(own) {
		f.own = quoteless
	}
	return f
}

// ownWords are the words of a text without digits, and those of them that do not come
// from the question.
func ownWords(text string, q question) (own, words []string) {
	spec, input := q.messages()
	for text := range strings.FieldsSeq(text) {
		word := strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return -1
			}
			return r
		}, text)
		words = append(words, word)
		bare := strings.Trim(text, "\"':,;()[]…")
		inJSON, _ := json.Marshal(bare) // a text always has a form
		if !bytes.Contains(spec, []byte(bare)) && !bytes.Contains(input, []byte(bare)) && !bytes.Contains(input, bytes.Trim(inJSON, `"`)) {
			own = append(own, word)
		}
	}
	return own, words
}

// The sorts of failures that fuzzing finds: no answer, one that is none of its kind, two
// to one question, and one for far more fuel than others.
const (
	Trap             = "trap"
	Malformed        = "malformed"
	Nondeterministic = "nondeterministic"
	Outlier          = "outlier"
)

// alike tells failures of one sort: what is not the question's is in both.
func (f failure) alike(g failure) bool {
	within := func(own, words []string) bool {
		return !slices.ContainsFunc(own, func(word string) bool { return !slices.Contains(words, word) })
	}
	return f.what == g.what && (f.what == Outlier || within(f.own, g.words) && within(g.own, f.words))
}

// vector writes the question as one; "" when none fails in the same way. Where there
// is an answer, it is what the vector expects.
func (f *fuzzer) vector(ctx context.Context, t target, q question, wrong failure) string {
	text := q.vector()
	cases, err := toolsOf(t.kind).read([]byte(text), Envelope{})
	if err != nil || len(cases) != 1 {
		return ""
	}
	c := cases[0]
	if wrong.what == Trap || wrong.what == Malformed {
		if _, fails := errors.AsType[*sdk.Fault](c.check(ctx, f.a)); fails {
			return text[c.at.from:c.at.to] // in JSON it is in a list
		}
		return ""
	}
	text, _ = c.actual(ctx, f.a) // what fails now and then is no vector
	return text
}

// write appends the vectors of the crashers to files, one for each kind.
func (f *fuzzer) write(dir string) error {
	if dir == "" {
		return nil
	}
	for i := range f.report.Crashers {
		c := &f.report.Crashers[i]
		if c.Vector == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		name, add := "fuzz-"+c.Kind+".txt", appended
		if c.Kind == remote.KindAdmission.String() {
			name, add = "fuzz-"+c.Kind+".json", appendedJSON
		}
		path := filepath.Join(dir, name)
		old, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		text, at := add(string(old), c)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
		c.File, c.Line = path, 1+strings.Count(text[:at], "\n")
	}
	return nil
}

// appended is a file with the vector, unless it is there, and where the vector is.
func appended(old string, c *Crasher) (text string, at int) {
	if at := strings.Index("\n"+old, "\n"+c.Vector+"\n"); at >= 0 {
		return old, at
	}
	if old != "" && !strings.HasSuffix(old, "\n") {
		old += "\n"
	}
	old += "# " + c.What + ": " + strings.Join(strings.Fields(c.Cause), " ") + "\n"
	return old + c.Vector + "\n", len(old)
}

// appendedJSON is the same with a list in JSON. What was wrong is the vector's name.
func appendedJSON(old string, c *Crasher) (text string, at int) {
	name, _ := json.Marshal("fuzz: " + c.What + ": " + strings.Join(strings.Fields(c.Cause), " ")) // a text always has a form
	vector := strings.TrimPrefix(c.Vector, "{")
	if at := strings.Index(old, vector); at >= 0 {
		return old, at
	}
	head, end := "[", strings.LastIndexByte(old, ']')
	if end >= 0 {
		head = strings.TrimRight(old[:end], " \n")
	}
	if !strings.HasSuffix(head, "[") {
		head += ","
	}
	head += "\n  "
	return head + `{"name":` + string(name) + "," + vector + "\n]\n", len(head)
}
