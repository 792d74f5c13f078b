package mlflow

import (
	"context"
	"errors"

	"github.com/fairlead/fairlead/ml/model/webhook"
)

type webhookAnswer struct {
	ID          string          `json:"webhook_id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	URL         string          `json:"url"`
	Events      []webhook.Event `json:"events"`
	Status      string          `json:"status"`
	CreatedAt   int64           `json:"creation_timestamp"`
	UpdatedAt   int64           `json:"last_updated_timestamp"`
}

func answerWebhook(w webhook.Webhook) webhookAnswer {
	return webhookAnswer{w.ID, w.Name, w.Description, w.URL, w.Events, w.Status, w.CreatedAt, w.UpdatedAt}
}

type oneWebhook struct {
	Webhook webhookAnswer `json:"webhook"`
}

func (o *object) event() webhook.Event {
	return webhook.Event{Entity: o.text("entity"), Action: o.text("action")}
}

func (o *object) webhook() webhook.Edit {
	optional := func(name string) *string {
		if !o.has(name) {
			return nil
		}
		text := o.text(name)
		return &text
	}
	e := webhook.Edit{Name: optional("name"), Description: optional("description"), URL: optional("url"), Secret: optional("secret")}
	if o.has("events") {
		e.Events = []webhook.Event{}
		for _, event := range o.objects("events") {
			e.Events = append(e.Events, event.event())
		}
	}
	states := []string{webhook.Active, webhook.Disabled}
	if i := o.choice("status", 1, states...); i >= 0 {
		e.Status = &states[i]
	}
	return e
}

func (f *Face) createWebhook(ctx context.Context, in *object) (any, error) {
	edit := in.webhook()
	if err := in.err(); err != nil {
		return nil, err
	}
	w, err := f.Webhooks.Create(ctx, edit)
	return oneWebhook{answerWebhook(w)}, err
}

func (f *Face) listWebhooks(ctx context.Context, in *object) (any, error) {
	const most = 1000
	n, token := int(in.whole("max_results", 0)), in.text("page_token")
	if n < 0 || n > most {
		in.fail("max_results: %d is not between 1 and %d", n, most)
	}
	if n == 0 {
		n = 100
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	list, next, err := f.Webhooks.List(ctx, n, token)
	answer := struct {
		Webhooks []webhookAnswer `json:"webhooks,omitempty"`
		Next     string          `json:"next_page_token,omitempty"`
	}{Next: next}
	for _, w := range list {
		answer.Webhooks = append(answer.Webhooks, answerWebhook(w))
	}
	return answer, err
}

func (f *Face) getWebhook(ctx context.Context, in *object) (any, error) {
	w, err := f.Webhooks.Webhook(ctx, in.path("webhook_id"))
	return oneWebhook{answerWebhook(w)}, err
}

func (f *Face) updateWebhook(ctx context.Context, in *object) (any, error) {
	edit := in.webhook()
	if err := in.err(); err != nil {
		return nil, err
	}
	w, err := f.Webhooks.Update(ctx, in.path("webhook_id"), edit)
	return oneWebhook{answerWebhook(w)}, err
}

func (f *Face) deleteWebhook(ctx context.Context, in *object) (any, error) {
	return nil, f.Webhooks.Delete(ctx, in.path("webhook_id"))
}

func (f *Face) testWebhook(ctx context.Context, in *object) (any, error) {
	var event *webhook.Event
	if in.has("event") {
		e := in.object("event").event()
		event = &e
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	type result struct {
		Success bool   `json:"success"`
		Status  int    `json:"response_status,omitempty"`
		Body    string `json:"response_body,omitempty"`
		Error   string `json:"error_message,omitempty"`
	}
	type answer struct {
		Result result `json:"result"`
	}
	got, err := f.Webhooks.Test(ctx, in.path("webhook_id"), event)
	if failed, ok := errors.AsType[*webhook.DeliveryError](err); ok {
		return answer{result{Error: failed.Error()}}, nil
	}
	return answer{result{Success: got.Status >= 200 && got.Status < 300, Status: got.Status, Body: got.Body}}, err
}
