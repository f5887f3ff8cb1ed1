"""The synthesized templates deployed to an emulated cloud on one machine."""
