"""The CDK application: what is deployed, and how it fits together."""
