"""Pure decisions: readings in, messages out. No device, network, thread or clock."""
