"""The API of AUTOMATIC1111's Stable Diffusion web UI.

https://github.com/AUTOMATIC1111/stable-diffusion-webui/wiki/API
"""
