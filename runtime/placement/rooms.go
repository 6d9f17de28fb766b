package placement

// rooms keeps arrays with a number per slot, for counts and quotas: in a large
// cluster making them for every app would cost as much as the rest of placing a
// few instances.
type rooms struct {
	free [][]uint32
}

// mostRooms is how many arrays are kept.
const mostRooms = 8

// take returns n zeros.
func (r *rooms) take(n int) []uint32 {
	var room []uint32
	if last := len(r.free) - 1; last >= 0 {
		room, r.free = r.free[last], r.free[:last]
	}
	if cap(room) < n {
		return make([]uint32, n)
	}
	room = room[:n]
	clear(room)
	return room
}

// give takes an array back, if there is one, and clears the owner's hold on it.
func (r *rooms) give(room *[]uint32) {
	if *room != nil && len(r.free) < mostRooms {
		r.free = append(r.free, *room)
	}
	*room = nil
}
