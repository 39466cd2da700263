"""A lane in software: belt, photoeyes, cameras, gate and warehouse, speaking the same topics as real ones."""
