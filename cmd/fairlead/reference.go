package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/fairlead/fairlead/app"
)

type referenceCommand struct {
	What string `arg:"" enum:"openapi,config,metrics,api,cli" help:"openapi, config, metrics, api or cli."`
}

// Run writes a page of docs/reference.
func (c referenceCommand) Run(ctx context.Context, to streams, k *kong.Kong) error {
	if c.What != "cli" {
		return app.Reference(ctx, c.What, to.out)
	}
	var text strings.Builder
	text.WriteString("# Command line\n\nExit codes: 0 done, 1 failed, 2 wrong usage.\n")
	var each func(node *kong.Node)
	each = func(node *kong.Node) {
		for _, child := range node.Children {
			if child.Hidden {
				continue
			}
			if len(child.Children) > 0 {
				each(child)
				continue
			}
			fmt.Fprintf(&text, "\n## fairlead %s\n\n%s\n\n", strings.TrimPrefix(child.FullPath(), "fairlead "), child.Help)
			for _, p := range child.Positional {
				fmt.Fprintf(&text, "- `%s`: %s\n", p.Summary(), p.Help)
			}
			for _, f := range child.Flags {
				name := "--" + f.Name
				if !f.IsBool() {
					name += "=" + f.FormatPlaceHolder()
				}
				fmt.Fprintf(&text, "- `%s`: %s\n", name, f.Help)
			}
		}
	}
	each(k.Model.Node)
	_, err := fmt.Fprint(to.out, text.String())
	return err
}
