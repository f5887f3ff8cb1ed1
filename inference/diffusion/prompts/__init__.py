"""From a prompt's text to what the UNet is told: emphasis, chunks, textual inversions, encoders."""
