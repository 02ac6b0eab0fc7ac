"""The version of this package, which every picture carries."""

VERSION = "0.1.0"
