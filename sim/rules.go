package sim

// rule is one alerting rule: value of metric against a limit, for some time.
type rule struct {
	name, group, severity string
	metric                metric
	// limit is in units of the series' scale; below turns the comparison round.
	limit float64
	below bool
	// hold is how many shop seconds the condition must last.
	hold float64
	// summary names labels as $pod and the value as $value.
	summary, expr string
	// restless rules are those that ordinary noise trips for a moment.
	restless bool
}

// rules returns the rules of the shop's teams, grouped as in their Prometheus.
func rules() []rule {
	all := append(podRules(), callRules()...)
	all = append(all, serviceRules()...)
	all = append(all, platformRules()...)
	return append(all, standingRules()...)
}

func podRules() []rule {
	return []rule{
		{
			name: "PodErrorRateHigh", group: "http.pod", severity: "warning", metric: podErrors, limit: .05, hold: 30, restless: true,
			summary: "$pod of $service answers $value of requests with an error", expr: `pod:http_errors:ratio_rate1m > 0.05`,
		},
		{
			name: "HTTP5xxRateHigh", group: "http.pod", severity: "warning", metric: podStatus, limit: .04, hold: 15, restless: true,
			summary: "$pod answers $value of requests with $code", expr: `pod_code:http_responses:ratio_rate1m{code=~"5.."} > 0.04`,
		},
		{
			name: "ErrorLogsSpike", group: "logs", severity: "warning", metric: podLogs, limit: .06, hold: 15, restless: true,
			summary: "$pod writes $value error lines per request", expr: `rate(log_messages_total{level="error"}[1m]) / rate(http_requests_total[1m]) > 0.06`,
		},
		{
			name: "PodLatencyP99High", group: "http.pod", severity: "warning", metric: podLatency, limit: 3, hold: 45, restless: true,
			summary: "99th percentile of $pod is $value s", expr: `pod:http_latency:p99 > 3 * on(service) group_left slo:latency`,
		},
		{
			name: "WorkerThreadsSaturated", group: "http.pod", severity: "warning", metric: podThreads, limit: .85, hold: 30, restless: true,
			summary: "worker threads of $pod are used up ($value)", expr: `http_threads_busy / http_threads_max > 0.85`,
		},
		{
			name: "ConnectionPoolExhausted", group: "http.pod", severity: "critical", metric: podPool, limit: .95, hold: 30,
			summary: "$pod has no free connection to $pool", expr: `pool_connections_active / pool_connections_max > 0.95`,
		},
		{
			name: "GCPausesHigh", group: "http.pod", severity: "info", metric: podCollecting, limit: .12, hold: 15, restless: true,
			summary: "$pod spends $value of its time collecting garbage", expr: `rate(jvm_gc_pause_seconds_sum[1m]) > 0.12`,
		},
		{
			name: "TargetDown", group: "general", severity: "warning", metric: podDown, limit: .5, hold: 15,
			summary: "$instance of job $job cannot be scraped", expr: `up == 0`,
		},
		{
			name: "CPUThrottlingHigh", group: "kubernetes", severity: "info", metric: podThrottled, limit: .15, hold: 45, restless: true,
			summary: "$container in $pod is throttled $value of the time", expr: `container:cpu_throttled:ratio5m > 0.15`,
		},
		{
			name: "ContainerMemoryNearLimit", group: "kubernetes", severity: "warning", metric: podMemory, limit: .85, hold: 15, restless: true,
			summary: "$container in $pod uses $value of its memory limit", expr: `container_memory_working_set_bytes / limit > 0.85`,
		},
		{
			name: "KubePodCrashLooping", group: "kubernetes", severity: "warning", metric: podRestarts, limit: 1.5, hold: 0,
			summary: "$pod restarted $value times in 5 minutes", expr: `increase(kube_pod_container_status_restarts_total[5m]) > 1`,
		},
		{
			name: "KubePodNotReady", group: "kubernetes", severity: "warning", metric: podUnready, limit: .5, hold: 30, restless: true,
			summary: "$pod is not ready", expr: `kube_pod_status_ready{condition="true"} == 0`,
		},
	}
}

func callRules() []rule {
	return []rule{
		{
			name: "UpstreamErrorsHigh", group: "http.calls", severity: "warning", metric: callErrors, limit: .15, hold: 30, restless: true,
			summary: "$value of the calls of $pod to $upstream fail", expr: `pod_upstream:errors:ratio_rate1m > 0.15`,
		},
		{
			name: "UpstreamTimeouts", group: "http.calls", severity: "warning", metric: callTimeouts, limit: .1, hold: 15, restless: true,
			summary: "$value of the calls of $pod to $upstream time out", expr: `pod_upstream:timeouts:ratio_rate1m > 0.1`,
		},
		{
			name: "CircuitBreakerOpen", group: "http.calls", severity: "warning", metric: callBreaker, limit: .5, hold: 0,
			summary: "$pod stopped calling $upstream", expr: `circuit_breaker_state{state="open"} == 1`,
		},
		{
			name: "DependencyDegraded", group: "http.calls", severity: "error", metric: edgeErrors, limit: .1, hold: 30,
			summary: "$service sees $value of its calls to $upstream fail", expr: `service_upstream:errors:ratio_rate1m > 0.1`,
		},
	}
}

func serviceRules() []rule {
	return []rule{
		{
			name: "HighErrorRate", group: "http.service", severity: "critical", metric: serviceErrors, limit: .05, hold: 45,
			summary: "$service answers $value of requests with an error", expr: `service:http_errors:ratio_rate1m > 0.05`,
		},
		{
			name: "HighLatencyP99", group: "http.service", severity: "error", metric: serviceLatency, limit: 3, hold: 45,
			summary: "99th percentile of $service is $value s", expr: `service:http_latency:p99 > 3 * slo:latency`,
		},
		{
			name: "EndpointErrorRateHigh", group: "http.service", severity: "warning", metric: routeErrors, limit: .05, hold: 30,
			summary: "$service $route answers $value of requests with an error", expr: `route:http_errors:ratio_rate1m > 0.05`,
		},
		{
			name: "EndpointSlow", group: "http.service", severity: "warning", metric: routeLatency, limit: 3, hold: 45,
			summary: "99th percentile of $service $route is $value s", expr: `route:http_latency:p99 > 3 * slo:latency`,
		},
		{
			name: "RequestRateDropped", group: "http.service", severity: "warning", metric: serviceTraffic, limit: .6, below: true, hold: 45,
			summary: "$service gets $value of its usual requests", expr: `service:http_requests:rate1m < 0.6 * service:http_requests:rate1m offset 1w`,
		},
		{
			name: "RetryStorm", group: "http.service", severity: "warning", metric: serviceRetries, limit: .35, hold: 30,
			summary: "$service gets $value more requests than usual, mostly retries", expr: `service:http_retries:ratio_rate1m > 0.35`,
		},
		{
			name: "SLOErrorBudgetBurn", group: "slo", severity: "critical", metric: serviceBurn, limit: .0144, hold: 30,
			summary: "$service burns its error budget of 30 days in less than two", expr: `slo:burn_rate5m > 14.4`,
		},
		{
			name: "SLOErrorBudgetBurnSlow", group: "slo", severity: "warning", metric: serviceSlowBurn, limit: .006, hold: 60,
			summary: "$service burns its error budget six times too fast", expr: `slo:burn_rate1h > 6`,
		},
		{
			name: "OrdersPerMinuteLow", group: "business", severity: "critical", metric: shopOrders, limit: .7, below: true, hold: 45,
			summary: "orders are at $value of the usual", expr: `shop:orders:rate5m < 0.7 * shop:orders:rate5m offset 1w`,
		},
		{
			name: "PaymentsFailing", group: "business", severity: "critical", metric: shopPayments, limit: .8, below: true, hold: 45,
			summary: "$value of payments succeed", expr: `shop:payments:success_ratio < 0.8`,
		},
	}
}

func platformRules() []rule {
	return []rule{
		{
			name: "KubeDeploymentReplicasMismatch", group: "kubernetes", severity: "warning", metric: serviceMissing, limit: .5, hold: 45,
			summary: "$deployment misses $value replicas", expr: `kube_deployment_spec_replicas != kube_deployment_status_replicas_available`,
		},
		{
			name: "ConsumerLag", group: "kafka", severity: "warning", metric: consumerLag, limit: 40, hold: 30,
			summary: "$consumergroup is $value s behind on $topic/$partition", expr: `kafka_consumergroup_lag_seconds > 40`,
		},
		{
			name: "BrokerProduceErrors", group: "kafka", severity: "critical", metric: brokerErrors, limit: .05, hold: 15,
			summary: "$value of produce requests fail", expr: `kafka:produce_errors:ratio_rate1m > 0.05`,
		},
		{
			name: "ConnectionsNearLimit", group: "stores", severity: "critical", metric: storeConnections, limit: .85, hold: 15,
			summary: "$service has $value of its connections in use", expr: `connections / max_connections > 0.85`,
		},
		{
			name: "QueriesSlow", group: "stores", severity: "warning", metric: storeLatency, limit: 3, hold: 30,
			summary: "99th percentile of $service is $value s", expr: `store:latency:p99 > 3 * slo:latency`,
		},
		{
			name: "NodeCPUHigh", group: "node", severity: "warning", metric: nodeCPU, limit: .85, hold: 45, restless: true,
			summary: "$node is at $value of its processors", expr: `instance:node_cpu:ratio > 0.85`,
		},
		{
			name: "NodeDiskIOSaturation", group: "node", severity: "warning", metric: nodeDisk, limit: .9, hold: 15, restless: true,
			summary: "disks of $node are busy", expr: `rate(node_disk_io_time_seconds_total[1m]) > 0.9`,
		},
		{
			name: "ProbeFailed", group: "blackbox", severity: "critical", metric: probeFailed, limit: .3, hold: 30,
			summary: "$instance cannot be reached", expr: `avg_over_time(probe_success[1m]) < 0.7`,
		},
		{
			name: "ProbeSlow", group: "blackbox", severity: "warning", metric: probeSlow, limit: 2, hold: 15, restless: true,
			summary: "$instance takes $value s", expr: `probe_duration_seconds > 2`,
		},
	}
}

// standingRules look at what has nothing to do with the shop's work.
func standingRules() []rule {
	return []rule{
		{name: "Watchdog", group: "general", severity: "none", metric: standing, limit: .5, summary: "alerting works", expr: `vector(1)`},
		{
			name: "CertificateExpiresSoon", group: "blackbox", severity: "warning", metric: standing, limit: .5,
			summary: "certificate of $instance expires in less than 14 days", expr: `probe_ssl_earliest_cert_expiry - time() < 14 * 86400`,
		},
		{
			name: "NodeFilesystemFillingUp", group: "node", severity: "warning", metric: standing, limit: .5,
			summary: "$mountpoint of $node is full within 4 days", expr: `predict_linear(node_filesystem_avail_bytes[6h], 4 * 86400) < 0`,
		},
		{
			name: "KubeJobFailed", group: "kubernetes", severity: "warning", metric: standing, limit: .5,
			summary: "job $job_name failed", expr: `kube_job_failed > 0`,
		},
		{
			name: "BackupTooOld", group: "stores", severity: "warning", metric: standing, limit: .5,
			summary: "last backup of $datname is older than 26 hours", expr: `time() - backup_last_success > 26 * 3600`,
		},
		{
			name: "PersistentVolumeFillingUp", group: "kubernetes", severity: "warning", metric: standing, limit: .5,
			summary: "$persistentvolumeclaim has less than 15 % left", expr: `kubelet_volume_stats_available_bytes / capacity < 0.15`,
		},
		{
			name: "NodeClockSkew", group: "node", severity: "warning", metric: standing, limit: .5,
			summary: "clock of $node is off by more than 50 ms", expr: `abs(node_timex_offset_seconds) > 0.05`,
		},
		{
			name: "KubeVersionMismatch", group: "kubernetes", severity: "info", metric: standing, limit: .5,
			summary: "nodes run different versions of Kubernetes", expr: `count(kubernetes_build_info) > 1`,
		},
		{
			name: "ReplicaLagHigh", group: "stores", severity: "warning", metric: flapping, limit: .5,
			summary: "$pod is behind its primary", expr: `replication_lag_seconds > 5`,
		},
		{
			name: "UnderReplicatedPartitions", group: "kafka", severity: "warning", metric: flapping, limit: .5,
			summary: "$pod has under-replicated partitions", expr: `kafka_server_under_replicated_partitions > 0`,
		},
		{
			name: "PartnerAPISlow", group: "blackbox", severity: "warning", metric: flapping, limit: .5,
			summary: "$instance answers slowly", expr: `probe_duration_seconds{job="partners"} > 1`,
		},
		{
			name: "NodeNetworkErrors", group: "node", severity: "warning", metric: flapping, limit: .5,
			summary: "$device of $node drops packets", expr: `rate(node_network_receive_errs_total[1m]) > 0`,
		},
	}
}
