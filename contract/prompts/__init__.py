"""The prompt syntax of AUTOMATIC1111's web UI: LoRAs, AND, prompt editing and emphasis."""
