"""The API of the Stable Diffusion Quick Kit of AWS samples, as its page calls it.

https://github.com/aws-samples/sagemaker-stablediffusion-quick-kit
"""
