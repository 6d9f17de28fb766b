package fetcher

import (
	"fmt"
	"io"
)

// guarded reads by a library that may be brought to panic by what it reads, which comes from anywhere. It is put around
// those that nobody fuzzes as the standard library is fuzzed.
type guarded struct{ io.Reader }

func (g guarded) Read(p []byte) (n int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			n, err = 0, fmt.Errorf("the data makes no sense: %v", fault)
		}
	}()
	return g.Reader.Read(p)
}
