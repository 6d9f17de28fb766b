package store

import "sync/atomic"

// counter counts successful commits; its methods may be called concurrently.
type counter struct{ commits, records, bytes, folds, folded atomic.Uint64 }

func (c *counter) commit(changes []Change) {
	size := 0
	for _, change := range changes {
		size += len(change.Key) + len(change.Value)
	}
	c.commits.Add(1)
	c.records.Add(uint64(len(changes)))
	c.bytes.Add(uint64(size))
}

func (c *counter) stats() Stats {
	return Stats{
		Commits: c.commits.Load(), Records: c.records.Load(), Bytes: c.bytes.Load(),
		Folds: c.folds.Load(), Folded: c.folded.Load(),
	}
}
