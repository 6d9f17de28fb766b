package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/store"
	"github.com/pacer-run/pacer/runtime/zookeeper"
)

func storeCommand(sh shell) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Look into the stored state",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := noArgs(cmd, args); err != nil {
				return err
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(dumpCommand(sh))
	return cmd
}

func dumpCommand(sh shell) *cobra.Command {
	var dataDir, zk string
	cmd := &cobra.Command{
		Use:   "dump",
		Short: "Print all records",
		Long: `Prints every record, sorted by key, as of one moment: its key, and its value as
JSON. A leader that uses the state in ZooKeeper is not disturbed; the file of
pacer dev can only be read while it does not run.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (dataDir == "") == (zk == "") {
				return badFlag("%s: expected --data-dir or --zk", cmd.CommandPath())
			}
			s, closeStore, err := openStore(cmd.Context(), dataDir, zk)
			if err != nil {
				return err
			}
			defer closeStore()
			return dump(cmd.Context(), s, sh.stdout)
		},
	}
	cmd.Flags().StringVar(&dataDir, "data-dir", "", "folder of pacer dev")
	cmd.Flags().StringVar(&zk, "zk", "", "state of pacer serve: zk://host1:port1,host2:port2/marathon")
	return cmd
}

// stateFile is the store below the data folder of `pacer dev`, stateNode the one
// below the path of --zk.
const (
	stateFile = "state.db"
	stateNode = "state"
)

// openStore opens the one of the two stores that is named.
func openStore(ctx context.Context, dataDir, zk string) (store.Store, func(), error) {
	if dataDir != "" {
		file := filepath.Join(dataDir, stateFile)
		// Opening makes what is missing, and a mistyped folder would pass for an empty state.
		if _, err := os.Stat(file); err != nil {
			return nil, nil, badFlag("--data-dir: expected the folder of a pacer dev: %w", err)
		}
		s, err := store.OpenBolt(file)
		if err != nil {
			return nil, nil, err
		}
		return s, func() { s.Close() }, nil
	}
	conn, path, err := dialZooKeeper("zk", zk, zookeeper.Options{})
	if err != nil {
		return nil, nil, err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, 15*time.Second, errors.New("no answer within 15 s"))
	defer cancel()
	if err := conn.Await(waiting); err != nil {
		conn.Close()
		return nil, nil, exit(exitZooKeeper, err)
	}
	s := store.OpenZooKeeper(conn, zookeeper.Join(path, stateNode))
	return s, func() { s.Close(); conn.Close() }, nil
}

// record is a key with its value.
type record struct {
	key   string
	value []byte
}

// dump prints every record of a store.
func dump(ctx context.Context, s store.Store, w io.Writer) error {
	var records []record
	err := s.Dump(ctx, func(key string, value []byte) error {
		records = append(records, record{key, bytes.Clone(value)})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(records, func(a, b record) int { return cmp.Compare(a.key, b.key) })
	var out strings.Builder
	for _, r := range records {
		out.WriteString(r.key + "\n  ")
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, r.value, "  ", "  "); err == nil {
			out.Write(pretty.Bytes())
		} else {
			fmt.Fprintf(&out, "%q", r.value)
		}
		out.WriteString("\n")
	}
	_, err = io.WriteString(w, out.String())
	return err
}
