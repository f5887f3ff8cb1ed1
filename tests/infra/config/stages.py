"""Settings of small stages."""

MODEL = {"name": "demo", "instance_types": ["ml.g4dn.xlarge"]}
HUB = {"type": "huggingface", "id": "a/b", "revision": "0" * 40}
