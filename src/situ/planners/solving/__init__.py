"""A symbolic scene to boxes: what touches, who stands where, and how all of it fits."""
