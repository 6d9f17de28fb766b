package guest

import "errors"

// Why a call is refused. A host that keeps to the ABI meets neither.
var (
	errHandle = errors.New("no such handle")
	errKind   = errors.New("the module has no policy of this kind")
)

// handles are the prepared policies of one kind. The handle of one is its index + 1.
type handles[P interface{ Close() }] struct {
	list []slot[P]
}

type slot[P any] struct {
	prepared P
	used     bool
}

// keep stores what was prepared and returns its handle.
func (h *handles[P]) keep(prepared P) uint32 {
	for i := range h.list {
		if !h.list[i].used {
			h.list[i] = slot[P]{prepared, true}
			return uint32(i + 1)
		}
	}
	h.list = append(h.list, slot[P]{prepared, true})
	return uint32(len(h.list))
}

// find tells whether the handle is in use. Handle 0 wraps around to the largest
// index.
func (h *handles[P]) find(handle uint32) (prepared P, ok bool) {
	if i := uint64(handle - 1); i < uint64(len(h.list)) {
		return h.list[i].prepared, h.list[i].used
	}
	return prepared, false
}

func (h *handles[P]) release(handle uint32) {
	if prepared, ok := h.find(handle); ok {
		h.list[handle-1] = slot[P]{}
		prepared.Close()
	}
}
