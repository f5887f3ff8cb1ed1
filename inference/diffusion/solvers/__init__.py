"""Scheduler steps for all slots of a batch at once, traced from diffusers' schedulers."""
