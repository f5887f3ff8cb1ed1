"""Wrappers around diffusers' modules: VAE, schedulers, compiled UNet, offloading."""
