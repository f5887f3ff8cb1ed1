"""The denoising loop with continuous batching."""
