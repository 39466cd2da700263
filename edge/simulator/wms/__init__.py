"""A warehouse system to practise with: over MQTT and HTTP, well-behaved or not, with a memory on disk."""
