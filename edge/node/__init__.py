"""A camera node: grabs on another box, cuts out what shows an item, and sends it to the box that decides."""
