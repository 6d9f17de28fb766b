package fetcher

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// Item is a CommandInfo.URI of Mesos.
type Item struct {
	URI        string
	Executable bool   // gets mode 0755 and is not unpacked
	Extract    bool   // is unpacked if its name says that it is an archive
	Cache      bool   // may come from the cache, and goes into it
	OutputFile string // name in the sandbox, folders allowed; empty = the last part of the URI

	// SHA256 is what the bytes that arrive must have, in lower-case hexadecimal; empty = any.
	SHA256 string
	// Limits may be lower than the fetcher's, which count where these are 0 or higher.
	Limits ItemLimits
}

// ItemLimits bound one URI; 0 = the fetcher's own.
type ItemLimits struct {
	Bytes   int64 // of the transfer, and again all that comes out of an archive
	Entries int
	Depth   int
	Ratio   int64 // counts from a mebibyte on
}

// Check finds what is wrong with an item before anything is fetched.
func (i Item) Check() error {
	switch {
	case strings.ContainsAny(i.URI, "\\'\x00"):
		return errors.New(`illegal character in the URI: expected no backslash, no ' and no NUL`)
	case strings.ContainsFunc(i.URI, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("illegal character in the URI: expected no control characters")
	case i.SHA256 != "" && (len(i.SHA256) != 64 || strings.Trim(i.SHA256, "0123456789abcdef") != ""):
		return fmt.Errorf("its SHA-256 is %q, expected 64 digits of lower-case hexadecimal", i.SHA256)
	}
	name, err := i.name()
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(name, "/"):
		return fmt.Errorf("output file %q is an absolute path, expected one in the sandbox", name)
	case strings.ContainsRune(name, 0) || name == "" || filepath.Clean(name) == ".":
		return fmt.Errorf("%q is not the name of a file", name)
	case !filepath.IsLocal(name) || strings.HasSuffix(name, "/.."):
		return fmt.Errorf("output file %q leaves the sandbox", name)
	}
	return nil
}

// name is the path of the file in the sandbox.
func (i Item) name() (string, error) {
	_, path, ok := strings.Cut(i.URI, "://")
	if !ok {
		path = i.URI
	} else if _, rest, _ := strings.Cut(path, "/"); rest == "" {
		return "", errors.New("the URI has no path")
	}
	if i.OutputFile != "" {
		return i.OutputFile, nil
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	if name == "" || name == "." || name == ".." {
		return "", fmt.Errorf("the URI's path ends in %q, expected the name of a file", "/"+name)
	}
	return name, nil
}

// scheme is empty for a plain path.
func scheme(uri string) string {
	name, _, ok := strings.Cut(uri, "://")
	if !ok {
		return ""
	}
	return strings.ToLower(name)
}

// Redacted is the URI without what may be a secret: the password, and values of a query that sign or authorize.
func Redacted(uri string) string {
	base, query, asked := strings.Cut(uri, "?")
	if name, rest, ok := strings.Cut(base, "://"); ok {
		host, path, _ := strings.Cut(rest, "/")
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			user, _, secret := strings.Cut(host[:at], ":")
			if secret {
				user += ":xxxxx"
			}
			base = name + "://" + user + host[at:] + rest[len(host):len(rest)-len(path)] + path
		}
	}
	if !asked {
		return base
	}
	pairs := strings.Split(query, "&")
	for n, pair := range pairs {
		key, _, ok := strings.Cut(pair, "=")
		if ok && secret(key) {
			pairs[n] = key + "=xxxxx"
		}
	}
	return base + "?" + strings.Join(pairs, "&")
}

// secret tells by its name whether a parameter's value should not be shown.
func secret(key string) bool {
	if plain, err := url.QueryUnescape(key); err == nil {
		key = plain
	}
	key = strings.ToLower(key)
	for _, word := range []string{"sig", "token", "secret", "password", "passwd", "credential", "auth", "key"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// Error says which URI could not be fetched.
type Error struct {
	URI   string // redacted
	Cause error
}

// Error has the URI first, then the cause.
func (e *Error) Error() string { return fmt.Sprintf("fetch %s: %v", e.URI, e.Cause) }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }
