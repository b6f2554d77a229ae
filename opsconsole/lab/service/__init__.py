"""The lab's billing service: a small RSOLV platform with its metrics, its API and its webhooks."""
