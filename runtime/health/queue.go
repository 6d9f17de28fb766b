package health

// queue is first in, first out. Targets that went away in it are skipped.
type queue []*target

// head is the first target; nil when there is none.
func (q *queue) head() *target {
	for len(*q) > 0 && (*q)[0].gone {
		q.pop()
	}
	if len(*q) == 0 {
		return nil
	}
	return (*q)[0]
}

func (q *queue) pop() {
	(*q)[0] = nil
	*q = (*q)[1:]
}

// byDue is a heap of targets, the one that is due first on top.
type byDue []*target

func (h byDue) Len() int           { return len(h) }
func (h byDue) Less(i, j int) bool { return h[i].due.Before(h[j].due) }

func (h byDue) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push adds a target.
func (h *byDue) Push(x any) {
	t := x.(*target)
	t.index = len(*h)
	*h = append(*h, t)
}

// Pop takes the last one, to which package heap has moved the first.
func (h *byDue) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = -1
	return t
}
