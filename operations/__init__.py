"""Commands for operators: checks before a deployment, and its cost."""
