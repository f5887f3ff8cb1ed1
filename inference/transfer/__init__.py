"""Verified, resumable downloads from S3 and the Hugging Face Hub."""
