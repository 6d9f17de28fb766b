package author

import (
	"bytes"
	"fmt"
	"strings"
)

// A script is a whole upgrade, event by event: commands, each with what comes of it
// below a line of dashes. A command is the first line of its block.
//
//	upgrade n=N min=M over=O [old=N] [unhealthy=0] [new=0] [resident] [undoes] [strategy=NAME] [KEY=VALUE …]
//	            an app of N instances with the two capacities begins an upgrade: so
//	            many old ones, some of them unhealthy, and so many new and ready. What
//	            is in upper case is a label of the app.
//	run …       the same, and on to the end
//	rest        on to the end; a pause is promoted
//	deaths N    N kills are confirmed
//	healthy N   N new instances get healthy and ready
//	warms N     N new instances get healthy, and are not ready yet
//	readies N   N of these get ready
//	sickens N   N new instances that were ready lose their health
//	fails N     N new instances end before they are healthy
//	falters N   N old instances lose their health
//	recovers N  N unhealthy old instances are healthy again
//	dies N      N unhealthy old instances end without having been killed
//	promote     somebody lets it go on
//	after 10m   so much time has passed, and the strategy is asked
//	at TIME     it is that time of day (RFC 3339), and the strategy is asked
//
// K is for kills, L for launches: what came of a command, whose events come one by one.
// After run and rest "-4⇒L4" are four deaths and what came of them, "+4⇒K3" four new
// ones that got ready.

// isScript tells a file of scripts from one of vectors.
func isScript(text []byte) bool { return bytes.Contains(text, []byte("\n----\n")) }

// block is one command with what it is expected to bring.
type block struct {
	line    int
	last    int // line
	command string
	want    string
}

// blocks reads a script.
func blocks(text []byte) ([]block, error) {
	var list []block
	var now *block
	answering := false
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "":
			now, answering = nil, false
		case now == nil && line[0] == '#':
		case now == nil:
			list = append(list, block{line: n, last: n, command: line})
			now = &list[len(list)-1]
		case line == "----" && !answering:
			answering, now.last = true, n
		case answering:
			now.want += line + "\n"
			now.last = n
		default:
			return nil, fmt.Errorf("line %d: expected ---- behind the command %q", n, now.command)
		}
	}
	return list, nil
}
