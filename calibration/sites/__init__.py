"""Simulated sites: totes, belts, lamps and cameras to practise on, with the truth of every picture."""
