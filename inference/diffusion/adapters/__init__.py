"""The LoRAs, ControlNets and VAEs that requests name."""
