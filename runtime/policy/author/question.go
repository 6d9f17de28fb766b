package author

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// text is a random one: a word of the vectors, such a word with a change, or nonsense.
func (f *fuzzer) text(t target) string {
	if len(t.seeds) > 0 && f.rand.IntN(4) > 0 {
		word := t.seeds[f.rand.IntN(len(t.seeds))]
		if f.rand.IntN(3) == 0 && word != "" {
			at := f.rand.IntN(len(word))
			word = word[:at] + f.noise() + word[at:]
		}
		return strings.ToValidUTF8(word, "?")
	}
	var text strings.Builder
	for range f.rand.IntN(12) {
		text.WriteString(f.noise())
	}
	return text.String()
}

func (f *fuzzer) noise() string {
	const pieces = "a|Z|0|9|-|_|.|/|:|;|=|*|+|(|)|[|]|{|}|\\|\"|'| |,|\t|ü|日|\u202e|%|99999999999|-1|1e9|true|null|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	list := strings.Split(pieces, "|")
	return list[f.rand.IntN(len(list))]
}

// known is a sample of what the policy takes, for most questions: one that it refuses
// tries no more than its prepare.
func (f *fuzzer) known(t target) *sample {
	if len(t.accepted) == 0 || f.rand.IntN(4) == 0 {
		return nil
	}
	return t.accepted[f.rand.IntN(len(t.accepted))]
}

// size is a random one, mostly small.
func (f *fuzzer) size(most int) int {
	if f.rand.IntN(8) > 0 {
		most = min(most, 5)
	}
	return f.rand.IntN(most + 1)
}

// labels are random ones of an app, as those in the vectors if there are some.
func (f *fuzzer) labels(t target) map[string]string {
	if f.rand.IntN(4) == 0 {
		return nil
	}
	for range 4 {
		if key, value, ok := strings.Cut(f.text(t), "="); ok && key != "" {
			return map[string]string{key: value}
		}
	}
	return map[string]string{"LABEL": f.text(t)}
}

// labelsText are labels in the words of a vector.
func labelsText(labels map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		text.WriteString(" label " + strconv.Quote(key+"="+labels[key]))
	}
	return text.String()
}
