"""The local server of the planners' tests and the browser of the study's are used here as well."""

import sys
from pathlib import Path

for neighbour in ("planners", "evaluation"):
    sys.path.append(str(Path(__file__).parents[1] / neighbour))
