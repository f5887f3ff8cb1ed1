"""VAE, noise schedulers, CUDA graphs of the UNet, selection of kernels, offloading."""
