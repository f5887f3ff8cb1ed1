"""Compilation of the UNet in a process of its own, and the use of what it has compiled."""
