"""Tasks submitted to the engine thread, and how they fail."""
