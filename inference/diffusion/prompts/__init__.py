"""Prompt encoding: emphasis, chunks, textual inversions and text encoders."""
