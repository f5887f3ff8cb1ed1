"""The engine's interface, its errors and the pool of loaded models; imports no torch."""
