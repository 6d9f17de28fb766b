package spec

import "testing"

func TestSelector(t *testing.T) {
	labels := map[string]string{"env": "prod", "tier": "web", "a,b": "x y", "empty": "", "in": "1"}
	tests := []struct {
		text string
		want bool
	}{
		{"", true},
		{"  ", true},
		{"env", true},
		{"nope", false},
		{"env==prod", true},
		{" env == prod ", true},
		{"env==test", false},
		{"nope==x", false},
		{"env!=test", true},
		{"env!=prod", false},
		{"nope!=x", false},
		{"env in (prod, test)", true},
		{"env in(test)", false},
		{"env in ()", false},
		{"env notin (test)", true},
		{"env notin ()", true},
		{"env notin (prod,test)", false},
		{"nope notin (x)", false},
		{"env,tier==web", true},
		{"env , tier == db", false},
		{`a\,b==x\ y`, true},
		{"in==1", true},
		{"in in (1)", true},
	}
	for _, tt := range tests {
		s, err := ParseSelector(tt.text)
		if err != nil {
			t.Errorf("ParseSelector(%q): %v", tt.text, err)
		} else if got := s.Matches(labels); got != tt.want {
			t.Errorf("%q matches: %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestSelectorFaults(t *testing.T) {
	tests := []struct{ text, want string }{
		{"env==", "expected a word but the text ends"},
		{"==x", "expected a word at '==x'"},
		{"a b", "expected ',' or the end at 'b'"},
		{"a in x", "expected '(' at 'x'"},
		{"a in (x", "expected ',' or ')' but the text ends"},
		{"a in (x,)", "expected a word at ')'"},
		{"a,", "expected a word but the text ends"},
		{`a\`, "expected a character after the backslash but the text ends"},
		{"a=b", "expected ',' or the end at '=b'"},
	}
	for _, tt := range tests {
		_, err := ParseSelector(tt.text)
		want := "Can not parse label selector " + tt.text + ". Reason: " + tt.want
		if err == nil || err.Error() != want {
			t.Errorf("ParseSelector(%q) = %v, want %s", tt.text, err, want)
		}
	}
}

// FuzzParseSelector: whatever parses can be asked, and asks for the keys of its terms.
func FuzzParseSelector(f *testing.F) {
	for _, seed := range []string{"a", "a==b", "a!=b", "a in (x, y)", "a notin ()", `a\,b`, `\é==\`, "a,b,c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSelector(text)
		if err == nil && len(s.terms) > 0 && s.Matches(nil) {
			t.Errorf("%q matches an app without labels", text)
		}
	})
}
