"""One process of test_loop.test_two_processes_equal_one: trains a line and leaves a checkpoint."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from test_loop import LOOP, Line, Pairs, train

if __name__ == "__main__":
    list(train(Line(), Pairs(), LOOP, Path(sys.argv[1])))
