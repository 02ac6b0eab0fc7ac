"""Items of a sentence to a symbolic scene: one module for each part that a word can play."""
