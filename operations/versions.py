"""Required versions of tools that are not Python packages."""

PYTHON = (3, 11)
"""The oldest supported Python; equals requires-python in pyproject.toml."""

NODE = 20
"""The oldest supported major version of Node."""

CDK_CLI = "2.1148.1"
"""The AWS CDK's CLI, run as `npx aws-cdk@VERSION`. It must be able to read what the CDK library writes."""

BOOTSTRAP = 6
"""The oldest supported bootstrap stack: requiresBootstrapStackVersion in cdk.out/manifest.json."""

BOOTSTRAP_QUALIFIER = "hnb659fds"
"""A part of the names of the bootstrap stack's roles, bucket and parameter."""
