"""python -m situ: the command, where the script is not on the path."""

import sys

from situ.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
