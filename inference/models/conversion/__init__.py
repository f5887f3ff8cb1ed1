"""Conversion of models to fp16 safetensors in the diffusers layout."""
