"""The place of this process among those that torchrun started, as it tells them by the environment."""

import os


def process_place() -> tuple[int, int]:
    """This process's number, from 0, and how many there are: (0, 1) of one that is alone.

    RANK alone, left over from elsewhere, counts for nothing.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    return (int(os.environ.get("RANK", "0")), count) if count > 1 else (0, 1)


def is_first() -> bool:
    """Whether this process writes and speaks for all: it is alone, or the first."""
    return process_place()[0] == 0


__all__ = ["is_first", "process_place"]
