"""Inspection: models on pictures, evidence out; runs on worker threads beside the loop."""
