package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/trust"
)

func policyKeygenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keygen NAME",
		Short: "Make a key that signs policy modules",
		Long: `Writes NAME.key, the private key (PKCS #8 in PEM, not encrypted, readable by you
alone), and NAME.pub, the public key (PKIX in PEM), which goes into the trust block
of policies.yaml. Files that exist are not touched. Keys of openssl are as good:
Ed25519 and ECDSA P-256.`,
	}
	algorithm := cmd.Flags().String("type", string(trust.Ed25519), "kind of key: ed25519 or ecdsa-p256")
	return shipCommand(cmd, 1, 1, func(_ *cobra.Command, args []string, out *shipOutput) error {
		if a := trust.Algorithm(*algorithm); a != trust.Ed25519 && a != trust.ECDSAP256 {
			return misuse("--type: %q, expected %s or %s", *algorithm, trust.Ed25519, trust.ECDSAP256)
		}
		if args[0] == "" || os.IsPathSeparator(args[0][len(args[0])-1]) {
			return misuse("NAME: %q, expected the name of a file without its end", args[0])
		}
		key, err := trust.GenerateKey(trust.Algorithm(*algorithm))
		if err != nil {
			return err
		}
		private, public := args[0]+".key", args[0]+".pub"
		if err := writeKeys(key, private, public); err != nil {
			return err
		}
		id := key.Public().ID()
		return out.print(map[string]string{"privateKey": private, "publicKey": public, "keyId": id, "type": *algorithm},
			fmt.Sprintf("%s and %s, key id %s", private, public, id))
	})
}

// writeKeys writes both halves of a key into new files, or neither.
func writeKeys(key *trust.PrivateKey, private, public string) error {
	secret, err := key.PEM()
	if err != nil {
		return err
	}
	open, err := key.Public().PEM()
	if err != nil {
		return err
	}
	if err := writeNew(private, secret, 0o600); err != nil {
		return err
	}
	if err := writeNew(public, open, 0o644); err != nil {
		return errors.Join(err, os.Remove(private))
	}
	return nil
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func policySignCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sign FILE",
		Short: "Sign a policy module",
		Long: `Adds a signature to FILE.sig: a DSSE envelope on a line of its own, which says that
the module with this digest is this version of the module of this name. Signatures
of others over the same bytes stay; those over earlier bytes are dropped. Any file
can be signed; one without a manifest inside needs --name and --version. What is
signed of a process are its executable file and the files given by --file, and it is
trusted with these files beside it alone.`,
	}
	keyFile := cmd.Flags().String("key", "", "file with the private key, PKCS #8 in PEM")
	name := cmd.Flags().String("name", "", "the module's name, if it has no manifest")
	version := cmd.Flags().String("version", "", "the module's version, if it has no manifest")
	files := filesFlag(cmd)
	return shipCommand(cmd, 1, 1, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		ref, err := fileRef(cmd, args[0])
		if err != nil {
			return err
		}
		if *name != "" && !regexp.MustCompile(`\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z`).MatchString(*name) {
			return misuse("--name: %q, expected lower-case letters, digits and dashes, 63 at most", *name)
		}
		if *version != "" && !regexp.MustCompile(`\A[A-Za-z0-9.+-]{1,64}\z`).MatchString(*version) {
			return misuse("--version: %q, expected letters, digits and . + -, 64 at most", *version)
		}
		if *keyFile == "" {
			return misuse("--key: expected the file of a private key")
		}
		key, err := readPrivateKey(*keyFile)
		if err != nil {
			return err
		}
		beside, err := files(ref.Path)
		if err != nil {
			return err
		}
		m, err := new(artifact.Store).Fetch(cmd.Context(), ref, "", beside...)
		if err != nil {
			return err
		}
		envelope, err := trust.Sign(key, m, *name, *version)
		if err != nil {
			return exit(shipInvalid, fmt.Errorf("%s: %w", args[0], err))
		}
		id := key.Public().ID()
		m.Signatures = append(signedBy(m, id), envelope)
		lines, err := artifact.FormatSignatures(m.Signatures)
		if err != nil {
			return err
		}
		sigFile := artifact.SignatureFile(ref.Path)
		if err := artifact.WriteAtomically(sigFile, lines, 0o644); err != nil {
			return err
		}
		said, _, err := trust.Claims(envelope)
		if err != nil {
			return err
		}
		signed := map[string]any{
			"file": ref.Path, "signatureFile": sigFile, "digest": said.Digest, "name": said.Name, "version": said.Version,
			"keyId": id, "signatures": len(m.Signatures),
		}
		if said.Files != nil {
			signed["files"] = said.Files
		}
		return out.print(signed, fmt.Sprintf("%s@%s %s signed by key id %s; signatures in %s: %d", said.Name, said.Version, said.Digest, id, sigFile, len(m.Signatures)))
	})
}

// readPrivateKey reads the file of --key.
func readPrivateKey(path string) (*trust.PrivateKey, error) {
	text, err := trust.ReadKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	key, err := trust.ParsePrivateKey(text)
	if err != nil {
		return nil, exit(shipInvalid, fmt.Errorf("--key: %s: %w", path, err))
	}
	return key, nil
}

func policyVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify FILE|REF",
		Short: "Verify who has signed a policy module",
		Long: `Verifies the signatures of a module, in a file or at a reference: oci://…:tag,
oci-layout:FOLDER:tag, or either with @sha256:…. With --key all of the keys given
have to have signed it; with --config those have to who must by its trust block, as
when Pacer loads it, and a digest that is pinned there has to be the module's. Paths
start from the working folder. The exit code is 0 only then, 5 when somebody has not, and 4
when --digest is another one.`,
	}
	keys := cmd.Flags().StringArray("key", nil, "file with a public key, PKIX in PEM; may be given again")
	config := cmd.Flags().String("config", "", "policies.yaml, whose trust block counts")
	name := cmd.Flags().String("name", "", "what the module is called in --config (default: as the module there that has this reference)")
	digest := cmd.Flags().String("digest", "", "digest that the module has to have")
	files := filesFlag(cmd)
	store := storeFlags(cmd)
	return shipCommand(cmd, 1, 1, func(cmd *cobra.Command, args []string, out *shipOutput) error {
		ref, err := artifact.ParseRef(args[0])
		if err != nil {
			return exit(shipUsage, err)
		}
		if *digest != "" {
			if *digest, err = artifact.ParseDigest(*digest); err != nil {
				return misuse("--digest: %w", err)
			}
		}
		v, entry, err := whoMustSign(*keys, *config, ref)
		if err != nil {
			return err
		}
		w := trust.Wanted{Name: cmp.Or(*name, entry.name), Digest: cmp.Or(*digest, entry.digest)}
		if w.Files, err = files(ref.Path); err != nil {
			return err
		}
		if len(w.Files) == 0 {
			w.Files = entry.besideFrom()
		}
		return verifyModule(cmd, out, store(), v, ref, w)
	})
}

// verifyModule fetches a module, verifies it and says so.
func verifyModule(cmd *cobra.Command, out *shipOutput, store *artifact.Store, v *trust.Verifier, ref artifact.Ref, w trust.Wanted) error {
	resolved, err := store.Resolve(cmd.Context(), ref)
	if err != nil {
		return err
	}
	w.Ref = resolved.String()
	m, err := v.Load(cmd.Context(), store, nil, w, time.Now())
	if err != nil {
		return err
	}
	s := newShipped(m.Module, m.Signers)
	s.Ref, s.Resolved = ref.String(), resolved.String()
	text := s.title() + " " + s.by()
	if !v.Required(w.Name) {
		text += " (signatures are not required)"
	}
	return out.print(s, text)
}

// whoMustSign is the policy of either --key or --config, and what the latter says
// of the reference.
func whoMustSign(keys []string, config string, ref artifact.Ref) (*trust.Verifier, pullEntry, error) {
	if (len(keys) == 0) == (config == "") {
		return nil, pullEntry{}, misuse("expected either --key or --config")
	}
	if config != "" {
		c, err := readPullConfig(config)
		if err != nil {
			return nil, pullEntry{}, err
		}
		entry, err := c.entry(ref, "")
		return c.verifier, entry, err
	}
	all := trust.Policy{Require: true, AllOf: keys}
	for _, k := range keys {
		path, err := filepath.Abs(k)
		if err != nil {
			return nil, pullEntry{}, err
		}
		all.Keys = append(all.Keys, trust.Key{Name: k, File: path})
	}
	v, err := all.Compile("")
	if err != nil {
		return nil, pullEntry{}, exit(shipKeyCode(err), fmt.Errorf("--key: %w", err))
	}
	return v, pullEntry{}, nil
}

// shipKeyCode is the exit code for public keys that cannot be read.
func shipKeyCode(err error) int {
	if errors.Is(err, fs.ErrNotExist) {
		return shipNotFound
	}
	return shipInvalid
}
