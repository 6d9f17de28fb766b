package main

import (
	"bytes"
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
		if *update {
			return updateVectors(cmd, module, cases, out)
		}
		other, endOther, err := flags.againstOf(cmd, *against)
		if err != nil {
			return err
		}
		defer endOther()
		report := author.Test(cmd.Context(), module, cases, other)
		report.Digest = source.Digest
		if err := addRecordings(cmd, report, module, recordings); err != nil {
			return err
		}
		return printTest(out, report, *quiet)
	})
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
		if err == nil {
			recordings = append(recordings, path)
		} else {
			vectors = append(vectors, path)
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

func policySimCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim MODULE SCRIPT",
		Short: "Simulate whole upgrades",
		Long: `Runs the upgrades of a script with a strategy of a module, or of Pacer itself: MODULE
is a file, a folder, or builtin. There is no clock in it: the same script gives the
same course. A script is commands, each with what is expected to come of it below a
line of dashes, or none:

  upgrade n=4 min=0.5 over=0.25 strategy=rolling PACER_LABEL=value
  ----
  at least 2 healthy, at most 5 in all
  K2 L1

  deaths 2

run instead of upgrade goes on to the end, as rest does. The events: deaths, healthy,
warms, readies, sickens, fails, falters, recovers, dies, each with a number; promote,
after 10m, at 2026-01-31T09:00:00Z. K is for kills, L for launches. The exit code is 1
when something else came than what is expected.`,
	}
	flags := addModuleFlags(cmd)
	update := cmd.Flags().Bool("update", false, "write what came into the script")
	return shipCommand(cmd, 2, 2, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		text, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		_, module, end, err := flags.open(cmd, args[0])
		if err != nil {
			return err
		}
		defer end()
		steps, err := author.Simulate(cmd.Context(), module, text, upgradeEnvelope())
		if err != nil {
			return exit(exitFailed, fmt.Errorf("%s: %w", args[1], err))
		}
		if *update {
			return os.WriteFile(args[1], author.Rewritten(text, steps), 0o644)
		}
		if err := out.print(steps, strings.TrimRight(author.Script(steps), "\n")); err != nil {
			return err
		}
		return exit(exitFailed, author.Differs(steps))
	})
}

func policyBenchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench [FILE|DIR] [VECTORS]...",
		Short: "Measure a policy module",
		Long: `Measures each policy that an accepted vector is about, with batches of several sizes:
fuel and time of a call. With --against (builtin:LIKE) the same is asked of another
policy in turn, and the ratio is shown. Quote ratios and fuel, not times.`,
	}
	flags := addModuleFlags(cmd)
	against := cmd.Flags().String("against", "", "policy that it is compared with: builtin:NAME, or MODULE:NAME")
	sizes := cmd.Flags().IntSlice("sizes", []int{1, 10, 100, 1000}, "items of a batch")
	each := cmd.Flags().Duration("time", 300*time.Millisecond, "time for each size")
	return shipCommand(cmd, 0, 1000, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		for _, n := range *sizes {
			if n < 1 || n > 100_000 {
				return misuse("--sizes: %d, expected a number from 1 to 100000", n)
			}
		}
		source, module, end, err := flags.open(cmd, folderOf(args))
		if err != nil {
			return err
		}
		defer end()
		cases, err := casesOf(source, tail(args))
		if err != nil {
			return err
		}
		other, endOther, err := flags.againstOf(cmd, *against)
		if err != nil {
			return err
		}
		defer endOther()
		measures, err := author.Bench(cmd.Context(), module, cases, author.BenchOptions{Sizes: *sizes, Time: *each, Native: other})
		if err != nil {
			return err
		}
		if len(measures) == 0 {
			return misuse("there is nothing to measure: expected vectors that are accepted")
		}
		return out.print(measures, measuresText(measures))
	})
}

// tail is all arguments but the first.
func tail(args []string) []string {
	if len(args) == 0 {
		return nil
	}
	return args[1:]
}

func measuresText(measures []author.Measure) string {
	rows := [][]string{{"KIND", "POLICY", "ITEMS", "FUEL/ITEM", "TIME", "TIME/ITEM", "RATIO"}}
	for _, m := range measures {
		ratio := "-"
		if m.Ratio > 0 {
			ratio = fmt.Sprintf("%.2f", m.Ratio)
		}
		rows = append(rows, []string{
			m.Kind, m.Policy, strconv.Itoa(m.Items), strconv.FormatInt(m.Fuel/int64(m.Items), 10),
			time.Duration(m.Nanos).String(), time.Duration(m.Nanos / int64(m.Items)).String(), ratio,
		})
	}
	return table(rows)
}

func policyFuzzCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fuzz [FILE|DIR] [VECTORS]...",
		Short: "Look for inputs that a policy module fails on",
		Long: `Asks two instances of a module random questions of its kinds, made from the words of
its vectors and from nonsense. Traps, malformed answers, answers in which the two
differ, and questions that take far more fuel than others are shown, and written as
vectors into testdata of the project. The exit code is 1 when there are any.`,
	}
	flags := addModuleFlags(cmd)
	o := author.FuzzOptions{}
	cmd.Flags().DurationVar(&o.Time, "time", 10*time.Second, "how long")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 0, "how many questions, instead of a time")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "the same one gives the same questions")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder for vectors of what was found (default: testdata of the project)")
	return shipCommand(cmd, 0, 1000, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		source, one, end, err := flags.open(cmd, folderOf(args))
		if err != nil {
			return err
		}
		defer end()
		_, other, endOther, err := flags.open(cmd, folderOf(args))
		if err != nil {
			return err
		}
		defer endOther()
		cases, err := casesOf(source, tail(args))
		if err != nil {
			return err
		}
		if o.Dir == "" && source.Dir != "" {
			o.Dir = source.Dir + "/testdata"
		}
		report, err := author.Fuzz(cmd.Context(), one, other, cases, o)
		if err != nil {
			return err
		}
		if err := out.print(report, fuzzText(report)); err != nil {
			return err
		}
		if n := len(report.Crashers); n > 0 {
			return exit(exitFailed, fmt.Errorf("it failed on %d sorts of questions", n))
		}
		return nil
	})
}

func fuzzText(r *author.FuzzReport) string {
	var out bytes.Buffer
	for _, c := range r.Crashers {
		fmt.Fprintf(&out, "%s %s %s: %s\n", c.What, c.Kind, c.Policy, c.Cause)
		if c.Vector != "" {
			fmt.Fprintf(&out, "  %s\n", shorten(c.Vector))
		}
		if c.File != "" {
			fmt.Fprintf(&out, "  in %s\n", c.File)
		}
	}
	fmt.Fprintf(&out, "%s: %d questions, %d taken and %d refused, at most %d units of fuel, %d failures", r.Module, r.Rounds, r.Accepted, r.Refused, r.MaxFuel, len(r.Crashers))
	return out.String()
}
