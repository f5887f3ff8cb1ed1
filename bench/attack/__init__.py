"""Attacks on a local stack: hostile images, files, hosts and request bodies, cancellations and kills."""
