"""One process of test_alignment_joint.test_two_processes_equal_one: a few steps of algorithm 1."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from test_alignment_joint import LR, parts
from tiny_backbone import random_backbone

from situ.training.loop import Loop, train

if __name__ == "__main__":
    joint, data = parts(random_backbone(), train_unet="gated", lr=1e-3, drop=0.2)
    list(train(joint, data, Loop(3, 4, LR, warmup=1), Path(sys.argv[1])))
