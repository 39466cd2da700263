"""What left the building: an answer for whoever asks about an item, with its pictures and with what it rests on."""
