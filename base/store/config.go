package store

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// Config says where the rows live.
type Config struct {
	// Dir is the folder that holds the files of SQLite; it is made when missing. With URL it is not used.
	Dir string
	// URL is a database of PostgreSQL, as postgres://USER@HOST:PORT/DATABASE with the options of libpq; "" means SQLite. What
	// it leaves out comes from the variables of libpq, PGPASSWORD for instance.
	URL string
	// PasswordFile holds the password of URL; "" means that none is needed, or that URL or the environment has it.
	PasswordFile string
	// MaxConnections bounds the connections to PostgreSQL, one of them the writer's; 0 means 10.
	MaxConnections int
}

// Bounds of Config.MaxConnections.
const (
	minConnections = 3
	maxConnections = 1000
)

// Validate reports the first setting that cannot be used. The error never holds a password.
func (c Config) Validate() error {
	if c.URL == "" {
		if c.Dir == "" {
			return errors.New("store: no folder is set")
		}
		return nil
	}
	if _, err := parseURL(c.URL); err != nil {
		return fmt.Errorf("store.url: %w", err)
	}
	if c.MaxConnections != 0 && (c.MaxConnections < minConnections || c.MaxConnections > maxConnections) {
		return fmt.Errorf("store.max_connections: %d is not between %d and %d", c.MaxConnections, minConnections, maxConnections)
	}
	return nil
}

// inURL finds the passwords in something that is meant to be a URL.
var (
	userInURL   = regexp.MustCompile(`(://[^/@:]*):[^/]*@`)
	optionInURL = regexp.MustCompile(`(?i)((?:pass|ssl)\w*=)[^&\s]*`)
)

// Redact returns the URL of a database without its passwords.
func Redact(text string) string {
	if parsed, err := url.Parse(text); err == nil && parsed.User != nil {
		if _, set := parsed.User.Password(); set {
			parsed.User = url.UserPassword(parsed.User.Username(), "xxxxx")
			text = parsed.String()
		}
	} else {
		text = userInURL.ReplaceAllString(text, "$1:xxxxx@")
	}
	return optionInURL.ReplaceAllStringFunc(text, func(option string) string {
		parts := optionInURL.FindStringSubmatch(option)
		if parts[1] == "sslmode=" {
			return option
		}
		return parts[1] + "xxxxx"
	})
}

// HasPassword reports whether a URL holds a password.
func HasPassword(text string) bool { return Redact(text) != text }

// InClear reports whether the connection to another machine could go unencrypted, or to whoever says that it is the server.
func InClear(text string) bool {
	settings, err := parseURL(text)
	if err != nil || strings.HasPrefix(settings.Host, "/") || settings.Host == "localhost" {
		return false
	}
	if ip := net.ParseIP(settings.Host); ip != nil && ip.IsLoopback() {
		return false
	}
	return settings.TLSConfig == nil || settings.TLSConfig.InsecureSkipVerify && settings.TLSConfig.VerifyPeerCertificate == nil || len(settings.Fallbacks) > 0 && settings.Fallbacks[0].TLSConfig == nil
}
