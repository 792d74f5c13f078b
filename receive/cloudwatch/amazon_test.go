package cloudwatch

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/receive"
)

// signedByAmazon returns what testdata/amazon.txtar holds, by name: deliveries that Amazon has signed, and certificates.
func signedByAmazon(t *testing.T) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/amazon.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, file := range strings.Split(string(text), "\n-- ")[1:] {
		name, body, found := strings.Cut(file, " --\n")
		if !found {
			t.Fatalf("testdata/amazon.txtar: %q has no end", name)
		}
		files[name] = []byte(body + "\n")
	}
	return files
}

// realVerifier trusts Amazon's root and finds the certificates of files where Amazon has them. It tells the time of a
// delivery, since certificates end.
func realVerifier(t *testing.T, files map[string][]byte, now time.Time, asked *[]string) *Verifier {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(files["root"]) {
		t.Fatal("there is no root")
	}
	return NewVerifier(Config{Roots: roots, Now: func() time.Time { return now }, Fetch: func(_ context.Context, url string) ([]byte, error) {
		*asked = append(*asked, url)
		body := files[url]
		if body == nil {
			return nil, fmt.Errorf("%s is not there", url)
		}
		if block, _ := pem.Decode(body); block != nil && strings.HasPrefix(url, "http://crt.") {
			body = block.Bytes // as Amazon serves them
		}
		return body, nil
	}})
}

func TestWhatAmazonHasSignedIsVerified(t *testing.T) {
	files := signedByAmazon(t)
	for _, name := range []string{"subscription-v1", "unsubscribe-v2", "subject-v1", "no-subject-v1", "no-subject-v2", "2022-v1", "2022-v2"} {
		t.Run(name, func(t *testing.T) {
			body := files[name+".json"]
			var fields map[string]string
			if err := json.Unmarshal(body, &fields); err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, fields["Timestamp"])
			if err != nil {
				t.Fatal(err)
			}
			var asked []string
			if err := realVerifier(t, files, at, &asked).Verify(t.Context(), body, at); err != nil {
				t.Errorf("refused: %v", err)
			}
			if len(asked) != 2 || asked[0] != fields["SigningCertURL"] || !strings.HasPrefix(asked[1], "http://crt.") {
				t.Errorf("it asked %v, want the certificate and the one above it", asked)
			}
			// No signed field can be another one.
			for field, value := range fields {
				switch field {
				case "Signature", "SigningCertURL", "SignatureVersion", "Type":
					continue
				case "Timestamp":
					value = strings.Replace(value, "Z", "1Z", 1)
				case "SubscribeURL":
					value += "&x"
				default:
					value += "x"
				}
				if got := verifyChanged(t, files, fields, field, value, at); got == nil || got.Status != 403 {
					t.Errorf("with another %s: got %v, want it refused", field, got)
				}
			}
			if got := verifyChanged(t, files, fields, "SignatureVersion", map[string]string{"1": "2", "2": "1"}[fields["SignatureVersion"]], at); got == nil {
				t.Error("it passes by the other version's hash")
			}
			if fields["Type"] == notification && fields["Subject"] == "" {
				if got := verifyChanged(t, files, fields, "Subject", "added", at); got == nil {
					t.Error("it passes with a subject that nobody signed")
				}
			}
			// A certificate that has ended, or that nobody above vouches for, is none.
			var none []string
			if err := realVerifier(t, files, at.AddDate(2, 0, 0), &none).Verify(t.Context(), body, at); err == nil {
				t.Error("it passes by a certificate that has ended")
			}
			strange := NewVerifier(Config{Roots: x509.NewCertPool(), Now: func() time.Time { return at }, Fetch: realVerifier(t, files, at, &none).config.Fetch})
			if err := strange.Verify(t.Context(), body, at); err == nil {
				t.Error("it passes by a root that is not trusted")
			}
		})
	}
}

// verifyChanged returns why a delivery with one other field is refused, nil if it is not.
func verifyChanged(t *testing.T, files map[string][]byte, fields map[string]string, field, value string, at time.Time) *receive.Problem {
	t.Helper()
	changed := maps.Clone(fields)
	changed[field] = value
	var asked []string
	problem, _ := errors.AsType[*receive.Problem](realVerifier(t, files, at, &asked).Verify(t.Context(), []byte(encode(t, changed)), at))
	return problem
}

func TestHostsAndNamesOfSNS(t *testing.T) {
	for host, want := range map[string]bool{
		"sns.us-east-1.amazonaws.com": true, "sns.us-gov-west-1.amazonaws.com": true, "sns.cn-north-1.amazonaws.com.cn": true,
		"sns.cn-northwest-1.amazonaws.com.cn": true, "sns.ap-southeast-7.amazonaws.com": true, "sns.eusc-de-east-1.amazonaws.eu": true,
		"sns.amazonaws.com": false, "sns.s3-us-west-2.amazonaws.com": false, "sns.s3.amazonaws.com": false, "sns.s3-website-us-east-1.amazonaws.com": false,
		"sns.us-east-1.amazonaws.com.evil.example": false, "sns.us-east-1.amazonaws.com:443": false, "snsxus-east-1.amazonaws.com": false,
		"sns.us-east-1.amazonaws.com.cn.evil.example": false, "SNS.us-east-1.amazonaws.com": false, "a.sns.us-east-1.amazonaws.com": false,
	} {
		if got := hostPattern.MatchString(host); got != want {
			t.Errorf("host %s: got %t, want %t", host, got, want)
		}
	}
	// The names that Amazon's SDKs expect in the certificate of a region.
	for name, want := range map[string]bool{
		"sns.amazonaws.com": true, "sns-signing.af-south-1.amazonaws.com": true, "sns-us-gov-west-1.amazonaws.com": true, "sns-cn-north-1.amazonaws.com.cn": true,
		"sns-signing.eusc-de-east-1.amazonaws.eu": true, "sns-evil.s3.amazonaws.com": false, "sns.s3-us-west-2.amazonaws.com": false, "snsx.amazonaws.com": false,
		"sns.amazonaws.com.evil.example": false, "evil.sns.amazonaws.com": false,
	} {
		if got := namePattern.MatchString(name); got != want {
			t.Errorf("certificate for %s: got %t, want %t", name, got, want)
		}
	}
}
