"""A soak test: many jobs through a local stack whose parts fail at random."""
