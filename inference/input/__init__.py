"""Pictures on their way in, and back onto what was drawn from them."""
