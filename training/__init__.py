"""The demo model's making: it draws its own pictures, learns from them, and is examined on what it draws."""
