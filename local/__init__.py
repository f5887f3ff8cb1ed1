"""The whole kit on one machine: the same templates, an emulated cloud, the real container."""
