"""Checks of the machine, the account and the models before a deployment."""
