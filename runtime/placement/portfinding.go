package placement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
)

// mostListed is how many ports, or ranges of them, a text lists.
const mostListed = 8

// portsAsked tells the ports of the host that the app needs: numbers if it
// requires them, else how many.
func portsAsked(app *spec.App) string {
	var numbers []string
	loose := 0
	for i := range app.Ports() {
		switch number, wanted := app.HostPort(i); {
		case !wanted:
		case number == 0:
			loose++
		case !slices.Contains(numbers, strconv.Itoa(number)) || app.OnHost():
			numbers = append(numbers, strconv.Itoa(number))
		}
	}
	switch {
	case len(numbers) == 0:
		return strconv.Itoa(loose)
	case loose > 0:
		return listed(numbers) + " and " + strconv.Itoa(loose) + " any"
	}
	return listed(numbers)
}

// portsHad tells the ports that the app may take of an offer.
func portsHad(pieces []piece) string {
	ranges := make([]string, 0, min(len(pieces), mostListed+1))
	for _, g := range pieces[:min(len(pieces), mostListed)] {
		text := strconv.Itoa(int(g.begin))
		if g.end != g.begin {
			text += "-" + strconv.Itoa(int(g.end))
		}
		ranges = append(ranges, text)
	}
	if more := len(pieces) - len(ranges); more > 0 {
		ranges = append(ranges, strconv.Itoa(more)+" more ranges")
	}
	return orNone(strings.Join(ranges, ", "))
}

// portsLack says why the ports last collected are not enough.
func (e *explainer) portsLack(s *spot) string {
	r := e.seeker.requirement
	if r.impossible {
		return impossiblePorts(e.wanted.App)
	}
	if missing := e.missingPorts(); len(missing) > 0 {
		numbers := make([]string, len(missing))
		for i, port := range missing {
			numbers[i] = strconv.Itoa(int(port))
		}
		return "not offered: " + listed(numbers)
	}
	return fmt.Sprintf("needs %d ports, %d offered", r.ports, s.ports)
}

// missingPorts are the required ports that are not among those last collected.
func (e *explainer) missingPorts() (missing []uint16) {
	r := e.seeker.requirement
	for i := range len(r.fixed) / 2 {
		port := r.fixedPort(i)
		if _, ok := e.m.table.shareOf(port); !ok {
			missing = append(missing, port)
		}
	}
	return missing
}

// impossiblePorts says why no offer can have the required ports.
func impossiblePorts(app *spec.App) string {
	seen := map[int]bool{}
	for i := range app.Ports() {
		switch number, _ := app.HostPort(i); {
		case number < 0 || number > maxPort:
			return fmt.Sprintf("%d is no port number", number)
		case number != 0 && seen[number]:
			return fmt.Sprintf("the port %d is required twice", number)
		default:
			seen[number] = true
		}
	}
	return "the ports can never be offered"
}

// listed joins texts and leaves out what is too many to read.
func listed(texts []string) string {
	if more := len(texts) - mostListed; more > 0 {
		return strings.Join(texts[:mostListed], ", ") + ", " + strconv.Itoa(more) + " more"
	}
	return strings.Join(texts, ", ")
}
