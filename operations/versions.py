"""The versions of what is installed beside Python's packages: the one place that the doctor reads."""

PYTHON = (3, 11)
"""The oldest Python, as pyproject.toml's requires-python says."""

NODE = 20
"""The oldest major version of Node."""

CDK_CLI = "2.1148.1"
"""The AWS CDK's command line, run as `npx aws-cdk@VERSION`; the library writes for this one or newer."""

BOOTSTRAP = 6
"""The oldest bootstrap stack that will do: requiresBootstrapStackVersion in cdk.out/manifest.json."""

BOOTSTRAP_QUALIFIER = "hnb659fds"
"""What the names of the bootstrap stack's roles, bucket and parameter contain."""
