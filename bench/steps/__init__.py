"""The benchmark of a denoising step besides the UNet: its operations, copies, synchronisations and time."""
