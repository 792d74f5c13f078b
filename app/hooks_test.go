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

func TestAMapperIsOfferedForEveryKindThatAsksIt(t *testing.T) {
	own := map[string]bool{"json": true, "cloudevents": true, "sns": true} // they read by the mapper themselves
	maps := map[string]bool{}
	for _, h := range hooks(nil, pagers{}) {
		maps[h.protocol.Kind] = maps[h.protocol.Kind] || h.protocol.Mapped || own[h.protocol.Kind]
	}
	for kind, want := range maps {
		if got := integration.Maps(kind); got != want {
			t.Errorf("integration.Maps(%q) is %t, and the protocol says %t", kind, got, want)
		}
	}
}
