package cloudwatch

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// alarm is CloudWatch's own message.
type alarm struct {
	Name        string  `json:"AlarmName"`
	ARN         string  `json:"AlarmArn"`
	Description string  `json:"AlarmDescription"`
	Account     string  `json:"AWSAccountId"`
	Region      string  `json:"Region"`
	State       string  `json:"NewStateValue"`
	OldState    string  `json:"OldStateValue"`
	Reason      string  `json:"NewStateReason"`
	ChangedAt   string  `json:"StateChangeTime"`
	Rule        string  `json:"AlarmRule"`
	Trigger     trigger `json:"Trigger"`

	region string // eu-central-1, where Region is for people
}

// trigger is what an alarm watches.
type trigger struct {
	Namespace  string      `json:"Namespace"`
	Metric     string      `json:"MetricName"`
	Dimensions []dimension `json:"Dimensions"`
	Statistic  string      `json:"Statistic"`
	Comparison string      `json:"ComparisonOperator"`
	Threshold  float64     `json:"Threshold"`
	Metrics    []struct {
		Stat struct {
			Metric struct {
				Namespace  string      `json:"Namespace"`
				Name       string      `json:"MetricName"`
				Dimensions []dimension `json:"Dimensions"`
			} `json:"Metric"`
		} `json:"MetricStat"`
	} `json:"Metrics"`
}

// dimension is a name and value; encoding/json takes the names in any case, and CloudWatch has used both.
type dimension struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// bridged is EventBridge's event of an alarm.
type bridged struct {
	Account   string   `json:"account"`
	Time      string   `json:"time"`
	Region    string   `json:"region"`
	Resources []string `json:"resources"`
	Detail    struct {
		Name  string `json:"alarmName"`
		State struct {
			Value     string `json:"value"`
			Reason    string `json:"reason"`
			Timestamp string `json:"timestamp"`
		} `json:"state"`
		Previous struct {
			Value string `json:"value"`
		} `json:"previousState"`
		Configuration struct {
			Description string `json:"description"`
			Rule        string `json:"alarmRule"`
			Metrics     []struct {
				Stat struct {
					Metric struct {
						Namespace  string            `json:"namespace"`
						Name       string            `json:"name"`
						Dimensions map[string]string `json:"dimensions"`
					} `json:"metric"`
				} `json:"metricStat"`
			} `json:"metrics"`
		} `json:"configuration"`
	} `json:"detail"`
}

// alarm returns what the event says as CloudWatch's own message would.
func (b *bridged) alarm() *alarm {
	a := &alarm{
		Name: b.Detail.Name, Account: b.Account, region: b.Region, State: b.Detail.State.Value, OldState: b.Detail.Previous.Value,
		Reason: b.Detail.State.Reason, ChangedAt: cmp.Or(b.Detail.State.Timestamp, b.Time),
		Description: b.Detail.Configuration.Description, Rule: b.Detail.Configuration.Rule,
	}
	for _, arn := range b.Resources {
		if strings.Contains(arn, ":alarm:") {
			a.ARN = arn
		}
	}
	for _, m := range b.Detail.Configuration.Metrics {
		if m.Stat.Metric.Name == "" {
			continue
		}
		a.Trigger.Namespace, a.Trigger.Metric = m.Stat.Metric.Namespace, m.Stat.Metric.Name
		for name, value := range m.Stat.Metric.Dimensions {
			a.Trigger.Dimensions = append(a.Trigger.Dimensions, dimension{name, value})
		}
		break
	}
	return a
}

// places are the labels that dimensions are known by elsewhere.
var places = map[string]string{
	"InstanceId": "instance", "DBInstanceIdentifier": "database", "DBClusterIdentifier": "database", "TableName": "database", "QueueName": "queue",
	"TopicName": "topic", "FunctionName": "service", "ServiceName": "service", "ApiName": "service", "ClusterName": "cluster", "PodName": "pod",
	"Namespace": "namespace", "AvailabilityZone": "zone", "Host": "host", "host": "host", "Service": "service", "Environment": "environment",
}

// alerts returns what an alarm says.
func (a *alarm) alerts(now time.Time) ([]signal.Alert, error) {
	if a.Name == "" {
		return nil, invalid("Message.AlarmName", "", "it is missing; send what CloudWatch sends")
	}
	var notes []string
	at, err := timeOf(a.ChangedAt)
	if err != nil {
		at, notes = now, append(notes, "StateChangeTime is no time; the time of receipt was taken.")
	}
	a.place()
	alert := signal.Alert{Identity: cmp.Or(a.ARN, "alarm:"+a.region+":"+a.Account+":"+a.Name), Keyed: true, StartsAt: at, Notes: notes}
	switch a.State {
	case "OK":
		alert.Act, alert.EndsAt, alert.Text = signal.End, at, a.Reason
		return []signal.Alert{alert}, nil
	case "ALARM", "INSUFFICIENT_DATA":
	default:
		return nil, invalid("Message.NewStateValue", a.State, "send ALARM, OK or INSUFFICIENT_DATA")
	}
	labels := map[string]string{"severity": "critical"} // an alarm has no grade of its own
	if a.State != "ALARM" {
		labels["severity"] = "warning"
	}
	for _, d := range a.Trigger.Dimensions {
		labels[d.Name] = d.Value
		if place := places[d.Name]; place != "" && labels[place] == "" {
			labels[place] = d.Value
		}
	}
	labels["alertname"], labels["region"], labels["account"] = a.Name, a.region, a.Account
	labels["aws_namespace"], labels["metric"] = a.Trigger.Namespace, a.Trigger.Metric
	alert.Labels = signal.NewLabels(labels)
	annotations := map[string]string{
		"summary": cmp.Or(a.Reason, a.Name+" is in "+a.State+"."), "description": a.Description, "state": a.State, "old_state": a.OldState, "rule": a.Rule,
	}
	if a.Trigger.Comparison != "" {
		annotations["condition"] = fmt.Sprintf("%s %s %s %g", a.Trigger.Statistic, a.Trigger.Metric, a.Trigger.Comparison, a.Trigger.Threshold)
	}
	alert.Annotations = signal.NewLabels(annotations)
	alert.GeneratorURL = a.console()
	return []signal.Alert{alert}, nil
}

// place fills in what stands elsewhere in the message.
func (a *alarm) place() {
	if parts := strings.Split(a.ARN, ":"); len(parts) > 4 { // arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME
		a.region, a.Account = cmp.Or(a.region, parts[3]), cmp.Or(a.Account, parts[4])
	}
	a.region = cmp.Or(a.region, a.Region)
	for _, m := range a.Trigger.Metrics {
		if metric := m.Stat.Metric; a.Trigger.Metric == "" && metric.Name != "" {
			a.Trigger.Namespace, a.Trigger.Metric, a.Trigger.Dimensions = metric.Namespace, metric.Name, metric.Dimensions
		}
	}
}

// console links to the alarm in Amazon's console.
func (a *alarm) console() string {
	host := "console.aws.amazon.com"
	if strings.HasPrefix(a.ARN, "arn:aws-cn:") {
		host = "console.amazonaws.cn"
	}
	return "https://" + host + "/cloudwatch/home?region=" + url.QueryEscape(a.region) + "#alarmsV2:alarm/" + url.PathEscape(a.Name)
}

func timeOf(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05.999-0700", time.RFC3339Nano} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}
