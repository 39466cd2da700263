"""The belt and the diverter over MQTT 5."""
