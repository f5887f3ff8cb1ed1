"""Training and evaluation of the demo model and its adapters."""
