package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// sender posts alerts as Prometheus does.
type sender struct {
	client *http.Client
	url    string
	token  string
}

func newSender(config Config) *sender {
	return &sender{
		client: config.Client,
		url:    strings.TrimRight(config.URL, "/") + "/api/v2/alerts",
		token:  config.Token,
	}
}

func (s *sender) post(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "fairlead-practice-shop")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return fmt.Errorf("post alerts: %w", err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10)) // only for the message below
	_, _ = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("post alerts: server answered %d: %s", answer.StatusCode, strings.TrimSpace(string(text)))
	}
	return nil
}
