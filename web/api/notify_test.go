package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/store"
)

// putDelivery stores a delivery as ops/notify does.
func (s *server) putDelivery(number int, state, reason string, alert int) {
	s.t.Helper()
	err := s.db.Write(s.t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := store.Exec(ctx, tx, `INSERT INTO deliveries (number, key, at, grp, sequence, receiver, integration, incident, why, alerts, state, attempts, reason, tried_at, next_at, body)
			VALUES (?, ?, ?, 'g', ?, 'ops', 'webhook[0]', 1, 'first', 1, ?, 1, ?, 0, 0, '{"alerts":[]}')`,
			number, fmt.Sprint("key", number), store.Millis(s.now.Now()), number, state, reason)
		if err != nil {
			return err
		}
		_, err = store.Exec(ctx, tx, "INSERT INTO delivery_alerts (alert, delivery) VALUES (?, ?)", alert, number)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestDeliveriesAreListedAndStandInDecisions(t *testing.T) {
	s := newServer(t)
	s.storm("cart")
	s.putDelivery(1, "sent", "", 1)
	s.putDelivery(2, "failed", "Unexpected status code 400.", 1)
	s.putDelivery(3, "muted", "It is muted by the time interval nights.", 2)

	var page DeliveryPage
	s.do(http.MethodGet, "/deliveries?limit=2", "", http.StatusOK, &page)
	if len(page.Items) != 2 || page.Items[0].ID != "N3" || page.Next == "" {
		t.Fatalf("the first page is %+v", page)
	}
	s.do(http.MethodGet, "/deliveries?limit=2&cursor="+page.Next, "", http.StatusOK, &page)
	if len(page.Items) != 1 || page.Items[0].ID != "N1" || page.Next != "" || page.Items[0].Incident != "INC-1" {
		t.Errorf("the second page is %+v", page)
	}
	for query, want := range map[string]int{"state=failed": 1, "receiver=ops": 3, "receiver=nobody": 0, "incident=INC-1": 3, "incident=INC-9": 0} {
		s.do(http.MethodGet, "/deliveries?"+query, "", http.StatusOK, &page)
		if len(page.Items) != want {
			t.Errorf("%s lists %d, want %d", query, len(page.Items), want)
		}
	}
	for query, field := range map[string]string{"incident=12": "query.incident", "cursor=x": "query.cursor", "state=lost": "query.state"} {
		if body := s.do(http.MethodGet, "/deliveries?"+query, "", http.StatusUnprocessableEntity, nil); !strings.Contains(body, field) {
			t.Errorf("%s answers %s, want it to name %s", query, body, field)
		}
	}

	var d Decision
	s.do(http.MethodGet, "/alerts/A1/decisions", "", http.StatusOK, &d)
	var text strings.Builder
	for _, line := range d.Lines {
		if line.Stage == "notify" {
			text.WriteString(line.Outcome + ": " + line.Reason + "\n")
		}
	}
	if got, want := text.String(), "told: Told ops by webhook[0] (N1).\nfailed: ops was not told by webhook[0] (N2). Unexpected status code 400.\n"; got != want {
		t.Errorf("the decisions say %q, want %q", got, want)
	}
}
