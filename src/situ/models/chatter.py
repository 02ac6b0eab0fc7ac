"""Keep the libraries of models from talking while they load: what they say, a person cannot act on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

LIBRARIES = ("diffusers", "transformers")


@contextmanager
def hushed() -> Iterator[None]:
    """No warnings and progress bars of diffusers and transformers; errors are raised all the same."""
    from transformers.utils.logging import disable_progress_bar, enable_progress_bar

    loggers = [logging.getLogger(name) for name in LIBRARIES]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    disable_progress_bar()
    try:
        yield
    finally:
        enable_progress_bar()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
