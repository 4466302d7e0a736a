"""How long a lost line is waited for."""

import random

from connectors.again import Again


def test_it_is_tried_ever_less_often_until_it_has_stood() -> None:
    again = Again(random.Random(1))
    waits = [again.wait_s(5.0) for _ in range(9)]
    for wait_s, least in zip(waits, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert least <= wait_s <= 1.1 * least
    assert again.wait_s(60.0) <= 1.1
    assert again.wait_s(0.0) >= 2.0
