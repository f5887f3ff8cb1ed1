"""The CDK application: the stacks of a stage and their configuration."""
