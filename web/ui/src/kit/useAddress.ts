/** Where senders reach this Fairlead, as host:port. */
export const hostAndPort = (): string => window.location.host;

/** The lines that make a Prometheus send its alerts here. */
export const prometheusLines = (target: string): string => `alerting:
  alertmanagers:
    - static_configs: [{ targets: ["${target}"] }]`;
