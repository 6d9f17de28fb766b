package launch

import (
	"strings"

	"github.com/pacer-run/pacer/runtime/spec"
)

// commandOf encodes what runs, and as whom. A command goes to the shell.
func commandOf(key templateKey) []byte {
	app := key.app
	artifacts := app.Fetch
	if key.fetch != nil {
		artifacts = key.fetch.Artifacts
	}
	b := appendFetch(nil, artifacts)
	if app.User != "" {
		b = appendText(b, 5, app.User)
	}
	line := app.Cmd
	if app.ExecutorPath() != "" {
		line = executorLine(app)
	}
	if line != "" {
		return appendTruth(appendText(b, 3, line), 6, true)
	}
	b = appendTruth(b, 6, false)
	// Without an image the arguments are given in full, the program's name included;
	// with one they are for the image's entry point.
	if len(app.Args) > 0 && (app.Container == nil || app.Container.Docker == nil) {
		b = appendText(b, 3, app.Args[0])
	}
	for _, arg := range app.Args {
		b = appendText(b, 7, arg)
	}
	return b
}

// appendFetch appends CommandInfo.uris. What is not wanted is said as well: the
// agent would unpack what nobody mentions.
func appendFetch(b []byte, list []spec.Artifact) []byte {
	for i := range list {
		var uri int
		b, uri = openMessage(b, 1)
		b = appendText(b, 1, list[i].URI)
		b = appendTruth(b, 2, list[i].Executable)
		b = appendTruth(b, 3, list[i].Extract)
		b = appendTruth(b, 4, list[i].Cache)
		if list[i].DestPath != "" {
			b = appendText(b, 5, list[i].DestPath)
		}
		b = closeMessage(b, uri)
	}
	return b
}

// executorLine is the line of shell that starts an executor of the app's own with
// the app's command, or arguments, behind it.
func executorLine(app *spec.App) string {
	path := quoted(app.ExecutorPath())
	line := "chmod ug+rx " + path + " && exec " + path
	if app.Cmd != "" {
		return line + " " + app.Cmd
	}
	for _, arg := range app.Args {
		if arg == "" || strings.ContainsFunc(arg, special) {
			arg = quoted(arg)
		}
		line += " " + arg
	}
	return line
}

// quoted is a text as one word of shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// special tells whether the shell may read more into the character.
func special(c rune) bool {
	plain := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_=+:,./@%", c)
	return !plain
}
