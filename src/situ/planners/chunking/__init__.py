"""Words of a sentence to items: one module for each class of words."""
