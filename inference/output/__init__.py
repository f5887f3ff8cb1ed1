"""What leaves the container: pictures looked at, marked and made files that say how they were drawn."""
