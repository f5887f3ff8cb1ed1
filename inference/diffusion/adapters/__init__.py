"""LoRAs, ControlNets and VAEs, cached on the device."""
