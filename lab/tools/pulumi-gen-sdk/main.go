// Makes the Node.js SDK of a package as Pulumi's language host of the same release does: reads a schema
// from its input, and fills the folder that is its argument.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	var spec schema.PackageSpec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		log.Fatal(err)
	}
	loader := schema.NewPluginLoader(nil)
	bound, faults, err := schema.BindSpec(spec, loader, schema.ValidationOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if faults.HasErrors() {
		log.Fatal(faults)
	}
	files, err := nodejs.GeneratePackage("pulumi", bound, nil, nil, true, loader)
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range files {
		path := filepath.Join(os.Args[1], name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
