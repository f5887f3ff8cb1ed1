"""Model formats and families: recognizing, opening and loading models."""
