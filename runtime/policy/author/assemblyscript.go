package author

import (
	"io/fs"

	"github.com/pacer-run/pacer/sdk/assemblyscript"
)

func assemblyScript() language {
	return language{
		name: "AssemblyScript", sdk: "lib/", sdkText: "the SDK: a library of the compiler", needs: "Node.js with npm, which gets the compiler (Debian: `apt-get install nodejs npm`)",
		tools:    []string{"node", "npm"},
		source:   fixed("assembly/index.ts"),
		template: func(kind string) string { return "assemblyscript/" + kind + ".ts" },
		build: func(string) string {
			return "(test -e node_modules/.bin/asc || npm install --no-audit --no-fund --loglevel=error) && npm run --silent build"
		},
		files:  map[string]string{"package.json": "assemblyscript/package.json"},
		vendor: func() (fs.FS, string) { return assemblyscript.Source(), "lib" },
	}
}
