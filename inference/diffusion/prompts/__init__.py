"""Prompts: emphasis, chunks, textual inversions, text encoders, conditionings."""
