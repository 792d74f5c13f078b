package app

import (
	"testing"

	"github.com/fairlead/fairlead/base/integration"
)

func TestTheSigningKeyIsHandedOutForEveryKindThatCanSign(t *testing.T) {
	signs := map[string]bool{}
	for _, h := range hooks(nil, pagers{}) {
		signs[h.protocol.Kind] = signs[h.protocol.Kind] || h.protocol.Signature != nil
	}
	for kind, want := range signs {
		if got := integration.Signs(kind); got != want {
			t.Errorf("integration.Signs(%q) is %t, and the protocol says %t", kind, got, want)
		}
	}
}
