"""Checks before a deployment. Each reports a result and, for a problem, a remedy."""
