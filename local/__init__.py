"""The local stack: the synthesized templates deployed into emulated AWS services, with the real container."""
