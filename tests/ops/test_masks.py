"""Coverage against exact fractions, and its properties."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from situ.ops.masks import coverage

corner = st.integers(0, 64)
sides = st.tuples(corner, corner).filter(lambda c: c[0] != c[1]).map(lambda c: tuple(sorted(c)))
size = st.integers(1, 20)


def by_hand(box: list[Fraction], height: int, width: int) -> list[list[Fraction]]:
    x0, y0, x1, y1 = box

    def shared(a: Fraction, b: Fraction, k: int, cells: int) -> Fraction:
        low, high = Fraction(k, cells), Fraction(k + 1, cells)
        return max(Fraction(0), min(b, high) - max(a, low)) * cells

    return [
        [shared(y0, y1, row, height) * shared(x0, x1, column, width) for column in range(width)]
        for row in range(height)
    ]


@given(x=sides, y=sides, height=size, width=size)
def test_equals_exact_arithmetic(x, y, height: int, width: int):
    box = [Fraction(v, 64) for v in (x[0], y[0], x[1], y[1])]
    found = coverage(torch.tensor([float(v) for v in box]).double(), height, width)
    wanted = [[float(v) for v in row] for row in by_hand(box, height, width)]
    torch.testing.assert_close(found, torch.tensor(wanted).double(), atol=1e-12, rtol=0)


@given(x=sides, y=sides, height=size, width=size)
def test_adds_up_to_the_area_and_is_never_lost(x, y, height: int, width: int):
    box = torch.tensor([x[0], y[0], x[1], y[1]]) / 64
    mask = coverage(box, height, width)
    area = (box[2] - box[0]) * (box[3] - box[1])
    torch.testing.assert_close(mask.sum() / (height * width), area, atol=1e-6, rtol=1e-5)
    assert mask.min() >= 0
    assert 0 < mask.max() <= 1


@given(x=sides, y=sides, height=size, width=size)
def test_swapping_x_and_y_transposes(x, y, height: int, width: int):
    box = torch.tensor([x[0], y[0], x[1], y[1]]) / 64
    assert torch.equal(coverage(box, height, width), coverage(box[[1, 0, 3, 2]], width, height).T)


def test_rows_are_y_and_columns_are_x():
    mask = coverage(torch.tensor([0.5, 0.0, 1.0, 0.25]), 4, 4)
    wanted = torch.zeros(4, 4)
    wanted[0, 2:] = 1
    assert torch.equal(mask, wanted)


def test_a_tiny_box_covers_part_of_one_cell():
    mask = coverage(torch.tensor([0.51, 0.26, 0.52, 0.27]), 16, 16)
    assert mask.count_nonzero() == 1
    assert mask[4, 8].item() == pytest.approx(256e-4, rel=1e-4)


def test_any_leading_shape():
    boxes = torch.tensor([0.1, 0.2, 0.6, 0.9]).expand(2, 3, 4)
    assert torch.equal(coverage(boxes, 5, 7)[1, 2], coverage(boxes[0, 0], 5, 7))
