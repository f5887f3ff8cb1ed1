"""Tasks on the engine thread, and their failures."""
