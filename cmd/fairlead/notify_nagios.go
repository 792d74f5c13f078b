package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

type notifyNagiosCommand struct {
	URL     string        `required:"" help:"Address of the integration, for instance http://127.0.0.1:8460/in/nagios/nagios-prod." env:"FAIRLEAD_URL" placeholder:"URL"`
	Key     string        `help:"Its key." env:"FAIRLEAD_KEY" xor:"key"`
	KeyFile string        `help:"File with its key, so that the key stands in no command line." type:"existingfile" placeholder:"FILE" xor:"key"`
	Timeout time.Duration `help:"After how long to give up; keep it below the core's notification_timeout." default:"25s"`
	Macros  []string      `arg:"" optional:"" name:"macro=value" help:"Macros of the notification, for instance 'HOSTNAME=$HOSTNAME$'. What the environment exports (NAGIOS_*, Checkmk's NOTIFY_*) need not be given."`
}

// Bounds of the tries.
const (
	nagiosTry   = 10 * time.Second
	nagiosPause = 500 * time.Millisecond
)

// Run sends one notification of Nagios, Icinga or Checkmk, and tries again while that may help.
func (c notifyNagiosCommand) Run(ctx context.Context, to streams) error {
	macros, err := nagiosMacros(os.Environ(), c.Macros, time.Now())
	if err != nil {
		return &usageError{err}
	}
	key := c.Key
	if c.KeyFile != "" {
		text, err := os.ReadFile(c.KeyFile)
		if err != nil {
			return fmt.Errorf("read the key: %w", err)
		}
		key = string(bytes.TrimSpace(text))
	}
	body, err := json.Marshal(macros)
	if err != nil {
		return fmt.Errorf("encode the notification: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	for pause := nagiosPause; ; pause = min(2*pause, 8*nagiosPause) {
		answer, again, err := postNotification(ctx, c.URL, key, body)
		if err == nil {
			_, err = fmt.Fprintln(to.out, strings.TrimSpace(answer))
			return err
		}
		if !again {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up after %s: %w", c.Timeout, err)
		case <-time.After(pause):
		}
	}
}

// nagiosMacros returns the macros that the environment exports and those that are given, which win.
func nagiosMacros(environ, given []string, now time.Time) (map[string]string, error) {
	macros := map[string]string{}
	for _, setting := range environ {
		name, value, _ := strings.Cut(setting, "=")
		for _, prefix := range []string{"NAGIOS_", "NOTIFY_", "ICINGA_"} {
			if short, found := strings.CutPrefix(name, prefix); found && short != "" && value != "" {
				macros[short] = value
			}
		}
	}
	for _, setting := range given {
		name, value, found := strings.Cut(setting, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%q is no macro: write NAME=value, for instance 'HOSTNAME=$HOSTNAME$'", setting)
		}
		macros[name] = value
	}
	if macros["HOSTNAME"] == "" {
		return nil, fmt.Errorf("no HOSTNAME was given and the environment has no NAGIOS_HOSTNAME: got %s; give macros as arguments, or set enable_environment_macros=1",
			cmp.Or(strings.Join(slices.Sorted(maps.Keys(macros)), ", "), "nothing"))
	}
	macros["TIMET"] = cmp.Or(macros["TIMET"], strconv.FormatInt(now.Unix(), 10))
	return macros, nil
}

// postNotification sends the notification once. again says that another try may help.
func postNotification(ctx context.Context, url, key string, body []byte) (answer string, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, nagiosTry)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", false, &usageError{fmt.Errorf("--url: %w", err)}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "fairlead-notify-nagios/"+version)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", true, fmt.Errorf("send the notification: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	switch {
	case response.StatusCode >= 200 && response.StatusCode < 300:
		return string(text), false, nil
	case err != nil:
		return "", true, fmt.Errorf("read the answer: %w", err)
	}
	again = response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= http.StatusInternalServerError
	return "", again, errors.New(response.Status + ": " + strings.TrimSpace(string(text)))
}
