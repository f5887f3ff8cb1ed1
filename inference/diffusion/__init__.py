"""The engine on diffusers: one thread that runs generation and upscaling."""
