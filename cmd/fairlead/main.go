// Command fairlead is the whole of Fairlead: the server, its practice shop, replaying, evaluating and auditing. Exit codes:
// 0 done, 1 failed, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // maintenance and analytics know time zones, also on a machine that has none

	"github.com/alecthomas/kong"
)

// version is set by the linker.
var version = "dev"

const (
	exitFailed = 1
	exitUsage  = 2
)

// commands is what the command line is parsed into.
type commands struct {
	Serve        serveCommand        `cmd:"" help:"Run the server."`
	Demo         demoCommand         `cmd:"" help:"Run the server with a practice shop in a temporary folder: within a minute a bad deploy becomes one incident."`
	Replay       replayCommand       `cmd:"" help:"Send recordings to a server over the public protocols."`
	Eval         evalCommand         `cmd:"" help:"Run the shipped engines over files."`
	CheckConfig  checkConfigCommand  `cmd:"" help:"Check a configuration file and say what is wrong, by line."`
	Import       importCommand       `cmd:"" help:"Take over what another tool was configured or filled with."`
	NotifyNagios notifyNagiosCommand `cmd:"" help:"Send one notification of Nagios, Icinga or Checkmk to a server."`
	Audit        auditCommand        `cmd:"" help:"Work with the audit log."`
	Migrate      migrateCommand      `cmd:"" help:"Move what is stored elsewhere."`
	Access       accessCommand       `cmd:"" help:"Let people in."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

// gcPercent is how much the heap may grow, in percent, before it is tidied: less memory for a little more processor time. GOGC in the
// environment says otherwise.
const gcPercent = 40

// streams are where commands print.
type streams struct {
	out, err io.Writer
}

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run parses and runs one command and returns the exit code.
func run(args []string, to streams) int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli commands
	code := -1
	parser, err := kong.New(&cli, kong.Name("fairlead"), kong.Description("Few, explained incidents out of what your tools already send."),
		kong.Writers(to.out, to.err), kong.Exit(func(c int) { code = c }), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(to))
	if err != nil {
		fmt.Fprintln(to.err, "fairlead:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if code >= 0 { // --help
		return code
	}
	if err != nil {
		parser.Errorf("%s", err)
		return exitUsage
	}
	err = parsed.Run()
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(to.err, "fairlead:", err)
		return exitUsage
	}
	fmt.Fprintln(to.err, "fairlead:", err)
	return exitFailed
}

// usageError is an error in how a command was called.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(to streams) error {
	_, err := fmt.Fprintln(to.out, "fairlead", version)
	return err
}
