package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/policy/author"
)

func policyReplayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay FILE|DIR RECORDING",
		Short: "Put a recording to a policy module again",
		Long: `Asks a module what was recorded of a running Pacer (see pacer policy record), and
shows where it answers something else. The exit code is 1 when it does.`,
	}
	flags := addModuleFlags(cmd)
	return shipCommand(cmd, 2, 2, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		_, module, end, err := flags.open(cmd, args[0])
		if err != nil {
			return err
		}
		defer end()
		report, err := author.Replay(cmd.Context(), module, args[1])
		return printReplay(out, report, err)
	})
}

func policyDiffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff A B --recording RECORDING",
		Short: "Compare two policy modules on a recording",
		Long: `Asks two modules, such as two versions of one, what was recorded of a running Pacer,
and shows what B answers otherwise than A, by value and app. Either may be builtin.
The exit code is 1 when there is a difference.`,
	}
	flags := addModuleFlags(cmd)
	path := cmd.Flags().String("recording", "", "file with the recording")
	return shipCommand(cmd, 2, 2, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		if *path == "" {
			return misuse("--recording: expected a file")
		}
		_, was, endWas, err := flags.open(cmd, args[0])
		if err != nil {
			return err
		}
		defer endWas()
		_, now, endNow, err := flags.open(cmd, args[1])
		if err != nil {
			return err
		}
		defer endNow()
		report, err := author.Diff(cmd.Context(), was, now, *path)
		return printReplay(out, report, err)
	})
}

func printReplay(out *shipOutput, r *author.ReplayReport, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, context.Canceled):
		return err
	case err != nil:
		return exit(shipInvalid, err)
	}
	if err := out.print(r, replayText(r)); err != nil {
		return err
	}
	if r.Calls == 0 {
		return exit(exitFailed, fmt.Errorf("%s: there is nothing to compare: the recording has no calls", r.Recording))
	}
	if r.Changed > 0 {
		return exit(exitFailed, fmt.Errorf("%d of %d answers changed", r.Changed, r.Calls))
	}
	return nil
}

func replayText(r *author.ReplayReport) string {
	var parts []string
	if len(r.Changes) > 0 {
		rows := [][]string{{"COUNT", "KIND", "POLICY", "ITEM", "APP", "WAS", "NOW"}}
		for _, c := range r.Changes {
			rows = append(rows, []string{strconv.Itoa(c.Count), c.Kind, c.Policy, shorten(c.Item), c.App, shorten(c.Was), shorten(c.Now)})
		}
		parts = append(parts, table(rows), "")
	}
	rows := [][]string{{"", "FAULTS", "FUEL", "TIME"}}
	for _, side := range []author.Side{r.Was, r.Now} {
		rows = append(rows, []string{side.Label, strconv.Itoa(side.Faults), strconv.FormatInt(side.Fuel, 10), microsText(side.Micros)})
	}
	return strings.Join(append(parts, table(rows), r.Summary()), "\n")
}

func policyRecordCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "record NAME FILE",
		Short: "Record what a running Pacer asks a policy module",
		Long: `Writes into FILE what Pacer asks the module NAME and what it answers, until the time
is over, the limit is reached, or the command is interrupted: what is there then is a
good recording. It holds what policies see: values of attributes, ids and labels.`,
	}
	server := cmd.Flags().String("server", "http://localhost:8080", "URL of Pacer")
	user := cmd.Flags().String("user", os.Getenv("PACER_USER"), "credentials as name:password (default: the variable PACER_USER)")
	during := cmd.Flags().Duration("time", time.Minute, "how long, 10m at most")
	return shipCommand(cmd, 2, 2, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		base, err := url.Parse(*server)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return misuse("--server: %q, expected a URL such as http://localhost:8080", *server)
		}
		if *user != "" && !strings.Contains(*user, ":") {
			return misuse("--user: expected name:password, and there is no colon")
		}
		if *during < time.Second || *during > 10*time.Minute {
			return misuse("--time: %v, expected a time from 1s to 10m", *during)
		}
		target := base.JoinPath("pacer/v1/policies", url.PathEscape(args[0]), "record")
		target.RawQuery = url.Values{"seconds": {strconv.Itoa(int(during.Seconds()))}}.Encode()
		n, err := recordTo(cmd.Context(), target.String(), *user, args[1])
		if err != nil {
			return err
		}
		return out.print(map[string]any{"file": args[1], "bytes": n}, fmt.Sprintf("%s: %s", args[1], bytesText(int(n))))
	})
}

// recordTo streams a recording into a new file.
func recordTo(ctx context.Context, target, user, path string) (written int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, nil)
	if err != nil {
		return 0, err
	}
	if name, password, ok := strings.Cut(user, ":"); ok {
		request.SetBasicAuth(name, password)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1024)) // what came of it is enough
		return 0, exit(recordCode(response.StatusCode), fmt.Errorf("%s: %s: %s", target, response.Status, strings.TrimSpace(string(text))))
	}
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	written, err = io.Copy(file, response.Body)
	if ctx.Err() != nil {
		err = nil // what came until now is a good recording
	}
	return written, errors.Join(err, file.Close())
}

// recordCode is the exit code for a status.
func recordCode(status int) int {
	switch status {
	case http.StatusNotFound:
		return shipNotFound
	case http.StatusConflict:
		return shipConflict
	case http.StatusUnauthorized, http.StatusForbidden:
		return shipDenied
	}
	return exitFailed
}
