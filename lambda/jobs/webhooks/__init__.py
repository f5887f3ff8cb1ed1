"""Webhooks: signed calls to the addresses that submissions name, for the events of their jobs."""
