"""JSON logs and CloudWatch metrics."""
