# The tools that are built through the Go module proxy, one a line: command, package, version. Read by setup.sh.
# amtool is the Alertmanager client of the version whose API we speak; Debian's is older.
# shellcheck shell=bash disable=SC2034
go_tools='golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint v2.15.0
amtool github.com/prometheus/alertmanager/cmd/amtool v0.34.0
nats-server github.com/nats-io/nats-server/v2 v2.15.2'
alertmanager_version=v0.34.0
