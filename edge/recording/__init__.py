"""Recordings: what came to a lane's loop turn by turn, kept in a folder, and given to a loop again."""
