"""One request a feature, sent to a running API, and what came of each on one sheet."""
