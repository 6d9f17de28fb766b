package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
)

func policyTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test [FILE|DIR] [VECTORS|RECORDING]...",
		Short: "Test a policy module",
		Long: `Asks a module what is in files of vectors, by default those of its project, and puts
recordings to it again: what it answers has to be what is written there. With
--against its answers have to be those of another policy as well: builtin:LIKE, or
another module, MODULE or MODULE:NAME.

A file of vectors tells its kind by its name, by a line "# kind: KIND", or by what is
in it. With --update the answers are written into the files instead. The exit code is
1 when something failed.`,
	}
	flags := addModuleFlags(cmd)
	against := cmd.Flags().String("against", "", "policy with the same answers: builtin:NAME, or MODULE:NAME")
	update := cmd.Flags().Bool("update", false, "write what the module answers into the files of vectors")
	quiet := cmd.Flags().BoolP("quiet", "q", false, "show failures only")
	return shipCommand(cmd, 0, 1000, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		source, module, end, err := flags.open(cmd, folderOf(args))
		if err != nil {
			return err
		}
		defer end()
		vectors, recordings, err := sortFiles(args)
		if err != nil {
			return err
		}
		if len(recordings) > 0 && len(vectors) == 0 {
			source.Dir = "" // the vectors of the project were not asked for
		}
		cases, err := casesOf(source, vectors)
		if err != nil {
			return err
		}
		switch {
		case *update && len(recordings) > 0:
			return misuse("--update: expected files of vectors; %s is a recording", recordings[0])
		case *update && *against != "":
			return misuse("--update and --against do not go together")
		case *update:
			return updateVectors(cmd, module, cases, out)
		}
		other, endOther, err := flags.againstOf(cmd, *against)
		if err != nil {
			return err
		}
		defer endOther()
		report := author.Test(cmd.Context(), module, cases, other)
		report.Digest = source.Digest
		if other != nil && report.Compared == 0 {
			return nothingAgainst(other)
		}
		if err := addRecordings(cmd, report, module, recordings); err != nil {
			return err
		}
		return printTest(out, report, *quiet)
	})
}

// nothingAgainst is the mistake of a comparison with a policy that nothing can be asked
// of: it must not pass for one without a difference.
func nothingAgainst(other *author.Against) error {
	return misuse("--against: %s has no policy that the vectors are about: expected builtin:NAME or MODULE:NAME, with a policy of their kind", other.Label)
}

// sortFiles tells vectors and recordings apart.
func sortFiles(args []string) (vectors, recordings []string, err error) {
	for i, path := range args {
		if i == 0 {
			continue // the module
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, nil, err
		}
		_, err = recording.NewReader(file)
		file.Close()
		if errors.Is(err, recording.ErrNone) {
			vectors = append(vectors, path)
		} else {
			recordings = append(recordings, path) // one that is broken is told when it is read
		}
	}
	return vectors, recordings, nil
}

func updateVectors(cmd *cobra.Command, module remote.Module, cases []author.Case, out *shipOutput) error {
	changed, err := author.Update(cmd.Context(), module, cases)
	if err != nil {
		return err
	}
	return out.print(map[string]int{"cases": len(cases), "changed": changed}, fmt.Sprintf("%d of %d vectors changed", changed, len(cases)))
}

// addRecordings puts recordings to the module; each change of an answer is a failure.
func addRecordings(cmd *cobra.Command, report *author.TestReport, module remote.Module, recordings []string) error {
	for _, path := range recordings {
		replayed, err := author.Replay(cmd.Context(), module, path)
		if err != nil {
			return exit(shipInvalid, err)
		}
		report.Add(replayed)
	}
	return nil
}

func printTest(out *shipOutput, report *author.TestReport, quiet bool) error {
	rows := [][]string{{"VERDICT", "KIND", "FUEL", "TIME", "WHERE", "CASE"}}
	for _, c := range report.Cases {
		if quiet && c.Verdict == author.Pass {
			continue
		}
		rows = append(rows, []string{c.Verdict, c.Kind, strconv.FormatInt(c.Fuel, 10), microsText(c.Micros), where(c.File, c.Line), shorten(c.Text)})
		for line := range strings.Lines(c.Cause) {
			rows = append(rows, []string{"", "", "", "", "", "  " + strings.TrimSpace(line)})
		}
	}
	text := fmt.Sprintf("%s: %d passed, %d failed", report.Module, report.Passed, report.Failed)
	if len(rows) > 1 {
		text = table(rows) + "\n" + text
	}
	if err := out.print(report, text); err != nil {
		return err
	}
	switch {
	case report.Failed > 0:
		return exit(exitFailed, fmt.Errorf("%d of %d cases failed", report.Failed, report.Passed+report.Failed))
	case report.Passed == 0:
		return exit(exitFailed, fmt.Errorf("there is nothing to test: expected files of vectors"))
	}
	return nil
}

func where(file string, line int) string {
	if line == 0 {
		return file
	}
	return file + ":" + strconv.Itoa(line)
}

// shorten keeps a table in shape.
func shorten(text string) string {
	const most = 100
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func microsText(micros int64) string {
	return (time.Duration(micros) * time.Microsecond).String()
}
