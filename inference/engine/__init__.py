"""The engine's interface and errors, and the pool of loaded models; no torch."""
