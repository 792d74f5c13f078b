package cloudwatch

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // signature version 1
	_ "crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/fairlead/fairlead/receive"
)

// Bounds of what is fetched and how long it is kept.
const (
	fetchTimeout  = 10 * time.Second
	fetchBytes    = 64 << 10
	keepFor       = 24 * time.Hour
	keepFailed    = time.Minute
	maxKept       = 64
	maxAge        = 24 * time.Hour
	maxAhead      = time.Hour
	intermediates = 4
)

// Config says what a Verifier needs; the zero value is for real use.
type Config struct {
	// Fetch returns the body of a URL, or an error unless the answer is 200; nil asks over the network, without following
	// redirects.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// Roots are the certificates that a chain may end in; nil takes the system's.
	Roots *x509.CertPool
	// Now tells the time for certificates; nil is time.Now.
	Now func() time.Time
}

// Verifier checks signatures of SNS and keeps the certificates. It is safe for concurrent use.
type Verifier struct {
	config Config

	mu   sync.Mutex
	kept map[string]keptKey // by URL; guarded by mu
}

// keptKey is the key of a certificate, or why there is none.
type keptKey struct {
	key   *rsa.PublicKey
	err   error
	until time.Time
}

// NewVerifier returns a Verifier.
func NewVerifier(config Config) *Verifier {
	if config.Fetch == nil {
		config.Fetch = fetcher()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Verifier{config: config, kept: map[string]keptKey{}}
}

func fetcher() func(ctx context.Context, address string) ([]byte, error) {
	client := &http.Client{
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context, address string) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return nil, fmt.Errorf("fetch: %w", err)
		}
		answer, err := client.Do(r)
		if err != nil {
			return nil, fmt.Errorf("fetch: %w", err)
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("fetch %s: got %s", r.URL.Host, answer.Status)
		}
		body, err := io.ReadAll(io.LimitReader(answer.Body, fetchBytes+1))
		if err == nil && len(body) > fetchBytes {
			err = fmt.Errorf("more than %d bytes", fetchBytes)
		}
		if err != nil {
			return nil, fmt.Errorf("fetch %s: %w", r.URL.Host, err)
		}
		return body, nil
	}
}

// Hosts of SNS and the names in its certificates. A region is told by its form: sns.s3-us-west-2.amazonaws.com, for one, is
// somebody's bucket.
var (
	hostPattern = regexp.MustCompile(`^sns\.` + region + `\.amazonaws\.(com|com\.cn|eu)$`)
	namePattern = regexp.MustCompile(`^sns(|-` + region + `|[.]` + region + `|-signing\.` + region + `)\.amazonaws\.(com|com\.cn|eu)$`)
	pathPattern = regexp.MustCompile(`^/[A-Za-z0-9._-]{1,200}\.pem$`)
	// issuerPattern is where Amazon's own authority has the certificates between a leaf and its root.
	issuerPattern = regexp.MustCompile(`^http://crt\.[a-z0-9.]{1,40}\.amazontrust\.com/[A-Za-z0-9._-]{1,100}\.(cer|crt)$`)
)

const region = `[a-z]{2,4}(-[a-z]{2,12}){1,2}-[0-9]{1,2}`

// ours returns a URL on a host of SNS; the error names field.
func ours(field, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || !hostPattern.MatchString(u.Host) {
		return nil, forbidden(field, text, "it is not on https://sns.<region>.amazonaws.com (or .cn, .eu), so it is not opened")
	}
	return u, nil
}

// Verify checks that SNS has signed a delivery received at now. The error is a *receive.Problem: 403 when it has not, 503 when
// that cannot be found out.
func (v *Verifier) Verify(ctx context.Context, body []byte, now time.Time) error {
	e, err := open(body)
	if err != nil {
		return err
	}
	certificate, err := ours("SigningCertURL", e.SigningCertURL)
	if err != nil {
		return err
	}
	if !pathPattern.MatchString(certificate.EscapedPath()) || certificate.RawQuery != "" {
		return forbidden("SigningCertURL", e.SigningCertURL, "it does not name a .pem file, so it is not opened")
	}
	if e.Type == subscription {
		if err := e.checkSubscribe(); err != nil {
			return err
		}
	}
	at, err := time.Parse(time.RFC3339Nano, e.Timestamp)
	if err != nil || now.Sub(at) > maxAge || at.Sub(now) > maxAhead {
		return forbidden("Timestamp", e.Timestamp, "it is no time of the last day; a delivery cannot be used again")
	}
	hash := crypto.SHA1
	switch e.SignatureVersion {
	case "1":
	case "2":
		hash = crypto.SHA256
	default:
		return forbidden("SignatureVersion", e.SignatureVersion, "only versions 1 and 2 are known")
	}
	signature, err := base64.StdEncoding.DecodeString(e.Signature)
	if err != nil || len(signature) == 0 {
		return forbidden("Signature", e.Signature, "it is no base64")
	}
	key, err := v.key(ctx, certificate.String())
	if err != nil {
		return err
	}
	sum := hash.New()
	_, _ = sum.Write(e.signed()) // it never fails
	if rsa.VerifyPKCS1v15(key, hash, sum.Sum(nil), signature) != nil {
		return forbidden("Signature", e.Signature, "it does not fit the fields and the certificate")
	}
	return nil
}

// checkSubscribe checks where a subscription would be confirmed.
func (e *envelope) checkSubscribe() error {
	u, err := ours("SubscribeURL", e.SubscribeURL)
	if err != nil {
		return err
	}
	if q := u.Query(); q.Get("Action") != "ConfirmSubscription" || q.Get("TopicArn") != e.TopicARN {
		return forbidden("SubscribeURL", e.SubscribeURL, "it does not confirm a subscription to this topic, so it is not opened")
	}
	return nil
}

// signed returns the text that SNS signs: names and values of fields in order, a line each.
func (e *envelope) signed() []byte {
	fields := [][2]string{{"Message", e.Message}, {"MessageId", e.MessageID}}
	if e.Type == notification {
		if e.Subject != nil {
			fields = append(fields, [2]string{"Subject", *e.Subject})
		}
	} else {
		fields = append(fields, [2]string{"SubscribeURL", e.SubscribeURL})
	}
	fields = append(fields, [2]string{"Timestamp", e.Timestamp})
	if e.Type != notification {
		fields = append(fields, [2]string{"Token", e.Token})
	}
	fields = append(fields, [2]string{"TopicArn", e.TopicARN}, [2]string{"Type", e.Type})
	var text []byte
	for _, f := range fields {
		text = append(append(append(append(text, f[0]...), '\n'), f[1]...), '\n')
	}
	return text
}

// Confirm confirms the subscription that a verified delivery asks about; it does nothing for another. The error is a
// *receive.Problem: SNS asks again.
func (v *Verifier) Confirm(ctx context.Context, d *receive.Delivery) error {
	c, ok := d.Reply.(Confirmation)
	if !ok {
		return nil
	}
	if _, err := ours("SubscribeURL", c.url); err != nil { // also when it is offered again from the dead letters
		return err
	}
	if _, err := v.config.Fetch(ctx, c.url); err != nil {
		return unreachable("The subscription cannot be confirmed now", err)
	}
	return nil
}

func unreachable(what string, err error) error {
	return &receive.Problem{Status: http.StatusServiceUnavailable, RetryAfter: keepFailed, Detail: fmt.Sprintf("%s: %v.", what, err)}
}

// key returns the key of the certificate at a URL that was checked. The error is a *receive.Problem.
func (v *Verifier) key(ctx context.Context, address string) (*rsa.PublicKey, error) {
	now := v.config.Now()
	v.mu.Lock()
	known, ok := v.kept[address]
	v.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.key, known.err
	}
	var k keptKey
	k.key, k.err = v.load(ctx, address)
	k.until = now.Add(keepFor)
	if k.err != nil {
		k.until = now.Add(keepFailed)
	}
	if ctx.Err() != nil {
		return k.key, k.err // the sender went away: that says nothing about the certificate
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.kept) >= maxKept {
		clear(v.kept)
	}
	v.kept[address] = k
	return k.key, k.err
}

// load fetches a certificate and checks that it is one of SNS.
func (v *Verifier) load(ctx context.Context, address string) (*rsa.PublicKey, error) {
	text, err := v.config.Fetch(ctx, address)
	if err != nil {
		return nil, unreachable("The certificate cannot be fetched now", err)
	}
	leaf, pool, err := certificates(text)
	if err != nil {
		return nil, forbidden("SigningCertURL", address, err.Error())
	}
	if err := v.chain(ctx, leaf, pool); err != nil {
		return nil, forbidden("SigningCertURL", address, "the certificate there is not to be trusted ("+err.Error()+")")
	}
	named := namePattern.MatchString(leaf.Subject.CommonName)
	for _, name := range leaf.DNSNames {
		named = named || namePattern.MatchString(name)
	}
	if !named {
		return nil, forbidden("SigningCertURL", address, "the certificate there is not one of SNS")
	}
	key, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, forbidden("SigningCertURL", address, "the certificate there has no RSA key")
	}
	return key, nil
}

// certificates reads a file of certificates: the first is the leaf, the others stand between it and the root.
func certificates(text []byte) (leaf *x509.Certificate, pool *x509.CertPool, err error) {
	pool = x509.NewCertPool()
	for range 1 + intermediates {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		c, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("what is there is no certificate (%w)", err)
		case leaf == nil:
			leaf = c
		default:
			pool.AddCert(c)
		}
	}
	if leaf == nil {
		return nil, nil, errors.New("there is no certificate")
	}
	return leaf, pool, nil
}

// chain checks that a chain leads from leaf to a root. Certificates that are missing in between are fetched from Amazon's own
// authority, whose address the certificate names.
func (v *Verifier) chain(ctx context.Context, leaf *x509.Certificate, pool *x509.CertPool) error {
	last := leaf
	for range intermediates {
		_, err := leaf.Verify(x509.VerifyOptions{
			Intermediates: pool, Roots: v.config.Roots, CurrentTime: v.config.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		if err == nil || !errors.As(err, new(x509.UnknownAuthorityError)) {
			return err
		}
		address := ""
		for _, a := range last.IssuingCertificateURL {
			if issuerPattern.MatchString(a) && !strings.Contains(a, "..") {
				address = a
			}
		}
		if address == "" {
			return err
		}
		der, fetchErr := v.config.Fetch(ctx, address)
		if fetchErr != nil {
			return err
		}
		issuer, parseErr := x509.ParseCertificate(der)
		if parseErr != nil {
			return err
		}
		pool.AddCert(issuer)
		last = issuer
	}
	return errors.New("its chain is too long")
}
