"""VAE, noise schedulers, compiled UNet, offloading."""
