"""The engine that owns the denoising loop: many requests share each forward of one UNet."""
