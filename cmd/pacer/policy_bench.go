package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/policy/author"
)

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
		if *each <= 0 {
			return misuse("--time: %v, expected a time above 0", *each)
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
		if other != nil && !slices.ContainsFunc(measures, func(m author.Measure) bool { return m.Ratio > 0 }) {
			return nothingAgainst(other)
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
vectors into testdata of the project, each made as small as it still fails. What is
said to be run asks the same again. The exit code is 1 when there are any.`,
	}
	flags := addModuleFlags(cmd)
	o := author.FuzzOptions{}
	cmd.Flags().DurationVar(&o.Time, "time", 10*time.Second, "how long")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 0, "how many questions, instead of a time")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "the same one gives the same questions")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder for vectors of what was found (default: testdata of the project)")
	return shipCommand(cmd, 0, 1000, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		if o.Rounds < 0 || o.Rounds == 0 && o.Time <= 0 {
			return misuse("--time: %v and --rounds: %d, expected one of them above 0", o.Time, o.Rounds)
		}
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
			o.Dir = filepath.Join(source.Dir, "testdata")
		}
		report, err := author.Fuzz(cmd.Context(), one, other, cases, o)
		if report == nil {
			return err
		}
		if err := errors.Join(err, out.print(report, fuzzText(report, folderOf(args), tail(args), flags.settings, o.Seed))); err != nil {
			return exit(exitFailed, err)
		}
		if n := len(report.Crashers); n > 0 {
			return exit(exitFailed, fmt.Errorf("it failed on %s", counted(n, "sort of questions", "sorts of questions")))
		}
		return nil
	})
}

// fuzzText is a report for people; vectors and settings are what the module was asked
// with, and is to be asked with again.
func fuzzText(r *author.FuzzReport, module string, vectors []string, settings string, seed uint64) string {
	var out bytes.Buffer
	with := ""
	if settings != "" {
		with = " --settings " + author.ShellWord(settings)
	}
	for _, c := range r.Crashers {
		fmt.Fprintf(&out, "%s %s %s: %s\n", c.What, c.Kind, c.Policy, c.Cause)
		if c.Vector != "" {
			fmt.Fprintf(&out, "  %s\n", c.Vector)
		}
		again := "fuzz " + author.ShellWord(module)
		for _, file := range vectors {
			again += " " + author.ShellWord(file)
		}
		again += fmt.Sprintf("%s --seed %d --rounds %d", with, seed, c.Rounds)
		if c.File != "" {
			fmt.Fprintf(&out, "  in %s\n", where(c.File, c.Line))
			if c.What != author.Nondeterministic {
				again = fmt.Sprintf("test %s %s%s", author.ShellWord(module), author.ShellWord(c.File), with)
			}
		}
		fmt.Fprintf(&out, "  again: pacer policy %s\n", again)
	}
	fmt.Fprintf(&out, "%s: %d questions, %d taken and %d refused, at most %d units of fuel, %d failures", r.Module, r.Rounds, r.Accepted, r.Refused, r.MaxFuel, len(r.Crashers))
	return out.String()
}
