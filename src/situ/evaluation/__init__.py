"""Scores of generated pictures: networks turn pictures into files, pure functions turn files into numbers."""
