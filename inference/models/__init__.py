"""Model formats: detection, loading and conversion."""
