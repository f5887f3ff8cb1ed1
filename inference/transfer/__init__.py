"""Verified, resumable transfers: S3 and the Hugging Face Hub."""
