"""Where the boxes of a graph stand: layer by layer from top to bottom, few crossings, no overlap. Pure.

The usual way of layered drawings (Sugiyama): each node in the layer after the last that leads to it; edges that pass
layers get a place in each; in each layer the order by the middle of the neighbours, over and over, the best kept; then
across, each as near to the middle of its neighbours as order and width allow (least squares with pooled neighbours).
"""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct, field

GAP_X, GAP_Y = 28.0, 26.0
SWEEPS = 12
WIDEST = 5  # boxes beside each other, where some of them can stand lower
THROUGH = 14.0  # the room an edge takes that passes a layer


class Node(Struct, kw_only=True, eq=False):
    """`counts`: a box, which takes room; an outcome does not. `x` is its middle, `y` its top."""

    id: str
    width: float
    height: float
    counts: bool = True
    layer: int = 0
    x: float = 0.0
    y: float = 0.0
    before: list["Node"] = field(default_factory=list)
    after: list["Node"] = field(default_factory=list)


class Line(Struct, frozen=True, kw_only=True):
    """An edge as drawn: from the bottom of one node through these points to the top of the other. Each point is an x,
    with the top and the bottom of what it passes there."""

    start: str
    end: str
    points: tuple[tuple[float, float, float], ...]


class Layout(Struct, frozen=True, kw_only=True):
    """`bands`: top and bottom of each layer."""

    width: float
    height: float
    lines: tuple[Line, ...]


def laid_out(nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> Layout:
    """Places the nodes (they are changed). Edges form no circle."""
    known = {node.id: node for node in nodes}
    _layer(nodes, [(known[a], known[b]) for a, b in edges])
    everything = list(nodes)
    paths = [_path(known[a], known[b], everything) for a, b in edges]
    layers: list[list[Node]] = [[] for _ in range(max((n.layer for n in nodes), default=-1) + 1)]
    for node in everything:
        layers[node.layer].append(node)
    for path in paths:
        for one, other in pairwise(path):
            one.after.append(other)
            other.before.append(one)
    layers = _ordered(layers)
    _across(layers)
    bottom = _down(layers)
    left = min((n.x - n.width / 2 for n in everything), default=0.0)
    for node in everything:
        node.x -= left
    lines = tuple(Line(start=p[0].id, end=p[-1].id, points=tuple(_points(p, layers))) for p in paths)
    return Layout(width=max((n.x + n.width / 2 for n in everything), default=0.0), height=bottom, lines=lines)


# --- layers ------------------------------------------------------------------------------------------------


def _layer(nodes: Sequence[Node], edges: Sequence[tuple[Node, Node]]) -> None:
    """The longest way to each; then what leads nowhere goes lower where a layer is too wide."""
    _settle(nodes, edges)
    leading = {id(a) for a, _ in edges}
    layer = 0
    while layer <= max((node.layer for node in nodes), default=-1):
        there = [node for node in nodes if node.layer == layer and node.counts]
        movable = [node for node in there if id(node) not in leading]
        for node in reversed(movable[: max(0, len(there) - WIDEST)] if len(there) > WIDEST else []):
            node.layer += 1
        layer += 1


def _settle(nodes: Sequence[Node], edges: Sequence[tuple[Node, Node]]) -> None:
    for _ in nodes:
        moved = False
        for one, other in edges:
            if other.layer <= one.layer:
                other.layer, moved = one.layer + 1, True
        if not moved:
            return


def _path(start: Node, end: Node, everything: list[Node]) -> list[Node]:
    """The edge with a place in every layer it passes."""
    between = [
        Node(id="", width=THROUGH, height=0.0, counts=False, layer=layer) for layer in range(start.layer + 1, end.layer)
    ]
    everything += between
    return [start, *between, end]


# --- order -------------------------------------------------------------------------------------------------


def _ordered(layers: list[list[Node]]) -> list[list[Node]]:
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in layers[1:] if down else reversed(layers[:-1]):
            place = {id(n): i for other in layers for i, n in enumerate(other)}
            middles = {id(n): _middle([place[id(m)] for m in (n.before if down else n.after)]) for n in layer}
            layer.sort(key=lambda n: middles[id(n)] if middles[id(n)] >= 0 else place[id(n)])  # used at once
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _middle(places: list[int]) -> float:
    return sum(places) / len(places) if places else -1.0


def _crossings(layers: Sequence[Sequence[Node]]) -> int:
    crossings = 0
    for upper, lower in pairwise(layers):
        place = {id(n): i for i, n in enumerate(lower)}
        ends = [place[id(m)] for n in upper for m in sorted(n.after, key=lambda m: place[id(m)])]
        crossings += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return crossings


# --- across and down ---------------------------------------------------------------------------------------


def _across(layers: list[list[Node]]) -> None:
    for layer in layers:
        x = 0.0
        for node in layer:
            node.x = x + node.width / 2
            x += node.width + GAP_X
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            wanted = []
            for node in layer:
                near = [*node.before, *node.after] if sweep >= SWEEPS else node.before if down else node.after
                wanted.append(sum(n.x for n in near) / len(near) if near else node.x)
            _place(layer, wanted)
    for layer in layers[1:]:  # at last, what follows on one thing stands straight below it
        _place(layer, [node.before[0].x if len(node.before) == 1 else node.x for node in layer])


def _place(layer: Sequence[Node], wanted: Sequence[float]) -> None:
    """As near to what is wanted as order and width allow: equal shifts are pooled until none overlaps."""
    offsets = [0.0]
    for one, other in pairwise(layer):
        offsets.append(offsets[-1] + (one.width + other.width) / 2 + GAP_X)
    pools: list[tuple[float, int]] = []  # mean shift, how many
    for offset, want in zip(offsets, wanted, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            before, n = pools.pop()
            mean, count = (mean * count + before * n) / (count + n), count + n
        pools.append((mean, count))
    shifts = [mean for mean, count in pools for _ in range(count)]
    for node, offset, shift in zip(layer, offsets, shifts, strict=True):
        node.x = offset + shift


def _down(layers: Sequence[Sequence[Node]]) -> float:
    """Sets each node's top; returns the bottom of all."""
    y = 0.0
    for layer in layers:
        for node in layer:
            node.y = y
        y += max((node.height for node in layer), default=0.0) + GAP_Y
    return y - GAP_Y if layers else 0.0


def _points(path: Sequence[Node], layers: Sequence[Sequence[Node]]) -> list[tuple[float, float, float]]:
    points = []
    for node in path:
        bottom = max(n.y + n.height for n in layers[node.layer])
        points.append((node.x, node.y, bottom))
    return points
