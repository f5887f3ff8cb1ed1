"""Fetching, decoding and preprocessing of input images."""
