package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fairlead/fairlead/app"
)

type importCommand struct {
	Alertmanager importAlertmanagerCommand `cmd:"" help:"Explain line by line what an alertmanager.yml will do here, and write a configuration that uses it."`
}

type importAlertmanagerCommand struct {
	File string `arg:"" help:"The alertmanager.yml." type:"existingfile"`
	Out  string `help:"Where to write the configuration; without it, it is printed." type:"path" placeholder:"FILE"`
}

// Run explains the file and writes the configuration, over no other file.
func (c importAlertmanagerCommand) Run(to streams) error {
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	if c.Out != "" {
		folder = filepath.Dir(c.Out)
	}
	text, err := app.ImportAlertmanager(c.File, folder, to.out)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err := fmt.Fprintf(to.out, "\n%s", text)
		return err
	}
	file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return &usageError{fmt.Errorf("%s exists; name another file with --out, or put the section notify into it:\n%s", c.Out, text)}
	}
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(to.out, "wrote %s; run: fairlead serve --config %s\n", c.Out, c.Out)
	return err
}
