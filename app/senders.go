package app

import (
	"github.com/fairlead/fairlead/receive/alertmanager"
	"github.com/fairlead/fairlead/receive/datadog"
	"github.com/fairlead/fairlead/receive/grafana"
	"github.com/fairlead/fairlead/receive/k8sevents"
	"github.com/fairlead/fairlead/receive/mapped"
	"github.com/fairlead/fairlead/receive/nagios"
	"github.com/fairlead/fairlead/receive/zabbix"
)

// senders are the protocols of monitoring tools whose address names the integration.
func senders(recorder alertmanager.Recorder) []hook {
	return []hook{
		{"POST /in/alertmanager/{integration}", alertmanager.Webhook(), "/in/alertmanager/{integration}"},
		{"POST /in/am-events/{integration}", alertmanager.EventRecorder(recorder), "/in/am-events/{integration}"},
		{"POST /in/grafana/{integration}", grafana.Webhook(), "/in/grafana/{integration}"},
		{"PUT /in/grafana/{integration}", grafana.Webhook(), "/in/grafana/{integration}"},
		{"POST /in/datadog/{integration}", datadog.Webhook(), "/in/datadog/{integration}"},
		{"POST /in/zabbix/{integration}", zabbix.Webhook(), "/in/zabbix/{integration}"},
		{"POST /in/nagios/{integration}", nagios.Notification(), "/in/nagios/{integration}"},
		{"POST /in/k8s-events/{integration}", k8sevents.Events(), "/in/k8s-events/{integration}"},
		{"POST /in/k8s-events", k8sevents.Events(), "/in/k8s-events"},
		{"POST /in/json/{integration}", mapped.JSON(), "/in/json/{integration}"},
	}
}
