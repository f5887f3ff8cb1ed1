"""The monthly cost of a stage, idle and under load."""
