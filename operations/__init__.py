"""What an operator asks before and after a deployment: is everything ready, and what does it cost."""
