package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/trust"
)

// Exit codes of the tools that ship modules, as scripts tell them apart.
const (
	shipUsage    = 2 // the command line is wrong
	shipNotFound = 3 // no such file, tag or repository
	shipConflict = 4 // it is there already, or pinned to another digest
	shipInvalid  = 5 // it is not what it has to be, or not signed by whom it has to be
	shipDenied   = 6 // the registry, the server or the file system does not let us
)

// shipCommand gives a command what those that ship modules have in common: the
// number of its arguments, the flag for the form of its output, and exit codes.
func shipCommand(cmd *cobra.Command, least, most int, do func(cmd *cobra.Command, args []string, out *shipOutput) error) *cobra.Command {
	form := cmd.Flags().StringP("output", "o", "text", "form of the output: text or json")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse("%w (%s --help shows what there is)", flagMistake(err), cmd.CommandPath())
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *form != "text" && *form != "json" {
			return misuse("--output: %q, expected text or json", *form)
		}
		if len(args) < least || len(args) > most {
			return misuse("%s: got %d arguments, expected %s", cmd.CommandPath(), len(args), cmd.UseLine())
		}
		err := do(cmd, args, &shipOutput{cmd, *form == "json"})
		if err != nil && cmd.Context().Err() != nil {
			return exit(exitFailed, context.Cause(cmd.Context())) // and no verdict on anything
		}
		return exit(shipCode(err))
	}
	return cmd
}

// flagMistake says what a flag expects, where the library has the words of strconv.
func flagMistake(err error) error {
	wrong, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	expected, ok := map[string]string{
		"bool": "true or false", "int": "a whole number", "uint64": "a whole number from 0", "intSlice": "whole numbers such as 1,10", "duration": "a time such as 30s",
	}[wrong.GetFlag().Value.Type()]
	if !ok {
		return err
	}
	return fmt.Errorf("--%s: %q, expected %s", wrong.GetFlag().Name, wrong.GetValue(), expected)
}

// misuse is a mistake in the command line.
func misuse(format string, args ...any) error { return exit(shipUsage, fmt.Errorf(format, args...)) }

// shipCode finds the exit code of an error.
func shipCode(err error) (int, error) {
	var own *exitError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return shipDenied, err
	case errors.As(err, &own):
		return own.code, own.err
	case errors.Is(err, artifact.ErrDenied):
		return shipDenied, err
	case errors.Is(err, fs.ErrExist), errors.Is(err, trust.ErrPin), errors.Is(err, artifact.ErrChanged):
		return shipConflict, err
	case errors.Is(err, trust.ErrUntrusted), errors.Is(err, artifact.ErrMalformed), errors.Is(err, artifact.ErrPlatform):
		return shipInvalid, err
	case errors.Is(err, artifact.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return shipNotFound, err
	}
	return exitFailed, err
}

// shipOutput is where a command says what it did.
type shipOutput struct {
	cmd  *cobra.Command
	json bool
}

// print says it in the form that was asked for.
func (o *shipOutput) print(data any, text string) error {
	if !o.json {
		_, err := fmt.Fprintln(o.cmd.OutOrStdout(), text)
		return err
	}
	encoder := json.NewEncoder(o.cmd.OutOrStdout())
	encoder.SetIndent("", "  ")
	return encoder.Encode(data)
}

// shipped is what is said of a module.
type shipped struct {
	Ref      string `json:"ref,omitempty"`      // as given
	Resolved string `json:"resolved,omitempty"` // with the digest of the artifact
	Digest   string `json:"digest"`             // of the module
	// Platform is what machines a process is for, "" for any, and for WASM.
	Platform string `json:"platform,omitempty"`
	// Files are the digests of the files of a process, by their names.
	Files      map[string]string `json:"files,omitempty"`
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Signatures int               `json:"signatures"`
	Signers    []trust.Signer    `json:"signers"` // those that are trusted
	File       string            `json:"file,omitempty"`
}

// newShipped fills in what the module itself tells.
func newShipped(m *artifact.Module, signers []trust.Signer) shipped {
	platform := ""
	if !m.IsWASM() {
		platform, _ = artifact.Platform(m.Bytes) // what cannot be run can be signed
	}
	return shipped{Digest: m.Digest, Platform: platform, Files: m.FileDigests(), Name: m.Name, Version: m.Version, Signatures: len(m.Signatures), Signers: append([]trust.Signer{}, signers...)}
}

// title is the module in a line.
func (s shipped) title() string {
	title := s.Digest
	if s.Name != "" {
		title = s.Name + "@" + s.Version + " " + s.Digest
	}
	if s.Platform != "" {
		title += " for " + s.Platform
	}
	if len(s.Files) > 0 {
		title += " with " + strings.Join(slices.Sorted(maps.Keys(s.Files)), ", ")
	}
	return title
}

// by says who has signed it.
func (s shipped) by() string {
	if len(s.Signers) == 0 {
		return fmt.Sprintf("signed by nobody who is known here; signatures: %d", s.Signatures)
	}
	names := make([]string, len(s.Signers))
	for i, one := range s.Signers {
		names[i] = one.Name
	}
	return "signed by " + strings.Join(names, ", ")
}

// storeFlags are the flags of commands that reach registries.
func storeFlags(cmd *cobra.Command) func() *artifact.Store {
	plain := cmd.Flags().Bool("plain-http", false, "speak to the registry without TLS (default: only to one on this machine)")
	return func() *artifact.Store {
		s := &artifact.Store{}
		if cmd.Flags().Changed("plain-http") {
			s.PlainHTTP = plain
		}
		return s
	}
}

// filesFlag is the flag for the files of a process. What it returns makes references of
// them, beside the program at a path.
func filesFlag(cmd *cobra.Command) func(program string) ([]artifact.AttachmentRef, error) {
	list := cmd.Flags().StringArray("file", nil, "file that belongs to a process, PATH or NAME=PATH; may be given again. NAME is its place in the module's folder "+
		"(default: as it lies below the folder of FILE, or its own name)")
	return func(program string) (files []artifact.AttachmentRef, err error) {
		for _, text := range *list {
			name, path, named := strings.Cut(text, "=")
			if !named {
				name, path = artifact.FileName(program, text), text
			}
			if err := artifact.CheckFileName(name); err != nil || path == "" {
				return nil, misuse("--file %q: expected PATH or NAME=PATH, with a NAME below the module's folder", text)
			}
			files = append(files, artifact.AttachmentRef{Name: name, Path: path})
		}
		return files, nil
	}
}

// fileRef reads an argument that has to be a file.
func fileRef(cmd *cobra.Command, text string) (artifact.Ref, error) {
	ref, err := artifact.ParseRef(text)
	if err != nil {
		return ref, exit(shipUsage, err)
	}
	if ref.Place != artifact.File {
		return ref, misuse("%s: %s: expected a file", cmd.CommandPath(), text)
	}
	return ref, nil
}

// signedBy keeps those signatures that are over this very module, and not by the
// key that is about to sign it anew.
func signedBy(m *artifact.Module, but string) [][]byte {
	return slices.DeleteFunc(slices.Clone(m.Signatures), func(e []byte) bool {
		said, ids, err := trust.Claims(e)
		return err != nil || said.Digest != m.Digest || !maps.Equal(said.Files, m.FileDigests()) || slices.Contains(ids, but) && len(ids) == 1
	})
}
