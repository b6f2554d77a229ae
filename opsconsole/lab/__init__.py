"""A whole monitored system on loopback: real Prometheus and Alertmanager, a billing service, an inbox."""
