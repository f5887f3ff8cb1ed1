"""The benchmark of the threads that share Python's interpreter with the engine thread."""
