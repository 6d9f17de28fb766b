package spec

import (
	"net/url"
	"slices"
	"strings"
)

// readArtifacts reads both forms.
func (u *Update) readArtifacts(o *object) {
	var list []Artifact
	given := o.objects("fetch", func(a *object) {
		a.need("uri")
		list = append(list, Artifact{
			URI: orElse(a.bounded("uri"), ""), Extract: orElse(a.boolean("extract"), true),
			Executable: orElse(a.boolean("executable"), false), Cache: orElse(a.boolean("cache"), false),
			DestPath: orElse(a.bounded("destPath"), ""),
		})
	})
	items, path, hasURIs := o.list("uris")
	uris := *o.checkTexts(path, items)
	var translated []Artifact
	for i, uri := range uris {
		if _, isText := items[i].(string); !isText {
			continue
		}
		switch {
		case uri == "":
			o.form.Add(at(path, i), keyMinLen)
		case len(uri) > maxText:
			o.form.Add(at(path, i), keyMaxLen)
		case !validURI(uri):
			o.rules.Add(at(path, i), messageURI)
			continue // told here, and not again as an artifact
		}
		translated = append(translated, Artifact{URI: uri, Extract: archive(uri)})
	}
	if len(uris) > 0 && len(list) > 0 {
		o.rules.Add(path, "may not be set in conjunction with fetch")
	}
	list = append(list, translated...)
	if given || hasURIs {
		u.Fetch = &list
	}
}

// archive tells whether the old form unpacks what the URI names.
func archive(uri string) bool {
	path := uri
	if parsed, err := url.Parse(uri); err == nil {
		path = parsed.Path + parsed.Opaque
	}
	endings := []string{".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".gz", ".tgz", ".tbz2", ".txz", ".zip"}
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(path, ending) })
}

const messageURI = "URI has invalid syntax."

// validURI tells whether the text is a URI or a reference to one. Unlike the
// parser of net/url it takes no characters that URIs have to escape.
func validURI(s string) bool {
	_, err := url.Parse(s)
	return err == nil && !strings.ContainsAny(s, " \"<>\\^`{|}") && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f })
}
