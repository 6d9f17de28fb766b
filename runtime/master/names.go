package master

// maxNames bounds what is remembered for sharing. Clusters have few roles,
// principals and reservation labels; when that is not so, sharing starts anew.
const maxNames = 4096

// names makes equal texts one string, so that the roles of a hundred thousand
// resources take no memory.
type names struct{ known map[string]string }

func newNames() *names { return &names{known: map[string]string{}} }

// of returns text as a string.
func (n *names) of(text []byte) string {
	if string(text) == unreserved { // most of them
		return unreserved
	}
	if s, ok := n.known[string(text)]; ok { // the compiler makes no string for this
		return s
	}
	s := string(text)
	n.put(s, s)
	return s
}

// put remembers value for key.
func (n *names) put(key, value string) {
	if len(n.known) >= maxNames {
		clear(n.known)
	}
	n.known[key] = value
}
