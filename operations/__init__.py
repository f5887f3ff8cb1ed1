"""Commands for operators: checks before a deployment, and cost estimates."""
