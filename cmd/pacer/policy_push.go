package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

func policyPushCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "push FILE REF",
		Short: "Push a policy module to a registry or into a folder",
		Long: `Pushes a module, the signatures in FILE.sig, and files of vectors to REF. A module is
WASM, or an executable file of Linux with the files that belong to it. REF is
oci://host/repository:tag, or oci-layout:FOLDER:tag for a folder in the form of an
OCI image layout, which can be carried to where there is no registry. Credentials
are those of docker login. The same content makes the same artifact, so pushing
again changes nothing; signing again and pushing makes another one.`,
	}
	vectors := cmd.Flags().StringArray("vectors", nil, "file of vectors to push along; may be given again")
	files := filesFlag(cmd)
	store := storeFlags(cmd)
	return shipCommand(cmd, 2, 2, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		from, err := fileRef(cmd, args[0])
		if err != nil {
			return err
		}
		to, err := artifact.ParseRef(args[1])
		if err != nil {
			return exit(shipUsage, err)
		}
		if to.Place == artifact.File || to.Tag == "" || to.Digest != "" {
			return misuse("%s: expected oci://host/repository:tag or oci-layout:FOLDER:tag, without a digest", args[1])
		}
		beside, err := files(from.Path)
		if err != nil {
			return err
		}
		m, err := new(artifact.Store).Fetch(cmd.Context(), from, "", beside...)
		if err != nil {
			return err
		}
		const nobody = "-" // no key has this id: signatures of all keys count
		if len(m.Signatures) > 0 && len(signedBy(m, nobody)) == 0 {
			return exit(shipInvalid, fmt.Errorf("%s: the signatures are of other bytes or files: sign it again, with the same --file", artifact.SignatureFile(from.Path)))
		}
		for _, path := range *vectors {
			data, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("--vectors: %w", err)
			}
			m.Vectors = append(m.Vectors, artifact.Vectors{Name: filepath.Base(path), Bytes: data})
		}
		pushed, err := store().Push(cmd.Context(), to, m)
		if err != nil {
			return err
		}
		s := newShipped(m, nil)
		s.Ref, s.Resolved, s.File = to.String(), pushed.String(), from.Path
		return out.print(s, fmt.Sprintf("%s is %s; signatures: %d", s.title(), s.Resolved, s.Signatures))
	})
}
