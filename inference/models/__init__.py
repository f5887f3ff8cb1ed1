"""Models in every form that people have them in: what they are, opening them, loading them."""
